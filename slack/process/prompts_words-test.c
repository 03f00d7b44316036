/* What is said of a call that was decided: while it runs, taken back, and in the end. */
#include "slack/process/prompts.h"

#include "base/testing.h"

static const int64_t now_ms = 1795434000000;

/* A record in 'state' since 'since_ms', with more of it as JSON text. */
static json_t *record_of(const char *state, int64_t since_ms, const char *more)
{
	struct error err = ERROR_INIT;
	json_auto_t *rest = json_parse(more, strlen(more), JSON_CONTRACT, &err);
	json_auto_t *record = json_pack("{s:s, s:[{s:s, s:I}, {s:s, s:I}], s:{s:I}}",
					"state", state, "history", "state", "approved",
					"at", (json_int_t)(since_ms - 5000), "state",
					state, "at", (json_int_t)since_ms, "grant_claims",
					"exp", (json_int_t)(since_ms / 1000 + 60));

	testing_no_error(&err);
	assert_int_equal(json_object_update(record, rest), 0);
	return TAKE(record);
}

static void expect(const char *state, int64_t since_ms, const char *more,
		   const char *progress, const char *wanted)
{
	struct error err = ERROR_INIT;
	json_auto_t *record = record_of(state, since_ms, more);
	json_auto_t *said =
		progress ? json_parse(progress, strlen(progress), JSON_CONTRACT, &err)
			 : NULL;
	_cleanup_free_ char *how = prompts_how(record, said, now_ms);

	assert_non_null(how);
	if (!strstr(how, wanted))
		fail_msg("no \"%s\" in:\n%s", wanted, how);
}

static void test_running(void **state)
{
	json_auto_t *now = record_of("granted", now_ms - PROMPTS_STILL_MS + 1, "{}");
	_cleanup_free_ char *how = prompts_how(now, NULL, now_ms);

	(void)state;
	assert_null(strstr(how, "still running"));
	assert_null(strstr(how, "its server says"));
	expect("granted", now_ms - PROMPTS_STILL_MS, "{}", NULL,
	       "still running since 2026-11-23T11:39:30Z, for 30 s");
	expect("executing", now_ms - 95000, "{}", NULL, "for 95 s");
	expect("executing", now_ms - 1000, "{}",
	       "{\"at\":1,\"done\":3,\"total\":10,\"words\":\"step\"}",
	       "its server says: 3 of 10 (30 %), step");
	expect("granted", now_ms, "{}", "{\"at\":1,\"done\":2.5}", "says: 2.5");
	/* What is over is not at anything any more. */
	json_auto_t *over = record_of("succeeded", now_ms, "{}");
	json_auto_t *said = json_pack("{s:f}", "done", 1.0);
	_cleanup_free_ char *end = prompts_how(over, said, now_ms);
	assert_null(strstr(end, "its server says"));
	assert_int_equal(prompts_ran_ms(over, now_ms + 5), 0);
}

static void test_hostile_words(void **state)
{
	static const char *const progress[] = {
		"{\"done\":1,\"words\":\"\\u202e ghp_0123456789abcdefghij0123 \\u0007\"}",
		"{\"done\":1e308,\"total\":1,\"words\":\"x\"}",
		"{\"done\":-1,\"total\":5}",
	};
	struct error err = ERROR_INIT;
	json_auto_t *record = record_of("granted", now_ms, "{}");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(progress); i++) {
		json_auto_t *said =
			json_parse(progress[i], strlen(progress[i]), JSON_SYNTAX, &err);
		_cleanup_free_ char *how = prompts_how(record, said, now_ms);

		testing_no_error(&err);
		assert_null(strstr(how, "ghp_"));
		assert_null(strstr(how, "\xE2\x80\xAE"));
		assert_null(strchr(how, '\a'));
		assert_null(strstr(how, "%)"));
	}
}

#define REVOKE "{\"revoke\":{\"by\":\"bob@x.com\",\"at\":1795434000000"

static void test_taken_back(void **state)
{
	(void)state;
	expect("granted", now_ms, REVOKE "}}", NULL,
	       "taken back by bob@x.com, 2026-11-23T11:40:00Z: its server is asked");
	expect("granted", now_ms, REVOKE ",\"late\":1}}", NULL, "no longer be stopped");
	expect("executing", now_ms, REVOKE ",\"why\":\"wrong\"}}", NULL, "Z, wrong: its");
	expect("refused", now_ms, REVOKE "}}", NULL, "nothing of it ran");
	expect("failed", now_ms, REVOKE "}}", NULL, "nothing of it ran");
	expect("failed", now_ms, REVOKE ",\"late\":1}}", NULL, "no longer be stopped");
	expect("succeeded", now_ms, REVOKE "}}", NULL, "no longer be stopped");
	expect("unknown", now_ms, REVOKE "}}", NULL, "nobody knows");
}

static void test_paused(void **state)
{
	json_auto_t *one = record_of("denied", now_ms, "{}");
	_cleanup_free_ char *how = prompts_how(one, NULL, now_ms);

	(void)state;
	assert_null(strstr(how, "nothing more is asked"));
	expect("denied", now_ms, "{\"paused_until\":1795434600000}", NULL,
	       "were denied: nothing more is asked until 2026-11-23T11:50:00Z");
}

static bool may_stop(const char *state, int64_t since_ms, const char *more)
{
	json_auto_t *record = record_of(state, since_ms, more);

	return prompts_may_stop(record, now_ms);
}

static void test_who_may_stop(void **state)
{
	(void)state;
	assert_true(may_stop("approved", now_ms, "{}"));
	assert_true(may_stop("granted", now_ms - 60000, "{}"));
	assert_true(may_stop("executing", now_ms - 60000, "{}"));
	/* Past the grant's expiry there is nothing left to take back. */
	assert_false(may_stop("executing", now_ms - 61000, "{}"));
	assert_true(may_stop("executing", now_ms - 61000, "{\"calls\":[]}"));
	assert_false(may_stop("granted", now_ms, REVOKE "}}"));
	assert_false(may_stop("succeeded", now_ms, "{}"));
	assert_false(may_stop("pending", now_ms, "{}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_running),      cmocka_unit_test(test_hostile_words),
		cmocka_unit_test(test_taken_back),   cmocka_unit_test(test_paused),
		cmocka_unit_test(test_who_may_stop),
	};

	return cmocka_run_group_tests_name("slack-prompts-words", tests, NULL, NULL);
}
