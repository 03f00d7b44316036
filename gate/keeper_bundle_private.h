/*
 * keeper_bundle_private -- what the files of several calls in one decision share.
 *
 * keeper_bundle.c has the calls planned and decides, keeper_bundle_post.c asks people,
 * keeper_bundle_run.c carries them out.
 */
#ifndef GATE_KEEPER_BUNDLE_PRIVATE_H
#define GATE_KEEPER_BUNDLE_PRIVATE_H

#include "gate/keeper.h"

/* Of one call: whether it has no plan, and the error that it ended with. */
bool keeper_bundle_is_read(const struct approval *part);
const char *keeper_bundle_error_text(const struct approval *part);
enum error_code keeper_bundle_error_code(const struct approval *part);
/* "call 2 (fixture.put_value)" */
void keeper_bundle_name(const struct approval *part, size_t i, char ret[static 128]);
/* End it as 'to', or as near to that as its state allows. */
void keeper_bundle_end_part(struct keeper *k, struct approval *part, enum record_state to,
			    const char *by, const char *why);

/* The decision is approved: start the next call, follow the one that runs, or end it. */
void keeper_bundle_run(struct keeper *k, struct approval *head);

#endif
