/*
 * outline -- a Markdown document as sections, each a span of its bytes.
 *
 * md4c parses (CommonMark, tables, strike-through, task lists, autolinks) and
 * points into the source, so that a section is exactly the bytes from where its
 * heading's line begins to where the next one does; together they are the whole
 * document behind its front matter, nothing twice. The first section has what stands before any
 * heading, and no heading itself. A paragraph that is bold from end to end is a
 * heading below all others (level 7): many playbooks write theirs so. Headings
 * inside of lists and quotations are text.
 *
 * The plain text of a section is what a reader sees: no markup, no addresses, no
 * HTML, and nothing between <script> or <style> and their ends. It is UTF-8 if the source is.
 *
 * Refused with ERR_INVALID_ARGUMENT: what nests deeper than OUTLINE_DEPTH_MAX.
 * Headings past OUTLINE_SECTIONS_MAX stay text of the last section.
 */
#ifndef PLAYBOOKS_OUTLINE_H
#define PLAYBOOKS_OUTLINE_H

#include "base/error.h"
#include "base/strbuf.h"

enum {
	OUTLINE_DEPTH_MAX = 48,
	OUTLINE_SECTIONS_MAX = 2000,
	OUTLINE_HEADING_MAX = 200, /* bytes; longer ones are cut between characters */
	OUTLINE_LEVELS = 7,
};

struct section {
	size_t start, end;           /* bytes of the source */
	size_t text_start, text_end; /* bytes of 'text' of the outline */
	int level;                   /* 1 to 7; 0: before any heading */
	int parent;                  /* the section that it belongs under; -1: none */
	char *heading;               /* plain; "" for the first */
};

struct outline {
	struct section *sections; /* at least one */
	size_t count, capacity;
	struct strbuf text; /* of all sections */
	char *table_title; /* of a table of properties on top, one named Title; or NULL */
};

/* 'start': where the front matter ends. */
bool outline_read(const char *source, size_t length, size_t start, struct outline *ret,
		  struct error *err);
void outline_done(struct outline *o);

/* The end of the section with all that belongs under it. */
size_t outline_whole_end(const struct outline *o, size_t section);

#endif
