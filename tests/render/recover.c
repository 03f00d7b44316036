#include "render/recover.h"

#include "base/text.h"
#include "gate/prompt_value.h"
#include "show/sheet.h"

static const char left_out[] = "default: left out; not part of the call";

static bool unreadable(struct error *err, const char *why)
{
	return error_set(err, ERR_INVALID_ARGUMENT, "what was drawn cannot be read: %s",
			 why);
}

static bool is_call_section(const char *heading, unsigned run)
{
	char before[32];
	int length = run ? snprintf(before, sizeof before, "Call %u: ", run) : 0;
	static const char *const headings[] = { "Arguments", "Written by the requester",
						"Written by the assistant" };

	if (run && strncmp(heading, before, (size_t)length) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(headings); i++)
		if (strcmp(headings[i], heading + length) == 0)
			return true;
	return false;
}

/* One item as read so far. */
struct item {
	struct strbuf name, value, remark;
	bool is_open, is_default;
	int part; /* that a bar continues: 0 name, 1 value, 2 remark */
};

static void item_done(struct item *it)
{
	strbuf_done(&it->name);
	strbuf_done(&it->value);
	strbuf_done(&it->remark);
}

static void end_remark(struct item *it)
{
	it->is_default = it->is_default || strcmp(it->remark.data, left_out) == 0;
	strbuf_clear(&it->remark);
}

static bool close_item(struct item *it, json_t *to, struct error *err)
{
	_cleanup_strbuf_ struct strbuf shown = STRBUF_INIT, name = STRBUF_INIT;
	json_t *value;
	bool ok = true;

	end_remark(it);
	if (it->is_open && !it->is_default) {
		value = prompt_value_read(it->value.data, err);
		ok = value && sheet_name_read(&shown, it->name.data) &&
		     text_unescape(&name, shown.data, shown.length, err) &&
		     !json_object_get(to, name.data) &&
		     json_object_setn_new(to, name.data, name.length, value) == 0;
	}
	strbuf_clear(&it->name);
	strbuf_clear(&it->value);
	it->is_open = it->is_default = false;
	return ok || unreadable(err, "an argument that is none, or stands twice");
}

/* --- blocks --- */

/* Lines, those that begin with a bar put to the one before. */
static bool add_lines(const char *text, json_t *lines)
{
	while (text) {
		const char *end = strchrnul(text, '\n');
		size_t last = json_array_size(lines);
		_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;

		if (text[0] == '|' && text[1] == ' ' && last > 0) {
			strbuf_add_string(&line, json_string_value(json_array_get(
							 lines, last - 1)));
			strbuf_add(&line, text + 2, (size_t)(end - text - 2));
			(void)json_array_set_new(lines, last - 1,
						 json_stringn(line.data, line.length));
		} else {
			strbuf_add(&line, text, (size_t)(end - text));
			(void)json_array_append_new(lines,
						    json_stringn(line.data, line.length));
		}
		text = *end ? end + 1 : NULL;
	}
	return true;
}

static const char *element_text(const json_t *element)
{
	return json_get_string(json_array_get(json_object_get(element, "elements"), 0),
			       "text");
}

/* {heading: [lines]} of the sections, those that go on put together. */
static json_t *sections_of(const json_t *blocks)
{
	json_t *sections = json_object();
	size_t i, j;
	json_t *block, *element;

	json_array_foreach(blocks, i, block)
	{
		json_t *lines = NULL;

		if (strcmp(json_get_string(block, "type"), "rich_text") != 0)
			continue;
		json_array_foreach(json_object_get(block, "elements"), j, element)
		{
			const char *text = element_text(element);

			if (j > 0) {
				(void)add_lines(text, lines);
				continue;
			}
			char heading[200];
			const char *more = strstr(text, ", continued");
			(void)snprintf(heading, sizeof heading, "%.*s",
				       more ? (int)(more - text) : (int)strlen(text),
				       text);
			lines = json_object_get(sections, heading);
			if (!lines) {
				lines = json_array();
				(void)json_object_set_new(sections, heading, lines);
			}
		}
	}
	return sections;
}

static bool read_lines(const json_t *lines, json_t *to, struct error *err)
{
	_cleanup_(item_done) struct item it = { .name = STRBUF_INIT,
						.value = STRBUF_INIT,
						.remark = STRBUF_INIT };
	size_t i;
	json_t *entry;

	json_array_foreach(lines, i, entry)
	{
		const char *line = json_string_value(entry);

		if (line[0] != ' ') {
			if (!close_item(&it, to, err))
				return false;
			strbuf_add_string(&it.name, line);
			it.is_open = true;
			it.part = 0;
		} else if (it.is_open && it.part == 0) {
			strbuf_add_string(&it.value, line + 2);
			it.part = 1;
		} else if (it.is_open && strcmp(line + 2, left_out) == 0) {
			it.is_default = true;
		} else if (!it.is_open && strcmp(line, "  none") != 0) {
			return unreadable(err, "a line of nothing");
		}
	}
	return close_item(&it, to, err);
}

json_t *recover_blocks(const json_t *blocks, unsigned run, struct error *err)
{
	json_auto_t *sections = sections_of(blocks);
	json_auto_t *arguments = json_object();
	const char *heading;
	json_t *lines;

	json_object_foreach(sections, heading, lines)
	{
		if (is_call_section(heading, run) && !read_lines(lines, arguments, err))
			return NULL;
	}
	return TAKE(arguments);
}

void recover_text(const json_t *blocks, struct strbuf *sb)
{
	json_auto_t *sections = sections_of(blocks);
	const char *heading;
	json_t *lines, *line;
	size_t i;

	json_object_foreach(sections, heading, lines)
	{
		strbuf_add_format(sb, "%s\n", heading);
		json_array_foreach(lines, i, line)
		{
			strbuf_add_format(sb, "%s\n", json_string_value(line));
		}
	}
}

/* --- the terminal --- */

enum { VALUE_COLUMN = 18 };

static size_t indent_of(const char *line)
{
	return strspn(line, " ");
}

static bool is_bar(const char *line, size_t column)
{
	return indent_of(line) == column && line[column] == '|' &&
	       line[column + 1] == ' ';
}

static void new_item(struct item *it, const char *line)
{
	size_t name = line[2] == '"' ? strlen(line + 2) : strcspn(line + 2, " ");

	it->is_open = true;
	strbuf_add(&it->name, line + 2, name);
	it->part = 0;
	if (line[2 + name] == ' ' && strlen(line) > VALUE_COLUMN) {
		strbuf_add_string(&it->value, line + VALUE_COLUMN);
		it->part = 1;
	}
}

static bool read_line(struct item *it, const char *line, json_t *to, struct error *err)
{
	if (strcmp(line, "  none") == 0)
		return true;
	if (is_bar(line, 2) && it->part == 0) {
		strbuf_add_string(&it->name, line + 4);
	} else if (is_bar(line, VALUE_COLUMN - 2) && it->part <= 1) {
		strbuf_add_string(&it->value, line + VALUE_COLUMN);
		it->part = 1;
	} else if (indent_of(line) == 2 && line[2] != '|') {
		if (!close_item(it, to, err))
			return false;
		new_item(it, line);
	} else if (is_bar(line, VALUE_COLUMN) && it->part == 2) {
		strbuf_add_string(&it->remark, line + VALUE_COLUMN + 2);
	} else if (it->is_open && it->part > 0 && indent_of(line) == VALUE_COLUMN) {
		end_remark(it);
		strbuf_add_string(&it->remark, line + VALUE_COLUMN);
		it->part = 2;
	} else {
		return unreadable(err, "a line that stands nowhere");
	}
	return true;
}

json_t *recover_terminal(const char *page, unsigned run, struct error *err)
{
	_cleanup_(item_done) struct item it = { .name = STRBUF_INIT,
						.value = STRBUF_INIT,
						.remark = STRBUF_INIT };
	json_auto_t *arguments = json_object();
	bool in_call = false;

	while (*page) {
		_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
		size_t length = strcspn(page, "\n");

		strbuf_add(&line, page, length);
		page += length + (page[length] == '\n');
		if (length == 0)
			continue;
		if (line.data[0] != ' ') {
			if (!close_item(&it, arguments, err))
				return NULL;
			in_call = is_call_section(line.data, run);
		} else if (in_call && !read_line(&it, line.data, arguments, err)) {
			return NULL;
		}
	}
	return close_item(&it, arguments, err) ? TAKE(arguments) : NULL;
}

void recover_page_text(const char *page, struct strbuf *sb)
{
	while (*page) {
		size_t length = strcspn(page, "\n"), indent = strspn(page, " ");

		if (indent >= 2 && indent < length && page[indent] == '|' &&
		    page[indent + 1] == ' ' && sb->length > 0) {
			strbuf_truncate(sb, sb->length - 1);
			indent += 2;
		}
		strbuf_add(sb, page + indent, length - indent);
		strbuf_add_char(sb, '\n');
		page += length + (page[length] == '\n');
	}
}
