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

static json_t *build(json_t *prompts, json_t *plans, bool too_few,
		     char shown[static DIGEST_HEX_BYTES])
{
	const char *const who[] = { "alice@x", "bob@x", NULL };
	struct error err = ERROR_INIT;
	const struct prompt_several in = {
		.approval = "id",
		.requester = "alice@x",
		.surface = "console",
		.outcome_to = "there",
		.prompts = prompts,
		.plans = plans,
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
	json_auto_t *p = build(prompts, NULL, false, shown);
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
	json_auto_t *again = build(prompts, NULL, false, other);
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
	p = build(prompts, NULL, true, shown);
	warnings = json_object_get(p, "warnings");
	assert_int_equal(json_array_size(warnings), 3);
	assert_non_null(strstr(json_string_value(json_array_get(warnings, 1)),
			       "cannot be approved"));
	assert_non_null(strstr(
		json_string_value(json_array_get(warnings, 2)),
		"call 3 touches what is changed before by call 1 (disk: a, to 'set')"));
	json_auto_t *many = json_array();
	for (int i = 0; i < 8; i++)
		json_array_append_new(many, one("set", "write", "same"));
	json_auto_t *said = overlap_warnings(many, NULL);
	assert_int_equal(json_array_size(said),
			 28); /* each of eight with each before it */
}

static bool check(const char *assumes, size_t seq)
{
	json_auto_t *first = one("set", "write", "a");
	json_auto_t *second = one("put", "write", "b");
	json_auto_t *plan = json_loads(assumes, 0, NULL);
	const json_t *const plans[] = { first, second, plan };
	static const char *const servers[] = { "s", "t", "s" };
	struct error err = ERROR_INIT;

	assert_non_null(plan);
	return overlap_check(plan, seq, plans, servers, &err);
}

static void test_assumed(void **state)
{
	json_auto_t *prompts =
		json_pack("[o, o]", one("set", "write", "a"), one("put", "write", "a"));
	json_auto_t *plans =
		json_pack("[n, {s:[{s:i, s:i}]}]", "assumes", "call", 1, "effect", 0);
	json_auto_t *said = overlap_warnings(prompts, plans);

	(void)state;
	/* What is counted on is named, and then not warned of as well. */
	assert_int_equal(json_array_size(said), 1);
	assert_string_equal(json_string_value(json_array_get(said, 0)),
			    "call 2 counts on what is done by call 1 (disk: a, to 'set') "
			    "and stops if it is another then");
	assert_true(check("{\"assumes\":[{\"call\":1,\"effect\":0}]}", 2));
	assert_true(check("{}", 2));
	assert_false(check("{\"assumes\":[{\"call\":1,\"effect\":1}]}", 2)); /* no such */
	assert_false(
		check("{\"assumes\":[{\"call\":2,\"effect\":0}]}", 2)); /* elsewhere */
	assert_false(check("{\"assumes\":[{\"call\":3,\"effect\":0}]}", 2)); /* itself */
	assert_false(check("{\"assumes\":[{\"call\":9,\"effect\":0}]}", 2));
	assert_false(check("{\"assumes\":[{\"call\":1,\"effect\":0}]}", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_assumed),
	};

	return cmocka_run_group_tests_name("prompt_several", tests, NULL, NULL);
}
