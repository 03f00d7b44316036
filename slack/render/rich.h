/*
 * rich -- rich text and tables, and how they are laid into messages that fit. Pure.
 *
 * What a text of many parts is made of before it is known how many messages it takes: an
 * array of pieces, each a part of a rich_text block ("rich_text_section" and so on) or a
 * whole table. Every text in them is literal to Slack: nothing in it is markup, a mention
 * or a link. Links, mentions and dates are elements of their own, made by whoever has
 * judged them. All new references; NULL without memory, also where a part given is NULL.
 */
#ifndef SLACK_RICH_H
#define SLACK_RICH_H

#include "base/json.h"

enum { RICH_BOLD = 1, RICH_ITALIC = 2, RICH_STRIKE = 4, RICH_CODE = 8 };

enum {
	RICH_PIECE_MAX = 2400, /* characters of a piece that is no table; four fit */
	RICH_TABLE_MAX = 9000, /* of a table; Slack's limit is 10,000 */
	RICH_TABLE_ROWS_MAX = 100,
	RICH_TABLE_COLUMNS_MAX = 20,
	RICH_URL_MAX = 2000,       /* Slack's: 3,000 */
	RICH_COUNT_MAX = 2400,     /* elements of a message: some 200 kB */
	RICH_PART_COUNT_MAX = 400, /* of a part */
};

/* An element of literal text; 'length' is not 0. */
json_t *rich_text(const char *text, size_t length, unsigned style) _must_use_;
json_t *rich_link(const char *url, const char *text, unsigned style) _must_use_;
/* Notifies. */
json_t *rich_user(const char *id) _must_use_;
/* A moment in the zone of whoever reads; 'fallback' where that cannot be shown. */
json_t *rich_date(int64_t wall_ms, const char *fallback) _must_use_;

/* "section", "quote", "preformatted"; steals 'elements', an array that is not empty. */
json_t *rich_part(const char *kind, json_t *elements) _must_use_;
/* A part with one literal text. */
json_t *rich_line(const char *kind, const char *text, unsigned style) _must_use_;
/* A block of parts; steals. */
json_t *rich_block(json_t *parts) _must_use_;

/* A cell: of literal text (an empty one is shown as a dash), of elements (steals). */
json_t *rich_cell(const char *text) _must_use_;
json_t *rich_cell_of(json_t *elements) _must_use_;
/* {table}; steals. 'settings' may be NULL. */
json_t *rich_table(json_t *rows, json_t *settings) _must_use_;
bool rich_is_table(const json_t *piece);

/* Characters of everything in it that is a string and drawn, addresses too. */
size_t rich_units(const json_t *value);

/* Elements in it, parts and cells too: each is JSON of its own, however short its text. */
size_t rich_count(const json_t *value);

/* How many bytes of a visible text fit into 'units': cut behind a line end or a space where
 * there is one in its second half, never within an escape or a character. At least one step. */
size_t rich_fitting(const char *text, size_t length, size_t units);

/* Append a visible text of any length as elements of at most RICH_PIECE_MAX. */
bool rich_add_text(json_t *elements, const char *visible, size_t length, unsigned style);
/* The same as preformatted pieces. */
bool rich_add_preformatted(json_t *pieces, const char *visible, size_t length);

struct rich_pack {
	const char *text;     /* the fallback of each message: words of ours */
	const char *heading;  /* words of ours at the top of each; NULL: none */
	size_t messages_max;  /* 0: no limit */
	size_t hidden;        /* characters that are no pieces even, to be counted in */
	size_t reserve_units; /* room left in the last, for what the caller adds */
};
/*
 * An array of messages (slack_message) with at most one table each. What is beyond
 * 'messages_max' is left out, and the last says "n of m characters shown."; '*ret_cut'
 * (may be NULL) then is true. At least one message.
 */
json_t *rich_messages(const json_t *pieces, const struct rich_pack *how, bool *ret_cut,
		      struct error *err) _must_use_;

#endif
