/* Questions to the client, and its answers, over real HTTP: PROTOCOL 2.12. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture/rig.h"

static struct rig rig;

static int set_up(void **state)
{
	(void)state;
	rig_open(&rig);
	rig_config(&rig, "freed_reads: [test_question]\n"
			 "freed_prompts: [greet_person]\n");
	rig_start(&rig);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	rig_close(&rig);
	return 0;
}

#define CAN(capabilities)                                                                \
	",\"io.modelcontextprotocol/clientCapabilities\":{" capabilities "}"
#define ALL CAN("\"elicitation\":{\"form\":{},\"url\":{}},\"sampling\":{},\"roots\":{}")

static struct answer ask_as(const struct secret *who, const char *kind, const char *can,
			    const char *more)
{
	char params[16384];

	(void)snprintf(params, sizeof params,
		       "\"name\":\"test_question\",\"arguments\":{\"kind\":\"%s\"}%s",
		       kind, more);
	return rig_ask(&rig, who, "tools/call", "test_question", params, can);
}

static struct answer ask(const char *kind, const char *can, const char *more)
{
	return ask_as(rig.alice, kind, can, more);
}

static bool is_asked(const struct answer *a, const char *key)
{
	const json_t *r = answer_result(a);
	const char *type = json_get_string(r, "resultType") ?: "";

	return strcmp(type, "input_required") == 0 && !json_object_get(r, "content") &&
	       json_object_get(json_object_get(r, "inputRequests"), key);
}

static const json_t *heard(const struct answer *a)
{
	return json_object_get(json_object_get(answer_result(a), "structuredContent"),
			       "heard");
}

static const char *state_of(const struct answer *a)
{
	return json_get_string(answer_result(a), "requestState");
}

#define NAME "\"name\":{\"action\":\"accept\",\"content\":{\"name\":\"Ada\"}}"
#define SAMPLE                                                                           \
	"\"capital\":{\"role\":\"assistant\",\"model\":\"m\",\"content\":{"              \
	"\"type\":\"text\",\"text\":\"Paris\"}}"
#define ANSWERS(answers) ",\"inputResponses\":{" answers "}"

static void each_kind_is_asked_and_heard(void **state)
{
	static const struct {
		const char *kind, *key, *answers;
	} rows[] = {
		{ "form", "name", ANSWERS(NAME) },
		{ "form", "name", ANSWERS("\"name\":{\"action\":\"decline\"}") },
		{ "form", "name", ANSWERS("\"name\":{\"action\":\"cancel\"}") },
		{ "form", "name", ANSWERS(NAME ",\"more\":7,\"other\":{}") },
		{ "url", "page", ANSWERS("\"page\":{\"action\":\"accept\"}") },
		{ "sample", "capital", ANSWERS(SAMPLE) },
		{ "roots", "roots",
		  ANSWERS("\"roots\":{\"roots\":[{\"uri\":\"file:///a\"}]}") },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_answer_ struct answer first = ask(rows[i].kind, ALL, "");
		assert_true(is_asked(&first, rows[i].key));
		assert_null(state_of(&first)); /* there is nothing to keep yet */
		_cleanup_answer_ struct answer second =
			ask(rows[i].kind, ALL, rows[i].answers);
		if (!heard(&second))
			print_message("# %zu: %s\n", i, second.text);
		assert_non_null(json_object_get(heard(&second), "answer"));
	}
}

/* S-36 */
static void what_does_not_fit_is_asked_again(void **state)
{
	static const char *const bad[] = {
		ANSWERS(""),
		ANSWERS("\"nome\":{\"action\":\"accept\",\"content\":{\"name\":\"Ada\"}"
			"}"),
		ANSWERS("\"name\":null"),
		ANSWERS("\"name\":7"),
		ANSWERS("\"name\":{}"),
		ANSWERS("\"name\":{\"action\":\"agree\"}"),
		ANSWERS("\"name\":{\"action\":\"accept\"}"),
		ANSWERS("\"name\":{\"action\":\"accept\",\"content\":{\"name\":7}}"),
		ANSWERS("\"name\":{\"action\":\"accept\",\"content\":{\"name\":\"A\"}}"),
		ANSWERS("\"name\":{\"action\":\"accept\",\"content\":{}}"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_answer_ struct answer a = ask("form", ALL, bad[i]);
		if (!is_asked(&a, "name"))
			print_message("# %s: %s\n", bad[i], a.text);
		assert_true(is_asked(&a, "name"));
	}
	_cleanup_answer_ struct answer array = ask("form", ALL, ",\"inputResponses\":[]");
	assert_int_equal(json_get_int64(json_object_get(array.body, "error"), "code", 0),
			 -32602);
	_cleanup_answer_ struct answer null =
		ask("form", ALL, ",\"inputResponses\":null");
	assert_int_equal(json_get_int64(json_object_get(null.body, "error"), "code", 0),
			 -32602);
}

/* S-32 */
static void only_what_was_declared_is_asked(void **state)
{
	static const struct {
		const char *kind, *can, *needed, *mode;
	} rows[] = {
		{ "form", CAN(""), "elicitation", "form" },
		{ "form", CAN("\"elicitation\":{\"url\":{}}"), "elicitation", "form" },
		{ "form", CAN("\"elicitation\":true"), "elicitation", "form" },
		{ "url", CAN("\"elicitation\":{}"), "elicitation", "url" },
		{ "sample", CAN("\"elicitation\":{}"), "sampling", NULL },
		{ "roots", CAN("\"sampling\":{}"), "roots", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_answer_ struct answer a = ask(rows[i].kind, rows[i].can, "");
		const json_t *error = json_object_get(a.body, "error");
		const json_t *needed =
			json_object_get(json_object_get(json_object_get(error, "data"),
							"requiredCapabilities"),
					rows[i].needed);

		assert_int_equal(a.status, 400);
		assert_int_equal(json_get_int64(error, "code", 0), -32021);
		assert_true(json_is_object(needed));
		if (rows[i].mode)
			assert_true(
				json_is_object(json_object_get(needed, rows[i].mode)));
	}
	_cleanup_answer_ struct answer old = ask("form", CAN("\"elicitation\":{}"), "");
	assert_true(is_asked(&old, "name"));
	_cleanup_answer_ struct answer able = ask("able", CAN("\"sampling\":{}"), "");
	assert_true(is_asked(&able, "capital"));
}

static void several_are_asked_at_once(void **state)
{
	char more[8192];

	(void)state;
	_cleanup_answer_ struct answer a = ask("both", ALL, "");
	assert_true(is_asked(&a, "name") && is_asked(&a, "capital"));
	/* Half of the answers: the other half is asked for, and this one kept. */
	_cleanup_answer_ struct answer half = ask("both", ALL, ANSWERS(NAME));
	assert_true(is_asked(&half, "capital"));
	assert_false(is_asked(&half, "name"));
	(void)snprintf(more, sizeof more, ANSWERS(SAMPLE) ",\"requestState\":\"%s\"",
		       state_of(&half));
	_cleanup_answer_ struct answer whole = ask("both", ALL, more);
	assert_non_null(json_object_get(heard(&whole), "answer"));
	assert_non_null(json_object_get(heard(&whole), "second"));
}

static void rounds_follow_each_other(void **state)
{
	char more[8192];

	(void)state;
	_cleanup_answer_ struct answer one = ask("two", ALL, "");
	assert_true(is_asked(&one, "name"));
	(void)snprintf(more, sizeof more, ANSWERS(NAME) ",\"requestState\":\"%s\"",
		       state_of(&one));
	_cleanup_answer_ struct answer two = ask("two", ALL, more);
	assert_true(is_asked(&two, "capital"));
	assert_string_not_equal(state_of(&one), state_of(&two));
	(void)snprintf(more, sizeof more, ANSWERS(SAMPLE) ",\"requestState\":\"%s\"",
		       state_of(&two));
	_cleanup_answer_ struct answer three = ask("two", ALL, more);
	assert_int_equal(json_get_int64(heard(&three), "rounds", 0), 1);
	const json_t *name = json_object_get(
		json_object_get(json_object_get(heard(&three), "answer"), "content"),
		"name");
	assert_string_equal(json_string_value(name), "Ada");
}

static int64_t code_with_state(const struct secret *who, const char *kind,
			       const char *word)
{
	char more[8192];

	(void)snprintf(more, sizeof more, ANSWERS(NAME) ",\"requestState\":\"%s\"", word);
	_cleanup_answer_ struct answer a = ask_as(who, kind, ALL, more);
	return json_get_int64(json_object_get(a.body, "error"), "code", 0);
}

/* S-33, S-34 */
static void a_state_is_for_its_own_request(void **state)
{
	(void)state;
	_cleanup_answer_ struct answer a = ask("two", ALL, "");
	_cleanup_free_ char *word = strdup(state_of(&a));
	size_t length = strlen(word);

	assert_int_equal(code_with_state(rig.alice, "two", word), 0);
	assert_int_equal(code_with_state(rig.bob, "two", word), -32602);
	assert_int_equal(code_with_state(rig.alice, "form", word), -32602);
	assert_int_equal(code_with_state(rig.alice, "two", ""), -32602);
	assert_int_equal(code_with_state(rig.alice, "two", "i1."), -32602);
	assert_int_equal(code_with_state(rig.alice, "two", "v1.abc"), -32602);
	for (size_t i = 3; i < length; i += 7) {
		char was = word[i];

		word[i] = was == 'A' ? 'B' : 'A';
		assert_int_equal(code_with_state(rig.alice, "two", word), -32602);
		word[i] = was;
	}
	word[length - 1] = '\0';
	assert_int_equal(code_with_state(rig.alice, "two", word), -32602);
}

static void prompts_ask_too(void **state)
{
#define GREET "\"name\":\"greet_person\",\"arguments\":{\"name\":\"x\",\"tone\":\"ask\"}"
	(void)state;
	_cleanup_answer_ struct answer a =
		rig_ask(&rig, rig.alice, "prompts/get", "greet_person", GREET, ALL);
	assert_true(is_asked(&a, "name"));
	_cleanup_answer_ struct answer b = rig_ask(
		&rig, rig.alice, "prompts/get", "greet_person", GREET ANSWERS(NAME), ALL);
	assert_non_null(strstr(b.text, "You said Ada."));
	_cleanup_answer_ struct answer unable =
		rig_ask(&rig, rig.alice, "prompts/get", "greet_person", GREET, CAN(""));
	assert_int_equal(unable.status, 400);
}

/* S-31: a completion cannot be repeated with answers. */
static void a_completion_asks_nobody(void **state)
{
	(void)state;
	_cleanup_answer_ struct answer a =
		rig_ask(&rig, rig.alice, "completion/complete", NULL,
			"\"ref\":{\"type\":\"ref/prompt\",\"name\":\"greet_person\"},"
			"\"argument\":{\"name\":\"name\",\"value\":\"ask\"}",
			ALL);
	assert_string_equal(json_get_string(answer_result(&a), "resultType"), "complete");
	assert_null(json_object_get(answer_result(&a), "inputRequests"));
	assert_non_null(json_object_get(answer_result(&a), "completion"));
}

/* What runs with a grant cannot be asked about: nobody could repeat it. */
static void what_runs_with_a_grant_asks_nobody(void **state)
{
	struct grant g = rig_grant(&rig, "test_question", "{\"kind\":\"form\"}");

	(void)state;
	_cleanup_answer_ struct answer a =
		rig_present(&rig, &g, rig.key, "{\"kind\":\"form\"}", NULL);
	assert_string_equal(answer_code(&a), "internal");
	assert_non_null(strstr(a.text, "asks where nobody can answer"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_is_asked_and_heard),
		cmocka_unit_test(what_does_not_fit_is_asked_again),
		cmocka_unit_test(only_what_was_declared_is_asked),
		cmocka_unit_test(several_are_asked_at_once),
		cmocka_unit_test(rounds_follow_each_other),
		cmocka_unit_test(a_state_is_for_its_own_request),
		cmocka_unit_test(prompts_ask_too),
		cmocka_unit_test(a_completion_asks_nobody),
		cmocka_unit_test(what_runs_with_a_grant_asks_nobody),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
