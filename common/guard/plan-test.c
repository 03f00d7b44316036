#include "guard/plan.h"

#include "base/testing.h"

static struct plan *small(void)
{
	struct plan *p = plan_new();

	assert_non_null(p);
	plan_summary(p, "block %s", "john.doe");
	plan_effect(p, "ldap", "uid=john.doe,ou=people", "active", "locked", true);
	plan_state(p, json_pack("{s:s}", "pwdAccountLockedTime", ""));
	return p;
}

static void assert_unfinished(struct plan *p, const char *why)
{
	struct error err = ERROR_INIT;

	assert_false(plan_finish(p, &err));
	assert_true(err.code == ERR_INVALID_ARGUMENT || err.code == ERR_INTERNAL);
	testing_error(&err, err.code, why);
	plan_free(p);
}

static void test_build(void **state)
{
	_cleanup_(plan_freep) struct plan *p = small();
	struct error err = ERROR_INIT;

	(void)state;
	plan_warning(p, "%d sessions stay open", 2);
	plan_note(p, "account", "John Doe, uid=%s", "john.doe");
	plan_requires(p, 2, "a member of 'admins'");
	plan_data(p, json_pack("{s:s}", "dn", "uid=john.doe,ou=people"));
	assert_true(plan_finish(p, &err));
	assert_int_equal(plan_approvers(p), 2);
	assert_true(plan_is_reversible(p));
	assert_string_equal(json_get_string(plan_get_data(p), "dn"),
			    "uid=john.doe,ou=people");
	assert_true(digest_is_hex(plan_digest(p)));
	json_auto_t *expected = json_pack(
		"{s:i, s:s, s:[{s:s, s:s, s:s, s:s, s:b}], s:[s], s:{s:s}, s:{s:i, s:s}, "
		"s:s, s:{s:s}}",
		"v", 1, "summary", "block john.doe", "effects", "system", "ldap",
		"target", "uid=john.doe,ou=people", "from", "active", "to", "locked",
		"reversible", 1, "warnings", "2 sessions stay open", "notes", "account",
		"John Doe, uid=john.doe", "requires", "approvers", 2, "why",
		"a member of 'admins'", "state_digest",
		json_get_string(plan_json(p), "state_digest"), "data", "dn",
		"uid=john.doe,ou=people");
	assert_true(json_equal(plan_json(p), expected));
	/* The digest of the state is that of its canonical bytes. */
	char digest[DIGEST_HEX_BYTES];
	digest_sha256_hex("{\"pwdAccountLockedTime\":\"\"}", 27, digest);
	assert_string_equal(json_get_string(plan_json(p), "state_digest"), digest);
}

static void test_read_is_the_same_plan(void **state)
{
	_cleanup_(plan_freep) struct plan *p = small();
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(plan_finish(p, &err));
	json_auto_t *sent = json_deep_copy(plan_json(p));
	_cleanup_(plan_freep) struct plan *got = plan_read(sent, &err);
	assert_non_null(got);
	assert_string_equal(plan_digest(got), plan_digest(p));
	assert_int_equal(plan_approvers(got), 1);
	/* It keeps what it judged, whatever happens to the message. */
	assert_int_equal(json_object_set_new(sent, "summary", json_string("other")), 0);
	assert_string_equal(json_get_string(plan_json(got), "summary"), "block john.doe");
}

static void test_incomplete(void **state)
{
	struct plan *p = plan_new();

	(void)state;
	plan_effect(p, "ldap", "x", "", "y", true);
	plan_state(p, json_object());
	assert_unfinished(p, "summary");

	p = plan_new();
	plan_summary(p, "s");
	plan_effect(p, "ldap", "x", "", "y", true);
	assert_unfinished(p, "state_digest");

	p = plan_new();
	plan_summary(p, "s");
	plan_state(p, json_object());
	assert_unfinished(p, "neither an effect nor a warning");

	p = plan_new();
	plan_summary(p, "nothing to do");
	plan_warning(p, "already blocked");
	plan_state(p, json_object());
	struct error err = ERROR_INIT;
	assert_true(plan_finish(p, &err));
	plan_free(p);
}

static void test_failures_are_remembered(void **state)
{
	struct plan *p = small();

	(void)state;
	plan_effect(p, "ldap", NULL, "a", "b", true);
	assert_unfinished(p, "missing or not UTF-8");
	p = small();
	plan_warning(p, "%s", "\xff\xfe");
	assert_unfinished(p, "missing or not UTF-8");
	p = small();
	plan_state(p, NULL);
	assert_unfinished(p, "no state");
	p = small();
	plan_data(p, NULL);
	assert_unfinished(p, "");
	p = small();
	plan_data(p, json_string("no object"));
	assert_unfinished(p, "data");
	p = small();
	plan_data(p, json_pack("{s:[f]}", "a", 0.5));
	assert_unfinished(p, "fraction");
	p = small();
	plan_requires(p, 0, "none");
	assert_unfinished(p, "1 to 8");
	p = small();
	plan_requires(p, 9, "too many");
	assert_unfinished(p, "1 to 8");
	p = small();
	plan_note(p, "account", "%s", "");
	assert_unfinished(p, "a note is empty");
	p = small();
	plan_data(p, json_pack("{s:s%}", "a", "a\0b", (size_t)3));
	assert_unfinished(p, "");
}

static void test_limits(void **state)
{
	static char text[PLAN_TEXT_MAX + 2];
	struct error err = ERROR_INIT;
	struct plan *p = small();

	(void)state;
	memset(text, 'x', PLAN_TEXT_MAX);
	plan_warning(p, "%s", text);
	for (int i = 1; i < PLAN_EFFECTS_MAX; i++)
		plan_effect(p, "ldap", "x", "", "y", i != 5);
	for (int i = 1; i < PLAN_WARNINGS_MAX; i++)
		plan_warning(p, "w%d", i);
	assert_true(plan_finish(p, &err));
	assert_false(plan_is_reversible(p));
	plan_effect(p, "ldap", "x", "", "y", true);
	assert_unfinished(p, "more than 64");

	p = small();
	for (int i = 0; i <= PLAN_WARNINGS_MAX; i++)
		plan_warning(p, "w%d", i);
	assert_unfinished(p, "more than 32");

	p = small();
	text[PLAN_TEXT_MAX] = 'x';
	plan_effect(p, "ldap", text, "", "y", true);
	assert_unfinished(p, "longer than 2000");

	p = small();
	for (int i = 0; i <= PLAN_NOTES_MAX; i++) {
		char name[16];
		(void)snprintf(name, sizeof name, "n%d", i);
		plan_note(p, name, "text");
	}
	assert_unfinished(p, "more than 64");
}

static void test_whole_length(void **state)
{
	struct error err = ERROR_INIT;
	size_t whole;

	(void)state;
	/* Found by trying: the longest data that fits, and a byte more. */
	_cleanup_(plan_freep) struct plan *empty = small();
	plan_data(empty, json_pack("{s:s}", "x", ""));
	assert_true(plan_finish(empty, &err));
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	assert_true(canonical_write(&bytes, plan_json(empty), &err));
	whole = PLAN_MAX - bytes.length;
	for (size_t extra = 0; extra <= 1; extra++) {
		_cleanup_free_ char *text = calloc(whole + 2, 1);
		memset(text, 'x', whole + extra);
		_cleanup_(plan_freep) struct plan *p = small();
		plan_data(p, json_pack("{s:s}", "x", text));
		assert_int_equal(plan_finish(p, &err), extra == 0);
	}
	testing_error(&err, ERR_INVALID_ARGUMENT, "65537 bytes");
}

static void assert_not_read(const char *format, const char *why)
{
	struct error err = ERROR_INIT;
	json_auto_t *json = json_parse(format, strlen(format), JSON_SYNTAX, &err);

	assert_non_null(json);
	assert_null(plan_read(json, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, why);
}

#define DIGEST "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\""
#define EFFECT                                                                           \
	"{\"system\":\"l\",\"target\":\"t\",\"from\":\"a\",\"to\":\"b\",\"reversible\":" \
	"true"
#define HEAD "{\"v\":1,\"summary\":\"s\",\"warnings\":[],\"state_digest\":" DIGEST

static void test_hostile(void **state)
{
	(void)state;
	assert_not_read("[]", "");
	assert_not_read("null", "");
	assert_not_read("{}", "");
	assert_not_read(HEAD ",\"effects\":[" EFFECT "}],\"x\":1}", "x");
	assert_not_read(HEAD ",\"effects\":[" EFFECT ",\"hidden\":1}]}", "hidden");
	assert_not_read(HEAD ",\"effects\":[" EFFECT "},7]}", "effect");
	assert_not_read(HEAD ",\"effects\":{}}", "effects");
	assert_not_read(HEAD
			",\"effects\":[{\"system\":\"l\",\"target\":\"t\",\"from\":\"a\","
			"\"to\":\"b\",\"reversible\":\"true\"}]}",
			"reversible");
	assert_not_read(HEAD
			",\"effects\":[{\"system\":\"l\",\"target\":\"\",\"from\":\"a\","
			"\"to\":\"b\",\"reversible\":true}]}",
			"'target' of an effect is empty");
	assert_not_read(HEAD ",\"effects\":[" EFFECT "}],\"requires\":{\"approvers\":1}}",
			"why");
	assert_not_read(HEAD ",\"effects\":[" EFFECT "}],\"requires\":{\"approvers\":1.5,"
			     "\"why\":\"w\"}}",
			"approvers");
	assert_not_read(HEAD ",\"effects\":[" EFFECT "}],\"notes\":{\"a\":1}}", "note");
	assert_not_read(HEAD ",\"effects\":[" EFFECT "}],\"notes\":[]}", "notes");
	assert_not_read(HEAD ",\"effects\":[" EFFECT
			     "}],\"data\":{\"a\":{\"b\":[1e300]}}}",
			"fraction");
	assert_not_read(
		HEAD ",\"effects\":[" EFFECT "}],\"data\":{\"a\":9007199254740992}}", "");
	assert_not_read(
		"{\"v\":2,\"summary\":\"s\",\"warnings\":[],\"state_digest\":" DIGEST
		",\"effects\":[" EFFECT "}]}",
		"'v' is not 1");
	assert_not_read(
		"{\"v\":1,\"summary\":\"s\",\"warnings\":[],\"state_digest\":\"abc\""
		",\"effects\":[" EFFECT "}]}",
		"no digest");
	assert_not_read("{\"v\":1,\"summary\":\"s\\u0000t\",\"warnings\":[],\"state_"
			"digest\":" DIGEST ",\"effects\":[" EFFECT "}]}",
			"");
	assert_not_read(
		"{\"v\":1,\"summary\":\"s\",\"warnings\":[\"\"],\"state_digest\":" DIGEST
		",\"effects\":[]}",
		"a warning is empty");
}

/* What it counts on is no part of the digest: when the call starts it is the state. */
static void test_assumes(void **state)
{
	static const char *const bad[] = {
		"[{\"call\":0,\"effect\":0}]",
		"[{\"call\":1,\"effect\":-1}]",
		"[{\"call\":1}]",
		"[1]",
		"[{\"call\":1,\"effect\":0,\"also\":1}]",
	};
	struct error err = ERROR_INIT;
	_cleanup_(plan_freep) struct plan *with = plan_new(), *without = plan_new();

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct plan *p = i ? with : without;

		plan_summary(p, "s");
		plan_effect(p, "disk", "a", "1", "2", true);
		plan_state(p, json_pack("{s:s}", "a", "1"));
	}
	plan_assumes(with, 1, 0);
	assert_true(plan_finish(with, &err) && plan_finish(without, &err));
	assert_string_equal(plan_digest(with), plan_digest(without));
	assert_int_equal(json_array_size(json_object_get(plan_json(with), "assumes")), 1);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		json_auto_t *json = json_deep_copy(plan_json(without));

		json_object_set_new(json, "assumes", json_loads(bad[i], 0, NULL));
		assert_null(plan_read(json, &err));
		error_clear(&err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_build),
		cmocka_unit_test(test_read_is_the_same_plan),
		cmocka_unit_test(test_incomplete),
		cmocka_unit_test(test_failures_are_remembered),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_whole_length),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_assumes),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
