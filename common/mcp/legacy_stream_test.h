/*
 * legacy_stream_test -- for the tests of streams of requests: a tool that talks, and what
 * is heard of it. Included once, by a test whose rig this is.
 */
#ifndef MCP_LEGACY_STREAM_TEST_H
#define MCP_LEGACY_STREAM_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>
#include <sys/socket.h>

#include "fixture/peer.h"
#include "mcp/serving.h"

#define TALK(arguments) "\"name\":\"talk_slowly\",\"arguments\":{" arguments "}"
#define TOKEN           ",\"_meta\":{\"progressToken\":\"p\"}"
#define LEVEL(level)    "\"level\":\"" level "\""
#define CANCEL(id)                                                                       \
	"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{"       \
	"\"requestId\":" id "}}"

static inline void set_level(const struct peer *p, const char *params)
{
	_cleanup_answer_ struct answer a = peer_ask(p, "logging/setLevel", params);

	assert_int_equal(a.status, 200);
}

static inline int64_t said(const json_t *response)
{
	const json_t *result = json_object_get(response, "result");

	return json_get_int64(json_object_get(result, "structuredContent"), "said", -1);
}

/* Reads to the end: how many of this notification, and that the response came last. */
static inline size_t count(struct peer_stream *s, const char *method)
{
	json_t *message, *last = NULL;
	size_t found = 0;

	while ((message = peer_next(s))) {
		found += strcmp(json_get_string(message, "method") ?: "", method) == 0;
		json_decref(last);
		last = message;
	}
	assert_int_equal(json_get_int64(last, "id", 0), 7);
	assert_non_null(json_object_get(last, "result"));
	json_decref(last);
	return found;
}

static inline int resume(const struct peer *p, const char *id)
{
	char headers[160];

	(void)snprintf(headers, sizeof headers,
		       "Accept: text/event-stream\r\nLast-Event-ID: %s\r\n", id);
	_cleanup_answer_ struct answer a = peer_verb(p, "GET", headers);
	return a.status;
}

static inline void nap(void)
{
	const struct timespec time = { .tv_nsec = 5 * 1000 * 1000 };

	(void)nanosleep(&time, NULL);
}

/* Every request has been answered, to somebody or to nobody. */
static inline void wait_until_idle(const struct rig *rig)
{
	while (atomic_load(&rig->service->metrics.in_flight) > 0)
		nap();
}

/* One rig for all tests of the group. */
static struct rig rig;

static inline int set_up(void **state)
{
	(void)state;
	rig_open(&rig);
	/* That judges by the newest revision; here it is each by its own. */
	conform_free(TAKE(rig.conform));
	rig_config(&rig, "freed_reads: [echo_text, talk_slowly]\n"
			 "audit_freed_reads: false\nlimits: {calls_per_caller: 8}\n");
	rig_start(&rig);
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	rig_close(&rig);
	return 0;
}

#endif
