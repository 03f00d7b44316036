/*
 * keeper_propose_private -- what proposing one call and proposing several share.
 */
#ifndef GATE_KEEPER_PROPOSE_PRIVATE_H
#define GATE_KEEPER_PROPOSE_PRIVATE_H

#include "gate/keeper.h"

/* What a proposal becomes once its words have been checked. */
struct checked {
	const struct tool_definition *tool;
	char args[DIGEST_HEX_BYTES], request[DIGEST_HEX_BYTES],
		identity[DIGEST_HEX_BYTES];
	struct strbuf arguments; /* canonical */
};
void keeper_checked_done(struct checked *c);

/* Judge its words by the pinned schema, and fill 'c', which is done with in any case. */
bool keeper_check_proposal(const struct keeper *k, const struct proposal *p,
			   struct checked *c, struct error *err);
/* Whether the policy lets it be asked. */
bool keeper_check_policy(const struct keeper *k, const struct proposal *p,
			 const struct checked *c, struct error *err);
/* False: the same was denied a short while ago. */
bool keeper_check_denied(struct keeper *k, const char *identity, struct error *err);
/* False: five others of this requester, asked in the same way, were denied a short while
 * ago; see keeper_pause.c. */
bool keeper_check_pause(struct keeper *k, const struct proposal *p, struct error *err);
/* Whether the requester may have so many more open. */
bool keeper_check_open(const struct keeper *k, const struct proposal *p, int64_t more,
		       struct error *err);
/* One turn of its conversation, if it has one. */
bool keeper_take_conversation(struct keeper *k, const struct proposal *p,
			      struct error *err);
/* The body of its record, and what the audit line about it has beside the usual. New
 * references; NULL without memory. */
json_t *keeper_proposal_body(const struct keeper *k, const struct proposal *p,
			     const struct checked *c) _must_use_;
json_t *keeper_proposal_audit(struct keeper *k, const struct proposal *p,
			      const struct checked *c) _must_use_;
bool keeper_add_slack(json_t *line, const json_t *slack);
/* That the assistant wrote the arguments, where it did. */
bool keeper_add_author(json_t *body, const struct proposal *p);

#endif
