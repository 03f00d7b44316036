/* Where a prompt goes: never where strangers may read along. */
#include "gate/slack_where.h"

#include "base/testing.h"

static struct policy *people(void)
{
	json_auto_t *persons = json_pack("[{s:s, s:[s, s]}, {s:s, s:[s]}, {s:s}]", "id",
					 "alice@x", "slack", "U0ALICE", "W0ALICE", "id",
					 "bob@x", "slack", "U0BOB", "id", "carol@x");
	json_auto_t *team = json_pack("[s, s, s]", "alice@x", "bob@x", "carol@x");
	struct error err = ERROR_INIT;
	struct policy *p = policy_new(persons, team, NULL, &err);

	testing_no_error(&err);
	return p;
}

static json_t *record(const char *slack)
{
	struct error err = ERROR_INIT;
	json_t *r = json_pack("{s:s, s:{s:s}, s:{s:[s, s]}}", "requester", "alice@x",
			      "surface", "kind", slack ? "slack" : "console", "policy",
			      "approvers", "alice@x", "bob@x");

	if (slack)
		(void)json_object_set_new(
			r, "slack",
			json_parse(slack, strlen(slack), JSON_CONTRACT, &err));
	testing_no_error(&err);
	return r;
}

static struct slack_where where(const char *slack, const struct slack_settings *s)
{
	json_auto_t *r = record(slack);

	return slack_where_of(r, s);
}

static void test_kinds(void **state)
{
	static const struct {
		const char *slack;
		enum slack_where_kind kind;
		bool read_along;
	} cases[] = {
		{ "{\"channel\":\"C0A\",\"outsiders\":false}", SLACK_CONVERSATION, true },
		{ "{\"channel\":\"G0A\",\"outsiders\":false}", SLACK_CONVERSATION, true },
		{ "{\"channel\":\"D0A\"}", SLACK_CONVERSATION, false },
		{ "{\"channel\":\"C0A\",\"outsiders\":true}", SLACK_DIRECT, false },
		{ "{\"channel\":\"C0A\"}", SLACK_DIRECT, false },
		{ "{\"channel\":\"C0A\",\"outsiders\":null}", SLACK_DIRECT, false },
		{ "{\"channel\":\"C0A\",\"outsiders\":0}", SLACK_DIRECT, false },
		{ "{}", SLACK_DIRECT, false },
		{ NULL, SLACK_NOWHERE, false },
	};
	const struct slack_settings on = { .is_on = true, .any_channel = true };
	const struct slack_settings off = { .any_channel = true };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct slack_where w = where(cases[i].slack, &on);

		if (w.kind != cases[i].kind || w.read_along != cases[i].read_along)
			fail_msg("%s: %d", cases[i].slack, (int)w.kind);
		assert_int_equal(!w.why, w.kind != SLACK_DIRECT);
		assert_int_equal(where(cases[i].slack, &off).kind, SLACK_NOWHERE);
	}
}

static void test_channels(void **state)
{
	struct slack_settings s = { .is_on = true,
				    .channel_count = 1,
				    .channels = { "C0OPS" } };

	(void)state;
	assert_int_equal(where("{\"channel\":\"C0OPS\",\"outsiders\":false}", &s).kind,
			 SLACK_CONVERSATION);
	assert_int_equal(where("{\"channel\":\"C0OPS2\",\"outsiders\":false}", &s).kind,
			 SLACK_DIRECT);
	assert_int_equal(where("{\"channel\":\"D0A\"}", &s).kind, SLACK_CONVERSATION);
	assert_int_equal(where(NULL, &s).kind, SLACK_NOWHERE);
	(void)snprintf(s.approvals_channel, sizeof s.approvals_channel, "C0APP");
	assert_int_equal(where(NULL, &s).kind, SLACK_CHANNEL);
	assert_true(where(NULL, &s).read_along);
	s.approvers_only = true;
	assert_false(where(NULL, &s).read_along);
	assert_string_equal(where(NULL, &s).channel, "C0APP");
	assert_int_equal(where("{\"channel\":\"C0APP\",\"outsiders\":false}", &s).kind,
			 SLACK_CONVERSATION);
}

static bool takes(const char *slack, const char *channel, const char *user, bool *along,
		  struct error *err)
{
	const struct slack_settings s = { .is_on = true, .any_channel = true };
	json_auto_t *r = record(slack);
	_cleanup_(policy_freep) struct policy *p = people();
	const struct slack_where w = slack_where_of(r, &s);

	error_clear(err);
	return slack_where_takes(&w, r, p, channel, user, along, err);
}

static void test_takes(void **state)
{
	static const char inside[] = "{\"channel\":\"C0A\",\"outsiders\":false}";
	static const char outside[] = "{\"channel\":\"C0A\",\"outsiders\":true}";
	struct error err = ERROR_INIT;
	bool along = false;

	(void)state;
	assert_true(takes(inside, "C0A", NULL, &along, &err) && along);
	assert_true(takes(inside, "D0B", "U0BOB", &along, &err) && !along);
	assert_true(takes(inside, "D0B", "W0ALICE", &along, &err) && !along);
	assert_false(takes(inside, "D0B", "U0CAROL", &along, &err));
	assert_false(takes(inside, "D0B", NULL, &along, &err));
	assert_false(takes(inside, "C0A", "U0BOB", &along, &err));
	assert_false(takes(inside, "C0B", NULL, &along, &err));
	assert_false(takes(inside, "C0B", "U0BOB", &along, &err));
	testing_error(&err, ERR_PERMISSION_DENIED, "elsewhere");
	assert_false(takes(outside, "C0A", NULL, &along, &err));
	assert_true(takes(outside, "D0A", "U0ALICE", &along, &err) && !along);
	assert_false(takes(NULL, "D0A", "U0ALICE", &along, &err));
	assert_false(takes(NULL, "", NULL, &along, &err));
}

static void test_words(void **state)
{
	static const struct {
		const char *slack, *surface, *outcome_to;
	} cases[] = {
		{ "{\"channel\":\"C0A\",\"outsiders\":false,\"people\":12,\"model\":\"m-"
		  "1\"}",
		  "the conversation C0A (12 people, none", "and the model m-1" },
		{ "{\"channel\":\"C0A\",\"outsiders\":false}", "(nobody from outside",
		  "the conversation C0A" },
		{ "{\"channel\":\"D0A\"}", "direct messages of alice@x",
		  "direct messages" },
		{ "{\"channel\":\"C0A\",\"outsiders\":true}",
		  "direct messages of alice@x (the conversation has people from outside",
		  "direct messages of alice@x" },
		{ "{\"channel\":\"D0A\",\"evidence\":\"socket mode\"}", "Socket Mode",
		  "direct messages" },
	};
	const struct slack_settings s = { .is_on = true, .any_channel = true };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf surface = STRBUF_INIT, to = STRBUF_INIT;
		json_auto_t *r = record(cases[i].slack);
		const struct slack_where w = slack_where_of(r, &s);

		slack_where_words(&w, r, &surface, &to);
		if (!strstr(surface.data, cases[i].surface) ||
		    !strstr(to.data, cases[i].outcome_to))
			fail_msg("'%s', '%s'", surface.data, to.data);
	}
}

static void test_as_data(void **state)
{
	const struct slack_settings s = { .is_on = true, .any_channel = true };
	_cleanup_(policy_freep) struct policy *p = people();
	json_auto_t *r =
		record("{\"channel\":\"C0A\",\"outsiders\":false,\"thread\":\"1.2\","
		       "\"user\":\"W0ALICE\"}");
	const struct slack_where w = slack_where_of(r, &s);
	json_auto_t *to = slack_where_json(&w, r, p);
	_cleanup_free_ char *text = json_dumps(to, JSON_COMPACT | JSON_SORT_KEYS);

	(void)state;
	assert_string_equal(
		text, "{\"approvers\":[{\"person\":\"alice@x\",\"slack\":[\"U0ALICE\","
		      "\"W0ALICE\"]},"
		      "{\"person\":\"bob@x\",\"slack\":[\"U0BOB\"]}],\"channel\":\"C0A\","
		      "\"kind\":\"conversation\",\"others_read_along\":true,"
		      "\"requester\":[\"W0ALICE\"],\"thread\":\"1.2\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),   cmocka_unit_test(test_channels),
		cmocka_unit_test(test_takes),   cmocka_unit_test(test_words),
		cmocka_unit_test(test_as_data),
	};

	return cmocka_run_group_tests_name("gate-slack_where", tests, NULL, NULL);
}
