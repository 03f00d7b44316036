#include "guard/names.h"

#include "base/testing.h"

static char long_name[200];

/* A word of 'length' letters, valid until the next call. */
static const char *letters(size_t length)
{
	memset(long_name, 'a', length);
	long_name[length] = '\0';
	return long_name;
}

static void test_risk(void **state)
{
	enum risk risk = RISK_READ;

	(void)state;
	assert_true(risk_parse("destructive", &risk));
	assert_int_equal(risk, RISK_DESTRUCTIVE);
	assert_true(risk_parse("write", &risk));
	assert_int_equal(risk, RISK_WRITE);
	assert_false(risk_parse("Read", &risk));
	assert_false(risk_parse("", &risk));
	assert_false(risk_parse(NULL, &risk));
	assert_int_equal(risk, RISK_WRITE);
	for (int r = RISK_READ; r <= RISK_DESTRUCTIVE; r++) {
		assert_true(risk_parse(risk_name((enum risk)r), &risk));
		assert_int_equal(risk, r);
	}
}

static void test_servers(void **state)
{
	(void)state;
	assert_true(name_is_server("accounts"));
	assert_true(name_is_server("s3"));
	assert_false(name_is_server("3s"));
	assert_false(name_is_server("Accounts"));
	assert_false(name_is_server("two words"));
	assert_false(name_is_server("../accounts"));
	assert_false(name_is_server("a-b"));
	assert_false(name_is_server(""));
	assert_false(name_is_server(NULL));
	assert_true(name_is_server(letters(32)));
	assert_false(name_is_server(letters(33)));
}

static void test_tools(void **state)
{
	(void)state;
	assert_true(name_is_tool("block_account"));
	assert_false(name_is_tool("block-account"));
	assert_false(name_is_tool("block account"));
	assert_false(name_is_tool("block_account\n"));
	assert_false(name_is_tool(""));
	assert_true(name_is_tool(letters(64)));
	assert_false(name_is_tool(letters(65)));
}

static void test_principals(void **state)
{
	(void)state;
	assert_true(name_is_principal("alice@company.com"));
	assert_true(name_is_principal("service/accounts"));
	assert_true(name_is_principal("!~"));
	assert_false(name_is_principal("alice @company.com"));
	assert_false(name_is_principal("al\"ice"));
	assert_false(name_is_principal("al'ice"));
	assert_false(name_is_principal("al\\ice"));
	assert_false(name_is_principal("al\x7f"
				       "ice"));
	assert_false(name_is_principal("al\tice"));
	assert_false(name_is_principal("\xc3\xa4lice"));
	assert_false(name_is_principal(""));
	assert_true(name_is_principal(letters(128)));
	assert_false(name_is_principal(letters(129)));
	assert_true(name_is_instance("accounts@prod"));
	assert_false(name_is_instance("accounts prod"));
}

static void test_rules_and_ids(void **state)
{
	(void)state;
	assert_true(name_is_rule("reads of the directory are free"));
	assert_false(name_is_rule(" reads"));
	assert_false(name_is_rule("reads "));
	assert_false(name_is_rule("reads\n"));
	assert_false(name_is_rule(""));
	assert_true(name_is_rule(letters(128)));
	assert_false(name_is_rule(letters(129)));
	assert_true(name_is_id("a-B_9.x:1"));
	assert_false(name_is_id("a/b"));
	assert_false(name_is_id("a b"));
	assert_false(name_is_id(""));
	assert_true(name_is_id(letters(80)));
	assert_false(name_is_id(letters(81)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_risk),          cmocka_unit_test(test_servers),
		cmocka_unit_test(test_tools),         cmocka_unit_test(test_principals),
		cmocka_unit_test(test_rules_and_ids),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
