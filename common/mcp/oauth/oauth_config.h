/*
 * oauth_config -- the member "oauth" of a server's configuration: whose tokens are
 * taken, and what their scopes mean here.
 *
 * schemas/config.schema.json judges the form; here the URLs are looked at, and what
 * only the whole can tell.
 */
#ifndef MCP_OAUTH_CONFIG_H
#define MCP_OAUTH_CONFIG_H

#include "base/config.h"

enum {
	OAUTH_ISSUERS_MAX = 8,
	OAUTH_NAMES_MAX = 8,    /* of scopes that give one right */
	OAUTH_EXTRAS_MAX = 16,  /* different scopes that tools need besides */
	OAUTH_EXTRA_BYTES = 48, /* of one; so all fit into a struct caller */
};

struct oauth_issuer_config {
	const char *issuer;
	const char *jwks_uri; /* NULL: the issuer's metadata says */
	const char *audience; /* NULL: the resource */
	const char *principal_claim;
	const char *client_claim; /* NULL: "client_id", else "azp" */
	unsigned algs;            /* mask of enum jwt_alg */
};

/* Borrows from the configuration's file. */
struct oauth_config {
	const char *resource; /* NULL: no OAuth */
	const char *ca_file;  /* NULL: the system's authorities */
	struct oauth_issuer_config issuers[OAUTH_ISSUERS_MAX];
	size_t issuer_count;
	/* What issuers call the rights; the first is what clients are told. None: the
	 * usual "<server>:read" and "<server>:write". */
	const char *read[OAUTH_NAMES_MAX], *write[OAUTH_NAMES_MAX];
	size_t read_count, write_count;
	json_t *tool_scopes; /* name: array of scopes; NULL: none */
	const char *extras[OAUTH_EXTRAS_MAX];
	size_t extra_count; /* the different ones in 'tool_scopes' */
	int64_t max_age_ms, max_stale_ms, refetch_ms;
};

/* Every complaint reads "FILE:LINE: reason". 'oauth' is the member. */
bool oauth_config_decode(struct oauth_config *ret, const struct config *file,
			 const json_t *oauth, struct error *err);

#endif
