#include "console/render.h"

#include "base/text.h"
#include "show/sheet.h"

enum { LABEL_COLUMNS = 18 };

struct page {
	struct strbuf *sb;
	const struct render_style *style;
};

void render_text(struct strbuf *sb, const char *text)
{
	sheet_text(sb, text);
}

static const char *paint(const struct page *p, const char *mark)
{
	if (!p->style->colour || !mark)
		return "";
	return strcmp(mark, "danger") == 0 ? "\033[1;31m"
	       : strcmp(mark, "warn") == 0 ? "\033[33m"
	       : strcmp(mark, "bold") == 0 ? "\033[1m"
					   : "\033[2m";
}

static const char *plain(const struct page *p, const char *mark)
{
	return p->style->colour && mark ? "\033[0m" : "";
}

/* How many bytes of 's' fit into 'room' columns; behind a space where there is one. */
static size_t fitting(const char *s, size_t room)
{
	size_t bytes = 0, behind_space = 0, column = 0;

	while (s[bytes]) {
		size_t step = sheet_step(s + bytes);
		size_t width = text_columns(s + bytes, step);

		if (column + width > room)
			return behind_space ? behind_space : bytes ? bytes : step;
		column += width;
		bytes += step;
		if (s[bytes - 1] == ' ')
			behind_space = bytes;
	}
	return bytes;
}

/*
 * 'text' from 'column' on, wrapped to the width and nothing lost. Each further line
 * begins with a bar before 'indent', so that no text can pass for a line of the page.
 */
static void put_wrapped(struct page *p, const char *text, size_t indent, size_t column)
{
	const char *s = text;

	while (*s) {
		size_t bytes = fitting(s, p->style->columns - column);

		strbuf_add(p->sb, s, bytes);
		s += bytes;
		if (*s)
			strbuf_add_format(p->sb, "\n%*s| ", (int)indent - 2, "");
		column = indent;
	}
	strbuf_add_char(p->sb, '\n');
}

/* A name in quotes, or a long one, has lines of its own, and then its value begins with a
 * bar: whatever is in it, it ends where the value begins. */
static void put_label(struct page *p, const char *label)
{
	size_t columns = text_columns(label, strlen(label));

	strbuf_add_format(p->sb, "  %s", paint(p, "dim"));
	if (label[0] != '"' && columns + 3 <= LABEL_COLUMNS) {
		strbuf_add_format(p->sb, "%s%*s%s", label,
				  (int)(LABEL_COLUMNS - 2 - columns), "",
				  plain(p, "dim"));
		return;
	}
	put_wrapped(p, label, 4, 2);
	strbuf_add_format(p->sb, "%s%*s| ", plain(p, "dim"), LABEL_COLUMNS - 2, "");
}

/* "label: text" below an item. */
static void put_line(struct page *p, const json_t *line)
{
	const char *label = json_get_string(line, "label");
	const char *mark = json_get_string(line, "mark");

	strbuf_add_format(p->sb, "%*s%s%s: ", LABEL_COLUMNS, "", paint(p, mark), label);
	put_wrapped(p, json_get_string(line, "text"), LABEL_COLUMNS + 2,
		    LABEL_COLUMNS + strlen(label) + 2);
	strbuf_add_string(p->sb, plain(p, mark));
}

static void put_item(struct page *p, const json_t *item)
{
	const char *name = json_get_string(item, "name");
	const char *mark = json_get_string(item, "mark");
	size_t i;
	json_t *line;

	put_label(p, name ? name : json_get_string(item, "label"));
	strbuf_add_string(p->sb, paint(p, mark));
	put_wrapped(p, json_get_string(item, "text"), LABEL_COLUMNS, LABEL_COLUMNS);
	strbuf_add_string(p->sb, plain(p, mark));
	json_array_foreach(json_object_get(item, "lines"), i, line)
	{
		put_line(p, line);
	}
}

static void put_section(struct page *p, const json_t *section)
{
	const json_t *items = json_object_get(section, "items");
	const char *empty = json_get_string(section, "empty");
	size_t i;
	json_t *item;

	strbuf_add_format(p->sb, "\n%s%s%s\n", paint(p, "bold"),
			  json_get_string(section, "heading"), plain(p, "bold"));
	if (json_array_size(items) == 0 && empty)
		strbuf_add_format(p->sb, "  %s\n", empty);
	json_array_foreach(items, i, item)
	{
		put_item(p, item);
	}
}

bool render_prompt(struct strbuf *sb, const json_t *prompt,
		   const struct render_style *style, struct error *err)
{
	const struct sheet_view view = { .now_ms = style->now_ms };
	struct page p = { .sb = sb, .style = style };
	json_auto_t *sheet = NULL;
	size_t i;
	json_t *section;

	if (style->columns < RENDER_COLUMNS_MIN) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "%zu columns are too narrow to show a prompt whole",
			  style->columns);
		return error_hint(err, "make the terminal at least %d columns wide",
				  RENDER_COLUMNS_MIN);
	}
	sheet = sheet_build(prompt, &view, err);
	if (!sheet)
		return false;
	strbuf_add_format(sb, "%s%s%s\n", paint(&p, "bold"),
			  json_get_string(sheet, "question"), plain(&p, "bold"));
	json_array_foreach(json_object_get(sheet, "sections"), i, section)
	{
		put_section(&p, section);
	}
	return strbuf_ok(sb) || error_oom(err);
}

size_t render_page(const char *text, size_t rows)
{
	size_t bytes = 0;

	while (rows > 0 && text[bytes]) {
		bytes += strcspn(text + bytes, "\n");
		bytes += text[bytes] == '\n';
		rows--;
	}
	return bytes;
}
