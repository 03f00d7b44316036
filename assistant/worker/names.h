/*
 * names -- tools as a model knows them, and back.
 *
 * server.tool becomes server__tool by an exact table; what a model calls that is not in
 * it is handed on as the model wrote it, never repaired. Providers take at most 64 letters,
 * digits, '_' and '-': a longer name is cut and ends with digits of its digest. Besides
 * there are up to three of our own, of which no server's tool can have the name, since
 * they hold no "__": to propose several calls for one decision, to read, to search.
 */
#ifndef WORKER_NAMES_H
#define WORKER_NAMES_H

#include "assistant/fields.h"

#define NAMES_TOGETHER "propose_together"
#define NAMES_READ     "read_context"
#define NAMES_SEARCH   "search_context"

enum { NAMES_MAX_BYTES = 64 };

struct names;

/* 'tools' and 'sources' of a turn, checked here. */
struct names *names_new(const json_t *tools, const json_t *sources,
			struct error *err) _must_use_;
void names_free(struct names *n);
DEFINE_CLEANUP(struct names, names_free);

/* For a chat: [{name, description, schema}], ours included; borrowed. */
json_t *names_tools(const struct names *n);
/* "accounts.block_account"; an unknown name as it is. Borrowed. */
const char *names_real(const struct names *n, const char *name);
/* The other way; for one that is unknown now, what it would be called. */
void names_model(const struct names *n, const char *real,
		 char ret[static NAMES_MAX_BYTES + 1]);

#endif
