#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "link/ldap/ldap_link.h"

static void test_filter_escapes(void **state)
{
	static const struct {
		const char *value, *filter;
	} cases[] = {
		{ "john.doe", "(uid=john.doe)" },
		{ "a@b-c_d e", "(uid=a@b-c_d e)" },
		{ "*", "(uid=\\2a)" },
		{ "x)(|(uid=*", "(uid=x\\29\\28\\7c\\28uid\\3d\\2a)" },
		{ "back\\slash", "(uid=back\\5cslash)" },
		{ "Zo\xc3\xab", "(uid=Zo\\c3\\ab)" },
		{ "\x01\x7f", "(uid=\\01\\7f)" },
		{ "", "(uid=)" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

		ldap_link_filter(&sb, "uid", cases[i].value);
		assert_true(strbuf_ok(&sb));
		assert_string_equal(sb.data, cases[i].filter);
	}
}

static void test_same_dn(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{ "uid=a,dc=x", "uid=a,dc=x", true },
		{ "uid=a,dc=x", "UID=A , DC=X", true },
		{ "cn=Stone\\, Peter,dc=x", "cn=Stone\\2C Peter,dc=x", true },
		{ "cn=a+uid=b,dc=x", "uid=b+cn=a,dc=x", true },
		{ "cn=a  b,dc=x", "cn=a b,dc=x", true },
		{ "cn=\\20a,dc=x", "cn=a,dc=x", true },
		{ "uid=a,dc=x", "uid=a,dc=x,dc=y", false },
		{ "uid=a,dc=x", "dc=x", false },
		{ "uid=a,dc=x", "uid=b,dc=x", false },
		{ "uid=a,dc=x", "cn=a,dc=x", false },
		{ "cn=a+uid=b,dc=x", "cn=a,dc=x", false },
		{ "cn=ab,dc=x", "cn=a b,dc=x", false },
		{ "cn=Zo\\C3\\AB,dc=x", "cn=Zo\xc3\xab,dc=x", true },
		{ "", "", true },
		{ "", "dc=x", false },
		{ "no name", "no name", false },
		{ "uid=a,dc=x", "uid=a,,dc=x", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (ldap_link_same_dn(cases[i].a, cases[i].b) != cases[i].same)
			fail_msg("'%s' and '%s'", cases[i].a, cases[i].b);
		assert_int_equal(ldap_link_same_dn(cases[i].b, cases[i].a),
				 cases[i].same);
	}
}

static void refuse(const char *uri, const char *dn, const char *password,
		   int64_t timeout_ms, unsigned connections, bool start_tls)
{
	_cleanup_(secret_freep) struct secret *secret =
		password ? secret_new(password, strlen(password)) : NULL;
	const struct ldap_link_config config = {
		.uri = uri,
		.bind_dn = dn,
		.password = secret,
		.timeout_ms = timeout_ms,
		.connections = connections,
		.start_tls = start_tls,
	};
	struct error err = ERROR_INIT;
	_cleanup_(ldap_link_freep) struct ldap_link *l = ldap_link_new(&config, &err);

	if (l)
		fail_msg("accepted: %s %s", uri, dn);
	assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
}

static void test_config(void **state)
{
	static const char *const clear_text[] = {
		"ldap://directory.example.test",
		"ldap://10.0.0.1",
		"ldap://127.0.0.1.example.test",
		"ldap://128.0.0.1",
		"ldap://127.0.0.1 ldap://other.example.test",
	};
	static const char *const no_address[] = { "", " ", "http://127.0.0.1",
						  "127.0.0.1", "cldap://127.0.0.1" };
	static const char *const good[] = {
		"ldap://127.0.0.1:1", "ldap://localhost:1/",
		"ldap://[::1]:1",     "ldaps://directory.example.test",
		"ldapi://%2ftmp%2fx", "ldaps://a.example.test ldaps://b.example.test",
	};
	_cleanup_(secret_freep) struct secret *secret = secret_new("s", 1);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(clear_text); i++)
		refuse(clear_text[i], "cn=a", "s", 1000, 1, false);
	for (size_t i = 0; i < ARRAY_SIZE(no_address); i++)
		refuse(no_address[i], "cn=a", "s", 1000, 1, true);
	refuse("ldap://127.0.0.1", "", "s", 1000, 1, false);
	refuse("ldap://127.0.0.1", "cn=a", NULL, 1000, 1, false);
	refuse("ldap://127.0.0.1", "cn=a", "s", 99, 1, false);
	refuse("ldap://127.0.0.1", "cn=a", "s", 60001, 1, false);
	refuse("ldap://127.0.0.1", "cn=a", "s", 1000, 0, false);
	refuse("ldap://127.0.0.1", "cn=a", "s", 1000, 9, false);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		const struct ldap_link_config config = { .uri = good[i],
							 .bind_dn = "cn=a",
							 .password = secret,
							 .timeout_ms = 1000,
							 .connections = 8 };
		struct error err = ERROR_INIT;
		_cleanup_(ldap_link_freep) struct ldap_link *l =
			ldap_link_new(&config, &err);

		if (!l)
			fail_msg("%s: %s", good[i], err.message);
	}
}

static void test_try_bind_wants_password(void **state)
{
	const struct ldap_link_config config = { .uri = "ldap://127.0.0.1:1",
						 .timeout_ms = 1000 };
	const struct ldap_link_config clear = { .uri = "ldap://directory.example.test",
						.timeout_ms = 1000 };
	struct error err = ERROR_INIT;
	bool ok = true;

	(void)state;
	assert_false(ldap_link_try_bind(&config, "cn=a", "", &ok, &err));
	assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
	error_clear(&err);
	assert_false(ldap_link_try_bind(&config, "", "x", &ok, &err));
	assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
	error_clear(&err);
	assert_false(ldap_link_try_bind(&clear, "cn=a", "x", &ok, &err));
	assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
}

static void test_filter_of_bytes(void **state)
{
	static const struct {
		const char *hex, *filter;
		bool good;
	} cases[] = {
		{ "4a", "(objectGUID=\\4a)", true },
		{ "002aFF", "(objectGUID=\\00\\2a\\FF)", true },
		{ "", "(objectGUID=)", false },
		{ "4", "(objectGUID=)", false },
		{ "4a2", "(objectGUID=\\4a)", false },
		{ "4a)(x=*", "(objectGUID=\\4a)", false },
		{ "*", "(objectGUID=)", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

		assert_int_equal(ldap_link_filter_hex(&sb, "objectGUID", cases[i].hex),
				 cases[i].good);
		assert_string_equal(sb.data, cases[i].filter);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filter_escapes),
		cmocka_unit_test(test_filter_of_bytes),
		cmocka_unit_test(test_same_dn),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_try_bind_wants_password),
	};

	return cmocka_run_group_tests_name("ldap_names", tests, NULL, NULL);
}
