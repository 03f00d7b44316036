#include "console/audit_words.h"

#include "base/testing.h"
#include "console/syslog.h"

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void assert_says(const char *text, const char *wanted)
{
	_cleanup_strbuf_ struct strbuf says = STRBUF_INIT;
	struct error err = ERROR_INIT;
	json_auto_t *line = json_parse(text, strlen(text), JSON_SYNTAX, &err);

	assert_non_null(line);
	strbuf_add_string(&says, "- ");
	audit_words_add(&says, line);
	assert_string_equal(says.data + 2, wanted);
}

static void test_sentences(void **state)
{
	(void)state;
	assert_says("{\"event\":\"approval.denied\",\"data\":{\"by\":\"bob\"}}",
		    "bob denied it");
	assert_says("{\"event\":\"approval.denied\",\"data\":{\"by\":\"bob\",\"why\":"
		    "\"no\"}}",
		    "bob denied it: no");
	assert_says("{\"event\":\"approval.denied\",\"data\":{}}", "? denied it");
	assert_says("{\"event\":\"approval.denied\"}", "? denied it");
	assert_says("{\"event\":\"approval.planned\",\"data\":{\"server\":\"s\","
		    "\"plan_digest\":\"" DIGEST "\"}}",
		    "s said what it would do (plan 0123456789ab)");
	assert_says("{\"event\":\"approval.succeeded\",\"data\":{\"verified\":false}}",
		    "the gate learnt that it succeeded, but reading it back did not show "
		    "it");
	assert_says("{\"event\":\"approval.succeeded\",\"data\":{\"verified\":\"true\"}}",
		    "the gate learnt that it succeeded, verified by reading it back");
	assert_says("{\"event\":\"approval.granted\",\"data\":{\"exp\":0}}",
		    "the grant is kept and may leave until 1970-01-01T00:00:00Z");
	assert_says(
		"{\"event\":\"call.observed\",\"program\":\"s\",\"data\":{\"observed\":"
		"\"{by} [x] \\u001b\"}}",
		"s looked in the backend afterwards: {by} [x] \x1b");
	/* Several sentences of one event. */
	assert_says("{\"event\":\"approval.approved\",\"data\":{\"by\":\"bob\"}}",
		    "bob approved it");
	assert_says("{\"event\":\"approval.approved\",\"data\":{\"by\":\"bob\","
		    "\"decision\":{\"after_ms\":1490,\"quick\":true}}}",
		    "bob approved it, 1.4 s after it could be read: in under 2 s");
	assert_says("{\"event\":\"approval.decision\",\"data\":{"
		    "\"decision\":{\"by\":\"bob\",\"after_ms\":59999}}}",
		    "bob said yes, 59.9 s after it could be read; more have to");
	assert_says("{\"event\":\"approval.approved\",\"data\":{\"by\":\"bob\","
		    "\"decision\":{\"after_ms\":60000}}}",
		    "bob approved it, 1 min 0 s after it could be read");
	assert_says("{\"event\":\"approval.approved\",\"data\":{\"by\":\"bob\","
		    "\"decision\":{\"after_ms\":3660000}}}",
		    "bob approved it, 1 h 1 min after it could be read");
	assert_says(
		"{\"event\":\"approval.approved\",\"data\":{\"bundle\":{\"of\":3,\"id\":"
		"\"x\"}}}",
		"it was approved with the 3 calls of x");
	assert_says("{\"event\":\"approval.approved\",\"data\":{}}", "it was approved");
	/* What the table does not know. */
	assert_says("{\"event\":\"some.event\",\"data\":{\"a\":1}}", "some.event a=1");
	assert_says("[]", "? ");
}

static void assert_syslog(const char *text, const char *host, const char *wanted)
{
	_cleanup_strbuf_ struct strbuf message = STRBUF_INIT;
	struct error err = ERROR_INIT;
	json_auto_t *line = json_parse(text, strlen(text), JSON_SYNTAX, &err);

	assert_non_null(line);
	syslog_format(&message, host, line, NULL);
	assert_string_equal(message.data, wanted);
}

static void test_syslog(void **state)
{
	_cleanup_strbuf_ struct strbuf message = STRBUF_INIT;
	json_auto_t *line = json_pack("{s:s}", "event", "call.refused");

	(void)state;
	assert_syslog(
		"{\"at\":\"2026-11-22T10:00:00.123Z\",\"event\":\"approval.approved\","
		"\"program\":\"gate\",\"seq\":7,\"hash\":\"h\",\"prev\":\"p\","
		"\"data\":{\"approval\":\"a\"}}",
		"host",
		"<109>1 2026-11-22T10:00:00.123Z host wingman-gate - approval.approved "
		"[wingman@32473 seq=\"7\" prev=\"p\" hash=\"h\" approval=\"a\"]");
	/* Nothing of what a line says breaks out of where it stands. */
	assert_syslog("{\"at\":\"a b\\n\",\"event\":\"\",\"program\":\"g t]\","
		      "\"data\":{\"approval\":\"x\\\"]\\\\\\n\"}}",
		      "",
		      "<109>1 a_b_ - wingman-g_t] - - [wingman@32473 seq=\"-1\" "
		      "approval=\"x\\\"\\]\\\\?\"]");
	syslog_format(&message, "h", line, "{}");
	assert_string_equal(
		message.data,
		"<108>1 - h wingman- - call.refused [wingman@32473 seq=\"-1\"] "
		"\xef\xbb\xbf{}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sentences),
		cmocka_unit_test(test_syslog),
	};

	return cmocka_run_group_tests_name("audit-words", tests, NULL, NULL);
}
