#include "gate/context.h"

#include "base/utf8.h"

#include "mcp/uri_template.h"

static void copy(char *to, size_t size, const char *text)
{
	(void)snprintf(to, size, "%s", text ? text : "");
}

bool context_settings_decode(struct context_settings *s, const json_t *context,
			     struct error *err)
{
	size_t i;
	json_t *row;

	*s = (struct context_settings){
		.per_turn = json_get_int64(context, "reads_per_turn", CONTEXT_PER_TURN)
	};
	json_array_foreach(json_object_get(context, "templates"), i, row)
	{
		struct context_template *t = &s->templates[s->count];
		const char *uri = json_get_string(row, "uri");

		if (s->count >= CONTEXT_TEMPLATES_MAX)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "context names more than %d templates",
					 CONTEXT_TEMPLATES_MAX);
		copy(t->server, sizeof t->server, json_get_string(row, "server"));
		copy(t->uri, sizeof t->uri, uri);
		copy(t->description, sizeof t->description,
		     json_get_string(row, "description"));
		if (uri_template_is(t->uri) && !uri_template_check(t->uri, err))
			return false;
		s->count++;
	}
	return true;
}

const struct context_template *context_find(const struct context_settings *s,
					    const char *uri, json_t **ret_values)
{
	*ret_values = NULL;
	for (size_t i = 0; i < s->count; i++) {
		const struct context_template *t = &s->templates[i];

		if (!uri_template_is(t->uri)) {
			if (strcmp(t->uri, uri) == 0)
				return t;
			continue;
		}
		*ret_values = uri_template_match(t->uri, uri);
		if (*ret_values)
			return t;
	}
	return NULL;
}

json_t *context_text(const json_t *result, bool *ret_is_cut)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	size_t i, length;
	json_t *one;

	json_array_foreach(json_object_get(result, "contents"), i, one)
	{
		const char *text = json_get_string(one, "text");

		if (text)
			strbuf_add_format(&sb, "%s%s", sb.length ? "\n" : "", text);
	}
	length = utf8_cut(sb.data, sb.length, CONTEXT_TEXT_MAX);
	*ret_is_cut = length < sb.length;
	return strbuf_ok(&sb) ? json_stringn(sb.data, length) : NULL;
}

static void add_names(struct strbuf *sb, const json_t *value)
{
	size_t i;
	json_t *member;
	json_t *object = (json_t *)(uintptr_t)value;

	if (json_is_string(value))
		strbuf_add_format(sb, "%s\x1f", json_string_value(value));
	json_array_foreach(object, i, member)
	{
		add_names(sb, member);
	}
	if (json_is_object(value))
		for (void *at = json_object_iter(object); at;
		     at = json_object_iter_next(object, at))
			add_names(sb, json_object_iter_value(at));
}

json_t *context_resolved(const json_t *found)
{
	static const char *const members[] = { "id", "display_name", "emails",
					       "systems" };
	const char *match = json_get_string(found, "match");
	const char *via = json_get_string(found, "via");
	const json_t *people = json_object_get(found, "people");
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	if (!match || !via || strcmp(match, "unique") != 0 ||
	    (strcmp(via, "identifier") != 0 && strcmp(via, "name") != 0) ||
	    json_array_size(people) != 1)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		add_names(&sb, json_object_get(json_array_get(people, 0), members[i]));
	return strbuf_ok(&sb) ? json_stringn(sb.data, sb.length) : NULL;
}
