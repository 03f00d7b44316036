/* The promise of APPROVALS.md, step 6, over real HTTP: what is refused runs nothing. */
#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "mcp/testing_execute.h"

#define PUT_BLUE "{\"key\":\"colour\",\"reason\":\"because\",\"value\":\"blue\"}"

/* ---- What works ---- */

static void a_grant_runs_once_and_says_so(void **state)
{
	struct plan_case *c = *state;

	plan(c);
	_cleanup_answer_ struct answer a = present(c);
	const json_t *meta = json_object_get(answer_result(&a), "_meta");
	const json_t *outcome = json_object_get(meta, META_OUTCOME);
	const json_t *head = json_object_get(outcome, "server_head");

	assert_string_equal(answer_state(&a), "succeeded");
	assert_string_equal(json_get_string(outcome, "approval"), c->grant.id);
	assert_true(json_is_true(json_object_get(outcome, "verified")));
	assert_string_equal(json_get_string(head, "program"), "fixture");
	assert_true(digest_is_hex(json_get_string(head, "hash")));
	_cleanup_free_ char *value = rig_read(&c->rig, "fixture/values/colour");
	assert_string_equal(value, "red");
	_cleanup_free_ char *runs = rig_read(&c->rig, "fixture/runs");
	assert_non_null(strstr(runs, "alice@example.org carol@example.org"));
	assert_int_equal(rig_count_audit(&c->rig, "call.started"), 1);
	assert_int_equal(rig_count_audit(&c->rig, "call.finished"), 1);
	_cleanup_free_ char *log = rig_read(&c->rig, "audit/fixture.jsonl");
	assert_non_null(strstr(log, "\"gate_head\""));
	/* Values of arguments stay out of the log. */
	assert_null(strstr(log, "because"));
}

static void a_replay_gets_the_outcome_and_runs_nothing(void **state)
{
	struct plan_case *c = *state;

	plan(c);
	_cleanup_answer_ struct answer first = present(c);
	assert_string_equal(answer_state(&first), "succeeded");
	_cleanup_answer_ struct answer again = present(c);
	const json_t *structured =
		json_object_get(answer_result(&again), "structuredContent");
	const json_t *details =
		json_object_get(json_object_get(structured, "error"), "details");

	assert_string_equal(answer_code(&again), "approval_invalid");
	assert_string_equal(json_get_string(details, "state"), "succeeded");
	assert_true(json_equal(
		json_object_get(json_object_get(details, "outcome"), "structuredContent"),
		json_object_get(answer_result(&first), "structuredContent")));
	assert_int_equal(rig_runs(&c->rig), 1);
	/* For other arguments not even the outcome. */
	_cleanup_answer_ struct answer other =
		rig_present(&c->rig, &c->grant, c->rig.key, PUT_BLUE, c->state);
	assert_string_equal(answer_code(&other), "approval_invalid");
	assert_null(strstr(other.text, "outcome"));
	assert_int_equal(rig_runs(&c->rig), 1);
}

struct racer {
	pthread_t thread;
	const struct plan_case *c;
	bool won, was_told;
};

static void *race(void *argument)
{
	struct racer *r = argument;
	struct answer a = present(r->c);

	r->won = strcmp(answer_state(&a), "succeeded") == 0;
	r->was_told = strcmp(answer_code(&a), "approval_invalid") == 0 &&
		      strstr(a.text, "\"state\"");
	answer_done(&a);
	return NULL;
}

/* All of them have looked for a burn and found none before the first one burns. */
static void of_many_at_once_one_runs(void **state)
{
	struct plan_case *c = *state;
	struct racer racers[12];
	unsigned won = 0;

	plan(c);
	rig_touch(&c->rig, "hold-plan");
	for (size_t i = 0; i < ARRAY_SIZE(racers); i++) {
		racers[i] = (struct racer){ .c = c };
		assert_int_equal(
			pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
	}
	rig_wait_for(&c->rig, "held-plan");
	(void)usleep(300 * 1000);
	rig_remove(&c->rig, "hold-plan");
	for (size_t i = 0; i < ARRAY_SIZE(racers); i++) {
		pthread_join(racers[i].thread, NULL);
		won += racers[i].won;
		/* Also who planned after the act: that the world is another now is
		 * the doing of this very call, and no reason to say that it failed. */
		assert_int_not_equal(racers[i].won, racers[i].was_told);
	}
	assert_int_equal(won, 1);
	assert_int_equal(rig_runs(&c->rig), 1);
}

/* The gate says 'nothing ran' once a grant has expired unused: that must stay true. */
static void a_grant_that_expires_meanwhile_runs_nothing(void **state)
{
	struct plan_case *c = *state;
	struct racer racer = { .c = c };

	plan(c);
	c->grant.exp = clock_wall_ms() / 1000 + 2;
	rig_touch(&c->rig, "hold-plan");
	assert_int_equal(pthread_create(&racer.thread, NULL, race, &racer), 0);
	rig_wait_for(&c->rig, "held-plan");
	while (clock_wall_ms() / 1000 < c->grant.exp)
		(void)usleep(50 * 1000);
	rig_remove(&c->rig, "hold-plan");
	pthread_join(racer.thread, NULL);
	assert_false(racer.won);
	assert_refused(c, present(c), "approval_invalid");
}

static void a_read_runs_with_a_grant(void **state)
{
	struct plan_case *c = *state;

	c->grant = rig_grant(&c->rig, "get_route", "{}");
	_cleanup_answer_ struct answer a =
		rig_present(&c->rig, &c->grant, c->rig.key, "{}", NULL);
	assert_string_equal(answer_state(&a), "succeeded");
	_cleanup_answer_ struct answer again =
		rig_present(&c->rig, &c->grant, c->rig.key, "{}", NULL);
	assert_string_equal(answer_code(&again), "approval_invalid");
}

/* ---- What does not ---- */

static void an_altered_grant(void **state)
{
	struct plan_case *c = *state;
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT, meta = STRBUF_INIT;
	struct error err = ERROR_INIT;

	plan(c);
	assert_true(grant_sign(&word, &c->grant, c->rig.key, &err));
	/* Every 7th character changed in turn: payload, point and signature. */
	for (size_t i = 0; i < word.length; i += 7) {
		char was = word.data[i];

		word.data[i] = was == 'A' ? 'B' : 'A';
		strbuf_clear(&meta);
		strbuf_add_format(&meta, ",\"" META_GRANT "\":\"%s\"", word.data);
		assert_refused(c,
			       rig_call(&c->rig, c->rig.gate, "put_value", PUT, meta.data,
					c->state),
			       "approval_invalid");
		word.data[i] = was;
	}
}

static void a_grant_by_an_unknown_key(void **state)
{
	struct plan_case *c = *state;
	_cleanup_free_ char *path = statedir_path(c->rig.dir, "keys/stranger.key");
	struct error err = ERROR_INIT;
	_cleanup_(sign_key_freep) struct sign_key *stranger = sign_key_create(path, &err);

	plan(c);
	assert_refused(c, rig_present(&c->rig, &c->grant, stranger, PUT, c->state),
		       "approval_invalid");
}

static void a_grant_for_something_else(void **state)
{
	struct plan_case *c = *state;
	struct grant good;

	plan(c);
	good = c->grant;
	/* other arguments */
	assert_refused(c, rig_present(&c->rig, &good, c->rig.key, PUT_BLUE, c->state),
		       "approval_invalid");
	/* another tool */
	c->grant = rig_grant(&c->rig, "get_route", PUT);
	memcpy(c->grant.plan, good.plan, sizeof good.plan);
	(void)snprintf(c->grant.tool, sizeof c->grant.tool, "get_route");
	_cleanup_strbuf_ struct strbuf meta = STRBUF_INIT;
	struct error err = ERROR_INIT;
	strbuf_add_string(&meta, ",\"" META_GRANT "\":\"");
	assert_true(grant_sign(&meta, &c->grant, c->rig.key, &err));
	strbuf_add_char(&meta, '"');
	assert_refused(
		c, rig_call(&c->rig, c->rig.gate, "put_value", PUT, meta.data, c->state),
		"approval_invalid");
	/* another server, another instance, another definition */
	c->grant = good;
	(void)snprintf(c->grant.server, sizeof c->grant.server, "elsewhere");
	assert_refused(c, present(c), "approval_invalid");
	c->grant = good;
	(void)snprintf(c->grant.aud, sizeof c->grant.aud, "fixture-2");
	assert_refused(c, present(c), "approval_invalid");
	c->grant = good;
	digest_sha256_hex("x", 1, c->grant.pin);
	assert_refused(c, present(c), "approval_invalid");
	/* another requester than the plan was made for */
	c->grant = good;
	(void)snprintf(c->grant.requester, sizeof c->grant.requester, "dave@example.org");
	assert_refused(c, present(c), "approval_invalid");
	/* After all that the right one is still good: refusals burn nothing. */
	c->grant = good;
	_cleanup_answer_ struct answer a = present(c);
	assert_string_equal(answer_state(&a), "succeeded");
}

static void wait_until_s(int64_t second)
{
	while (clock_wall_ms() / 1000 < second)
		(void)usleep(20 * 1000);
}

/* Of a grant from before the store's epoch it is said what that store can know of it. */
static void a_grant_from_before_the_epoch(void **state)
{
	struct plan_case *c = *state;
	char path[128];

	plan(c);
	wait_until_s(c->grant.iat + 1);
	rig_stop(&c->rig);
	rig_start(&c->rig);
	assert_told(look(c, c->rig.gate, "true"), "void");
	assert_told(present(c), "void");
	/* Expired as well: it is no less from before. */
	c->grant.exp = c->grant.iat + 1;
	assert_told(present(c), "void");
	rig_stop(&c->rig);
	(void)snprintf(path, sizeof path, "%s/fixture/coordination.db", c->rig.root);
	assert_int_equal(unlink(path), 0);
	rig_start(&c->rig);
	assert_told(look(c, c->rig.gate, "true"), "forgotten");
	assert_told(present(c), "forgotten");
	assert_int_equal(rig_runs(&c->rig), 0);
}

/* A replica with a store of its own, though it has the key: it takes neither what the other
 * planned nor a state of its own for it. */
static void a_plan_of_another_store(void **state)
{
	struct plan_case *c = *state;
	struct grant grant;
	char path[128];

	plan(c);
	grant = c->grant;
	rig_stop(&c->rig);
	(void)snprintf(path, sizeof path, "%s/fixture/coordination.db", c->rig.root);
	assert_int_equal(unlink(path), 0);
	rig_start(&c->rig);
	wait_until_s(clock_wall_ms() / 1000 + 1);
	/* as if signed now: its epoch is not what stops it */
	grant.iat = clock_wall_ms() / 1000;
	grant.exp = grant.iat + 60;
	c->grant = grant;
	_cleanup_answer_ struct answer a = present(c);
	assert_string_equal(answer_code(&a), "approval_invalid");
	assert_non_null(strstr(a.text, "another store"));
	plan(c);
	assert_string_not_equal(c->grant.plan, grant.plan);
	c->grant = grant;
	_cleanup_answer_ struct answer b = present(c);
	assert_string_equal(answer_code(&b), "approval_invalid");
	assert_int_equal(rig_runs(&c->rig), 0);
}

static void a_grant_of_another_time(void **state)
{
	struct plan_case *c = *state;
	int64_t now = clock_wall_ms() / 1000;

	plan(c);
	c->grant.iat = now - 61;
	c->grant.exp = now - 1;
	assert_refused(c, present(c), "approval_invalid");
	c->grant.iat = now + GRANT_AHEAD_MAX_S + 5;
	c->grant.exp = c->grant.iat + GRANT_TTL_S;
	assert_refused(c, present(c), "approval_invalid");
	/* Signed before the store's epoch, though it has not expired. */
	c->grant.iat = now - 30;
	c->grant.exp = now + 30;
	assert_refused(c, present(c), "approval_invalid");
}

static void a_write_without_plan_state_or_approver(void **state)
{
	struct plan_case *c = *state;
	_cleanup_free_ char *sealed = NULL;
	struct grant other;

	plan(c);
	assert_refused(c, rig_present(&c->rig, &c->grant, c->rig.key, PUT, NULL),
		       "approval_invalid");
	assert_refused(c, rig_present(&c->rig, &c->grant, c->rig.key, PUT, "v1.AAAA"),
		       "approval_invalid");
	/* The state of a plan for other arguments. */
	rig_plan(&c->rig, PUT_BLUE, &other, &sealed);
	assert_refused(c, rig_present(&c->rig, &c->grant, c->rig.key, PUT, sealed),
		       "approval_invalid");
	c->state[strlen(c->state) / 2] ^= 1;
	assert_refused(c, present(c), "approval_invalid");
	c->state[strlen(c->state) / 2] ^= 1;
	struct grant good = c->grant;
	c->grant.plan[0] = '\0';
	assert_refused(c, present(c), "approval_invalid");
	c->grant = good;
	c->grant.approver_count = 1;
	_cleanup_answer_ struct answer a = present(c);
	assert_string_equal(answer_state(&a), "succeeded");
}

static void too_few_approvers_for_the_plan(void **state)
{
	static const char important[] =
		"{\"key\":\"important\",\"reason\":\"because\",\"value\":\"red\"}";
	struct plan_case *c = *state;

	rig_plan(&c->rig, important, &c->grant, &c->state);
	assert_refused(c,
		       rig_present(&c->rig, &c->grant, c->rig.key, important, c->state),
		       "approval_invalid");
	c->grant.approver_count = 2;
	(void)snprintf(c->grant.approvers[1], sizeof c->grant.approvers[1],
		       "dan@example.org");
	_cleanup_answer_ struct answer a =
		rig_present(&c->rig, &c->grant, c->rig.key, important, c->state);
	assert_string_equal(answer_state(&a), "succeeded");
}

static void a_freed_read_is_freed_on_both_sides(void **state)
{
	struct plan_case *c = *state;

	/* By the gate's rule, but not by this server's configuration. */
	c->grant = rig_grant(&c->rig, "get_route", "{}");
	c->grant.approver_count = 0;
	(void)snprintf(c->grant.rule, sizeof c->grant.rule, "free");
	assert_refused(c, rig_present(&c->rig, &c->grant, c->rig.key, "{}", NULL),
		       "approval_invalid");
	c->grant = rig_grant(&c->rig, "echo_text", ECHO);
	c->grant.approver_count = 0;
	(void)snprintf(c->grant.rule, sizeof c->grant.rule, "free");
	_cleanup_answer_ struct answer a =
		rig_present(&c->rig, &c->grant, c->rig.key, ECHO, NULL);
	assert_string_equal(answer_state(&a), "succeeded");
}

static void a_direct_client_with_a_real_grant(void **state)
{
	struct plan_case *c = *state;
	_cleanup_strbuf_ struct strbuf meta = STRBUF_INIT;
	struct error err = ERROR_INIT;

	plan(c);
	strbuf_add_string(&meta, ",\"" META_GRANT "\":\"");
	assert_true(grant_sign(&meta, &c->grant, c->rig.key, &err));
	strbuf_add_char(&meta, '"');
	assert_refused(c,
		       rig_call(&c->rig, c->rig.alice, "put_value", PUT, meta.data, NULL),
		       "approval_invalid");
	_cleanup_answer_ struct answer a =
		rig_call(&c->rig, c->rig.alice, "put_value", PUT, meta.data, c->state);
	assert_int_equal(json_get_int64(json_object_get(a.body, "error"), "code", 0),
			 -32602);
	assert_int_equal(rig_runs(&c->rig), 0);
}

static void the_state_changed_in_between(void **state)
{
	struct plan_case *c = *state;
	struct error err = ERROR_INIT;
	_cleanup_free_ char *path = statedir_path(c->rig.dir, "fixture/values/colour");

	plan(c);
	FILE *f = fopen(path, "w");
	(void)fputs("green", f);
	(void)fclose(f);
	_cleanup_answer_ struct answer a = present(c);
	assert_string_equal(answer_code(&a), "precondition_failed");
	assert_int_equal(rig_runs(&c->rig), 0);
	/* Back as it was: the grant is spent all the same. */
	(void)unlink(path);
	_cleanup_answer_ struct answer again = present(c);
	assert_string_equal(answer_code(&again), "approval_invalid");
	assert_int_equal(rig_runs(&c->rig), 0);
	assert_false(error_is_set(&err));
}

static void the_plan_cannot_be_made_again(void **state)
{
	struct plan_case *c = *state;

	plan(c);
	rig_touch(&c->rig, "down");
	_cleanup_answer_ struct answer a = present(c);
	assert_string_equal(answer_code(&a), "backend_unavailable");
	rig_remove(&c->rig, "down");
	assert_refused(c, present(c), "approval_invalid");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_CASE(a_grant_runs_once_and_says_so),
		WITH_CASE(a_replay_gets_the_outcome_and_runs_nothing),
		WITH_CASE(of_many_at_once_one_runs),
		WITH_CASE(a_grant_that_expires_meanwhile_runs_nothing),
		WITH_CASE(a_read_runs_with_a_grant),
		WITH_CASE(an_altered_grant),
		WITH_CASE(a_grant_by_an_unknown_key),
		WITH_CASE(a_grant_for_something_else),
		WITH_CASE(a_grant_from_before_the_epoch),
		WITH_CASE(a_plan_of_another_store),
		WITH_CASE(a_grant_of_another_time),
		WITH_CASE(a_write_without_plan_state_or_approver),
		WITH_CASE(too_few_approvers_for_the_plan),
		WITH_CASE(a_freed_read_is_freed_on_both_sides),
		WITH_CASE(a_direct_client_with_a_real_grant),
		WITH_CASE(the_state_changed_in_between),
		WITH_CASE(the_plan_cannot_be_made_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
