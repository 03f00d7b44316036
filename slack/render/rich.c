#include "slack/render/rich.h"

#include "base/text.h"
#include "slack/render/blocks.h"
#include "slack/text/text.h"

static bool set_style(json_t *element, unsigned style)
{
	static const char *const names[] = { "bold", "italic", "strike", "code" };
	json_t *o;

	if (!element || style == 0)
		return element != NULL;
	o = json_object();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (style & 1u << i &&
		    json_object_set_new(o, names[i], json_true()) != 0) {
			json_decref(o);
			return false;
		}
	return json_object_set_new(element, "style", o) == 0;
}

static json_t *styled(json_t *element, unsigned style)
{
	if (set_style(element, style))
		return element;
	json_decref(element);
	return NULL;
}

json_t *rich_text(const char *text, size_t length, unsigned style)
{
	return styled(json_pack("{s:s, s:o}", "type", "text", "text",
				json_stringn(text, length)),
		      style);
}

json_t *rich_link(const char *url, const char *text, unsigned style)
{
	return styled(
		json_pack("{s:s, s:s, s:s}", "type", "link", "url", url, "text", text),
		style);
}

json_t *rich_user(const char *id)
{
	return json_pack("{s:s, s:s}", "type", "user", "user_id", id);
}

json_t *rich_date(int64_t wall_ms, const char *fallback)
{
	return json_pack("{s:s, s:I, s:s, s:s}", "type", "date", "timestamp",
			 (json_int_t)(wall_ms / 1000), "format", "{date_num} {time_secs}",
			 "fallback", fallback);
}

json_t *rich_part(const char *kind, json_t *elements)
{
	char type[40];

	(void)snprintf(type, sizeof type, "rich_text_%s", kind);
	return json_pack("{s:s, s:o}", "type", type, "elements", elements);
}

json_t *rich_line(const char *kind, const char *text, unsigned style)
{
	return rich_part(kind, json_pack("[o]", rich_text(text, strlen(text), style)));
}

json_t *rich_block(json_t *parts)
{
	return json_pack("{s:s, s:o}", "type", "rich_text", "elements", parts);
}

json_t *rich_cell(const char *text)
{
	return json_pack("{s:s, s:s}", "type", "raw_text", "text", *text ? text : "–");
}

json_t *rich_cell_of(json_t *elements)
{
	return rich_block(json_pack("[o]", rich_part("section", elements)));
}

json_t *rich_table(json_t *rows, json_t *settings)
{
	json_auto_t *own = settings;
	json_auto_t *table = json_pack("{s:s, s:o}", "type", "table", "rows", rows);

	if (!table || (own && json_object_set(table, "column_settings", own) != 0))
		return NULL;
	return json_incref(table);
}

bool rich_is_table(const json_t *piece)
{
	const char *type = json_get_string(piece, "type");

	return type && strcmp(type, "table") == 0;
}

size_t rich_units(const json_t *value)
{
	static const char *const drawn[] = { "text", "url", "fallback", "user_id" };
	static const char *const within[] = { "elements", "rows" };
	size_t units = 0, i;
	json_t *member;

	if (!value)
		return 0;
	json_array_foreach(value, i, member)
	{
		units += rich_units(member);
	}
	for (i = 0; i < ARRAY_SIZE(drawn); i++) {
		const json_t *text = json_object_get(value, drawn[i]);

		if (json_is_string(text))
			units += slack_text_units(json_string_value(text),
						  json_string_length(text));
		else if (text)
			units += rich_units(text);
	}
	for (i = 0; i < ARRAY_SIZE(within); i++)
		units += rich_units(json_object_get(value, within[i]));
	return units;
}

size_t rich_count(const json_t *value)
{
	static const char *const within[] = { "elements", "rows" };
	size_t count = json_is_object(value) ? 1 : 0, i;
	json_t *member;

	if (!value)
		return 0;
	json_array_foreach(value, i, member)
	{
		count += rich_count(member);
	}
	for (i = 0; i < ARRAY_SIZE(within); i++)
		count += rich_count(json_object_get(value, within[i]));
	return count;
}

/* Bytes of the escape that begins here, or 0: a backslash need not begin one. */
static size_t escape(const char *text, size_t length)
{
	const size_t size = length < 2 || text[0] != '\\' ? 0
			    : text[1] == 'u'              ? 6
			    : text[1] == 'U'              ? 10
							  : 0;

	if (size == 0 || size > length)
		return length >= 2 && text[0] == '\\' && text[1] == '\\' ? 2 : 0;
	for (size_t i = 2; i < size; i++)
		if (!strchr("0123456789ABCDEFabcdef", text[i]) || !text[i])
			return 0;
	return size;
}

/* An escape, or a character with what stands on it, is never cut in two. */
static size_t step(const char *text, size_t length)
{
	size_t size = escape(text, length);

	if (size == 0)
		size = text_cluster(text, length);
	return size > 0 ? size : 1;
}

size_t rich_fitting(const char *text, size_t length, size_t units)
{
	size_t bytes = 0, used = 0, line = 0, word = 0;

	while (bytes < length) {
		size_t size = step(text + bytes, length - bytes);
		size_t more = slack_text_units(text + bytes, size);

		if (used + more > units && bytes > 0) {
			if (line > bytes / 2)
				return line;
			return word > bytes / 2 ? word : bytes;
		}
		used += more;
		bytes += size;
		if (text[bytes - 1] == '\n')
			line = bytes;
		else if (text[bytes - 1] == ' ')
			word = bytes;
	}
	return bytes;
}

bool rich_add_text(json_t *elements, const char *visible, size_t length, unsigned style)
{
	while (length > 0) {
		const size_t bytes = rich_fitting(visible, length, RICH_PIECE_MAX);

		if (json_array_append_new(elements, rich_text(visible, bytes, style)) !=
		    0)
			return false;
		visible += bytes;
		length -= bytes;
	}
	return true;
}

bool rich_add_preformatted(json_t *pieces, const char *visible, size_t length)
{
	while (length > 0) {
		size_t bytes = rich_fitting(visible, length, RICH_PIECE_MAX);
		/* The end of a line is where one piece ends, and need not be shown twice. */
		size_t shown = bytes - (bytes < length && bytes > 1 &&
					visible[bytes - 1] == '\n');

		if (json_array_append_new(
			    pieces, rich_part("preformatted",
					      json_pack("[o]", rich_text(visible, shown,
									 0)))) != 0)
			return false;
		visible += bytes;
		length -= bytes;
	}
	return true;
}
