#include "assistant/egress/check.h"

#include <string.h>

static bool no(struct error *err, const char *what)
{
	return error_set(err, ERR_PERMISSION_DENIED, "a request with %s", what);
}

/* 'names' ends with NULL. */
static bool has_only(const json_t *object, const char *const *names)
{
	const char *name;
	json_t *value;

	if (!json_is_object(object))
		return false;
	json_object_foreach((json_t *)(uintptr_t)object, name, value)
	{
		size_t i = 0;

		while (names[i] && strcmp(names[i], name) != 0)
			i++;
		if (!names[i])
			return false;
	}
	return true;
}

#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })

static bool is_text(const json_t *object, const char *name)
{
	return json_is_string(json_object_get(object, name));
}

static bool each(const json_t *array, bool (*fine)(const json_t *entry))
{
	const json_t *entry;
	size_t i;

	if (!json_is_array(array))
		return false;
	json_array_foreach((json_t *)(uintptr_t)array, i, entry)
	{
		if (!fine(entry))
			return false;
	}
	return true;
}

/* A count that is there, at least 1. */
static bool is_within(const json_t *object, const char *name, int64_t max)
{
	const json_t *n = json_object_get(object, name);

	return json_is_integer(n) && json_integer_value(n) >= 1 &&
	       json_integer_value(n) <= max;
}

/* ---- Anthropic ---- */

static bool anthropic_block(const json_t *b)
{
	const char *type = json_get_string(b, "type");

	if (!type)
		return false;
	if (strcmp(type, "text") == 0)
		return is_text(b, "text") &&
		       has_only(b, NAMES("type", "text", "cache_control"));
	if (strcmp(type, "tool_use") == 0)
		return has_only(b, NAMES("type", "id", "name", "input", "cache_control"));
	if (strcmp(type, "tool_result") == 0)
		return is_text(b, "content") &&
		       has_only(b, NAMES("type", "tool_use_id", "content", "is_error",
					 "cache_control"));
	if (strcmp(type, "thinking") == 0)
		return has_only(b, NAMES("type", "thinking", "signature"));
	return strcmp(type, "redacted_thinking") == 0 &&
	       has_only(b, NAMES("type", "data"));
}

static bool anthropic_message(const json_t *m)
{
	return has_only(m, NAMES("role", "content")) &&
	       each(json_object_get(m, "content"), anthropic_block);
}

/* One with a type would run at the provider. */
static bool anthropic_tool(const json_t *t)
{
	return has_only(t, NAMES("name", "description", "input_schema"));
}

static bool anthropic(const struct assistant_settings *s, const json_t *body)
{
	const json_t *tools = json_object_get(body, "tools");

	return has_only(body, NAMES("model", "max_tokens", "stream", "system", "tools",
				    "messages")) &&
	       is_within(body, "max_tokens", s->max_output) &&
	       each(json_object_get(body, "system"), anthropic_block) &&
	       (!tools || each(tools, anthropic_tool)) &&
	       each(json_object_get(body, "messages"), anthropic_message);
}

/* ---- OpenAI ---- */

static bool openai_call(const json_t *c)
{
	const json_t *function = json_object_get(c, "function");

	return has_only(c, NAMES("id", "type", "function")) &&
	       has_only(function, NAMES("name", "arguments"));
}

/* Content is a text: in a list there could be images by URL. */
static bool openai_message(const json_t *m)
{
	const json_t *calls = json_object_get(m, "tool_calls");

	return has_only(m, NAMES("role", "content", "tool_calls", "tool_call_id")) &&
	       (is_text(m, "content") || json_is_null(json_object_get(m, "content"))) &&
	       (!calls || each(calls, openai_call));
}

static bool openai_tool(const json_t *t)
{
	const char *type = json_get_string(t, "type");

	return type && strcmp(type, "function") == 0 &&
	       has_only(t, NAMES("type", "function")) &&
	       has_only(json_object_get(t, "function"),
			NAMES("name", "description", "parameters"));
}

static bool openai(const struct assistant_settings *s, const json_t *body)
{
	const json_t *tools = json_object_get(body, "tools");

	return has_only(body, NAMES("model", "max_tokens", "max_completion_tokens",
				    "stream", "stream_options", "tools", "messages")) &&
	       is_within(body, s->old_max_tokens ? "max_tokens" : "max_completion_tokens",
			 s->max_output) &&
	       (!json_object_get(body, "max_tokens") || s->old_max_tokens) &&
	       (!tools || each(tools, openai_tool)) &&
	       each(json_object_get(body, "messages"), openai_message);
}

/* ---- Bedrock ---- */

static bool bedrock_text(const json_t *b)
{
	return is_text(b, "text") && has_only(b, NAMES("text"));
}

static bool bedrock_block(const json_t *b)
{
	const json_t *use = json_object_get(b, "toolUse");
	const json_t *result = json_object_get(b, "toolResult");

	if (json_object_size(b) != 1)
		return false;
	if (use)
		return has_only(use, NAMES("toolUseId", "name", "input"));
	if (result)
		return has_only(result, NAMES("toolUseId", "content", "status")) &&
		       each(json_object_get(result, "content"), bedrock_text);
	return is_text(b, "text") || json_object_get(b, "cachePoint") ||
	       json_object_get(b, "reasoningContent");
}

static bool bedrock_message(const json_t *m)
{
	return has_only(m, NAMES("role", "content")) &&
	       each(json_object_get(m, "content"), bedrock_block);
}

static bool bedrock_tool(const json_t *t)
{
	return has_only(t, NAMES("toolSpec")) &&
	       has_only(json_object_get(t, "toolSpec"),
			NAMES("name", "description", "inputSchema"));
}

static bool bedrock(const struct assistant_settings *s, const json_t *body)
{
	const json_t *config = json_object_get(body, "inferenceConfig");
	const json_t *tools = json_object_get(body, "toolConfig");

	return has_only(body,
			NAMES("system", "messages", "inferenceConfig", "toolConfig")) &&
	       has_only(config, NAMES("maxTokens")) &&
	       is_within(config, "maxTokens", s->max_output) &&
	       each(json_object_get(body, "system"), bedrock_block) &&
	       (!tools || (has_only(tools, NAMES("tools")) &&
			   each(json_object_get(tools, "tools"), bedrock_tool))) &&
	       each(json_object_get(body, "messages"), bedrock_message);
}

/* ---- The whole ---- */

/* "/model/<encoded id>/converse" or "-stream". */
static bool is_bedrock_path(const char *model, const char *path)
{
	static const char start[] = "/model/";

	if (strncmp(path, start, sizeof start - 1) != 0)
		return false;
	path += sizeof start - 1;
	for (; *model; model++) {
		unsigned char b = (unsigned char)*model;
		char encoded[4] = { *model };

		if (!((b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') ||
		      (b >= '0' && b <= '9') || strchr("-_.~", b)))
			(void)snprintf(encoded, sizeof encoded, "%%%02X", b);
		if (strncmp(path, encoded, strlen(encoded)) != 0)
			return false;
		path += strlen(encoded);
	}
	return strcmp(path, "/converse") == 0 || strcmp(path, "/converse-stream") == 0;
}

static bool is_path(const struct assistant_settings *s, const char *path)
{
	switch (s->provider) {
	case ASSISTANT_ANTHROPIC:
		return strcmp(path, "/v1/messages") == 0;
	case ASSISTANT_OPENAI:
		return strcmp(path, "/chat/completions") == 0;
	case ASSISTANT_BEDROCK:
		return is_bedrock_path(s->model, path);
	default:
		return false;
	}
}

bool check_request(const struct assistant_settings *s, const char *path, const char *body,
		   struct error *err)
{
	static bool (*const bodies[])(const struct assistant_settings *s,
				      const json_t *body) = {
		[ASSISTANT_ANTHROPIC] = anthropic,
		[ASSISTANT_OPENAI] = openai,
		[ASSISTANT_BEDROCK] = bedrock,
	};
	struct error why = ERROR_INIT;
	json_auto_t *value = NULL;

	if (!is_path(s, path))
		return no(err, "another path");
	value = json_parse(body, strlen(body), JSON_SYNTAX, &why);
	if (!value)
		return no(err, "a body that is no JSON");
	const char *model = json_get_string(value, "model");
	if (s->provider != ASSISTANT_BEDROCK && (!model || strcmp(model, s->model) != 0))
		return no(err, "another model");
	return bodies[s->provider](s, value) || no(err, "more than a conversation");
}
