/* Names as models know them, and text that cannot leave its fence. */
#include "assistant/worker/names.h"

#include "assistant/worker/clean.h"
#include "base/testing.h"
#include "base/utf8.h"

static struct names *make(const char *tools, const char *sources, struct error *err)
{
	json_auto_t *t = json_loads(tools, 0, NULL), *s = json_loads(sources, 0, NULL);

	assert_true(t && s);
	return names_new(t, s, err);
}

#define TOOL(name) "{\"name\":\"" name "\",\"description\":\"\",\"schema\":{}}"

static void an_exact_table_both_ways(void **state)
{
	struct error err = ERROR_INIT;
	char name[NAMES_MAX_BYTES + 1];
	_cleanup_(names_freep) struct names *n =
		make("[" TOOL("accounts.block_account") "," TOOL("a.b") "]", "[]", &err);

	(void)state;
	assert_non_null(n);
	assert_string_equal(names_real(n, "accounts__block_account"),
			    "accounts.block_account");
	static const char *const unknown[] = { "accounts.block_account",
					       "accounts_block_account",
					       "Accounts__block_account", "", "a__b " };
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
		assert_string_equal(names_real(n, unknown[i]), unknown[i]);
	names_model(n, "a.b", name);
	assert_string_equal(name, "a__b");
	assert_int_equal(json_array_size(names_tools(n)), 3); /* and propose_together */
}

static void long_names_stay_apart(void **state)
{
	struct error err = ERROR_INIT;
	static const char *const real[] = {
		"a."
		"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
		"1",
		"a."
		"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
		"2",
	};
	json_auto_t *tools = json_pack("[{s:s, s:s, s:{}}, {s:s, s:s, s:{}}]", "name",
				       real[0], "description", "", "schema", "name",
				       real[1], "description", "", "schema");
	json_auto_t *none = json_array();
	_cleanup_(names_freep) struct names *n = names_new(tools, none, &err);

	(void)state;
	assert_non_null(n);
	for (size_t i = 0; i < 2; i++) {
		char name[NAMES_MAX_BYTES + 1];

		names_model(n, real[i], name);
		assert_int_equal(strlen(name), NAMES_MAX_BYTES);
		assert_string_equal(names_real(n, name), real[i]);
	}
}

static void what_is_no_tool_or_source_is_refused(void **state)
{
	static const char *const rows[][2] = {
		{ "[{}]", "[]" },
		{ "[" TOOL("nodot") "]", "[]" },
		{ "[" TOOL("a.b") "," TOOL("a.b") "]", "[]" },
		{ "[{\"name\":\"a.b\",\"description\":\"\",\"schema\":{},\"risk\":1}]",
		  "[]" },
		{ "[]", "[{\"description\":\"d\"}]" },
		{ "[]", "[{\"uri\":\"u\",\"template\":\"t\",\"description\":\"d\"}]" },
		{ "[]", "[{\"template\":\"t\",\"description\":\"d\"}]" },
		{ "[]", "[{\"uri\":\"u\",\"values\":[],\"description\":\"d\"}]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_INIT;

		if (make(rows[i][0], rows[i][1], &err))
			fail_msg("taken: %s %s", rows[i][0], rows[i][1]);
		assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
	}
}

static void without_tools_there_is_nothing_to_propose(void **state)
{
	struct error err = ERROR_INIT;
	_cleanup_(names_freep) struct names *n = make("[]", "[]", &err);

	(void)state;
	assert_int_equal(json_array_size(names_tools(n)), 0);
}

static void a_fence_holds_and_stays_the_same(void **state)
{
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT, b = STRBUF_INIT, c = STRBUF_INIT;

	(void)state;
	fence(&a, "l", "text", 4, false);
	fence(&b, "l", "text", 4, false);
	assert_string_equal(a.data, b.data);
	/* what was a whole fence cannot end the one around it: the mark is another */
	fence(&c, "l", a.data, a.length, false);
	assert_int_not_equal(strncmp(a.data + 9, c.data + 9, 16), 0);
}

static void text_is_made_fit_for_messages(void **state)
{
	static const char odd[] = "a\0b\xff\xEF\xBF\xBE\xED\xA0\x80z";
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	clean_text(&sb, odd, sizeof odd - 1);
	json_auto_t *value = json_stringn(sb.data, sb.length);
	assert_non_null(value);
	assert_true(json_check_contract(value, &err));
	assert_int_equal(sb.data[0], 'a');
	assert_int_equal(utf8_cut("a\xC3\xBC", 3, 2), 1);
	assert_int_equal(utf8_cut("a\xC3\xBC", 3, 3), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_exact_table_both_ways),
		cmocka_unit_test(long_names_stay_apart),
		cmocka_unit_test(what_is_no_tool_or_source_is_refused),
		cmocka_unit_test(without_tools_there_is_nothing_to_propose),
		cmocka_unit_test(a_fence_holds_and_stays_the_same),
		cmocka_unit_test(text_is_made_fit_for_messages),
	};

	return cmocka_run_group_tests_name("assistant-names", tests, NULL, NULL);
}
