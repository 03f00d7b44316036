/* The example of RFC 7636, appendix B, and that verifiers are good and differ. */
#include "mcp/client/oauth_pkce.h"

#include "base/testing.h"

static void the_example(void **state)
{
	char challenge[OAUTH_PKCE_BYTES];
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(oauth_pkce_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
					 challenge, &err));
	assert_string_equal(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

static void verifiers(void **state)
{
	char a[OAUTH_PKCE_BYTES], b[OAUTH_PKCE_BYTES];
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(oauth_pkce_verifier(a, &err));
	assert_true(oauth_pkce_verifier(b, &err));
	assert_string_not_equal(a, b);
	assert_int_equal(strlen(a), 43);
	assert_int_equal(strspn(a, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789-_"),
			 43);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example),
		cmocka_unit_test(verifiers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
