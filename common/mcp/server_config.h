/*
 * server_config -- config/<server>.yaml, judged by schemas/config.schema.json
 * and decoded.
 *
 * The schema decides what is right; the tables here only say where a value goes
 * (a test keeps the two equal). WINGMAN_<SERVER>_PORT and WINGMAN_LOG_LEVEL
 * override what they name, and nothing else can be overridden: what guards the
 * gate comes from a file that the client's user cannot write.
 */
#ifndef MCP_SERVER_CONFIG_H
#define MCP_SERVER_CONFIG_H

#include "base/config.h"
#include "base/log.h"
#include "link/coordination/coordination_config.h"
#include "mcp/oauth/oauth_config.h"

enum { SERVER_HOSTS_MAX = 32 };

struct server_config {
	struct config *file; /* owned; everything below borrows from it */
	const char *address;
	int64_t port;
	const char *hosts[SERVER_HOSTS_MAX + 1];   /* NULL-terminated */
	const char *origins[SERVER_HOSTS_MAX + 1]; /* NULL-terminated */
	const char *instance;
	/* PEM files; NULL: plain HTTP, and no certificates of clients. */
	const char *tls_certificate, *tls_key, *tls_client_ca;
	const char *gate_url;                          /* NULL: no gate */
	const char *gate_token_file;                   /* NULL: the default */
	const json_t *freed_reads;                     /* NULL: none */
	const json_t *refuse_emergency;                /* NULL: none */
	const json_t *freed_resources, *freed_prompts; /* NULL: none */
	const json_t *freed_resources_for;             /* principals; NULL: everybody */
	bool audit_freed_reads;
	const json_t *rights; /* NULL: everybody may everything */
	struct coord_config store;
	struct oauth_config oauth; /* .resource NULL: static tokens alone */
	int64_t calls_per_caller;
	int64_t plans_per_minute;
	int64_t deadline_ms;
	int64_t workers;
	int64_t queue;
	int64_t body_bytes;
	int64_t page_size;
	int64_t streams_per_caller;
	enum log_level log_level;
	bool allow_missing_landlock;
	bool allow_missing_seccomp;
	const json_t *backend; /* NULL: absent */
};

/* Every complaint reads "FILE:LINE: reason". A file that is not there is an empty
 * one: all defaults, no gate, nothing freed. 'server' is borrowed. */
bool server_config_read(struct server_config *c, const char *server, const char *path,
			struct error *err);
/* The same from text, for tests and embedding; 'name' stands in complaints. */
bool server_config_parse(struct server_config *c, const char *server, const char *name,
			 const char *text, size_t length, struct error *err);
void server_config_done(struct server_config *c);

/* Whether what freed_resources names is freed for this principal. */
bool server_config_frees_for(const struct server_config *c, const char *principal);

/* Whether this person may ask for reads ("read") or writes ("write"). */
bool server_config_allows(const struct server_config *c, const char *principal,
			  const char *right);

#endif
