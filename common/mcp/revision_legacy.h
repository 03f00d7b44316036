/*
 * revision_legacy -- what differs between the four revisions that begin with
 * 'initialize', and between them and 2026-07-28 (PROTOCOL 3.1, 4.5).
 *
 * Pure: texts in, texts out. Who is in a session with whom stands in session.h.
 */
#ifndef MCP_REVISION_LEGACY_H
#define MCP_REVISION_LEGACY_H

#include "mcp/revision.h"

/* In the order of their age. */
enum legacy_revision {
	LEGACY_NONE,
	LEGACY_2024_11_05,
	LEGACY_2025_03_26,
	LEGACY_2025_06_18,
	LEGACY_2025_11_25,
};

/* LEGACY_NONE for any other text, and for NULL. */
enum legacy_revision legacy_revision_find(const char *version);
/* What 'initialize' is answered with: the same revision, or our newest. */
enum legacy_revision legacy_revision_negotiate(const char *wanted);

/* Whether an error that belongs to no request says "id":null, instead of nothing. */
static inline bool legacy_has_null_id(enum legacy_revision r)
{
	return r != LEGACY_NONE && r < LEGACY_2025_11_25;
}

static inline bool legacy_has_batches(enum legacy_revision r)
{
	return r == LEGACY_2025_03_26;
}

/* Whether streams begin with an event that has an id and no data. */
static inline bool legacy_has_priming(enum legacy_revision r)
{
	return r == LEGACY_2025_11_25;
}

/* Whether a call that a person must open a page for is answered with an error. */
static inline bool legacy_has_page_error(enum legacy_revision r)
{
	return r == LEGACY_2025_11_25;
}

/* Whether progress has a text. */
static inline bool legacy_has_progress_text(enum legacy_revision r)
{
	return r >= LEGACY_2025_03_26;
}

/* --- revision_legacy_ask.c --- */

/* What of the capabilities that a client declares counts in this revision, and nothing
 * else; new, NULL without memory. */
json_t *legacy_capabilities(enum legacy_revision r, const json_t *declared) _must_use_;
/* {method, params} of a question (mcp/ask.h) in this revision's words, new. NULL: it has
 * none for it, or there is no memory. */
json_t *legacy_question(enum legacy_revision r, const json_t *request) _must_use_;

/* --- revision_legacy.c --- */

/* The methods that work without a session know of; MCP_METHOD_COUNT for all others. */
enum mcp_method legacy_method(const struct jsonrpc_message *m, unsigned features);

/* The result of 'initialize' as JSON text; marks 'sb' as failed without memory. */
void legacy_write_initialize(struct strbuf *sb, enum legacy_revision r,
			     const struct mcp_identity *me, unsigned features);
/* Whole responses, as those of revision_2026. */
void legacy_write_body(struct strbuf *sb, enum legacy_revision r, enum mcp_method method,
		       const json_t *id, const struct mcp_body *b);
void legacy_write_call(struct strbuf *sb, enum legacy_revision r, const json_t *id,
		       const struct mcp_result *result);
/* A refusal made for 2026-07-28, said with codes and statuses that were there before. */
void legacy_translate(struct refusal *refusal, enum mcp_method method);

#endif
