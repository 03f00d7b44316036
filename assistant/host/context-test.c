/* What a worker is told of a conversation: rules first, masked, the newest and the fitting. */
#include "assistant/host/context.h"

#include "assistant/host/outcome.h"
#include "assistant/host/uri.h"
#include "base/testing.h"

static const struct assistant_limits limits = { 60, 8, 8, 8, 65536, 100000 };

static struct conversation begin(void)
{
	struct conversation c;
	struct error err = ERROR_INIT;

	assert_true(conversation_init(&c, "one", &err));
	return c;
}

static json_t *build(const struct conversation *c, const json_t *tools,
		     const json_t *notes)
{
	const struct context_input in = { .conversation = c,
					  .asker = "alice",
					  .house_notes = notes,
					  .tools = tools,
					  .limits = &limits };
	struct error err = ERROR_INIT;
	json_t *turn = context_build(&in, &err);

	testing_no_error(&err);
	return turn;
}

static void test_members(void **state)
{
	static const char *const members[] = {
		"m", "system", "who", "conversation", "tools", "sources", "limits"
	};
	struct conversation c = begin();
	json_auto_t *tools = json_pack("[{s:s, s:[{s:s, s:s, s:{}, s:s}, {s:s}]}]",
				       "name", "people", "tools", "name", "find_person",
				       "description", "Finds.", "inputSchema", "title",
				       "not told", "name", "without a schema");
	json_auto_t *turn = NULL;
	const json_t *tool;

	(void)state;
	assert_true(conversation_said(&c, "Alice", "alice", "t1", "hello", 0));
	turn = build(&c, tools, NULL);
	assert_int_equal(json_object_size(turn), ARRAY_SIZE(members));
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		assert_non_null(json_object_get(turn, members[i]));
	assert_int_equal(json_array_size(json_object_get(turn, "tools")), 1);
	tool = json_array_get(json_object_get(turn, "tools"), 0);
	assert_string_equal(json_get_string(tool, "name"), "people.find_person");
	assert_int_equal(json_object_size(tool), 3);
	conversation_done(&c);
}

/* Members of our own are not told; who asks is marked; nobody else is. */
static void test_entries(void **state)
{
	struct conversation c = begin();
	json_auto_t *turn = NULL;
	const json_t *entries, *his, *hers;

	(void)state;
	assert_true(
		conversation_said(&c, "Bob", "bob", NULL, "key AKIAIOSFODNN7EXAMPLE", 0));
	assert_true(conversation_said(&c, "Alice", "alice", "t1",
				      "password=hunter2 block him", 0));
	turn = build(&c, NULL, NULL);
	entries = json_object_get(turn, "conversation");
	assert_string_equal(json_get_string(json_array_get(entries, 0), "kind"), "now");
	his = json_array_get(entries, 1);
	hers = json_array_get(entries, 2);
	assert_string_equal(json_get_string(his, "text"), "key [redacted]");
	assert_null(json_object_get(his, "asker"));
	assert_null(json_object_get(his, "person"));
	assert_string_equal(json_get_string(hers, "text"),
			    "password=[redacted] block him");
	assert_true(json_is_true(json_object_get(hers, "asker")));
	assert_null(json_object_get(hers, "turn"));
	conversation_done(&c);
}

/* Said while an answer was given: it stands before that answer, and is answered all the same. */
static void test_what_came_meanwhile(void **state)
{
	struct conversation c = begin();
	json_auto_t *turn = NULL, *again = NULL;
	const json_t *entries;

	(void)state;
	assert_true(conversation_said(&c, "Alice", "alice", "t1", "first", 0));
	assert_true(conversation_said(&c, "Alice", "alice", "t2", "second", 0));
	turn = build(&c, NULL, NULL);
	assert_int_equal(json_array_size(json_object_get(turn, "conversation")), 3);
	assert_true(conversation_add(
		&c, json_pack("{s:s, s:s}", "kind", "answered", "text", "to the first")));
	again = build(&c, NULL, NULL);
	entries = json_object_get(again, "conversation");
	assert_int_equal(json_array_size(entries), 5);
	assert_string_equal(json_get_string(json_array_get(entries, 2), "kind"),
			    "answered");
	assert_string_equal(json_get_string(json_array_get(entries, 4), "kind"), "note");
	conversation_done(&c);
}

static void test_notes(void **state)
{
	struct conversation c = begin();
	json_auto_t *notes = json_pack("[{s:s, s:s}, {s:s}]", "name", "team", "text",
				       "we say aubergine", "name", "without text");
	json_auto_t *turn = build(&c, NULL, notes);
	const json_t *system = json_object_get(turn, "system");

	(void)state;
	assert_int_equal(json_array_size(system), 2);
	assert_string_equal(json_get_string(json_array_get(system, 0), "name"), "rules");
	assert_string_equal(json_get_string(json_array_get(system, 1), "text"),
			    "we say aubergine");
	/* Nothing in it changes from turn to turn: it begins what is cached. */
	assert_null(json_object_get(json_array_get(system, 1), "changes"));
	conversation_done(&c);
}

/* Old and about something else: left out, and that is said. Old and about it: kept. */
static void test_the_newest_and_the_fitting(void **state)
{
	struct conversation c = begin();
	json_auto_t *turn = NULL;
	_cleanup_strbuf_ struct strbuf much = STRBUF_INIT;
	const json_t *entries;
	bool has_fitting = false, has_other = false;
	size_t i;
	json_t *entry;

	(void)state;
	assert_true(conversation_said(&c, "A", "alice", NULL, "the mallory incident", 0));
	assert_true(conversation_said(&c, "A", "alice", NULL, "lunch was good", 0));
	for (i = 0; i < 30 * 1024; i++)
		strbuf_add_char(&much, 'x');
	for (i = 0; i < 6; i++)
		assert_true(conversation_said(&c, "A", "alice", NULL, much.data, 0));
	assert_true(conversation_said(&c, "A", "alice", NULL, "go on about mallory", 0));
	turn = build(&c, NULL, NULL);
	entries = json_object_get(turn, "conversation");
	json_array_foreach(entries, i, entry)
	{
		const char *text = json_get_string(entry, "text");

		if (!text)
			continue;
		has_fitting = has_fitting || strcmp(text, "the mallory incident") == 0;
		has_other = has_other || strcmp(text, "lunch was good") == 0;
	}
	assert_true(has_fitting);
	assert_false(has_other);
	assert_string_equal(json_get_string(json_array_get(entries, 0), "kind"), "note");
	assert_string_equal(
		json_get_string(json_array_get(entries, json_array_size(entries) - 1),
				"text"),
		"go on about mallory");
	conversation_done(&c);
}

/* --- what comes again --- */

static void add(struct conversation *c, json_t *entry)
{
	assert_true(conversation_add(c, entry));
}

static json_t *list_of(const struct conversation *c)
{
	json_auto_t *turn = build(c, NULL, NULL);

	return json_incref(json_object_get(turn, "conversation"));
}

static size_t now_in(const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_get_string(json_array_get(list, i), "kind"), "now") == 0)
			return i;
	fail_msg("there is no 'now'");
	return 0;
}

/* How many entries of the first list, without its 'now', the second begins with. */
static size_t shared(const json_t *before, const json_t *after)
{
	size_t now = now_in(before), count = 0, n = 0;

	for (size_t i = 0; i < json_array_size(before); i++) {
		if (i == now)
			continue;
		if (!json_equal(json_array_get(before, i), json_array_get(after, n++)))
			break;
		count++;
	}
	return count;
}

/* All that a turn was told stands in front of the next, also a proposal that has ended since. */
static void test_what_was_told_stays(void **state)
{
	struct conversation c = begin();
	json_auto_t *first = NULL, *second = NULL;
	json_t *proposed = json_pack("{s:s, s:[{s:s, s:{}}], s:b, s:[{s:s}], s:[{s:s}]}",
				     "kind", "proposed", "calls", "tool", "a.b",
				     "arguments", "together", 0, "results", "status",
				     "pending", "told", "status", "pending");
	const json_t *end;

	(void)state;
	assert_true(conversation_said(&c, "A", "alice", NULL, "block him", 0));
	json_incref(proposed);
	add(&c, proposed);
	add(&c, json_pack("{s:s, s:s}", "kind", "answered", "text", "it waits"));
	assert_true(conversation_said(&c, "A", "alice", NULL, "and now?", 0));
	first = list_of(&c);
	json_object_set_new(proposed, "results",
			    json_pack("[{s:s}]", "status", "denied"));
	json_object_set_new(proposed, "ended_ms",
			    json_integer(conversation_last_ms(&c) + 1));
	json_decref(proposed);
	add(&c, json_pack("{s:s, s:s}", "kind", "answered", "text", "still"));
	json_object_set_new(json_array_get(c.entries, 4), "ms",
			    json_integer(conversation_last_ms(&c) + 2));
	assert_true(conversation_said(&c, "A", "alice", NULL, "hm", 0));
	json_object_set_new(json_array_get(c.entries, 5), "ms",
			    json_integer(conversation_last_ms(&c) + 3));
	second = list_of(&c);
	assert_int_equal(shared(first, second), 4);
	/* said, proposed, answered, said, the end, answered, now, said */
	assert_int_equal(json_array_size(second), 8);
	end = json_array_get(second, 4);
	assert_string_equal(json_get_string(end, "kind"), "ended");
	assert_int_equal(json_get_int64(end, "of", -1), 1);
	assert_int_equal(now_in(second), 6);
	conversation_done(&c);
}

/* Near its bounds a conversation begins elsewhere now and then, not with each word. */
static void test_a_long_one_begins_at_the_same(void **state)
{
	struct conversation c = begin();
	_cleanup_strbuf_ struct strbuf much = STRBUF_INIT;
	json_auto_t *before = NULL;
	size_t moved = 0, smallest = SIZE_MAX;
	enum { TURNS = 60 };

	(void)state;
	for (int i = 0; i < 2000; i++)
		strbuf_add_char(&much, 'x');
	for (int i = 0; i < 60; i++) {
		assert_true(conversation_said(&c, "A", "alice", NULL, much.data, 0));
		add(&c, json_pack("{s:s, s:s}", "kind", "answered", "text", much.data));
	}
	for (int i = 0; i < TURNS; i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
		struct error err = ERROR_INIT;
		json_auto_t *now = NULL;

		assert_true(conversation_said(&c, "A", "alice", NULL, much.data, 0));
		now = list_of(&c);
		assert_true(json_write(&text, now, &err));
		assert_in_range(text.length, 1, CONTEXT_ENTRIES_BYTES + 64 * 1024);
		smallest = text.length < smallest ? text.length : smallest;
		if (before && shared(before, now) < json_array_size(before) - 1)
			moved++;
		json_decref(before);
		before = TAKE(now);
		add(&c, json_pack("{s:s, s:s}", "kind", "answered", "text", much.data));
	}
	/* Half of it is never given up, and it moves seldom. */
	assert_true(smallest > CONTEXT_NEWEST_BYTES / 2);
	assert_true(moved > 0);
	assert_true(moved < TURNS / 3);
	conversation_done(&c);
}

/* --- what became of a call --- */

static void check_outcome(const char *record, const char *status, const char *code,
			  bool is_end)
{
	struct error err = ERROR_INIT;
	json_auto_t *r = json_parse(record, strlen(record), JSON_CONTRACT, &err);
	json_auto_t *list = outcome_of_record(r, NULL, 1);
	const json_t *one = json_array_get(list, 0);
	const char *got = json_get_string(one, "code");

	assert_string_equal(json_get_string(one, "status"), status);
	assert_string_equal(got ? got : "", code);
	assert_int_equal(outcome_is_end(r), is_end);
}

/* The model gets the bare code: what a plan found stands nowhere in it. */
static void test_outcomes(void **state)
{
	static const char refused[] =
		"{\"state\":\"refused\",\"outcome\":{\"error\":{\"code\":\"ambiguous\","
		"\"message\":\"two\",\"details\":{\"candidates\":[\"secret\"]}}}}";
	struct error err = ERROR_INIT;
	json_auto_t *r = json_parse(refused, strlen(refused), JSON_CONTRACT, &err);
	json_auto_t *list = outcome_of_record(r, NULL, 1);

	(void)state;
	check_outcome(refused, "refused", "ambiguous", true);
	assert_int_equal(json_object_size(json_array_get(list, 0)), 2);
	check_outcome("{\"state\":\"pending\"}", "pending", "", false);
	check_outcome("{\"state\":\"granted\"}", "pending", "", false);
	check_outcome("{\"state\":\"denied\"}", "denied", "", true);
	check_outcome("{\"state\":\"lapsed\"}", "expired", "", true);
	check_outcome("{\"state\":\"revoked\"}", "cancelled", "", true);
	check_outcome("{\"state\":\"unknown\"}", "unknown", "", true);
	check_outcome("{\"state\":\"failed\"}", "failed", "internal", true);
	check_outcome("{\"state\":\"of another version\"}", "pending", "", false);
}

static void test_results(void **state)
{
	static const char record[] =
		"{\"state\":\"succeeded\",\"result\":{\"structuredContent\":{\"token\":"
		"\"hunter2\",\"person\":\"jane\"}}}";
	struct error err = ERROR_INIT;
	json_auto_t *r = json_parse(record, strlen(record), JSON_CONTRACT, &err);
	json_auto_t *list = outcome_of_record(r, NULL, 1);
	const char *text = json_get_string(json_array_get(list, 0), "outcome");

	(void)state;
	assert_non_null(strstr(text, "jane"));
	assert_null(strstr(text, "hunter2"));
}

static void test_refusals(void **state)
{
	struct error err = ERROR_INIT;
	json_auto_t *list = NULL;

	(void)state;
	error_set(&err, ERR_INVALID_ARGUMENT, "'person' is missing");
	list = outcome_of_refusal(&err, 2);
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(
		json_string_value(json_array_get(
			json_object_get(json_array_get(list, 1), "errors"), 0)),
		"'person' is missing");
	json_decref(list);
	error_clear(&err);
	error_set(&err, ERR_PERMISSION_DENIED, "the policy's own words");
	list = outcome_of_refusal(&err, 1);
	assert_string_equal(json_get_string(json_array_get(list, 0), "code"),
			    "permission_denied");
	assert_int_equal(json_object_size(json_array_get(list, 0)), 2);
}

/* --- addresses --- */

static void check_uri(const char *pattern, const char *values, const char *want)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	struct error err = ERROR_INIT;
	json_auto_t *given = json_parse(values, strlen(values), JSON_CONTRACT, &err);
	bool ok = uri_expand(&sb, pattern, given);

	assert_int_equal(ok, want != NULL);
	assert_string_equal(sb.data, want ? want : "");
}

static void test_uris(void **state)
{
	(void)state;
	check_uri("a://{id}", "{\"id\":\"x/y z\"}", "a://x%2Fy%20z");
	check_uri("a://{+id}", "{\"id\":\"x/y z\"}", "a://x/y%20z");
	check_uri("a://s{?q}", "{\"q\":\"<@U1> & \xc3\xa9\"}",
		  "a://s?q=%3C%40U1%3E%20%26%20%C3%A9");
	check_uri("a://s{?q,r}", "{\"r\":\"1\"}", "a://s?r=1");
	check_uri("a://s{?q,r}", "{\"q\":\"2\",\"r\":\"1\"}", "a://s?q=2&r=1");
	check_uri("a://s", "{\"q\":\"2\"}", "a://s");
	check_uri("a://{id}", "{}", NULL);
	check_uri("a://{id}", "{\"id\":3}", NULL);
	check_uri("a://{#id}", "{\"id\":\"x\"}", NULL);
	check_uri("a://{id", "{\"id\":\"x\"}", NULL);
	check_uri("a://{", "{}", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_what_came_meanwhile),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_the_newest_and_the_fitting),
		cmocka_unit_test(test_what_was_told_stays),
		cmocka_unit_test(test_a_long_one_begins_at_the_same),
		cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_uris),
	};

	return cmocka_run_group_tests_name("context", tests, NULL, NULL);
}
