/*
 * keeper_direct_private -- answers to servers about the calls of their direct clients.
 */
#ifndef GATE_KEEPER_DIRECT_PRIVATE_H
#define GATE_KEEPER_DIRECT_PRIVATE_H

#include "gate/keeper.h"

/* True both: it is answered. */
bool keeper_direct_error(struct keeper *k, int64_t request, const struct error *err);
bool keeper_direct_state(struct keeper *k, int64_t request, const json_t *body);
/* Of that server and person, open or ended. New reference; NULL: there is none such. */
json_t *keeper_direct_load(struct keeper *k, const char *id, const char *server,
			   const char *principal, struct error *err) _must_use_;

#endif
