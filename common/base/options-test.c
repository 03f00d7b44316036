#include "base/options.h"

#include "base/testing.h"

struct opts {
	const char *dir;
	int64_t count;
	bool json, verbose;
	struct option_list keys;
};

static const struct option_row rows[] = {
	OPTION_STRING("dir", 'd', "DIR", "folder of the suite",
		      offsetof(struct opts, dir)),
	OPTION_INT64("count", 'n', "N", "how many", offsetof(struct opts, count)),
	OPTION_BOOL("json", 'j', "machine-readable output", offsetof(struct opts, json)),
	OPTION_BOOL("verbose", 0, "say more", offsetof(struct opts, verbose)),
	OPTION_LIST("key", 'k', "FILE", "a key, or several", offsetof(struct opts, keys)),
	OPTION_END,
};

enum { ARGS_MAX = 16 };

struct command {
	char *argv[ARGS_MAX + 1];
	int argc;
	struct opts opts;
	int operands;
	struct error err;
};

/* Runs a command line, the program's name first; the words are borrowed. */
static enum options_result run(struct command *c, char *const *words)
{
	memset(c, 0, sizeof *c);
	c->operands = -1;
	for (; *words; words++)
		c->argv[c->argc++] = *words;
	return options_parse(rows, &c->opts, c->argc, c->argv, &c->operands, &c->err);
}

#define RUN(c, ...) run((c), (char *const[]){ W("prog"), ##__VA_ARGS__, NULL })
#define W(text)                                                                          \
	(char[])                                                                         \
	{                                                                                \
		text                                                                     \
	}

static void test_nothing(void **state)
{
	struct command c;

	(void)state;
	assert_int_equal(RUN(&c), OPTIONS_OK);
	assert_int_equal(c.operands, 0);
	assert_null(c.opts.dir);
}

static void test_forms(void **state)
{
	struct command c;

	(void)state;
	assert_int_equal(RUN(&c, W("--dir"), W("/x"), W("--count=-5"), W("--json")),
			 OPTIONS_OK);
	assert_string_equal(c.opts.dir, "/x");
	assert_int_equal(c.opts.count, -5);
	assert_true(c.opts.json);
	assert_false(c.opts.verbose);
	assert_int_equal(RUN(&c, W("-d"), W("a"), W("-n7"), W("-j")), OPTIONS_OK);
	assert_string_equal(c.opts.dir, "a");
	assert_int_equal(c.opts.count, 7);
	assert_int_equal(RUN(&c, W("-jdwhere")), OPTIONS_OK);
	assert_true(c.opts.json);
	assert_string_equal(c.opts.dir, "where");
	assert_int_equal(RUN(&c, W("--dir="), W("--dir"), W("--json")), OPTIONS_OK);
	assert_string_equal(c.opts.dir, "--json");
	assert_false(c.opts.json);
}

static void test_operands(void **state)
{
	struct command c;

	(void)state;
	assert_int_equal(RUN(&c, W("one"), W("--json"), W("-"), W("-d"), W("x"), W("two"),
			     W("--"), W("--verbose"), W("-j")),
			 OPTIONS_OK);
	assert_int_equal(c.operands, 5);
	assert_string_equal(c.argv[1], "one");
	assert_string_equal(c.argv[2], "-");
	assert_string_equal(c.argv[3], "two");
	assert_string_equal(c.argv[4], "--verbose");
	assert_string_equal(c.argv[5], "-j");
	assert_true(c.opts.json);
	assert_false(c.opts.verbose);
}

static void test_help(void **state)
{
	struct command c;

	(void)state;
	assert_int_equal(RUN(&c, W("--help")), OPTIONS_HELP);
	assert_int_equal(RUN(&c, W("x"), W("-jh")), OPTIONS_HELP);
	assert_int_equal(RUN(&c, W("--version")), OPTIONS_VERSION);
	assert_int_equal(RUN(&c, W("--"), W("--help")), OPTIONS_OK);
}

static void test_bad(void **state)
{
	struct command c;

	(void)state;
	assert_int_equal(RUN(&c, W("--dri"), W("x")), OPTIONS_BAD);
	testing_error(&c.err, ERR_INVALID_ARGUMENT,
		      "unknown option '--dri', did you mean '--dir'?");
	assert_int_equal(RUN(&c, W("--jsn=1")), OPTIONS_BAD);
	testing_error(&c.err, ERR_INVALID_ARGUMENT, "'--jsn', did you mean '--json'?");
	assert_int_equal(RUN(&c, W("--nothing-like-it")), OPTIONS_BAD);
	assert_null(strstr(c.err.message, "did you mean"));
	testing_error(&c.err, ERR_INVALID_ARGUMENT, "unknown option '--nothing-like-it'");
	assert_int_equal(RUN(&c, W("-jx")), OPTIONS_BAD);
	testing_error(&c.err, ERR_INVALID_ARGUMENT, "unknown option '-x'");
	assert_int_equal(RUN(&c, W("--dir")), OPTIONS_BAD);
	testing_error(&c.err, ERR_INVALID_ARGUMENT, "--dir wants a value (DIR)");
	assert_int_equal(RUN(&c, W("-n")), OPTIONS_BAD);
	testing_error(&c.err, ERR_INVALID_ARGUMENT, "--count wants a value (N)");
	assert_int_equal(RUN(&c, W("--json=true")), OPTIONS_BAD);
	testing_error(&c.err, ERR_INVALID_ARGUMENT, "--json takes no value");
	assert_int_equal(RUN(&c, W("---")), OPTIONS_BAD);
	testing_error(&c.err, ERR_INVALID_ARGUMENT, "unknown option");
}

static void test_bad_numbers(void **state)
{
	static char bad[][24] = { "",   "x",   "1x",   " 1",
				  "+1", "1.5", "0x10", "9223372036854775808",
				  "1 " };
	struct command c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(RUN(&c, W("-n"), bad[i]), OPTIONS_BAD);
		testing_error(&c.err, ERR_INVALID_ARGUMENT, "--count wants a number");
	}
	assert_int_equal(RUN(&c, W("-n"), W("9223372036854775807")), OPTIONS_OK);
	assert_true(c.opts.count == INT64_MAX);
}

static void test_long_name(void **state)
{
	struct command c;
	char name[400] = "--";

	(void)state;
	memset(name + 2, 'a', sizeof name - 3);
	assert_int_equal(RUN(&c, name), OPTIONS_BAD);
	testing_error(&c.err, ERR_INVALID_ARGUMENT, "unknown option '--aaa");
}

static void test_list(void **state)
{
	struct command c = { 0 };
	struct option_list *keys = &c.opts.keys;

	(void)state;
	assert_int_equal(RUN(&c, W("--key"), W("a"), W("-kb"), W("x"), W("--key=")),
			 OPTIONS_OK);
	assert_int_equal(keys->count, 3);
	assert_string_equal(keys->items[0], "a");
	assert_string_equal(keys->items[1], "b");
	assert_string_equal(keys->items[2], "");
	assert_int_equal(c.operands, 1);
	/* One more than there is room for. */
	char word[] = "-kx", program[] = "prog";
	char *argv[OPTION_LIST_MAX + 3] = { program };
	struct opts opts = { 0 };
	for (int i = 1; i <= OPTION_LIST_MAX + 1; i++)
		argv[i] = word;
	assert_int_equal(options_parse(rows, &opts, OPTION_LIST_MAX + 1, argv,
				       &c.operands, &c.err),
			 OPTIONS_OK);
	assert_int_equal(opts.keys.count, OPTION_LIST_MAX);
	opts.keys.count = 0;
	assert_int_equal(options_parse(rows, &opts, OPTION_LIST_MAX + 2, argv,
				       &c.operands, &c.err),
			 OPTIONS_BAD);
	testing_error(&c.err, ERR_INVALID_ARGUMENT, "more than 64 times");
}

static void test_usage(void **state)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	(void)state;
	options_help("wingman call", "SERVER.TOOL", "Call a tool.", rows, out);
	(void)fclose(out);
	assert_string_equal(text,
			    "usage: wingman call SERVER.TOOL\n"
			    "\n"
			    "Call a tool.\n"
			    "\n"
			    "options:\n"
			    "  -d, --dir DIR             folder of the suite\n"
			    "  -n, --count N             how many\n"
			    "  -j, --json                machine-readable output\n"
			    "      --verbose             say more\n"
			    "  -k, --key FILE            a key, or several\n"
			    "  -h, --help                print this and leave\n"
			    "      --version             print the version and leave\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),   cmocka_unit_test(test_forms),
		cmocka_unit_test(test_operands),  cmocka_unit_test(test_help),
		cmocka_unit_test(test_bad),       cmocka_unit_test(test_bad_numbers),
		cmocka_unit_test(test_long_name), cmocka_unit_test(test_list),
		cmocka_unit_test(test_usage),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
