#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "servers/accounts/fake_backend.h"
#include "servers/accounts/resolve.h"

static struct fake_account people[] = {
	FAKE_ACCOUNT("1", "uid=john.doe,dc=x", "john.doe", "John Doe",
		     "john.doe@example.test", ""),
	FAKE_ACCOUNT("2", "uid=alex.kim,dc=x", "alex.kim", "Alex Kim",
		     "alex.kim@example.test", ""),
	FAKE_ACCOUNT("3", "uid=alex.kim2,dc=x", "alex.kim2", "Alex Kim",
		     "alex.kim2@example.test", ""),
	/* Somebody's user name is somebody else's name. */
	FAKE_ACCOUNT("4", "uid=jo,dc=x", "jo", "Johanna Stone", "jo@example.test", ""),
	FAKE_ACCOUNT("5", "uid=star,dc=x", "star", "*", "star@example.test", ""),
	FAKE_ACCOUNT("6", "uid=j2,dc=x", "j2", "jo", "j2@example.test", ""),
	FAKE_ACCOUNT("7", "uid=twin1,dc=x", "twin1", "Twin One", "shared@example.test",
		     ""),
	FAKE_ACCOUNT("8", "uid=twin2,dc=x", "twin2", "Twin Two", "shared@example.test",
		     ""),
	{ 0 },
};

/* A second system: the same mail, another name; and the same name with another mail. */
static struct fake_account others[] = {
	FAKE_ACCOUNT("a", "jdoe", "jdoe", "J. Doe", "John.Doe@example.test", ""),
	FAKE_ACCOUNT("b", "akim", "akim", "Johanna Stone", "someone.else@example.test",
		     ""),
	FAKE_ACCOUNT("c", "only", "only", "Only There", "only@example.test", ""),
	{ 0 },
};

static struct fake_system first = { .accounts = people }, second = { .accounts = others };
static const struct account_system systems[] = {
	{ &fake_backend, &first, NULL },
	{ &fake_backend, &second, NULL },
};

static enum error_code resolve(const char *text, struct person *ret, json_t **candidates)
{
	static const bool both[] = { true, true };
	struct error err = ERROR_INIT;

	*candidates = NULL;
	return resolve_person(systems, 2, both, text, 0, ret, candidates, &err)
		       ? ERR_NONE
		       : err.code;
}

static void test_found(void **state)
{
	static const struct {
		const char *text, *uid;
		size_t accounts;
	} cases[] = {
		{ "john.doe", "john.doe", 2 },
		{ "JOHN.DOE", "john.doe", 2 },
		{ "@john.doe", "john.doe", 2 },
		{ "  john.doe@example.test ", "john.doe", 2 },
		{ "John.Doe@Example.Test", "john.doe", 2 },
		{ "mailto:john.doe@example.test", "john.doe", 2 },
		{ "uid=john.doe,dc=x", "john.doe", 2 },
		{ "John Doe", "john.doe", 2 },
		{ "alex.kim", "alex.kim", 1 },
		/* An identifier wins over somebody's name. */
		{ "jo", "jo", 1 },
		/* The name in the second system proves nothing. */
		{ "Johanna Stone", "jo", 1 },
		{ "only", "only", 1 },
		{ "*", "star", 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(person_done) struct person p = { 0 };
		json_t *candidates;
		enum error_code code = resolve(cases[i].text, &p, &candidates);

		if (code != ERR_NONE || strcmp(p.uid, cases[i].uid) != 0 ||
		    p.count != cases[i].accounts)
			fail_msg("'%s': %s, %zu accounts", cases[i].text,
				 error_name(code), p.count);
	}
}

static void test_nobody(void **state)
{
	static const char *const cases[] = {
		"john",
		"doe",
		"John",
		"ohn Doe",
		"john.doe@",
		"@",
		"@example.test",
		"john.doe@example",
		"x=y",
		"john.*",
		"Alex",
		"@John Doe",
		"mailto:john.doe@",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct person p = { 0 };
		json_t *candidates;
		enum error_code code = resolve(cases[i], &p, &candidates);

		if (code != ERR_NOT_FOUND && code != ERR_INVALID_ARGUMENT)
			fail_msg("'%s': %s", cases[i], error_name(code));
		assert_null(candidates);
		assert_int_equal(p.count, 0);
	}
}

static void test_empty(void **state)
{
	static const char *const cases[] = { "", " ", "@", "mailto:", " @ " };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct person p = { 0 };
		json_t *candidates;

		assert_int_equal(resolve(cases[i], &p, &candidates),
				 ERR_INVALID_ARGUMENT);
	}
}

static void test_ambiguous(void **state)
{
	static const char *const cases[] = { "Alex Kim", "shared@example.test" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct person p = { 0 };
		json_t *candidates;

		assert_int_equal(resolve(cases[i], &p, &candidates), ERR_AMBIGUOUS);
		assert_int_equal(json_array_size(candidates), 2);
		assert_non_null(
			json_get_string(json_array_get(candidates, 0), "identifier"));
		json_decref(candidates);
	}
}

static void test_many_of_a_name(void **state)
{
	static struct fake_account crowd[ACCOUNT_MATCHES_MAX + 2];
	static struct fake_system system = { .accounts = crowd };
	static const struct account_system only = { &fake_backend, &system, NULL };

	(void)state;
	for (int n = ACCOUNT_MATCHES_MAX; n <= ACCOUNT_MATCHES_MAX + 1; n++) {
		struct error err = ERROR_INIT;
		struct person p = { 0 };
		json_t *candidates = NULL;
		bool wanted = true;

		for (int i = 0; i < n; i++)
			crowd[i] = (struct fake_account)FAKE_ACCOUNT("i", "d", "u",
								     "Same", "m", "");
		assert_false(resolve_person(&only, 1, &wanted, "Same", 0, &p, &candidates,
					    &err));
		assert_int_equal(err.code, ERR_AMBIGUOUS);
		assert_int_equal(json_array_size(candidates), ACCOUNT_MATCHES_MAX);
		assert_int_equal(strncmp(err.message, "more than", 9) == 0,
				 n > ACCOUNT_MATCHES_MAX);
		json_decref(candidates);
	}
}

static void test_wanted(void **state)
{
	static const bool second_only[] = { false, true };
	_cleanup_(person_done) struct person p = { 0 }, q = { 0 };
	struct error err = ERROR_INIT;
	json_t *candidates = NULL;

	(void)state;
	assert_true(resolve_person(systems, 2, second_only, "john.doe", 0, &p,
				   &candidates, &err));
	assert_int_equal(p.count, 1);
	assert_string_equal(p.accounts[0].account.identifier, "jdoe");
	assert_string_equal(p.name, "John Doe");
	/* Known, but without an account there. */
	assert_true(resolve_person(systems, 2, second_only, "alex.kim", 0, &q,
				   &candidates, &err));
	assert_int_equal(q.count, 0);
}

static void test_down(void **state)
{
	struct person p = { 0 };
	json_t *candidates;

	(void)state;
	/* The person may be known where nobody answers: not "not found". */
	first.lookup_fails = ERR_BACKEND_UNAVAILABLE;
	assert_int_equal(resolve("john.doe", &p, &candidates), ERR_BACKEND_UNAVAILABLE);
	assert_int_equal(resolve("only", &p, &candidates), ERR_BACKEND_UNAVAILABLE);
	first.lookup_fails = ERR_NONE;
	second.lookup_fails = ERR_TIMEOUT;
	assert_int_equal(resolve("john.doe", &p, &candidates), ERR_TIMEOUT);
	second.lookup_fails = ERR_NONE;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),          cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_empty),          cmocka_unit_test(test_ambiguous),
		cmocka_unit_test(test_many_of_a_name), cmocka_unit_test(test_wanted),
		cmocka_unit_test(test_down),
	};

	return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}
