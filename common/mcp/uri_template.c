#include "mcp/uri_template.h"

#include <ctype.h>

#include "base/text.h"

/* One {name} or {+name}. */
struct variable {
	const char *name;
	size_t length;
	bool is_path;
	bool is_query;
	const char *rest; /* behind the brace */
};

static bool read_variable(const char *at, struct variable *ret)
{
	const char *end = strchr(at, '}');

	if (*at != '{' || !end)
		return false;
	ret->is_path = at[1] == '+';
	ret->is_query = at[1] == '?';
	ret->name = at + 1 + (ret->is_path || ret->is_query);
	ret->length = (size_t)(end - ret->name);
	ret->rest = end + 1;
	return ret->length > 0;
}

bool uri_template_is(const char *text)
{
	return strchr(text, '{') != NULL;
}

static bool is_name(const struct variable *v)
{
	for (size_t i = 0; i < v->length; i++)
		if (!isalnum((unsigned char)v->name[i]) && v->name[i] != '_')
			return false;
	return v->length <= 64;
}

bool uri_template_check(const char *text, struct error *err)
{
	size_t count = 0;

	if (strlen(text) > URI_BYTES_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT, "a template is too long");
	while (*text) {
		struct variable v;

		if (*text == '}')
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "a template has a '}' too many");
		if (*text != '{') {
			text++;
			continue;
		}
		if (!read_variable(text, &v) || !is_name(&v))
			return error_set(
				err, ERR_INVALID_ARGUMENT,
				"of templates only {name}, {+name} and {?name} are "
				"known");
		if (v.is_query && *v.rest)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "{?name} stands at the end of a template");
		if (*v.rest == '{' || ++count > URI_TEMPLATE_VARIABLES_MAX)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "a template has two variables side by side, or "
					 "more than %d",
					 URI_TEMPLATE_VARIABLES_MAX);
		text = v.rest;
	}
	return true;
}

bool uri_template_has(const char *template, const char *name)
{
	struct variable v;

	for (const char *at = strchr(template, '{'); at; at = strchr(v.rest, '{')) {
		if (!read_variable(at, &v))
			return false;
		if (strlen(name) == v.length && memcmp(name, v.name, v.length) == 0)
			return true;
	}
	return false;
}

/* ---- Matching ---- */

static int hex_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return at ? (int)(at - digits) : -1;
}

static bool decode(const char *text, size_t length, struct strbuf *ret)
{
	for (size_t i = 0; i < length; i++) {
		int high, low;

		if (text[i] != '%') {
			strbuf_add_char(ret, text[i]);
			continue;
		}
		if (i + 2 >= length || (high = hex_value(text[i + 1])) < 0 ||
		    (low = hex_value(text[i + 2])) < 0)
			return false;
		strbuf_add_char(ret, (char)(high * 16 + low));
		i += 2;
	}
	return strbuf_ok(ret);
}

static bool is_dots(const char *text, size_t length)
{
	return (length == 1 && text[0] == '.') ||
	       (length == 2 && text[0] == '.' && text[1] == '.');
}

static bool is_safe(const struct strbuf *value, const struct variable *v)
{
	const char *at = value->data, *end = at + value->length;
	const bool is_plain = !v->is_path && !v->is_query;

	if (value->length == 0 || !text_is_utf8(value->data, value->length))
		return false;
	for (size_t i = 0; i < value->length; i++)
		if ((unsigned char)at[i] < 0x20 || at[i] == 0x7f ||
		    (is_plain && (at[i] == '/' || at[i] == '\\')))
			return false;
	while (!v->is_query && at <= end) {
		size_t length = strcspn(at, "/\\");

		if (is_dots(at, length))
			return false;
		at += length + 1;
	}
	return true;
}

/* How many characters of the uri the variable may take: up to what follows it. */
static size_t value_length(const struct variable *v, const char *uri)
{
	size_t length = strcspn(uri, v->is_query ? "&#" : v->is_path ? "?#" : "/?#");
	size_t literal = strcspn(v->rest, "{");
	_cleanup_free_ char *next = strndup(v->rest, literal);
	const char *found;

	if (literal == 0 || !next)
		return length;
	/* The last place for a path, the first one for a name; what is left must fit. */
	found = strstr(uri, next);
	for (const char *more = found; v->is_path && more; more = strstr(more + 1, next))
		if ((size_t)(more - uri) <= length)
			found = more;
	return found && (size_t)(found - uri) <= length ? (size_t)(found - uri) : length;
}

static bool match_variable(json_t *values, const struct variable *v, const char *uri,
			   size_t length)
{
	_cleanup_strbuf_ struct strbuf value = STRBUF_INIT;

	return decode(uri, length, &value) && is_safe(&value, v) &&
	       json_object_setn_new(values, v->name, v->length,
				    json_stringn(value.data, value.length)) == 0;
}

/* Of {?name} the "?name=" before the value; NULL when something else stands there. */
static const char *skip_name(const struct variable *v, const char *uri)
{
	if (!v->is_query)
		return uri;
	if (uri[0] != '?' || strncmp(uri + 1, v->name, v->length) != 0 ||
	    uri[1 + v->length] != '=')
		return NULL;
	return uri + v->length + 2;
}

json_t *uri_template_match(const char *template, const char *uri)
{
	json_auto_t *values = json_object();

	if (!values || strlen(uri) > URI_BYTES_MAX)
		return NULL;
	while (*template) {
		struct variable v;
		size_t length;

		if (*template != '{') {
			if (*template ++ != *uri++)
				return NULL;
			continue;
		}
		if (!read_variable(template, &v) || !(uri = skip_name(&v, uri)))
			return NULL;
		length = value_length(&v, uri);
		if (!match_variable(values, &v, uri, length))
			return NULL;
		uri += length;
		template = v.rest;
	}
	return *uri ? NULL : TAKE(values);
}
