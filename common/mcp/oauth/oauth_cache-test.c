/* Tokens found good: each only as itself, and no more than there is room for. */
#include "mcp/oauth/oauth_cache.h"

#include "base/testing.h"

static struct oauth_known known_of(int number)
{
	struct oauth_known k = { .issuer = (unsigned)number,
				 .generation = (uint64_t)number,
				 .until_ms = number };

	(void)snprintf(k.caller.principal, sizeof k.caller.principal, "p%d", number);
	return k;
}

static void a_token_is_found_as_itself(void **state)
{
	struct oauth_cache *c = oauth_cache_new();
	struct oauth_known k = known_of(7), got = known_of(0);

	(void)state;
	assert_false(oauth_cache_find(c, "", &got));
	oauth_cache_put(c, "a.b.c", &k);
	assert_true(oauth_cache_find(c, "a.b.c", &got));
	assert_string_equal(got.caller.principal, "p7");
	assert_int_equal(got.until_ms, 7);
	assert_false(oauth_cache_find(c, "a.b.d", &got));
	assert_false(oauth_cache_find(c, "a.b.", &got));
	assert_false(oauth_cache_find(c, "", &got));
	k = known_of(8);
	oauth_cache_put(c, "a.b.c", &k);
	assert_true(oauth_cache_find(c, "a.b.c", &got));
	assert_int_equal(got.generation, 8);
	oauth_cache_free(c);
}

/* Whoever loses his place is not found; nobody is found as somebody else. */
static void places_are_taken_over(void **state)
{
	enum { TOKENS = 4 * OAUTH_CACHE_ROWS };
	struct oauth_cache *c = oauth_cache_new();
	char token[32];
	size_t found = 0;

	(void)state;
	for (int i = 0; i < TOKENS; i++) {
		const struct oauth_known k = known_of(i);

		(void)snprintf(token, sizeof token, "t.%d.x", i);
		oauth_cache_put(c, token, &k);
	}
	for (int i = 0; i < TOKENS; i++) {
		struct oauth_known got;

		(void)snprintf(token, sizeof token, "t.%d.x", i);
		if (!oauth_cache_find(c, token, &got))
			continue;
		found++;
		assert_int_equal(got.until_ms, i);
	}
	assert_in_range(found, 1, OAUTH_CACHE_ROWS);
	oauth_cache_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_is_found_as_itself),
		cmocka_unit_test(places_are_taken_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
