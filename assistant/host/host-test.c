/*
 * What the host takes of a worker, and no more: each limit of a turn at n and n + 1. The test
 * plays worker and egress, at the sockets that systemd would have.
 */
#include "assistant/host/host.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/testing.h"
#include "proc/channel.h"

enum { PATIENCE_MS = 30 * 1000, LOOK_MS = 1 };

struct fixture {
	char folder[TESTING_PATH_BYTES];
	char worker[TESTING_PATH_BYTES + 16], egress[TESTING_PATH_BYTES + 16],
		db[TESTING_PATH_BYTES + 16];
	int worker_listens, egress_listens, worker_fd, egress_fd;
	struct assistant_settings settings;
	struct loop *loop;
	struct documents *documents;
	struct budget *budget;
	struct host *host;
	struct host_turn *turn;
	struct error err;
	/* what the hooks were called with */
	size_t said, proposed, read;
	bool is_over;
	enum assistant_code code;
	/* of the loop */
	int wanted; /* descriptor; -1: that it is over */
	int64_t until_ms;
};

/* --- hooks --- */

static void on_say(void *context, const char *text, bool final)
{
	struct fixture *f = context;

	(void) final;
	f->said += strlen(text);
}

static void on_propose(void *context, int64_t number, const json_t *calls, bool together)
{
	struct fixture *f = context;

	(void)calls;
	(void)together;
	assert_int_equal(number, ++f->proposed);
}

static void on_read(void *context, int64_t number, const char *uri, const char *pattern,
		    const json_t *values)
{
	struct fixture *f = context;

	(void)uri;
	(void)pattern;
	(void)values;
	assert_int_equal(number, ++f->read);
}

static void on_ended(void *context, enum assistant_code code, const char *why)
{
	struct fixture *f = context;

	(void)why;
	assert_false(f->is_over);
	f->is_over = true;
	f->code = code;
}

static const struct host_hooks hooks = { on_say, on_propose, on_read, on_ended };

/* --- the loop, until something is there --- */

static bool is_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void look(void *context)
{
	struct fixture *f = context;

	if ((f->wanted >= 0 ? is_readable(f->wanted) : f->is_over) ||
	    clock_mono_ms() > f->until_ms)
		loop_stop(f->loop);
}

static void run_until(struct fixture *f, int wanted)
{
	struct loop_source *timer =
		loop_add_timer(f->loop, LOOK_MS, true, look, f, &f->err);

	assert_non_null(timer);
	f->wanted = wanted;
	f->until_ms = clock_mono_ms() + PATIENCE_MS;
	assert_true(loop_run(f->loop, &f->err));
	loop_remove(timer);
	if (clock_mono_ms() > f->until_ms)
		fail_msg("nothing came");
}

/* The next message at our end, which must have this name. */
static json_t *hear(struct fixture *f, int fd, const char *name)
{
	json_t *message;

	run_until(f, fd);
	message = channel_read(fd, PATIENCE_MS, &f->err);
	assert_non_null(message);
	assert_string_equal(json_get_string(message, "m"), name);
	return message;
}

static void tell(struct fixture *f, int fd, json_t *message)
{
	assert_non_null(message);
	assert_true(channel_write(fd, message, &f->err));
	json_decref(message);
}

/* What is told in order is heard in order: behind this the loop has taken all before. */
static void ends(struct fixture *f, enum assistant_code code)
{
	run_until(f, -1);
	assert_string_equal(assistant_code_name(f->code), assistant_code_name(code));
}

static json_t *usage(int64_t input)
{
	return json_pack("{s:I, s:i, s:i, s:i, s:i}", "input", (json_int_t)input,
			 "output", 0, "cache_read", 0, "cache_write", 0, "requests", 1);
}

static void is_well(struct fixture *f)
{
	assert_false(f->is_over);
	tell(f, f->worker_fd,
	     json_pack("{s:s, s:s, s:o}", "m", "done", "why", "end", "usage", usage(0)));
	ends(f, ASSISTANT_OK);
}

/* --- a turn --- */

static int accept_one(int listens)
{
	int fd = accept4(listens, NULL, NULL, SOCK_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void close_turn(struct fixture *f)
{
	host_turn_free(f->turn);
	f->turn = NULL;
	if (f->worker_fd >= 0)
		(void)close(f->worker_fd);
	f->worker_fd = -1;
	f->said = f->proposed = f->read = 0;
	f->is_over = false;
}

static void begin(struct fixture *f)
{
	close_turn(f);
	f->turn = host_turn_new(f->host, "alice@x", json_pack("{s:s}", "m", "turn"),
				&hooks, f, &f->err);
	testing_no_error(&f->err);
	f->worker_fd = accept_one(f->worker_listens);
	json_decref(hear(f, f->worker_fd, "begin"));
	tell(f, f->worker_fd,
	     json_pack("{s:s, s:i}", "m", "ready", "v", ASSISTANT_MESSAGES_VERSION));
	json_decref(hear(f, f->worker_fd, "turn"));
}

static int setup_with(void **state, bool has_budget)
{
	struct fixture *f = calloc(1, sizeof *f);

	testing_folder(f->folder);
	(void)snprintf(f->worker, sizeof f->worker, "%s/w", f->folder);
	(void)snprintf(f->egress, sizeof f->egress, "%s/e", f->folder);
	(void)snprintf(f->db, sizeof f->db, "%s/x.db", f->folder);
	f->worker_fd = f->egress_fd = -1;
	f->worker_listens = channel_listen(f->worker, &f->err);
	f->egress_listens = channel_listen(f->egress, &f->err);
	f->settings = (struct assistant_settings){
		.model = "m",
		.max_output = 100,
		.turn = { .seconds = 60,
			  .requests = 3,
			  .proposals = 2,
			  .reads = 2,
			  .text_bytes = 100,
			  .tokens = 1000 },
	};
	f->loop = loop_new(&f->err);
	if (has_budget) {
		f->documents = documents_open_sqlite(f->db, &f->err);
		const struct budget_options b = { .documents = f->documents,
						  .per_person = 100 };
		f->budget = budget_new(&b, &f->err);
	}
	const struct host_options o = { .loop = f->loop,
					.settings = &f->settings,
					.budget = f->budget,
					.worker_socket = f->worker,
					.egress_socket = f->egress };
	f->host = host_new(&o, &f->err);
	testing_no_error(&f->err);
	*state = f;
	return 0;
}

static int setup(void **state)
{
	return setup_with(state, false);
}

static int setup_budget(void **state)
{
	return setup_with(state, true);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close_turn(f);
	host_free(f->host);
	budget_free(f->budget);
	documents_close(f->documents);
	loop_free(f->loop);
	if (f->egress_fd >= 0)
		(void)close(f->egress_fd);
	(void)close(f->worker_listens);
	(void)close(f->egress_listens);
	testing_remove(f->folder);
	free(f);
	return 0;
}

/* --- limits --- */

static void propose(struct fixture *f, int number)
{
	tell(f, f->worker_fd,
	     json_pack("{s:s, s:i, s:[{s:s, s:{}}], s:b}", "m", "propose", "proposal",
		       number, "calls", "tool", "a.b", "arguments", "together", 0));
}

static void read_one(struct fixture *f, int number)
{
	tell(f, f->worker_fd,
	     json_pack("{s:s, s:i, s:s}", "m", "read", "read", number, "uri", "x:1"));
}

static void say(struct fixture *f, int bytes, bool final)
{
	char text[128];

	(void)snprintf(text, sizeof text, "%0*d", bytes, 0);
	tell(f, f->worker_fd,
	     json_pack("{s:s, s:s, s:b}", "m", "say", "text", bytes ? text : "", "final",
		       (int) final));
}

static void proposals(void **state)
{
	struct fixture *f = *state;

	for (int over = 0; over < 2; over++) {
		begin(f);
		for (int i = 1; i <= 2 + over; i++)
			propose(f, i);
		if (over)
			ends(f, ASSISTANT_FAULT);
		else
			is_well(f);
		assert_int_equal(f->proposed, 2);
	}
}

static void reads(void **state)
{
	struct fixture *f = *state;

	for (int over = 0; over < 2; over++) {
		begin(f);
		for (int i = 1; i <= 2 + over; i++)
			read_one(f, i);
		if (over)
			ends(f, ASSISTANT_FAULT);
		else
			is_well(f);
		assert_int_equal(f->read, 2);
	}
}

static void text(void **state)
{
	struct fixture *f = *state;

	for (int over = 0; over < 2; over++) {
		begin(f);
		say(f, 60, false);
		say(f, 40 + over, true);
		if (over)
			ends(f, ASSISTANT_LIMIT_TEXT);
		else
			is_well(f);
		assert_int_equal(f->said, over ? 60 : 100);
	}
}

static void answers(void **state)
{
	struct fixture *f = *state;

	for (int over = 0; over < 2; over++) {
		begin(f);
		for (int i = 0; i < HOST_ANSWERS_MAX + over; i++)
			say(f, 1, true);
		if (over)
			ends(f, ASSISTANT_LIMIT_TEXT);
		else
			is_well(f);
		assert_int_equal(f->said, HOST_ANSWERS_MAX);
	}
}

static void request(struct fixture *f, int number, int bytes)
{
	_cleanup_free_ char *body = malloc((size_t)bytes + 1);

	assert_non_null(body);
	memset(body, 'x', (size_t)bytes);
	body[bytes] = '\0';
	tell(f, f->worker_fd,
	     json_pack("{s:s, s:i, s:s, s:s}", "m", "request", "request", number, "path",
		       "/v1", "body", body));
}

static void connect_egress(struct fixture *f)
{
	if (f->egress_fd >= 0)
		return;
	run_until(f, f->egress_listens);
	f->egress_fd = accept_one(f->egress_listens);
	tell(f, f->egress_fd,
	     json_pack("{s:s, s:i}", "m", "ready", "v", ASSISTANT_MESSAGES_VERSION));
}

/* Of the egress's request: it has failed, without an answer. */
static void answer_none(struct fixture *f)
{
	json_auto_t *asked = NULL;

	connect_egress(f);
	asked = hear(f, f->egress_fd, "request");
	tell(f, f->egress_fd,
	     json_pack("{s:s, s:O, s:s}", "m", "ended", "request",
		       json_object_get(asked, "request"), "code", "model_down"));
}

static void hear_ended(struct fixture *f, const char *code)
{
	json_auto_t *ended = hear(f, f->worker_fd, "ended");

	assert_string_equal(json_get_string(ended, "code"), code);
}

static void requests(void **state)
{
	struct fixture *f = *state;

	for (int over = 0; over < 2; over++) {
		begin(f);
		for (int i = 1; i <= 3; i++) {
			request(f, i, 10);
			answer_none(f);
			hear_ended(f, "model_down");
		}
		if (over) {
			request(f, 4, 10);
			ends(f, ASSISTANT_FAULT);
		} else {
			is_well(f);
		}
	}
}

/* By what the bytes must cost, an eighth, whatever the worker says of them. */
static void tokens(void **state)
{
	struct fixture *f = *state;

	for (int over = 0; over < 2; over++) {
		begin(f);
		request(f, 1, 4000);
		answer_none(f);
		hear_ended(f, "model_down");
		request(f, 2, 4000 + 8 * over);
		if (!over)
			answer_none(f);
		hear_ended(f, over ? "limit_tokens" : "model_down");
		is_well(f);
	}
}

/* As if its seconds and the grace were over. */
static void time_ends_it(void **state)
{
	struct fixture *f = *state;

	begin(f);
	is_well(f);
	close_turn(f);
	f->settings.turn.seconds = -(HOST_GRACE_MS / 1000);
	f->turn = host_turn_new(f->host, "alice@x", json_pack("{s:s}", "m", "turn"),
				&hooks, f, &f->err);
	testing_no_error(&f->err);
	f->worker_fd = accept_one(f->worker_listens);
	ends(f, ASSISTANT_LIMIT_TIME);
}

/* --- the end --- */

static void a_stopped_one_is_not_heard(void **state)
{
	struct fixture *f = *state;

	begin(f);
	host_turn_stop(f->turn);
	host_turn_stop(f->turn);
	json_decref(hear(f, f->worker_fd, "stop"));
	say(f, 5, true);
	propose(f, 1);
	read_one(f, 1);
	request(f, 1, 10);
	tell(f, f->worker_fd,
	     json_pack("{s:s, s:s, s:o}", "m", "done", "why", "end", "usage", usage(0)));
	ends(f, ASSISTANT_STOPPED);
	assert_int_equal(f->said + f->proposed + f->read, 0);
	/* One that says nothing any more is killed. */
	begin(f);
	host_turn_stop(f->turn);
	ends(f, ASSISTANT_STOPPED);
}

/* --- the budget --- */

static int64_t used(struct fixture *f)
{
	int64_t n = -1;

	assert_true(budget_used(f->budget, "alice@x", clock_wall_ms(), &n, &f->err));
	return n;
}

static void a_budget_at_n_and_more(void **state)
{
	struct fixture *f = *state;

	begin(f);
	request(f, 1, 396); /* 100 */
	answer_none(f);
	hear_ended(f, "model_down");
	request(f, 2, 208); /* 49 are booked, and 53 wanted */
	hear_ended(f, "budget_spent");
	is_well(f);
	begin(f);
	request(f, 1, 200); /* 100 */
	answer_none(f);
	hear_ended(f, "model_down");
	is_well(f);
}

/* What nobody waits for any more is not sent, and costs nothing. */
static void what_was_not_sent_is_given_back(void **state)
{
	struct fixture *f = *state;

	begin(f);
	request(f, 1, 396);
	is_well(f);
	close_turn(f);
	host_free(f->host);
	f->host = NULL;
	assert_in_range(used(f), 0, 49);
}

static void a_budget_that_is_not_known_refuses(void **state)
{
	struct fixture *f = *state;
	json_auto_t *odd = json_pack("{s:i}", "tokens", -1);
	char id[DIGEST_HEX_BYTES + 16], hex[DIGEST_HEX_BYTES], now[CLOCK_TEXT_BYTES];
	int64_t revision = 0;

	digest_sha256_hex("alice@x", 7, hex);
	(void)snprintf(id, sizeof id, "%.10s %s", clock_format(clock_wall_ms(), now),
		       hex);
	assert_true(documents_put(f->documents, "assistant_budget", id, odd, DOCUMENT_ANY,
				  &revision, &f->err));
	begin(f);
	request(f, 1, 10);
	hear_ended(f, "budget_unknown");
	is_well(f);
	assert_false(is_readable(f->egress_listens));
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define B(test) cmocka_unit_test_setup_teardown(test, setup_budget, teardown)
	const struct CMUnitTest tests[] = {
		T(proposals),
		T(reads),
		T(text),
		T(answers),
		T(requests),
		T(tokens),
		T(time_ends_it),
		T(a_stopped_one_is_not_heard),
		B(a_budget_at_n_and_more),
		B(what_was_not_sent_is_given_back),
		B(a_budget_that_is_not_known_refuses),
	};

	return cmocka_run_group_tests_name("assistant-host", tests, NULL, NULL);
}
