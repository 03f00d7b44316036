#include "conformance/rows.h"

/* 'prefix' action=..., content=... */
static bool say_answer(struct mcp_result *r, const char *prefix, const json_t *answer,
		       struct error *err)
{
	const json_t *content = json_object_get(answer, "content");
	_cleanup_free_ char *text = content ? json_dumps(content, JSON_COMPACT)
					    : strdup("{}");

	if (!text)
		return error_oom(err);
	mcp_result_text(r, "%s: action=%s, content=%s", prefix,
			json_get_string(answer, "action") ?: "", text);
	return true;
}

bool sample_prompt(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	json_t *params = json_pack("{s:[{s:s, s:{s:s, s:s}}], s:i}", "messages", "role",
				   "user", "content", "type", "text", "text",
				   mcp_call_string(call, "prompt", ""), "maxTokens", 100);
	const json_t *answer = mcp_call_ask(call, "sampled", mcp_ask_sample(params));
	const json_t *content = json_object_get(answer, "content");

	(void)err;
	if (json_is_array(content))
		content = json_array_get(content, 0);
	if (answer)
		mcp_result_text(r, "LLM response: %s",
				json_get_string(content, "text") ?: "");
	return true;
}

bool elicit(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	json_t *schema = json_pack(
		"{s:s, s:{s:{s:s, s:s}, s:{s:s, s:s}}, s:[s, s]}", "type", "object",
		"properties", "username", "type", "string", "description",
		"User's response", "email", "type", "string", "description",
		"User's email address", "required", "username", "email");
	const json_t *answer = mcp_call_ask(
		call, "user", mcp_ask_form(mcp_call_string(call, "message", ""), schema));

	return !answer || say_answer(r, "User response", answer, err);
}

bool elicit_defaults(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	json_t *schema = json_pack("{s:s, s:{s:{s:s, s:s}, s:{s:s, s:i}, s:{s:s, s:f}, "
				   "s:{s:s, s:[s,s,s], s:s}, "
				   "s:{s:s, s:b}}}",
				   "type", "object", "properties", "name", "type",
				   "string", "default", "John Doe", "age", "type",
				   "integer", "default", 30, "score", "type", "number",
				   "default", 95.5, "status", "type", "string", "enum",
				   "active", "inactive", "pending", "default", "active",
				   "verified", "type", "boolean", "default", true);
	const json_t *answer = mcp_call_ask(
		call, "defaults", mcp_ask_form("Please look at the defaults.", schema));

	return !answer || say_answer(r, "Elicitation completed", answer, err);
}

/* {type: string, KEYWORD: [{const, title}, ...]} with value1 to value3. */
static json_t *titled(const char *type, const char *keyword)
{
	json_t *choices = json_array();

	for (int i = 1; i <= 3; i++) {
		char value[16], title[16];

		(void)snprintf(value, sizeof value, "value%d", i);
		(void)snprintf(title, sizeof title, "Choice %d", i);
		(void)json_array_append_new(
			choices, json_pack("{s:s, s:s}", "const", value, "title", title));
	}
	return json_pack("{s:s*, s:o}", "type", type, keyword, choices);
}

bool elicit_enums(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	json_t *fields =
		json_pack("{s:{s:s, s:[s,s,s]}, s:o, s:{s:s, s:[s,s,s], s:[s,s,s]}, "
			  "s:{s:s, s:{s:s, s:[s,s,s]}}, s:{s:s, s:o}}",
			  "untitledSingle", "type", "string", "enum", "option1",
			  "option2", "option3", "titledSingle", titled("string", "oneOf"),
			  "legacyEnum", "type", "string", "enum", "opt1", "opt2", "opt3",
			  "enumNames", "Option One", "Option Two", "Option Three",
			  "untitledMulti", "type", "array", "items", "type", "string",
			  "enum", "option1", "option2", "option3", "titledMulti", "type",
			  "array", "items", titled(NULL, "anyOf"));
	json_t *schema = json_pack("{s:s, s:o}", "type", "object", "properties", fields);
	const json_t *answer =
		mcp_call_ask(call, "enums", mcp_ask_form("Please choose.", schema));

	return !answer || say_answer(r, "Elicitation completed", answer, err);
}
