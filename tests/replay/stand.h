/*
 * stand -- simple handlers behind the real checks: what stands in for servers. For tests.
 *
 * A call is planned with a ticket and executed with a grant, by the functions of guard/
 * that servers use and in their order: signature, then whether it was used, then whether
 * it is for this call and plan, then the burn, then the act. The act is a line in a list.
 */
#ifndef TESTS_REPLAY_STAND_H
#define TESTS_REPLAY_STAND_H

#include "base/statedir.h"
#include "guard/keyring.h"
#include "link/coordination/coordination.h"
#include "mcp/definition.h"

struct stand {
	const json_t *servers; /* {server: [tool]}; borrowed */
	struct coordination *store;
	struct keyring *keys;
	struct secret *state_key;
	json_t *executed; /* [{name, arguments}], in order */
	json_t *down;     /* {server: true} */
};

bool stand_open(struct stand *s, const struct statedir *dir, const json_t *servers,
		struct error *err);
void stand_close(struct stand *s);

/* What the gate's caller would answer: 'planned' to 'plan', 'executed' to 'execute'. New
 * reference; NULL without memory. */
json_t *stand_plan(struct stand *s, const json_t *message) _must_use_;
json_t *stand_execute(struct stand *s, const json_t *message) _must_use_;

#endif
