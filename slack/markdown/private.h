/* What the parts of slack/markdown share. */
#ifndef SLACK_MARKDOWN_PRIVATE_H
#define SLACK_MARKDOWN_PRIVATE_H

#include <md4c.h>

#include "slack/markdown/markdown.h"
#include "slack/render/rich.h"

enum {
	MARKDOWN_EVENTS_MAX = 200 * 1000,
	MARKDOWN_TEXT_MAX = 4 * SLACK_MARKDOWN_BYTES_MAX, /* bytes that come out of it */
	MARKDOWN_SPANS_MAX = 8,  /* links and images in each other */
	MARKDOWN_LINE_MAX = 200, /* bytes of a line that could pass for a header */
};

/* A list that is open. */
struct markdown_list {
	json_t *piece; /* its last part; borrowed from the pieces, and only if it is the last */
	size_t units, elements; /* of it */
	unsigned start, count;
	unsigned marked; /* markers that were text */
	bool ordered, tight, numbered;
	bool in_words; /* its markers are text: in a quotation, or from 0 on */
	bool fresh;    /* an item has begun, and nothing of it is in a part */
};

struct markdown {
	const struct slack_markdown *how;
	const char *source;
	size_t length;
	uint8_t *seen; /* of each byte of the source: it came out as text */
	json_t *pieces;
	json_t *inlines; /* of the part under construction */
	size_t units;    /* of it */

	struct strbuf run; /* text of one style that is not in 'inlines' yet */
	unsigned run_style;
	unsigned bold, italic, strike, code; /* how often each is open */
	struct strbuf line; /* what the last line of the part says, for apart.c */

	struct markdown_list lists[SLACK_MARKDOWN_DEPTH_MAX + 1];
	size_t list_depth;
	unsigned quotes;
	bool behind_heading, item_begins;

	struct strbuf block; /* of a code block that is open */
	bool in_block;

	struct strbuf label; /* of links and images that are open */
	size_t label_at[MARKDOWN_SPANS_MAX];
	size_t spans;

	json_t *rows, *row; /* of a table that is open */
	json_t *settings;
	unsigned columns;
	const char *row_at; /* in the source; NULL: nothing of this row yet */
	bool in_cell;

	json_t *notified; /* {id: true}; borrowed */
	size_t events, bytes;
	int depth;
	bool deep;   /* it is more than we read: shown as source */
	bool failed; /* no memory */
};

/* slack_markdown_pieces, with who was notified before, {id: true}, which grows. */
json_t *markdown_pieces(const char *text, size_t length, const struct slack_markdown *how,
			json_t *notified, struct error *err) _must_use_;

/* run.c: text and what is made of it. */
void markdown_text(struct markdown *m, const char *text, size_t length);
void markdown_words(struct markdown *m, const char *words, unsigned style);
void markdown_flush(struct markdown *m);
void markdown_add(struct markdown *m, json_t *element); /* steals; NULL: failed */
void markdown_break(struct markdown *m, const char *ends);
void markdown_end_part(struct markdown *m);
void markdown_piece(struct markdown *m, json_t *piece); /* steals */

/* block.c, span.c: what md4c calls. */
int markdown_enter_block(MD_BLOCKTYPE type, void *detail, void *context);
int markdown_leave_block(MD_BLOCKTYPE type, void *detail, void *context);
int markdown_enter_span(MD_SPANTYPE type, void *detail, void *context);
int markdown_leave_span(MD_SPANTYPE type, void *detail, void *context);
int markdown_on_text(MD_TEXTTYPE type, const MD_CHAR *text, MD_SIZE size, void *context);

/* table.c */
void markdown_table_begin(struct markdown *m, unsigned columns);
void markdown_cell_begin(struct markdown *m);
void markdown_cell_end(struct markdown *m, MD_ALIGN align);
void markdown_row_begin(struct markdown *m);
void markdown_row_end(struct markdown *m);
void markdown_table_end(struct markdown *m);

/* entity.c: "&amp;" and so on; what is none is added as it is. */
void markdown_entity(struct strbuf *sb, const char *text, size_t length);
/* An address, a title, what stands behind the fence of code. */
void markdown_attribute(struct strbuf *sb, const MD_ATTRIBUTE *a);

/* link.c */
void markdown_address(struct strbuf *sb, const char *url);
bool markdown_needs_address(struct markdown *m, const char *label);

/* apart.c: whether a line reads like a header, a decision or a button of ours. */
bool markdown_is_like_ours(struct markdown *m, const char *line);

/* The visible form, line ends kept, tabs as spaces, backslashes single. */
void markdown_visible(struct strbuf *sb, const char *text, size_t length);

/* Return value of a callback: 0, or what makes md4c stop. */
int markdown_go_on(const struct markdown *m);

#endif
