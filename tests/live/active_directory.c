/*
 * The dialect of Active Directory against a real domain controller, Samba's; run by
 * active_directory_test.py.
 */
#include "tests/live/directory.h"

#define SUFFIX    "DC=ad,DC=example,DC=test"
#define PEOPLE    "OU=People," SUFFIX
#define JOHN      "CN=John Doe," PEOPLE
#define UPN(name) name "@ad.example.test"
#define CONTROL   "userAccountControl"

static json_t *configuration(void)
{
	return directory_protecting(directory_config(SUFFIX), "ou=breakglass, " SUFFIX,
				    "CN=service accounts,OU=Groups," SUFFIX,
				    "PETER.stone", "CN=Leads,OU=Groups," SUFFIX);
}

static void test_find(void **state)
{
	static const struct directory_case cases[] = {
		{ ACCOUNT_BY_UID, "john.doe", "john.doe" },
		{ ACCOUNT_BY_UID, "JOHN.DOE", "john.doe" },
		{ ACCOUNT_BY_UID, UPN("john.doe"), "john.doe" },
		{ ACCOUNT_BY_MAIL, "John.Doe@example.test", "john.doe" },
		{ ACCOUNT_BY_MAIL, UPN("no.mail"), "no.mail" },
		{ ACCOUNT_BY_NAME, "john doe", "john.doe" },
		{ ACCOUNT_BY_NAME, "Zo\xc3\xab M\xc3\xbcller", "zoe.mueller" },
		{ ACCOUNT_BY_NAME, "Zoe Muller", NULL },
		{ ACCOUNT_BY_NAME, "Stone, Peter", "peter.stone" },
		{ ACCOUNT_BY_NAME, "Liam O'Brien (contractor)", "liam.obrien" },
		{ ACCOUNT_BY_NAME, "Alex Kim", "" },
		{ ACCOUNT_BY_NAME, "Alex*", NULL },
		{ ACCOUNT_BY_UID, "*", NULL },
		{ ACCOUNT_BY_UID, "x)(cn=*", NULL },
		{ ACCOUNT_BY_UID, "john.do", NULL },
		{ ACCOUNT_BY_UID, "DC1$", NULL },
		{ ACCOUNT_BY_IDENTIFIER, JOHN, "john.doe" },
		{ ACCOUNT_BY_IDENTIFIER, "cn=JOHN  doe, ou=people, " SUFFIX, "john.doe" },
		{ ACCOUNT_BY_IDENTIFIER, "CN=Stone\\2C Peter," PEOPLE, "peter.stone" },
		{ ACCOUNT_BY_IDENTIFIER, "CN=Runners,OU=Groups," SUFFIX, NULL },
		{ ACCOUNT_BY_IDENTIFIER, "CN=Nobody," PEOPLE, NULL },
		{ ACCOUNT_BY_IDENTIFIER, "<SID=S-1-5-32-544>", NULL },
		{ ACCOUNT_BY_IDENTIFIER, "CN=", NULL },
	};
	_cleanup_(system_close) struct account_system s = { 0 };
	_cleanup_(account_done) struct account a = { 0 };

	(void)state;
	directory_open(configuration(), &s);
	directory_finds(&s, cases, ARRAY_SIZE(cases));
	/* Its GUID is a name that the directory takes, and no DN that a person gives. */
	directory_get(&s, "john.doe", &a);
	_cleanup_free_ char *guid = NULL;
	assert_true(asprintf(&guid, "<GUID=%s>", a.id) > 0);
	assert_int_equal(directory_find(&s, ACCOUNT_BY_IDENTIFIER, guid, &a), 0);
}

static void test_block_and_undo(void **state)
{
	_cleanup_(system_close) struct account_system s = { 0 };
	_cleanup_(account_done) struct account a = { 0 };
	_cleanup_(facet_step_done) struct facet_step block = { 0 }, undo = { 0 };
	struct error err = ERROR_INIT;
	size_t count;

	(void)state;
	directory_open(configuration(), &s);
	directory_get(&s, "john.doe", &a);
	assert_int_equal(a.state, ACCOUNT_ACTIVE);
	assert_int_equal(strlen(a.id), 36);
	assert_false(directory_lists(&s, "john.doe", &count));
	assert_int_equal(count, 0); /* Guest and krbtgt are nobody's block */
	assert_true(directory_binds(UPN("john.doe"), "Pw-john.doe-1"));
	directory_block(&s, &a, &block);
	assert_string_equal(block.to, "disabled");
	assert_int_equal(block.warning_count, 0);
	assert_true(block.reversible);
	assert_false(directory_binds(UPN("john.doe"), "Pw-john.doe-1"));
	/* The same again finds another lock than it expects. */
	assert_int_equal(directory_apply(&s, &a, block.change), ERR_CONFLICT);
	directory_get(&s, "john.doe", &a);
	assert_int_equal(a.state, ACCOUNT_BLOCKED);
	assert_true(a.permanent);
	assert_true(directory_lists(&s, "john.doe", &count));
	_cleanup_(facet_step_done) struct facet_step again = { 0 };
	assert_true(s.backend->plan_block(s.self, FACET_SIGN_IN, &a, DIRECTORY_NOW,
					  &again, &err));
	assert_false(again.act);
	directory_undo(&s, &a, block.snapshot, &undo);
	assert_string_equal(undo.to, "active");
	assert_true(directory_binds(UPN("john.doe"), "Pw-john.doe-1"));
}

/* The other bits of the number are others': kept, also when they changed meanwhile. */
static void test_other_bits(void **state)
{
	_cleanup_(system_close) struct account_system s = { 0 };
	_cleanup_(account_done) struct account a = { 0 };
	_cleanup_(facet_step_done) struct facet_step block = { 0 }, undo = { 0 };

	(void)state;
	directory_open(configuration(), &s);
	directory_edit(JOHN, LDAP_LINK_REPLACE, CONTROL, "66048");
	directory_get(&s, "john.doe", &a);
	directory_block(&s, &a, &block);
	directory_check(JOHN, CONTROL, "66050");
	directory_edit(JOHN, LDAP_LINK_REPLACE, CONTROL, "514");
	directory_get(&s, "john.doe", &a);
	directory_undo(&s, &a, block.snapshot, &undo);
	directory_check(JOHN, CONTROL, "512");
}

static void test_changed_meanwhile(void **state)
{
	_cleanup_(system_close) struct account_system s = { 0 };
	_cleanup_(account_done) struct account a = { 0 }, other = { 0 };
	_cleanup_(facet_step_done) struct facet_step block = { 0 }, undo = { 0 };
	_cleanup_free_ char *moved = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	directory_open(configuration(), &s);
	directory_get(&s, "john.doe", &a);
	assert_true(s.backend->plan_block(s.self, FACET_SIGN_IN, &a, DIRECTORY_NOW,
					  &block, &err));
	directory_edit(JOHN, LDAP_LINK_REPLACE, CONTROL, "514");
	assert_int_equal(directory_apply(&s, &a, block.change), ERR_CONFLICT);
	/* Enabled by somebody else: nothing of ours is left to undo. */
	directory_edit(JOHN, LDAP_LINK_REPLACE, CONTROL, "512");
	assert_true(s.backend->plan_undo(s.self, FACET_SIGN_IN, &a, block.snapshot,
					 DIRECTORY_NOW, &undo, &err));
	assert_false(undo.act);
	assert_int_equal(undo.warning_count, 1);
	/* Another entry's id under this name, and this id under another name. */
	directory_get(&s, "jane.roe", &other);
	moved = TAKE(a.id);
	a.id = strdup(other.id);
	assert_int_equal(directory_apply(&s, &a, block.change), ERR_NOT_FOUND);
	free(a.id);
	a.id = strdup("no id at all");
	assert_int_equal(directory_apply(&s, &a, block.change), ERR_NOT_FOUND);
	assert_true(directory_binds(UPN("john.doe"), "Pw-john.doe-1"));
	assert_true(directory_binds(UPN("jane.roe"), "Pw-jane.roe-1"));
}

/* Blocked by others: an administrator's undo lets the person in. */
static void test_blocked_by_others(void **state)
{
	_cleanup_(system_close) struct account_system s = { 0 };
	_cleanup_(account_done) struct account a = { 0 };
	_cleanup_(facet_step_done) struct facet_step undo = { 0 };

	(void)state;
	directory_open(configuration(), &s);
	directory_edit(JOHN, LDAP_LINK_REPLACE, CONTROL, "514");
	directory_get(&s, "john.doe", &a);
	assert_int_equal(a.state, ACCOUNT_BLOCKED);
	directory_undo(&s, &a, NULL, &undo);
	assert_true(directory_binds(UPN("john.doe"), "Pw-john.doe-1"));
}

static void lock_out(const struct account_system *s, const char *uid, const char *name,
		     struct account *ret)
{
	for (int i = 0; i < 3; i++)
		assert_false(directory_binds(name, "wrong"));
	directory_get(s, uid, ret);
	assert_int_equal(ret->state, ACCOUNT_BLOCKED);
	assert_false(ret->permanent);
	assert_true(ret->since_ms > 0);
	assert_non_null(strstr(ret->detail, "wrong passwords"));
}

/* Three wrong passwords lock out; that is another thing than our block, and what
 * becomes of it is said. */
static void test_lockout(void **state)
{
	_cleanup_(system_close) struct account_system s = { 0 };
	_cleanup_(account_done) struct account a = { 0 };
	_cleanup_(facet_step_done) struct facet_step block = { 0 }, undo = { 0 };

	(void)state;
	directory_open(configuration(), &s);
	lock_out(&s, "jane.roe", UPN("jane.roe"), &a);
	assert_false(directory_binds(UPN("jane.roe"), "Pw-jane.roe-1"));
	directory_block(&s, &a, &block);
	assert_false(block.reversible);
	assert_int_equal(block.warning_count, 1);
	directory_get(&s, "jane.roe", &a);
	assert_true(a.permanent);
	directory_undo(&s, &a, block.snapshot, &undo);
	assert_int_equal(undo.warning_count, 1);
	assert_true(directory_binds(UPN("jane.roe"), "Pw-jane.roe-1"));
	/* An administrator's unlock. */
	lock_out(&s, "jane.roe", UPN("jane.roe"), &a);
	directory_undo(&s, &a, NULL, &undo);
	assert_true(directory_binds(UPN("jane.roe"), "Pw-jane.roe-1"));
}

static void test_rights(void **state)
{
	_cleanup_(system_close) struct account_system s = { 0 }, weak = { 0 };
	_cleanup_(account_done) struct account a = { 0 };
	_cleanup_(facet_step_done) struct facet_step block = { 0 };
	struct error err = ERROR_INIT;

	(void)state;
	directory_open(configuration(), &s);
	directory_get(&s, "out.side", &a);
	assert_true(s.backend->plan_block(s.self, FACET_SIGN_IN, &a, DIRECTORY_NOW,
					  &block, &err));
	assert_true(block.refused || block.warning_count == 1);
	json_auto_t *change = json_pack("{s:s, s:s}", "expect", "", "set", "disabled");
	assert_int_equal(directory_apply(&s, &a, change), ERR_PERMISSION_DENIED);
	directory_open(directory_as_weak(configuration()), &weak);
	directory_get(&weak, "john.doe", &a);
	assert_int_equal(directory_apply(&weak, &a, change), ERR_PERMISSION_DENIED);
	assert_true(directory_binds(UPN("john.doe"), "Pw-john.doe-1"));
}

static void test_protected(void **state)
{
	static const char *const yes[] = { "breakglass-1",  "ci.runner", "peter.stone",
					   "Administrator", "krbtgt",    NULL };
	static const char *const no[] = { "john.doe", "lead.one", "lead.two", NULL };
	_cleanup_(system_close) struct account_system s = { 0 }, all = { 0 }, odd = { 0 };
	json_t *config = configuration();
	enum error_code code;

	(void)state;
	directory_open(configuration(), &s);
	directory_protects(&s, yes, no);
	/* The last of a group who can sign in. */
	directory_edit("CN=Lead Two," PEOPLE, LDAP_LINK_REPLACE, CONTROL, "514");
	assert_true(directory_protected(&s, "lead.one", &code));
	assert_false(directory_protected(&s, "john.doe", &code));
	directory_edit("CN=Lead Two," PEOPLE, LDAP_LINK_REPLACE, CONTROL, "512");
	assert_false(directory_protected(&s, "lead.one", &code));
	/* One's primary group counts, though it lists nobody. */
	json_object_set_new(json_object_get(config, "protected"), "groups",
			    json_pack("[s]", "CN=Domain Users,CN=Users," SUFFIX));
	directory_open(config, &all);
	assert_true(directory_protected(&all, "john.doe", &code));
	config = configuration();
	json_object_set_new(json_object_get(config, "protected"), "groups",
			    json_pack("[s]", "CN=Domain Uesrs,CN=Users," SUFFIX));
	directory_open(config, &odd);
	assert_false(directory_protected(&odd, "john.doe", &code));
	assert_int_equal(code, ERR_PRECONDITION_FAILED);
}

static void test_tls(void **state)
{
	_cleanup_(system_close) struct account_system s = { 0 };
	const char *clear = slapd_env("DIRECTORY_CLEAR_URI");
	const char *wrong = slapd_env("DIRECTORY_WRONG_CA");
	struct error err = ERROR_INIT;

	(void)state;
	directory_open(
		directory_config_with(configuration(), "ca_file", json_string(wrong)),
		&s);
	assert_int_equal(directory_find_code(&s, "john.doe"), ERR_BACKEND_UNAVAILABLE);
	system_close(&s);
	json_t *config =
		directory_config_with(configuration(), "uri", json_string(clear));
	directory_config_with(config, "start_tls", json_true());
	directory_open(json_deep_copy(config), &s);
	assert_int_equal(directory_find_code(&s, "john.doe"), ERR_NONE);
	system_close(&s);
	directory_config_with(config, "ca_file", json_string(wrong));
	directory_open(json_deep_copy(config), &s);
	assert_int_equal(directory_find_code(&s, "john.doe"), ERR_BACKEND_UNAVAILABLE);
	system_close(&s);
	/* In clear text, on this machine: it refuses; and we refuse to send it when we know. */
	directory_config_with(config, "start_tls", json_false());
	directory_open(json_deep_copy(config), &s);
	assert_false(s.backend->ready(s.self, &err));
	assert_non_null(strstr(err.hint, "clear text"));
	system_close(&s);
	directory_config_with(config, "dialect", json_string("active_directory"));
	assert_int_equal(directory_try_open(config, &s, &err), ERR_PRECONDITION_FAILED);
	assert_non_null(strstr(err.message, "clear text"));
}

static void test_dialect(void **state)
{
	static const char *const others[] = { "ppolicy", "389ds", "freeipa" };
	_cleanup_(system_close) struct account_system s = { 0 };
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		directory_is_not(configuration(), others[i],
				 "is Active Directory, but the");

	directory_open(directory_config_with(configuration(), "dialect",
					     json_string("active_directory")),
		       &s);
	assert_true(s.backend->ready(s.self, &err));
	assert_null(s.backend->notion(s.self, FACET_SIGN_IN));
	assert_non_null(strstr(s.backend->notion(s.self, FACET_SESSIONS), "Kerberos"));
	assert_non_null(s.backend->notion(s.self, FACET_TOKENS));
	assert_non_null(s.backend->notion(s.self, FACET_MEMBERSHIPS));
}

static void test_faults(void **state)
{
	_cleanup_(system_close) struct account_system s = { 0 }, late = { 0 };
	_cleanup_(account_done) struct account a = { 0 };
	_cleanup_(facet_step_done) struct facet_step block = { 0 }, undo = { 0 };
	struct error err = ERROR_INIT;
	enum error_code code;

	(void)state;
	directory_open(configuration(), &s);
	directory_get(&s, "john.doe", &a);
	assert_true(s.backend->plan_block(s.self, FACET_SIGN_IN, &a, DIRECTORY_NOW,
					  &block, &err));
	slapd_control("stop");
	assert_int_equal(directory_apply(&s, &a, block.change), ERR_BACKEND_UNAVAILABLE);
	assert_int_equal(directory_find_code(&s, "john.doe"), ERR_BACKEND_UNAVAILABLE);
	/* What it is can be found out later. */
	directory_open(configuration(), &late);
	assert_int_equal(directory_find_code(&late, "john.doe"), ERR_BACKEND_UNAVAILABLE);
	slapd_control("start");
	assert_int_equal(directory_find_code(&late, "john.doe"), ERR_NONE);
	slapd_control("pause");
	code = directory_apply(&s, &a, block.change);
	assert_true(code == ERR_TIMEOUT || code == ERR_BACKEND_UNAVAILABLE);
	slapd_control("resume");
	assert_int_equal(directory_read_back(&s, &a, block.change), FACET_SEEN_NOT);
	directory_block(&s, &a, &block);
	directory_get(&s, "john.doe", &a);
	directory_undo(&s, &a, block.snapshot, &undo);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_block_and_undo),
		cmocka_unit_test(test_other_bits),
		cmocka_unit_test(test_changed_meanwhile),
		cmocka_unit_test(test_blocked_by_others),
		cmocka_unit_test(test_lockout),
		cmocka_unit_test(test_rights),
		cmocka_unit_test(test_protected),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_dialect),
		cmocka_unit_test(test_faults),
	};

	return cmocka_run_group_tests_name("active_directory", tests, NULL, NULL);
}
