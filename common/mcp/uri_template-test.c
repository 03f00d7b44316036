#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mcp/uri_template.h"

struct row {
	const char *template, *uri;
	const char *value; /* of x; NULL: no match */
};

static const struct row rows[] = {
	{ "a://{x}", "a://b", "b" },
	{ "a://{x}", "a://", NULL },
	{ "a://{x}", "a://b/c", NULL },
	{ "a://{x}", "a://b?c", NULL },
	{ "a://{x}", "a://%41%20z", "A z" },
	{ "a://{x}", "a://%4", NULL },
	{ "a://{x}", "a://%zz", NULL },
	{ "a://{x}", "a://%2fetc", NULL },
	{ "a://{x}", "a://b%5cc", NULL },
	{ "a://{x}", "a://..", NULL },
	{ "a://{x}", "a://%2e%2E", NULL },
	{ "a://{x}", "a://.", NULL },
	{ "a://{x}", "a://...", "..." },
	{ "a://{x}", "a://%00", NULL },
	{ "a://{x}", "a://b%0a", NULL },
	{ "a://{x}", "a://%ff", NULL },
	{ "a://{x}", "A://b", NULL },
	{ "a://{x}/d", "a://1/d", "1" },
	{ "a://{x}/d", "a://1/d/", NULL },
	{ "a://{x}/d", "a:///d", NULL },
	{ "a://{x}-{y}", "a://1-2", "1" },
	{ "a://{x}-{y}", "a://1-", NULL },
	{ "a://{+x}", "a://b/c/d", "b/c/d" },
	{ "a://{+x}", "a://b/../d", NULL },
	{ "a://{+x}", "a://b/%2e%2e/d", NULL },
	{ "a://{+x}", "a://b%2f..%2fd", NULL },
	{ "a://{+x}", "a://b\\..\\d", NULL },
	{ "a://{+x}", "a://../d", NULL },
	{ "a://{+x}", "a://b/..", NULL },
	{ "a://{+x}/end", "a://b/end/end", "b/end" },
	{ "a://s{?x}", "a://s?x=b", "b" },
	{ "a://s{?x}", "a://s?x=a/../b%5C%20+=?", "a/../b\\ +=?" },
	{ "a://s{?x}", "a://s?x=", NULL },
	{ "a://s{?x}", "a://s", NULL },
	{ "a://s{?x}", "a://s?y=b", NULL },
	{ "a://s{?x}", "a://s?xy=b", NULL },
	{ "a://s{?x}", "a://s?x=b&y=c", NULL },
	{ "a://s{?x}", "a://s?x=b#c", NULL },
	{ "a://s{?x}", "a://s?x=%0a", NULL },
	{ "a://s{?x}", "a://s?x=%ff", NULL },
	{ "a://{x}", "a://s?x=b", NULL },
	{ "a://b", "a://b", "" },
	{ "a://b", "a://bc", NULL },
};

static void every_row_matches_as_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_auto_t *values = uri_template_match(rows[i].template, rows[i].uri);
		const char *x = values ? json_get_string(values, "x") ?: "" : NULL;

		if (!x != !rows[i].value || (x && strcmp(x, rows[i].value) != 0))
			fail_msg("%s %s: %s", rows[i].template, rows[i].uri,
				 x ? x : "no match");
	}
}

static void what_is_not_known_is_refused(void **state)
{
	static const char *const bad[] = {
		"a://{x}{y}", "a://{}",
		"a://{+}",    "a://{x",
		"a://x}",     "a://{?x}y",
		"a://{x*}",   "a://{x,y}",
		"a://{#x}",   "{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}",
	};
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (uri_template_check(bad[i], &err))
			fail_msg("%s", bad[i]);
		error_clear(&err);
	}
	assert_true(uri_template_check("{a}/{b}/{c}/{d}/{e}/{f}/{g}/{+h}", &err));
	assert_true(uri_template_has("a://{x}/{+y}", "y"));
	assert_false(uri_template_has("a://{x}/{+y}", "z"));
}

static void uris_have_a_limit(void **state)
{
	char uri[URI_BYTES_MAX + 2];

	(void)state;
	memset(uri, 'b', sizeof uri);
	memcpy(uri, "a://", 4);
	uri[URI_BYTES_MAX] = '\0';
	json_auto_t *good = uri_template_match("a://{x}", uri);
	assert_non_null(good);
	uri[URI_BYTES_MAX] = 'b';
	uri[URI_BYTES_MAX + 1] = '\0';
	assert_null(uri_template_match("a://{x}", uri));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_matches_as_written),
		cmocka_unit_test(what_is_not_known_is_refused),
		cmocka_unit_test(uris_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
