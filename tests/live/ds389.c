/*
 * The dialect of 389 Directory Server, and FreeIPA's, against a real server; run by
 * ds389_test.py. FreeIPA itself is not run here: its row is forced on the same server.
 */
#include "tests/live/directory.h"

#define SUFFIX       "dc=example,dc=test"
#define PEOPLE       "ou=people," SUFFIX
#define DN(uid)      "uid=" uid "," PEOPLE
#define LOCK         "nsAccountLock"
#define MANAGED_ROLE "cn=nsManagedDisabledRole," SUFFIX

static json_t *configuration(void)
{
	return directory_protecting(directory_config(SUFFIX), "OU=breakglass, " SUFFIX,
				    "CN=service-accounts,ou=groups," SUFFIX, "ALEX.kim2",
				    "cn=leads,ou=groups," SUFFIX);
}

static void test_find(void **state)
{
	static const struct directory_case cases[] = {
		{ ACCOUNT_BY_UID, "John.Doe", "john.doe" },
		{ ACCOUNT_BY_UID, "dsidm.made", "dsidm.made" },
		{ ACCOUNT_BY_MAIL, "JOHN.doe@example.test", "john.doe" },
		{ ACCOUNT_BY_NAME, "Liam O'Brien (contractor)", "liam.obrien" },
		{ ACCOUNT_BY_NAME, "alex kim", "" },
		{ ACCOUNT_BY_UID, "*", NULL },
		{ ACCOUNT_BY_UID, "x)(uid=*", NULL },
		{ ACCOUNT_BY_UID, "wingman", NULL },
		{ ACCOUNT_BY_IDENTIFIER, "UID=John.Doe, OU=People, " SUFFIX, "john.doe" },
		{ ACCOUNT_BY_IDENTIFIER, "cn=leads,ou=groups," SUFFIX, NULL },
		{ ACCOUNT_BY_IDENTIFIER, "uid=", NULL },
	};
	_cleanup_(system_close) struct account_system s = { 0 };

	(void)state;
	directory_open(configuration(), &s);
	directory_finds(&s, cases, ARRAY_SIZE(cases));
}

/* No value, and "FALSE", which is as much: each comes back as it was. */
static void test_block_and_undo(void **state)
{
	static const struct {
		const char *uid, *dn, *password, *before;
	} cases[] = {
		{ "john.doe", DN("john.doe"), "pw-john.doe", NULL },
		{ "was.false", DN("was.false"), "pw-was.false", "FALSE" },
		{ "dsidm.made", DN("dsidm.made"), "pw-dsidm.made", NULL },
	};
	_cleanup_(system_close) struct account_system s = { 0 };
	size_t count;

	(void)state;
	directory_open(configuration(), &s);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(account_done) struct account a = { 0 };
		_cleanup_(facet_step_done) struct facet_step block = { 0 }, undo = { 0 };

		directory_get(&s, cases[i].uid, &a);
		assert_int_equal(a.state, ACCOUNT_ACTIVE);
		directory_check(cases[i].dn, LOCK, cases[i].before);
		assert_true(directory_binds(cases[i].dn, cases[i].password));
		directory_block(&s, &a, &block);
		assert_false(directory_binds(cases[i].dn, cases[i].password));
		assert_int_equal(directory_apply(&s, &a, block.change), ERR_CONFLICT);
		directory_get(&s, cases[i].uid, &a);
		assert_true(a.permanent);
		assert_true(directory_lists(&s, cases[i].uid, &count));
		directory_undo(&s, &a, block.snapshot, &undo);
		directory_check(cases[i].dn, LOCK, cases[i].before);
		assert_true(directory_binds(cases[i].dn, cases[i].password));
		assert_false(directory_lists(&s, cases[i].uid, &count));
	}
}

static void test_changed_meanwhile(void **state)
{
	_cleanup_(system_close) struct account_system s = { 0 };
	_cleanup_(account_done) struct account a = { 0 }, other = { 0 };
	_cleanup_(facet_step_done) struct facet_step block = { 0 }, undo = { 0 };
	struct error err = ERROR_INIT;

	(void)state;
	directory_open(configuration(), &s);
	directory_get(&s, "john.doe", &a);
	assert_true(s.backend->plan_block(s.self, FACET_SIGN_IN, &a, DIRECTORY_NOW,
					  &block, &err));
	directory_edit(a.identifier, LDAP_LINK_ADD, LOCK, "false");
	assert_int_equal(directory_apply(&s, &a, block.change), ERR_CONFLICT);
	directory_check(a.identifier, LOCK, "false");
	/* Two values cannot be understood, and are nothing to build on. */
	directory_edit(a.identifier, LDAP_LINK_ADD, LOCK, "true");
	directory_get(&s, "john.doe", &a);
	assert_int_equal(a.state, ACCOUNT_UNKNOWN);
	facet_step_done(&block);
	assert_true(s.backend->plan_block(s.self, FACET_SIGN_IN, &a, DIRECTORY_NOW,
					  &block, &err));
	assert_non_null(block.refused);
	directory_edit(a.identifier, LDAP_LINK_DELETE, LOCK, NULL);
	/* Unlocked by somebody else: nothing of ours is left to undo. */
	directory_get(&s, "john.doe", &a);
	directory_block(&s, &a, &block);
	directory_edit(a.identifier, LDAP_LINK_DELETE, LOCK, NULL);
	directory_get(&s, "john.doe", &a);
	assert_true(s.backend->plan_undo(s.self, FACET_SIGN_IN, &a, block.snapshot,
					 DIRECTORY_NOW, &undo, &err));
	assert_false(undo.act);
	assert_int_equal(undo.warning_count, 1);
	/* Another entry's id under this name. */
	directory_get(&s, "jane.roe", &other);
	free(a.id);
	a.id = strdup(other.id);
	assert_int_equal(directory_apply(&s, &a, block.change), ERR_NOT_FOUND);
	assert_true(directory_binds(DN("john.doe"), "pw-john.doe"));
}

/* Computed from a role, the lock is no value of the entry and not ours to take away. */
static void test_role(void **state)
{
	_cleanup_(system_close) struct account_system s = { 0 };
	_cleanup_(account_done) struct account a = { 0 };
	_cleanup_(facet_step_done) struct facet_step block = { 0 }, undo = { 0 };
	struct error err = ERROR_INIT;
	size_t count;

	(void)state;
	directory_open(configuration(), &s);
	directory_get(&s, "by.role", &a);
	assert_false(directory_binds(DN("by.role"), "pw-by.role"));
	assert_int_equal(a.state, ACCOUNT_BLOCKED);
	assert_string_equal(a.lock, "role");
	assert_true(directory_lists(&s, "by.role", &count));
	assert_true(s.backend->plan_block(s.self, FACET_SIGN_IN, &a, DIRECTORY_NOW,
					  &block, &err));
	assert_false(block.act);
	assert_true(s.backend->plan_undo(s.self, FACET_SIGN_IN, &a, NULL, DIRECTORY_NOW,
					 &undo, &err));
	assert_non_null(strstr(undo.refused, "role"));
	/* Blocked by us, then put into the role as well. */
	account_done(&a);
	a = (struct account){ 0 };
	directory_get(&s, "jane.roe", &a);
	directory_block(&s, &a, &block);
	directory_edit(DN("jane.roe"), LDAP_LINK_ADD, "nsRoleDN", MANAGED_ROLE);
	directory_get(&s, "jane.roe", &a);
	assert_string_equal(a.lock, "role");
	directory_edit(DN("jane.roe"), LDAP_LINK_DELETE, "nsRoleDN", MANAGED_ROLE);
	directory_get(&s, "jane.roe", &a);
	directory_undo(&s, &a, block.snapshot, &undo);
	assert_true(directory_binds(DN("jane.roe"), "pw-jane.roe"));
}

static void test_failed_logins(void **state)
{
	_cleanup_(system_close) struct account_system s = { 0 };
	_cleanup_(account_done) struct account a = { 0 }, ended = { 0 };
	_cleanup_(facet_step_done) struct facet_step block = { 0 }, undo = { 0 };
	_cleanup_free_ char *lock = NULL;

	(void)state;
	directory_open(configuration(), &s);
	directory_get(&s, "lock.ended", &ended);
	assert_int_equal(ended.state, ACCOUNT_ACTIVE);
	assert_true(directory_binds(DN("lock.ended"), "pw-lock.ended"));
	directory_block(&s, &ended, &block);
	directory_get(&s, "lock.ended", &ended);
	directory_undo(&s, &ended, block.snapshot, &undo);
	assert_int_equal(undo.warning_count, 0);
	assert_true(directory_binds(DN("lock.ended"), "pw-lock.ended"));
	directory_get(&s, "locked.out", &a);
	assert_false(directory_binds(DN("locked.out"), "pw-locked.out"));
	assert_int_equal(a.state, ACCOUNT_BLOCKED);
	assert_false(a.permanent);
	assert_true(a.until_ms > DIRECTORY_NOW);
	lock = strdup(a.lock);
	directory_block(&s, &a, &block);
	directory_get(&s, "locked.out", &a);
	assert_true(a.permanent);
	directory_undo(&s, &a, block.snapshot, &undo);
	assert_int_equal(undo.warning_count, 1);
	directory_get(&s, "locked.out", &a);
	assert_string_equal(a.lock, lock);
	directory_undo(&s, &a, NULL, &undo);
	assert_true(directory_binds(DN("locked.out"), "pw-locked.out"));
}

static void test_rights(void **state)
{
	_cleanup_(system_close) struct account_system s = { 0 }, weak = { 0 };
	_cleanup_(account_done) struct account a = { 0 };
	json_auto_t *change = json_pack("{s:s, s:s}", "expect", "", "set", "TRUE");

	(void)state;
	directory_open(configuration(), &s);
	directory_get(&s, "out.side", &a);
	assert_int_equal(directory_apply(&s, &a, change), ERR_PERMISSION_DENIED);
	directory_open(directory_as_weak(configuration()), &weak);
	directory_get(&weak, "john.doe", &a);
	assert_int_equal(directory_apply(&weak, &a, change), ERR_PERMISSION_DENIED);
	assert_true(directory_binds(DN("john.doe"), "pw-john.doe"));
}

static void test_protected(void **state)
{
	static const char *const yes[] = { "breakglass-1", "ci.runner", "alex.kim2",
					   NULL };
	static const char *const no[] = { "alex.kim", "john.doe", "lead.one", "lead.two",
					  NULL };
	_cleanup_(system_close) struct account_system s = { 0 };
	enum error_code code;

	(void)state;
	directory_open(configuration(), &s);
	directory_protects(&s, yes, no);
	directory_edit(DN("lead.two"), LDAP_LINK_ADD, LOCK, "true");
	assert_true(directory_protected(&s, "lead.one", &code));
	directory_edit(DN("lead.two"), LDAP_LINK_DELETE, LOCK, NULL);
	assert_false(directory_protected(&s, "lead.one", &code));
}

static void test_tls(void **state)
{
	_cleanup_(system_close) struct account_system s = { 0 };
	const char *wrong = slapd_env("DIRECTORY_WRONG_CA");
	json_t *config =
		directory_config_with(configuration(), "ca_file", json_string(wrong));

	(void)state;
	directory_open(json_deep_copy(config), &s);
	assert_int_equal(directory_find_code(&s, "john.doe"), ERR_BACKEND_UNAVAILABLE);
	system_close(&s);
	directory_config_with(config, "uri",
			      json_string(slapd_env("DIRECTORY_CLEAR_URI")));
	directory_config_with(config, "start_tls", json_true());
	directory_open(json_deep_copy(config), &s);
	assert_int_equal(directory_find_code(&s, "john.doe"), ERR_BACKEND_UNAVAILABLE);
	system_close(&s);
	directory_config_with(config, "ca_file", json_string(slapd_env("DIRECTORY_CA")));
	directory_open(config, &s);
	assert_int_equal(directory_find_code(&s, "john.doe"), ERR_NONE);
}

static void test_dialect(void **state)
{
	static const char *const others[] = { "ppolicy", "active_directory" };
	_cleanup_(system_close) struct account_system s = { 0 }, ipa = { 0 };
	_cleanup_(account_done) struct account a = { 0 };
	_cleanup_(facet_step_done) struct facet_step block = { 0 }, undo = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		directory_is_not(configuration(), others[i],
				 "is 389 Directory Server, but the");

	directory_open(
		directory_config_with(configuration(), "dialect", json_string("389ds")),
		&s);
	assert_non_null(s.backend->notion(s.self, FACET_SESSIONS));
	/* Some FreeIPA do not tell that they are one. */
	directory_open(
		directory_config_with(configuration(), "dialect", json_string("freeipa")),
		&ipa);
	assert_non_null(
		strstr(ipa.backend->notion(ipa.self, FACET_SESSIONS), "Kerberos"));
	directory_get(&ipa, "john.doe", &a);
	directory_block(&ipa, &a, &block);
	directory_get(&ipa, "john.doe", &a);
	directory_undo(&ipa, &a, block.snapshot, &undo);
	assert_true(directory_binds(DN("john.doe"), "pw-john.doe"));
}

static void test_faults(void **state)
{
	_cleanup_(system_close) struct account_system s = { 0 };
	_cleanup_(account_done) struct account a = { 0 };
	_cleanup_(facet_step_done) struct facet_step block = { 0 }, undo = { 0 };
	struct error err = ERROR_INIT;
	enum error_code code;

	(void)state;
	directory_open(configuration(), &s);
	directory_get(&s, "john.doe", &a);
	assert_true(s.backend->plan_block(s.self, FACET_SIGN_IN, &a, DIRECTORY_NOW,
					  &block, &err));
	slapd_control("pause");
	code = directory_apply(&s, &a, block.change);
	assert_true(code == ERR_TIMEOUT || code == ERR_BACKEND_UNAVAILABLE);
	slapd_control("resume");
	assert_int_equal(directory_read_back(&s, &a, block.change), FACET_SEEN_NOT);
	slapd_control("stop");
	assert_int_equal(directory_apply(&s, &a, block.change), ERR_BACKEND_UNAVAILABLE);
	slapd_control("start");
	directory_block(&s, &a, &block);
	assert_false(directory_binds(DN("john.doe"), "pw-john.doe"));
	directory_get(&s, "john.doe", &a);
	directory_undo(&s, &a, block.snapshot, &undo);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_block_and_undo),
		cmocka_unit_test(test_changed_meanwhile),
		cmocka_unit_test(test_role),
		cmocka_unit_test(test_failed_logins),
		cmocka_unit_test(test_rights),
		cmocka_unit_test(test_protected),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_dialect),
		cmocka_unit_test(test_faults),
	};

	return cmocka_run_group_tests_name("ds389", tests, NULL, NULL);
}
