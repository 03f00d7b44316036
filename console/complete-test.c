#include "console/complete.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "console/nearest.h"

static const struct complete_command commands[] = {
	{ "/call", COMPLETE_TOOL },
	{ "/cancel", COMPLETE_ID },
	{ "/tools", COMPLETE_SERVER },
	{ "/status", COMPLETE_NOTHING },
};

static void check(const char *line, size_t typed, const char *const *wanted, size_t count)
{
	json_auto_t *servers =
		json_pack("[{s:s, s:[{s:s}, {s:s}, {s:s}]}, {s:s, s:[{s:s}]}, {s:s}]",
			  "name", "accounts", "tools", "name", "get_account", "name",
			  "block_account", "name", "x\033[2J", "name", "people", "tools",
			  "name", "find_person", "name", "bare");
	json_auto_t *approvals =
		json_pack("[{s:s}, {s:s}, {}]", "id", "01b", "id", "01a");
	struct complete_source source = { commands, ARRAY_SIZE(commands), servers,
					  approvals };
	_cleanup_(complete_done) struct complete_result r;

	complete_line(&source, line, &r);
	if (r.count != count || r.typed != typed)
		fail_msg("'%s': %zu words after %zu bytes", line, r.count, r.typed);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(r.word[i], wanted[i]);
	for (size_t i = 0; i < count; i++)
		assert_memory_equal(r.word[i], r.word[0], r.common);
	if (count == 1)
		assert_int_equal(r.common, strlen(r.word[0]));
}

#define CHECK(line, typed, ...)                                                          \
	check(line, typed, (const char *const[]){ __VA_ARGS__ },                         \
	      ARRAY_SIZE(((const char *const[]){ __VA_ARGS__ })))

static void test_words(void **state)
{
	(void)state;
	CHECK("/ca", 3, "/call", "/cancel");
	CHECK("  /t", 2, "/tools");
	CHECK("/call accounts.b", 10, "accounts.block_account");
	CHECK("/call   a", 1, "accounts.block_account", "accounts.get_account");
	CHECK("people", 6, "people.find_person");
	CHECK("/tools ", 0, "accounts", "bare", "people");
	CHECK("/cancel ", 0, "01a", "01b");
	CHECK("/cancel 01", 2, "01a", "01b");
}

static void test_nothing(void **state)
{
	(void)state;
	check("/status a", 1, NULL, 0);
	check("/call accounts.get_account a", 1, NULL, 0);
	check("/nothing a", 1, NULL, 0);
	check("/zzz", 4, NULL, 0);
	check("accounts.x", 10, NULL, 0);
}

static void test_without_anything(void **state)
{
	struct complete_source source = { commands, ARRAY_SIZE(commands), NULL, NULL };
	_cleanup_(complete_done) struct complete_result r;

	(void)state;
	complete_line(&source, "", &r);
	assert_int_equal(r.count, 0);
}

static void test_nearest(void **state)
{
	static const char *const words[] = { "/approvals", "/approve", "/audit", "/call",
					     "/quit" };
	char long_word[300];

	(void)state;
	memset(long_word, 'a', sizeof long_word - 1);
	long_word[sizeof long_word - 1] = '\0';
	assert_string_equal(nearest_find("/aprove", words, ARRAY_SIZE(words)),
			    "/approve");
	assert_string_equal(nearest_find("/cal", words, ARRAY_SIZE(words)), "/call");
	assert_string_equal(nearest_find("/approval", words, ARRAY_SIZE(words)),
			    "/approvals");
	assert_null(nearest_find("/zebra", words, ARRAY_SIZE(words)));
	assert_null(nearest_find("", words, ARRAY_SIZE(words)));
	assert_null(nearest_find(long_word, words, ARRAY_SIZE(words)));
	assert_null(nearest_find("/call", words, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_without_anything),
		cmocka_unit_test(test_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
