/*
 * people_peer -- the people server, asked as a peer: an MCP resource, read with a service
 * token of our own.
 *
 * Configuration (the schema judges):
 *   people:
 *     url: https://people.example.com/mcp
 *     token_file: tokens/accounts-people.token   (relative to the folder of the suite)
 *     ca_file: (whom to trust for https; default: the system's)
 *     max_age_s: 14400      what was read longer ago changes no accounts
 *     timeout_ms: 5000
 */
#ifndef ACCOUNTS_PEOPLE_PEER_H
#define ACCOUNTS_PEOPLE_PEER_H

#include "base/json.h"
#include "base/statedir.h"

struct people_peer;

/* 'config' is the member 'people'. Speaks to nobody yet. */
struct people_peer *people_peer_open(const struct statedir *dir, const json_t *config,
				     struct error *err) _must_use_;
void people_peer_close(struct people_peer *p);
DEFINE_CLEANUP(struct people_peer, people_peer_close);

int64_t people_peer_max_age_s(const struct people_peer *p);

/* What find_person says of 'text'; new reference. ERR_BACKEND_UNAVAILABLE and the like:
 * then nobody is resolved, by no other way either. Thread-safe. */
json_t *people_peer_ask(struct people_peer *p, const char *text,
			struct error *err) _must_use_;

#endif
