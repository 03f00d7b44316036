/*
 * legacy -- the era of 'initialize' on /mcp: handshake, sessions, GET, DELETE, batches.
 *
 * Each function but legacy_peer replies, now or later, and takes the exchange.
 */
#ifndef MCP_LEGACY_H
#define MCP_LEGACY_H

#include "mcp/revision_legacy.h"

struct exchange;
struct legacy_batch;

/* Whom a refusal before any era is known goes to, as its header or session tells. */
enum legacy_revision legacy_peer(const struct exchange *x);

void legacy_get(struct exchange *x);
void legacy_delete(struct exchange *x);
/* A message that table 4.1 calls legacy. */
void legacy_post(struct exchange *x);
/* A body that is an array. */
void legacy_post_batch(struct exchange *x);

/* A member of a batch has its answer, which is empty for none; takes the text. */
void legacy_collect(struct legacy_batch *batch, size_t index, struct strbuf *body);

#endif
