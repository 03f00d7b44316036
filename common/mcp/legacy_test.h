/*
 * legacy_test -- for the tests of questions in sessions: what is asked for, what is
 * answered, and what is seen of it inside. Included once, by a test whose rig this is.
 */
#ifndef MCP_LEGACY_TEST_H
#define MCP_LEGACY_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "fixture/peer.h"
#include "mcp/session_private.h"

#define ASK(kind) "\"name\":\"test_question\",\"arguments\":{\"kind\":\"" kind "\"}"
#define NAME      "{\"action\":\"accept\",\"content\":{\"name\":\"Ada\"}}"
#define SAMPLE                                                                           \
	"{\"role\":\"assistant\",\"model\":\"m\",\"content\":{\"type\":\"text\","        \
	"\"text\":"                                                                      \
	"\"Paris\"}}"
#define CANCEL                                                                           \
	"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{"       \
	"\"requestId\":7}}"

static inline const json_t *heard(const json_t *response)
{
	const json_t *result = json_object_get(response, "result");

	return json_object_get(json_object_get(result, "structuredContent"), "heard");
}

/* What the result of a tool that failed says. */
static inline const char *failure(const json_t *response)
{
	const json_t *result = json_object_get(response, "result");

	if (!json_is_true(json_object_get(result, "isError")))
		return "";
	return json_get_string(json_array_get(json_object_get(result, "content"), 0),
			       "text")
		       ?: "";
}

static inline bool says(const json_t *response, const char *word)
{
	bool good = strstr(failure(response), word) != NULL;

	if (!good)
		print_message("# no '%s' in '%s'\n", word, failure(response));
	return good;
}

static inline void refuse(const struct peer *p, const json_t *request)
{
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;

	strbuf_add_format(&body,
			  "{\"jsonrpc\":\"2.0\",\"id\":\"%s\",\"error\":{\"code\":-1,"
			  "\"message\":\"no\"}}",
			  json_get_string(request, "id"));
	_cleanup_answer_ struct answer a = peer_post(p, body.data);
	assert_int_equal(a.status, 202);
}

static inline struct session *find(const struct peer *p)
{
	struct caller caller;
	struct error err = ERROR_INIT;

	assert_true(token_index_find(p->rig->service->tokens, secret_bytes(p->token),
				     clock_wall_ms(), &caller, &err));
	struct session *s = session_find(p->rig->service->sessions, p->session, &caller,
					 clock_mono_ms());
	assert_non_null(s);
	return s;
}

static inline size_t open_questions(const struct peer *p)
{
	_cleanup_(session_unrefp) struct session *s = find(p);

	session_lock(s);
	size_t count = s->question_count;
	session_unlock(s);
	return count;
}

static inline void nap(void)
{
	const struct timespec time = { .tv_nsec = 5 * 1000 * 1000 };

	(void)nanosleep(&time, NULL);
}

/* One rig for all tests of the group. */
static struct rig rig;

static inline int set_up(void **state)
{
	(void)state;
	rig_open(&rig);
	/* That judges by the newest revision; here it is each by its own. */
	conform_free(TAKE(rig.conform));
	rig_config(&rig, "freed_reads: [echo_text, test_question, test_task]\n"
			 "freed_prompts: [greet_person]\n"
			 "audit_freed_reads: true\nlimits: {calls_per_caller: 40, "
			 "body_bytes: 65536}\n");
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
