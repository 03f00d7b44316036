/* What is put is said once, in order, through lost answers, outages and restarts. */
#include "slack/outbox/outbox.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/testing.h"

enum { POSTS_MAX = 4000, PATIENCE_MS = 20 * 1000 };

/* ---- A Slack of our own ----------------------------------------------------------- */

enum mood {
	GOOD,
	LOST,    /* it does what it is asked, and the answer is lost */
	DOWN,    /* it does nothing */
	REVOKED, /* our token is not good */
	GONE,    /* there is no such channel */
	HANGS,   /* it does it and never answers: until we are closed */
};

struct post {
	char channel[32], text[64], mark[80], ts[32];
	bool updated;
};

struct workspace {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct post posts[POSTS_MAX];
	size_t count;
	enum mood mood;
	unsigned random; /* not 0: a mood of each call's own, out of this seed */
	bool no_history;
	size_t calls, hanging;
	/* What was told. */
	json_t *told; /* {key: [{ok, unknown, ts, why}]} */
};

static struct workspace *workspace_new(void)
{
	struct workspace *w = calloc(1, sizeof *w);

	assert_non_null(w);
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_cond_init(&w->changed, NULL);
	w->told = json_object();
	return w;
}

static void workspace_free(struct workspace *w)
{
	(void)pthread_mutex_destroy(&w->lock);
	(void)pthread_cond_destroy(&w->changed);
	json_decref(w->told);
	free(w);
}

static void told(void *context, const struct outbox_said *said)
{
	struct workspace *w = context;
	json_t *list;

	(void)pthread_mutex_lock(&w->lock);
	list = json_object_get(w->told, said->key);
	if (!list) {
		list = json_array();
		json_object_set_new(w->told, said->key, list);
	}
	json_array_append_new(list, json_pack("{s:b, s:b, s:s, s:s}", "ok", said->ok,
					      "unknown", said->is_unknown, "ts", said->ts,
					      "why", said->why));
	(void)pthread_cond_broadcast(&w->changed);
	(void)pthread_mutex_unlock(&w->lock);
}

static void post(struct workspace *w, const json_t *arguments)
{
	const json_t *payload =
		json_object_get(json_object_get(arguments, "metadata"), "event_payload");
	struct post *p = &w->posts[w->count++];

	assert_in_range(w->count, 1, POSTS_MAX);
	(void)snprintf(p->channel, sizeof p->channel, "%s",
		       json_get_string(arguments, "channel"));
	(void)snprintf(p->text, sizeof p->text, "%s", json_get_string(arguments, "text"));
	(void)snprintf(p->mark, sizeof p->mark, "%s", json_get_string(payload, "key"));
	(void)snprintf(p->ts, sizeof p->ts, "%zu.000100", w->count);
}

static bool update(struct workspace *w, const json_t *arguments)
{
	const char *ts = json_get_string(arguments, "ts");

	for (size_t i = 0; i < w->count; i++) {
		if (!ts || strcmp(w->posts[i].ts, ts) != 0)
			continue;
		(void)snprintf(w->posts[i].text, sizeof w->posts[i].text, "%s",
			       json_get_string(arguments, "text"));
		w->posts[i].updated = true;
		return true;
	}
	return false;
}

static json_t *history(const struct workspace *w, const json_t *arguments)
{
	json_t *messages = json_array();

	for (size_t i = 0; i < w->count; i++)
		if (strcmp(w->posts[i].channel, json_get_string(arguments, "channel")) ==
		    0)
			json_array_append_new(
				messages,
				json_pack("{s:s, s:{s:s, s:{s:s}}}", "ts", w->posts[i].ts,
					  "metadata", "event_type", "wingman_outbox",
					  "event_payload", "key", w->posts[i].mark));
	return json_pack("{s:b, s:o}", "ok", 1, "messages", messages);
}

static enum mood mood_of(struct workspace *w)
{
	static const enum mood moods[] = { GOOD, GOOD, GOOD, LOST, DOWN };

	return w->random ? moods[(unsigned)rand_r(&w->random) % ARRAY_SIZE(moods)]
			 : w->mood;
}

static bool answer_look(struct workspace *w, const json_t *arguments,
			struct slack_answer *ret, struct error *err)
{
	if (w->no_history)
		return error_set(err, ERR_PERMISSION_DENIED, "missing_scope");
	ret->body = history(w, arguments);
	return true;
}

static void hang(struct workspace *w, const atomic_bool *cancel)
{
	w->hanging++;
	(void)pthread_cond_broadcast(&w->changed);
	while (!atomic_load(cancel)) {
		(void)pthread_mutex_unlock(&w->lock);
		(void)usleep(1000);
		(void)pthread_mutex_lock(&w->lock);
	}
}

static bool answer_write(struct workspace *w, const char *method, const json_t *arguments,
			 const atomic_bool *cancel, struct slack_answer *ret,
			 struct error *err)
{
	enum mood mood = mood_of(w);

	if (mood == DOWN)
		return error_set(err, ERR_BACKEND_UNAVAILABLE, "Slack is down");
	if (mood == GONE)
		return error_set(err, ERR_NOT_FOUND, "channel_not_found");
	if (mood == REVOKED) {
		(void)snprintf(ret->error, sizeof ret->error, "token_revoked");
		return error_set(err, ERR_PERMISSION_DENIED, "token_revoked");
	}
	if (strcmp(method, "chat.update") == 0) {
		if (!update(w, arguments))
			return error_set(err, ERR_NOT_FOUND, "message_not_found");
	} else
		post(w, arguments);
	if (mood == HANGS)
		hang(w, cancel);
	if (mood == LOST || mood == HANGS)
		return error_set(err, ERR_UNKNOWN_OUTCOME, "the answer was lost");
	ret->body = json_pack("{s:b, s:s, s:s}", "ok", 1, "channel",
			      json_get_string(arguments, "channel"), "ts",
			      strcmp(method, "chat.update") == 0
				      ? json_get_string(arguments, "ts")
				      : w->posts[w->count - 1].ts);
	return true;
}

static bool call(void *caller, const char *method, const json_t *arguments,
		 const atomic_bool *cancel, struct slack_answer *ret, struct error *err)
{
	struct workspace *w = caller;
	bool ok;

	(void)pthread_mutex_lock(&w->lock);
	w->calls++;
	ok = strncmp(method, "conversations.", 14) == 0
		     ? answer_look(w, arguments, ret, err)
		     : answer_write(w, method, arguments, cancel, ret, err);
	(void)pthread_mutex_unlock(&w->lock);
	return ok;
}

/* ---- A place for it --------------------------------------------------------------- */

struct fixture {
	char folder[TESTING_PATH_BYTES];
	struct documents *records;
	struct workspace *slack;
	struct outbox *outbox;
	unsigned threads;
	size_t waiting_max, kept_max;
};

static void fixture_open(struct fixture *f)
{
	const struct outbox_options options = { .threads = f->threads ? f->threads : 4,
						.told = told,
						.context = f->slack,
						.call = call,
						.caller = f->slack,
						.retry_ms = 1,
						.waiting_max = f->waiting_max,
						.kept_max = f->kept_max };
	char path[TESTING_PATH_BYTES + 16];
	struct error err = ERROR_INIT;

	(void)snprintf(path, sizeof path, "%s/records.db", f->folder);
	f->records = documents_open_sqlite(path, &err);
	testing_no_error(&err);
	f->outbox = outbox_open(f->records, &options, &err);
	testing_no_error(&err);
	assert_non_null(f->outbox);
}

static void fixture_close(struct fixture *f)
{
	outbox_close(f->outbox);
	documents_close(f->records);
}

static void fixture_restart(struct fixture *f)
{
	fixture_close(f);
	fixture_open(f);
}

static struct fixture *fixture_new(void)
{
	struct fixture *f = calloc(1, sizeof *f);

	assert_non_null(f);
	testing_folder(f->folder);
	f->slack = workspace_new();
	fixture_open(f);
	return f;
}

static void fixture_done(struct fixture *f)
{
	fixture_close(f);
	workspace_free(f->slack);
	testing_remove(f->folder);
	free(f);
}

static struct outbox_item post_item(const char *key, const char *lane)
{
	return (struct outbox_item){ .key = key,
				     .lane = lane,
				     .method = "chat.postMessage" };
}

static bool put(struct fixture *f, struct outbox_item item, const char *text,
		struct error *err)
{
	json_auto_t *arguments = json_pack("{s:s, s:s}", "channel",
					   item.lane ? item.lane : "C0", "text", text);

	item.arguments = arguments;
	return outbox_put(f->outbox, &item, err);
}

static void put_ok(struct fixture *f, struct outbox_item item, const char *text)
{
	struct error err = ERROR_INIT;

	if (!put(f, item, text, &err))
		fail_msg("%s: %s", item.key, err.message);
}

static void set_mood(struct fixture *f, enum mood mood)
{
	(void)pthread_mutex_lock(&f->slack->lock);
	f->slack->mood = mood;
	(void)pthread_mutex_unlock(&f->slack->lock);
}

/* Until nothing waits any more. */
static void drain(struct fixture *f)
{
	int64_t until = clock_mono_ms() + PATIENCE_MS;

	while (outbox_waiting(f->outbox) > 0) {
		if (clock_mono_ms() > until)
			fail_msg("%zu still wait", outbox_waiting(f->outbox));
		(void)usleep(1000);
	}
}

/* Until Slack was called so often. */
static void await_calls(struct fixture *f, size_t calls)
{
	int64_t until = clock_mono_ms() + PATIENCE_MS;

	for (size_t now = 0; now < calls;) {
		(void)pthread_mutex_lock(&f->slack->lock);
		now = f->slack->calls;
		(void)pthread_mutex_unlock(&f->slack->lock);
		if (clock_mono_ms() > until)
			fail_msg("only %zu calls came", now);
		(void)usleep(1000);
	}
}

static size_t count_posts(const struct fixture *f, const char *text)
{
	size_t count = 0;

	(void)pthread_mutex_lock(&f->slack->lock);
	for (size_t i = 0; i < f->slack->count; i++)
		count += strcmp(f->slack->posts[i].text, text) == 0;
	(void)pthread_mutex_unlock(&f->slack->lock);
	return count;
}

static bool was_told(const struct fixture *f, const char *key)
{
	bool was;

	(void)pthread_mutex_lock(&f->slack->lock);
	was = json_object_get(f->slack->told, key) != NULL;
	(void)pthread_mutex_unlock(&f->slack->lock);
	return was;
}

/* How it was told to have ended, the last time. */
static const json_t *told_of(const struct fixture *f, const char *key, size_t times)
{
	const json_t *list = json_object_get(f->slack->told, key);

	assert_int_equal(json_array_size(list), times);
	return json_array_get(list, times - 1);
}

static void check_told(const struct fixture *f, const char *key, size_t times, bool ok,
		       bool unknown)
{
	const json_t *said = told_of(f, key, times);

	if (json_is_true(json_object_get(said, "ok")) != ok)
		fail_msg("%s: %s", key, json_get_string(said, "why"));
	assert_int_equal(json_is_true(json_object_get(said, "unknown")), unknown);
}

/* ---- Order ------------------------------------------------------------------------ */

enum { LANES = 5, EACH = 30 };

static void put_many(struct fixture *f, int from, int to)
{
	for (int i = from; i < to; i++)
		for (int lane = 0; lane < LANES; lane++) {
			char key[32], name[16], text[32];

			(void)snprintf(key, sizeof key, "k%d.%d", lane, i);
			(void)snprintf(name, sizeof name, "C%d", lane);
			(void)snprintf(text, sizeof text, "%d", i);
			put_ok(f, post_item(key, name), text);
		}
}

/* In each lane 0, 1, 2, ... once each. */
static void check_order(const struct fixture *f, int each)
{
	for (int lane = 0; lane < LANES; lane++) {
		char name[16];
		int next = 0;

		(void)snprintf(name, sizeof name, "C%d", lane);
		for (size_t i = 0; i < f->slack->count; i++) {
			if (strcmp(f->slack->posts[i].channel, name) != 0)
				continue;
			if (strtol(f->slack->posts[i].text, NULL, 10) != next)
				fail_msg("%s: %s where %d was due", name,
					 f->slack->posts[i].text, next);
			next++;
		}
		assert_int_equal(next, each);
	}
}

static void test_order_is_kept(void **state)
{
	struct fixture *f = fixture_new();

	(void)state;
	put_many(f, 0, EACH);
	drain(f);
	check_order(f, EACH);
	check_told(f, "k0.0", 1, true, false);
	fixture_done(f);
}

static void test_one_lane_does_not_hold_up_another(void **state)
{
	struct fixture *f = fixture_new();

	(void)state;
	set_mood(f, HANGS);
	put_ok(f, post_item("a", "C1"), "hangs");
	await_calls(f, 1);
	set_mood(f, GOOD);
	put_ok(f, post_item("b", "C1"), "behind it");
	put_ok(f, post_item("c", "C2"), "elsewhere");
	while (!was_told(f, "c"))
		(void)usleep(1000);
	assert_int_equal(count_posts(f, "behind it"), 0);
	fixture_restart(f);
	drain(f);
	assert_int_equal(count_posts(f, "hangs"), 1);
	assert_int_equal(count_posts(f, "behind it"), 1);
	fixture_done(f);
}

/* ---- Trouble ---------------------------------------------------------------------- */

static void test_an_outage_loses_nothing(void **state)
{
	struct fixture *f = fixture_new();

	(void)state;
	set_mood(f, DOWN);
	put_many(f, 0, 3);
	await_calls(f, 20);
	set_mood(f, REVOKED);
	await_calls(f, 30);
	assert_int_equal(count_posts(f, "0"), 0);
	set_mood(f, GOOD);
	drain(f);
	check_order(f, 3);
	fixture_done(f);
}

static void test_a_lost_answer_is_looked_for(void **state)
{
	struct fixture *f = fixture_new();

	(void)state;
	set_mood(f, LOST);
	put_ok(f, post_item("a", "C1"), "once");
	drain(f);
	check_told(f, "a", 1, true, false);
	assert_string_equal(json_get_string(told_of(f, "a", 1), "ts"), "1.000100");
	assert_int_equal(count_posts(f, "once"), 1);
	fixture_done(f);
}

static void test_where_nobody_may_look(void **state)
{
	struct fixture *f = fixture_new();
	struct outbox_item must = post_item("must", "C2");

	(void)state;
	must.must_arrive = true;
	f->slack->no_history = true;
	set_mood(f, LOST);
	put_ok(f, post_item("may", "C1"), "maybe");
	drain(f);
	check_told(f, "may", 1, false, true);
	assert_int_equal(count_posts(f, "maybe"), 1);
	put_ok(f, must, "surely");
	while (count_posts(f, "surely") < 2)
		(void)usleep(1000);
	set_mood(f, GOOD);
	drain(f);
	check_told(f, "must", 1, true, false);
	fixture_done(f);
}

static void test_what_slack_will_not_say(void **state)
{
	struct fixture *f = fixture_new();
	struct outbox_item late = post_item("late", "C2");

	(void)state;
	set_mood(f, GONE);
	put_ok(f, post_item("a", "C1"), "x");
	drain(f);
	check_told(f, "a", 1, false, false);
	set_mood(f, GOOD);
	late.until_ms = clock_wall_ms() - 1;
	put_ok(f, late, "too late");
	drain(f);
	check_told(f, "late", 1, false, false);
	assert_int_equal(f->slack->count, 0);
	fixture_done(f);
}

/* ---- Keys ------------------------------------------------------------------------- */

static void test_the_same_key_is_the_same_item(void **state)
{
	struct fixture *f = fixture_new();

	(void)state;
	put_ok(f, post_item("a", "C1"), "once");
	drain(f);
	put_ok(f, post_item("a", "C1"), "once");
	check_told(f, "a", 2, true, false);
	fixture_restart(f);
	put_ok(f, post_item("a", "C1"), "once");
	check_told(f, "a", 3, true, false);
	assert_string_equal(json_get_string(told_of(f, "a", 3), "ts"), "1.000100");
	set_mood(f, DOWN);
	put_ok(f, post_item("b", "C1"), "waits");
	put_ok(f, post_item("b", "C1"), "waits");
	assert_int_equal(outbox_waiting(f->outbox), 1);
	set_mood(f, GOOD);
	drain(f);
	assert_int_equal(count_posts(f, "once"), 1);
	assert_int_equal(count_posts(f, "waits"), 1);
	fixture_done(f);
}

static struct outbox_item update_item(const char *key, const char *of)
{
	return (struct outbox_item){ .key = key,
				     .lane = "C1",
				     .method = "chat.update",
				     .of = of,
				     .replaceable = true };
}

static void test_updates_follow_their_message(void **state)
{
	struct fixture *f = fixture_new();
	struct outbox_item stray = update_item("stray", "nothing");

	(void)state;
	set_mood(f, DOWN);
	put_ok(f, post_item("m", "C1"), "asked");
	put_ok(f, update_item("u1", "m"), "first");
	put_ok(f, update_item("u2", "m"), "second");
	assert_int_equal(outbox_waiting(f->outbox), 2);
	set_mood(f, GOOD);
	drain(f);
	assert_int_equal(f->slack->count, 1);
	assert_string_equal(f->slack->posts[0].text, "second");
	assert_null(json_object_get(f->slack->told, "u1"));
	/* Also after a restart it is known where the message stands. */
	fixture_restart(f);
	put_ok(f, update_item("u3", "m"), "third");
	put_ok(f, stray, "of nothing");
	drain(f);
	assert_string_equal(f->slack->posts[0].text, "third");
	check_told(f, "stray", 1, false, false);
	fixture_done(f);
}

/* ---- Limits ----------------------------------------------------------------------- */

static void test_limits(void **state)
{
	struct fixture *f = fixture_new();
	char key[OUTBOX_KEY_BYTES + 1];
	struct error err = ERROR_INIT;

	(void)state;
	f->waiting_max = 2;
	f->kept_max = 1;
	fixture_restart(f);
	set_mood(f, DOWN);
	put_ok(f, post_item("a", "C1"), "a");
	put_ok(f, post_item("b", "C1"), "b");
	assert_false(put(f, post_item("c", "C1"), "c", &err));
	testing_error(&err, ERR_RATE_LIMITED, "2 messages");
	put_ok(f, post_item("b", "C1"), "b");
	set_mood(f, GOOD);
	drain(f);
	/* Of the two that ended only one is remembered: the other is a new one. */
	put_ok(f, post_item("b", "C1"), "b");
	put_ok(f, post_item("a", "C1"), "a");
	drain(f);
	assert_int_equal(count_posts(f, "a"), 2);
	assert_int_equal(count_posts(f, "b"), 1);
	memset(key, 'k', sizeof key);
	key[OUTBOX_KEY_BYTES - 1] = '\0';
	put_ok(f, post_item(key, "C1"), "x");
	key[OUTBOX_KEY_BYTES - 1] = 'k';
	key[OUTBOX_KEY_BYTES] = '\0';
	assert_false(put(f, post_item(key, "C1"), "x", &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "too long");
	assert_false(put(f, post_item("", "C1"), "x", &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "empty");
	fixture_done(f);
}

/* ---- Everything at once ----------------------------------------------------------- */

static void test_random_trouble_and_restarts(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 6; seed++) {
		struct fixture *f = fixture_new();

		f->slack->random = seed;
		for (int i = 0; i < 8; i++) {
			put_many(f, i * 2, i * 2 + 2);
			fixture_restart(f);
		}
		drain(f);
		check_order(f, 16);
		fixture_done(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_is_kept),
		cmocka_unit_test(test_one_lane_does_not_hold_up_another),
		cmocka_unit_test(test_an_outage_loses_nothing),
		cmocka_unit_test(test_a_lost_answer_is_looked_for),
		cmocka_unit_test(test_where_nobody_may_look),
		cmocka_unit_test(test_what_slack_will_not_say),
		cmocka_unit_test(test_the_same_key_is_the_same_item),
		cmocka_unit_test(test_updates_follow_their_message),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_random_trouble_and_restarts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
