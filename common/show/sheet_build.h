/*
 * sheet_build -- a sheet under construction; private to sheet*.c.
 *
 * What fails for lack of memory, or because the prompt is not whole, is remembered and
 * asked for once, at the end.
 */
#ifndef SHOW_SHEET_BUILD_H
#define SHOW_SHEET_BUILD_H

#include "show/sheet.h"

struct sheet {
	const json_t *prompt;
	const struct sheet_view *view;
	json_t *sections,
		*items; /* borrowed from the sheet; 'items' of the last section */
	bool missing, failed;
	bool keeps_back; /* something sensitive is in it, and others read along */
};

/* Of the prompt: borrowed; absent or of another type is remembered as missing. */
const char *sheet_need(struct sheet *s, const json_t *object, const char *member);
int64_t sheet_need_number(struct sheet *s, const json_t *object, const char *member);
const json_t *sheet_need_array(struct sheet *s, const json_t *object, const char *member);

/* 'heading' and 'empty' (what stands for no items; may be NULL) are ours. */
void sheet_section(struct sheet *s, const char *heading, const char *empty);
/* An item of the last section: under a label of ours, or a name of somebody's. Borrowed. */
json_t *sheet_item(struct sheet *s, const char *label, const char *text);
json_t *sheet_named(struct sheet *s, const char *name, const char *text);
/* A further line of an item. 'mark' may be NULL. */
void sheet_line(struct sheet *s, json_t *item, const char *label, const char *text,
		const char *mark);
void sheet_mark(struct sheet *s, json_t *of, const char *mark);
void sheet_is_argument(struct sheet *s, json_t *item);

/* --- sheet_fill.c --- */

/* Whether this is a prompt of which every member is known. */
bool sheet_check(const json_t *prompt, struct error *err);
bool sheet_has_sensitive(const json_t *prompt);
void sheet_fill(struct sheet *s);
void sheet_time(struct sheet *s, const char *label, int64_t at_ms, const char *mark);
void sheet_approvers(struct sheet *s);

/* --- sheet_several.c: a prompt of several calls --- */

json_t *sheet_several(const json_t *prompt, const struct sheet_view *view,
		      struct error *err);

#endif
