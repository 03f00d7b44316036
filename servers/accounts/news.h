/*
 * news -- what people are to hear later of a call that they approved: a step that was
 * tried again, a block that ends by itself. Durable until the gate has it, which tells
 * whoever asked and decided (mcp_service_tell).
 *
 * Documents of the collection "news", id "<approval>.<key>": {approval, key, text, at_ms,
 * retry_ms, attempts}.
 */
#ifndef ACCOUNTS_NEWS_H
#define ACCOUNTS_NEWS_H

#include <stdatomic.h>

#include "link/documents/documents.h"
#include "mcp/tool.h"

enum {
	NEWS_RETRY_MS = 5 * 1000, /* doubled each time */
	NEWS_RETRY_MAX_MS = 10 * 60 * 1000,
	NEWS_KEEP_MS = 7 * 24 * 60 * 60 * 1000, /* then nobody hears of it */
	NEWS_AT_ONCE = 50,
};

/* Durable when true; the same key again takes the place of the first. 'key' is 1 to 64 of
 * [a-z0-9_-], 'text' a sentence. */
bool news_put(struct documents *d, const char *approval, const char *key,
	      const char *text, int64_t now_ms, struct error *err);

/* For "%.*s": the bytes of a text of UTF-8, at most 'max', none of a character that is cut. */
int news_cut(const char *text, size_t max);

/* How news are told: mcp_service_tell, unless a test has another. */
typedef enum mcp_told news_tell(struct mcp_service *s, const char *approval,
				const char *key, const char *text, struct error *err);
/* Those that are due, at most NEWS_AT_ONCE; ends early when the gate cannot be reached.
 * False: the records failed. */
bool news_send(struct documents *d, struct mcp_service *s, news_tell *tell,
	       const atomic_bool *stopping, int64_t now_ms, struct error *err);

#endif
