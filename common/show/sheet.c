#include "show/sheet.h"

#include "base/text.h"
#include "show/sheet_build.h"

enum { RUN_MAX = 8, NAME_MAX_PLAIN = 64 };

void sheet_text(struct strbuf *sb, const char *text)
{
	_cleanup_strbuf_ struct strbuf visible = STRBUF_INIT;

	/* Visible text has its backslashes doubled already; doubling them again is
	 * undone here, so that only what was not visible changes. */
	text_visible(&visible, text, strlen(text));
	for (size_t i = 0; i < visible.length; i++) {
		strbuf_add_char(sb, visible.data[i]);
		if (visible.data[i] == '\\' && visible.data[i + 1] == '\\')
			i++;
	}
	sb->failed = sb->failed || visible.failed;
}

/* The same, and no padding that could push anything out of sight. */
static void add_text(struct strbuf *sb, const char *text)
{
	_cleanup_strbuf_ struct strbuf visible = STRBUF_INIT;
	size_t run = 0;

	sheet_text(&visible, text);
	for (size_t i = 0; i < visible.length; i++) {
		run = visible.data[i] == ' ' ? run + 1 : 0;
		if (run > RUN_MAX)
			strbuf_add_string(sb, "\\u0020");
		else
			strbuf_add_char(sb, visible.data[i]);
	}
	sb->failed = sb->failed || visible.failed;
}

size_t sheet_step(const char *text)
{
	size_t escape = text[0] != '\\'  ? 0
			: text[1] == 'u' ? 6
			: text[1] == 'U' ? 10
					 : 2;
	size_t length = strnlen(text, 64);

	return escape > 0 && escape <= length ? escape : text_cluster(text, length);
}

static bool is_plain_name(const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

	return length > 0 && length <= NAME_MAX_PLAIN && !name[length];
}

void sheet_name(struct strbuf *sb, const char *name)
{
	if (is_plain_name(name)) {
		strbuf_add_string(sb, name);
		return;
	}
	strbuf_add_char(sb, '"');
	add_text(sb, name);
	strbuf_add_char(sb, '"');
}

bool sheet_name_read(struct strbuf *sb, const char *shown)
{
	size_t length = strlen(shown);

	if (is_plain_name(shown))
		strbuf_add_string(sb, shown);
	else if (length >= 2 && shown[0] == '"' && shown[length - 1] == '"')
		strbuf_add(sb, shown + 1, length - 2);
	else
		return false;
	return strbuf_ok(sb);
}

/* --- putting it together --- */

const char *sheet_need(struct sheet *s, const json_t *object, const char *member)
{
	const char *text = json_get_string(object, member);

	if (!text)
		s->missing = true;
	return text ? text : "";
}

int64_t sheet_need_number(struct sheet *s, const json_t *object, const char *member)
{
	const json_t *number = json_object_get(object, member);

	if (!json_is_integer(number))
		s->missing = true;
	return json_integer_value(number);
}

const json_t *sheet_need_array(struct sheet *s, const json_t *object, const char *member)
{
	const json_t *array = json_object_get(object, member);

	if (!json_is_array(array))
		s->missing = true;
	return array;
}

static void set(struct sheet *s, json_t *object, const char *member, json_t *value)
{
	/* Which takes the value, also when it fails. */
	if (json_object_set_new(object, member, value) != 0)
		s->failed = true;
}

static json_t *visible(const char *text)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	add_text(&sb, text);
	return strbuf_ok(&sb) ? json_stringn(sb.data, sb.length) : NULL;
}

static json_t *append(struct sheet *s, json_t *list)
{
	json_t *object = json_object();

	/* Which takes the object, also when it fails. */
	if (json_array_append_new(list, object) != 0) {
		s->failed = true;
		return NULL;
	}
	return object;
}

void sheet_section(struct sheet *s, const char *heading, const char *empty)
{
	json_t *section = append(s, s->sections);

	s->items = json_array();
	set(s, section, "heading", json_string(heading));
	if (empty)
		set(s, section, "empty", json_string(empty));
	set(s, section, "items", s->items);
	if (s->failed) /* then it is gone */
		s->items = NULL;
}

json_t *sheet_item(struct sheet *s, const char *label, const char *text)
{
	json_t *item = append(s, s->items);

	set(s, item, "label", json_string(label));
	set(s, item, "text", visible(text));
	return item;
}

json_t *sheet_named(struct sheet *s, const char *name, const char *text)
{
	_cleanup_strbuf_ struct strbuf shown = STRBUF_INIT;
	json_t *item = append(s, s->items);

	sheet_name(&shown, name);
	s->failed = s->failed || shown.failed;
	set(s, item, "name", json_stringn(shown.data, shown.length));
	set(s, item, "text", visible(text));
	return item;
}

void sheet_line(struct sheet *s, json_t *item, const char *label, const char *text,
		const char *mark)
{
	json_t *lines = json_object_get(item, "lines");
	json_t *line;

	if (!lines) {
		lines = json_array();
		set(s, item, "lines", lines);
	}
	line = s->failed ? NULL : append(s, lines);
	set(s, line, "label", json_string(label));
	set(s, line, "text", visible(text));
	sheet_mark(s, line, mark);
}

void sheet_mark(struct sheet *s, json_t *of, const char *mark)
{
	if (mark)
		set(s, of, "mark", json_string(mark));
}

void sheet_is_argument(struct sheet *s, json_t *item)
{
	set(s, item, "argument", json_true());
}

json_t *sheet_build(const json_t *prompt, const struct sheet_view *view,
		    struct error *err)
{
	struct sheet s = { .prompt = prompt, .view = view };
	json_auto_t *sheet = NULL;

	if (json_object_get(prompt, "calls"))
		return sheet_several(prompt, view, err);
	sheet = json_object();
	if (!sheet_check(prompt, err))
		return NULL;
	s.sections = json_array();
	s.keeps_back = view->others_read_along && sheet_has_sensitive(prompt);
	set(&s, sheet, "question",
	    json_string(strcmp(sheet_need(&s, prompt, "risk"), "read") == 0
				? "Approve this call?"
				: "Approve a change?"));
	set(&s, sheet, "whole", json_boolean(!s.keeps_back));
	set(&s, sheet, "sections", s.sections);
	if (!s.failed)
		sheet_fill(&s);
	if (s.missing) {
		error_set(err, ERR_INTERNAL,
			  "the gate sent a prompt that lacks something to show");
		return NULL;
	}
	if (s.failed) {
		error_oom(err);
		return NULL;
	}
	return TAKE(sheet);
}
