#include "base/text.h"
#include "base/utf8.h"
#include "slack/result/private.h"

enum { TAB_COLUMNS = 8 };

/* The section at the end takes one line more. */
static bool has_room(const struct result_draw *d, size_t units, size_t elements)
{
	const size_t count = json_array_size(d->pieces);

	return d->open && count > 0 && json_array_get(d->pieces, count - 1) == d->open &&
	       d->open_units + units < RICH_PIECE_MAX &&
	       d->open_count + elements < RICH_PART_COUNT_MAX;
}

void result_elements(struct result_draw *d, json_t *elements)
{
	json_auto_t *own = elements;
	const size_t units = rich_units(own), count = rich_count(own);
	json_t *list;

	if (has_room(d, units, count)) {
		d->open_units += units + 1;
		d->open_count += count + 1;
		list = json_object_get(d->open, "elements");
		if (json_array_append_new(list, rich_text("\n", 1, 0)) != 0 ||
		    json_array_extend(list, own) != 0)
			d->failed = true;
		return;
	}
	d->open_units = units;
	d->open_count = count;
	d->open = own ? rich_part("section", json_incref(own)) : NULL;
	if (json_array_append_new(d->pieces, d->open) != 0) {
		d->failed = true;
		d->open = NULL;
	}
}

void result_line(struct result_draw *d, const char *words, unsigned style)
{
	result_elements(d, json_pack("[o]", rich_text(words, strlen(words), style)));
}

size_t result_spend(struct result_draw *d, const char *text, size_t length)
{
	size_t bytes = utf8_cut(text, length, d->budget);

	d->budget -= bytes;
	d->hidden += length - bytes;
	if (bytes < length) {
		d->cut = true;
		d->budget = 0;
	}
	return bytes;
}

static bool hides(const char *text, size_t length, bool *ret_failed)
{
	_cleanup_strbuf_ struct strbuf visible = STRBUF_INIT;

	for (size_t at = 0, end; at < length; at = end + 1) {
		for (end = at; end < length && text[end] != '\n' && text[end] != '\t' &&
			       text[end] != '\\';)
			end++;
		strbuf_clear(&visible);
		text_visible(&visible, text + at, end - at);
		if (visible.failed || visible.length != end - at) {
			*ret_failed = *ret_failed || visible.failed;
			return true;
		}
	}
	return false;
}

static void add_line_text(struct strbuf *sb, const char *text, size_t length, bool escape)
{
	size_t column = 0;

	for (size_t at = 0, end; at < length; at = end) {
		for (end = at; end < length && text[end] != '\t';)
			end++;
		if (escape)
			text_visible(sb, text + at, end - at);
		else
			strbuf_add(sb, text + at, end - at);
		column += end - at;
		if (end == length)
			break;
		do
			strbuf_add_char(sb, ' ');
		while (++column % TAB_COLUMNS != 0);
		end++;
	}
}

void result_visible(struct strbuf *sb, const char *text, size_t length, bool *ret_escaped)
{
	_cleanup_strbuf_ struct strbuf lines = STRBUF_INIT;

	/* Ends of lines as Windows writes them hide nothing. */
	for (size_t i = 0; i < length; i++)
		if (text[i] != '\r' || i + 1 == length || text[i + 1] != '\n')
			strbuf_add_char(&lines, text[i]);
	*ret_escaped = hides(lines.data, lines.length, &sb->failed);
	for (size_t at = 0, end; at < lines.length; at = end + 1) {
		const char *stop = memchr(lines.data + at, '\n', lines.length - at);

		end = stop ? (size_t)(stop - lines.data) : lines.length;
		add_line_text(sb, lines.data + at, end - at, *ret_escaped);
		if (stop)
			strbuf_add_char(sb, '\n');
	}
	sb->failed = sb->failed || lines.failed;
}

void result_preformatted(struct result_draw *d, const char *text, size_t length)
{
	_cleanup_strbuf_ struct strbuf visible = STRBUF_INIT;
	bool escaped = false;

	while (length > 0 && strchr("\r\n", text[length - 1]) && text[length - 1])
		length--;
	length = result_spend(d, text, length);
	if (length == 0)
		return;
	result_visible(&visible, text, length, &escaped);
	if (escaped)
		result_line(d,
			    "Some characters of this do not show: they are escapes here "
			    "(\\uXXXX), and a backslash is two.",
			    RICH_ITALIC);
	d->failed = d->failed || visible.failed ||
		    !rich_add_preformatted(d->pieces, visible.data, visible.length);
}

/* --- JSON --- */

static void add_unit(struct strbuf *sb, uint32_t unit)
{
	strbuf_add_format(sb, "\\u%04X", unit);
}

/* jansson loses a name where this fails: it is told by 'failed' at the end. */
static int add_dumped(const char *text, size_t length, void *context)
{
	strbuf_add(context, text, length);
	return 0;
}

bool result_json(struct strbuf *sb, const json_t *value, size_t most, size_t *ret_left)
{
	_cleanup_strbuf_ struct strbuf dumped = STRBUF_INIT, visible = STRBUF_INIT;
	const char *text;
	size_t length;

	if (json_dump_callback(value, add_dumped, &dumped,
			       JSON_INDENT(2) | JSON_ENCODE_ANY |
				       JSON_REAL_PRECISION(17)) != 0 ||
	    !strbuf_ok(&dumped))
		return false;
	text = dumped.data;
	length = utf8_cut(text, dumped.length, most);
	*ret_left = dumped.length - length;
	for (size_t at = 0, size; at < length; at += size) {
		uint32_t c = 0;

		size = utf8_next(text + at, length - at, &c);
		if (size == 0)
			return false;
		/* Outside of strings JSON is ASCII, and a backslash is part of its own. */
		if (c < 0x7F) {
			strbuf_add_char(sb, text[at]);
			continue;
		}
		strbuf_clear(&visible);
		text_visible(&visible, text + at, size);
		if (visible.failed)
			return false;
		if (visible.length == size &&
		    memcmp(visible.data, text + at, size) == 0) {
			strbuf_add(sb, text + at, size);
		} else if (c >= 0x10000) {
			add_unit(sb, 0xD800 + ((c - 0x10000) >> 10));
			add_unit(sb, 0xDC00 + ((c - 0x10000) & 0x3FF));
		} else {
			add_unit(sb, c);
		}
	}
	return strbuf_ok(sb);
}
