#include "servers/playbooks/storage.h"

#include <ctype.h>
#include <string.h>

#include "servers/playbooks/html_text.h"
#include "servers/playbooks/visible.h"

enum { NAME_MAX_BYTES = 40, VALUE_MAX_BYTES = 1000 };

/* What stands between two '<': an element's beginning or end. */
struct tag {
	char name[NAME_MAX_BYTES + 1];
	bool is_end, is_empty;
	const char *attributes;
	size_t attribute_bytes;
};

struct open_element {
	char name[NAME_MAX_BYTES + 1];
	bool hides;      /* nothing in it is shown */
	unsigned number; /* of a list: the next item; 0: a list without */
};

struct converter {
	const char *at, *end;
	struct strbuf *out;
	struct open_element open[STORAGE_DEPTH_MAX];
	int depth, hidden, lists, quotes;
	bool in_code, in_row, is_first_row;
	unsigned cells;
	struct strbuf link; /* its address */
	size_t link_at;
	bool in_link;
};

/* ---- Tags ---- */

static bool read_tag(struct converter *c, struct tag *ret)
{
	const char *close = memchr(c->at, '>', (size_t)(c->end - c->at));
	const char *at = c->at + 1;
	size_t used = 0;

	if (!close)
		return false;
	*ret = (struct tag){ .is_end = *at == '/' };
	at += ret->is_end;
	while (at < close && (isalnum((unsigned char)*at) || strchr(":-_", *at))) {
		if (used < NAME_MAX_BYTES)
			ret->name[used++] = (char)tolower((unsigned char)*at);
		at++;
	}
	ret->is_empty = close > at && close[-1] == '/';
	ret->attributes = at;
	ret->attribute_bytes = (size_t)(close - at);
	c->at = close + 1;
	return true;
}

/* The value of an attribute, entities decoded; "" if there is none. */
static void read_attribute(const struct tag *t, const char *name, struct strbuf *ret)
{
	const size_t length = strlen(name);
	const char *at = t->attributes, *end = at + t->attribute_bytes;

	strbuf_clear(ret);
	for (; at + length + 2 < end; at++) {
		if (!isspace((unsigned char)at[0]) ||
		    strncasecmp(at + 1, name, length) != 0 || at[1 + length] != '=')
			continue;
		const char quote = at[2 + length];
		const char *start = at + 3 + length;
		const char *stop = quote == '"' || quote == '\''
					   ? memchr(start, quote, (size_t)(end - start))
					   : NULL;

		for (; stop && start < stop && ret->length < VALUE_MAX_BYTES;) {
			const char *semicolon =
				*start == '&' ? memchr(start, ';', (size_t)(stop - start))
					      : NULL;
			const size_t n = semicolon ? (size_t)(semicolon - start) + 1 : 1;

			if (semicolon)
				html_entity(ret, start, n);
			else
				strbuf_add_char(ret, *start);
			start += n;
		}
		return;
	}
}

/* ---- Lines ---- */

static void indent(struct converter *c)
{
	for (int i = 0; i < c->quotes; i++)
		strbuf_add_string(c->out, "> ");
	for (int i = 1; i < c->lists; i++)
		strbuf_add_string(c->out, "    ");
}

static bool at_line_start(const struct converter *c)
{
	return c->out->length == 0 || c->out->data[c->out->length - 1] == '\n';
}

static void end_line(struct converter *c)
{
	while (c->out->length > 0 && c->out->data[c->out->length - 1] == ' ')
		strbuf_truncate(c->out, c->out->length - 1);
	if (!at_line_start(c))
		strbuf_add_char(c->out, '\n');
}

static void start_block(struct converter *c)
{
	if (c->in_row)
		return;
	end_line(c);
	if (c->out->length > 0 && c->lists == 0)
		strbuf_add_char(c->out, '\n');
	indent(c);
}

/* ---- Text ---- */

static void add_text(struct converter *c, const char *text, size_t length)
{
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;

	if (c->hidden)
		return;
	if (c->in_code) {
		for (size_t i = 0; i < length; i++) {
			strbuf_add_char(c->out, text[i]);
			if (text[i] == '~') /* it ends no fence */
				strbuf_add_char(c->out, ' ');
		}
		return;
	}
	/* Runs of white space are one space; what is hidden stays and is shown later. */
	for (size_t i = 0; i < length; i++)
		if (!isspace((unsigned char)text[i]))
			strbuf_add_char(&line, text[i]);
		else if (line.length ? line.data[line.length - 1] != ' '
				     : !at_line_start(c) &&
					       c->out->data[c->out->length - 1] != ' ')
			strbuf_add_char(&line, ' ');
	visible_escape(c->out, line.data, line.length);
}

static void read_text(struct converter *c)
{
	const char *stop = memchr(c->at, '<', (size_t)(c->end - c->at));
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	if (!stop)
		stop = c->end;
	while (c->at < stop) {
		const char *semicolon =
			*c->at == '&' ? memchr(c->at, ';', (size_t)(stop - c->at)) : NULL;

		if (semicolon && semicolon - c->at < 12) {
			html_entity(&text, c->at, (size_t)(semicolon - c->at) + 1);
			c->at = semicolon + 1;
		} else
			strbuf_add_char(&text, *c->at++);
	}
	add_text(c, text.data, text.length);
}

/* <![CDATA[ ... ]]>: the code of a macro, or the text of a link. */
static bool read_cdata(struct converter *c)
{
	static const char start[] = "<![CDATA[", stop[] = "]]>";
	const size_t left = (size_t)(c->end - c->at);
	const char *end;

	if (left < strlen(start) || memcmp(c->at, start, strlen(start)) != 0)
		return false;
	c->at += strlen(start);
	end = memmem(c->at, (size_t)(c->end - c->at), stop, strlen(stop));
	const size_t length = (size_t)((end ? end : c->end) - c->at);
	add_text(c, c->at, length);
	c->at = end ? end + strlen(stop) : c->end;
	return true;
}

/* Comments and declarations. */
static bool skip_declaration(struct converter *c)
{
	const size_t left = (size_t)(c->end - c->at);
	const bool is_comment = left >= 4 && memcmp(c->at, "<!--", 4) == 0;
	const char *end;

	if (left < 2 || (c->at[1] != '!' && c->at[1] != '?'))
		return false;
	end = is_comment ? memmem(c->at, left, "-->", 3) : memchr(c->at, '>', left);
	c->at = end ? end + (is_comment ? 3 : 1) : c->end;
	return true;
}

/* ---- Elements ---- */

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

/* Macros whose content is text; of all others nothing is shown. */
static bool hides(const struct tag *t)
{
	static const char *const shown[] = { "code",    "noformat", "info",   "note",
					     "warning", "tip",      "panel",  "expand",
					     "excerpt", "section",  "column", NULL };
	static const char *const hidden[] = { "script",     "style",       "ac:parameter",
					      "ac:task-id", "ac:emoticon", "ac:task-uuid",
					      "template",   NULL };
	_cleanup_strbuf_ struct strbuf macro = STRBUF_INIT;

	if (strcmp(t->name, "ac:structured-macro") != 0 &&
	    strcmp(t->name, "ac:macro") != 0)
		return is_one_of(t->name, hidden);
	read_attribute(t, "ac:name", &macro);
	return !is_one_of(macro.data, shown);
}

static void start_item(struct converter *c)
{
	struct open_element *list = NULL;

	for (int i = c->depth - 1; i >= 0 && !list; i--)
		if (strcmp(c->open[i].name, "ol") == 0 ||
		    strcmp(c->open[i].name, "ul") == 0)
			list = &c->open[i];
	end_line(c);
	indent(c);
	if (list && list->number)
		strbuf_add_format(c->out, "%u. ", list->number++);
	else
		strbuf_add_string(c->out, "- ");
}

static void start_cell(struct converter *c)
{
	strbuf_add_string(c->out, c->cells++ ? " | " : "| ");
}

static void end_row(struct converter *c)
{
	strbuf_add_string(c->out, " |\n");
	if (c->is_first_row) {
		for (unsigned i = 0; i < c->cells; i++)
			strbuf_add_string(c->out, "| --- ");
		strbuf_add_string(c->out, "|\n");
	}
	c->is_first_row = false;
	c->in_row = false;
}

static void start_code(struct converter *c)
{
	start_block(c);
	strbuf_add_string(c->out, "~~~~\n");
	c->in_code = true;
}

static void end_code(struct converter *c)
{
	c->in_code = false;
	end_line(c);
	strbuf_add_string(c->out, "~~~~\n");
}

static void start_link(struct converter *c, const struct tag *t)
{
	read_attribute(t, "href", &c->link);
	c->in_link = true;
	c->link_at = c->out->length;
}

/* Written as Markdown's; what may be shown of it is decided when it is shown. */
static void end_link(struct converter *c)
{
	_cleanup_strbuf_ struct strbuf label = STRBUF_INIT;

	if (!c->in_link)
		return;
	c->in_link = false;
	if (c->link.length == 0 || c->link_at > c->out->length)
		return;
	strbuf_add(&label, c->out->data + c->link_at, c->out->length - c->link_at);
	strbuf_truncate(c->out, c->link_at);
	strbuf_add_format(c->out, "[%s](", label.data);
	for (size_t i = 0; i < c->link.length; i++) {
		const unsigned char ch = (unsigned char)c->link.data[i];

		if (ch <= 0x20 || ch >= 0x7f || strchr("()<>\\", ch))
			strbuf_add_format(c->out, "%%%02X", ch);
		else
			strbuf_add_char(c->out, (char)ch);
	}
	strbuf_add_char(c->out, ')');
}

static bool is_heading(const char *name)
{
	return name[0] == 'h' && name[1] >= '1' && name[1] <= '6' && !name[2];
}

static const char *inline_mark(const char *name)
{
	static const char *const bold[] = { "b", "strong", NULL };
	static const char *const italic[] = { "i", "em", NULL };

	return is_one_of(name, bold)       ? "**"
	       : is_one_of(name, italic)   ? "*"
	       : strcmp(name, "code") == 0 ? "`"
					   : NULL;
}

static void start_shown(struct converter *c, const struct tag *t)
{
	static const char *const blocks[] = { "p", "div", "ac:task", NULL };
	const char *mark = inline_mark(t->name);

	if (is_heading(t->name)) {
		start_block(c);
		strbuf_add(c->out, "######", (size_t)(t->name[1] - '0'));
		strbuf_add_char(c->out, ' ');
	} else if (strcmp(t->name, "ul") == 0 || strcmp(t->name, "ol") == 0) {
		if (c->lists == 0)
			start_block(c);
		c->lists++;
	} else if (strcmp(t->name, "li") == 0 || strcmp(t->name, "ac:task-body") == 0)
		start_item(c);
	else if (strcmp(t->name, "table") == 0) {
		start_block(c);
		c->is_first_row = true;
	} else if (strcmp(t->name, "tr") == 0) {
		end_line(c);
		c->in_row = true;
		c->cells = 0;
	} else if (strcmp(t->name, "td") == 0 || strcmp(t->name, "th") == 0)
		start_cell(c);
	else if (strcmp(t->name, "blockquote") == 0) {
		start_block(c);
		c->quotes++;
		strbuf_add_string(c->out, "> ");
	} else if (strcmp(t->name, "pre") == 0 ||
		   strcmp(t->name, "ac:plain-text-body") == 0)
		start_code(c);
	else if (strcmp(t->name, "a") == 0)
		start_link(c, t);
	else if (strcmp(t->name, "br") == 0) {
		strbuf_add_string(c->out, c->in_row ? " " : "\n");
		if (!c->in_row)
			indent(c);
	} else if (is_one_of(t->name, blocks) && c->lists == 0)
		start_block(c);
	else if (strcmp(t->name, "p") == 0 && !at_line_start(c))
		strbuf_add_char(c->out, ' ');
	else if (mark && !c->in_code)
		strbuf_add_string(c->out, mark);
}

static void end_shown(struct converter *c, const char *name)
{
	const char *mark = inline_mark(name);

	if (strcmp(name, "ul") == 0 || strcmp(name, "ol") == 0) {
		c->lists -= c->lists > 0;
		end_line(c);
	} else if (strcmp(name, "tr") == 0)
		end_row(c);
	else if (strcmp(name, "blockquote") == 0) {
		c->quotes -= c->quotes > 0;
		end_line(c);
	} else if (strcmp(name, "pre") == 0 || strcmp(name, "ac:plain-text-body") == 0)
		end_code(c);
	else if (strcmp(name, "a") == 0)
		end_link(c);
	else if (is_heading(name))
		end_line(c);
	else if (mark && !c->in_code) {
		while (c->out->length > 0 && c->out->data[c->out->length - 1] == ' ')
			strbuf_truncate(c->out, c->out->length - 1);
		strbuf_add_string(c->out, mark);
	}
}

static bool open_element(struct converter *c, const struct tag *t)
{
	struct open_element *e = &c->open[c->depth];

	if (c->depth == STORAGE_DEPTH_MAX)
		return false;
	*e = (struct open_element){ .hides = hides(t),
				    .number = strcmp(t->name, "ol") == 0 };
	(void)snprintf(e->name, sizeof e->name, "%s", t->name);
	c->hidden += e->hides;
	if (!c->hidden)
		start_shown(c, t);
	c->depth++;
	return true;
}

/* Ends the nearest element of this name and all in it; a stray end means nothing. */
static void close_element(struct converter *c, const char *name)
{
	int at = c->depth - 1;

	while (at >= 0 && strcmp(c->open[at].name, name) != 0)
		at--;
	while (at >= 0 && c->depth > at) {
		const struct open_element *e = &c->open[--c->depth];

		if (!c->hidden)
			end_shown(c, e->name);
		c->hidden -= e->hides;
	}
}

static bool is_void(const char *name)
{
	static const char *const names[] = { "br", "hr", "img", "col", NULL };

	return is_one_of(name, names);
}

static bool read_element(struct converter *c)
{
	struct tag t;

	if (!read_tag(c, &t)) {
		c->at = c->end;
		return true;
	}
	if (t.is_end) {
		close_element(c, t.name);
		return true;
	}
	if (!open_element(c, &t))
		return false;
	if (t.is_empty || is_void(t.name))
		close_element(c, t.name);
	return true;
}

bool storage_to_markdown(const char *text, size_t length, struct strbuf *ret)
{
	struct converter c = {
		.at = text, .end = text + length, .out = ret, .link = STRBUF_INIT
	};
	bool ok = true;

	while (ok && c.at < c.end && strbuf_ok(ret)) {
		if (*c.at != '<')
			read_text(&c);
		else if (!read_cdata(&c) && !skip_declaration(&c))
			ok = read_element(&c);
	}
	while (c.depth > 0)
		close_element(&c, c.open[c.depth - 1].name);
	end_line(&c);
	strbuf_done(&c.link);
	return ok && strbuf_ok(ret);
}
