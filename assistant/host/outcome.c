#include "assistant/host/outcome.h"

#include "base/utf8.h"

#include <string.h>

#include "assistant/host/context.h"

/* A record's states, and what a model is told. */
static const struct {
	const char *state, *status;
	bool is_end;
} rows[] = {
	{ "proposed", "pending", false },     { "planned", "pending", false },
	{ "pending", "pending", false },      { "approved", "pending", false },
	{ "granted", "pending", false },      { "executing", "pending", false },
	{ "succeeded", "succeeded", true },   { "failed", "failed", true },
	{ "unknown", "unknown", true },       { "denied", "denied", true },
	{ "expired", "expired", true },       { "lapsed", "expired", true },
	{ "superseded", "superseded", true }, { "cancelled", "cancelled", true },
	{ "revoked", "cancelled", true },     { "refused", "refused", true },
};

static json_t *repeat(json_t *result, size_t count)
{
	json_auto_t *own = result;
	json_auto_t *list = json_array();

	for (size_t i = 0; own && list && i < count; i++)
		if (json_array_append(list, own) != 0)
			return NULL;
	return own ? TAKE(list) : NULL;
}

json_t *outcome_of_refusal(const struct error *why, size_t count)
{
	if (why->code == ERR_INVALID_ARGUMENT)
		return repeat(json_pack("{s:s, s:[o]}", "status", "invalid", "errors",
					context_mask(why->message, strlen(why->message))),
			      count);
	return repeat(json_pack("{s:s, s:s}", "status", "refused", "code",
				error_name(why->code)),
		      count);
}

/* What a person could read of it: the structured form, or the texts. */
static json_t *result_text(const json_t *result)
{
	const json_t *structured = json_object_get(result, "structuredContent");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error ignored = ERROR_INIT;
	json_auto_t *masked = NULL;
	size_t i, length;
	json_t *block;

	if (structured)
		(void)json_write(&text, structured, &ignored);
	else
		json_array_foreach(json_object_get(result, "content"), i, block)
		{
			const char *one = json_get_string(block, "text");

			if (one)
				strbuf_add_format(&text, "%s%s", text.length ? "\n" : "",
						  one);
		}
	/* Masked whole, then cut: half a credential would not be known as one. */
	masked = context_mask(text.data ? text.data : "", text.length);
	if (!masked)
		return NULL;
	length = utf8_cut(json_string_value(masked), json_string_length(masked),
			  OUTCOME_TEXT_MAX);
	return json_stringn(json_string_value(masked), length);
}

static json_t *of_one(const json_t *record)
{
	const char *state = json_get_string(record, "state");
	const char *code = json_get_string(
		json_object_get(json_object_get(record, "outcome"), "error"), "code");
	const json_t *result = json_object_get(record, "result");
	const char *status = "pending";
	json_auto_t *out = NULL;

	for (size_t i = 0; state && i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].state, state) == 0)
			status = rows[i].status;
	out = json_pack("{s:s}", "status", status);
	if (!out)
		return NULL;
	if ((strcmp(status, "refused") == 0 || strcmp(status, "failed") == 0) &&
	    json_object_set_new(out, "code", json_string(code ? code : "internal")) != 0)
		return NULL;
	if (strcmp(status, "succeeded") == 0 &&
	    json_object_set_new(out, "outcome", result_text(result)) != 0)
		return NULL;
	return TAKE(out);
}

json_t *outcome_of_record(const json_t *record, const json_t *parts, size_t count)
{
	json_auto_t *list = json_array();

	if (!parts)
		return repeat(of_one(record), count);
	for (size_t i = 0; list && i < count; i++)
		if (json_array_append_new(list, of_one(json_array_get(parts, i))) != 0)
			return NULL;
	return TAKE(list);
}

bool outcome_is_end(const json_t *record)
{
	const char *state = json_get_string(record, "state");

	for (size_t i = 0; state && i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].state, state) == 0)
			return rows[i].is_end;
	return false;
}
