#include "servers/playbooks/outline.h"

#include <ctype.h>
#include <md4c.h>
#include <string.h>

#include "servers/playbooks/html_text.h"

enum { TABLE_TITLE_CELLS = 2 };

struct reader {
	const char *source;
	size_t length, start;
	struct outline *out;
	int depth;  /* of lists and quotations */
	int blocks; /* of all blocks that are open */
	bool in_heading;
	int level;
	struct strbuf heading;
	size_t heading_at; /* of its first text; SIZE_MAX: none yet */
	/* The paragraph: where its text begins, and whether all of it is bold. */
	bool in_paragraph, is_bold;
	size_t paragraph_at, paragraph_text;
	int strong;
	struct html_filter html;
	/* The first table's first rows. */
	bool is_first_table, table_seen;
	int row, cell;
	struct strbuf cells[TABLE_TITLE_CELLS];
	bool deep;
};

/* ---- Sections ---- */

static size_t line_start(const struct reader *r, size_t at)
{
	while (at > r->start && r->source[at - 1] != '\n' && r->source[at - 1] != '\r')
		at--;
	return at;
}

static int find_parent(const struct outline *o, int level)
{
	for (size_t i = o->count; i > 0; i--)
		if (o->sections[i - 1].level > 0 && o->sections[i - 1].level < level)
			return (int)(i - 1);
	return -1;
}

static char *copy_heading(const char *text, size_t length)
{
	while (length > 0 && isspace((unsigned char)text[length - 1]))
		length--;
	while (length > 0 && isspace((unsigned char)*text))
		text++, length--;
	if (length > OUTLINE_HEADING_MAX) {
		length = OUTLINE_HEADING_MAX;
		while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
			length--;
	}
	return strndup(text, length);
}

/* 'text_end': where the text of the section before ends. */
static bool add_section(struct outline *o, size_t start, size_t text_end, int level,
			const char *heading, size_t heading_length)
{
	struct section *grown = o->sections;

	if (o->count == o->capacity) {
		const size_t capacity = o->capacity ? 2 * o->capacity : 16;

		grown = reallocarray(o->sections, capacity, sizeof *grown);
		if (!grown)
			return false;
		o->sections = grown;
		o->capacity = capacity;
	}
	struct section made = {
		.start = start,
		.text_start = text_end,
		.level = level,
		.parent = find_parent(o, level),
		.heading = copy_heading(heading, heading_length),
	};
	if (!made.heading)
		return false;
	if (o->count > 0) {
		grown[o->count - 1].end = start;
		grown[o->count - 1].text_end = text_end;
	}
	grown[o->count++] = made;
	return true;
}

static void add_space(struct strbuf *sb)
{
	if (sb->length > 0 && sb->data[sb->length - 1] != ' ')
		strbuf_add_char(sb, ' ');
}

static bool may_add(const struct reader *r, size_t at)
{
	return at != SIZE_MAX && r->out->count < OUTLINE_SECTIONS_MAX &&
	       line_start(r, at) >= r->out->sections[r->out->count - 1].start;
}

static int end_heading(struct reader *r)
{
	struct outline *o = r->out;

	r->in_heading = false;
	if (r->depth > 0 || r->heading.length == 0 || !may_add(r, r->heading_at)) {
		strbuf_add(&o->text, r->heading.data, r->heading.length);
		add_space(&o->text);
	} else if (!add_section(o, line_start(r, r->heading_at), o->text.length, r->level,
				r->heading.data, r->heading.length))
		return -1;
	strbuf_clear(&r->heading);
	return 0;
}

/* A paragraph that is bold as a whole becomes a heading. */
static int end_paragraph(struct reader *r)
{
	struct outline *o = r->out;
	const size_t length = o->text.length - r->paragraph_text;

	r->in_paragraph = false;
	if (r->depth > 0 || !r->is_bold || length == 0 || length > OUTLINE_HEADING_MAX ||
	    !may_add(r, r->paragraph_at)) {
		add_space(&o->text);
		return 0;
	}
	if (!add_section(o, line_start(r, r->paragraph_at), r->paragraph_text,
			 OUTLINE_LEVELS, o->text.data + r->paragraph_text, length))
		return -1;
	strbuf_truncate(&o->text, r->paragraph_text);
	return 0;
}

/* ---- A table that begins with its document's title ---- */

static int end_row(struct reader *r)
{
	struct outline *o = r->out;

	if (r->is_first_table && !o->table_title && r->row < 4 &&
	    strcasecmp(r->cells[0].data, "title") == 0 && r->cells[1].length > 0) {
		o->table_title = copy_heading(r->cells[1].data, r->cells[1].length);
		if (!o->table_title)
			return -1;
	}
	r->row++;
	return 0;
}

static void start_cell(struct reader *r)
{
	if (++r->cell <= TABLE_TITLE_CELLS && r->is_first_table)
		strbuf_clear(&r->cells[r->cell - 1]);
}

/* ---- Events ---- */

static void start_paragraph(struct reader *r)
{
	r->in_paragraph = true;
	r->is_bold = true;
	r->paragraph_at = SIZE_MAX;
	r->paragraph_text = r->out->text.length;
	r->strong = 0;
}

static int enter_block(MD_BLOCKTYPE type, void *detail, void *context)
{
	struct reader *r = context;

	html_filter_reset(&r->html);
	if (++r->blocks > OUTLINE_DEPTH_MAX) {
		r->deep = true;
		return -1; /* md4c 0.4.8 goes on after a positive one */
	}
	switch (type) {
	case MD_BLOCK_QUOTE:
	case MD_BLOCK_LI:
		r->depth++;
		break;
	case MD_BLOCK_H:
		r->in_heading = true;
		r->level = (int)((MD_BLOCK_H_DETAIL *)detail)->level;
		r->heading_at = SIZE_MAX;
		break;
	case MD_BLOCK_P:
		start_paragraph(r);
		break;
	case MD_BLOCK_TABLE:
		r->is_first_table = !r->table_seen && r->out->count == 1;
		r->table_seen = true;
		r->row = 0;
		break;
	case MD_BLOCK_TR:
		r->cell = 0;
		break;
	case MD_BLOCK_TH:
	case MD_BLOCK_TD:
		start_cell(r);
		break;
	default:
		break;
	}
	return 0;
}

static int leave_block(MD_BLOCKTYPE type, void *detail, void *context)
{
	struct reader *r = context;

	(void)detail;
	r->blocks--;
	switch (type) {
	case MD_BLOCK_H:
		return end_heading(r);
	case MD_BLOCK_P:
		return end_paragraph(r);
	case MD_BLOCK_TR:
		return end_row(r);
	case MD_BLOCK_QUOTE:
	case MD_BLOCK_LI:
		r->depth--;
		break;
	default:
		break;
	}
	add_space(&r->out->text);
	return 0;
}

static int enter_span(MD_SPANTYPE type, void *detail, void *context)
{
	struct reader *r = context;

	(void)detail;
	if (type == MD_SPAN_STRONG)
		r->strong++;
	return 0;
}

static int leave_span(MD_SPANTYPE type, void *detail, void *context)
{
	struct reader *r = context;

	(void)detail;
	if (type == MD_SPAN_STRONG)
		r->strong--;
	return 0;
}

static void add_text(struct reader *r, MD_TEXTTYPE type, const char *text, size_t length)
{
	struct strbuf *to = r->in_heading ? &r->heading : &r->out->text;
	const size_t before = to->length;

	if (type == MD_TEXT_BR || type == MD_TEXT_SOFTBR)
		add_space(to);
	else if (type == MD_TEXT_ENTITY)
		html_entity(to, text, length);
	else
		strbuf_add(to, text, length);
	if (r->is_first_table && r->cell >= 1 && r->cell <= TABLE_TITLE_CELLS)
		strbuf_add(&r->cells[r->cell - 1], to->data + before,
			   to->length - before);
}

static bool is_blank(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!isspace((unsigned char)text[i]) && text[i] != ':')
			return false;
	return true;
}

static int on_text(MD_TEXTTYPE type, const MD_CHAR *text, MD_SIZE size, void *context)
{
	struct reader *r = context;
	const bool is_ours = text >= r->source && text + size <= r->source + r->length;
	const size_t at = is_ours ? (size_t)(text - r->source) : SIZE_MAX;

	if (type == MD_TEXT_HTML) {
		html_filter_tag(&r->html, text, size);
		add_space(r->in_heading ? &r->heading : &r->out->text);
		return 0;
	}
	if (html_filter_hides(&r->html) || type == MD_TEXT_NULLCHAR)
		return 0;
	if (is_ours && r->in_heading && r->heading_at == SIZE_MAX)
		r->heading_at = at;
	if (is_ours && r->in_paragraph && r->paragraph_at == SIZE_MAX)
		r->paragraph_at = at;
	if (r->in_paragraph && r->strong == 0 && !is_blank(text, size))
		r->is_bold = false;
	add_text(r, type, text, size);
	return strbuf_ok(&r->out->text) && strbuf_ok(&r->heading) ? 0 : -1;
}

/* ---- The whole ---- */

static bool parse(struct reader *r, struct error *err)
{
	static const MD_PARSER parser = {
		.flags = MD_DIALECT_GITHUB,
		.enter_block = enter_block,
		.leave_block = leave_block,
		.enter_span = enter_span,
		.leave_span = leave_span,
		.text = on_text,
	};

	if (!add_section(r->out, r->start, 0, 0, "", 0))
		return error_oom(err);
	if (md_parse(r->source + r->start, (MD_SIZE)(r->length - r->start), &parser, r) !=
	    0)
		return r->deep ? error_set(err, ERR_INVALID_ARGUMENT,
					   "it nests deeper than %d", OUTLINE_DEPTH_MAX)
			       : error_oom(err);
	r->out->sections[r->out->count - 1].end = r->length;
	r->out->sections[r->out->count - 1].text_end = r->out->text.length;
	return true;
}

bool outline_read(const char *source, size_t length, size_t start, struct outline *ret,
		  struct error *err)
{
	struct outline out = { .text = STRBUF_INIT };
	struct reader r = {
		.source = source,
		.length = length,
		.start = start,
		.out = &out,
		.heading = STRBUF_INIT,
		.heading_at = SIZE_MAX,
		.paragraph_at = SIZE_MAX,
		.cells = { STRBUF_INIT, STRBUF_INIT },
	};
	const bool ok = parse(&r, err);

	strbuf_done(&r.heading);
	for (size_t i = 0; i < TABLE_TITLE_CELLS; i++)
		strbuf_done(&r.cells[i]);
	if (!ok)
		outline_done(&out);
	else
		*ret = out;
	return ok;
}

void outline_done(struct outline *o)
{
	for (size_t i = 0; i < o->count; i++)
		free(o->sections[i].heading);
	free(o->sections);
	free(o->table_title);
	strbuf_done(&o->text);
	*o = (struct outline){ .text = STRBUF_INIT };
}

size_t outline_whole_end(const struct outline *o, size_t section)
{
	size_t i = section + 1;

	while (i < o->count && o->sections[section].level > 0 &&
	       o->sections[i].level > o->sections[section].level)
		i++;
	return o->sections[i - 1].end;
}
