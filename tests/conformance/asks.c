#include "conformance/rows.h"

/* A form with one field, which must be filled in. */
static json_t *form(const char *message, const char *field, const char *type)
{
	return mcp_ask_form(message, json_pack("{s:s, s:{s:{s:s}}, s:[s]}", "type",
					       "object", "properties", field, "type",
					       type, "required", field));
}

static json_t *sample(const char *question, int max_tokens)
{
	return mcp_ask_sample(json_pack("{s:[{s:s, s:{s:s, s:s}}], s:i}", "messages",
					"role", "user", "content", "type", "text", "text",
					question, "maxTokens", max_tokens));
}

/* Borrowed; "" when the person declined. */
static const char *field_of(const json_t *answer, const char *field)
{
	return json_get_string(json_object_get(answer, "content"), field) ?: "";
}

/* Content is one block or a list of them. */
static const char *text_of(const json_t *answer)
{
	const json_t *content = json_object_get(answer, "content");

	if (json_is_array(content))
		content = json_array_get(content, 0);
	return json_get_string(content, "text") ?: "";
}

static size_t root_count(const json_t *answer)
{
	return json_array_size(json_object_get(answer, "roots"));
}

bool ask_name(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	const json_t *answer = mcp_call_ask(call, "user_name",
					    form("What is your name?", "name", "string"));

	(void)err;
	if (answer)
		mcp_result_text(r, "Hello, %s!", field_of(answer, "name"));
	return true;
}

bool ask_model(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	const json_t *answer = mcp_call_ask(
		call, "capital_question", sample("What is the capital of France?", 100));

	(void)err;
	if (answer)
		mcp_result_text(r, "The model says: %s", text_of(answer));
	return true;
}

bool ask_roots(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	const json_t *answer = mcp_call_ask(call, "client_roots", mcp_ask_roots());
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const json_t *roots = json_object_get(answer, "roots");

	if (!answer)
		return true;
	strbuf_add_format(&text, "Roots:");
	for (size_t i = 0; i < json_array_size(roots); i++) {
		const json_t *root = json_array_get(roots, i);

		strbuf_add_format(&text, " %s", json_get_string(root, "uri") ?: "");
		if (json_get_string(root, "name"))
			strbuf_add_format(&text, " (%s)", json_get_string(root, "name"));
	}
	if (!strbuf_ok(&text))
		return error_oom(err);
	mcp_result_text(r, "%s", text.data);
	return true;
}

bool ask_with_state(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	const json_t *answer =
		mcp_call_ask(call, "confirm", form("Go on?", "ok", "boolean"));

	(void)err;
	if (!answer)
		mcp_call_remember(call, "asked", json_true());
	else
		mcp_result_text(r, "%s",
				mcp_call_recall(call, "asked") ? "state-ok" : "no state");
	return true;
}

bool ask_three_at_once(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	const json_t *name = mcp_call_ask(call, "user_name",
					  form("What is your name?", "name", "string"));
	const json_t *greeting =
		mcp_call_ask(call, "greeting", sample("Write a greeting.", 50));
	const json_t *roots = mcp_call_ask(call, "client_roots", mcp_ask_roots());

	(void)err;
	mcp_call_remember(call, "asked", json_true());
	if (name && greeting && roots)
		mcp_result_text(r, "%s, %s: %zu roots.", text_of(greeting),
				field_of(name, "name"), root_count(roots));
	return true;
}

bool ask_in_rounds(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	const json_t *name = mcp_call_recall(call, "name");
	const json_t *color;

	(void)err;
	if (!name) {
		const json_t *first = mcp_call_ask(
			call, "step1", form("What is your name?", "name", "string"));

		mcp_call_remember(call, "round", json_integer(first ? 2 : 1));
		if (!first)
			return true;
		mcp_call_remember(call, "name", json_string(field_of(first, "name")));
	}
	color = mcp_call_ask(call, "step2",
			     form("What is your favorite color?", "color", "string"));
	if (color)
		mcp_result_text(r, "%s likes %s.", json_string_value(name) ?: "",
				field_of(color, "color"));
	return true;
}

bool ask_what_is_possible(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	bool is_complete = true;

	(void)err;
	if (mcp_call_can_ask(call, MCP_ASK_FORM))
		is_complete &= mcp_call_ask(call, "user_name",
					    form("What is your name?", "name",
						 "string")) != NULL;
	if (mcp_call_can_ask(call, MCP_ASK_SAMPLE))
		is_complete &= mcp_call_ask(call, "greeting",
					    sample("Write a greeting.", 50)) != NULL;
	if (mcp_call_can_ask(call, MCP_ASK_ROOTS))
		is_complete &= mcp_call_ask(call, "client_roots", mcp_ask_roots()) !=
			       NULL;
	if (is_complete)
		mcp_result_text(r, "All is said.");
	return true;
}

bool ask_model_at_all_costs(struct mcp_call *call, struct mcp_result *r,
			    struct error *err)
{
	const json_t *answer = mcp_call_ask(call, "sampled", sample("Say a word.", 10));

	(void)err;
	if (answer)
		mcp_result_text(r, "%s", text_of(answer));
	return true;
}

bool prompt_asks(struct mcp_call *call, struct mcp_messages *m, struct error *err)
{
	const json_t *answer =
		mcp_call_ask(call, "user_context",
			     form("What should the prompt know?", "context", "string"));

	(void)err;
	if (answer)
		mcp_messages_text(m, "user", "Mind this: %s",
				  field_of(answer, "context"));
	return true;
}
