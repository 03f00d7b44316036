/* Arrays of flat objects as a table, or, where none may stand, as lines. */
#include "slack/result/private.h"
#include "slack/text/text.h"

enum { HEAD_UNITS = 60 };

static bool is_flat(const json_t *value)
{
	size_t i;
	json_t *member;

	if (json_is_object(value))
		return false;
	if (!json_is_array(value))
		return true;
	if (json_array_size(value) > RESULT_JOINED_MAX)
		return false;
	json_array_foreach(value, i, member)
	{
		if (json_is_object(member) || json_is_array(member))
			return false;
	}
	return true;
}

/* The names of members, in the order in which they first come; NULL: not flat, or many. */
static json_t *columns_of(struct result_draw *d, const json_t *rows)
{
	json_auto_t *seen = json_object();
	json_auto_t *columns = json_array();
	const char *name;
	size_t i;
	json_t *row, *member;

	json_array_foreach(rows, i, row)
	{
		if (!json_is_object(row))
			return NULL;
		json_object_foreach(row, name, member)
		{
			if (!is_flat(member))
				return NULL;
			if (json_object_get(seen, name))
				continue;
			if (json_array_size(columns) == RICH_TABLE_COLUMNS_MAX)
				return NULL;
			if (json_object_set_new(seen, name, json_true()) != 0 ||
			    json_array_append_new(columns, json_string(name)) != 0)
				d->failed = true;
		}
	}
	return json_array_size(columns) > 0 ? json_incref(columns) : NULL;
}

static json_t *head_of(struct result_draw *d, const json_t *columns)
{
	json_auto_t *cells = json_array();
	size_t i;
	json_t *column;

	json_array_foreach(columns, i, column)
	{
		_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;

		slack_text_words(&name, json_string_value(column), HEAD_UNITS);
		if (json_string_length(column) > HEAD_UNITS || name.length > HEAD_UNITS)
			d->cut = true;
		if (!strbuf_ok(&name) ||
		    json_array_append_new(cells, rich_cell(name.data)) != 0)
			return NULL;
	}
	return json_incref(cells);
}

static json_t *cell_of(struct result_draw *d, const char *column, const json_t *value)
{
	json_auto_t *elements = json_array();
	const json_t *first;
	const char *type;

	if (!value)
		return rich_cell("");
	d->field = column;
	result_scalar(d, elements, value, RESULT_CELL_MAX);
	d->field = NULL;
	first = json_array_get(elements, 0);
	type = json_get_string(first, "type");
	if (json_array_size(elements) == 1 && !json_object_get(first, "style") && type &&
	    strcmp(type, "text") == 0)
		return rich_cell(json_get_string(first, "text"));
	return rich_cell_of(TAKE(elements));
}

static json_t *row_of(struct result_draw *d, const json_t *columns, const json_t *row)
{
	json_auto_t *cells = json_array();
	size_t i;
	json_t *column;

	json_array_foreach(columns, i, column)
	{
		const char *name = json_string_value(column);

		if (json_array_append_new(
			    cells, cell_of(d, name, json_object_get(row, name))) != 0)
			return NULL;
	}
	return json_incref(cells);
}

static json_t *settings_of(size_t columns)
{
	json_auto_t *list = json_array();

	for (size_t i = 0; i < columns; i++)
		if (json_array_append_new(list, json_pack("{s:b}", "is_wrapped", 1)) != 0)
			return NULL;
	return json_incref(list);
}

/* As many rows as one table holds; what is beyond is said to be there. */
static bool put_table(struct result_draw *d, const json_t *rows, const json_t *columns)
{
	json_auto_t *head = head_of(d, columns);
	json_auto_t *made = json_pack("[O]", head);
	json_auto_t *settings = NULL;
	size_t units = rich_units(head), count = rich_count(head), i;
	char words[80];
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		json_auto_t *cells = row_of(d, columns, row);
		const size_t more = rich_units(cells), elements = rich_count(cells);

		if (json_array_size(made) == RICH_TABLE_ROWS_MAX ||
		    units + more > RICH_TABLE_MAX || count + elements >= RICH_COUNT_MAX)
			break;
		units += more;
		count += elements;
		if (!made || !cells || json_array_append(made, cells) != 0) {
			d->failed = true;
			return true;
		}
	}
	if (i == 0)
		return false;
	settings = settings_of(json_array_size(columns));
	if (!settings ||
	    json_array_append_new(d->pieces, rich_table(TAKE(made), TAKE(settings))) != 0)
		d->failed = true;
	if (i < json_array_size(rows)) {
		d->cut = true;
		(void)snprintf(words, sizeof words, "%zu of %zu rows shown.", i,
			       json_array_size(rows));
		result_line(d, words, RICH_ITALIC);
	}
	return true;
}

/* Where no table may stand: a part for each row. */
static void put_rows(struct result_draw *d, const json_t *rows)
{
	char words[80];
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		(void)snprintf(words, sizeof words, "— %zu of %zu —", i + 1,
			       json_array_size(rows));
		result_line(d, words, RICH_ITALIC);
		result_value(d, NULL, row, 0);
	}
}

bool result_table(struct result_draw *d, const json_t *rows)
{
	json_auto_t *columns = columns_of(d, rows);
	const bool was_cut = d->cut;

	if (!columns)
		return false;
	if (!d->tables) {
		put_rows(d, rows);
		return true;
	}
	if (put_table(d, rows, columns))
		return true;
	d->cut = was_cut;
	return false;
}
