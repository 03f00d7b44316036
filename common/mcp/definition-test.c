#include "mcp/definition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mcp/param_headers.h"

#define LISTED(more)                                                                     \
	"{\"name\":\"do_it\",\"inputSchema\":{\"type\":\"object\"},\"_meta\":"           \
	"{\"org.wingman/risk\":\"read\"}" more "}"

static struct tool_definition *read_text(const char *text, struct error *err)
{
	json_auto_t *listed = json_parse(text, strlen(text), JSON_SYNTAX, err);

	assert_non_null(listed);
	return tool_definition_read("elsewhere", listed, err);
}

static void compiled_in_tools_load(void **state)
{
	struct error err = ERROR_INIT;
	_cleanup_free_ const char **names = tool_definition_names("fixture");

	(void)state;
	assert_string_equal(names[0], "echo_text");
	assert_string_equal(names[4], "sleep_for");
	assert_null(names[8]);
	for (size_t i = 0; names[i]; i++) {
		struct tool_definition *d =
			tool_definition_load("fixture", names[i], &err);

		assert_non_null(d);
		assert_true(digest_is_hex(d->pin));
		assert_non_null(tool_definition_schemas(d, &err)->output);
		assert_string_equal(tool_definition_schemas(d, &err)->pin, d->pin);
		tool_definition_free(d);
	}
	static const char *const none[] = { "no_tool", "../x", "", "server" };
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		error_clear(&err);
		assert_null(tool_definition_load("fixture", none[i], &err));
		assert_int_equal(err.code, ERR_NOT_FOUND);
	}
	error_clear(&err);
	assert_null(tool_definition_load("Fixture/..", "echo_text", &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	const char **nobody = tool_definition_names("nobody");
	assert_null(nobody[0]);
	free(nobody);
}

static void the_pin_covers_every_member(void **state)
{
	static const char *const variants[] = {
		LISTED(""),
		LISTED(",\"title\":\"x\""),
		LISTED(",\"description\":\"x\""),
		LISTED(",\"annotations\":{\"readOnlyHint\":true}"),
		LISTED(",\"outputSchema\":{\"type\":\"object\"}"),
		LISTED(",\"icons\":[]"),
	};
	char pins[ARRAY_SIZE(variants)][DIGEST_HEX_BYTES];
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(variants); i++) {
		struct tool_definition *d = read_text(variants[i], &err);

		assert_non_null(d);
		memcpy(pins[i], d->pin, sizeof pins[i]);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(pins[k], pins[i]);
		tool_definition_free(d);
	}
	/* The order of members does not matter. */
	struct tool_definition *d =
		read_text("{\"_meta\":{\"org.wingman/"
			  "risk\":\"read\"},\"inputSchema\":{\"type\":\"object\"},"
			  "\"name\":\"do_it\"}",
			  &err);
	assert_string_equal(d->pin, pins[0]);
	tool_definition_free(d);
}

static void what_a_stranger_lists_is_checked(void **state)
{
	static const char *const bad[] = {
		"[]",
		"{}",
		"{\"name\":\"do_it\",\"inputSchema\":{\"type\":\"object\"}}", /* no risk */
		"{\"name\":\"do_it\",\"inputSchema\":{\"type\":\"object\"},\"_meta\":{"
		"\"org.wingman/risk\":\"none\"}}",
		"{\"name\":\"do_it\",\"_meta\":{\"org.wingman/risk\":\"read\"}}",
		"{\"name\":\"do "
		"it\",\"inputSchema\":{\"type\":\"object\"},\"_meta\":{\"org.wingman/"
		"risk\":\"read\"}}",
		"{\"name\":\"do_it\\u0000x\",\"inputSchema\":{\"type\":\"object\"},\"_"
		"meta\":{\"org.wingman/risk\":\"read\"}}",
		"{\"name\":\"../"
		"do_it\",\"inputSchema\":{\"type\":\"object\"},\"_meta\":{\"org.wingman/"
		"risk\":\"read\"}}",
		"{\"name\":7,\"inputSchema\":{\"type\":\"object\"},\"_meta\":{\"org."
		"wingman/risk\":\"read\"}}",
		"{\"name\":\"do_it\",\"inputSchema\":{\"type\":\"array\"},\"_meta\":{"
		"\"org.wingman/risk\":\"read\"}}",
		"{\"name\":\"do_it\",\"inputSchema\":true,\"_meta\":{\"org.wingman/"
		"risk\":\"read\"}}",
		"{\"name\":\"do_it\",\"inputSchema\":{\"type\":\"object\",\"$ref\":"
		"\"http://127.0.0.1/x\"},\"_meta\":{\"org.wingman/risk\":\"read\"}}",
		"{\"name\":\"do_it\",\"inputSchema\":{\"type\":\"object\",\"$schema\":"
		"\"http://example.org/other\"},\"_meta\":{\"org.wingman/"
		"risk\":\"read\"}}",
		LISTED(",\"title\":7"),
		LISTED(",\"outputSchema\":{\"type\":\"nonsense\"}"),
		LISTED(",\"x\":9007199254740992"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error err = ERROR_INIT;
		struct tool_definition *d = read_text(bad[i], &err);

		if (d)
			print_message("# accepted: %s\n", bad[i]);
		assert_null(d);
		assert_true(error_is_set(&err));
	}
}

static void the_definition_has_a_size(void **state)
{
	struct error err = ERROR_INIT;
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	(void)state;
	strbuf_add_string(&sb,
			  "{\"name\":\"do_it\",\"inputSchema\":{\"type\":\"object\"},"
			  "\"_meta\":{\"org.wingman/risk\":\"read\"},\"description\":\"");
	size_t start = sb.length;
	while (sb.length < start + 16 * 1024)
		strbuf_add_char(&sb, 'x');
	strbuf_add_string(&sb, "\"}");
	struct tool_definition *d = read_text(sb.data, &err);
	assert_non_null(d);
	tool_definition_free(d);
	strbuf_truncate(&sb, sb.length - 2);
	strbuf_add_string(&sb, "x\"}");
	assert_null(read_text(sb.data, &err));
}

static void arguments_are_judged_and_made_canonical(void **state)
{
	struct error err = ERROR_INIT;
	struct tool_definition *d = tool_definition_load("fixture", "put_value", &err);
	_cleanup_strbuf_ struct strbuf canonical = STRBUF_INIT;
	char digest[DIGEST_HEX_BYTES], again[DIGEST_HEX_BYTES];
	static const struct {
		const char *arguments, *says;
	} bad[] = {
		{ "{}", "the argument key is missing" },
		{ "{\"key\":\"a\",\"value\":\"b\"}", "the argument reason is missing" },
		{ "{\"key\":\"a\",\"value\":\"b\",\"reason\":\"ab\"}",
		  "the argument reason must" },
		{ "{\"key\":\"A\",\"value\":\"b\",\"reason\":\"abc\"}",
		  "the argument key " },
		{ "{\"key\":\"a\",\"value\":\"b\",\"reason\":\"abc\",\"until\":"
		  "\"tomorrow\"}",
		  "the argument until " },
		{ "{\"key\":\"a\",\"value\":\"b\",\"reason\":\"abc\",\"else\":1}",
		  "else" },
		{ "[]", "no object" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		json_auto_t *value = json_parse(
			bad[i].arguments, strlen(bad[i].arguments), JSON_SYNTAX, &err);

		error_clear(&err);
		assert_false(tool_definition_accept(d, value, &canonical, digest, &err));
		assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
		if (!strstr(err.message, bad[i].says))
			print_message("# %s: %s\n", bad[i].arguments, err.message);
		assert_non_null(strstr(err.message, bad[i].says));
		assert_int_equal(canonical.length, 0);
		error_clear(&err);
	}
	static const char text[] = "{\"value\":\"b\",\"reason\":\"abc\",\"key\":\"a\"}";
	json_auto_t *good = json_parse(text, sizeof text - 1, JSON_CONTRACT, &err);
	assert_true(tool_definition_accept(d, good, &canonical, digest, &err));
	assert_string_equal(canonical.data,
			    "{\"key\":\"a\",\"reason\":\"abc\",\"value\":\"b\"}");
	digest_sha256_hex(canonical.data, canonical.length, again);
	assert_string_equal(digest, again);
	assert_true(tool_definition_accept(d, good, NULL, NULL, &err));
	tool_definition_free(d);
}

static bool headers_fit(const char *schema)
{
	struct error err = ERROR_INIT;
	json_auto_t *json = json_parse(schema, strlen(schema), JSON_SYNTAX, &err);
	struct param_headers *p = param_headers_new(json, &err);
	bool good = p != NULL;

	assert_non_null(json);
	param_headers_free(p);
	return good;
}

static void header_annotations_have_their_places(void **state)
{
	static const char *const good[] = {
		"{\"type\":\"object\"}",
		"{\"properties\":{\"a\":{\"type\":\"string\",\"x-mcp-header\":\"A\"},"
		"\"b\":{\"type\":\"boolean\",\"x-mcp-header\":\"B\"}}}",
		"{\"properties\":{\"a\":{\"properties\":{\"b\":{\"type\":\"integer\",\"x-"
		"mcp-header\":\"A-b.c\"}}}}}",
		/* a property of that name, and data */
		"{\"properties\":{\"x-mcp-header\":{\"type\":\"number\",\"default\":{\"x-"
		"mcp-header\":7}}}}",
	};
	static const char *const bad[] = {
		"{\"x-mcp-header\":\"A\",\"type\":\"string\"}",
		"{\"properties\":{\"a\":{\"type\":\"number\",\"x-mcp-header\":\"A\"}}}",
		"{\"properties\":{\"a\":{\"type\":[\"string\"],\"x-mcp-header\":\"A\"}}}",
		"{\"properties\":{\"a\":{\"x-mcp-header\":\"A\"}}}",
		"{\"properties\":{\"a\":{\"type\":\"string\",\"x-mcp-header\":\"\"}}}",
		"{\"properties\":{\"a\":{\"type\":\"string\",\"x-mcp-header\":\"A b\"}}}",
		"{\"properties\":{\"a\":{\"type\":\"string\",\"x-mcp-header\":\"A:b\"}}}",
		"{\"properties\":{\"a\":{\"type\":\"string\",\"x-mcp-header\":7}}}",
		"{\"properties\":{\"a\":{\"type\":\"string\",\"x-mcp-header\":\"A\"},"
		"\"b\":{\"type\":\"string\",\"x-mcp-header\":\"a\"}}}",
		"{\"properties\":{\"a\":{\"type\":\"array\",\"items\":{\"type\":"
		"\"string\",\"x-mcp-header\":\"A\"}}}}",
		"{\"anyOf\":[{\"properties\":{\"a\":{\"type\":\"string\",\"x-mcp-"
		"header\":\"A\"}}}]}",
		"{\"$defs\":{\"d\":{\"type\":\"string\",\"x-mcp-header\":\"A\"}}}",
		"{\"not\":{\"properties\":{\"a\":{\"type\":\"string\",\"x-mcp-header\":"
		"\"A\"}}}}",
		"{\"additionalProperties\":{\"type\":\"string\",\"x-mcp-header\":\"A\"}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(headers_fit(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (headers_fit(bad[i]))
			print_message("# accepted: %s\n", bad[i]);
		assert_false(headers_fit(bad[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compiled_in_tools_load),
		cmocka_unit_test(the_pin_covers_every_member),
		cmocka_unit_test(what_a_stranger_lists_is_checked),
		cmocka_unit_test(the_definition_has_a_size),
		cmocka_unit_test(arguments_are_judged_and_made_canonical),
		cmocka_unit_test(header_annotations_have_their_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
