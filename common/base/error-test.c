#include "base/error.h"

#include <errno.h>

#include "base/testing.h"
#include "base/utf8.h"

static void test_first_wins(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	assert_false(error_is_set(&err));
	assert_false(error_set(&err, ERR_NOT_FOUND, "no %s", "one"));
	assert_false(error_set(&err, ERR_CONFLICT, "later"));
	assert_true(error_is_set(&err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_string_equal(err.message, "no one");
}

static void test_hint_and_cause(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	assert_false(error_hint(&err, "early"));
	assert_false(error_cause(&err, "early"));
	assert_string_equal(err.hint, "");
	assert_string_equal(err.cause, "");
	error_set(&err, ERR_TIMEOUT, "slow");
	assert_false(error_hint(&err, "wait %d", 3));
	assert_false(error_hint(&err, "second"));
	assert_false(error_cause(&err, "line %d", 4));
	assert_false(error_cause(&err, "second"));
	assert_string_equal(err.hint, "wait 3");
	assert_string_equal(err.cause, "line 4");
	error_clear(&err);
	assert_false(error_is_set(&err));
	assert_string_equal(err.hint, "");
}

/* A struct that was filled with rubbish and given a code of none shows none of it. */
static void test_no_old_hint(void **state)
{
	struct error err;

	(void)state;
	memset(&err, 'x', sizeof err);
	err.code = ERR_NONE;
	error_set(&err, ERR_NONE, "our own fault");
	assert_int_equal(err.code, ERR_INTERNAL);
	assert_string_equal(err.hint, "");
	assert_string_equal(err.cause, "");
}

static void test_errno(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	errno = ENOENT;
	assert_false(error_errno(&err, "cannot open '%s'", "x"));
	assert_int_equal(err.code, ERR_INTERNAL);
	assert_string_equal(err.message, "cannot open 'x': No such file or directory");
	error_clear(&err);
	assert_false(error_oom(&err));
	assert_string_equal(err.message, "out of memory");
}

static void assert_utf8(const char *text)
{
	size_t length = strlen(text);
	uint32_t c;

	for (size_t at = 0, size; at < length; at += size) {
		size = utf8_next(text + at, length - at, &c);
		assert_int_not_equal(size, 0);
	}
}

/* Whatever is quoted in a message ends up in JSON. */
static void test_always_utf8(void **state)
{
	struct error err = ERROR_INIT;
	char text[1024];

	(void)state;
	for (size_t lead = 0; lead < 4; lead++) {
		memset(text, 'a', lead);
		for (size_t at = lead; at + 4 < sizeof text; at += 4)
			memcpy(text + at, "\xF0\x9F\x98\x80", 5);
		error_clear(&err);
		error_set(&err, ERR_INVALID_ARGUMENT, "%s", text);
		assert_utf8(err.message);
		assert_in_range(strlen(err.message), sizeof err.message - 5,
				sizeof err.message - 1);
		assert_null(strchr(err.message, '?'));
	}
	error_clear(&err);
	error_set(&err, ERR_INVALID_ARGUMENT, "%s", "a\xFF\xC0\x80z\xE2\x82");
	assert_string_equal(err.message, "a???z??");
}

static void test_names(void **state)
{
	(void)state;
	for (int code = ERR_NONE + 1; code < ERR_CODE_COUNT; code++) {
		const char *name = error_name((enum error_code)code);
		assert_non_null(name);
		assert_int_equal(error_from_name(name), code);
	}
	assert_string_equal(error_name(ERR_INTERNAL), "internal");
	assert_string_equal(error_name(ERR_UNKNOWN_OUTCOME), "unknown_outcome");
	assert_string_equal(error_name((enum error_code)99), "internal");
	assert_int_equal(error_from_name("none"), ERR_NONE);
	assert_int_equal(error_from_name("nonsense"), ERR_NONE);
	assert_int_equal(error_from_name(NULL), ERR_NONE);
}

static void test_retryable(void **state)
{
	(void)state;
	assert_true(error_retryable(ERR_RATE_LIMITED));
	assert_true(error_retryable(ERR_BACKEND_UNAVAILABLE));
	assert_true(error_retryable(ERR_TIMEOUT));
	assert_false(error_retryable(ERR_UNKNOWN_OUTCOME));
	assert_false(error_retryable(ERR_INVALID_ARGUMENT));
	assert_false(error_retryable(ERR_NONE));
	assert_false(error_retryable((enum error_code)99));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_wins),  cmocka_unit_test(test_hint_and_cause),
		cmocka_unit_test(test_no_old_hint), cmocka_unit_test(test_errno),
		cmocka_unit_test(test_always_utf8), cmocka_unit_test(test_names),
		cmocka_unit_test(test_retryable),
	};

	return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
