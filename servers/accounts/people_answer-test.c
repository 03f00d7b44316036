#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/testing.h"
#include "servers/accounts/fake_backend.h"
#include "servers/accounts/people_answer.h"

static struct fake_account entries[] = {
	FAKE_ACCOUNT("e-1", "uid=john.doe,dc=x", "john.doe", "John Doe",
		     "john.doe@example.test", ""),
	FAKE_ACCOUNT("e-2", "uid=other,dc=x", "other", "John Doe", "other@example.test",
		     ""),
	{ 0 },
};
static struct fake_account users[] = {
	FAKE_ACCOUNT("00u1", "00u1", "john", "John", "john.doe@example.test", ""),
	{ 0 },
};
static struct fake_account members[] = {
	FAKE_ACCOUNT("77", "johnny", "johnny", "", "", ""),
	{ 0 },
};
static struct fake_system ldap, okta, github;
static const struct account_system systems[] = {
	{ &fake_ldap, &ldap, NULL },
	{ &fake_okta, &okta, NULL },
	{ &fake_github, &github, NULL },
};

/* JSON with ' for ". */
static json_t *parse(const char *text)
{
	_cleanup_free_ char *copy = strdup(text);
	json_t *value;

	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	value = json_loads(copy, JSON_DECODE_ANY, NULL);
	if (!value)
		fail_msg("no JSON: %s", copy);
	return value;
}

#define JOHN                                                                             \
	"{'id': 'p1', 'display_name': 'John Doe', 'emails': ['John.Doe@example.test'],"  \
	" 'kind': 'employee', 'status': 'active', 'systems': {"                          \
	"'ldap': {'dn': 'uid=john.doe,dc=x', 'uid': 'john.doe'},"                        \
	"'okta': {'id': '00u1', 'login': 'john'},"                                       \
	"'github': {'login': 'johnny', 'id': '77'}}}"
#define OTHER                                                                            \
	"{'id': 'p2', 'display_name': 'John Doe', 'emails': ['other@example.test'],"     \
	" 'kind': 'contractor', 'status': 'active', 'systems': {"                        \
	"'ldap': {'dn': 'uid=other,dc=x', 'uid': 'other'}}}"
#define FRESH ", 'stale': false, 'age_s': 5, 'too_old': false}"

static bool read_with(const char *text, bool is_change, struct person *ret,
		      json_t **ret_candidates, struct error *err)
{
	const bool wanted[] = { true, true, true };
	const struct people_question q = { .systems = systems,
					   .count = ARRAY_SIZE(systems),
					   .wanted = wanted,
					   .text = "john",
					   .is_change = is_change,
					   .max_age_s = 60 };
	json_auto_t *answer = parse(text);

	ldap = (struct fake_system){ .accounts = entries };
	okta = (struct fake_system){ .accounts = users };
	github = (struct fake_system){ .accounts = members };
	return people_answer_read(&q, answer, ret, ret_candidates, err);
}

static void refused(const char *text, bool is_change, enum error_code code,
		    const char *message)
{
	struct person p = { 0 };
	json_auto_t *candidates = NULL;
	struct error err = ERROR_INIT;

	assert_false(read_with(text, is_change, &p, &candidates, &err));
	testing_error(&err, code, message);
	assert_int_equal(candidates != NULL, code == ERR_AMBIGUOUS);
}

static bool notes(const struct person *p, const char *text)
{
	for (size_t i = 0; i < json_array_size(p->notes); i++)
		if (strstr(json_string_value(json_array_get(p->notes, i)), text))
			return true;
	return false;
}

static void the_accounts_that_are_named_and_no_others(void **state)
{
	_cleanup_(person_done) struct person p = { 0 };
	json_auto_t *candidates = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	if (!read_with("{'match': 'unique', 'via': 'identifier', 'people': [" JOHN
		       "]" FRESH,
		       true, &p, &candidates, &err))
		fail_msg("%s", err.message);
	assert_int_equal(p.count, 3);
	assert_string_equal(p.accounts[0].account.id, "e-1");
	assert_string_equal(p.accounts[1].account.id, "00u1");
	assert_string_equal(p.accounts[2].account.id, "77");
	assert_string_equal(p.mail, "John.Doe@example.test");
	assert_string_equal(p.uid, "john.doe");
	assert_int_equal(json_array_size(p.notes), 0);
}

static void only_an_identifier_changes_anything(void **state)
{
	_cleanup_(person_done) struct person p = { 0 };
	json_auto_t *candidates = NULL;
	struct error err = ERROR_INIT;
	static const char by_name[] =
		"{'match': 'unique', 'via': 'name', 'people': [" JOHN "]" FRESH;

	(void)state;
	refused(by_name, true, ERR_AMBIGUOUS, "is no identifier");
	assert_true(read_with(by_name, false, &p, &candidates, &err));
	refused("{'match': 'unique', 'via': 'fuzzy', 'people': [" JOHN "]" FRESH, true,
		ERR_AMBIGUOUS, "is no identifier");
	refused("{'match': 'unique', 'via': 'fuzzy', 'people': [" JOHN "]" FRESH, false,
		ERR_AMBIGUOUS, "is no identifier");
	refused("{'match': 'unique', 'people': [" JOHN "]" FRESH, true, ERR_AMBIGUOUS,
		"");
	/* 'unique' with two people is not. */
	refused("{'match': 'unique', 'via': 'identifier', 'people': [" JOHN "," OTHER
		"]" FRESH,
		true, ERR_AMBIGUOUS, "2 people");
	refused("{'match': 'none', 'people': []" FRESH, true, ERR_NOT_FOUND,
		"nobody is known");
	refused("{'match': 'unique', 'via': 'identifier', 'people': []" FRESH, true,
		ERR_NOT_FOUND, "");
	refused("{'via': 'identifier', 'people': [" JOHN "]" FRESH, true,
		ERR_BACKEND_UNAVAILABLE, "cannot be read");
	refused("{'match': 'unique', 'via': 'identifier'" FRESH, true,
		ERR_BACKEND_UNAVAILABLE, "cannot be read");
}

static void each_candidate_has_the_words_that_mean_it(void **state)
{
	struct person p = { 0 };
	json_auto_t *candidates = NULL;
	struct error err = ERROR_INIT;
	const json_t *choice;

	(void)state;
	assert_false(read_with("{'match': 'ambiguous', 'via': 'name', 'people': [" JOHN
			       "," OTHER "]" FRESH,
			       true, &p, &candidates, &err));
	assert_int_equal(json_array_size(candidates), 2);
	choice = json_object_get(json_array_get(candidates, 0), "choice");
	assert_string_equal(json_get_string(choice, "person"), "John.Doe@example.test");
	/* A shared address means neither. */
	json_decref(candidates);
	candidates = NULL;
	error_clear(&err);
	assert_false(read_with(
		"{'match': 'ambiguous', 'via': 'identifier', 'people': [" JOHN
		", {'display_name': 'Twin', 'emails': ['john.doe@EXAMPLE.test'],"
		" 'systems': {'slack': {'user_id': 'U1'}}},"
		" {'display_name': 'Nobody', 'emails': [], 'systems': {}}]" FRESH,
		true, &p, &candidates, &err));
	choice = json_object_get(json_array_get(candidates, 0), "choice");
	assert_string_equal(json_get_string(choice, "person"), "uid=john.doe,dc=x");
	choice = json_object_get(json_array_get(candidates, 1), "choice");
	assert_string_equal(json_get_string(choice, "person"), "U1");
	assert_null(json_object_get(json_array_get(candidates, 2), "choice"));
}

static void what_is_too_old_changes_nothing(void **state)
{
	static const char *const ages[] = {
		", 'age_s': 61, 'too_old': false}",
		", 'age_s': 5, 'too_old': true}",
		", 'age_s': 5}",
		", 'too_old': false}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ages); i++) {
		_cleanup_(person_done) struct person p = { 0 };
		_cleanup_free_ char *text = NULL;
		json_auto_t *candidates = NULL;
		struct error err = ERROR_INIT;

		assert_true(asprintf(&text,
				     "{'match': 'unique', 'via': 'identifier', "
				     "'people': [" JOHN "]%s",
				     ages[i]) > 0);
		refused(text, true, ERR_PRECONDITION_FAILED, "too old");
		assert_true(read_with(text, false, &p, &candidates, &err));
	}
}

/* What its systems say of an account must be what the answer says. */
static void an_account_that_is_anothers_is_refused(void **state)
{
	static const char *const bad[] = {
		/* another's user name */
		"'ldap': {'dn': 'uid=other,dc=x', 'uid': 'john.doe'}",
		/* another's address */
		"'ldap': {'dn': 'uid=other,dc=x'}",
		/* another id */
		"'github': {'login': 'johnny', 'id': '78'}",
		"'ldap': {'dn': 'uid=john.doe,dc=x', 'id': 'e-2'}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_free_ char *text = NULL;

		assert_true(asprintf(&text,
				     "{'match': 'unique', 'via': 'identifier', "
				     "'people': [{'display_name': 'John', 'emails': "
				     "['john.doe@example.test'], 'systems': {%s}}]" FRESH,
				     bad[i]) > 0);
		refused(text, true, ERR_PRECONDITION_FAILED, "is not the account");
	}
}

static void what_is_not_reached_is_said(void **state)
{
	_cleanup_(person_done) struct person p = { 0 };
	json_auto_t *candidates = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(read_with(
		"{'match': 'unique', 'via': 'identifier', 'people': ["
		"{'display_name': 'John', 'emails': ['john.doe@example.test'],"
		" 'kind': 'service', 'conflicts': ['two people claim the login x'],"
		" 'systems': {'ldap': {'dn': 'uid=john.doe,dc=x'},"
		"  'okta': {'id': '00gone'}, 'slack': {'user_id': 'U1'}},"
		" 'more': [{'system': 'ldap', 'identifier': "
		"'uid=john.doe,dc=x'}]}]" FRESH,
		true, &p, &candidates, &err));
	assert_int_equal(p.count, 1); /* the same account twice is one */
	assert_true(p.is_service);
	assert_true(notes(&p, "okta: there is no account '00gone'"));
	assert_true(notes(&p, "slack: the account 'U1' stays as it is"));
	assert_true(notes(&p, "github: no account of this person is known"));
	assert_true(notes(&p, "two people claim"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_accounts_that_are_named_and_no_others),
		cmocka_unit_test(only_an_identifier_changes_anything),
		cmocka_unit_test(each_candidate_has_the_words_that_mean_it),
		cmocka_unit_test(what_is_too_old_changes_nothing),
		cmocka_unit_test(an_account_that_is_anothers_is_refused),
		cmocka_unit_test(what_is_not_reached_is_said),
	};

	return cmocka_run_group_tests_name("people_answer", tests, NULL, NULL);
}
