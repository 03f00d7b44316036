/* JSON as people read it: a line a member, tables of rows, text as it is. */
#include "base/clock.h"
#include "base/text.h"
#include "slack/markdown/markdown.h"
#include "slack/result/private.h"
#include "slack/text/text.h"

/* --- scalars --- */

static void add(struct result_draw *d, json_t *elements, json_t *element)
{
	if (json_array_append_new(elements, element) != 0)
		d->failed = true;
}

static bool looks_like_time(const char *text, size_t length)
{
	return length >= 20 && length <= 40 && text[4] == '-' && text[7] == '-' &&
	       (text[10] == 'T' || text[10] == 't');
}

static bool is_user_field(const char *field)
{
	const char *dot = field ? strrchr(field, '.') : NULL;
	const char *last = dot ? dot + 1 : field;

	return last && (strcmp(last, "user_id") == 0 || strcmp(last, "slack") == 0);
}

/* Somebody, as Slack shows them, and what stands there in brackets. */
static bool add_user(struct result_draw *d, json_t *elements, const char *text)
{
	const char *id = json_get_string(json_object_get(d->view->people, text), "id");
	_cleanup_strbuf_ struct strbuf shown = STRBUF_INIT;

	if (!id && is_user_field(d->field))
		id = text;
	if (!d->view->mentions || !id || !slack_text_is_user(id))
		return false;
	strbuf_add_string(&shown, " (");
	slack_text_words(&shown, text, RESULT_NAME_MAX);
	strbuf_add_char(&shown, ')');
	d->failed = d->failed || shown.failed;
	add(d, elements, rich_user(id));
	add(d, elements, rich_text(shown.data, shown.length, 0));
	return true;
}

/* A moment, a person of the team, a link: what is more than its text. */
static bool add_special(struct result_draw *d, json_t *elements, const char *text,
			size_t length)
{
	const char *name =
		json_get_string(json_object_get(d->view->people, text), "name");
	_cleanup_strbuf_ struct strbuf shown = STRBUF_INIT;
	struct error ignored = ERROR_INIT;
	int64_t at_ms;

	if (strlen(text) != length)
		return false;
	if (looks_like_time(text, length) && clock_parse(text, &at_ms, &ignored)) {
		add(d, elements, rich_date(at_ms, text));
		return true;
	}
	if (add_user(d, elements, text))
		return true;
	if (name) {
		strbuf_add_char(&shown, '@');
		slack_text_words(&shown, name, RESULT_NAME_MAX);
		strbuf_add_string(&shown, " (");
		slack_text_words(&shown, text, RESULT_NAME_MAX);
		strbuf_add_char(&shown, ')');
		d->failed = d->failed || shown.failed;
		add(d, elements, rich_text(shown.data, shown.length, 0));
		return true;
	}
	if (slack_markdown_is_allowed(text, d->view->hosts)) {
		add(d, elements, rich_link(text, text, 0));
		return true;
	}
	return false;
}

static void add_string(struct result_draw *d, json_t *elements, const json_t *value,
		       size_t units)
{
	const char *text = json_string_value(value);
	const size_t length = json_string_length(value);
	_cleanup_strbuf_ struct strbuf visible = STRBUF_INIT;
	bool escaped = false;
	size_t fits;

	if (add_special(d, elements, text, length))
		return;
	result_visible(&visible, text, length, &escaped);
	if (visible.length == 0)
		strbuf_add_string(&visible, "\"\"");
	fits = rich_fitting(visible.data, visible.length, units);
	if (fits < visible.length) {
		d->cut = true;
		strbuf_truncate(&visible, fits);
		strbuf_add_string(&visible, "…");
	}
	d->failed = d->failed || visible.failed;
	d->budget -= visible.length < d->budget ? visible.length : d->budget;
	add(d, elements, rich_text(visible.data, visible.length, 0));
}

static void add_list(struct result_draw *d, json_t *elements, const json_t *list,
		     size_t units)
{
	size_t i;
	json_t *member;

	if (json_array_size(list) == 0)
		add(d, elements, rich_text("none", 4, RICH_ITALIC));
	json_array_foreach(list, i, member)
	{
		if (i > 0)
			add(d, elements, rich_text(", ", 2, 0));
		result_scalar(d, elements, member, units / json_array_size(list) + 1);
	}
}

void result_scalar(struct result_draw *d, json_t *elements, const json_t *value,
		   size_t units)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error ignored = ERROR_INIT;

	if (json_is_string(value)) {
		add_string(d, elements, value, units);
	} else if (json_is_array(value)) {
		add_list(d, elements, value, units);
	} else {
		if (!json_write(&text, value, &ignored))
			d->failed = true;
		d->budget -= text.length < d->budget ? text.length : d->budget;
		add(d, elements, rich_text(text.data, text.length, 0));
	}
}

/* --- members --- */

static bool is_scalar(const json_t *value)
{
	return !json_is_object(value) && !json_is_array(value);
}

static bool is_short_list(const json_t *value)
{
	size_t i;
	json_t *member;

	if (!json_is_array(value) || json_array_size(value) > RESULT_JOINED_MAX)
		return false;
	json_array_foreach(value, i, member)
	{
		if (!is_scalar(member) ||
		    json_string_length(member) > RESULT_CELL_MAX / 4)
			return false;
	}
	return true;
}

static bool has_lines(const json_t *value)
{
	return json_is_string(value) &&
	       memchr(json_string_value(value), '\n', json_string_length(value));
}

static void add_name(struct result_draw *d, json_t *elements, const char *name,
		     const char *behind)
{
	_cleanup_strbuf_ struct strbuf words = STRBUF_INIT;

	/* An escape takes up to ten characters for one: nothing of a name is cut. */
	slack_text_words(&words, *name ? name : "\"\"", 10 * RESULT_NAME_MAX);
	strbuf_add_string(&words, behind);
	d->failed = d->failed || words.failed;
	add(d, elements, rich_text(words.data, words.length, RICH_BOLD));
}

static void add_heading(struct result_draw *d, const char *name)
{
	json_auto_t *elements = json_array();

	if (!name)
		return;
	add_name(d, elements, name, ":");
	result_elements(d, TAKE(elements));
}

static void add_json(struct result_draw *d, const char *name, const json_t *value)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	size_t left = 0;

	add_heading(d, name);
	if (!result_json(&text, value, d->budget, &left))
		d->failed = true;
	d->budget -= text.length < d->budget ? text.length : d->budget;
	d->hidden += left;
	d->cut = d->cut || left > 0;
	if (left > 0)
		d->budget = 0;
	d->failed = d->failed ||
		    !rich_add_preformatted(d->pieces, text.data, text.length);
}

/* "name: value"; what is too long for a line has lines of its own. */
static void add_scalar_line(struct result_draw *d, const char *name, const json_t *value)
{
	json_auto_t *elements = json_array();
	const bool was_cut = d->cut;

	d->cut = false;
	if (name) {
		add_name(d, elements, name, ":");
		add(d, elements, rich_text(" ", 1, 0));
	}
	d->field = name;
	result_scalar(d, elements, value, RESULT_LINE_MAX);
	d->field = NULL;
	if (!d->cut && !has_lines(value)) {
		d->cut = was_cut;
		result_elements(d, TAKE(elements));
		return;
	}
	d->cut = was_cut;
	if (!json_is_string(value)) {
		add_json(d, name, value);
		return;
	}
	add_heading(d, name);
	result_preformatted(d, json_string_value(value), json_string_length(value));
}

/* "person.display_name": members of members, down to where it gets deep. */
static void add_object(struct result_draw *d, const char *name, const json_t *value,
		       int depth)
{
	const char *member_name;
	json_t *member;

	if (json_object_size(value) == 0) {
		add_json(d, name, value);
		return;
	}
	json_object_foreach((json_t *)(uintptr_t)value, member_name, member)
	{
		_cleanup_strbuf_ struct strbuf path = STRBUF_INIT;

		if (name)
			strbuf_add_format(&path, "%s.", name);
		strbuf_add_string(&path, member_name);
		d->failed = d->failed || path.failed;
		result_value(d, path.data, member, depth + 1);
	}
}

static bool are_records(const json_t *list)
{
	size_t i;
	json_t *one;

	if (json_array_size(list) == 0 || json_array_size(list) > RESULT_RECORDS_MAX)
		return false;
	json_array_foreach(list, i, one)
	{
		if (json_object_size(one) == 0)
			return false;
	}
	return true;
}

/* A few objects that are no rows of a table: one below the other. */
static void add_records(struct result_draw *d, const json_t *list, int depth)
{
	char words[80];
	size_t i;
	json_t *one;

	json_array_foreach(list, i, one)
	{
		(void)snprintf(words, sizeof words, "— %zu of %zu —", i + 1,
			       json_array_size(list));
		result_line(d, words, RICH_ITALIC);
		result_value(d, NULL, one, depth + 1);
	}
}

void result_value(struct result_draw *d, const char *name, const json_t *value, int depth)
{
	enum { OBJECTS_DEEP = 5 };

	if (d->failed)
		return;
	if (d->budget == 0) {
		d->cut = true;
		return;
	}
	if (name)
		(void)result_spend(d, name, strlen(name));
	if (name && slack_text_units(name, strlen(name)) > RESULT_NAME_MAX) {
		json_auto_t *whole = json_pack("{s:O}", name, value);

		if (whole)
			add_json(d, NULL, whole);
		d->failed = d->failed || !whole;
		return;
	}
	if (is_scalar(value) || is_short_list(value)) {
		add_scalar_line(d, name, value);
	} else if (json_is_object(value) && depth < OBJECTS_DEEP) {
		add_object(d, name, value, depth);
	} else if (json_is_array(value) && depth < OBJECTS_DEEP) {
		add_heading(d, name);
		if (result_table(d, value))
			return;
		if (are_records(value))
			add_records(d, value, depth);
		else
			add_json(d, NULL, value);
	} else {
		add_json(d, name, value);
	}
}
