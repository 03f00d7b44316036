/*
 * builder -- pages into an index file.
 *
 * The index is derived data: an SQLite file with the pages as they came, their
 * sections, and for each stem the sections and the documents it stands in, with how
 * much it says about each. It is made whole beside the old one, synced, and
 * renamed over it, so that a crash leaves the old one. Nothing in it is believed by
 * anybody but the program that wrote it.
 *
 * Weighed postings of our own, because FTS5 scores every row that has any word: see
 * bench/playbooks_bench.c.
 */
#ifndef PLAYBOOKS_BUILDER_H
#define PLAYBOOKS_BUILDER_H

#include "servers/playbooks/page.h"
#include "servers/playbooks/weights.h"

struct builder;

/* 'path': where it is written, with ".new" behind it until it is whole. */
struct builder *builder_new(const char *path, const struct weights *weights,
			    struct error *err) _must_use_;
void builder_free(struct builder *b); /* what was not finished is removed */
DEFINE_CLEANUP(struct builder, builder_free);

/* ERR_INVALID_ARGUMENT: this page cannot be read, and is not in the index; go on. */
bool builder_add(struct builder *b, const struct page *page, struct error *err);
/* Whether a page with this id was added. */
bool builder_has(const struct builder *b, const char *id);
/* Keep something about the whole: 'value' is JSON text. */
bool builder_note(struct builder *b, const char *name, const char *value,
		  struct error *err);
bool builder_finish(struct builder *b, struct error *err);

#endif
