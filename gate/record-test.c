/* The state machine is its table: this holds it against the list in the design. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "base/cleanup.h"

#include <cmocka.h>

#include "gate/record.h"

static const char *const allowed[][2] = {
	{ "proposed", "planned" },    { "proposed", "pending" },
	{ "proposed", "granted" },    { "proposed", "refused" },
	{ "proposed", "superseded" }, { "proposed", "cancelled" },
	{ "planned", "pending" },     { "planned", "refused" },
	{ "planned", "superseded" },  { "planned", "cancelled" },
	{ "pending", "approved" },    { "pending", "denied" },
	{ "pending", "expired" },     { "pending", "superseded" },
	{ "pending", "cancelled" },   { "approved", "granted" },
	{ "approved", "revoked" },    { "approved", "lapsed" },
	{ "approved", "cancelled" },  { "granted", "executing" },
	{ "granted", "refused" },     { "granted", "unknown" },
	{ "executing", "succeeded" }, { "executing", "failed" },
	{ "executing", "unknown" },
};

static void test_transitions(void **state)
{
	size_t count = 0;

	(void)state;
	for (enum record_state from = 0; from < RECORD_STATE_COUNT; from++)
		for (enum record_state to = 0; to < RECORD_STATE_COUNT; to++) {
			bool want = false;

			for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
				want = want || (strcmp(allowed[i][0],
						       record_state_name(from)) == 0 &&
						strcmp(allowed[i][1],
						       record_state_name(to)) == 0);
			assert_int_equal(record_may_move(from, to), want);
			count += want;
		}
	assert_int_equal(count, ARRAY_SIZE(allowed));
	assert_false(record_may_move(RECORD_STATE_COUNT, RECORD_PENDING));
	assert_false(record_may_move(RECORD_PENDING, RECORD_STATE_COUNT));
}

static void test_ends_are_ends(void **state)
{
	(void)state;
	for (enum record_state from = 0; from < RECORD_STATE_COUNT; from++) {
		bool leads_on = false;

		for (enum record_state to = 0; to < RECORD_STATE_COUNT; to++)
			leads_on = leads_on || record_may_move(from, to);
		assert_int_equal(record_state_is_end(from), !leads_on);
	}
}

static void test_names(void **state)
{
	enum record_state s;

	(void)state;
	for (enum record_state i = 0; i < RECORD_STATE_COUNT; i++) {
		assert_true(record_state_parse(record_state_name(i), &s));
		assert_int_equal(s, i);
	}
	assert_false(record_state_parse("Pending", &s));
	assert_false(record_state_parse("", &s));
}

static json_t *sample(const char *state)
{
	return json_pack("{s:s, s:s, s:s, s:{s:s}, s:s, s:s, s:s, s:[]}", "id", "x",
			 "state", state, "requester", "alice@example.org", "surface",
			 "kind", "console", "request", "00", "grant", "secret",
			 "request_state", "secret", "history");
}

static void test_next(void **state)
{
	struct error err = ERROR_INIT;
	json_auto_t *body = sample("pending");
	json_auto_t *changes = json_pack("{s:i}", "good_until", 7);
	json_auto_t *next =
		record_next(body, RECORD_APPROVED, changes, 5, "bob", "because", &err);

	(void)state;
	assert_non_null(next);
	assert_string_equal(json_get_string(body, "state"), "pending");
	assert_int_equal(json_array_size(json_object_get(body, "history")), 0);
	assert_string_equal(json_get_string(next, "state"), "approved");
	assert_int_equal(json_get_int64(next, "good_until", 0), 7);
	assert_int_equal(json_array_size(json_object_get(next, "history")), 1);
	assert_null(json_object_get(next, "ended_at"));

	json_auto_t *last = record_next(next, RECORD_LAPSED, NULL, 9, NULL, NULL, &err);
	assert_non_null(last);
	assert_int_equal(json_get_int64(last, "ended_at", 0), 9);
	assert_null(record_next(last, RECORD_GRANTED, NULL, 10, NULL, NULL, &err));
	assert_int_equal(err.code, ERR_CONFLICT);
}

static void test_secrets_stay(void **state)
{
	json_auto_t *body = sample("granted");
	json_auto_t *shown = record_public(body);
	json_auto_t *summary = record_summary(body);

	(void)state;
	assert_null(json_object_get(shown, "grant"));
	assert_null(json_object_get(shown, "request_state"));
	assert_null(json_object_get(summary, "grant"));
	assert_null(json_object_get(summary, "request_state"));
	assert_string_equal(json_get_string(body, "grant"), "secret");
}

static void test_identity(void **state)
{
	struct error err = ERROR_INIT;
	char one[DIGEST_HEX_BYTES], two[DIGEST_HEX_BYTES];
	json_auto_t *a = sample("pending"), *b = sample("denied");

	(void)state;
	assert_true(record_identity(a, one, &err));
	assert_true(record_identity(b, two, &err));
	assert_string_equal(one, two);
	static const char *const members[] = { "requester", "surface", "request" };
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		json_auto_t *other = sample("pending");

		assert_int_equal(
			json_object_set_new(other, members[i], json_string("other")), 0);
		assert_true(record_identity(other, two, &err));
		assert_string_not_equal(one, two);
	}
}

static void test_ids(void **state)
{
	char a[RECORD_ID_BYTES], b[RECORD_ID_BYTES], c[RECORD_ID_BYTES];

	(void)state;
	record_new_id(1000, a);
	record_new_id(1000, b);
	record_new_id(1001, c);
	assert_int_equal(strlen(a), RECORD_ID_BYTES - 1);
	assert_string_not_equal(a, b);
	assert_true(strcmp(a, c) < 0 && strcmp(b, c) < 0);
	record_new_id(INT64_C(4102444800000), a); /* the year 2100 */
	assert_true(strcmp(c, a) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_transitions),  cmocka_unit_test(test_ends_are_ends),
		cmocka_unit_test(test_names),        cmocka_unit_test(test_next),
		cmocka_unit_test(test_secrets_stay), cmocka_unit_test(test_identity),
		cmocka_unit_test(test_ids),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
