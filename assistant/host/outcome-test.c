/* What a model is told of how its proposals stand. */
#include "assistant/host/outcome.h"

#include "base/testing.h"

static json_t *record_of(const char *state, const char *text)
{
	return json_pack("{s:s, s:{s:[{s:s}]}}", "state", state, "result", "content",
			 "text", text);
}

static const char *member(const json_t *results, size_t i, const char *name)
{
	const char *text = json_get_string(json_array_get(results, i), name);

	return text ? text : "(none)";
}

/* Nothing of what a plan found: the bare code. */
static void test_refused(void **state)
{
	json_auto_t *record = json_pack(
		"{s:s, s:{s:{s:s, s:s, s:{s:[s]}}}}", "state", "refused", "outcome",
		"error", "code", "ambiguous", "message", "two people: Jane and John",
		"details", "candidates", "jane@example.test");
	json_auto_t *results = outcome_of_record(record, NULL, 2);

	(void)state;
	assert_int_equal(json_array_size(results), 2);
	assert_string_equal(member(results, 1, "status"), "refused");
	assert_string_equal(member(results, 1, "code"), "ambiguous");
	assert_int_equal(json_object_size(json_array_get(results, 1)), 2);
	assert_true(outcome_is_end(record));
}

static void test_errors_are_masked(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	error_set(&err, ERR_INVALID_ARGUMENT, "password=hunter2 is too short");
	json_auto_t *results = outcome_of_refusal(&err, 1);
	const json_t *errors = json_object_get(json_array_get(results, 0), "errors");
	assert_string_equal(member(results, 0, "status"), "invalid");
	assert_string_equal(json_string_value(json_array_get(errors, 0)),
			    "password=[redacted] is too short");
}

/* A credential across the place where it is cut is none of it told. */
static void test_results_are_masked_then_cut(void **state)
{
	static const char token[] = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
	char *text = malloc(OUTCOME_TEXT_MAX + sizeof token);

	(void)state;
	assert_non_null(text);
	memset(text, ' ', OUTCOME_TEXT_MAX);
	memcpy(text + OUTCOME_TEXT_MAX - 12, token, sizeof token);
	json_auto_t *record = record_of("succeeded", text);
	json_auto_t *results = outcome_of_record(record, NULL, 1);
	assert_null(strstr(member(results, 0, "outcome"), "ghp_"));
	assert_int_equal(strlen(member(results, 0, "outcome")), OUTCOME_TEXT_MAX - 2);
	free(text);
}

static void test_length(void **state)
{
	char *text = malloc(OUTCOME_TEXT_MAX + 2);

	(void)state;
	assert_non_null(text);
	memset(text, 'x', OUTCOME_TEXT_MAX + 1);
	text[OUTCOME_TEXT_MAX + 1] = '\0';
	json_auto_t *more = record_of("succeeded", text);
	json_auto_t *cut = outcome_of_record(more, NULL, 1);
	assert_int_equal(strlen(member(cut, 0, "outcome")), OUTCOME_TEXT_MAX);
	text[OUTCOME_TEXT_MAX] = '\0';
	json_auto_t *most = record_of("succeeded", text);
	json_auto_t *whole = outcome_of_record(most, NULL, 1);
	assert_int_equal(strlen(member(whole, 0, "outcome")), OUTCOME_TEXT_MAX);
	free(text);
}

/* What is not known to be an end is none, and tells nothing. */
static void test_unknown_state(void **state)
{
	json_auto_t *record = record_of("approved by the model", "done");
	json_auto_t *results = outcome_of_record(record, NULL, 1);

	(void)state;
	assert_string_equal(member(results, 0, "status"), "pending");
	assert_string_equal(member(results, 0, "outcome"), "(none)");
	assert_false(outcome_is_end(record));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_errors_are_masked),
		cmocka_unit_test(test_results_are_masked_then_cut),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_unknown_state),
	};

	return cmocka_run_group_tests_name("assistant-outcome", tests, NULL, NULL);
}
