/*
 * source -- where pages come from: one interface, a file for each kind.
 *
 * A source is asked by the one thread that makes the index. What it cannot read today
 * stays in the index as it was: an outage empties nothing.
 */
#ifndef PLAYBOOKS_SOURCE_H
#define PLAYBOOKS_SOURCE_H

#include <stdatomic.h>

#include "base/statedir.h"
#include "servers/playbooks/builder.h"
#include "servers/playbooks/index.h"

enum { SOURCES_MAX = 32, SKIPPED_SHOWN_MAX = 50 };

struct sink;

struct source_kind {
	const char *name; /* the member of the configuration that makes it */
	/* 'config' is the source's object, borrowed for ever. NULL with 'err'. */
	void *(*open)(const struct statedir *dir, const json_t *config,
		      struct error *err);
	void (*close)(void *self);
	/* Append what differs when a page has changed; cheap. */
	bool (*fingerprint)(void *self, const atomic_bool *stopping, struct strbuf *to,
			    struct error *err);
	/* Every page into the sink. */
	bool (*read)(void *self, struct sink *sink, struct error *err);
};

struct source {
	const char *name;
	const struct source_kind *kind;
	void *self;
	const json_t *tags; /* NULL: none */
};

/* Where a source's pages go while an index is made. */
struct sink {
	struct builder *builder;
	const struct index *old; /* NULL: there is none */
	const struct source *source;
	const atomic_bool *stopping; /* NULL: never */
	bool fresh;                  /* fetch again what seems unchanged, too */
	size_t pages, skipped_count;
	json_t *skipped;
};

/* A page; one that cannot be read is noted as passed over. 'source' and 'tags' of it are
 * filled in. False: the index cannot be made. */
bool sink_add(struct sink *s, const struct page *page, struct error *err);
/* The page of the old index with this id, as it was; '*ret_kept' false: it has none of
 * this source, or its stamp is another ('stamp' NULL: whatever it is). */
bool sink_keep(struct sink *s, const char *id, const char *stamp, bool *ret_kept,
	       struct error *err);
/* All pages of the source that the old index has and the new one has not. */
bool sink_keep_all(struct sink *s, struct error *err);
void sink_skip(struct sink *s, const char *path, const char *why);
bool sink_stopping(const struct sink *s);

extern const struct source_kind source_folder, source_confluence;

#endif
