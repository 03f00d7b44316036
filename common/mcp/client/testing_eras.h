/*
 * testing_eras -- a server of any era that a script wants, and what it was sent.
 *
 * For *-test.c alone. It speaks by what stands in 'struct world', which a test may change
 * between calls: modern, legacy with sessions, or HTTP+SSE.
 */
#ifndef MCP_CLIENT_TESTING_ERAS_H
#define MCP_CLIENT_TESTING_ERAS_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/json.h"
#include "base/testing.h"
#include "wire/http_stream.h"

struct http_client;

/* Bodies of the script; %ID% becomes the id of what is answered. */
#define RESULT(r) "{\"jsonrpc\":\"2.0\",\"id\":%ID%,\"result\":{" r "}}"
#define ERROR(code)                                                                      \
	"{\"jsonrpc\":\"2.0\",\"id\":%ID%,\"error\":{\"code\":" code                     \
	",\"message\":\"no\"}}"
#define ERROR_DATA(code, data)                                                           \
	"{\"jsonrpc\":\"2.0\",\"id\":%ID%,\"error\":{\"code\":" code                     \
	",\"message\":\"no\",\"data\":" data "}}"
#define DISCOVERED                                                                       \
	RESULT("\"resultType\":\"complete\",\"supportedVersions\":[\"2026-07-28\"],"     \
	       "\"capabilities\":{\"tools\":{}}")
#define PROGRESS                                                                         \
	"data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":"   \
	"{\"progressToken\":%ID%,\"progress\":1}}\n\n"

enum { SEEN_MAX = 64 };

struct seen {
	char verb[8], method[48], session[32], version[16], last_id[32];
	json_t *body;
};

struct world {
	struct httpd *httpd;
	struct http_client *http;
	pthread_mutex_t lock;
	struct seen seen[SEEN_MAX];
	size_t count;
	/* The script. */
	unsigned probe_status;
	const char *probe_body; /* "%ID%" becomes the id */
	unsigned initialize_status;
	unsigned refuse_versions;  /* so many probes get -32022 */
	unsigned sessions;         /* begun */
	unsigned good_session;     /* the one that is not gone */
	unsigned stale_headers;    /* so many calls get -32020 */
	bool breaks_stream;        /* of a legacy call, to be resumed */
	bool breaks_for_ever;      /* each time it is resumed */
	struct http_request *held; /* a modern call that is never answered */
	bool holds;
	atomic_bool is_gone;
	json_t *opened;   /* what elicit_url was given */
	const char *call; /* the answer to a modern tools/call; NULL: complete */
	unsigned rounds;
	bool is_sse;
	struct http_stream *stream; /* of HTTP+SSE */
	unsigned notified;
};

/* How often a method came, by verb; and the last time, which fails if there was none. */
unsigned eras_count(struct world *w, const char *verb, const char *method);
const struct seen *eras_last(struct world *w, const char *verb, const char *method);

/* One world a test, as its state. */
int eras_set_up(void **state);
int eras_tear_down(void **state);

#endif
