/* What each handshake revision has words for: pure texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture/conform.h"
#include "mcp/revision_legacy.h"

static json_t *parse(const char *text)
{
	struct error err = ERROR_INIT;
	json_t *json = json_parse(text, strlen(text), JSON_SYNTAX, &err);

	assert_non_null(json);
	return json;
}

/* ---- Capabilities ---- */

static void capabilities_are_those_of_the_revision(void **state)
{
	static const char all[] =
		"{\"elicitation\":{\"form\":{},\"url\":{},\"more\":1},\"sampling\":{"
		"\"tools\":{},\"context\":{}},\"roots\":{\"listChanged\":true},"
		"\"extensions\":{\"x\":{}}}";
	static const struct {
		enum legacy_revision revision;
		const char *declared, *counts;
	} rows[] = {
		{ LEGACY_2025_11_25, all,
		  "{\"elicitation\":{\"form\":{},\"url\":{}},\"sampling\":{\"tools\":{}},"
		  "\"roots\":{}}" },
		{ LEGACY_2025_06_18, all,
		  "{\"elicitation\":{\"form\":{}},\"sampling\":{},\"roots\":{}}" },
		{ LEGACY_2025_03_26, all, "{\"sampling\":{},\"roots\":{}}" },
		{ LEGACY_2024_11_05, all, "{\"sampling\":{},\"roots\":{}}" },
		{ LEGACY_2025_11_25, "{\"elicitation\":{}}",
		  "{\"elicitation\":{\"form\":{}}}" },
		{ LEGACY_2025_11_25, "{\"elicitation\":{\"url\":{}}}",
		  "{\"elicitation\":{\"url\":{}}}" },
		{ LEGACY_2025_06_18, "{\"elicitation\":{\"url\":{}}}",
		  "{\"elicitation\":{\"form\":{}}}" },
		{ LEGACY_2025_11_25,
		  "{\"elicitation\":true,\"sampling\":[],\"roots\":null}", "{}" },
		{ LEGACY_2025_11_25, "[]", "{}" },
		{ LEGACY_2025_11_25, "null", "{}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_auto_t *declared = parse(rows[i].declared);
		json_auto_t *wanted = parse(rows[i].counts);
		json_auto_t *found = legacy_capabilities(rows[i].revision, declared);
		_cleanup_free_ char *text = json_dumps(found, 0);

		if (!json_equal(found, wanted))
			fail_msg("%zu: %s", i, text);
	}
}

/* ---- Questions ---- */

#define FORM(fields)                                                                     \
	"{\"method\":\"elicitation/create\",\"params\":{\"mode\":\"form\",\"message\":"  \
	"\"m\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{" fields "}}}}"
#define ASKED(fields)                                                                    \
	"{\"method\":\"elicitation/create\",\"params\":{\"message\":\"m\","              \
	"\"requestedSchema\":{\"type\":\"object\",\"properties\":{" fields "}}}}"
#define SAMPLE(messages)                                                                 \
	"{\"method\":\"sampling/createMessage\",\"params\":{\"messages\":[" messages     \
	"],\"maxTokens\":9}}"
#define TITLED                                                                           \
	"{\"type\":\"string\",\"oneOf\":[{\"const\":\"a\",\"title\":\"A\"},{\"const\":"  \
	"\"b\"}]}"
#define LISTED                                                                           \
	"{\"type\":\"array\",\"items\":{\"type\":\"string\",\"enum\":[\"a\",\"b\"]}}"
#define TEXT(text)        "{\"type\":\"text\",\"text\":\"" text "\"}"
#define SOUND             "{\"type\":\"audio\",\"data\":\"AAAA\",\"mimeType\":\"audio/wav\"}"
#define SAY(who, content) "{\"role\":\"" who "\",\"content\":" content "}"

static const struct row {
	enum legacy_revision revision;
	const char *question, *asked; /* NULL: it has no words for it */
} rows[] = {
	{ LEGACY_2025_11_25, FORM("\"x\":" TITLED ",\"y\":" LISTED),
	  FORM("\"x\":" TITLED ",\"y\":" LISTED) },
	{ LEGACY_2025_06_18, FORM("\"x\":{\"type\":\"integer\",\"default\":3}"),
	  ASKED("\"x\":{\"type\":\"integer\",\"default\":3}") },
	{ LEGACY_2025_06_18, FORM("\"x\":" TITLED),
	  ASKED("\"x\":{\"type\":\"string\",\"enum\":[\"a\",\"b\"],\"enumNames\":["
		"\"A\",\"b\"]}") },
	{ LEGACY_2025_06_18, FORM("\"y\":" LISTED), NULL },
	{ LEGACY_2025_06_18, FORM("\"y\":{}"), NULL },
	{ LEGACY_2025_06_18, FORM(""), ASKED("") },
	{ LEGACY_2025_11_25, SAMPLE(SAY("user", "[" TEXT("a") "," SOUND "]")),
	  SAMPLE(SAY("user", "[" TEXT("a") "," SOUND "]")) },
	{ LEGACY_2025_06_18,
	  SAMPLE(SAY("user", "[" TEXT("a") "," SOUND "]") "," SAY("assistant",
								  TEXT("b"))),
	  SAMPLE(SAY("user", TEXT("a")) "," SAY("user", SOUND) "," SAY("assistant",
								       TEXT("b"))) },
	{ LEGACY_2024_11_05, SAMPLE(SAY("user", SOUND)),
	  SAMPLE(SAY("user", TEXT("(audio)"))) },
	{ LEGACY_2025_03_26, SAMPLE(""), SAMPLE("") },
	{ LEGACY_2024_11_05, "{\"method\":\"roots/list\",\"params\":{}}",
	  "{\"method\":\"roots/list\",\"params\":{}}" },
};

static const char *version_of(enum legacy_revision r)
{
	return r == LEGACY_2025_11_25   ? "2025-11-25"
	       : r == LEGACY_2025_06_18 ? "2025-06-18"
	       : r == LEGACY_2025_03_26 ? "2025-03-26"
					: "2024-11-05";
}

/* As it goes out, the official schema has it. */
static void judge(const struct row *row, const json_t *question)
{
	struct conform *official = conform_new_revision(version_of(row->revision));
	json_auto_t *message = json_deep_copy(question);

	json_object_set_new(message, "jsonrpc", json_string("2.0"));
	json_object_set_new(message, "id", json_string("q1"));
	assert_true(conform_is(official, "ServerRequest", message));
	conform_free(official);
}

static void questions_are_put_in_its_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_auto_t *question = parse(rows[i].question);
		json_auto_t *before = json_deep_copy(question);
		json_auto_t *found = legacy_question(rows[i].revision, question);
		json_auto_t *wanted = rows[i].asked ? parse(rows[i].asked) : NULL;
		_cleanup_free_ char *text = json_dumps(found, 0);

		if (rows[i].asked ? !json_equal(found, wanted) : found != NULL)
			fail_msg("%zu: %s", i, text);
		assert_true(json_equal(question, before));
		if (found)
			judge(&rows[i], found);
	}
}

static void pages_have_an_id_each(void **state)
{
	json_auto_t *question =
		parse("{\"method\":\"elicitation/create\",\"params\":{\"mode\":\"url\","
		      "\"message\":\"m\",\"url\":\"https://a.example/\"}}");
	json_auto_t *one = legacy_question(LEGACY_2025_11_25, question);
	json_auto_t *other = legacy_question(LEGACY_2025_11_25, question);
	const char *id = json_get_string(json_object_get(one, "params"), "elicitationId");
	const char *second =
		json_get_string(json_object_get(other, "params"), "elicitationId");

	(void)state;
	assert_true(strlen(id) >= 26);
	assert_string_not_equal(id, second);
	judge(&rows[0], one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(capabilities_are_those_of_the_revision),
		cmocka_unit_test(questions_are_put_in_its_words),
		cmocka_unit_test(pages_have_an_id_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
