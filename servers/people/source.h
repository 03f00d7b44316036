/*
 * source -- where accounts are read from: one struct of functions each.
 *
 * A source reads all it has, or what changed since it was read last where its system can
 * tell, and hands over each account through a sink. It joins nothing, keeps nothing and
 * knows no index. What a stranger wrote passes account_add. A read that fails half-way
 * says so, and then changes nothing: neither is anything believed that was handed over by
 * then, nor is anything that was not taken for gone.
 */
#ifndef PEOPLE_SOURCE_H
#define PEOPLE_SOURCE_H

#include <stdatomic.h>

#include "base/json.h"
#include "base/statedir.h"
#include "servers/people/account.h"

/* What is found; takes it as it is, and leaves it to be begun again. An account without
 * a key is counted and left out. */
struct source_sink {
	bool (*put)(void *context, struct account *account, struct error *err);
	void *context;
};

enum { SOURCE_CURSOR_BYTES = 256 };

struct source_read {
	/* Everything, so that what is not handed over is gone; else what changed since
	 * 'cursor' was left. */
	bool is_full;
	/* Out: what changed cannot be told this time; everything must be read. */
	bool wants_full;
	/* In and out: what the next read of changes begins with; "" where nothing can be said. */
	char cursor[SOURCE_CURSOR_BYTES];
	const atomic_bool *stopping; /* give up; NULL: never */
	struct source_sink sink;
};

struct source_kind {
	const char *name; /* "ldap"; as configured under 'sources' */
	bool has_changes; /* can tell what changed; else it is read whole, less often */
	/* Must not fail because the system is down. */
	void *(*open)(const struct statedir *dir, const json_t *config,
		      struct error *err);
	void (*close)(void *self);
	/* May block. */
	bool (*read)(void *self, struct source_read *read, struct error *err);
};

extern const struct source_kind source_file, source_ldap, source_okta, source_github,
	source_slack;

#endif
