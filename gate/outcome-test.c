#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "base/cleanup.h"

#include <cmocka.h>

#include "gate/outcome.h"

#define HASH       "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define META(more) "\"_meta\":{\"org.wingman/outcome\":{\"approval\":\"a1\"" more "}}"
#define DONE(more) META(",\"state\":\"succeeded\"" more)
#define HEAD(program, seq, hash)                                                         \
	",\"server_head\":{\"program\":\"" program "\",\"seq\":" seq ",\"hash\":\"" hash \
	"\"}"
#define ERROR(code, more)                                                                \
	"\"isError\":true,\"structuredContent\":{\"error\":{\"code\":\"" code "\"" more  \
	"}}"

static const struct {
	const char *result;
	enum outcome_kind kind;
	int verified;
	bool head;
} cases[] = {
	/* no word about this grant: what it did nobody knows */
	{ "{\"resultType\":\"complete\"}", OUTCOME_UNKNOWN, -1, false },
	{ "{}", OUTCOME_UNKNOWN, -1, false },
	{ "{\"resultType\":\"complete\"," META("") "}", OUTCOME_UNKNOWN, -1, false },
	{ "{\"resultType\":\"complete\"," META(",\"state\":[\"succeeded\"]") "}",
	  OUTCOME_UNKNOWN, -1, false },
	{ "{\"resultType\":\"complete\"," META(",\"state\":\"started\"") "}",
	  OUTCOME_UNKNOWN, -1, false },
	{ "{\"resultType\":\"complete\"," DONE("") "}", OUTCOME_SUCCEEDED, -1, false },
	{ "{\"resultType\":\"complete\"," DONE(",\"verified\":true") "}",
	  OUTCOME_SUCCEEDED, 1, false },
	{ "{\"resultType\":\"complete\"," DONE(",\"verified\":false") "}",
	  OUTCOME_SUCCEEDED, 0, false },
	{ "{\"resultType\":\"complete\"," DONE(",\"verified\":\"yes\"") "}",
	  OUTCOME_SUCCEEDED, -1, false },
	{ "{\"resultType\":\"complete\"," DONE(HEAD("accounts", "3", HASH)) "}",
	  OUTCOME_SUCCEEDED, -1, true },
	/* another's head, no hash, a negative place */
	{ "{\"resultType\":\"complete\"," DONE(HEAD("gate", "3", HASH)) "}",
	  OUTCOME_SUCCEEDED, -1, false },
	{ "{\"resultType\":\"complete\"," DONE(HEAD("accounts", "3", "x")) "}",
	  OUTCOME_SUCCEEDED, -1, false },
	{ "{\"resultType\":\"complete\"," DONE(HEAD("accounts", "-3", HASH)) "}",
	  OUTCOME_SUCCEEDED, -1, false },
	/* about another approval */
	{ "{\"resultType\":\"complete\",\"_meta\":{\"org.wingman/"
	  "outcome\":{\"approval\":\"a2\",\"state\":\"succeeded\",\"verified\":true}}}",
	  OUTCOME_UNKNOWN, -1, false },
	{ "{\"resultType\":\"input_required\"}", OUTCOME_NOT_RUN, -1, false },
	{ "{\"resultType\":\"complete\",\"isError\":true}", OUTCOME_FAILED, -1, false },
	{ "{\"resultType\":\"complete\"," ERROR("conflict", "") "}", OUTCOME_FAILED, -1,
	  false },
	{ "{\"resultType\":\"complete\"," ERROR(
		  "precondition_failed", "") "," META(",\"state\":\"refused\"") "}",
	  OUTCOME_FAILED, -1, false },
	{ "{\"resultType\":\"complete\"," ERROR("unknown_outcome", "") "}",
	  OUTCOME_UNKNOWN, -1, false },
	{ "{\"resultType\":\"complete\"," ERROR("approval_invalid", "") "}",
	  OUTCOME_NOT_RUN, -1, false },
	{ "{\"resultType\":\"complete\"," ERROR(
		  "rate_limited", "") "," META(",\"state\":\"refused\"") "}",
	  OUTCOME_NOT_RUN, -1, false },
	{ "{\"resultType\":\"complete\"," ERROR(
		  "approval_invalid", ",\"details\":{\"state\":\"succeeded\"}") "}",
	  OUTCOME_SUCCEEDED, -1, false },
	{ "{\"resultType\":\"complete\"," ERROR(
		  "approval_invalid", ",\"details\":{\"state\":\"failed\"}") "}",
	  OUTCOME_FAILED, -1, false },
	{ "{\"resultType\":\"complete\"," ERROR(
		  "approval_invalid", ",\"details\":{\"state\":\"started\"}") "}",
	  OUTCOME_RUNNING, -1, false },
	{ "{\"resultType\":\"complete\"," ERROR("approval_invalid",
						",\"details\":{\"state\":\"void\"}") "}",
	  OUTCOME_VOID, -1, false },
	{ "{\"resultType\":\"complete\"," ERROR(
		  "approval_invalid", ",\"details\":{\"state\":\"forgotten\"}") "}",
	  OUTCOME_FORGOTTEN, -1, false },
	{ "{\"resultType\":\"complete\"," ERROR(
		  "approval_invalid", ",\"details\":{\"state\":\"unused\"}") "}",
	  OUTCOME_NOT_RUN, -1, false },
	/* Only who refuses the grant says so. */
	{ "{\"resultType\":\"complete\"," ERROR("conflict",
						",\"details\":{\"state\":\"void\"}") "}",
	  OUTCOME_FAILED, -1, false },
	{ "{\"resultType\":\"complete\"," ERROR(
		  "approval_invalid", ",\"details\":{\"state\":\"unknown\"}") "}",
	  OUTCOME_UNKNOWN, -1, false },
	{ "{\"resultType\":\"complete\"," ERROR("approval_invalid",
						",\"details\":{\"state\":\"odd\"}") "}",
	  OUTCOME_NOT_RUN, -1, false },
	{ "{\"resultType\":\"complete\"," META(",\"state\":\"unknown\"") "}",
	  OUTCOME_UNKNOWN, -1, false },
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_INIT;
		json_auto_t *result = json_parse(cases[i].result, strlen(cases[i].result),
						 JSON_CONTRACT, &err);
		struct outcome o;

		assert_non_null(result);
		o = outcome_read(result, "accounts", "a1");
		if (o.kind != cases[i].kind || o.verified != cases[i].verified ||
		    (o.server_head != NULL) != cases[i].head)
			fail_msg("case %zu: %s gave %d, %d", i, cases[i].result, o.kind,
				 o.verified);
	}
}

static void test_recorded_result(void **state)
{
	static const char text[] = "{\"resultType\":\"complete\"," ERROR(
		"approval_invalid", ",\"details\":{\"state\":\"succeeded\",\"outcome\":{"
				    "\"content\":[]}}") "}";
	struct error err = ERROR_INIT;
	json_auto_t *result = json_parse(text, sizeof text - 1, JSON_CONTRACT, &err);
	struct outcome o = outcome_read(result, "accounts", "a1");

	(void)state;
	assert_true(o.result != result);
	assert_non_null(json_object_get(o.result, "content"));
	assert_null(o.error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_recorded_result),
	};

	return cmocka_run_group_tests_name("outcome", tests, NULL, NULL);
}
