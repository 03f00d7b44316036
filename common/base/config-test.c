#include "base/config.h"

#include "base/file.h"
#include "base/testing.h"

static struct config *parse(const char *text, struct error *err)
{
	return config_parse("c.yaml", text, strlen(text), err);
}

static void assert_is(const char *yaml, const char *json)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	struct error err = ERROR_INIT;
	_cleanup_(config_freep) struct config *c = parse(yaml, &err);

	testing_no_error(&err);
	assert_true(json_write(&sb, config_root(c), &err));
	assert_string_equal(sb.data, json);
}

static void assert_refused(const char *yaml, const char *why)
{
	struct error err = ERROR_INIT;
	_cleanup_(config_freep) struct config *c = parse(yaml, &err);

	if (c)
		fail_msg("'%s' was accepted", yaml);
	testing_error(&err, ERR_INVALID_ARGUMENT, why);
}

/* YAML 1.2's core schema. */
static void test_scalars(void **state)
{
	static const char *const cases[][2] = {
		{ "null", "null" },
		{ "~", "null" },
		{ "NULL", "null" },
		{ "''", "\"\"" },
		{ "true", "true" },
		{ "True", "true" },
		{ "TRUE", "true" },
		{ "false", "false" },
		{ "tRUE", "\"tRUE\"" },
		{ "yes", "\"yes\"" },
		{ "no", "\"no\"" },
		{ "on", "\"on\"" },
		{ "Off", "\"Off\"" },
		{ "y", "\"y\"" },
		{ "n", "\"n\"" },
		{ "'true'", "\"true\"" },
		{ "\"5\"", "\"5\"" },
		{ "0", "0" },
		{ "-7", "-7" },
		{ "+7", "7" },
		{ "0o17", "15" },
		{ "0xff", "255" },
		{ "0x", "\"0x\"" },
		{ "0o9", "\"0o9\"" },
		{ "1.5", "1.5" },
		{ ".5", "0.5" },
		{ "5.", "5" },
		{ "-.5e1", "-5" },
		{ "1e3", "1000" },
		{ "+1.5E-3", "0.0015" },
		{ ".", "\".\"" },
		{ "-", "[null]" },
		{ "1e", "\"1e\"" },
		{ "1_000", "\"1_000\"" },
		{ "1:30", "\"1:30\"" },
		{ "0.0.0.0", "\"0.0.0.0\"" },
		{ "2026-11-22", "\"2026-11-22\"" },
		{ "12e03", "12000" },
		{ "9007199254740991", "9007199254740991" },
		{ "0b11", "\"0b11\"" },
		{ "hello world", "\"hello world\"" },
		{ "|\n  a\n  b\n", "\"a\\nb\\n\"" },
		{ ">\n  a\n  b\n", "\"a b\\n\"" },
		{ "\"\\u00e9\\n\"", "\"é\\n\"" },
		{ "0.1", "0.1" },
		{ "0", "0" },
		{ "-0", "0" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_is(cases[i][0], cases[i][1]);
}

static void test_collections(void **state)
{
	(void)state;
	assert_is("", "{}");
	assert_is("# nothing\n", "{}");
	assert_is("---\na: 1\n...\n", "{\"a\":1}");
	assert_is("%YAML 1.2\n---\na: 1\n", "{\"a\":1}");
	assert_is("a:\n  - 1\n  - b: 2\n    c: [x, {y: z}]\nd:\n",
		  "{\"a\":[1,{\"b\":2,\"c\":[\"x\",{\"y\":\"z\"}]}],\"d\":null}");
	assert_is("1: a\ntrue: b\n~: c\n'<<': d\n",
		  "{\"1\":\"a\",\"true\":\"b\",\"~\":\"c\",\"<<\":\"d\"}");
	assert_is("- a\n- [] \n- {}\n", "[\"a\",[],{}]");
}

static void test_refused(void **state)
{
	(void)state;
	assert_refused("a: 1\nb: 2\na: 3\n", "c.yaml:3: 'a' was there before");
	assert_refused("a: 1\n\"a\": 3\n", "c.yaml:2: 'a' was there before");
	assert_refused("a: &x 1\n", "c.yaml:1: anchors");
	assert_refused("a: 1\nb: &x [1]\n", "c.yaml:2: anchors");
	assert_refused("a: &x {}\n", "c.yaml:1: anchors");
	assert_refused("a: 1\nb: *x\n", "c.yaml:2: aliases");
	assert_refused("? *x\n: 1\n", "c.yaml:1: aliases");
	assert_refused("? &x y\n: 1\n", "c.yaml:1: anchors");
	assert_refused("a: !!str 1\n", "c.yaml:1: tags");
	assert_refused("a: ! 1\n", "c.yaml:1: tags");
	assert_refused("a: !mine [1]\n", "c.yaml:1: tags");
	assert_refused("a: !!map {}\n", "c.yaml:1: tags");
	assert_refused("%TAG !e! tag:x,2000:\n---\na: 1\n", "tags");
	assert_refused("<<: {a: 1}\n", "c.yaml:1: merge");
	assert_refused("a: 1\n---\nb: 2\n", "c.yaml:2: a second document");
	assert_refused("[a]: 1\n", "c.yaml:1: a name must be plain");
	assert_refused("? {a: 1}\n: 1\n", "c.yaml:1: a name must be plain");
	assert_refused("a: \"\\0\"\n", "c.yaml:1: a string holds a NUL");
	assert_refused("\"a\\0\": 1\n", "c.yaml:1: a name holds a NUL");
}

static void test_bad_numbers(void **state)
{
	(void)state;
	assert_refused("a: 0755\n", "c.yaml:1: a number with a leading zero");
	assert_refused("a: 00\n", "leading zero");
	assert_refused("a: 9007199254740992\n", "too large");
	assert_refused("a: -9007199254740992\n", "too large");
	assert_refused("a: 99999999999999999999\n", "too large");
	assert_refused("a: 0xffffffffffffffffff\n", "too large");
	assert_refused("a: 0o777777777777777777777777\n", "too large");
	assert_refused("a: 1e400\n", "too large");
	assert_refused("a: .inf\n", "c.yaml:1: infinity");
	assert_refused("a: -.Inf\n", "infinity");
	assert_refused("a: .nan\n", "infinity");
}

/* Broken text: libyaml's reason, on the line where it saw it. */
static void test_broken(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	assert_refused("a:\n\tb: 1\n", "c.yaml:2: ");
	assert_refused("a: [1\nb: 2\n", "c.yaml:2: ");
	assert_refused("a: 'x\n", "c.yaml:");
	assert_refused("a: b: c\n", "c.yaml:1: ");
	assert_refused("a: 1\n b: 2\n", "c.yaml:2: ");
	assert_refused("a: \"\\ud800\"\n", "c.yaml:1: ");
	assert_refused("a: \"\\q\"\n", "c.yaml:1: ");
	assert_refused("a: 1\nb: \xff\n", "c.yaml:");
	assert_refused("a: \x01\n", "c.yaml:");
	assert_refused("%FOO\n", "c.yaml:");
	assert_null(config_parse("c.yaml", "a: \0b\n", 6, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "c.yaml:");
	assert_null(config_parse("c.yaml", "a\0:\0 \0", 6, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "c.yaml:");
}

static void test_lines(void **state)
{
	struct error err = ERROR_INIT;
	_cleanup_(config_freep) struct config *c = parse("# first\n"
							 "persons:\n"
							 "  - id: maria\n"
							 "    name: Maria\n"
							 "  - id: tom\n"
							 "    a/b~c: 1\n"
							 "limits: {\n"
							 "  calls: 5 }\n",
							 &err);

	(void)state;
	testing_no_error(&err);
	assert_string_equal(config_name(c), "c.yaml");
	assert_int_equal(config_line(c, ""), 2);
	assert_int_equal(config_line(c, "/persons"), 3);
	assert_int_equal(config_line(c, "/persons/0/id"), 3);
	assert_int_equal(config_line(c, "/persons/0/name"), 4);
	assert_int_equal(config_line(c, "/persons/1"), 5);
	assert_int_equal(config_line(c, "/persons/1/a~1b~0c"), 6);
	assert_int_equal(config_line(c, "/persons/1/missing/deep"), 5);
	assert_int_equal(config_line(c, "/limits/calls"), 8);
	assert_int_equal(config_line(c, "/nothing"), 2);
	assert_int_equal(config_line(c, "no pointer"), 1);
}

static void test_limits(void **state)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	for (int i = 0; i < CONFIG_DEPTH_MAX; i++)
		strbuf_add_char(&sb, '[');
	for (int i = 0; i < CONFIG_DEPTH_MAX; i++)
		strbuf_add_char(&sb, ']');
	assert_is(sb.data, "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]");
	strbuf_add_char(&sb, ']');
	_cleanup_strbuf_ struct strbuf deeper = STRBUF_INIT;
	strbuf_add_format(&deeper, "[%s", sb.data);
	assert_refused(deeper.data, "c.yaml:1: nested too deep");
	strbuf_clear(&sb);
	strbuf_add_string(&sb, "a: 1\n#");
	while (sb.length < CONFIG_BYTES_MAX)
		strbuf_add_char(&sb, 'x');
	_cleanup_(config_freep) struct config *c =
		config_parse("c", sb.data, sb.length, &err);
	testing_no_error(&err);
	assert_non_null(c);
	strbuf_add_char(&sb, 'x');
	assert_null(config_parse("c", sb.data, sb.length, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "c:1: longer than");
}

static void test_read(void **state)
{
	char folder[TESTING_PATH_BYTES];
	struct error err = ERROR_INIT;

	(void)state;
	testing_folder(folder);
	_cleanup_free_ char *path = file_join(folder, "gate.yaml");
	assert_null(config_read(path, &err));
	testing_error(&err, ERR_NOT_FOUND, path);
	testing_put(path, "a: 1\nb: [\n", 0600);
	assert_null(config_read(path, &err));
	assert_non_null(strstr(err.message, "gate.yaml:"));
	error_clear(&err);
	testing_put(path, "a: 1\n", 0600);
	_cleanup_(config_freep) struct config *c = config_read(path, &err);
	testing_no_error(&err);
	assert_int_equal(json_get_int64(config_root(c), "a", 0), 1);
	assert_string_equal(config_name(c), path);
	config_free(NULL);
	testing_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scalars), cmocka_unit_test(test_collections),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_bad_numbers),
		cmocka_unit_test(test_broken),  cmocka_unit_test(test_lines),
		cmocka_unit_test(test_limits),  cmocka_unit_test(test_read),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
