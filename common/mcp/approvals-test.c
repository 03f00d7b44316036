/* Direct clients: what the gate says decides, and without a gate nothing runs. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "fixture/rig.h"
#include "wire/httpd.h"

#define PUT "{\"key\":\"colour\",\"reason\":\"because\",\"value\":\"red\"}"

/* A gate that answers what the test wants. */
struct mock {
	struct rig rig;
	struct httpd *httpd;
	pthread_mutex_t lock;
	unsigned status;
	char reply[32768];
	char registered[4096];
	char outcome[4096];
	char outcome_path[128];
	char authorization[128];
	unsigned delay_ms;
};

static void copy_body(struct http_request *req, char *to, size_t size)
{
	size_t length;
	const char *body = http_request_body(req, &length);

	(void)snprintf(to, size, "%.*s", (int)length, body);
}

static void answer_as_gate(void *context, struct http_request *req)
{
	struct mock *m = context;
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
	unsigned status;

	pthread_mutex_lock(&m->lock);
	status = m->status;
	(void)snprintf(m->authorization, sizeof m->authorization, "%s",
		       http_request_header(req, "Authorization") ?: "");
	if (strcmp(http_request_path(req), "/approvals") == 0) {
		copy_body(req, m->registered, sizeof m->registered);
		strbuf_add_string(&body, m->reply);
	} else {
		copy_body(req, m->outcome, sizeof m->outcome);
		(void)snprintf(m->outcome_path, sizeof m->outcome_path, "%s",
			       http_request_path(req));
		strbuf_add_string(&body, "{}");
		status = 200;
	}
	pthread_mutex_unlock(&m->lock);
	if (m->delay_ms)
		(void)usleep(m->delay_ms * 1000);
	http_reply(req, status, "application/json", NULL, &body);
}

_printf_(2, 0) static void fill_reply(struct mock *m, const char *format, va_list args)
{
	(void)vsnprintf(m->reply, sizeof m->reply, format, args);
}

static void say(struct mock *m, unsigned status, const char *format, ...) _printf_(3, 4);
static void say(struct mock *m, unsigned status, const char *format, ...)
{
	va_list args;

	pthread_mutex_lock(&m->lock);
	m->status = status;
	va_start(args, format);
	fill_reply(m, format, args);
	va_end(args);
	pthread_mutex_unlock(&m->lock);
}

static int set_up(void **state)
{
	struct mock *m = calloc(1, sizeof *m);
	const struct httpd_config config = {
		.address = "127.0.0.1",
		.loops = 1,
		.handler = answer_as_gate,
		.context = m,
	};
	struct error err = ERROR_INIT;
	char yaml[256];

	pthread_mutex_init(&m->lock, NULL);
	rig_open(&m->rig);
	m->httpd = httpd_start(&config, &err);
	assert_non_null(m->httpd);
	_cleanup_free_ char *path = statedir_path(m->rig.dir, "tokens/fixture.token");
	assert_true(file_write(path, "wm_secret\n", 10, 0600, &err));
	(void)snprintf(yaml, sizeof yaml,
		       "gate: {url: 'http://127.0.0.1:%u/'}\nfreed_reads: [echo_text]\n"
		       "limits: {calls_per_caller: 3, workers: 8}\n",
		       httpd_port(m->httpd));
	rig_config(&m->rig, yaml);
	rig_start(&m->rig);
	*state = m;
	return 0;
}

static int tear_down(void **state)
{
	struct mock *m = *state;

	rig_close(&m->rig);
	if (m->httpd)
		httpd_stop(m->httpd, 0);
	pthread_mutex_destroy(&m->lock);
	free(m);
	return 0;
}

static struct answer call(struct mock *m)
{
	return rig_call(&m->rig, m->rig.alice, "put_value", PUT, NULL, NULL);
}

static void a_call_is_registered_and_waits(void **state)
{
	struct mock *m = *state;
	struct error err = ERROR_INIT;

	say(m, 200,
	    "{\"approval\":\"A-1\",\"state\":\"pending\",\"where\":\"a terminal\","
	    "\"retry_after_ms\":1500}");
	_cleanup_answer_ struct answer a = call(m);
	const json_t *error = json_object_get(
		json_object_get(answer_result(&a), "structuredContent"), "error");
	const json_t *details = json_object_get(error, "details");

	assert_string_equal(answer_code(&a), "approval_required");
	assert_non_null(
		strstr(json_get_string(error, "hint"), "wingman approvals show A-1"));
	assert_string_equal(json_get_string(details, "approval"), "A-1");
	assert_string_equal(json_get_string(details, "state"), "pending");
	assert_int_equal(json_get_int64(details, "retry_after_s", 0), 2);
	assert_string_equal(json_get_string(json_object_get(answer_result(&a), "_meta"),
					    META_APPROVAL),
			    "A-1");
	json_auto_t *sent =
		json_parse(m->registered, strlen(m->registered), JSON_CONTRACT, &err);
	assert_int_equal(json_get_int64(sent, "v", 0), 1);
	assert_string_equal(json_get_string(sent, "tool"), "put_value");
	assert_string_equal(json_get_string(sent, "principal"), "alice@example.org");
	assert_non_null(json_get_string(sent, "client"));
	assert_string_equal(json_get_string(json_object_get(sent, "arguments"), "value"),
			    "red");
	assert_string_equal(m->authorization, "Bearer wm_secret");
	assert_int_equal(rig_runs(&m->rig), 0);
}

/* The gate asks for the plan on its own way and then gives a grant. */
static void grant_it(struct mock *m, const char *requester)
{
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	_cleanup_free_ char *sealed = NULL;
	struct error err = ERROR_INIT;
	struct grant g;

	rig_plan(&m->rig, PUT, &g, &sealed);
	(void)snprintf(g.id, sizeof g.id, "A-2");
	(void)snprintf(g.requester, sizeof g.requester, "%s", requester);
	assert_true(grant_sign(&word, &g, m->rig.key, &err));
	say(m, 200,
	    "{\"approval\":\"A-2\",\"state\":\"granted\",\"grant\":\"%s\",\"request_"
	    "state\":\"%s\"}",
	    word.data, sealed);
}

static void a_grant_is_carried_out_and_reported(void **state)
{
	struct mock *m = *state;
	struct error err = ERROR_INIT;

	grant_it(m, "alice@example.org");
	_cleanup_answer_ struct answer a = call(m);
	assert_string_equal(answer_state(&a), "succeeded");
	assert_null(json_object_get(answer_result(&a), "isError"));
	assert_int_equal(rig_runs(&m->rig), 1);
	json_auto_t *told =
		json_parse(m->outcome, strlen(m->outcome), JSON_CONTRACT, &err);
	assert_string_equal(m->outcome_path, "/approvals/A-2/outcome");
	assert_string_equal(json_get_string(told, "state"), "succeeded");
	assert_true(digest_is_hex(json_get_string(told, "result_digest")));
	assert_string_equal(
		json_get_string(json_object_get(told, "server_head"), "program"),
		"fixture");
	/* The same grant once more runs nothing. */
	_cleanup_answer_ struct answer again = call(m);
	assert_string_equal(answer_code(&again), "approval_invalid");
	assert_int_equal(rig_runs(&m->rig), 1);
	/* Repeated after it ended: the recorded outcome, to the same person alone. */
	say(m, 200, "{\"approval\":\"A-2\",\"state\":\"succeeded\"}");
	_cleanup_answer_ struct answer later = call(m);
	assert_true(
		json_equal(json_object_get(answer_result(&later), "structuredContent"),
			   json_object_get(answer_result(&a), "structuredContent")));
	assert_int_equal(rig_runs(&m->rig), 1);
}

static void a_grant_for_somebody_else(void **state)
{
	struct mock *m = *state;

	grant_it(m, "dave@example.org");
	_cleanup_answer_ struct answer a = call(m);
	assert_string_equal(answer_code(&a), "approval_invalid");
	assert_non_null(strstr(m->outcome, "\"refused\""));
	assert_int_equal(rig_runs(&m->rig), 0);
}

/* A read has no state that would give it away; the grant itself must be for the caller. */
static void a_read_granted_to_somebody_else(void **state)
{
	static const char *const requesters[] = { "dave@example.org",
						  "alice@example.org" };
	struct mock *m = *state;

	for (size_t i = 0; i < ARRAY_SIZE(requesters); i++) {
		_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
		struct error err = ERROR_INIT;
		struct grant g = rig_grant(&m->rig, "get_route", "{}");

		(void)snprintf(g.requester, sizeof g.requester, "%s", requesters[i]);
		assert_true(grant_sign(&word, &g, m->rig.key, &err));
		say(m, 200,
		    "{\"approval\":\"%s\",\"state\":\"granted\",\"grant\":\"%s\"}", g.id,
		    word.data);
		_cleanup_answer_ struct answer a =
			rig_call(&m->rig, m->rig.alice, "get_route", "{}", NULL, NULL);
		assert_string_equal(answer_code(&a), i == 0 ? "approval_invalid" : "");
		assert_string_equal(answer_state(&a), i == 0 ? "" : "succeeded");
	}
}

static void states_and_what_they_mean(void **state)
{
	static const struct {
		const char *state, *code;
	} rows[] = {
		{ "proposed", "approval_required" },
		{ "planned", "approval_required" },
		{ "approved", "approval_required" },
		{ "granted", "approval_required" },
		{ "executing", "conflict" },
		{ "succeeded", "conflict" },
		{ "failed", "conflict" },
		{ "unknown", "conflict" },
		{ "denied", "permission_denied" },
		{ "expired", "permission_denied" },
		{ "superseded", "permission_denied" },
		{ "cancelled", "permission_denied" },
		{ "revoked", "permission_denied" },
		{ "lapsed", "permission_denied" },
		{ "refused", "permission_denied" },
		{ "happy", "backend_unavailable" },
		{ "", "backend_unavailable" },
		{ "e", "backend_unavailable" },
	};
	struct mock *m = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		say(m, 200, "{\"approval\":\"A-3\",\"state\":\"%s\"}", rows[i].state);
		_cleanup_answer_ struct answer a = call(m);
		if (strcmp(answer_code(&a), rows[i].code) != 0)
			print_message("# %s: %s\n", rows[i].state, a.text);
		assert_string_equal(answer_code(&a), rows[i].code);
	}
	assert_int_equal(rig_runs(&m->rig), 0);
}

static void odd_answers_run_nothing(void **state)
{
	static const struct {
		unsigned status;
		const char *reply, *code;
	} rows[] = {
		{ 200, "", "backend_unavailable" },
		{ 200, "[]", "backend_unavailable" },
		{ 200, "{}", "backend_unavailable" },
		{ 200, "{\"approval\":7,\"state\":\"granted\"}", "backend_unavailable" },
		{ 200, "{\"approval\":\"../../x\",\"state\":\"pending\"}",
		  "backend_unavailable" },
		{ 200, "{\"approval\":\"A\",\"state\":\"granted\",\"grant\":\"junk\"}",
		  "approval_invalid" },
		{ 200, "{\"approval\":\"A\",\"state\":\"granted\",\"grant\":7}",
		  "approval_required" },
		{ 500, "{\"approval\":\"A\",\"state\":\"granted\",\"grant\":\"x.y\"}",
		  "backend_unavailable" },
		{ 401, "{}", "backend_unavailable" },
		{ 403, "{}", "backend_unavailable" },
		{ 200, "{\"error\":{\"code\":\"ambiguous\"}}", "ambiguous" },
		{ 422, "{\"error\":{\"code\":\"protected\"}}", "protected" },
		{ 200, "{\"error\":{\"code\":\"no such code\"}}", "backend_unavailable" },
		{ 200, "{\"error\":{\"code\":\"none\"}}", "backend_unavailable" },
	};
	struct mock *m = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		say(m, rows[i].status, "%s", rows[i].reply);
		_cleanup_answer_ struct answer a = call(m);
		if (strcmp(answer_code(&a), rows[i].code) != 0)
			print_message("# %s: %s\n", rows[i].reply, a.text);
		assert_string_equal(answer_code(&a), rows[i].code);
		assert_true(json_is_true(json_object_get(answer_result(&a), "isError")));
	}
	assert_int_equal(rig_runs(&m->rig), 0);
}

/* A read that is freed here is asked of the gate all the same, where there is one. */
static void a_freed_read_wants_the_gate(void **state)
{
	struct mock *m = *state;

	say(m, 200, "{\"approval\":\"A-4\",\"state\":\"pending\"}");
	_cleanup_answer_ struct answer a = rig_call(&m->rig, m->rig.bob, "echo_text",
						    "{\"text\":\"x\"}", NULL, NULL);
	assert_string_equal(answer_code(&a), "approval_required");
}

static void a_gate_that_is_gone(void **state)
{
	struct mock *m = *state;

	httpd_stop(TAKE(m->httpd), 0);
	_cleanup_answer_ struct answer a = call(m);
	assert_string_equal(answer_code(&a), "backend_unavailable");
	assert_int_equal(rig_runs(&m->rig), 0);
}

static void *call_slowly(void *argument)
{
	struct answer a = call(argument);

	answer_done(&a);
	return NULL;
}

/* Three wait for a slow gate; the fourth of the same client is told to come back. */
static void calls_of_one_client_have_a_number(void **state)
{
	struct mock *m = *state;
	pthread_t threads[3];

	say(m, 200, "{\"approval\":\"A-5\",\"state\":\"pending\"}");
	m->delay_ms = 500;
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, call_slowly, m), 0);
	(void)usleep(200 * 1000);
	_cleanup_answer_ struct answer a = call(m);
	assert_string_equal(answer_code(&a), "rate_limited");
	/* Another client is served. */
	_cleanup_answer_ struct answer other = rig_call(&m->rig, m->rig.bob, "echo_text",
							"{\"text\":\"x\"}", NULL, NULL);
	assert_string_equal(answer_code(&other), "approval_required");
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	m->delay_ms = 0;
	_cleanup_answer_ struct answer later = call(m);
	assert_string_equal(answer_code(&later), "approval_required");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_call_is_registered_and_waits),
		TEST(a_grant_is_carried_out_and_reported),
		TEST(a_grant_for_somebody_else),
		TEST(a_read_granted_to_somebody_else),
		TEST(states_and_what_they_mean),
		TEST(odd_answers_run_nothing),
		TEST(a_freed_read_wants_the_gate),
		TEST(a_gate_that_is_gone),
		TEST(calls_of_one_client_have_a_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
