/* Where the next page is, in headers that are right, odd and hostile. */
#include "api/rest/rest_page.h"

#include "base/testing.h"

static void headers_with_a_next_page(void **state)
{
	static const struct {
		const char *header, *next;
	} rows[] = {
		{ "<https://a.example/x?after=1>; rel=\"next\"",
		  "https://a.example/x?after=1" },
		{ "<https://a/1>; rel=\"self\", <https://a/2>; rel=\"next\"",
		  "https://a/2" },
		{ "<https://a/2>; rel=\"next\", <https://a/9>; rel=\"last\"",
		  "https://a/2" },
		{ "<https://a/2>;rel=next", "https://a/2" },
		{ "<https://a/2> ; title=\"a, b; c\" ; rel=\"prev next\"",
		  "https://a/2" },
		{ "<https://a/2>; REL=\"NEXT\"", "https://a/2" },
		{ "<https://a/a,b;c>; rel=\"next\"", "https://a/a,b;c" },
		{ "<https://a/2>; flag; rel=\"next\",,", "https://a/2" },
		{ "<https://a/2>; title=\"a \\\" rel=\\\"no\"; rel=\"next\"",
		  "https://a/2" },
		{ "", "" },
		{ " , ", "" },
		{ "<https://a/1>", "" },
		{ "<https://a/1>; rel=\"nextish\"", "" },
		{ "<https://a/1>; rel=\"self\"; rel=\"next\"",
		  "" }, /* the first counts */
		{ "<https://a/1>; title=\"rel=next\"", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
		struct error err = ERROR_INIT;

		if (!rest_page_next(rows[i].header, &sb, &err))
			fail_msg("%s: %s", rows[i].header, err.message);
		assert_string_equal(sb.data, rows[i].next);
	}
}

static void headers_that_are_none(void **state)
{
	static const char *const rows[] = {
		"https://a/2; rel=next",
		"<https://a/2",
		"<https://a/2>; rel=\"next",
		"<https://a/2>; rel=",
		"<https://a/2> rel=\"next\"",
		"<https://a/2>; rel=\"next\" x",
		"<https://a/1>; rel=\"next\", <https://a/2>; rel=\"next\"",
		"<https://a/1>; ;",
		"; rel=next",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
		struct error err = ERROR_INIT;

		if (rest_page_next(rows[i], &sb, &err))
			fail_msg("%s was taken: %s", rows[i], sb.data);
		assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_with_a_next_page),
		cmocka_unit_test(headers_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
