/* What a server returned: its texts, its structure, and what else it says it has. */
#include "base/json.h"
#include "slack/result/private.h"
#include "slack/text/text.h"

enum { URI_UNITS = 500, KIND_UNITS = 80 };

/* Whether the text is nothing but the structure once more, as MCP wants it for old clients. */
static bool is_the_same(struct result_draw *d, const char *text, const json_t *structured)
{
	struct error err = ERROR_INIT;
	json_auto_t *parsed =
		structured ? json_parse(text, strlen(text), JSON_SYNTAX, &err) : NULL;

	d->failed = d->failed || err.code == ERR_INTERNAL;
	return parsed && json_equal(parsed, structured);
}

/* Not shown, but said: an image, a sound. */
static void add_other(struct result_draw *d, const json_t *block)
{
	const char *type = json_get_string(block, "type");
	const char *mime = json_get_string(block, "mimeType");
	_cleanup_strbuf_ struct strbuf words = STRBUF_INIT;

	strbuf_add_string(&words, "Not shown: ");
	slack_text_words(&words, type ? type : "something without a kind", KIND_UNITS);
	if (mime) {
		strbuf_add_string(&words, ", ");
		slack_text_words(&words, mime, KIND_UNITS);
	}
	strbuf_add_format(&words, ", %zu bytes encoded",
			  json_string_length(json_object_get(block, "data")));
	d->failed = d->failed || words.failed;
	result_line(d, words.data, RICH_ITALIC);
}

/* A resource: where it is, and its text if that came along. */
static void add_resource(struct result_draw *d, const json_t *resource)
{
	const char *text = json_get_string(resource, "text");
	const char *uri = json_get_string(resource, "uri");
	_cleanup_strbuf_ struct strbuf words = STRBUF_INIT;

	strbuf_add_string(&words, "Resource: ");
	slack_text_words(&words, uri ? uri : "without an address", URI_UNITS);
	d->failed = d->failed || words.failed;
	result_line(d, words.data, 0);
	if (text)
		result_preformatted(d, text, strlen(text));
	else if (json_object_get(resource, "blob"))
		result_line(d, "Its bytes are not shown.", RICH_ITALIC);
}

/* True: a text of the server's own. */
static bool add_block(struct result_draw *d, const json_t *block,
		      const json_t *structured)
{
	const char *type = json_get_string(block, "type");
	const json_t *text = json_object_get(block, "text");

	if (type && strcmp(type, "text") == 0 && json_is_string(text)) {
		if (is_the_same(d, json_string_value(text), structured))
			return false;
		result_preformatted(d, json_string_value(text), json_string_length(text));
		return true;
	} else if (type && strcmp(type, "resource") == 0) {
		add_resource(d, json_object_get(block, "resource"));
	} else if (type && strcmp(type, "resource_link") == 0) {
		add_resource(d, block);
	} else {
		add_other(d, block);
	}
	return false;
}

static bool is_row(const json_t *value)
{
	const char *name;
	json_t *member;

	if (!json_is_object(value))
		return false;
	json_object_foreach((json_t *)(uintptr_t)value, name, member)
	{
		if (json_is_object(member) || json_is_array(member))
			return false;
	}
	return true;
}

/* Whether a table says it better than a text: there are rows in it. */
static bool has_rows(const json_t *structured)
{
	const char *name;
	json_t *member;

	if (is_row(json_array_get(structured, 0)))
		return true;
	json_object_foreach((json_t *)(uintptr_t)structured, name, member)
	{
		if (is_row(json_array_get(member, 0)))
			return true;
	}
	return false;
}

void result_content(struct result_draw *d, const json_t *result)
{
	const json_t *structured = json_object_get(result, "structuredContent");
	const json_t *error = json_object_get(structured, "error");
	const bool is_error = json_is_true(json_object_get(result, "isError"));
	bool has_text = false;
	size_t i;
	json_t *block;

	if (is_error && json_is_object(error)) {
		result_error(d, error);
		return;
	}
	json_array_foreach(json_object_get(result, "content"), i, block)
	{
		has_text |= add_block(d, block, structured);
	}
	/* In a conversation what the server says in words is enough; the pages have both. */
	if (structured && has_text && d->tables && !has_rows(structured))
		d->cut = true;
	else if (structured)
		result_value(d, NULL, structured, 0);
}
