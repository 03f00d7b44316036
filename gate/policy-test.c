#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "base/cleanup.h"

#include <cmocka.h>

#include "gate/policy.h"

static json_t *persons_json(void)
{
	struct error err = ERROR_INIT;
	static const char text[] = "[{\"id\":\"alice@x\",\"unix\":[1000,1001]},{\"id\":"
				   "\"bob@x\",\"unix\":[1002]},"
				   "{\"id\":\"carol@x\",\"unix\":[1003],\"tokens\":["
				   "\"t1\"]},{\"id\":\"eve@x\"}]";

	return json_parse(text, sizeof text - 1, JSON_SYNTAX, &err);
}

static struct policy *make(const char *team_text, const char *rules, struct error *err)
{
	json_auto_t *persons = persons_json();
	json_auto_t *team = json_parse(team_text, strlen(team_text), JSON_SYNTAX, err);
	_cleanup_(config_freep) struct config *file =
		rules ? config_parse("policy.yaml", rules, strlen(rules), err) : NULL;

	if (!team || (rules && !file))
		return NULL;
	return policy_new(persons, team, file, err);
}

#define TEAM "[\"alice@x\",\"bob@x\",\"carol@x\"]"

static struct policy_question ask(const char *tool, enum risk risk)
{
	return (struct policy_question){ .server = "accounts",
					 .tool = tool,
					 .risk = risk,
					 .reversible = true,
					 .plan_approvers = 1,
					 .requester = "alice@x" };
}

static void test_built_in(void **state)
{
	struct error err = ERROR_INIT;
	_cleanup_(policy_freep) struct policy *p = make(TEAM, NULL, &err);
	struct policy_question q = ask("block_account", RISK_DESTRUCTIVE);
	struct policy_answer a;

	(void)state;
	assert_non_null(p);
	policy_judge(p, &q, &a);
	assert_true(a.may_call);
	assert_false(a.free);
	assert_int_equal(a.approvers_needed, 1);
	assert_int_equal(a.expires_ms, 600000);
	assert_int_equal(a.good_for_ms, 300000);
	assert_true(policy_may_approve(p, &q, &a, "alice@x"));
	assert_true(policy_may_approve(p, &q, &a, "bob@x"));
	assert_false(policy_may_approve(p, &q, &a, "eve@x"));
	assert_false(policy_may_approve(p, &q, &a, "ALICE@x"));
	assert_false(policy_may_approve(p, &q, &a, ""));

	q.reversible = false;
	policy_judge(p, &q, &a);
	assert_int_equal(a.approvers_needed, 2);
	q.plan_approvers = 3;
	policy_judge(p, &q, &a);
	assert_int_equal(a.approvers_needed, 3);
	q.plan_approvers = 100; /* no grant names more */
	policy_judge(p, &q, &a);
	assert_int_equal(a.approvers_needed, 8);
	q.requester = "eve@x";
	policy_judge(p, &q, &a);
	assert_false(a.may_call);

	/* Who is who is changed by two, though it can be undone. */
	q = ask("link_identity", RISK_WRITE);
	policy_judge(p, &q, &a);
	assert_int_equal(a.approvers_needed, 1);
	q.server = "people";
	policy_judge(p, &q, &a);
	assert_int_equal(a.approvers_needed, 2);
	q.tool = "unlink_identity";
	policy_judge(p, &q, &a);
	assert_int_equal(a.approvers_needed, 2);
	q = ask("find_person", RISK_READ);
	q.server = "people";
	policy_judge(p, &q, &a);
	assert_int_equal(a.approvers_needed, 1);

	/* A read is reversible whatever the question says. */
	q = ask("get_account", RISK_READ);
	q.reversible = false;
	policy_judge(p, &q, &a);
	assert_int_equal(a.approvers_needed, 1);
	assert_false(a.free);
}

static void test_team_of_one(void **state)
{
	struct error err = ERROR_INIT;
	_cleanup_(policy_freep) struct policy *p = make("[\"alice@x\"]", NULL, &err);
	struct policy_question q = ask("block_account", RISK_DESTRUCTIVE);
	struct policy_answer a;

	(void)state;
	q.reversible = false;
	policy_judge(p, &q, &a);
	assert_int_equal(a.approvers_needed, 1);
	q.server = "people";
	q.tool = "link_identity";
	policy_judge(p, &q, &a);
	assert_int_equal(a.approvers_needed, 1);
	q.plan_approvers = 2; /* the server would take no less */
	policy_judge(p, &q, &a);
	assert_int_equal(a.approvers_needed, 2);

	_cleanup_(policy_freep) struct policy *empty = make("[]", NULL, &err);
	assert_non_null(empty);
	policy_judge(empty, &q, &a);
	assert_false(a.may_call);
	assert_false(policy_may_approve(empty, &q, &a, "alice@x"));
	_cleanup_free_ const char **who = policy_approvers(empty, &q, &a);
	assert_null(who[0]);
}

static const char rules[] = "groups:\n"
			    "  leads: [bob@x]\n"
			    "rules:\n"
			    "  - name: never\n"
			    "    server: accounts\n"
			    "    tool: revoke_sessions\n"
			    "    refuse: true\n"
			    "  - name: look\n"
			    "    server: accounts\n"
			    "    tool: get_account\n"
			    "    free: true\n"
			    "  - name: for good\n"
			    "    risk: [destructive]\n"
			    "    reversible: false\n"
			    "    approvers: [group:leads, eve@x]\n"
			    "    needed: 2\n"
			    "  - name: blocks\n"
			    "    server: accounts\n"
			    "    risk: [write, destructive]\n"
			    "    callers: [alice@x]\n"
			    "    four_eyes: true\n"
			    "    expires_in: 5m\n"
			    "    good_for: 1m\n";

static void test_rules(void **state)
{
	struct error err = ERROR_INIT;
	_cleanup_(policy_freep) struct policy *p = make(TEAM, rules, &err);
	struct policy_question q = ask("block_account", RISK_DESTRUCTIVE);
	struct policy_answer a;

	(void)state;
	assert_non_null(p);
	policy_judge(p, &q, &a);
	assert_string_equal(a.rule, "blocks");
	assert_true(a.may_call && a.four_eyes);
	assert_int_equal(a.expires_ms, 300000);
	assert_int_equal(a.good_for_ms, 60000);
	assert_false(policy_may_approve(p, &q, &a, "alice@x"));
	assert_true(policy_may_approve(p, &q, &a, "carol@x"));
	q.requester = "bob@x";
	policy_judge(p, &q, &a);
	assert_false(a.may_call);

	q = ask("block_account", RISK_DESTRUCTIVE);
	q.reversible = false;
	policy_judge(p, &q, &a);
	assert_string_equal(a.rule, "for good");
	assert_int_equal(a.approvers_needed, 2);
	assert_true(policy_may_approve(p, &q, &a, "bob@x"));
	assert_false(policy_may_approve(p, &q, &a, "carol@x"));
	assert_false(
		policy_may_approve(p, &q, &a, "eve@x")); /* named, but not in the team */

	q = ask("get_account", RISK_READ);
	policy_judge(p, &q, &a);
	assert_true(a.free);
	q.risk = RISK_WRITE; /* a pin that says otherwise frees nothing */
	policy_judge(p, &q, &a);
	assert_false(a.free);
	q = ask("revoke_sessions", RISK_DESTRUCTIVE);
	policy_judge(p, &q, &a);
	assert_false(a.may_call);
	assert_false(policy_may_approve(p, &q, &a, "bob@x"));
	q = ask("list_blocked_accounts", RISK_READ); /* no rule names it */
	policy_judge(p, &q, &a);
	assert_false(a.may_call || a.free);
	assert_false(policy_may_approve(p, &q, &a, "bob@x"));
}

static void test_bad_files(void **state)
{
	static const char *const bad[] = {
		"rules: []\n",
		"rules:\n  - {name: a, tool: get_account, free: true}\n",
		"rules:\n  - {name: a, server: s, tool: t_u, free: true, refuse: true}\n",
		"rules:\n  - {name: a}\n  - {name: a}\n",
		"rules:\n  - {name: a, callers: [group:nobody]}\n",
		"rules:\n  - {name: a, expires_in: 25m, good_for: 5m}\n",
		"rules:\n  - {name: a, expires_in: 0m}\n",
		"rules:\n  - {name: a, needed: 9}\n",
		"rules:\n  - {name: a, risk: [harmless]}\n",
		"rules:\n  - {name: a, rate: {calls: 0, per: 1h}}\n",
		"rules:\n  - {name: a, rate: {calls: 1, per: soon}}\n",
		"rules:\n  - {name: a, rate: {calls: 1}}\n",
		"rules:\n  - {name: a, refuse: true, rate: {calls: 1, per: 1h}}\n",
		"rules:\n  - {name: a, arguments: {x: {is: [1]}}}\n",
		"rules:\n  - {name: a, server: s, tool: t_u, arguments: {}}\n",
		"rules:\n  - {name: a, server: s, tool: t, arguments: {x: {max: no}}}\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error err = ERROR_INIT;
		_cleanup_(policy_freep) struct policy *p = make(TEAM, bad[i], &err);

		assert_null(p);
		assert_int_not_equal(err.code, ERR_NONE);
	}
	/* 28 minutes are the most that a plan's 30 leave room for. */
	struct error err = ERROR_INIT;
	_cleanup_(policy_freep) struct policy *p = make(
		TEAM, "rules:\n  - {name: a, expires_in: 23m, good_for: 5m}\n", &err);
	assert_non_null(p);
}

static bool may_be(const struct policy *p, const char *person, const char *subject,
		   const char *token)
{
	struct error err = ERROR_INIT;
	bool good = policy_check_credential(p, person, subject, token, &err);

	assert_int_equal(err.code, good ? ERR_NONE : ERR_PERMISSION_DENIED);
	return good;
}

/* The gate's own map of OAuth subjects and tokens holds against what a server says. */
static void test_credentials(void **state)
{
	static const char text[] =
		"[{\"id\":\"a@x\",\"oauth\":[\"https://i 1\"],\"tokens\":[\"t1\"]},"
		"{\"id\":\"b@x\",\"oauth\":[\"https://i 2\",\"https://j 1\"]},"
		"{\"id\":\"c@x\"}]";
	struct error err = ERROR_INIT;
	json_auto_t *persons = json_parse(text, sizeof text - 1, JSON_SYNTAX, &err);
	_cleanup_(policy_freep) struct policy *p = policy_new(persons, NULL, NULL, &err);

	(void)state;
	assert_non_null(p);
	assert_true(may_be(p, "a@x", "https://i 1", "oauth:1:c"));
	assert_false(may_be(p, "b@x", "https://i 1", "oauth:1:c"));
	assert_true(may_be(p, "b@x", "https://j 1", "oauth:1:c"));
	assert_false(may_be(p, "a@x", "https://j 1", "oauth:1:c"));
	/* of an issuer that is mapped, and of one that is not */
	assert_false(may_be(p, "c@x", "https://i 3", "oauth:1:c"));
	assert_false(may_be(p, "a@x", "https://i 11", "oauth:1:c"));
	assert_true(may_be(p, "c@x", "https://ij 1", "oauth:1:c"));
	assert_true(may_be(p, "c@x", "https://k 1", "oauth:1:c"));
	/* tokens of our own */
	assert_true(may_be(p, "a@x", NULL, "t1"));
	assert_false(may_be(p, "b@x", NULL, "t1"));
	assert_false(may_be(p, "a@x", NULL, "t2"));
	assert_true(may_be(p, "b@x", NULL, "t2"));
	/* An issuer's token is none of them, whatever it is called. */
	assert_true(may_be(p, "c@x", "https://k 1", "t1"));
}

static void test_persons(void **state)
{
	static const char *const bad[] = {
		"[{\"id\":\"a b\"}]",
		"[{\"id\":\"\"}]",
		"[{}]",
		"[{\"id\":\"service/accounts\"}]",
		"[{\"id\":\"a\"},{\"id\":\"a\"}]",
		"[{\"id\":\"a\",\"unix\":[1]},{\"id\":\"b\",\"unix\":[2,1]}]",
		"[{\"id\":\"a\",\"tokens\":[\"t\"]},{\"id\":\"b\",\"tokens\":[\"t\"]}]",
		("[{\"id\":\"a\",\"oauth\":[\"https://i 1\"]},{\"id\":\"b\",\"oauth\":["
		 "\"https://i 1\"]}]"),
	};
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		json_auto_t *persons =
			json_parse(bad[i], strlen(bad[i]), JSON_SYNTAX, &err);
		struct error why = ERROR_INIT;
		_cleanup_(policy_freep) struct policy *p =
			policy_new(persons, NULL, NULL, &why);

		assert_null(p);
		assert_int_equal(why.code, ERR_INVALID_ARGUMENT);
	}
	assert_null(make("[\"nobody@x\"]", NULL, &err));
	error_clear(&err);
	assert_null(make("[\"alice@x\",\"alice@x\"]", NULL, &err));
	error_clear(&err);
	_cleanup_(policy_freep) struct policy *p = make(TEAM, NULL, &err);
	assert_string_equal(policy_person_of_uid(p, 1001), "alice@x");
	assert_string_equal(policy_person_of_uid(p, 1003), "carol@x");
	assert_null(policy_person_of_uid(p, 0));
	assert_true(policy_knows(p, "eve@x"));
	assert_false(policy_knows(p, "mallory@x"));
	assert_false(policy_in_team(p, "eve@x"));
}

static void assert_why(const struct policy *p, const char *person, enum error_code code,
		       const char *words)
{
	struct error err = ERROR_INIT;

	assert_false(policy_in_team(p, person));
	assert_false(policy_check_team(p, person, &err));
	assert_int_equal(err.code, code);
	if (!strstr(err.message, words))
		fail_msg("'%s' has no '%s'", err.message, words);
}

/* Besides 'team' a group elsewhere says who is in it, or that it is not known. */
static void test_narrowed(void **state)
{
	struct error err = ERROR_INIT;
	_cleanup_(policy_freep) struct policy *p = make(TEAM, NULL, &err);
	json_auto_t *members = json_pack("{s:b, s:b}", "alice@x", 1, "eve@x", 1);
	struct policy_question q = { .server = "accounts",
				     .tool = "block_account",
				     .risk = RISK_WRITE,
				     .reversible = true,
				     .requester = "bob@x" };
	struct policy_answer a;

	(void)state;
	assert_true(policy_check_team(p, "bob@x", &err));
	policy_narrow(p, members, "LDAP");
	assert_true(policy_in_team(p, "alice@x") &&
		    policy_check_team(p, "alice@x", &err));
	assert_why(p, "bob@x", ERR_PERMISSION_DENIED, "not in the team's group in LDAP");
	/* In the group, and not on the list. */
	assert_why(p, "eve@x", ERR_PERMISSION_DENIED, "not in the team");
	assert_why(p, NULL, ERR_PERMISSION_DENIED, "not in the team");
	policy_judge(p, &q, &a);
	assert_false(a.may_call);
	assert_non_null(strstr(a.why, "group in LDAP"));
	q.requester = "alice@x";
	policy_judge(p, &q, &a);
	assert_true(a.may_call && policy_may_approve(p, &q, &a, "alice@x"));
	assert_false(policy_may_approve(p, &q, &a, "bob@x"));
	/* It is shared: what changes there counts here. */
	assert_int_equal(json_object_del(members, "alice@x"), 0);
	assert_why(p, "alice@x", ERR_PERMISSION_DENIED, "not in the team's group");
	policy_narrow(p, NULL, "Okta");
	assert_why(p, "alice@x", ERR_BACKEND_UNAVAILABLE, "Okta does not say");
	assert_why(p, "eve@x", ERR_PERMISSION_DENIED, "not in the team");
	policy_narrow(p, NULL, NULL);
	assert_true(policy_in_team(p, "bob@x"));
}

static bool found(const json_t *findings, const char *words)
{
	size_t i;
	json_t *f;

	json_array_foreach(findings, i, f)
	{
		if (strstr(json_get_string(f, "text"), words))
			return true;
	}
	return false;
}

static void test_check(void **state)
{
	static const char *const tools[] = { "accounts.block_account",
					     "accounts.revoke_sessions",
					     "other.delete_all", NULL };
	struct error err = ERROR_INIT;
	_cleanup_(policy_freep) struct policy *p = make(TEAM, rules, &err);
	json_auto_t *findings = policy_check(p, tools);

	(void)state;
	assert_true(found(findings, "nobody may call accounts.revoke_sessions"));
	assert_true(found(findings, "nobody could approve other.delete_all"));
	assert_true(found(findings, "'eve@x', who is not in the team"));
	_cleanup_(policy_freep) struct policy *empty = make("[]", NULL, &err);
	json_auto_t *worse = policy_check(empty, NULL);
	assert_true(found(worse, "the team is empty"));
}

static const char patterned[] =
	"rules:\n"
	"  - name: never the boss\n"
	"    server: accounts\n"
	"    tool: block_account\n"
	"    arguments: {person: {is: [boss@x]}}\n"
	"    refuse: true\n"
	"  - name: short blocks\n"
	"    server: accounts\n"
	"    tool: block_account\n"
	"    arguments: {person: {glob: '*@x'}, expires_in: {max: 8h}}\n"
	"    rate: {calls: 3, per: 1h}\n"
	"  - name: other blocks\n"
	"    server: accounts\n"
	"    tool: block_account\n"
	"    needed: 2\n";

static const char *rule_of(const struct policy *p, const char *arguments)
{
	struct policy_question q = ask("block_account", RISK_DESTRUCTIVE);
	static struct policy_answer a;

	q.arguments = arguments;
	policy_judge(p, &q, &a);
	return a.rule;
}

static void test_arguments(void **state)
{
	struct error err = ERROR_INIT;
	_cleanup_(policy_freep) struct policy *p = make(TEAM, patterned, &err);
	struct policy_question q = ask("block_account", RISK_DESTRUCTIVE);
	struct policy_answer a;

	(void)state;
	assert_non_null(p);
	assert_string_equal(rule_of(p, "{\"person\":\"boss@x\"}"), "never the boss");
	/* Nobody knows whether it is the boss. */
	assert_string_equal(rule_of(p, "{}"), "never the boss");
	assert_string_equal(rule_of(p, NULL), "never the boss");
	assert_string_equal(rule_of(p, "{\"expires_in\":\"8h\",\"person\":\"a@x\"}"),
			    "short blocks");
	assert_string_equal(rule_of(p, "{\"expires_in\":\"9h\",\"person\":\"a@x\"}"),
			    "other blocks");
	/* What is absent is not short. */
	assert_string_equal(rule_of(p, "{\"person\":\"a@x\"}"), "other blocks");
	assert_string_equal(rule_of(p, "{\"expires_in\":\"8h\",\"person\":\"a@y\"}"),
			    "other blocks");

	q.arguments = "{\"expires_in\":\"1h\",\"person\":\"a@x\"}";
	policy_judge(p, &q, &a);
	assert_int_equal(a.rate_calls, 3);
	assert_int_equal(a.rate_per_ms, 3600000);
	assert_true(policy_may_approve(p, &q, &a, "bob@x"));
	json_auto_t *steps = policy_explain(p, &q);
	assert_int_equal(json_array_size(steps), 2);
	assert_false(json_is_true(json_object_get(json_array_get(steps, 0), "matches")));
	assert_string_equal(json_get_string(json_array_get(steps, 0), "why"),
			    "'person' is not as it wants");
	assert_true(json_is_true(json_object_get(json_array_get(steps, 1), "matches")));
}

static const char suspicious[] =
	"groups: {none: [], two: [alice@x, bob@x]}\n"
	"rules:\n"
	"  - {name: r three, server: s, tool: t_a, approvers: [group:two], needed: 3}\n"
	"  - {name: r eyes, server: s, tool: t_b, approvers: [alice@x], callers: "
	"[alice@x], "
	"four_eyes: true}\n"
	"  - {name: r some, server: s, tool: t_c, approvers: [group:two], needed: 2, "
	"four_eyes: true}\n"
	"  - {name: r nobody, server: s, tool: t_d, callers: [group:none]}\n"
	"  - {name: r freed, server: s, tool: t_e, free: true}\n"
	"  - {name: r patterned, server: s, tool: t_f, arguments: {a: {is: [1]}}}\n"
	"  - {name: r fine, server: s, tool: t_f}\n"
	"  - {name: r hidden, server: s, tool: t_f, risk: [write], reversible: true}\n"
	"  - {name: r misspelt, server: s, tool: t_zz}\n"
	"  - {name: r ok, server: s, four_eyes: true, needed: 2}\n"
	"  - {name: r late, server: s, tool: t_g}\n"
	"  - {name: r wrong risk, server: gate, tool: rotate_key, risk: [read]}\n";

static void test_suspicious(void **state)
{
	static const char *const tools[] = { "s.t_a", "s.t_f", NULL };
	static const char *const wanted[] = {
		"group 'none' is empty",
		"rule 'r three' wants 3 approvals and 2 persons may give one: nobody",
		"rule 'r eyes' wants four eyes and has too few approvers",
		"rule 'r some' wants four eyes: what 'alice@x' asks nobody could",
		"rule 'r nobody': nobody of the team may call",
		"s.t_e runs without a person (rule 'r freed')",
		"rule 'r hidden' can never match: rule 'r fine' above it",
		"rule 'r misspelt' can never match: the server s has no tool 't_zz'",
		"rule 'r late' can never match: rule 'r ok' above it",
		"rule 'r wrong risk' can never match: gate.rotate_key is a",
		"nobody could approve s.t_a",
	};
	struct error err = ERROR_INIT;
	_cleanup_(policy_freep) struct policy *p = make(TEAM, suspicious, &err);
	json_auto_t *findings = NULL;

	(void)state;
	if (!p)
		fail_msg("%s", err.message);
	findings = policy_check(p, tools);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		if (!found(findings, wanted[i]))
			fail_msg("not found: %s", wanted[i]);
	assert_false(found(findings, "r fine'"
				     " can"));
	assert_false(found(findings, "'r patterned'"));
	assert_false(found(findings, "s.t_f"));
	assert_false(found(findings, "'r ok' wants"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_built_in),   cmocka_unit_test(test_team_of_one),
		cmocka_unit_test(test_rules),      cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_persons),    cmocka_unit_test(test_credentials),
		cmocka_unit_test(test_check),      cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_suspicious), cmocka_unit_test(test_narrowed),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
