/*
 * renames -- a page that has another id now is found by the one it had.
 *
 * A page is the renamed one of before if it has the same text, or if most of the words
 * that tell about it are the same, and its id is new while the other's is gone. Kept in
 * the records, because the index is made anew at any time.
 */
#ifndef PLAYBOOKS_RENAMES_H
#define PLAYBOOKS_RENAMES_H

#include "link/documents/documents.h"
#include "servers/playbooks/index.h"

/* What became of the pages of 'before' that 'after' has not. */
bool renames_note(struct documents *records, const struct index *before,
		  const struct index *after, struct error *err);
/* Where a page went: a new string; NULL: nowhere that is known (or 'err' is set). */
char *renames_follow(struct documents *records, const char *id, struct error *err);

#endif
