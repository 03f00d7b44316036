/* Tables: as Slack's where they fit, in several where they are long, else as lines. */
#include "slack/markdown/private.h"
#include "slack/text/text.h"

/* --- cells and rows --- */

void markdown_table_begin(struct markdown *m, unsigned columns)
{
	json_decref(m->rows);
	json_decref(m->settings);
	m->rows = json_array();
	m->settings = json_array();
	m->columns = columns;
	if (!m->rows || !m->settings)
		m->failed = true;
}

void markdown_row_begin(struct markdown *m)
{
	json_decref(m->row);
	m->row = json_array();
	m->row_at = NULL;
	if (!m->row)
		m->failed = true;
}

void markdown_cell_begin(struct markdown *m)
{
	m->in_cell = true;
	m->units = 0;
}

static json_t *settings_of(MD_ALIGN align)
{
	const char *word = align == MD_ALIGN_CENTER  ? "center"
			   : align == MD_ALIGN_RIGHT ? "right"
						     : "left";

	return json_pack("{s:s, s:b}", "align", word, "is_wrapped", 1);
}

/* A cell of one plain text is raw text, which is literal as well. */
static json_t *cell_of(json_t *inlines)
{
	json_auto_t *own = inlines;
	const json_t *first = json_array_get(own, 0);
	const char *type = json_get_string(first, "type");

	if (json_array_size(own) == 0)
		return rich_cell("");
	if (json_array_size(own) == 1 && !json_object_get(first, "style") && type &&
	    strcmp(type, "text") == 0)
		return rich_cell(json_get_string(first, "text"));
	return rich_cell_of(json_incref(own));
}

void markdown_cell_end(struct markdown *m, MD_ALIGN align)
{
	json_t *cell;

	markdown_flush(m);
	m->in_cell = false;
	m->failed = m->failed || m->line.failed;
	strbuf_clear(&m->line);
	cell = cell_of(TAKE(m->inlines));
	m->inlines = json_array();
	m->units = 0;
	if (json_array_append_new(m->row, cell) != 0 || !m->inlines)
		m->failed = true;
	if (json_array_size(m->rows) == 0 && !m->failed &&
	    json_array_append_new(m->settings, settings_of(align)) != 0)
		m->failed = true;
}

/* What stands behind the last column: Markdown leaves it out. NULL: nothing. */
static const char *excess(const struct markdown *m, size_t *ret_length)
{
	const char *begin = m->row_at, *end, *s;
	unsigned bars = 0;

	if (!begin)
		return NULL;
	while (begin > m->source && begin[-1] != '\n' && begin[-1] != '\r')
		begin--;
	end = m->row_at + strcspn(m->row_at, "\r\n");
	for (s = begin; s < end && strchr(" \t>", *s);)
		s++;
	if (s < end && *s == '|')
		s++;
	for (; s < end && bars < m->columns; s++)
		if (*s == '\\' && s + 1 < end)
			s++;
		else if (*s == '|')
			bars++;
	while (end > s && strchr(" \t|", end[-1]))
		end--;
	while (s < end && strchr(" \t", *s))
		s++;
	*ret_length = (size_t)(end - s);
	return bars == m->columns && s < end ? s : NULL;
}

/* The last cell says it too, as it was written. */
static void add_excess(struct markdown *m, const char *more, size_t length)
{
	const size_t last = json_array_size(m->row) - 1;
	const json_t *cell = json_array_get(m->row, last);
	const char *text = json_get_string(cell, "text");
	const json_t *given = json_object_get(
		json_array_get(json_object_get(cell, "elements"), 0), "elements");
	json_auto_t *elements = given ? json_deep_copy(given) : json_array();
	_cleanup_strbuf_ struct strbuf visible = STRBUF_INIT;

	strbuf_add_string(&visible, text ? text : "");
	strbuf_add_string(&visible, " | ");
	markdown_visible(&visible, more, length);
	if (visible.failed || !elements ||
	    !rich_add_text(elements, visible.data, visible.length, 0) ||
	    json_array_set_new(m->row, last, cell_of(TAKE(elements))) != 0)
		m->failed = true;
}

void markdown_row_end(struct markdown *m)
{
	size_t length = 0;
	const char *more = excess(m, &length);

	if (m->failed || json_array_append(m->rows, m->row) != 0) {
		m->failed = true;
		return;
	}
	if (!more)
		return;
	add_excess(m, more, length);
}

/* --- tables --- */

static void add_cell_text(struct strbuf *sb, const json_t *value)
{
	static const char *const named[] = { "text", "user_id" };
	size_t i;
	json_t *member;

	const char *url = json_get_string(value, "url");

	for (i = 0; i < ARRAY_SIZE(named); i++)
		if (json_get_string(value, named[i]))
			strbuf_add_string(sb, json_get_string(value, named[i]));
	if (url && strcmp(url, json_get_string(value, "text")) != 0)
		strbuf_add_format(sb, " (%s)", url);
	json_array_foreach(json_object_get(value, "elements"), i, member)
	{
		add_cell_text(sb, member);
	}
}

/* Too wide, or a row that is too long: a line each. */
static void add_lines(struct markdown *m)
{
	_cleanup_strbuf_ struct strbuf lines = STRBUF_INIT;
	size_t i, j;
	json_t *row, *cell;

	json_array_foreach(m->rows, i, row)
	{
		strbuf_add_string(&lines, i ? "\n" : "");
		json_array_foreach(row, j, cell)
		{
			strbuf_add_string(&lines, j ? " | " : "");
			add_cell_text(&lines, cell);
		}
	}
	m->failed = m->failed || lines.failed;
	if (!m->failed)
		m->failed = !rich_add_preformatted(m->pieces, lines.data, lines.length);
}

static bool fits(const struct markdown *m)
{
	const size_t head = rich_units(json_array_get(m->rows, 0));
	size_t i;
	json_t *row;

	if (m->columns == 0 || m->columns > RICH_TABLE_COLUMNS_MAX)
		return false;
	json_array_foreach(m->rows, i, row)
	{
		if (json_array_size(row) != m->columns ||
		    head + rich_units(row) > RICH_TABLE_MAX ||
		    rich_count(row) > RICH_COUNT_MAX / 2)
			return false;
	}
	return true;
}

static void put_table(struct markdown *m, json_t **rows)
{
	json_t *settings = json_deep_copy(m->settings);

	m->failed = m->failed || !settings;
	markdown_piece(m, rich_table(TAKE(*rows), settings));
}

static json_t *begin_rows(const json_t *head)
{
	return json_pack("[O]", head);
}

static void add_tables(struct markdown *m)
{
	const json_t *head = json_array_get(m->rows, 0);
	const size_t head_units = rich_units(head);
	json_auto_t *rows = begin_rows(head);
	size_t units = head_units, count = rich_count(head);

	for (size_t i = 1; i < json_array_size(m->rows) && !m->failed; i++) {
		json_t *row = json_array_get(m->rows, i);
		const size_t more = rich_units(row);

		if (json_array_size(rows) == RICH_TABLE_ROWS_MAX ||
		    ((units + more > RICH_TABLE_MAX ||
		      count + rich_count(row) > RICH_COUNT_MAX) &&
		     json_array_size(rows) > 1)) {
			put_table(m, &rows);
			rows = begin_rows(head);
			units = head_units;
			count = rich_count(head);
		}
		if (!rows || json_array_append(rows, row) != 0)
			m->failed = true;
		units += more;
		count += rich_count(row);
	}
	if (!m->failed)
		put_table(m, &rows);
}

void markdown_table_end(struct markdown *m)
{
	if (!m->failed && json_array_size(m->rows) > 0) {
		if (fits(m))
			add_tables(m);
		else
			add_lines(m);
	}
	json_decref(TAKE(m->rows));
	json_decref(TAKE(m->row));
	json_decref(TAKE(m->settings));
}
