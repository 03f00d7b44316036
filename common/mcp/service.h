/*
 * service -- a server at work inside this process. What mcp_server_main is made
 * of, and what tests start instead of it.
 *
 *   prepare   configuration, schemas, keys, tokens, the backend, the audit chain; no
 *             thread yet, so that a sandbox entered now holds for all of them
 *   start     store, what a dead process left behind; then it listens
 *   stop      refuses what is new, finishes what runs
 */
#ifndef MCP_SERVICE_H
#define MCP_SERVICE_H

#include "mcp/server.h"
#include "mcp/server_config.h"

struct mcp_service;

/* 'server' and 'dir' are borrowed until mcp_service_free. Reads config/<name>.yaml. */
struct mcp_service *mcp_service_prepare(const struct mcp_server *server,
					const struct statedir *dir,
					struct error *err) _must_use_;
/*
 * Between prepare and start: requests without an Authorization header come from
 * 'principal', who may ask for reads. For programs that embed a service for everybody
 * on this machine, as test servers do; no configuration can say this, and no program of
 * the suite does. Tools stay behind the gate unless the configuration frees them. Only
 * where it listens on loopback and has no issuers, or ERR_INVALID_ARGUMENT.
 */
bool mcp_service_admit(struct mcp_service *s, const char *principal, struct error *err);
bool mcp_service_start(struct mcp_service *s, struct error *err);
void mcp_service_stop(struct mcp_service *s, int64_t patience_ms);
/* Stops what was not stopped. */
void mcp_service_free(struct mcp_service *s);
DEFINE_CLEANUP(struct mcp_service, mcp_service_free);

const struct server_config *mcp_service_config(const struct mcp_service *s);
uint16_t mcp_service_port(const struct mcp_service *s);

#endif
