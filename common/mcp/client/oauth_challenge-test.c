/* What is read of WWW-Authenticate, and what says nothing. */
#include "mcp/client/oauth_challenge.h"

#include "base/strbuf.h"
#include "base/testing.h"

static void good_ones(void **state)
{
	static const struct {
		const char *field, *error, *scope, *metadata;
	} rows[] = {
		{ "Bearer", "", "", "" },
		{ "bearer", "", "", "" },
		{ "Bearer  ", "", "", "" },
		{ ", Bearer ,", "", "", "" },
		{ "Bearer abc==", "", "", "" },
		{ "Bearer realm=\"x\"", "", "", "" },
		{ "Bearer scope=a", "", "a", "" },
		{ "Bearer scope=\"a b\"", "", "a b", "" },
		{ "Bearer scope=\"a  b a\"", "", "a b", "" },
		{ "Bearer\tSCOPE = \"a\"\t,\tError=\"invalid_token\"", "invalid_token",
		  "a", "" },
		{ "Bearer error=\"insufficient_scope\", scope=\"a:b c\", "
		  "resource_metadata=\"https://a.example/x\", error_description=\"no, "
		  "\\\"no\\\"\"",
		  "insufficient_scope", "a:b c", "https://a.example/x" },
		{ "Bearer resource_metadata=\"http://localhost:1/x?y=z\"", "", "",
		  "http://localhost:1/x?y=z" },
		{ "Bearer scope=\"\\a\"", "", "a", "" },
		/* Others before and behind. */
		{ "Basic realm=\"a, Bearer scope=b\", Bearer scope=c", "", "c", "" },
		{ "Negotiate, Bearer scope=c", "", "c", "" },
		{ "Negotiate YII=, Bearer scope=c, Digest scope=d, scope=e", "", "c",
		  "" },
		{ "Bearer scope=a, Bearer scope=b, error=c", "", "a", "" },
		/* A parameter that is not good says nothing; the rest does. */
		{ "Bearer scope=\"a\\\\b\", error=x", "x", "", "" },
		{ "Bearer scope=\"a\xc3\xa4\", error=x", "x", "", "" },
		{ "Bearer error=\"a b\", scope=a", "", "a", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct oauth_challenge c = { 0 };

		if (!oauth_challenge_read(&c, rows[i].field) || !c.is_bearer)
			fail_msg("nothing is read of: %s", rows[i].field);
		assert_string_equal(c.error, rows[i].error);
		assert_string_equal(c.scope, rows[i].scope);
		assert_string_equal(c.metadata, rows[i].metadata);
		assert_false(c.is_bad_metadata);
	}
}

static void bad_ones(void **state)
{
	static const char *const rows[] = {
		"",
		" ",
		",",
		"Basic realm=x",
		"Bearers scope=a",
		"Bearer=a",
		"\"Bearer\"",
		"(Bearer)",
		"Bearer scope=\"a",
		"Bearer scope=\"a\\",
		"Bearer scope=\"a\\\"",
		"Bearer scope=\"a\nb\"",
		"Bearer scope=\"a\"\"b\"",
		"Bearer scope=\"a\" error=x",
		"Bearer scope=a error=x",
		"Bearer scope=a, scope=b",
		"Bearer scope=a, SCOPE=a",
		"Bearer error=a, error=a",
		("Bearer resource_metadata=\"https://a.example\", "
		 "resource_metadata=\"https://b.example\""),
		"Bearer scope==a",
		"Bearer scope=a; error=x",
		"Bearer scope=a, =x",
		"Bearer scope=a, error=",
		"Bearer scope=a, (",
		"Bearer scope='a b'",
		"Bearer @",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct oauth_challenge c = { 0 };

		if (oauth_challenge_read(&c, rows[i]) || c.is_bearer || *c.scope)
			fail_msg("something is read of: %s", rows[i]);
	}
}

static void metadata_that_is_not_fetched(void **state)
{
	static const char *const rows[] = {
		"Bearer scope=a, resource_metadata=\"http://a.example/x\"",
		"Bearer resource_metadata=\"file:///etc/passwd\", scope=a",
		"Bearer resource_metadata=\"https://u:p@a.example/\", scope=a",
		"Bearer resource_metadata=\"\", scope=a",
		"Bearer resource_metadata=x, scope=a",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct oauth_challenge c = { 0 };

		assert_true(oauth_challenge_read(&c, rows[i]));
		assert_true(c.is_bad_metadata);
		assert_string_equal(c.metadata, "");
		assert_string_equal(c.scope, "a");
	}
}

static void the_first_of_several_fields_counts(void **state)
{
	struct oauth_challenge c = { 0 };

	(void)state;
	assert_false(oauth_challenge_read(&c, "Basic realm=x"));
	assert_false(oauth_challenge_read(&c, "Bearer scope=\"broken"));
	assert_true(oauth_challenge_read(&c, "Bearer scope=a"));
	assert_false(oauth_challenge_read(&c, "Bearer scope=b"));
	assert_string_equal(c.scope, "a");
}

/* 'count' times 'one', behind 'begin'. */
static bool reads_many(const char *begin, const char *one, size_t count)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	struct oauth_challenge c = { 0 };

	strbuf_add_string(&sb, begin);
	for (size_t i = 0; i < count; i++)
		strbuf_add_string(&sb, one);
	return oauth_challenge_read(&c, sb.data);
}

static void limits(void **state)
{
	(void)state;
	assert_true(reads_many("Bearer a=b", ",a=b", OAUTH_CHALLENGE_PARAMETERS_MAX - 1));
	assert_false(reads_many("Bearer a=b", ",a=b", OAUTH_CHALLENGE_PARAMETERS_MAX));
	assert_true(reads_many("Bearer", ",Basic", OAUTH_CHALLENGES_MAX - 1));
	assert_false(reads_many("Bearer", ",Basic", OAUTH_CHALLENGES_MAX));
	assert_true(reads_many("Bearer", ",", OAUTH_CHALLENGE_BYTES_MAX - 6));
	assert_false(reads_many("Bearer", ",", OAUTH_CHALLENGE_BYTES_MAX - 5));
	assert_true(reads_many("Bearer x=\"", "y", 100) == false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones),
		cmocka_unit_test(bad_ones),
		cmocka_unit_test(metadata_that_is_not_fetched),
		cmocka_unit_test(the_first_of_several_fields_counts),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
