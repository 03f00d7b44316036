#include "wire/jsonrpc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static json_t *parse(const char *text)
{
	struct error err = ERROR_INIT;
	json_t *v = json_parse(text, strlen(text), JSON_SYNTAX, &err);

	if (!v)
		fail_msg("%s: %s", text, err.message);
	return v;
}

static void good_messages_are_told_apart(void **state)
{
	static const struct {
		const char *text;
		enum jsonrpc_kind kind;
		bool id, params;
	} cases[] = {
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}", JSONRPC_REQUEST,
		  true, false },
		{ "{\"jsonrpc\":\"2.0\",\"id\":\"\",\"method\":\"m\",\"params\":{}}",
		  JSONRPC_REQUEST, true, true },
		{ "{\"jsonrpc\":\"2.0\",\"id\":-9223372036854775808,\"method\":\"m\","
		  "\"more\":[]}",
		  JSONRPC_REQUEST, true, false },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"m\"}", JSONRPC_NOTIFICATION, false,
		  false },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", JSONRPC_RESULT, true,
		  false },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-1,\"message\":\"\"}"
		  "}",
		  JSONRPC_ERROR, true, false },
		{ "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-1,\"message\":\"\"}}",
		  JSONRPC_ERROR, false, false },
		{ "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-1,\"message\":"
		  "\"\"}}",
		  JSONRPC_ERROR, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *body = parse(cases[i].text);
		struct error err = ERROR_INIT;
		struct jsonrpc_message m;
		const json_t *id;
		if (!jsonrpc_read(body, &m, &id, &err))
			fail_msg("%s: %s", cases[i].text, err.message);
		assert_int_equal(m.kind, cases[i].kind);
		assert_int_equal(m.id != NULL, cases[i].id);
		assert_ptr_equal(m.id, id);
		assert_int_equal(m.params != NULL, cases[i].params);
		assert_int_equal(m.method != NULL,
				 m.kind == JSONRPC_REQUEST ||
					 m.kind == JSONRPC_NOTIFICATION);
		assert_int_equal(m.result != NULL, m.kind == JSONRPC_RESULT);
		assert_int_equal(m.error != NULL, m.kind == JSONRPC_ERROR);
	}
}

/* "id" tells whether the id can be read nonetheless. */
static void bad_messages_are_refused(void **state)
{
	static const struct {
		const char *text;
		bool id;
		const char *says;
	} cases[] = {
		{ "[]", false, "batch" },
		{ "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}]", false, "batch" },
		{ "7", false, "object" },
		{ "null", false, "object" },
		{ "{}", false, "2.0" },
		{ "{\"id\":1,\"method\":\"m\"}", true, "2.0" },
		{ "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"m\"}", true, "2.0" },
		{ "{\"jsonrpc\":2.0,\"id\":1,\"method\":\"m\"}", true, "2.0" },
		{ "{\"jsonrpc\":\"2.0\\u0000\",\"id\":1,\"method\":\"m\"}", true, "2.0" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"m\"}", false, "'id'" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"m\"}", false, "'id'" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1.0,\"method\":\"m\"}", false, "'id'" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1e2,\"method\":\"m\"}", false, "'id'" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"m\"}", false, "'id'" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"m\"}", false, "'id'" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":[1],\"method\":\"m\"}", false, "'id'" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}", true, "'method'" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":null}", true, "'method'" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\\u0000x\"}",
		  true, "NUL" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":[]}", true,
		  "'params'" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":null}", true,
		  "'params'" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1}", true, "needed" },
		{ "{\"jsonrpc\":\"2.0\",\"result\":{}}", false, "'id'" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{}}", false, "'id'" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":7}", true, "'result'" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{},\"error\":{\"code\":1,"
		  "\"message\":\"\"}}",
		  true, "exclude" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"result\":{}}", true,
		  "either" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"m\",\"error\":{}}",
		  false, "'id'" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":\"x\"}", true, "'error'" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1.5,\"message\":"
		  "\"\"}}",
		  true, "'error'" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1}}", true,
		  "'error'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *body = parse(cases[i].text);
		struct error err = ERROR_INIT;
		struct jsonrpc_message m = { .method = "untouched" };
		const json_t *id;
		if (jsonrpc_read(body, &m, &id, &err))
			fail_msg("accepted: %s", cases[i].text);
		assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
		assert_string_equal(m.method, "untouched");
		if ((id != NULL) != cases[i].id)
			fail_msg("id of %s", cases[i].text);
		if (!strstr(err.message, cases[i].says))
			fail_msg("%s: %s", cases[i].text, err.message);
	}
}

static void ids_keep_type_and_value(void **state)
{
	static const char *const ids[] = {
		"1",
		"\"1\"",
		"0",
		"-7",
		"9223372036854775807",
		"-9223372036854775808",
		"\"\"",
		"\"a\\\"b\\\\\\n\\u0001\"",
		"\"\xc3\xbc\"",
		"\"a\\u0000b\"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, sb = STRBUF_INIT;
		strbuf_add_format(&text,
				  "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"m\"}",
				  ids[i]);
		json_auto_t *body = parse(text.data);
		struct jsonrpc_message m;
		struct error err = ERROR_INIT;
		const json_t *id;
		assert_true(jsonrpc_read(body, &m, &id, &err));
		jsonrpc_write_result(&sb, id, "{}", 2);
		assert_true(strbuf_ok(&sb));
		json_auto_t *back = parse(sb.data);
		assert_true(json_equal(json_object_get(back, "id"), id));
		assert_string_equal(json_string_value(json_object_get(back, "jsonrpc")),
				    "2.0");
		assert_true(json_is_object(json_object_get(back, "result")));
	}
}

static void written_text_is_exact(void **state)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	json_auto_t *id = json_integer(7);
	json_auto_t *data = json_pack("{s:[s]}", "supported", "2026-07-28");

	(void)state;
	jsonrpc_write_result(&sb, id, "{\"a\":1}", 7);
	assert_string_equal(sb.data,
			    "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"a\":1}}");
	strbuf_clear(&sb);
	jsonrpc_write_error(&sb, id, JSONRPC_UNSUPPORTED_VERSION, "no \"such\"\n", data);
	assert_string_equal(sb.data,
			    "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32022,"
			    "\"message\":\"no \\\"such\\\"\\n\","
			    "\"data\":{\"supported\":[\"2026-07-28\"]}}}");
	strbuf_clear(&sb);
	jsonrpc_write_error(&sb, NULL, JSONRPC_PARSE_ERROR, "x", NULL);
	assert_string_equal(
		sb.data,
		"{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32700,\"message\":\"x\"}}");
}

static void data_that_cannot_be_written_fails_the_buffer(void **state)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	json_auto_t *deep = json_array();

	(void)state;
	for (int i = 0; i < 5000; i++) {
		json_t *outer = json_array();
		assert_int_equal(json_array_append_new(outer, deep), 0);
		deep = outer;
	}
	jsonrpc_write_error(&sb, NULL, JSONRPC_INTERNAL_ERROR, "x", deep);
	assert_false(strbuf_ok(&sb));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_messages_are_told_apart),
		cmocka_unit_test(bad_messages_are_refused),
		cmocka_unit_test(ids_keep_type_and_value),
		cmocka_unit_test(written_text_is_exact),
		cmocka_unit_test(data_that_cannot_be_written_fails_the_buffer),
	};

	return cmocka_run_group_tests_name("jsonrpc", tests, NULL, NULL);
}
