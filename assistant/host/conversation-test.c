/* What of a conversation is kept, and what goes with a proposal. */
#include "assistant/host/conversation.h"

#include "base/testing.h"

enum { NOW = 1000 };

struct fixture {
	struct conversation c;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct error err = ERROR_INIT;

	assert_true(conversation_init(&f->c, "one", &err));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	conversation_done(&f->c);
	free(f);
	return 0;
}

static void say(struct fixture *f, const char *person, const char *turn, const char *text)
{
	assert_true(conversation_said(&f->c, person, person, turn, text, NOW));
}

static void test_names(void **state)
{
	struct conversation c;
	struct error err = ERROR_INIT;
	char id[CONVERSATION_ID_MAX + 2];

	(void)state;
	memset(id, 'x', sizeof id - 1);
	id[sizeof id - 1] = '\0';
	assert_false(conversation_init(&c, "", &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, NULL);
	assert_false(conversation_init(&c, id, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, NULL);
	id[CONVERSATION_ID_MAX] = '\0';
	assert_true(conversation_init(&c, id, &err));
	conversation_done(&c);
}

/* The oldest go first, but for what is still open. */
static void test_the_oldest_go(void **state)
{
	struct fixture *f = *state;

	assert_true(
		conversation_add(&f->c, json_pack("{s:s, s:b, s:s}", "kind", "proposed",
						  "open", 1, "approval", "a1")));
	for (int i = 0; i < CONVERSATION_ENTRIES_MAX - 1; i++)
		say(f, "alice", NULL, i == 0 ? "first" : "later");
	assert_int_equal(json_array_size(f->c.entries), CONVERSATION_ENTRIES_MAX);
	assert_string_equal(json_get_string(json_array_get(f->c.entries, 1), "text"),
			    "first");
	say(f, "alice", NULL, "one more");
	assert_int_equal(json_array_size(f->c.entries), CONVERSATION_ENTRIES_MAX);
	assert_non_null(conversation_proposed(&f->c, "a1"));
	assert_string_equal(json_get_string(json_array_get(f->c.entries, 1), "text"),
			    "later");
	assert_string_equal(conversation_newest(&f->c), "one more");
	assert_null(conversation_proposed(&f->c, "a2"));
}

static void test_long_words_are_cut(void **state)
{
	struct fixture *f = *state;
	char *text = malloc(CONVERSATION_SAID_MAX + 2);

	assert_non_null(text);
	memset(text, 'x', CONVERSATION_SAID_MAX + 1);
	memcpy(text + CONVERSATION_SAID_MAX - 1, "\xc3\xa9", 3);
	say(f, "alice", NULL, text);
	assert_int_equal(strlen(conversation_newest(&f->c)), CONVERSATION_SAID_MAX - 1);
	free(text);
}

static void check_piece(const json_t *pieces, size_t i, const char *member,
			const char *want)
{
	const char *got = json_get_string(json_array_get(pieces, i), member);

	assert_string_equal(got ? got : "(none)", want);
}

static void test_pieces(void **state)
{
	struct fixture *f = *state;
	json_auto_t *lookups = json_pack("[s, s]", "l1", "l2");
	json_auto_t *pieces = NULL;

	say(f, "alice", NULL, "mine");
	say(f, "bob", NULL, "his");
	say(f, "alice", "t1", "in Slack");
	assert_true(conversation_add(
		&f->c, json_pack("{s:s, s:s}", "kind", "answered", "text", "ours")));
	assert_true(conversation_add(&f->c, json_pack("{s:s, s:s, s:s, s:s}", "kind",
						      "read", "uri", "playbook://x",
						      "label", "x", "text", "steps")));
	assert_true(
		conversation_add(&f->c, json_pack("{s:s, s:s, s:s}", "kind", "read", "id",
						  "r1", "text", "seen by the gate")));
	assert_true(conversation_add(
		&f->c, json_pack("{s:s, s:s}", "kind", "proposed", "approval", "a1")));
	assert_true(conversation_add(&f->c, json_pack("{s:s, s:s}", "kind", "note",
						      "text", "nobody's words")));
	pieces = conversation_pieces(&f->c, "alice", lookups);
	assert_int_equal(json_array_size(pieces), 9);
	check_piece(pieces, 0, "read", "l2");
	check_piece(pieces, 1, "read", "l1");
	check_piece(pieces, 2, "call", "a1");
	check_piece(pieces, 3, "read", "r1");
	check_piece(pieces, 4, "from", "playbook");
	check_piece(pieces, 5, "from", "assistant");
	check_piece(pieces, 6, "turn", "t1");
	check_piece(pieces, 7, "from", "person");
	check_piece(pieces, 7, "label", "bob");
	check_piece(pieces, 8, "from", "requester");
	check_piece(pieces, 8, "text", "mine");
}

static void test_pieces_end(void **state)
{
	struct fixture *f = *state;
	json_auto_t *pieces = NULL;

	for (int i = 0; i < CONVERSATION_PIECES_MAX + 10; i++)
		say(f, "alice", NULL, "x");
	pieces = conversation_pieces(&f->c, "alice", NULL);
	assert_int_equal(json_array_size(pieces), CONVERSATION_PIECES_MAX);
}

static void test_cleared(void **state)
{
	struct fixture *f = *state;

	say(f, "alice", NULL, "forget");
	assert_true(conversation_last_ms(&f->c) > 0);
	conversation_clear(&f->c, NULL);
	assert_int_equal(json_array_size(f->c.entries), 0);
	assert_int_equal(conversation_last_ms(&f->c), 0);
	assert_int_equal(strlen(f->c.epoch), DIGEST_ID_BYTES - 1);
}

static void test_bodies(void **state)
{
	static const char *const bad[] = {
		"{}",
		"{\"v\":1,\"epoch\":\"\",\"entries\":[],\"people\":[]}",
		"{\"v\":2,\"entries\":[],\"people\":[]}",
		"{\"v\":2,\"epoch\":\"\",\"entries\":{},\"people\":[]}",
		"{\"v\":2,\"epoch\":\"\",\"entries\":[],\"people\":1}",
		"{\"v\":2,\"epoch\":\"\",\"entries\":[1],\"people\":[]}",
		"{\"v\":2,\"epoch\":\"\",\"entries\":[{\"kind\":\"said\"}],"
		"\"people\":[]}",
		"{\"v\":2,\"epoch\":\"012345678901234567890123456\",\"entries\":[],"
		"\"people\":[]}",
	};
	struct fixture *f = *state;
	struct error err = ERROR_INIT;
	json_auto_t *body = conversation_body(&f->c);

	assert_true(conversation_is_body(body));
	assert_false(conversation_is_body(NULL));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		json_auto_t *one =
			json_parse(bad[i], strlen(bad[i]), JSON_CONTRACT, &err);

		assert_non_null(one);
		assert_false(conversation_is_body(one));
		assert_true(conversation_take(&f->c, one));
		assert_int_equal(json_array_size(f->c.entries), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test_setup_teardown(test_the_oldest_go, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_words_are_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pieces_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cleared, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bodies, setup, teardown),
	};

	return cmocka_run_group_tests_name("conversation", tests, NULL, NULL);
}
