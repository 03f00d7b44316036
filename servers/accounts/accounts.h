/*
 * accounts -- what the tools of this server share: its systems and its record.
 */
#ifndef ACCOUNTS_ACCOUNTS_H
#define ACCOUNTS_ACCOUNTS_H

#include "base/statedir.h"
#include "link/documents/documents.h"
#include "mcp/server.h"
#include "servers/accounts/guards.h"
#include "servers/accounts/people_peer.h"
#include "servers/accounts/resolve.h"
#include "servers/accounts/saga.h"
#include "servers/accounts/turns.h"

struct accounts {
	struct account_system systems[SYSTEMS_MAX];
	size_t system_count;
	struct documents *records;
	struct turns turns; /* of accounts */
	struct turns sagas;
	json_t *config; /* what 'guards' points into */
	struct guards guards;
	struct people_peer *people; /* NULL: the systems themselves say who is who */
	int64_t watched_ms;         /* of the tick alone */
};

/* For struct mcp_server. */
void *accounts_open(const struct statedir *dir, const json_t *config, struct error *err);
void accounts_close(void *context);
bool accounts_ready(void *context, struct error *err);
bool accounts_unix_sockets(const json_t *config);
/* Ends the blocks that end by themselves. */
void accounts_tick(void *context, const struct mcp_tick *tick);

/* What a saga works with, for a call; a tick adds what is its own. */
struct saga_env accounts_env(struct accounts *a, int64_t now_ms);

/* Changes are told to whoever listens to the resource account://{person}. */
void accounts_tell_changes(struct saga_env *env, struct mcp_service *service);

/* NULL when it is not connected here. */
const struct account_system *accounts_system(const struct accounts *a, const char *name);

/* The person and the accounts that 'person' and 'systems' of a call mean; 'is_change' if
 * they are going to be changed. A system that is not connected is ERR_INVALID_ARGUMENT
 * naming those that are. */
bool accounts_resolve(struct mcp_call *call, bool is_change, struct person *ret,
		      struct error *err);

#endif
