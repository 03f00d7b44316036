/*
 * step -- one facet of one account, changed as planned, and what came of it.
 *
 * Reads first where it may have happened already, applies, reads back. Knows a backend,
 * nothing of records.
 */
#ifndef ACCOUNTS_STEP_H
#define ACCOUNTS_STEP_H

#include "servers/accounts/backend.h"

/* Borrowed. */
struct step {
	const struct account_system *system;
	enum account_facet facet;
	const char *identifier, *id;
	const json_t *change;
	bool may_have_happened; /* an earlier attempt was sent */
	bool was_accepted;      /* an earlier attempt was accepted */
};

enum step_end {
	STEP_VERIFIED,
	STEP_ACCEPTED,  /* and there is no reading it */
	STEP_REQUESTED, /* accepted; does not show yet, or could not be read yet */
	STEP_WAITS,     /* nothing happened: try later */
	STEP_UNKNOWN,   /* it may have happened: read later */
	STEP_REFUSED,   /* nothing happened, and will not */
};

struct step_outcome {
	enum step_end end;
	/* An earlier attempt may still have happened: reading could not tell. Then WAITS
	 * and REFUSED speak of this attempt alone. */
	bool may_have_happened;
	struct facet_applied applied;
	struct error why; /* of the last three, and what is odd about REQUESTED */
};

void step_run(const struct step *step, int64_t now_ms, struct step_outcome *ret);
/* Reads only: VERIFIED, ACCEPTED, REQUESTED, UNKNOWN (could not be read), WAITS (it is
 * not so). */
void step_look(const struct step *step, int64_t now_ms, struct step_outcome *ret);

#endif
