/* Conversations in a store that several processes share: both kinds, and Redis. */
#include "assistant/host/memory.h"

#include "link/coordination/testing_redis.h"

enum { KEEP_MS = 60 * 60 * 1000, AT_MOST = 3 };

struct fixture {
	char folder[TESTING_PATH_BYTES];
	struct documents *documents;
	struct coordination *coordination;
	struct redis_server redis;
	struct memory *here, *there; /* two processes */
};

static struct memory *open_memory(const struct fixture *f, int64_t keep_ms)
{
	const struct memory_options o = { .documents = f->documents,
					  .coordination = f->coordination,
					  .keep_ms = keep_ms,
					  .at_most = AT_MOST };
	struct error err = ERROR_INIT;
	struct memory *m = memory_new(&o, &err);

	testing_no_error(&err);
	return m;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	testing_folder(f->folder);
	*state = f;
	return 0;
}

static int finish(struct fixture *f)
{
	f->here = open_memory(f, KEEP_MS);
	f->there = open_memory(f, KEEP_MS);
	return 0;
}

static int setup_documents(void **state)
{
	char path[TESTING_PATH_BYTES + 16];
	struct error err = ERROR_INIT;
	struct fixture *f;

	setup(state);
	f = *state;
	(void)snprintf(path, sizeof path, "%s/chat.db", f->folder);
	f->documents = documents_open_sqlite(path, &err);
	testing_no_error(&err);
	return finish(f);
}

static int setup_embedded(void **state)
{
	char path[TESTING_PATH_BYTES + 16];
	struct error err = ERROR_INIT;
	struct fixture *f;

	setup(state);
	f = *state;
	(void)snprintf(path, sizeof path, "%s/store.db", f->folder);
	f->coordination = coord_open_sqlite(path, &err);
	testing_no_error(&err);
	return finish(f);
}

static int setup_redis(void **state)
{
	struct error err = ERROR_INIT;
	struct fixture *f;

	setup(state);
	f = *state;
	redis_server_start(&f->redis);
	f->coordination = redis_server_open(&f->redis, f->redis.port, "t", 1000, &err);
	testing_no_error(&err);
	return finish(f);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	memory_free(f->here);
	memory_free(f->there);
	documents_close(f->documents);
	coord_close(f->coordination);
	redis_server_stop(&f->redis);
	testing_remove(f->folder);
	free(f);
	return 0;
}

/* --- what the tests say --- */

static void init(struct conversation *c, const char *id)
{
	struct error err = ERROR_INIT;

	assert_true(conversation_init(c, id, &err));
}

static void say(struct conversation *c, const char *text)
{
	assert_true(conversation_said(c, "alice", "alice", NULL, text, 1000));
}

static json_t *load(struct memory *m, const char *id)
{
	struct error err = ERROR_INIT;
	json_t *body = NULL;

	assert_true(memory_load(m, id, &body, &err));
	testing_no_error(&err);
	return body;
}

/* Two things are not of the same millisecond. */
static void next_ms(void)
{
	for (int64_t now = clock_wall_ms(); clock_wall_ms() == now;)
		continue;
}

/* Until what was handed over is written. */
static void settle(struct fixture *f)
{
	memory_free(f->here);
	memory_free(f->there);
	finish(f);
}

static void check(struct memory *m, const char *id, const char *want)
{
	json_auto_t *body = load(m, id);
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	size_t i;
	json_t *entry;

	json_array_foreach(json_object_get(body, "entries"), i, entry)
	{
		const char *text = json_get_string(entry, "text");
		strbuf_add_format(&sb, "%s%s", i ? " " : "", text ? text : "-");
	}
	assert_string_equal(sb.data ? sb.data : "", want);
}

/* --- tests --- */

static void test_shared(void **state)
{
	struct fixture *f = *state;
	_cleanup_(conversation_done) struct conversation a, b;

	init(&a, "C1/1.2");
	init(&b, "C1/1.2");
	say(&a, "one");
	memory_keep(f->here, &a);
	/* What waits to be written is known here already. */
	check(f->here, "C1/1.2", "one");
	settle(f);
	check(f->there, "C1/1.2", "one");
	/* Said to another process that has not looked: nothing of either is lost. */
	next_ms();
	say(&b, "two");
	memory_keep(f->there, &b);
	settle(f);
	check(f->here, "C1/1.2", "one two");
	check(f->here, "C1/1.3", "");
}

static void test_ended_in_one(void **state)
{
	struct fixture *f = *state;
	_cleanup_(conversation_done) struct conversation a, b;
	json_t *mine;

	init(&a, "C1/1.2");
	init(&b, "C1/1.2");
	assert_true(conversation_add(
		&a, json_pack("{s:s, s:[], s:b, s:[{s:s}], s:b, s:s, s:i}", "kind",
			      "proposed", "calls", "together", 0, "results", "status",
			      "pending", "open", 1, "approval", "a1", "number", 7)));
	memory_keep(f->here, &a);
	settle(f);
	json_auto_t *body = load(f->there, "C1/1.2");
	assert_true(conversation_take(&b, body));
	mine = conversation_proposed(&b, "a1");
	assert_non_null(mine);
	assert_null(json_object_get(mine, "number"));
	assert_int_equal(json_object_set_new(mine, "open", json_false()), 0);
	assert_int_equal(json_object_set_new(mine, "results",
					     json_pack("[{s:s}]", "status", "denied")),
			 0);
	memory_keep(f->there, &b);
	settle(f);
	/* The other still has it open, and writes. */
	say(&a, "more");
	memory_keep(f->here, &a);
	settle(f);
	json_auto_t *after = load(f->here, "C1/1.2");
	const json_t *entry = json_array_get(json_object_get(after, "entries"), 0);
	assert_true(json_is_false(json_object_get(entry, "open")));
	assert_string_equal(
		json_get_string(json_array_get(json_object_get(entry, "results"), 0),
				"status"),
		"denied");
}

static void test_forgotten(void **state)
{
	struct fixture *f = *state;
	_cleanup_(conversation_done) struct conversation a;
	char epoch[DIGEST_ID_BYTES];
	struct error err = ERROR_INIT;

	init(&a, "C1/1.2");
	say(&a, "secret plan");
	memory_keep(f->here, &a);
	settle(f);
	assert_true(memory_forget(f->there, "C1/1.2", epoch, &err));
	check(f->here, "C1/1.2", "");
	/* Who has not heard of it writes nothing back. */
	say(&a, "more");
	memory_keep(f->here, &a);
	settle(f);
	check(f->here, "C1/1.2", "");
	conversation_clear(&a, epoch);
	say(&a, "anew");
	memory_keep(f->here, &a);
	settle(f);
	check(f->there, "C1/1.2", "anew");
}

/* Also what was not written yet. */
static void test_forgotten_before(void **state)
{
	struct fixture *f = *state;
	_cleanup_(conversation_done) struct conversation a;
	char epoch[DIGEST_ID_BYTES];
	struct error err = ERROR_INIT;

	init(&a, "C1/1.2");
	say(&a, "secret plan");
	memory_keep(f->here, &a);
	assert_true(memory_forget(f->here, "C1/1.2", epoch, &err));
	settle(f);
	check(f->here, "C1/1.2", "");
}

static void test_at_most(void **state)
{
	struct fixture *f = *state;
	json_auto_t *ids = NULL;
	struct error err = ERROR_INIT;

	for (int i = 0; i <= AT_MOST; i++) {
		_cleanup_(conversation_done) struct conversation c;
		char id[32];

		(void)snprintf(id, sizeof id, "C1/%d", i);
		init(&c, id);
		say(&c, "x");
		memory_keep(f->here, &c);
		settle(f);
		next_ms();
		check(f->here, "C1/0", i < AT_MOST ? "x" : "");
	}
	ids = memory_list(f->here, "C1/", &err);
	assert_int_equal(json_array_size(ids), AT_MOST);
	json_auto_t *others = memory_list(f->here, "C2/", &err);
	assert_int_equal(json_array_size(others), 0);
}

static void test_size(void **state)
{
	struct fixture *f = *state;
	_cleanup_(conversation_done) struct conversation a;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, written = STRBUF_INIT;
	struct error err = ERROR_INIT;

	init(&a, "C1/1.2");
	/* Each of these is six bytes as it is written. */
	while (text.length < CONVERSATION_SAID_MAX)
		strbuf_add_char(&text, '\x01');
	for (int i = 0; i < 8; i++)
		say(&a, text.data);
	say(&a, "the last");
	memory_keep(f->here, &a);
	settle(f);
	json_auto_t *body = load(f->here, "C1/1.2");
	assert_true(json_write(&written, body, &err));
	assert_in_range(written.length, 1, MEMORY_BODY_MAX + 64);
	json_t *entries = json_object_get(body, "entries");
	assert_string_equal(
		json_get_string(json_array_get(entries, json_array_size(entries) - 1),
				"text"),
		"the last");
}

static void test_masked(void **state)
{
	struct fixture *f = *state;
	_cleanup_(conversation_done) struct conversation a;
	_cleanup_strbuf_ struct strbuf written = STRBUF_INIT;
	struct error err = ERROR_INIT;

	init(&a, "C1/1.2");
	say(&a, "the token is ghp_0123456789abcdefghijABCDEFGHIJ012345");
	assert_true(conversation_add(
		&a, json_pack("{s:s, s:[{s:s, s:{s:s}}], s:b, s:[{s:s, s:[s]}]}", "kind",
			      "proposed", "calls", "tool", "a.b", "arguments", "password",
			      "hunter2", "together", 0, "results", "status", "invalid",
			      "errors", "password=hunter2 is too short")));
	memory_keep(f->here, &a);
	settle(f);
	json_auto_t *body = load(f->here, "C1/1.2");
	assert_true(json_write(&written, body, &err));
	assert_null(strstr(written.data, "ghp_"));
	assert_null(strstr(written.data, "hunter2"));
	assert_non_null(strstr(written.data, "[redacted]"));
}

static void test_nothing_kept(void **state)
{
	struct fixture *f = *state;
	_cleanup_(memory_freep) struct memory *m = open_memory(f, 0);
	_cleanup_(conversation_done) struct conversation a;
	char epoch[DIGEST_ID_BYTES];
	struct error err = ERROR_INIT;

	init(&a, "C1/1.2");
	say(&a, "x");
	memory_keep(m, &a);
	check(m, "C1/1.2", "");
	settle(f);
	check(f->here, "C1/1.2", "");
	assert_true(memory_forget(m, "C1/1.2", epoch, &err));
}

static void test_expires(void **state)
{
	struct fixture *f = *state;
	_cleanup_(memory_freep) struct memory *brief = open_memory(f, 50);
	_cleanup_(conversation_done) struct conversation a;
	struct error err = ERROR_INIT;

	init(&a, "C1/1.2");
	say(&a, "x");
	memory_keep(brief, &a);
	memory_free(TAKE(brief));
	for (int64_t until = clock_mono_ms() + 10000; clock_mono_ms() < until;) {
		json_auto_t *body = load(f->here, "C1/1.2");
		if (!body)
			break;
	}
	check(f->here, "C1/1.2", "");
	assert_true(memory_sweep(f->here, &err));
}

/* Who was killed while it wrote holds up others for a moment only. */
static void test_killed(void **state)
{
	struct fixture *f = *state;
	_cleanup_(conversation_done) struct conversation a;
	struct error err = ERROR_INIT;
	int64_t fence = 0;

	assert_true(coord_lease(f->coordination, "talk-lock/C1/1.2", "killed",
				MEMORY_LOCK_MS, &fence, &err));
	init(&a, "C1/1.2");
	say(&a, "one");
	memory_keep(f->here, &a);
	settle(f);
	check(f->there, "C1/1.2", "one");
}

/* A store that is down is said, and what is written later is whole. */
static void test_down(void **state)
{
	struct fixture *f = *state;
	_cleanup_(conversation_done) struct conversation a;
	struct error err = ERROR_INIT;
	json_auto_t *body = NULL;
	char epoch[DIGEST_ID_BYTES];

	init(&a, "C1/1.2");
	say(&a, "one");
	memory_keep(f->here, &a);
	settle(f);
	redis_server_stop(&f->redis);
	assert_false(memory_load(f->here, "C1/1.2", &body, &err));
	testing_error(&err, ERR_BACKEND_UNAVAILABLE, NULL);
	error_clear(&err);
	assert_false(memory_forget(f->here, "C1/1.2", epoch, &err));
	say(&a, "two");
	memory_keep(f->here, &a); /* does not wait */
	memory_free(TAKE(f->here));
}

int main(void)
{
#define BOTH(test)                                                                       \
	cmocka_unit_test_setup_teardown(test, setup_documents, teardown),                \
		cmocka_unit_test_setup_teardown(test, setup_embedded, teardown)
#define REDIS(test) cmocka_unit_test_setup_teardown(test, setup_redis, teardown)
	enum { ON_REDIS = 6 };
	const struct CMUnitTest tests[] = {
		BOTH(test_shared),
		BOTH(test_ended_in_one),
		BOTH(test_forgotten),
		BOTH(test_forgotten_before),
		BOTH(test_size),
		BOTH(test_masked),
		BOTH(test_nothing_kept),
		BOTH(test_expires),
		cmocka_unit_test_setup_teardown(test_at_most, setup_embedded, teardown),
		cmocka_unit_test_setup_teardown(test_killed, setup_embedded, teardown),
		/* Where there is one. */
		REDIS(test_shared),
		REDIS(test_ended_in_one),
		REDIS(test_forgotten),
		REDIS(test_at_most),
		REDIS(test_expires),
		REDIS(test_down),
	};
	size_t count = ARRAY_SIZE(tests) - (redis_server_exists() ? 0 : ON_REDIS);

	return _cmocka_run_group_tests("memory", tests, count, NULL, NULL);
}
