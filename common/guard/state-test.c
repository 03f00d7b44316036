#include "guard/state.h"

#include "base/testing.h"

#define ARGS "1111111111111111111111111111111111111111111111111111111111111111"
#define PLAN "2222222222222222222222222222222222222222222222222222222222222222"

static const uint8_t key_bytes[32] = "0123456789abcdef0123456789abcdef";

static const struct request_state sample = {
	.principal = "alice@company.com",
	.server = "accounts",
	.tool = "block_account",
	.args = ARGS,
	.plan = PLAN,
	.store = "0123456789abcdef0123456789",
	.planned_at_ms = 1000,
	.expires_ms = 5000,
};

static struct secret *new_key(uint8_t first)
{
	uint8_t bytes[sizeof key_bytes];

	memcpy(bytes, key_bytes, sizeof bytes);
	bytes[0] = first;
	struct secret *key = secret_new(bytes, sizeof bytes);
	assert_non_null(key);
	return key;
}

static void test_there_and_back(void **state)
{
	_cleanup_(secret_freep) struct secret *key = new_key(1);
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	struct error err = ERROR_INIT;
	struct request_state got;

	(void)state;
	assert_true(state_seal(&word, &sample, key, &err));
	assert_memory_equal(word.data, "v1.", 3);
	assert_null(strstr(word.data, "alice"));
	assert_true(state_open(word.data, key, 4999, &got, &err));
	assert_string_equal(got.principal, sample.principal);
	assert_string_equal(got.server, sample.server);
	assert_string_equal(got.tool, sample.tool);
	assert_string_equal(got.args, sample.args);
	assert_string_equal(got.plan, sample.plan);
	assert_int_equal(got.planned_at_ms, 1000);
	assert_int_equal(got.expires_ms, 5000);
	assert_false(state_open(word.data, key, 5000, &got, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "expired");
}

static void test_two_seals_differ(void **state)
{
	_cleanup_(secret_freep) struct secret *key = new_key(1);
	_cleanup_strbuf_ struct strbuf one = STRBUF_INIT, two = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(state_seal(&one, &sample, key, &err));
	assert_true(state_seal(&two, &sample, key, &err));
	assert_string_not_equal(one.data, two.data);
	strbuf_done(&two);
}

static void test_without_plan(void **state)
{
	_cleanup_(secret_freep) struct secret *key = new_key(1);
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	struct request_state read = sample, got;
	struct error err = ERROR_INIT;

	(void)state;
	read.plan[0] = '\0';
	assert_true(state_seal(&word, &read, key, &err));
	assert_true(state_open(word.data, key, 0, &got, &err));
	assert_string_equal(got.plan, "");
}

static void assert_refused(const char *word, const struct secret *key)
{
	struct error err = ERROR_INIT;
	struct request_state got = sample;

	assert_false(state_open(word, key, 2000, &got, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "altered or is not ours");
	assert_memory_equal(&got, &sample, sizeof got);
}

static void test_altered(void **state)
{
	_cleanup_(secret_freep) struct secret *key = new_key(1);
	_cleanup_(secret_freep) struct secret *other = new_key(2);
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(state_seal(&word, &sample, key, &err));
	assert_refused(word.data, other);
	assert_refused(NULL, key);
	assert_refused("", key);
	assert_refused("v1.", key);
	assert_refused("v2.AAAA", key);
	assert_refused(word.data + 3, key);
	for (size_t i = 0; i < word.length; i++) {
		word.data[i] = (char)(word.data[i] ^ 1);
		assert_refused(word.data, key);
		word.data[i] = (char)(word.data[i] ^ 1);
	}
	for (size_t length = 0; length < word.length; length++) {
		_cleanup_free_ char *cut = strndup(word.data, length);
		assert_refused(cut, key);
	}
	while (word.length <= STATE_MAX)
		strbuf_add_char(&word, 'A');
	assert_refused(word.data, key);
}

/* What is sealed with the same key for something else is not a request state. */
static void test_other_purpose(void **state)
{
	_cleanup_(secret_freep) struct secret *key = new_key(1);
	_cleanup_strbuf_ struct strbuf sealed = STRBUF_INIT, word = STRBUF_INIT;
	struct error err = ERROR_INIT;
	static const char text[] =
		"{\"principal\":\"a\",\"server\":\"s\",\"tool\":\"t\",\"args\":\"" ARGS
		"\",\"planned_at\":1,\"expires\":9999}";

	(void)state;
	assert_true(secret_seal(key, "other", text, sizeof text - 1, &sealed, &err));
	strbuf_add_string(&word, "v1.");
	digest_base64url(&word, sealed.data, sealed.length);
	assert_refused(word.data, key);
}

static void test_incomplete_is_not_sealed(void **state)
{
	_cleanup_(secret_freep) struct secret *key = new_key(1);
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	struct request_state s = sample;
	struct error err = ERROR_INIT;

	(void)state;
	s.principal[0] = '\0';
	assert_false(state_seal(&word, &s, key, &err));
	testing_error(&err, ERR_INTERNAL, "incomplete");
	s = sample;
	s.args[3] = 'X';
	assert_false(state_seal(&word, &s, key, &err));
	testing_error(&err, ERR_INTERNAL, "incomplete");
	assert_int_equal(word.length, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_two_seals_differ),
		cmocka_unit_test(test_without_plan),
		cmocka_unit_test(test_altered),
		cmocka_unit_test(test_other_purpose),
		cmocka_unit_test(test_incomplete_is_not_sealed),
	};

	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
