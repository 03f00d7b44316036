/*
 * burn -- a grant's id is spent, and 'started' recorded, in one durable write.
 *
 * The record under "burn/<id>" is what a server knows of an execution:
 * {v:1, id, tool, requester, client, args, plan?,
 *  state: started|succeeded|failed|unknown|revoked, at, finished_at?, result?, error?}. A record found 'started' by a process that
 * did not start it belongs to one that died: it becomes 'unknown'. Records stay for
 * BURN_KEEP_MS, long past any grant's expiry, so that whoever asks again with the
 * same grant learns the outcome instead of causing a second one.
 */
#ifndef GUARD_BURN_H
#define GUARD_BURN_H

#include "base/json.h"
#include "guard/grant.h"
#include "link/coordination/coordination.h"

enum { BURN_KEEP_MS = 7 * 24 * 3600 * 1000, BURN_RESULT_MAX = 512 * 1024 };

/*
 * '*ret_first' true: this call owns the execution and must end it with
 * burn_finish. False: '*ret_record' (new reference) is what is known.
 * False returned: nothing was burned, nothing may run.
 */
bool burn_start(struct coordination *c, const struct grant *g, const char *client,
		const json_t *plan /* may be NULL */, int64_t now_ms, bool *ret_first,
		json_t **ret_record, struct error *err);
/* 'state' succeeded, failed, unknown, or revoked: people took their yes back, and nothing
 * ran. 'result' the result's JSON (kept for
 * repeats up to BURN_RESULT_MAX), may be NULL. */
bool burn_finish(struct coordination *c, const char *id, const char *state,
		 const json_t *result, int64_t now_ms, struct error *err);
/* New reference or NULL ('*ret_record') when this id was never burned. */
bool burn_find(struct coordination *c, const char *id, json_t **ret_record,
	       struct error *err);
/* At start: each record still 'started' is made 'unknown' and given to 'fn' (may be NULL). */
bool burn_recover(struct coordination *c, int64_t now_ms,
		  void (*fn)(void *context, const json_t *record), void *context,
		  size_t *ret_count, struct error *err);

/* What was seen in the backend afterwards of an execution that is 'unknown': kept as
 * the member "observed" of its result, {"observed": text}. Changes nothing else. */
bool burn_observe(struct coordination *c, const char *id, const char *text,
		  struct error *err);

#endif
