/* Every reason for which a person's word does not count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "base/cleanup.h"

#include <cmocka.h>

#include "gate/decide.h"

#define SHOWN "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static struct policy *make(const char *team, const char *rules)
{
	struct error err = ERROR_INIT;
	static const char people[] =
		"[{\"id\":\"alice@x\"},{\"id\":\"bob@x\"},{\"id\":\"carol@x\"}]";
	json_auto_t *persons = json_parse(people, sizeof people - 1, JSON_SYNTAX, &err);
	json_auto_t *members = json_parse(team, strlen(team), JSON_SYNTAX, &err);
	_cleanup_(config_freep) struct config *file =
		rules ? config_parse("policy.yaml", rules, strlen(rules), &err) : NULL;
	struct policy *p = policy_new(persons, members, file, &err);

	if (!p)
		fail_msg("%s", err.message);
	return p;
}

static json_t *make_record(bool four_eyes, int needed)
{
	json_t *r = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:[], s:[{s:s, s:s}], "
		"s:{s:s, s:i, s:b, s:[s,s]}, s:{s:[{s:b}]}}",
		"id", "1", "state", "pending", "server", "accounts", "tool",
		"block_account", "risk", "destructive", "requester", "alice@x", "shown",
		SHOWN, "posted_at", (json_int_t)10000, "expires_at", (json_int_t)610000,
		"decisions", "history", "state", "pending", "by", "x", "policy", "rule",
		"built-in", "approvers_needed", needed, "four_eyes", four_eyes,
		"approvers", "alice@x", "bob@x", "plan", "effects", "reversible", 1);

	assert_non_null(r);
	return r;
}

static enum error_code judge(const json_t *record, const struct policy *p,
			     const char *person, const char *shown, int64_t now_ms)
{
	struct error err = ERROR_INIT;
	const struct decide_input in = { record, p, person, shown, now_ms, true };

	return decide_judge(&in, &err) ? ERR_NONE : err.code;
}

#define TEAM "[\"alice@x\",\"bob@x\",\"carol@x\"]"

static void test_judge(void **state)
{
	_cleanup_(policy_freep) struct policy *p = make(TEAM, NULL);
	json_auto_t *record = make_record(false, 1);
	static const char other[] =
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab";

	(void)state;
	assert_int_equal(judge(record, p, "alice@x", SHOWN, 11000), ERR_NONE);
	assert_int_equal(judge(record, p, "bob@x", SHOWN, 11000), ERR_NONE);
	/* n and n+1 of the second to read in */
	assert_int_equal(judge(record, p, "bob@x", SHOWN, 10999), ERR_CONFLICT);
	/* and of the expiry */
	assert_int_equal(judge(record, p, "bob@x", SHOWN, 609999), ERR_NONE);
	assert_int_equal(judge(record, p, "bob@x", SHOWN, 610000), ERR_CONFLICT);
	assert_int_equal(judge(record, p, "bob@x", other, 11000),
			 ERR_PRECONDITION_FAILED);
	assert_int_equal(judge(record, p, "bob@x", "", 11000), ERR_PRECONDITION_FAILED);
	/* in the team, but not frozen into the record */
	assert_int_equal(judge(record, p, "carol@x", SHOWN, 11000),
			 ERR_PERMISSION_DENIED);
	assert_int_equal(judge(record, p, "mallory@x", SHOWN, 11000),
			 ERR_PERMISSION_DENIED);
	_cleanup_(policy_freep) struct policy *gone = make("[\"alice@x\"]", NULL);
	assert_int_equal(judge(record, gone, "bob@x", SHOWN, 11000),
			 ERR_PERMISSION_DENIED);
	(void)json_object_set_new(record, "state", json_string("approved"));
	assert_int_equal(judge(record, p, "bob@x", SHOWN, 11000), ERR_CONFLICT);
	(void)json_object_del(record, "posted_at");
	(void)json_object_set_new(record, "state", json_string("pending"));
	assert_int_not_equal(judge(record, p, "bob@x", SHOWN, 11000), ERR_NONE);
}

static void test_both_policies(void **state)
{
	static const char strict[] = "rules:\n  - {name: built-in, four_eyes: true}\n";
	static const char none[] = "rules:\n  - {name: other, server: other}\n";
	_cleanup_(policy_freep) struct policy *lax = make(TEAM, NULL);
	_cleanup_(policy_freep) struct policy *now_strict = make(TEAM, strict);
	_cleanup_(policy_freep) struct policy *now_none = make(TEAM, none);
	json_auto_t *was_lax = make_record(false, 1);
	json_auto_t *was_strict = make_record(true, 1);

	(void)state;
	assert_int_equal(judge(was_lax, lax, "alice@x", SHOWN, 11000), ERR_NONE);
	assert_int_equal(judge(was_strict, lax, "alice@x", SHOWN, 11000),
			 ERR_PERMISSION_DENIED);
	assert_int_equal(judge(was_lax, now_strict, "alice@x", SHOWN, 11000),
			 ERR_PERMISSION_DENIED);
	assert_int_equal(judge(was_lax, now_strict, "bob@x", SHOWN, 11000), ERR_NONE);
	assert_int_equal(judge(was_lax, now_none, "bob@x", SHOWN, 11000),
			 ERR_PERMISSION_DENIED);
}

static void add(json_t *record, const char *by, const char *what)
{
	(void)json_array_append_new(json_object_get(record, "decisions"),
				    json_pack("{s:s, s:s}", "by", by, "decision", what));
}

static void test_counting(void **state)
{
	_cleanup_(policy_freep) struct policy *p = make(TEAM, NULL);
	json_auto_t *record = make_record(false, 2);
	struct error err = ERROR_INIT;

	(void)state;
	assert_false(decide_is_approved(record, p, &err));
	add(record, "alice@x", "approve");
	add(record, "alice@x", "approve"); /* however often, one person */
	assert_int_equal(decide_count_approvals(record), 1);
	error_clear(&err);
	assert_false(decide_is_approved(record, p, &err));
	assert_int_equal(judge(record, p, "alice@x", SHOWN, 11000), ERR_CONFLICT);
	/* But until the other has agreed, a no of the same person counts. */
	const struct decide_input no = { record, p, "alice@x", SHOWN, 11000, false };
	error_clear(&err);
	assert_true(decide_judge(&no, &err));
	add(record, "bob@x", "approve");
	error_clear(&err);
	assert_true(decide_is_approved(record, p, &err));
	/* One of them leaves before the grant is signed. */
	_cleanup_(policy_freep) struct policy *left = make("[\"alice@x\"]", NULL);
	assert_false(decide_is_approved(record, left, &err));
	assert_int_equal(err.code, ERR_PERMISSION_DENIED);
	/* The present policy wants more than the frozen one did. */
	_cleanup_(policy_freep) struct policy *more =
		make(TEAM, "rules:\n  - {name: built-in, needed: 3}\n");
	error_clear(&err);
	assert_false(decide_is_approved(record, more, &err));
}

static void test_question(void **state)
{
	json_auto_t *record = make_record(false, 1);
	struct policy_question q = decide_question(record);
	json_t *plan = json_object_get(record, "plan");

	(void)state;
	assert_true(q.reversible);
	assert_int_equal(q.plan_approvers, 1);
	assert_int_equal(q.risk, RISK_DESTRUCTIVE);
	(void)json_array_append_new(json_object_get(plan, "effects"),
				    json_pack("{s:b}", "reversible", 0));
	(void)json_object_set_new(plan, "requires", json_pack("{s:i}", "approvers", 3));
	q = decide_question(record);
	assert_false(q.reversible);
	assert_int_equal(q.plan_approvers, 3);
	/* An effect that does not say so cannot be undone. */
	(void)json_object_set_new(plan, "effects", json_pack("[{}]"));
	q = decide_question(record);
	assert_false(q.reversible);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_both_policies),
		cmocka_unit_test(test_counting),
		cmocka_unit_test(test_question),
	};

	return cmocka_run_group_tests_name("decide", tests, NULL, NULL);
}
