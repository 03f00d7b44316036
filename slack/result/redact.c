#include "base/text.h"
#include "slack/result/private.h"

static json_t *redact_text(const char *text, size_t length)
{
	_cleanup_strbuf_ struct strbuf clean = STRBUF_INIT;

	text_redact(&clean, text, length);
	return strbuf_ok(&clean) ? json_stringn(clean.data, clean.length) : NULL;
}

/* Whether the name alone says that what it names is secret: {"password": 5}. False
 * without memory. */
static bool is_secret(const char *name, bool *ret)
{
	_cleanup_strbuf_ struct strbuf pair = STRBUF_INIT, clean = STRBUF_INIT;

	strbuf_add_json_string(&pair, name, strlen(name));
	strbuf_add_string(&pair, ":\"abcdefgh\"");
	text_redact(&clean, pair.data, pair.length);
	*ret = !strstr(clean.data, "abcdefgh");
	return strbuf_ok(&pair) && strbuf_ok(&clean);
}

static json_t *redact_object(const json_t *value, int depth)
{
	json_auto_t *made = json_object();
	const char *name;
	json_t *member;

	if (!made)
		return NULL;
	json_object_foreach((json_t *)(uintptr_t)value, name, member)
	{
		const bool is_leaf = !json_is_object(member) && !json_is_array(member) &&
				     !json_is_null(member) && !json_is_boolean(member);
		bool hidden = false;
		json_t *clean;

		if (is_leaf && !is_secret(name, &hidden))
			return NULL;
		clean = hidden ? json_string("[redacted]")
			       : result_redact(member, depth + 1);
		if (json_object_set_new(made, name, clean) != 0)
			return NULL;
	}
	return json_incref(made);
}

json_t *result_redact(const json_t *value, int depth)
{
	json_auto_t *made = NULL;
	size_t i;
	json_t *member;

	if (depth > JSON_DEPTH_MAX)
		return NULL;
	if (json_is_string(value))
		return redact_text(json_string_value(value), json_string_length(value));
	if (json_is_object(value))
		return redact_object(value, depth);
	if (!json_is_array(value))
		return json_deep_copy(value);
	made = json_array();
	json_array_foreach(value, i, member)
	{
		if (!made ||
		    json_array_append_new(made, result_redact(member, depth + 1)) != 0)
			return NULL;
	}
	return json_incref(made);
}

json_t *result_clean(const json_t *record, struct error *err)
{
	static const char *const kept[] = { "id", "state", "server", "tool" };
	static const char *const shown[] = { "result", "outcome" };
	json_auto_t *copy = json_object();
	json_auto_t *parts = NULL;
	size_t i;
	json_t *part;

	if (!json_get_string(record, "state")) {
		error_set(err, ERR_INTERNAL, "this is no record of a call");
		return NULL;
	}
	for (i = 0; i < ARRAY_SIZE(kept); i++)
		if (!json_put_string(copy, kept[i], json_get_string(record, kept[i])))
			goto no_memory;
	for (i = 0; i < ARRAY_SIZE(shown); i++) {
		const json_t *value = json_object_get(record, shown[i]);

		if (value &&
		    json_object_set_new(copy, shown[i], result_redact(value, 0)) != 0)
			goto no_memory;
	}
	parts = json_array();
	json_array_foreach(json_object_get(record, "parts"), i, part)
	{
		json_t *clean = result_clean(part, err);

		if (!clean)
			return NULL;
		if (json_array_append_new(parts, clean) != 0)
			goto no_memory;
	}
	if (json_object_set(copy, "parts", parts) == 0)
		return json_incref(copy);
no_memory:
	error_oom(err);
	return NULL;
}
