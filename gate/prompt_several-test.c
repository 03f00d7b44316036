#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "base/cleanup.h"

#include <cmocka.h>

#include "gate/overlap.h"
#include "gate/prompt_several.h"

static json_t *one(const char *tool, const char *risk, const char *target)
{
	json_t *p = json_pack("{s:s, s:s, s:s, s:[{s:s, s:s, s:s}]}", "server", "s",
			      "tool", tool, "risk", risk, "effects", "system", "disk",
			      "target", target, "to", tool);

	assert_non_null(p);
	return p;
}

static json_t *build(json_t *prompts, bool too_few, char shown[static DIGEST_HEX_BYTES])
{
	const char *const who[] = { "alice@x", "bob@x", NULL };
	struct error err = ERROR_INIT;
	const struct prompt_several in = {
		.approval = "id",
		.requester = "alice@x",
		.surface = "console",
		.outcome_to = "there",
		.prompts = prompts,
		.asked_at_ms = 1,
		.expires_at_ms = 2,
		.good_for_ms = 300000,
		.approvers_needed = 2,
		.approvers = who,
		.too_few = too_few,
	};
	json_t *p = prompt_several_build(&in, shown, &err);

	if (!p)
		fail_msg("%s", err.message);
	return p;
}

static void test_order(void **state)
{
	static const char *const wanted[] = { "kill", "wipe", "set", "put", "look" };
	static const int runs[] = { 3, 5, 2, 4, 1 };
	char shown[DIGEST_HEX_BYTES], other[DIGEST_HEX_BYTES];
	struct error err = ERROR_INIT;
	json_auto_t *prompts = json_pack(
		"[o, o, o, o, o]", one("look", "read", "a"), one("set", "write", "b"),
		one("kill", "destructive", "c"), one("put", "write", "d"),
		one("wipe", "nonsense", "e")); /* a risk that is not known is the worst */
	json_auto_t *p = build(prompts, false, shown);
	const json_t *calls = json_object_get(p, "calls");

	(void)state;
	assert_int_equal(json_array_size(calls), 5);
	for (size_t i = 0; i < 5; i++) {
		const json_t *call = json_array_get(calls, i);

		assert_string_equal(
			json_get_string(json_object_get(call, "prompt"), "tool"),
			wanted[i]);
		assert_int_equal(json_get_int64(call, "run", 0), runs[i]);
	}
	assert_true(canonical_digest(p, other, &err));
	assert_string_equal(shown, other);
	/* Whatever changes in one of them changes the whole. */
	json_object_set_new(json_array_get(prompts, 0), "note", json_true());
	json_auto_t *again = build(prompts, false, other);
	assert_non_null(again);
	assert_string_not_equal(shown, other);
}

static void test_warnings(void **state)
{
	char shown[DIGEST_HEX_BYTES];
	json_auto_t *prompts = json_pack(
		"[o, o, o, o]", one("set", "write", "a"), one("put", "write", "b"),
		one("again", "write", "a"), one("other", "write", "a"));
	json_auto_t *p = NULL;
	const json_t *warnings;

	(void)state;
	json_object_set_new(json_array_get(prompts, 3), "server", json_string("t"));
	p = build(prompts, true, shown);
	warnings = json_object_get(p, "warnings");
	assert_int_equal(json_array_size(warnings), 3);
	assert_non_null(strstr(json_string_value(json_array_get(warnings, 1)),
			       "cannot be approved"));
	assert_non_null(strstr(json_string_value(json_array_get(warnings, 2)),
			       "call 3 touches what call 1 changes before it (disk: a)"));
	json_auto_t *many = json_array();
	for (int i = 0; i < 8; i++)
		json_array_append_new(many, one("set", "write", "same"));
	json_auto_t *said = overlap_warnings(many);
	assert_int_equal(json_array_size(said), OVERLAP_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_warnings),
	};

	return cmocka_run_group_tests_name("prompt_several", tests, NULL, NULL);
}
