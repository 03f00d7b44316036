#include "slack/render/pages.h"

#include "show/sheet.h"
#include "slack/render/blocks.h"
#include "slack/text/text.h"

/* Elements of one section under construction. */
struct elements {
	json_t *list;
	struct strbuf text;
	size_t units; /* of 'text' */
	bool failed;
};

static void flush(struct elements *e)
{
	e->failed = e->failed || e->text.failed || !e->list;
	if (e->text.length == 0 || e->failed)
		return;
	if (json_array_append_new(e->list, json_stringn(e->text.data, e->text.length)) !=
	    0)
		e->failed = true;
	strbuf_clear(&e->text);
	e->units = 0;
}

/* A line that fits into an element by itself. */
static void add_line(struct elements *e, const char *line, size_t length)
{
	size_t units = slack_text_units(line, length);

	if (e->units > 0 && e->units + 1 + units > SLACK_ELEMENT_CHARACTERS_MAX)
		flush(e);
	if (e->units > 0) {
		strbuf_add_char(&e->text, '\n');
		e->units++;
	}
	strbuf_add(&e->text, line, length);
	e->units += units;
}

/* How many bytes of 'text' fit, cut between pieces alone. */
static size_t fitting(const char *text, size_t units)
{
	size_t bytes = 0, used = 0;

	while (text[bytes]) {
		size_t step = sheet_step(text + bytes);
		size_t more = slack_text_units(text + bytes, step);

		if (used + more > units)
			return bytes ? bytes : step;
		used += more;
		bytes += step;
	}
	return bytes;
}

/* 'before' and the text, in as many lines as it takes. */
static void add_text(struct elements *e, const char *before, const char *text)
{
	do {
		_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
		size_t bytes = fitting(text, SLACK_LINE_CHARACTERS_MAX);

		strbuf_add_string(&line, before);
		strbuf_add(&line, text, bytes);
		e->failed = e->failed || line.failed;
		add_line(e, line.data, line.length);
		text += bytes;
		before = "| ";
	} while (*text);
}

static void add_item(struct elements *e, const json_t *item)
{
	const char *name = json_get_string(item, "name");
	size_t i;
	json_t *line;

	add_text(e, "", name ? name : json_get_string(item, "label"));
	add_text(e, "  ", json_get_string(item, "text"));
	json_array_foreach(json_object_get(item, "lines"), i, line)
	{
		char before[64];

		(void)snprintf(before, sizeof before,
			       "  %s: ", json_get_string(line, "label"));
		add_text(e, before, json_get_string(line, "text"));
	}
}

static json_t *section_elements(const json_t *section)
{
	struct elements e = { .list = json_array(), .text = STRBUF_INIT };
	const json_t *items = json_object_get(section, "items");
	const char *empty = json_get_string(section, "empty");
	size_t i;
	json_t *item;

	if (json_array_size(items) == 0)
		add_text(&e, "  ", empty ? empty : "none");
	json_array_foreach(items, i, item)
	{
		add_item(&e, item);
	}
	flush(&e);
	strbuf_done(&e.text);
	if (!e.failed)
		return e.list;
	json_decref(e.list);
	return NULL;
}

json_t *slack_elements(const char *text)
{
	struct elements e = { .list = json_array(), .text = STRBUF_INIT };

	for (const char *s = text; *s;) {
		_cleanup_strbuf_ struct strbuf line = STRBUF_INIT, visible = STRBUF_INIT;
		size_t bytes = strcspn(s, "\n");

		strbuf_add(&line, s, bytes);
		sheet_text(&visible, line.data);
		e.failed = e.failed || line.failed || visible.failed;
		add_text(&e, "  ", visible.data);
		s += bytes + (s[bytes] == '\n');
	}
	if (e.text.length == 0 && json_array_size(e.list) == 0)
		add_text(&e, "  ", "");
	flush(&e);
	strbuf_done(&e.text);
	if (!e.failed)
		return e.list;
	json_decref(e.list);
	return NULL;
}

/* --- pages --- */

struct pages {
	json_t *list, *page; /* 'page' is borrowed from 'list' */
	size_t left;         /* characters of this page */
	size_t characters;   /* of any */
	bool failed;
};

static void turn(struct pages *p)
{
	p->page = json_array();
	if (json_array_append_new(p->list, p->page) != 0) {
		p->failed = true;
		p->page = NULL;
	}
	p->left = p->characters;
}

static void put_block(struct pages *p, const char *heading, json_t *texts)
{
	if (json_array_size(texts) > 0 &&
	    (!p->page ||
	     json_array_append_new(p->page, slack_section(heading, texts)) != 0))
		p->failed = true;
	(void)json_array_clear(texts);
}

static void add_section(struct pages *p, const json_t *section)
{
	const char *words = json_get_string(section, "heading");
	json_auto_t *elements = section_elements(section);
	json_auto_t *texts = json_array();
	char heading[SLACK_HEADER_CHARACTERS_MAX + 1];
	size_t i;
	json_t *text;

	if (!elements || !texts)
		p->failed = true;
	(void)snprintf(heading, sizeof heading, "%s", words);
	json_array_foreach(elements, i, text)
	{
		size_t units = slack_text_units(json_string_value(text),
						json_string_length(text));
		size_t head = json_array_size(texts) == 0 ? sizeof heading : 0;

		if (units + head > p->left ||
		    (head && json_array_size(p->page) == SLACK_PAGE_BLOCKS_MAX)) {
			put_block(p, heading, texts);
			turn(p);
			head = sizeof heading;
			if (i > 0)
				(void)snprintf(heading, sizeof heading, "%s, continued",
					       words);
		}
		p->left -= units + head;
		if (json_array_append(texts, text) != 0)
			p->failed = true;
	}
	put_block(p, heading, texts);
}

json_t *slack_pages(const json_t *sheet, size_t characters, struct error *err)
{
	json_auto_t *list = json_array();
	struct pages p = { .list = list, .characters = characters };
	size_t i;
	json_t *section;

	turn(&p);
	json_array_foreach(json_object_get(sheet, "sections"), i, section)
	{
		add_section(&p, section);
		if (json_array_size(list) > SLACK_REVIEW_PAGES_MAX) {
			error_set(err, ERR_INVALID_ARGUMENT,
				  "this takes more than %d pages: nobody would read it",
				  SLACK_REVIEW_PAGES_MAX);
			return NULL;
		}
	}
	if (p.failed) {
		error_oom(err);
		return NULL;
	}
	return json_incref(list);
}
