/*
 * site -- our server as the benchmarks run it: a state folder, tokens, and a service with
 * a trivial read, twenty more like it, one without schemas, and one that tells all.
 */
#ifndef BENCH_SITE_H
#define BENCH_SITE_H

#include "base/secret.h"
#include "base/statedir.h"
#include "guard/keyring.h"
#include "mcp/server.h"

enum { SITE_TOOLS = 20 }; /* echo_text, and tool_01 to tool_19 */

struct site {
	struct statedir *dir;
	struct secret *token;
	struct sign_key *key; /* whose grants are believed */
};

enum site_kind {
	SITE_FREED,   /* reads run for whoever has a token */
	SITE_AUDITED, /* and leave a line in the audit log */
	SITE_OPEN,    /* without a token, too */
	SITE_GRANTED, /* the token is the gate's, and nothing runs without a grant */
};

/* A folder of its own below 'folder'. Ends the program when it cannot. */
void site_make(struct site *s, const char *folder, const char *name, enum site_kind kind);
void site_done(struct site *s);

/* The table of the server, for a program of its own. */
const struct mcp_server *site_server(void);
/* Serve in this process, for ever; writes the port (uint16_t) to 'out'. */
_Noreturn void site_serve(const struct site *s, enum site_kind kind, int out);

/* A tools/call as HTTP; 'token' NULL: without. 'meta' are further members of _meta, each
 * behind a comma. free(). */
char *site_request(const struct secret *token, const char *tool, const char *meta);
/* So many, each with a grant of its own, good for a minute from now; ends with NULL. */
char **site_granted(const struct site *s, size_t count);
void site_granted_free(char **requests);

#endif
