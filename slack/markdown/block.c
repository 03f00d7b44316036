/* Blocks: where parts begin and end. */
#include "base/text.h"
#include "slack/markdown/private.h"
#include "slack/text/text.h"

enum { LITERAL_FROM = 1000, MARKER_BYTES = 64 };

/* --- lists --- */

static struct markdown_list *list_of(struct markdown *m)
{
	return m->list_depth > 0 ? &m->lists[m->list_depth] : NULL;
}

static void enter_list(struct markdown *m, bool ordered, unsigned start, bool tight)
{
	/* Slack counts from 1, and how far is not known: other numbers are text. */
	const bool in_words = m->quotes > 0 ||
			      (ordered && (start == 0 || start >= LITERAL_FROM));

	if (m->quotes == 0)
		markdown_end_part(m);
	m->lists[++m->list_depth] = (struct markdown_list){
		.start = start,
		.ordered = ordered && !in_words,
		.tight = tight,
		.in_words = in_words,
	};
	/* Whether a marker of words is a number. */
	m->lists[m->list_depth].count = 0;
	m->lists[m->list_depth].numbered = ordered;
}

static void leave_list(struct markdown *m)
{
	if (m->quotes == 0)
		markdown_end_part(m);
	m->list_depth--;
}

static void put_marker(struct markdown *m, struct markdown_list *list)
{
	char marker[MARKER_BYTES];
	int indent = m->quotes > 0 ? (int)(m->list_depth - 1) * 4 : 0;

	if (list->numbered)
		(void)snprintf(marker, sizeof marker, "%*s%u. ", indent % 32, "",
			       list->start + list->marked);
	else
		(void)snprintf(marker, sizeof marker, "%*s• ", indent % 32, "");
	list->marked++;
	markdown_words(m, marker, 0);
}

static void enter_item(struct markdown *m, const MD_BLOCK_LI_DETAIL *d)
{
	struct markdown_list *list = list_of(m);

	if (!list)
		return;
	if (m->quotes > 0)
		markdown_break(m, "\n");
	else
		list->fresh = true;
	if (list->in_words)
		put_marker(m, list);
	if (d->is_task)
		markdown_words(m, d->task_mark == ' ' ? "[ ] " : "[x] ", 0);
	m->item_begins = true;
}

static void leave_item(struct markdown *m)
{
	struct markdown_list *list = list_of(m);

	m->item_begins = false;
	if (m->quotes > 0 || !list)
		return;
	markdown_flush(m);
	if (list->fresh && json_array_size(m->inlines) == 0)
		markdown_words(m, " ", 0);
	markdown_end_part(m);
}

/* --- paragraphs --- */

static void begin_paragraph(struct markdown *m)
{
	const struct markdown_list *list = list_of(m);
	const bool after_heading = m->behind_heading;

	if (m->item_begins) {
		m->item_begins = false;
		return;
	}
	markdown_break(m, after_heading || (list && list->tight) ? "\n" : "\n\n");
}

static void enter_quote(struct markdown *m)
{
	if (m->quotes == 0)
		markdown_end_part(m);
	else
		markdown_break(m, "\n\n");
	m->quotes++;
	m->item_begins = m->quotes > 1;
}

static void leave_quote(struct markdown *m)
{
	if (m->quotes == 1)
		markdown_end_part(m);
	m->quotes--;
}

/* --- code --- */

/* The name of a language says nothing that the code does not; anything else is told. */
static void enter_code(struct markdown *m, const MD_BLOCK_CODE_DETAIL *d)
{
	_cleanup_strbuf_ struct strbuf info = STRBUF_INIT;

	markdown_attribute(&info, &d->info);
	m->failed = m->failed || info.failed;
	if (m->quotes == 0)
		markdown_end_part(m);
	if (info.length > 0 && !slack_text_is_plain(info.data)) {
		begin_paragraph(m);
		markdown_text(m, info.data, info.length);
		if (m->quotes == 0)
			markdown_end_part(m);
	}
	m->in_block = true;
	strbuf_clear(&m->block);
}

static void leave_code(struct markdown *m)
{
	_cleanup_strbuf_ struct strbuf visible = STRBUF_INIT;
	size_t length = m->block.length;

	m->in_block = false;
	m->failed = m->failed || m->block.failed;
	while (length > 0 && m->block.data[length - 1] == '\n')
		length--;
	markdown_visible(&visible, m->block.data, length);
	m->failed = m->failed || visible.failed;
	if (visible.length == 0 || m->failed)
		return;
	if (m->quotes > 0) {
		begin_paragraph(m);
		m->code++;
		markdown_text(m, m->block.data, length);
		m->code--;
		return;
	}
	/* An item that begins with code still has its marker. */
	if (list_of(m) && list_of(m)->fresh) {
		markdown_words(m, " ", 0);
		markdown_end_part(m);
	}
	m->failed = !rich_add_preformatted(m->pieces, visible.data, visible.length);
}

/* --- what md4c calls --- */

static void enter(struct markdown *m, MD_BLOCKTYPE type, void *detail)
{
	switch (type) {
	case MD_BLOCK_QUOTE:
		enter_quote(m);
		break;
	case MD_BLOCK_UL:
		enter_list(m, false, 1, ((MD_BLOCK_UL_DETAIL *)detail)->is_tight);
		break;
	case MD_BLOCK_OL:
		enter_list(m, true, ((MD_BLOCK_OL_DETAIL *)detail)->start,
			   ((MD_BLOCK_OL_DETAIL *)detail)->is_tight);
		break;
	case MD_BLOCK_LI:
		enter_item(m, detail);
		break;
	case MD_BLOCK_HR:
		begin_paragraph(m);
		markdown_words(m, "———", 0);
		break;
	case MD_BLOCK_H:
		begin_paragraph(m);
		m->bold++;
		break;
	case MD_BLOCK_P:
		begin_paragraph(m);
		break;
	case MD_BLOCK_CODE:
		enter_code(m, detail);
		break;
	case MD_BLOCK_TABLE:
		markdown_end_part(m);
		markdown_table_begin(m, ((MD_BLOCK_TABLE_DETAIL *)detail)->col_count);
		break;
	case MD_BLOCK_TR:
		markdown_row_begin(m);
		break;
	case MD_BLOCK_TH:
	case MD_BLOCK_TD:
		markdown_cell_begin(m);
		break;
	case MD_BLOCK_DOC:
	case MD_BLOCK_HTML:
	case MD_BLOCK_THEAD:
	case MD_BLOCK_TBODY:
		break;
	}
}

static void leave(struct markdown *m, MD_BLOCKTYPE type, void *detail)
{
	switch (type) {
	case MD_BLOCK_QUOTE:
		leave_quote(m);
		break;
	case MD_BLOCK_UL:
	case MD_BLOCK_OL:
		leave_list(m);
		break;
	case MD_BLOCK_LI:
		leave_item(m);
		break;
	case MD_BLOCK_H:
		markdown_flush(m);
		m->bold--;
		m->behind_heading = true;
		break;
	case MD_BLOCK_CODE:
		leave_code(m);
		break;
	case MD_BLOCK_TABLE:
		markdown_table_end(m);
		break;
	case MD_BLOCK_TR:
		markdown_row_end(m);
		break;
	case MD_BLOCK_TH:
	case MD_BLOCK_TD:
		markdown_cell_end(m, ((MD_BLOCK_TD_DETAIL *)detail)->align);
		break;
	case MD_BLOCK_P:
	case MD_BLOCK_HR:
	case MD_BLOCK_DOC:
	case MD_BLOCK_HTML:
	case MD_BLOCK_THEAD:
	case MD_BLOCK_TBODY:
		break;
	}
}

int markdown_enter_block(MD_BLOCKTYPE type, void *detail, void *context)
{
	struct markdown *m = context;

	if (++m->events > MARKDOWN_EVENTS_MAX || ++m->depth > SLACK_MARKDOWN_DEPTH_MAX)
		m->deep = true;
	if (!m->deep && !m->failed)
		enter(m, type, detail);
	return markdown_go_on(m);
}

int markdown_leave_block(MD_BLOCKTYPE type, void *detail, void *context)
{
	struct markdown *m = context;

	m->depth--;
	leave(m, type, detail);
	return markdown_go_on(m);
}
