/*
 * page -- the page of status that a direct client shows while its call waits.
 *
 * Pure: a state and an approval's id become HTML without script, pictures or links. Both
 * are written as they are, so they must be ours: a state's name and an id.
 */
#ifndef GATE_PAGE_H
#define GATE_PAGE_H

#include "base/strbuf.h"

#define PAGE_PATH "/a/"

enum { PAGE_NAME_LENGTH = 22 }; /* 16 random bytes, base64url */

/* Whether it could be a page's name, the part behind PAGE_PATH. */
bool page_is_name(const char *name);
/* The whole page; while nothing is decided it looks again by itself. 'state' NULL: there is
 * no such page (any more). */
void page_write(struct strbuf *sb, const char *state, const char *approval);

#endif
