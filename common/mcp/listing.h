/*
 * listing -- a list that is shown by pages, with opaque cursors.
 *
 * Pages are JSON text of the result's members, made once. A cursor is good for this
 * list and this length of pages alone; the empty one, and none, mean the first page.
 */
#ifndef MCP_LISTING_H
#define MCP_LISTING_H

#include "base/json.h"

struct listing {
	char **pages; /* "tools":[...],"nextCursor":"..." */
	size_t count;
	size_t page_size;
	const char *member; /* borrowed */
};

bool listing_make(struct listing *l, const char *member, const json_t *list,
		  size_t page_size, struct error *err);
void listing_done(struct listing *l);
/* NULL: no such cursor. 'cursor' NULL: none was given. */
const char *listing_page(const struct listing *l, const json_t *cursor);

#endif
