/* Tokens that are fetched: once for all threads, and never one that is none. */
#include "api/rest/rest_credential.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/testing.h"

enum { THREADS = 8 };

struct issuer {
	atomic_uint asked;
	const char *token;
	int64_t life_ms;
	enum error_code fails;
};

static bool fetch(void *context, const struct rest_patience *patience,
		  struct strbuf *token, int64_t *ret_life_ms, struct error *err)
{
	struct issuer *i = context;

	(void)patience;
	atomic_fetch_add(&i->asked, 1);
	if (i->fails != ERR_NONE)
		return error_set(err, i->fails, "as the test asked for");
	strbuf_add_string(token, i->token);
	*ret_life_ms = i->life_ms;
	return true;
}

/* What would stand behind "Authorization:"; "" for a failure. */
static void get(const struct rest_credential *c, char text[static 64], struct error *err)
{
	const struct rest_auth *auth = rest_credential_auth(c);
	const struct rest_patience p = rest_patience(5000);
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	error_clear(err);
	if (!auth->value(auth->context, &p, &sb, err))
		strbuf_clear(&sb);
	(void)snprintf(text, 64, "%s", sb.data);
}

static void a_token_is_fetched_once_while_it_is_good(void **state)
{
	struct issuer i = { .token = "t1", .life_ms = 3600 * 1000 };
	struct error err = ERROR_INIT;
	_cleanup_(rest_credential_freep) struct rest_credential *c =
		rest_credential_fetched("Bearer", fetch, &i, &err);
	const struct rest_auth *auth = rest_credential_auth(c);
	char text[64];

	(void)state;
	get(c, text, &err);
	assert_string_equal(text, "Bearer t1");
	get(c, text, &err);
	assert_int_equal(i.asked, 1);
	/* One that was just fetched would be refused again: nobody asks round and round. */
	assert_false(auth->refused(auth->context));
	get(c, text, &err);
	assert_int_equal(i.asked, 1);
}

static void one_that_ends_at_once_is_fetched_again(void **state)
{
	struct issuer i = { .token = "t1", .life_ms = 1 };
	struct error err = ERROR_INIT;
	_cleanup_(rest_credential_freep) struct rest_credential *c =
		rest_credential_fetched("Bearer", fetch, &i, &err);
	char text[64];

	(void)state;
	get(c, text, &err);
	const int64_t before_ms = clock_mono_ms();
	while (clock_mono_ms() <= before_ms + 1)
		; /* a millisecond */
	get(c, text, &err);
	assert_int_equal(i.asked, 2);
}

static void what_is_no_token_is_refused(void **state)
{
	static const struct issuer odd[] = {
		{ .token = "", .life_ms = 1000 },
		{ .token = "a b", .life_ms = 1000 },
		{ .token = "a\r\nX: y", .life_ms = 1000 },
		{ .token = "\xc3\xa4", .life_ms = 1000 },
		{ .token = "t", .life_ms = 0 },
		{ .token = "t", .life_ms = -1 },
	};

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(odd); k++) {
		struct issuer i = { .token = odd[k].token, .life_ms = odd[k].life_ms };
		struct error err = ERROR_INIT;
		_cleanup_(rest_credential_freep) struct rest_credential *c =
			rest_credential_fetched("Bearer", fetch, &i, &err);
		char text[64];

		get(c, text, &err);
		assert_string_equal(text, "");
		assert_int_equal(err.code, ERR_BACKEND_UNAVAILABLE);
	}
}

static void a_failure_is_told_and_not_kept(void **state)
{
	struct issuer i = { .token = "t", .life_ms = 3600 * 1000, .fails = ERR_TIMEOUT };
	struct error err = ERROR_INIT;
	_cleanup_(rest_credential_freep) struct rest_credential *c =
		rest_credential_fetched("Bearer", fetch, &i, &err);
	char text[64];

	(void)state;
	get(c, text, &err);
	assert_int_equal(err.code, ERR_TIMEOUT);
	i.fails = ERR_NONE;
	get(c, text, &err);
	assert_string_equal(text, "Bearer t");
}

static void *use(void *context)
{
	struct error err = ERROR_INIT;
	char *text = calloc(1, 64);

	if (text)
		get(context, text, &err);
	return text;
}

static void many_threads_fetch_one_token(void **state)
{
	struct issuer i = { .token = "t1", .life_ms = 3600 * 1000 };
	struct error err = ERROR_INIT;
	_cleanup_(rest_credential_freep) struct rest_credential *c =
		rest_credential_fetched("Bearer", fetch, &i, &err);
	pthread_t threads[THREADS];

	(void)state;
	for (size_t k = 0; k < THREADS; k++)
		assert_int_equal(pthread_create(&threads[k], NULL, use, c), 0);
	for (size_t k = 0; k < THREADS; k++) {
		void *text = NULL;
		assert_int_equal(pthread_join(threads[k], &text), 0);
		assert_string_equal(text, "Bearer t1");
		free(text);
	}
	assert_int_equal(i.asked, 1);
}

static void a_fixed_one_is_as_it_stands(void **state)
{
	struct error err = ERROR_INIT;
	_cleanup_(rest_credential_freep) struct rest_credential *c =
		rest_credential_fixed("SSWS", secret_new("00token", 7), &err);
	const struct rest_auth *auth = rest_credential_auth(c);
	char text[64];

	(void)state;
	get(c, text, &err);
	assert_string_equal(text, "SSWS 00token");
	assert_false(auth->refused(auth->context));
	assert_null(rest_credential_fixed("SSWS", secret_new("a\nb", 3), &err));
	assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
	assert_null(strstr(err.message, "a\nb"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_is_fetched_once_while_it_is_good),
		cmocka_unit_test(one_that_ends_at_once_is_fetched_again),
		cmocka_unit_test(what_is_no_token_is_refused),
		cmocka_unit_test(a_failure_is_told_and_not_kept),
		cmocka_unit_test(many_threads_fetch_one_token),
		cmocka_unit_test(a_fixed_one_is_as_it_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
