#include "base/log.h"

#include "base/file.h"
#include "base/json.h"
#include "base/testing.h"

static FILE *captured;
static int saved_stderr = -1;

/* Standard error into a file that nobody else sees. */
static void capture(void)
{
	captured = tmpfile();
	assert_non_null(captured);
	saved_stderr = dup(STDERR_FILENO);
	assert_true(dup2(fileno(captured), STDERR_FILENO) >= 0);
}

/* What was written since, which must be whole lines; the first of them as JSON. */
static json_t *captured_line(struct strbuf *text)
{
	struct error err = ERROR_INIT;

	assert_true(dup2(saved_stderr, STDERR_FILENO) >= 0);
	close(saved_stderr);
	assert_int_equal(lseek(fileno(captured), 0, SEEK_SET), 0);
	assert_true(file_read_fd(fileno(captured), 1 << 20, text, &err));
	(void)fclose(captured);
	if (text->length == 0)
		return NULL;
	assert_int_equal(text->data[text->length - 1], '\n');
	assert_ptr_equal(strchr(text->data, '\n'), text->data + text->length - 1);
	json_t *line = json_parse(text->data, text->length, JSON_CONTRACT, &err);
	testing_no_error(&err);
	return line;
}

static void test_fields(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	(void)state;
	log_setup("log-test", LOG_INFO);
	log_set_request("r1");
	capture();
	log_info("tool.done", LOG_STR("tool", "x"), LOG_INT("took_ms", -5),
		 LOG_BOOL("ok", true), LOG_STR("none", NULL));
	log_debug("tool.quiet");
	log_set_request(NULL);
	json_auto_t *line = captured_line(&text);
	assert_string_equal(json_get_string(line, "level"), "info");
	assert_string_equal(json_get_string(line, "event"), "tool.done");
	assert_string_equal(json_get_string(line, "program"), "log-test");
	assert_string_equal(json_get_string(line, "request"), "r1");
	assert_string_equal(json_get_string(line, "tool"), "x");
	assert_int_equal(json_get_int64(line, "took_ms", 0), -5);
	assert_true(json_is_true(json_object_get(line, "ok")));
	assert_true(json_is_null(json_object_get(line, "none")));
	assert_int_equal(strlen(json_get_string(line, "at")), 24);
}

static void test_no_fields(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	(void)state;
	log_setup("log-test", LOG_DEBUG);
	capture();
	log_debug("started");
	json_auto_t *line = captured_line(&text);
	assert_string_equal(json_get_string(line, "event"), "started");
	assert_null(json_object_get(line, "request"));
}

static void test_level(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	enum log_level level = LOG_INFO;

	(void)state;
	log_setup("log-test", LOG_ERROR);
	capture();
	log_warn("hidden");
	log_error("shown");
	json_auto_t *line = captured_line(&text);
	assert_string_equal(json_get_string(line, "event"), "shown");
	assert_true(log_level_parse("debug", &level) && level == LOG_DEBUG);
	assert_true(log_level_parse("error", &level) && level == LOG_ERROR);
	assert_false(log_level_parse("loud", &level));
	assert_int_equal(level, LOG_ERROR);
}

/* A field cannot end the line, forge members, steer a terminal or break UTF-8. */
static void test_hostile_field(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	(void)state;
	log_setup("log-test", LOG_INFO);
	capture();
	log_info("seen", LOG_STR("value", "a\",\"level\":\"x\n\x1b[2J\\%s\xff\xc2\x9b"
					  "\xe2\x80\xae\xed\xa0\x80 é"));
	json_auto_t *line = captured_line(&text);
	assert_string_equal(json_get_string(line, "level"), "info");
	assert_string_equal(
		json_get_string(line, "value"),
		"a\",\"level\":\"x\n\x1b[2J\\%s\xEF\xBF\xBD\xc2\x9b\xe2\x80\xae"
		"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD é");
	assert_null(strchr(text.data, '\x1b'));
	assert_null(strstr(text.data, "\xc2\x9b"));
	assert_null(strstr(text.data, "\xe2\x80\xae"));
}

static void test_field_is_cut(void **state)
{
	(void)state;
	for (size_t length = LOG_FIELD_MAX - 2; length <= LOG_FIELD_MAX + 3; length++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, value = STRBUF_INIT;
		while (value.length + 2 < length)
			strbuf_add_char(&value, 'v');
		strbuf_add_string(&value, "é");
		assert_int_equal(value.length, length);
		log_setup("log-test", LOG_INFO);
		capture();
		log_info("long", LOG_STR("value", value.data));
		json_auto_t *line = captured_line(&text);
		const char *got = json_get_string(line, "value");
		assert_non_null(got);
		assert_string_equal(got + strspn(got, "v"),
				    length > LOG_FIELD_MAX ? "…" : "é");
	}
}

static void test_failure(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, again = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	log_setup("log-test", LOG_INFO);
	error_set(&err, ERR_TIMEOUT, "no answer");
	error_cause(&err, "socket 5");
	error_hint(&err, "ask again");
	capture();
	log_failure("call.failed", &err);
	json_auto_t *line = captured_line(&text);
	assert_string_equal(json_get_string(line, "level"), "warn");
	assert_string_equal(json_get_string(line, "code"), "timeout");
	assert_string_equal(json_get_string(line, "message"), "no answer");
	assert_string_equal(json_get_string(line, "cause"), "socket 5");
	assert_string_equal(json_get_string(line, "hint"), "ask again");
	error_clear(&err);
	error_oom(&err);
	capture();
	log_failure("call.failed", &err);
	json_auto_t *second = captured_line(&again);
	assert_string_equal(json_get_string(second, "level"), "error");
	assert_null(json_object_get(second, "cause"));
	assert_null(json_object_get(second, "hint"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),       cmocka_unit_test(test_no_fields),
		cmocka_unit_test(test_level),        cmocka_unit_test(test_hostile_field),
		cmocka_unit_test(test_field_is_cut), cmocka_unit_test(test_failure),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
