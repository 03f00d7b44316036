/*
 * The LDAP backend and what stands on it, against a real directory; run by
 * backend_ldap_test.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/testing.h"
#include "link/ldap/ldap_link.h"
#include "servers/accounts/backend_ldap.h"
#include "servers/accounts/ppolicy.h"
#include "servers/accounts/resolve.h"
#include "tests/live/slapd_control.h"

#define SUFFIX "dc=example,dc=test"
#define PEOPLE "ou=people," SUFFIX
#define JOHN   "uid=john.doe," PEOPLE
#define NOW    INT64_C(1795341600000) /* 2026-11-22T10:00:00Z */

static char dir[TESTING_PATH_BYTES];

static json_t *configuration(void)
{
	return json_pack("{s:{s:s, s:s, s:s, s:s, s:s, s:i}, s:{s:[s], s:[s], s:[s]}}",
			 "ldap", "uri", slapd_env("SLAPD_URI"), "bind_dn",
			 slapd_env("SLAPD_SERVICE_DN"), "password_file",
			 slapd_env("SLAPD_PASSWORD_FILE"), "people_base", SUFFIX,
			 "default_policy", "cn=default,ou=policies," SUFFIX, "timeout_ms",
			 700, "protected", "subtrees", "ou=BreakGlass, " SUFFIX, "groups",
			 "cn=service-accounts,ou=groups," SUFFIX, "uids", "Priya.Patel");
}

static void system_close(struct account_system *s)
{
	if (s->backend)
		s->backend->close(s->self);
}

static void open_with(json_t *config, struct account_system *ret)
{
	_cleanup_(statedir_freep) struct statedir *folder = NULL;
	struct error err = ERROR_INIT;

	folder = statedir_new(dir, &err);
	if (!folder || !backend_ldap_open(folder, config, ret, &err))
		fail_msg("%s", err.message);
	json_decref(config);
}

static enum error_code find(const struct account_system *s, const char *text,
			    struct person *ret)
{
	struct error err = ERROR_INIT;
	json_auto_t *candidates = NULL;
	bool wanted = true;

	return resolve_person(s, 1, &wanted, text, NOW, ret, &candidates, &err)
		       ? ERR_NONE
		       : err.code;
}

static void test_resolve(void **state)
{
	_cleanup_(system_close) struct account_system s = { 0 };
	static const struct {
		const char *text, *uid;
		enum error_code code;
	} cases[] = {
		{ "john.doe", "john.doe", ERR_NONE },
		{ "@JOHN.DOE", "john.doe", ERR_NONE },
		{ "John.Doe@EXAMPLE.test", "john.doe", ERR_NONE },
		{ "john doe", "john.doe", ERR_NONE },
		{ "UID=John.Doe, OU=People, DC=Example, DC=Test", "john.doe", ERR_NONE },
		{ "cn=Stone\\, Peter," PEOPLE, "peter.stone", ERR_NONE },
		{ "cn=Stone\\2C Peter," PEOPLE, "peter.stone", ERR_NONE },
		{ "Stone, Peter", "peter.stone", ERR_NONE },
		{ "Star* Lane", "star.lane", ERR_NONE },
		{ "Liam O'Brien (contractor)", "liam.obrien", ERR_NONE },
		{ "Zo\xc3\xab M\xc3\xbcller", "zoe.mueller", ERR_NONE },
		{ "breakglass-1", "breakglass-1", ERR_NONE },
		{ "Alex Kim", NULL, ERR_AMBIGUOUS },
		{ "alex.kim2", "alex.kim2", ERR_NONE },
		{ "John", NULL, ERR_NOT_FOUND },
		{ "john.d*", NULL, ERR_NOT_FOUND },
		{ "*", NULL, ERR_NOT_FOUND },
		{ "x)(uid=*", NULL, ERR_INVALID_ARGUMENT },
		{ "wingman", NULL, ERR_NOT_FOUND },
		{ "cn=wingman,ou=services," SUFFIX, NULL, ERR_NOT_FOUND },
		{ "cn=default,ou=policies," SUFFIX, NULL, ERR_NOT_FOUND },
		{ "uid=nobody," PEOPLE, NULL, ERR_NOT_FOUND },
		{ "uid=john.doe,ou=elsewhere," SUFFIX, NULL, ERR_NOT_FOUND },
		{ "dc=", NULL, ERR_INVALID_ARGUMENT },
		{ "=", NULL, ERR_INVALID_ARGUMENT },
	};

	(void)state;
	open_with(configuration(), &s);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(person_done) struct person p = { 0 };
		enum error_code code = find(&s, cases[i].text, &p);

		if (code != cases[i].code ||
		    (cases[i].uid && strcmp(p.uid, cases[i].uid) != 0))
			fail_msg("'%s': %s", cases[i].text, error_name(code));
	}
}

static bool binds(void)
{
	const struct ldap_link_config config = { .uri = slapd_env("SLAPD_URI"),
						 .timeout_ms = 2000 };
	struct error err = ERROR_INIT;
	bool ok = false;

	if (!ldap_link_try_bind(&config, JOHN, "pw-john.doe", &ok, &err))
		fail_msg("%s", err.message);
	return ok;
}

/* What a plan says of the one account; facet_step_done ends it. */
static struct facet_step plan(const struct account_system *s, const struct person *p,
			      bool block)
{
	const struct account *a = &p->accounts[0].account;
	struct facet_step step = { 0 };
	struct error err = ERROR_INIT;

	if (block ? !s->backend->plan_block(s->self, FACET_SIGN_IN, a, NOW, &step, &err)
		  : !s->backend->plan_undo(s->self, FACET_SIGN_IN, a, NULL, NOW, &step,
					   &err))
		fail_msg("%s", err.message);
	return step;
}

static bool apply(const struct account_system *s, const struct person *p,
		  const struct facet_step *step, struct error *err)
{
	const struct account *a = &p->accounts[0].account;
	struct facet_applied applied = { 0 };

	return s->backend->apply(s->self, FACET_SIGN_IN, a->identifier, a->id,
				 step->change, &applied, err);
}

/* Carried out and read back. */
static void run(const struct account_system *s, const struct person *p,
		const struct facet_step *step)
{
	const struct account *a = &p->accounts[0].account;
	enum facet_seen seen = FACET_SEEN_NOT;
	struct error err = ERROR_INIT;

	assert_true(step->act && !step->refused);
	if (!apply(s, p, step, &err))
		fail_msg("%s (%s)", err.message, err.cause);
	assert_true(s->backend->read_back(s->self, FACET_SIGN_IN, a->identifier, a->id,
					  step->change, NOW, &seen, &err));
	assert_int_equal(seen, FACET_SEEN_DONE);
}

/* Past our own plans: the directory alone. */
static bool set_lock(const struct account_system *s, const char *dn, const char *id,
		     const char *expect, const char *set, struct error *err)
{
	json_auto_t *change = json_pack("{s:s, s:s}", "expect", expect, "set", set);
	struct facet_applied applied = { 0 };

	return s->backend->apply(s->self, FACET_SIGN_IN, dn, id, change, &applied, err);
}

static void test_block_and_unblock(void **state)
{
	_cleanup_(system_close) struct account_system s = { 0 };
	_cleanup_(person_done) struct person before = { 0 }, blocked = { 0 };
	_cleanup_(account_list_done) struct account_list list = ACCOUNT_LIST_INIT;
	_cleanup_(facet_step_done) struct facet_step block, again, undo, restore = { 0 };
	struct account *a;
	struct error err = ERROR_INIT;

	(void)state;
	open_with(configuration(), &s);
	assert_true(binds());
	assert_int_equal(find(&s, "john.doe", &before), ERR_NONE);
	a = &before.accounts[0].account;
	assert_true(a->obeyed);
	block = plan(&s, &before, true);
	run(&s, &before, &block);
	assert_false(binds());
	/* The same again: the lock is not what it was. */
	assert_false(apply(&s, &before, &block, &err));
	assert_int_equal(err.code, ERR_CONFLICT);
	error_clear(&err);
	assert_false(set_lock(&s, a->identifier, "00000000-0000-1000-8000-000000000000",
			      PPOLICY_LOCKED_FOR_EVER, "", &err));
	assert_int_equal(err.code, ERR_CONFLICT);
	assert_false(binds());

	assert_int_equal(find(&s, "john.doe", &blocked), ERR_NONE);
	a = &blocked.accounts[0].account;
	assert_true(a->permanent);
	assert_string_equal(a->lock, block.lock);
	error_clear(&err);
	assert_true(s.backend->list_blocked(s.self, NOW, &list, &err));
	/* John, and the one whose lock after failed logins still runs. */
	assert_int_equal(list.count, 2);
	again = plan(&s, &blocked, true);
	assert_false(again.act);
	/* By what it was, and by nothing at all, it is the same here. */
	assert_true(s.backend->plan_undo(s.self, FACET_SIGN_IN, a, block.snapshot, NOW,
					 &restore, &err));
	undo = plan(&s, &blocked, false);
	assert_true(json_equal(restore.change, undo.change));
	run(&s, &blocked, &restore);
	assert_true(binds());
}

/* Both can be blocked for good, the old lock being compared and set, and come back. */
static void block_and_restore(const struct account_system *s, const char *uid)
{
	_cleanup_(person_done) struct person before = { 0 }, now = { 0 }, after = { 0 };
	_cleanup_(facet_step_done) struct facet_step block, undo = { 0 };
	struct error err = ERROR_INIT;

	assert_int_equal(find(s, uid, &before), ERR_NONE);
	block = plan(s, &before, true);
	run(s, &before, &block);
	assert_int_equal(find(s, uid, &now), ERR_NONE);
	assert_true(now.accounts[0].account.permanent);
	assert_true(s->backend->plan_undo(s->self, FACET_SIGN_IN,
					  &now.accounts[0].account, block.snapshot, NOW,
					  &undo, &err));
	run(s, &now, &undo);
	assert_int_equal(find(s, uid, &after), ERR_NONE);
	assert_string_equal(after.accounts[0].account.lock,
			    before.accounts[0].account.lock);
}

static void test_failed_logins(void **state)
{
	_cleanup_(system_close) struct account_system s = { 0 };
	_cleanup_(person_done) struct person now = { 0 }, old = { 0 };

	(void)state;
	open_with(configuration(), &s);
	assert_int_equal(find(&s, "failed.2026", &now), ERR_NONE);
	assert_int_equal(now.accounts[0].account.state, ACCOUNT_BLOCKED);
	assert_false(now.accounts[0].account.permanent);
	assert_true(now.accounts[0].account.until_ms == NOW + 10 * 60 * 1000);
	assert_int_equal(find(&s, "failed.long.ago", &old), ERR_NONE);
	assert_int_equal(old.accounts[0].account.state, ACCOUNT_ACTIVE);
	block_and_restore(&s, "failed.2026");
	block_and_restore(&s, "failed.long.ago");
}

static bool protected(const struct account_system *s, const char *uid,
		      enum error_code *code)
{
	_cleanup_(person_done) struct person p = { 0 };
	_cleanup_strbuf_ struct strbuf why = STRBUF_INIT;
	struct error err = ERROR_INIT;
	bool is_protected = false;

	assert_int_equal(find(s, uid, &p), ERR_NONE);
	(void)s->backend->is_protected(s->self, &p.accounts[0].account, &is_protected,
				       &why, &err);
	*code = err.code;
	assert_int_equal(is_protected, why.length > 0);
	return is_protected;
}

static void test_protected(void **state)
{
	static const struct {
		const char *uid;
		bool yes;
	} cases[] = {
		{ "breakglass-1", true }, { "breakglass-2", true },
		{ "ci.runner", true },    { "priya.patel", true },
		{ "john.doe", false },    { "lena.novak", false },
		{ "peter.stone", false },
	};
	_cleanup_(system_close) struct account_system s = { 0 };
	enum error_code code;

	(void)state;
	open_with(configuration(), &s);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (protected(&s, cases[i].uid, &code) != cases[i].yes)
			fail_msg("%s", cases[i].uid);
		assert_int_equal(code, ERR_NONE);
	}
}

/* A rule whose object is not there must not quietly protect nobody. */
static void test_protected_misspelt(void **state)
{
	static const char *const kinds[] = { "subtrees", "groups" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_(system_close) struct account_system s = { 0 };
		json_t *config = configuration();
		enum error_code code;

		json_object_set_new(json_object_get(config, "protected"), kinds[i],
				    json_pack("[s]", "ou=braekglass," SUFFIX));
		open_with(config, &s);
		assert_false(protected(&s, "john.doe", &code));
		assert_int_equal(code, ERR_PRECONDITION_FAILED);
	}
}

static bool obeyed(json_t *config, const char *uid)
{
	_cleanup_(system_close) struct account_system s = { 0 };
	_cleanup_(person_done) struct person p = { 0 };

	open_with(config, &s);
	assert_int_equal(find(&s, uid, &p), ERR_NONE);
	return p.accounts[0].account.obeyed;
}

static void test_policies(void **state)
{
	json_t *config;

	(void)state;
	assert_true(obeyed(configuration(), "jane.roe"));
	assert_false(obeyed(configuration(), "nora.quinn"));
	config = configuration();
	json_object_del(json_object_get(config, "ldap"), "default_policy");
	assert_false(obeyed(config, "jane.roe"));
	config = configuration();
	json_object_set_new(json_object_get(config, "ldap"), "default_policy",
			    json_string("cn=nothing,ou=policies," SUFFIX));
	assert_false(obeyed(config, "jane.roe"));
}

static void test_faults(void **state)
{
	_cleanup_(system_close) struct account_system s = { 0 };
	_cleanup_(person_done) struct person jane = { 0 }, glass = { 0 };
	_cleanup_(facet_step_done) struct facet_step step, forbidden;
	struct person nobody = { 0 };
	struct error err = ERROR_INIT;

	(void)state;
	open_with(configuration(), &s);
	assert_int_equal(find(&s, "jane.roe", &jane), ERR_NONE);
	step = plan(&s, &jane, true);
	slapd_control("stop");
	assert_int_equal(find(&s, "jane.roe", &nobody), ERR_BACKEND_UNAVAILABLE);
	assert_false(apply(&s, &jane, &step, &err));
	assert_int_equal(err.code, ERR_BACKEND_UNAVAILABLE);
	assert_non_null(strstr(err.message, slapd_env("SLAPD_URI")));
	assert_false(s.backend->ready(s.self, &err));
	slapd_control("start");
	slapd_control("pause");
	assert_int_equal(find(&s, "jane.roe", &nobody), ERR_TIMEOUT);
	slapd_control("resume");
	error_clear(&err);
	assert_true(s.backend->ready(s.self, &err));
	run(&s, &jane, &step);
	/* Refused by the directory's own rules. */
	assert_int_equal(find(&s, "breakglass-1", &glass), ERR_NONE);
	forbidden = plan(&s, &glass, true);
	assert_false(apply(&s, &glass, &forbidden, &err));
	assert_int_equal(err.code, ERR_PERMISSION_DENIED);
}

static int make_dir(void **state)
{
	(void)state;
	testing_folder(dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	testing_remove(dir);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_block_and_unblock),
		cmocka_unit_test(test_failed_logins),
		cmocka_unit_test(test_protected),
		cmocka_unit_test(test_protected_misspelt),
		cmocka_unit_test(test_policies),
		cmocka_unit_test(test_faults),
	};

	return cmocka_run_group_tests_name("backend_ldap", tests, make_dir, remove_dir);
}
