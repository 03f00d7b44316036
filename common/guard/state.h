/*
 * state -- the sealed requestState between a plan and its execution.
 *
 * What the server must remember, kept by the caller and unreadable to it:
 * principal, server, tool, digests of arguments and plan, store, planned_at, expiry.
 * AES-256-GCM under <server>/state.key; the word begins with "v1.".
 */
#ifndef GUARD_STATE_H
#define GUARD_STATE_H

#include "base/digest.h"
#include "base/secret.h"

enum {
	STATE_TTL_MS = 30 * 60 *
		       1000, /* outlives prompt (10 min), approval (5 min) and claim */
	STATE_MAX = 4096,    /* bytes of a word; whatever is longer is not ours */
};

struct request_state {
	char principal[129]; /* the requester */
	char server[33];
	char tool[65];
	char args[DIGEST_HEX_BYTES];
	char plan[DIGEST_HEX_BYTES]; /* "" when absent (a read that waits) */
	char store[DIGEST_ID_BYTES]; /* of the process that planned: coord_identity */
	int64_t planned_at_ms;
	int64_t expires_ms;
};

/* Append the word. A state that state_open would refuse is ERR_INTERNAL: our bug. */
bool state_seal(struct strbuf *sb, const struct request_state *s,
		const struct secret *key, struct error *err);
/* ERR_INVALID_ARGUMENT for anything altered or past its expiry. */
bool state_open(const char *word, const struct secret *key, int64_t now_ms,
		struct request_state *ret, struct error *err);

#endif
