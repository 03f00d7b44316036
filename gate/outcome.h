/*
 * outcome -- what a server's answer to a grant says about what happened.
 *
 * Pure, and suspicious: the answer is a server's word. It reports on exactly the
 * approval that was presented; a head of its audit chain counts only in the right
 * shape and under its own name.
 */
#ifndef GATE_OUTCOME_H
#define GATE_OUTCOME_H

#include "base/json.h"

enum outcome_kind {
	OUTCOME_SUCCEEDED,
	OUTCOME_FAILED,  /* it began, or the plan no longer held; nothing was achieved */
	OUTCOME_UNKNOWN, /* it may or may not have happened */
	OUTCOME_NOT_RUN, /* the server says that it did not begin */
	OUTCOME_RUNNING, /* it began with an earlier copy of this grant, and has not ended */
	OUTCOME_REVOKED, /* it was burnt because people took it back: nothing ran or will */
	/* The grant is from before the epoch of the server's store: nothing will run with it
	 * any more, and nothing has. */
	OUTCOME_VOID,
	/* The same, but that store may have lost that it had been used. */
	OUTCOME_FORGOTTEN,
};

struct outcome {
	enum outcome_kind kind;
	int verified;              /* 1, 0, or -1: not said */
	const json_t *error;       /* {code, message, ...} or NULL; borrowed */
	const json_t *server_head; /* {program, seq, hash} or NULL; borrowed */
	const json_t
		*result; /* what to keep: the answer, or the recorded one it carries */
};

struct outcome outcome_read(const json_t *result, const char *server,
			    const char *approval);

/* Whether 'head' is a server's audit head: {program, seq, hash}, program being 'server'. */
bool outcome_head_is_good(const json_t *head, const char *server);

#endif
