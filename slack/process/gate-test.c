/* The conversation with the gate: whose answer is whose, and what is known when it falls,
 * is silent or says what it must not. The gate is played, over a real socket. */
#include "slack/process/gate.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "base/testing.h"
#include "proc/channel.h"

enum { PATIENCE_MS = 20 * 1000, SHORT_MS = 150 };

struct world {
	char folder[TESTING_PATH_BYTES], path[TESTING_PATH_BYTES + 16];
	struct loop *loop;
	struct gate *gate;
	pthread_t thread;
	int listening, fd;
	atomic_int heard, came;
	char last[64]; /* "m" of what was heard last; read after 'heard' was */
};

static void on_heard(void *context, json_t *message)
{
	struct world *w = context;
	const char *name = json_get_string(message, "m");

	(void)snprintf(w->last, sizeof w->last, "%s", name ? name : "");
	atomic_fetch_add(&w->heard, 1);
}

static void on_came(void *context)
{
	struct world *w = context;

	atomic_fetch_add(&w->came, 1);
}

static void *run(void *context)
{
	struct world *w = context;
	struct error err = ERROR_INIT;

	return loop_run(w->loop, &err) ? w : NULL;
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	struct error err = ERROR_INIT;

	assert_non_null(w);
	testing_folder(w->folder);
	(void)snprintf(w->path, sizeof w->path, "%s/gate.sock", w->folder);
	w->listening = w->fd = -1;
	w->loop = loop_new(&err);
	assert_non_null(w->loop);
	w->gate = gate_new(w->loop, w->path, on_heard, on_came, w, &err);
	assert_non_null(w->gate);
	assert_int_equal(pthread_create(&w->thread, NULL, run, w), 0);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	gate_stop(w->gate);
	loop_stop(w->loop);
	(void)pthread_join(w->thread, NULL);
	gate_free(w->gate);
	loop_free(w->loop);
	if (w->fd >= 0)
		(void)close(w->fd);
	if (w->listening >= 0)
		(void)close(w->listening);
	testing_remove(w->folder);
	free(w);
	return 0;
}

/* ---- The gate's side -------------------------------------------------------------- */

static void listen_there(struct world *w)
{
	struct error err = ERROR_INIT;

	w->listening = channel_listen(w->path, &err);
	testing_no_error(&err);
}

static json_t *hear(struct world *w)
{
	struct error err = ERROR_INIT;
	json_t *message = channel_read(w->fd, PATIENCE_MS, &err);

	testing_no_error(&err);
	return message;
}

/* Steals 'message'. */
static void say(struct world *w, json_t *message)
{
	json_auto_t *own = message;
	struct error err = ERROR_INIT;

	assert_non_null(own);
	assert_true(channel_write(w->fd, own, &err));
}

/* It connects, and says hello. */
static int64_t take_hello(struct world *w)
{
	json_auto_t *hello = NULL;

	if (w->listening < 0)
		listen_there(w);
	for (;;) {
		w->fd = accept4(w->listening, NULL, NULL, SOCK_CLOEXEC);
		if (w->fd >= 0)
			break;
		(void)usleep(2000);
	}
	hello = hear(w);
	assert_string_equal(json_get_string(hello, "m"), "hello");
	assert_string_equal(json_get_string(hello, "surface"), "slack");
	assert_int_equal(json_get_int64(hello, "v", 0), MESSAGES_VERSION);
	return json_get_int64(hello, "id", 0);
}

static void let_in(struct world *w)
{
	int before = atomic_load(&w->came);
	int64_t id = take_hello(w);

	say(w, json_pack("{s:s, s:I, s:b}", "m", "reply", "id", (json_int_t)id, "ok", 1));
	while (atomic_load(&w->came) == before)
		(void)usleep(1000);
	assert_true(gate_is_up(w->gate));
}

static void hang_up(struct world *w)
{
	(void)close(w->fd);
	w->fd = -1;
}

/* ---- Those who ask ---------------------------------------------------------------- */

struct question {
	struct world *world;
	int number;
	int64_t wait_ms;
	pthread_t thread;
	json_t *reply, *details;
	struct error err;
};

static void *ask(void *context)
{
	struct question *q = context;

	q->reply = gate_ask_for(q->world->gate, MSG_SHOW,
				json_pack("{s:i}", "number", q->number), q->wait_ms,
				&q->details, &q->err);
	return NULL;
}

static struct question *begin(struct world *w, int number)
{
	struct question *q = calloc(1, sizeof *q);

	assert_non_null(q);
	q->world = w;
	q->number = number;
	q->wait_ms = PATIENCE_MS;
	assert_int_equal(pthread_create(&q->thread, NULL, ask, q), 0);
	return q;
}

static void end(struct question *q)
{
	json_decref(q->reply);
	json_decref(q->details);
	free(q);
}

static void wait_for(struct question *q)
{
	assert_int_equal(pthread_join(q->thread, NULL), 0);
}

static void answer(struct world *w, const json_t *question)
{
	say(w, json_pack("{s:s, s:O, s:b, s:I}", "m", "reply", "id",
			 json_object_get(question, "id"), "ok", 1, "number",
			 (json_int_t)json_get_int64(question, "number", -1)));
}

/* ---- Tests ------------------------------------------------------------------------ */

static void test_each_has_its_own_answer(void **state)
{
	enum { COUNT = 20 };
	struct world *w = *state;
	struct question *asked[COUNT];
	json_t *heard[COUNT];

	let_in(w);
	for (int i = 0; i < COUNT; i++)
		asked[i] = begin(w, i);
	for (int i = 0; i < COUNT; i++)
		heard[i] = hear(w);
	for (int i = COUNT - 1; i >= 0; i--) {
		answer(w, heard[i]);
		json_decref(heard[i]);
	}
	for (int i = 0; i < COUNT; i++) {
		wait_for(asked[i]);
		assert_int_equal(json_get_int64(asked[i]->reply, "number", -1), i);
		end(asked[i]);
	}
}

/* Answers to nobody, to what was answered, to hello, and things that are none. */
static void test_answers_to_nobody(void **state)
{
	struct world *w = *state;
	struct question *q;
	json_auto_t *heard = NULL;

	let_in(w);
	q = begin(w, 1);
	heard = hear(w);
	for (json_int_t id = -1; id < 2; id++)
		say(w, json_pack("{s:s, s:I, s:b, s:i}", "m", "reply", "id", id, "ok", 1,
				 "number", 9));
	say(w, json_pack("{s:s, s:i, s:b}", "m", "reply", "id", 4711, "ok", 1));
	say(w, json_pack("{s:s, s:b}", "m", "reply", "ok", 1));
	say(w, json_pack("{s:s}", "m", "no such message"));
	say(w, json_pack("{s:s, s:i}", "m", "slack_click", "id", 2));
	answer(w, heard);
	answer(w, heard);
	wait_for(q);
	assert_int_equal(json_get_int64(q->reply, "number", -1), 1);
	end(q);
	assert_int_equal(atomic_load(&w->heard), 0);
}

static void test_refusals(void **state)
{
	static const struct {
		const char *error;
		enum error_code code;
		const char *words, *hint;
	} cases[] = {
		{ "{\"code\":\"not_found\",\"message\":\"no such\",\"hint\":\"look\","
		  "\"details\":{\"a\":1}}",
		  ERR_NOT_FOUND, "no such", "look" },
		{ "{\"code\":\"made_up\",\"message\":\"x\"}", ERR_INTERNAL, "x", "" },
		{ "{\"code\":\"ok\",\"message\":\"x\"}", ERR_INTERNAL, "x", "" },
		{ "{}", ERR_INTERNAL, "without a reason", "" },
		{ "[]", ERR_INTERNAL, "without a reason", "" },
		{ "{\"code\":7,\"message\":8}", ERR_INTERNAL, "without a reason", "" },
	};
	struct world *w = *state;

	let_in(w);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error ignored = ERROR_INIT;
		struct question *q = begin(w, 1);
		json_auto_t *heard = hear(w);

		say(w, json_pack("{s:s, s:O, s:b, s:o}", "m", "reply", "id",
				 json_object_get(heard, "id"), "ok", 0, "error",
				 json_parse(cases[i].error, strlen(cases[i].error),
					    JSON_SYNTAX, &ignored)));
		wait_for(q);
		assert_null(q->reply);
		assert_int_equal(q->err.code, cases[i].code);
		assert_non_null(strstr(q->err.message, cases[i].words));
		assert_string_equal(q->err.hint, cases[i].hint);
		assert_int_equal(q->details != NULL, i == 0);
		end(q);
	}
	/* "ok" that is no true is no yes. */
	struct question *q = begin(w, 1);
	json_auto_t *heard = hear(w);
	say(w, json_pack("{s:s, s:O, s:s}", "m", "reply", "id",
			 json_object_get(heard, "id"), "ok", "true"));
	wait_for(q);
	assert_null(q->reply);
	end(q);
}

static void test_what_was_asked_before_it_is_there(void **state)
{
	struct world *w = *state;
	struct question *q = begin(w, 3);
	json_auto_t *heard = NULL;

	let_in(w);
	heard = hear(w);
	answer(w, heard);
	wait_for(q);
	assert_int_equal(json_get_int64(q->reply, "number", -1), 3);
	end(q);
}

/* What it heard may be done; it is not asked again. */
static void test_it_falls(void **state)
{
	struct world *w = *state;
	struct question *sent, *later;
	json_auto_t *heard = NULL, *next = NULL;

	let_in(w);
	sent = begin(w, 1);
	heard = hear(w);
	hang_up(w);
	wait_for(sent);
	assert_null(sent->reply);
	assert_int_equal(sent->err.code, ERR_UNKNOWN_OUTCOME);
	end(sent);
	later = begin(w, 2);
	let_in(w);
	next = hear(w);
	assert_int_equal(json_get_int64(next, "number", -1), 2);
	assert_int_not_equal(json_get_int64(next, "id", 0),
			     json_get_int64(heard, "id", 0));
	/* The old answer is nobody's. */
	answer(w, heard);
	answer(w, next);
	wait_for(later);
	assert_int_equal(json_get_int64(later->reply, "number", -1), 2);
	end(later);
	assert_int_equal(atomic_load(&w->came), 2);
}

static void test_it_is_silent(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	json_auto_t *heard = NULL, *again = NULL;
	struct question *q;

	assert_null(gate_ask_for(w->gate, MSG_STATUS, NULL, SHORT_MS, NULL, &err));
	assert_int_equal(err.code, ERR_BACKEND_UNAVAILABLE);
	error_clear(&err);
	let_in(w);
	assert_null(gate_ask_for(w->gate, MSG_STATUS, NULL, SHORT_MS, NULL, &err));
	assert_int_equal(err.code, ERR_UNKNOWN_OUTCOME);
	/* What it says too late is nobody's; others hear theirs. */
	heard = hear(w);
	answer(w, heard);
	q = begin(w, 5);
	again = hear(w);
	answer(w, again);
	wait_for(q);
	assert_int_equal(json_get_int64(q->reply, "number", -1), 5);
	end(q);
}

static void test_it_does_not_let_us_in(void **state)
{
	struct world *w = *state;
	struct error err = ERROR_INIT;
	int64_t id = take_hello(w);

	say(w, json_pack("{s:s, s:I, s:b, s:{s:s, s:s}}", "m", "reply", "id",
			 (json_int_t)id, "ok", 0, "error", "code", "permission_denied",
			 "message", "not you"));
	assert_null(gate_ask_for(w->gate, MSG_STATUS, NULL, SHORT_MS, NULL, &err));
	assert_int_equal(err.code, ERR_BACKEND_UNAVAILABLE);
	assert_false(gate_is_up(w->gate));
	assert_int_equal(atomic_load(&w->came), 0);
}

static void put(struct world *w, const void *bytes, size_t length)
{
	assert_int_equal(send(w->fd, bytes, length, MSG_NOSIGNAL), (ssize_t)length);
}

/* Bytes that are no message end the connection, and another is made. */
static void test_bytes_that_are_no_message(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
	} cases[] = {
		{ "\xff\xff\xff\xff", 4 },
		{ "\0\0\0\0", 4 },
		{ "\0\0\0\1x", 5 },
		{ "\0\0\0\2[]", 6 },
		{ "\0\0\0\x0c{\"m\":\"a\0b\"}", 15 },
		{ "\0\x40\0\1", 4 },
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct question *q;
		json_auto_t *heard = NULL;

		let_in(w);
		q = begin(w, 1);
		heard = hear(w);
		put(w, cases[i].bytes, cases[i].length);
		/* A frame that is not whole ends with the connection. */
		(void)shutdown(w->fd, SHUT_WR);
		wait_for(q);
		assert_int_equal(q->err.code, ERR_UNKNOWN_OUTCOME);
		end(q);
		hang_up(w);
	}
}

static void test_what_it_says_of_itself(void **state)
{
	struct world *w = *state;

	let_in(w);
	say(w, json_pack("{s:s, s:s}", "m", "event", "approval", "a1"));
	while (atomic_load(&w->heard) < 1)
		(void)usleep(1000);
	assert_string_equal(w->last, "event");
	say(w, json_pack("{s:s, s:{}}", "m", "notice", "notice"));
	while (atomic_load(&w->heard) < 2)
		(void)usleep(1000);
	assert_string_equal(w->last, "notice");
}

/* So many may be under way, and one more is refused at once. */
static void test_so_many_at_once(void **state)
{
	struct world *w = *state;
	struct question **asked = calloc(GATE_ASKED_MAX, sizeof *asked);
	json_t **heard = calloc(GATE_ASKED_MAX, sizeof *heard);
	struct error err = ERROR_INIT;
	struct question *q;
	json_auto_t *next = NULL;

	assert_true(asked && heard);
	let_in(w);
	for (int i = 0; i < GATE_ASKED_MAX; i++)
		asked[i] = begin(w, i);
	for (int i = 0; i < GATE_ASKED_MAX; i++)
		heard[i] = hear(w);
	assert_null(gate_ask_for(w->gate, MSG_STATUS, NULL, PATIENCE_MS, NULL, &err));
	assert_int_equal(err.code, ERR_BACKEND_UNAVAILABLE);
	assert_non_null(strstr(err.message, "too much"));
	answer(w, heard[0]);
	wait_for(asked[json_get_int64(heard[0], "number", 0)]);
	q = begin(w, 1);
	next = hear(w);
	answer(w, next);
	wait_for(q);
	assert_non_null(q->reply);
	end(q);
	for (int i = 1; i < GATE_ASKED_MAX; i++)
		answer(w, heard[i]);
	for (int i = 0; i < GATE_ASKED_MAX; i++) {
		if (i != json_get_int64(heard[0], "number", 0))
			wait_for(asked[i]);
		assert_int_equal(json_get_int64(asked[i]->reply, "number", -1), i);
	}
	for (int i = 0; i < GATE_ASKED_MAX; i++) {
		json_decref(heard[i]);
		end(asked[i]);
	}
	free(asked);
	free(heard);
}

/* Whoever waits hears that it is over, and nobody begins to. */
static void test_the_end(void **state)
{
	struct world *w = *state;
	struct question *sent, *unsent = begin(w, 1);
	struct error err = ERROR_INIT;
	json_auto_t *heard = NULL;

	let_in(w);
	heard = hear(w);
	sent = unsent;
	gate_stop(w->gate);
	wait_for(sent);
	assert_null(sent->reply);
	assert_int_equal(sent->err.code, ERR_UNKNOWN_OUTCOME);
	end(sent);
	assert_null(gate_ask(w->gate, MSG_STATUS, NULL, NULL, &err));
	assert_int_equal(err.code, ERR_BACKEND_UNAVAILABLE);
	assert_non_null(strstr(err.message, "about to stop"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_each_has_its_own_answer),
		TEST(test_answers_to_nobody),
		TEST(test_refusals),
		TEST(test_what_was_asked_before_it_is_there),
		TEST(test_it_falls),
		TEST(test_it_is_silent),
		TEST(test_it_does_not_let_us_in),
		TEST(test_bytes_that_are_no_message),
		TEST(test_what_it_says_of_itself),
		TEST(test_so_many_at_once),
		TEST(test_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
