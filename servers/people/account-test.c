/* What strangers wrote: taken as it is, or not at all. Identifiers and queries beside it. */
#include "base/testing.h"

#include "servers/people/account.h"
#include "servers/people/identifier.h"
#include "servers/people/nicknames.h"
#include "servers/people/query.h"

static size_t count_of(const struct account *a, enum account_field field)
{
	struct account_fields f = account_read(a->fields.data, a->fields.length);
	size_t count = 0;

	while (account_next(&f))
		count += f.field == field;
	return count;
}

static bool has_flag(const struct account *a, const char *flag)
{
	struct account_fields f = account_read(a->fields.data, a->fields.length);
	const char *value;

	while ((value = account_next(&f)))
		if (f.field == ACCOUNT_FLAG && strcmp(value, flag) == 0)
			return true;
	return false;
}

static void odd_values_are_left_out(void **state)
{
	static const char *const odd[] = { "Jo\xe2\x80\xaehn",
					   "Jo\xe2\x80\x8bhn",
					   "Jo\nhn",
					   "Jo\x7fhn",
					   "Jo\xffhn",
					   "\xed\xa0\x80",
					   ("Jo\xc2\xad"
					    "hn") };
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		struct account a = ACCOUNT_INIT;

		account_begin(&a, SYSTEM_LDAP);
		account_add(&a, ACCOUNT_NAME, odd[i]);
		account_add(&a, ACCOUNT_NAME, "John");
		assert_true(account_finish(&a, &err));
		assert_int_equal(count_of(&a, ACCOUNT_NAME), 1);
		assert_string_equal(
			account_get(a.fields.data, a.fields.length, ACCOUNT_NAME),
			"John");
		assert_true(has_flag(&a, "odd-values"));
		account_done(&a);
	}
}

static void there_are_limits(void **state)
{
	struct account a = ACCOUNT_INIT;
	struct error err = ERROR_INIT;
	char text[ACCOUNT_TEXT_MAX + 2];

	(void)state;
	memset(text, 'x', sizeof text);
	account_begin(&a, SYSTEM_LDAP);
	text[ACCOUNT_TEXT_MAX] = '\0';
	account_add(&a, ACCOUNT_MAIL, text);
	text[ACCOUNT_NAME_MAX] = '\0';
	account_add(&a, ACCOUNT_NAME, text);
	assert_true(account_finish(&a, &err));
	assert_false(has_flag(&a, "odd-values"));
	assert_int_equal(count_of(&a, ACCOUNT_MAIL) + count_of(&a, ACCOUNT_NAME), 2);
	account_begin(&a, SYSTEM_LDAP);
	text[ACCOUNT_NAME_MAX] = 'x';
	text[ACCOUNT_NAME_MAX + 1] = '\0';
	account_add(&a, ACCOUNT_NAME, text);
	memset(text, 'x', sizeof text);
	text[ACCOUNT_TEXT_MAX + 1] = '\0';
	account_add(&a, ACCOUNT_MAIL, text);
	assert_true(account_finish(&a, &err));
	assert_true(has_flag(&a, "odd-values"));
	assert_int_equal(count_of(&a, ACCOUNT_MAIL) + count_of(&a, ACCOUNT_NAME), 0);

	account_begin(&a, SYSTEM_LDAP);
	for (int i = 0; i <= ACCOUNT_GROUPS_MAX; i++) {
		(void)snprintf(text, sizeof text, "group %d", i);
		assert_false(a.is_cut);
		account_add(&a, ACCOUNT_GROUP, text);
		account_add(&a, ACCOUNT_GROUP, "group 0"); /* again, and so not counted */
	}
	assert_true(account_finish(&a, &err));
	assert_int_equal(count_of(&a, ACCOUNT_GROUP), ACCOUNT_GROUPS_MAX);
	assert_true(has_flag(&a, "cut"));
	account_done(&a);
}

static void keys_fit_into_ids(void **state)
{
	struct account a = ACCOUNT_INIT;
	char text[ACCOUNT_KEY_MAX + 2];

	(void)state;
	account_begin(&a, SYSTEM_LDAP);
	account_set_key(&a, "uid=a/b,ou=ü~x");
	assert_string_equal(a.key, "uid=a~2Fb,ou=~C3~BC~7Ex");
	memset(text, 'x', sizeof text);
	text[ACCOUNT_KEY_MAX - 2] = '\0';
	account_set_key(&a, text);
	assert_int_equal(strlen(a.key), ACCOUNT_KEY_MAX - 2);
	/* Cut, it could be another's. */
	text[ACCOUNT_KEY_MAX - 2] = 'x';
	text[ACCOUNT_KEY_MAX + 1] = '\0';
	account_set_key(&a, text);
	assert_string_equal(a.key, "");
	account_done(&a);
}

static void damage_ends_the_reading(void **state)
{
	static const char damaged[] = { 'u', 'a', 0, 'n', 'b' };
	struct account_fields f = account_read(damaged, sizeof damaged);

	(void)state;
	assert_string_equal(account_next(&f), "a");
	assert_null(account_next(&f));
	f = account_read(damaged, 1);
	assert_null(account_next(&f));
	f = account_read(damaged, 0);
	assert_null(account_next(&f));
}

static void dns_have_one_form(void **state)
{
	static const char *const same[][2] = {
		{ "uid=adam,ou=people,dc=x", "UID = Adam , OU=People,DC=X" },
		{ "cn=stone\\, peter,dc=x", "CN=Stone\\2C Peter,dc=x" },
		{ "cn=a\\+b,dc=x", "cn=a\\2bb,dc=x" },
		{ "cn=a\\\\b,dc=x", "cn=a\\5Cb,dc=x" },
		{ "cn=müller,dc=x", "cn=M\\C3\\9Cller,dc=x" },
		{ "cn=a+sn=b,dc=x", "cn=A + sn=B , dc=x" },
	};
	static const char *const none[] = { "",        "adam",       "uid=",
					    "uid=a,",  "=a",         "uid=a,,dc=x",
					    "uid=a\\", "uid=a\\00b", "uid=a,b" };
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		_cleanup_strbuf_ struct strbuf a = STRBUF_INIT, b = STRBUF_INIT;

		assert_true(identifier_fold_dn(&a, same[i][0], &err));
		assert_true(identifier_fold_dn(&b, same[i][1], &err));
		assert_string_equal(a.data, b.data);
	}
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

		if (identifier_fold_dn(&sb, none[i], &err))
			fail_msg("'%s' is no DN", none[i]);
		assert_int_equal(sb.length, 0);
		error_clear(&err);
	}
}

static void what_people_type(void **state)
{
	static const struct {
		const char *text, *want;
		bool is_identifier, has_system;
		const char *flag;
	} rows[] = {
		{ " adam ", "adam", false, false, NULL },
		{ "\xc2\xa0\xe3\x80\x80 adam\t\xe2\x80\x83 \xc2\xa0", "adam", false,
		  false, NULL },
		{ "à", "à", false, false, NULL },
		{ "@adam", "adam", true, false, NULL },
		{ "a@x.example", "a@x.example", true, false, NULL },
		{ "<@U0A1B2C3>", "U0A1B2C3", true, true, NULL },
		{ "<@U0A1B2C3|adam>", "U0A1B2C3", true, true, NULL },
		{ "<@>", "", true, true, NULL },
		{ "mailto:a%40x.example?subject=%00", "a@x.example", true, false, NULL },
		{ "<mailto:a@x.example|a>", "a@x.example", true, false, NULL },
		{ "github:octocat", "octocat", true, true, NULL },
		{ "GitHub: @octocat", "octocat", true, true, NULL },
		{ "https://github.com/octocat/?tab=x#y", "octocat", true, true, NULL },
		{ "https://github.com/o/r", "o/r", true, true, NULL },
		{ "https://github.com.evil.example/octocat",
		  "https://github.com.evil.example/octocat", false, false, NULL },
		{ "<https://github.com/octocat|him>", "octocat", true, true, NULL },
		{ "uid=adam,dc=x", "uid=adam,dc=x", true, false, NULL },
		{ "U0A1B2C3", "U0A1B2C3", true, false, NULL },
		{ "WILLIAM", "WILLIAM", false, false, NULL },
		{ "wsmith01", "wsmith01", false, false, NULL },
		{ "U0A1B2", "U0A1B2", false, false, NULL },
		{ "00uabc123", "00uabc123", true, false, NULL },
		{ "mаrk", "", false, false, "mixed-script" },
		{ "mark\xe2\x80\x8b", "", false, false, "invisible-characters" },
		{ "mailto:m%D0%B0rk@x.example", "", true, false, "mixed-script" },
		{ "mailto:m%E2%80%AEark@x", "", true, false, "invisible-characters" },
	};
	static const char *const refused[] = { "", "   ", "\xff", "mailto:%ff@x",
					       "mailto:a%00b@x" };
	char text[QUERY_BYTES_MAX + 2];
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(query_done) struct query q = { 0 };

		if (!query_read(&q, rows[i].text, &err))
			fail_msg("'%s': %s", rows[i].text, err.message);
		if (strcmp(q.text, rows[i].want) != 0 ||
		    (!q.flag && q.is_identifier != rows[i].is_identifier) ||
		    q.has_system != rows[i].has_system ||
		    strcmp(q.flag ? q.flag : "", rows[i].flag ? rows[i].flag : "") != 0)
			fail_msg("'%s' is '%s', %d, %d, %s", rows[i].text, q.text,
				 q.is_identifier, q.has_system, q.flag ? q.flag : "-");
	}
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		_cleanup_(query_done) struct query q = { 0 };

		assert_false(query_read(&q, refused[i], &err));
		error_clear(&err);
	}
	memset(text, 'x', sizeof text);
	text[QUERY_BYTES_MAX] = '\0';
	_cleanup_(query_done) struct query most = { 0 }, more = { 0 };
	assert_true(query_read(&most, text, &err));
	text[QUERY_BYTES_MAX] = 'x';
	text[QUERY_BYTES_MAX + 1] = '\0';
	assert_false(query_read(&more, text, &err));
}

static bool is_nickname(const char *word, const char *other)
{
	const char *name;
	size_t at = 0;

	while ((name = nickname_next(word, &at)))
		if (strcmp(name, other) == 0)
			return true;
	return false;
}

static void nicknames_go_both_ways_and_no_further(void **state)
{
	(void)state;
	assert_true(is_nickname("bob", "robert"));
	assert_true(is_nickname("robert", "bob"));
	assert_true(is_nickname("alex", "alexandra"));
	assert_true(is_nickname("alex", "alexander"));
	assert_false(is_nickname("bob", "rob"));
	assert_false(is_nickname("bob", "bob"));
	assert_false(is_nickname("robert", "robert"));
	assert_false(is_nickname("", ""));
	assert_false(is_nickname("nobody", "robert"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(odd_values_are_left_out),
		cmocka_unit_test(there_are_limits),
		cmocka_unit_test(keys_fit_into_ids),
		cmocka_unit_test(damage_ends_the_reading),
		cmocka_unit_test(dns_have_one_form),
		cmocka_unit_test(what_people_type),
		cmocka_unit_test(nicknames_go_both_ways_and_no_further),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
