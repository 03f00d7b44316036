#include "assistant/fields.h"

#include <string.h>

#define AT(member) offsetof(struct assistant_fields, member)
#define NEED(name, type, member)                                                         \
	{                                                                                \
		name, JSON_FIELD_##type, AT(member), JSON_FIELD_REQUIRED                 \
	}
#define MAY(name, type, member)                                                          \
	{                                                                                \
		name, JSON_FIELD_##type, AT(member), 0                                   \
	}
#define END                                                                              \
	{                                                                                \
		0                                                                        \
	}
#define ROW(...)                                                                         \
	(const struct json_field[])                                                      \
	{                                                                                \
		NEED("m", STRING, name), __VA_ARGS__, END                                \
	}

enum {
	W = ASSISTANT_AT_WORKER,
	E = ASSISTANT_AT_EGRESS,
	SW = ASSISTANT_AT_SURFACE_OF_WORKER,
	SE = ASSISTANT_AT_SURFACE_OF_EGRESS
};

static const struct {
	unsigned at;
	const struct json_field *fields;
} rows[ASSISTANT_MESSAGE_COUNT] = {
	[ASSISTANT_BEGIN] = { W,
			      ROW(NEED("v", INT64, v), NEED("provider", STRING, provider),
				  NEED("model", STRING, model),
				  MAY("stream", BOOL, stream), MAY("cache", BOOL, cache),
				  NEED("max_output", INT64, max_output),
				  MAY("old_max_tokens", BOOL, old_max_tokens)) },
	[ASSISTANT_TURN] = { W,
			     ROW(NEED("system", ARRAY, system), NEED("who", OBJECT, who),
				 NEED("conversation", ARRAY, conversation),
				 NEED("tools", ARRAY, tools),
				 NEED("sources", ARRAY, sources),
				 NEED("limits", OBJECT, limits)) },
	[ASSISTANT_RESULT] = { W, ROW(NEED("proposal", INT64, proposal),
				      NEED("results", ARRAY, results)) },
	[ASSISTANT_CONTENT] = { W, ROW(NEED("read", INT64, read),
				       MAY("label", STRING, label),
				       MAY("text", STRING, text), MAY("cut", BOOL, cut),
				       MAY("code", STRING, code)) },
	[ASSISTANT_STOP] = { W, (const struct json_field[]){ NEED("m", STRING, name),
							     END } },
	[ASSISTANT_SAY] = { SW,
			    ROW(NEED("text", STRING, text), NEED("final", BOOL, final)) },
	[ASSISTANT_PROPOSE] = { SW, ROW(NEED("proposal", INT64, proposal),
					NEED("calls", ARRAY, calls),
					NEED("together", BOOL, together)) },
	[ASSISTANT_READ] = { SW, ROW(NEED("read", INT64, read), MAY("uri", STRING, uri),
				     MAY("template", STRING, read_template),
				     MAY("values", OBJECT, values)) },
	[ASSISTANT_DONE] = { SW, ROW(NEED("why", STRING, why),
				     NEED("usage", OBJECT, usage_object)) },
	[ASSISTANT_FAILED] = { SW, ROW(NEED("code", STRING, code),
				       NEED("usage", OBJECT, usage_object)) },
	[ASSISTANT_REQUEST] = { SW | E, ROW(NEED("request", INT64, request),
					    NEED("path", STRING, path),
					    NEED("body", STRING, body)) },
	[ASSISTANT_DROP] = { E, ROW(NEED("request", INT64, request)) },
	[ASSISTANT_WAITING] = { SE, ROW(NEED("request", INT64, request),
					NEED("status", INT64, status),
					NEED("after_ms", INT64, after_ms)) },
	[ASSISTANT_STATUS] = { SE | W, ROW(NEED("request", INT64, request),
					   NEED("status", INT64, status),
					   MAY("retry_after_ms", INT64, retry_after_ms),
					   MAY("type", STRING, type)) },
	[ASSISTANT_CHUNK] = { SE | W, ROW(NEED("request", INT64, request),
					  NEED("data", STRING, data)) },
	[ASSISTANT_ENDED] = { SE | W, ROW(NEED("request", INT64, request),
					  MAY("code", STRING, code),
					  MAY("status", INT64, status)) },
	[ASSISTANT_READY] = { SW | SE, ROW(NEED("v", INT64, v)) },
};

/* ---- how long, how many, how much ---- */

static const struct {
	const char *name;
	size_t offset, max;
} texts[] = {
	{ "provider", AT(provider), 16 },
	{ "model", AT(model), ASSISTANT_MODEL_MAX },
	{ "label", AT(label), ASSISTANT_LABEL_MAX },
	{ "text", AT(text), ASSISTANT_TEXT_MAX },
	{ "code", AT(code), ASSISTANT_NAME_MAX },
	{ "type", AT(type), ASSISTANT_NAME_MAX },
	{ "data", AT(data), ASSISTANT_CHUNK_TEXT_MAX },
	{ "uri", AT(uri), ASSISTANT_URI_MAX },
	{ "template", AT(read_template), ASSISTANT_URI_MAX },
	{ "path", AT(path), ASSISTANT_PATH_MAX },
	{ "body", AT(body), ASSISTANT_BODY_MAX },
	{ "why", AT(why), 16 },
};

static const struct {
	const char *name;
	size_t offset, max;
} lists[] = {
	{ "system", AT(system), ASSISTANT_NOTES_MAX },
	{ "conversation", AT(conversation), ASSISTANT_ENTRIES_MAX },
	{ "tools", AT(tools), ASSISTANT_TOOLS_MAX },
	{ "sources", AT(sources), ASSISTANT_SOURCES_MAX },
	{ "results", AT(results), ASSISTANT_CALLS_MAX },
};

static const struct {
	const char *name;
	size_t offset;
	int64_t max;
} numbers[] = {
	{ "proposal", AT(proposal), JSON_INTEGER_MAX },
	{ "read", AT(read), JSON_INTEGER_MAX },
	{ "request", AT(request), JSON_INTEGER_MAX },
	{ "status", AT(status), 999 },
	{ "after_ms", AT(after_ms), INT32_MAX },
	{ "max_output", AT(max_output), ASSISTANT_OUTPUT_MAX },
};

static bool check_sizes(const struct assistant_fields *f, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *text =
			*(const char *const *)((const char *)f + texts[i].offset);

		if (text && strlen(text) > texts[i].max)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "'%s' is longer than %zu bytes", texts[i].name,
					 texts[i].max);
	}
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const json_t *list =
			*(json_t *const *)((const char *)f + lists[i].offset);

		if (json_array_size(list) > lists[i].max)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "'%s' has more than %zu entries", lists[i].name,
					 lists[i].max);
	}
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		int64_t n = *(const int64_t *)((const char *)f + numbers[i].offset);

		if (n < 0 || n > numbers[i].max)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "'%s' is out of range", numbers[i].name);
	}
	return true;
}

/* ---- what a worker says, looked at more closely ---- */

static bool check_values(const json_t *values, struct error *err)
{
	const char *name;
	json_t *value;

	if (json_object_size(values) > ASSISTANT_VALUES_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "'values' has too many members");
	json_object_foreach((json_t *)(uintptr_t)values, name, value)
	{
		if (strlen(name) > ASSISTANT_NAME_MAX || !json_is_string(value) ||
		    json_string_length(value) > ASSISTANT_URI_MAX)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "'values' holds what is no short text");
	}
	return true;
}

bool assistant_calls_check(const json_t *calls, bool together, struct error *err)
{
	struct call {
		const char *tool;
		json_t *arguments;
	};
	static const struct json_field fields[] = {
		{ "tool", JSON_FIELD_STRING, offsetof(struct call, tool),
		  JSON_FIELD_REQUIRED },
		{ "arguments", JSON_FIELD_OBJECT, offsetof(struct call, arguments),
		  JSON_FIELD_REQUIRED },
		{ 0 },
	};
	size_t count = json_array_size(calls), i;
	json_t *one;

	if (together ? count < 2 || count > ASSISTANT_CALLS_MAX : count != 1)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "'calls' has %zu entries, %s together", count,
				 together ? "and they are" : "and is not");
	json_array_foreach((json_t *)(uintptr_t)calls, i, one)
	{
		struct call c = { 0 };

		if (!json_decode(one, fields, &c, "a call", err))
			return false;
		if (!*c.tool || strlen(c.tool) > ASSISTANT_NAME_MAX)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "'tool' is longer than a name is");
	}
	return true;
}

static bool check_usage(const json_t *object, struct assistant_usage *ret,
			struct error *err)
{
	static const struct json_field fields[] = {
		{ "input", JSON_FIELD_INT64, offsetof(struct assistant_usage, input),
		  JSON_FIELD_REQUIRED },
		{ "output", JSON_FIELD_INT64, offsetof(struct assistant_usage, output),
		  JSON_FIELD_REQUIRED },
		{ "cache_read", JSON_FIELD_INT64,
		  offsetof(struct assistant_usage, cache_read), JSON_FIELD_REQUIRED },
		{ "cache_write", JSON_FIELD_INT64,
		  offsetof(struct assistant_usage, cache_write), JSON_FIELD_REQUIRED },
		{ "requests", JSON_FIELD_INT64,
		  offsetof(struct assistant_usage, requests), JSON_FIELD_REQUIRED },
		{ 0 },
	};
	struct assistant_usage u = { 0 };

	if (!json_decode(object, fields, &u, "'usage'", err))
		return false;
	const int64_t all[] = { u.input, u.output, u.cache_read, u.cache_write,
				u.requests };
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i] < 0 || all[i] > ASSISTANT_TOKENS_MAX)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "'usage' holds a number out of range");
	*ret = u;
	return true;
}

/* Members that exclude or need one another. */
static bool check_whole(struct assistant_fields *f, struct error *err)
{
	switch (f->m) {
	case ASSISTANT_PROPOSE:
		return assistant_calls_check(f->calls, f->together, err);
	case ASSISTANT_READ:
		if (!f->uri == !f->read_template || !f->read_template != !f->values)
			return error_set(
				err, ERR_INVALID_ARGUMENT,
				"a read is of 'uri', or of 'template' with 'values'");
		return check_values(f->values, err);
	case ASSISTANT_CONTENT:
		if (f->code ? f->text || f->label || f->cut : !f->text || !f->label)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "content is 'label' and 'text', or 'code'");
		return true;
	case ASSISTANT_SAY:
		return strlen(f->text) <= ASSISTANT_SAY_MAX ||
		       error_set(err, ERR_INVALID_ARGUMENT, "'text' is too long to say");
	case ASSISTANT_FAILED:
		if (assistant_code_find(f->code) == ASSISTANT_CODE_COUNT ||
		    assistant_code_find(f->code) == ASSISTANT_OK)
			return error_set(err, ERR_INVALID_ARGUMENT, "unknown 'code'");
		return check_usage(f->usage_object, &f->usage, err);
	case ASSISTANT_DONE:
		if (strcmp(f->why, "end") != 0 && strcmp(f->why, "cut") != 0 &&
		    strcmp(f->why, "filtered") != 0)
			return error_set(err, ERR_INVALID_ARGUMENT, "unknown 'why'");
		return check_usage(f->usage_object, &f->usage, err);
	case ASSISTANT_ENDED:
		if (f->code && (assistant_code_find(f->code) == ASSISTANT_CODE_COUNT ||
				assistant_code_find(f->code) == ASSISTANT_OK))
			return error_set(err, ERR_INVALID_ARGUMENT, "unknown 'code'");
		return true;
	case ASSISTANT_BEGIN:
	case ASSISTANT_READY:
		return f->v == ASSISTANT_MESSAGES_VERSION ||
		       error_set(err, ERR_INVALID_ARGUMENT,
				 "the programs are of different versions");
	default:
		return true;
	}
}

bool assistant_fields_decode(enum assistant_end at, const json_t *message,
			     struct assistant_fields *ret, struct error *err)
{
	struct assistant_fields f = { .retry_after_ms = -1 };
	const char *name = json_get_string(message, "m");
	char what[48];

	f.m = name ? assistant_message_find(name) : ASSISTANT_MESSAGE_COUNT;
	if (f.m == ASSISTANT_MESSAGE_COUNT || !(rows[f.m].at & at))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a message that is not for this side");
	(void)snprintf(what, sizeof what, "message '%s'", assistant_message_name(f.m));
	if (!json_decode(message, rows[f.m].fields, &f, what, err) ||
	    !check_sizes(&f, err) || !check_whole(&f, err))
		return false;
	*ret = f;
	return true;
}

json_t *assistant_usage_json(const struct assistant_usage *u)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "input", (json_int_t)u->input,
			 "output", (json_int_t)u->output, "cache_read",
			 (json_int_t)u->cache_read, "cache_write",
			 (json_int_t)u->cache_write, "requests", (json_int_t)u->requests);
}
