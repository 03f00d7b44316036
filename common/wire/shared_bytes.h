/*
 * shared_bytes -- a text that is built once and sent to many.
 *
 * Counted and constant: ten thousand streams hold one copy, whichever thread lets
 * go last frees it. Kept ready for the wire: the text stands between the size line
 * and the line end of an HTTP/1.1 chunk, so that sending it copies nothing.
 */
#ifndef WIRE_SHARED_BYTES_H
#define WIRE_SHARED_BYTES_H

#include "base/strbuf.h"

struct shared_bytes;

/* A copy; NULL without memory. The caller holds the first reference. */
struct shared_bytes *shared_bytes_new(const void *bytes, size_t length) _must_use_;
/* What 'sb' holds, which is emptied; NULL if it failed or without memory. */
struct shared_bytes *shared_bytes_take(struct strbuf *sb) _must_use_;
struct shared_bytes *shared_bytes_ref(struct shared_bytes *b);
void shared_bytes_unref(struct shared_bytes *b); /* NULL is fine */
DEFINE_CLEANUP(struct shared_bytes, shared_bytes_unref);

/* NUL-terminated only by chance: use the length. */
const char *shared_bytes_text(const struct shared_bytes *b, size_t *ret_length);
/* The same as a chunk. Not for an empty text, whose chunk would end the reply. */
const char *shared_bytes_chunk(const struct shared_bytes *b, size_t *ret_length);

#endif
