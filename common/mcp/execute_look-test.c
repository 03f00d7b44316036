/* A look at what became of a grant, and taking one back: neither runs anything. */
#include <pthread.h>

#include "mcp/testing_execute.h"

/* The gate may ask what became of a grant without it being used by that. */
static void a_look_runs_nothing(void **state)
{
	struct plan_case *c = *state;
	static const char *const values[] = { "true", "false", "null", "\"yes\"" };

	plan(c);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		assert_told(look(c, c->rig.gate, values[i]), "unused");
	assert_int_equal(rig_runs(&c->rig), 0);
	_cleanup_answer_ struct answer a = present(c);
	assert_string_equal(answer_state(&a), "succeeded");
	assert_told(look(c, c->rig.gate, "true"), "succeeded");
	assert_int_equal(rig_runs(&c->rig), 1);
	_cleanup_answer_ struct answer client = look(c, c->rig.alice, "true");
	assert_string_equal(answer_code(&client), "approval_invalid");
	assert_null(strstr(client.text, "\"state\""));
}

/* What people take back is burnt, unless it ran before: nothing runs with it any more. */
static void a_grant_that_was_taken_back(void **state)
{
	struct plan_case *c = *state;
	static const char *const values[] = { "true", "false", "null" };

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		plan(c);
		assert_told(ask(c, c->rig.gate, META_REVOKE, values[i]), "revoked");
		assert_told(present(c), "revoked");
		assert_told(look(c, c->rig.gate, "true"), "revoked");
		assert_told(ask(c, c->rig.gate, META_REVOKE, "true"), "revoked");
	}
	assert_int_equal(rig_runs(&c->rig), 0);
	assert_int_equal(rig_count_audit(&c->rig, "call.started"), 0);
	assert_int_equal(rig_count_audit(&c->rig, "call.revoked"), ARRAY_SIZE(values));
	rig_stop(&c->rig);
	rig_start(&c->rig);
	assert_told(look(c, c->rig.gate, "true"), "revoked");
}

static void taken_back_too_late_or_by_others(void **state)
{
	struct plan_case *c = *state;

	plan(c);
	_cleanup_answer_ struct answer client = ask(c, c->rig.alice, META_REVOKE, "true");
	assert_string_equal(answer_code(&client), "approval_invalid");
	/* With a grant for another call nothing is burnt of this one. */
	const struct grant good = c->grant;
	digest_sha256_hex("x", 1, c->grant.args);
	_cleanup_answer_ struct answer other = ask(c, c->rig.gate, META_REVOKE, "true");
	assert_string_equal(answer_code(&other), "approval_invalid");
	c->grant = good;
	_cleanup_answer_ struct answer a = present(c);
	assert_string_equal(answer_state(&a), "succeeded");
	assert_told(ask(c, c->rig.gate, META_REVOKE, "true"), "succeeded");
	assert_int_equal(rig_runs(&c->rig), 1);
}

/* One of them is first, whoever it is, and the other says so too. */
static void *take_back_in_a_thread(void *argument)
{
	struct plan_case *c = argument;
	struct answer a = ask(c, c->rig.gate, META_REVOKE, "true");

	answer_done(&a);
	return NULL;
}

static void taken_back_while_it_begins(void **state)
{
	struct plan_case *c = *state;

	for (int i = 0; i < 20; i++) {
		const size_t before = rig_runs(&c->rig);
		pthread_t thread;

		plan(c);
		assert_int_equal(pthread_create(&thread, NULL, take_back_in_a_thread, c),
				 0);
		struct answer a = present(c);
		assert_int_equal(pthread_join(thread, NULL), 0);
		answer_done(&a);
		bool ran = rig_runs(&c->rig) > before;
		assert_told(look(c, c->rig.gate, "true"), ran ? "succeeded" : "revoked");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_CASE(a_look_runs_nothing),
		WITH_CASE(a_grant_that_was_taken_back),
		WITH_CASE(taken_back_too_late_or_by_others),
		WITH_CASE(taken_back_while_it_begins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
