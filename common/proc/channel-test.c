#include "proc/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/clock.h"

/* One end is a channel on a loop, the other is driven by the test. */
struct end {
	struct loop *loop;
	struct channel *channel;
	int fd; /* of the peer */
	unsigned received, closed, stop_after;
	size_t last_bytes; /* length of member "text" of the last message */
	int64_t last_id;
	struct error why;
	bool free_on_receive, echo;
};

static void on_message(void *context, struct channel *ch, json_t *message)
{
	struct end *e = context;

	assert_ptr_equal(channel_context(ch), e);
	assert_int_equal(e->closed, 0);
	e->received++;
	e->last_id = json_get_int64(message, "id", -1);
	e->last_bytes = json_string_length(json_object_get(message, "text"));
	if (e->echo)
		assert_true(channel_send(ch, message));
	if (e->free_on_receive) {
		channel_free(ch);
		e->channel = NULL;
	}
	if (e->received == e->stop_after)
		loop_stop(e->loop);
}

static void on_closed(void *context, struct channel *ch, const struct error *err)
{
	struct end *e = context;

	e->closed++;
	e->why = *err;
	channel_free(ch);
	e->channel = NULL;
	loop_stop(e->loop);
}

static void give_up(void *context)
{
	loop_stop(context);
}

static void begin(struct end *e)
{
	struct error err = ERROR_INIT;
	int fd[2];

	*e = (struct end){ .fd = -1, .stop_after = 1 };
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	e->loop = loop_new(&err);
	assert_non_null(e->loop);
	e->channel = channel_new(e->loop, fd[0], on_message, on_closed, e, &err);
	assert_non_null(e->channel);
	e->fd = fd[1];
}

static void run_for(struct end *e, int64_t ms)
{
	struct error err = ERROR_INIT;
	struct loop_source *s =
		loop_add_timer(e->loop, ms, false, give_up, e->loop, &err);
	int64_t start = clock_mono_ms();

	assert_non_null(s);
	assert_true(loop_run(e->loop, &err));
	if (clock_mono_ms() - start < ms)
		loop_remove(s);
}

static void finish(struct end *e)
{
	channel_free(e->channel);
	loop_free(e->loop);
	if (e->fd >= 0)
		(void)close(e->fd);
}

/* {"m":"x","id":ID,"text":"aaa"} of exactly 'bytes' bytes as canonical or compact text. */
static json_t *message_of(int id, size_t bytes)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_t *m = json_pack("{s:s, s:i, s:s}", "m", "x", "id", id, "text", "");
	char *empty = json_dumps(m, JSON_COMPACT);
	size_t missing = bytes - strlen(empty);

	free(empty);
	for (size_t i = 0; i < missing; i++)
		strbuf_add_char(&text, 'a');
	assert_int_equal(
		json_object_set_new(m, "text", json_stringn(text.data, text.length)), 0);
	return m;
}

static void put(int fd, const void *bytes, size_t length)
{
	for (size_t sent = 0; sent < length;) {
		ssize_t n =
			send(fd, (const char *)bytes + sent, length - sent, MSG_NOSIGNAL);
		assert_true(n > 0);
		sent += (size_t)n;
	}
}

static void put_frame(int fd, const char *text)
{
	size_t length = strlen(text);
	unsigned char head[4] = { (unsigned char)(length >> 24),
				  (unsigned char)(length >> 16),
				  (unsigned char)(length >> 8), (unsigned char)length };

	put(fd, head, sizeof head);
	put(fd, text, length);
}

static void frames_in_pieces_are_put_together(void **state)
{
	static const char frame[] = "\0\0\0\x12{\"m\":\"hi\",\"id\":77}"
				    "\0\0\0\x10{\"m\":\"x\",\"id\":8}";
	struct end e;

	(void)state;
	begin(&e);
	for (size_t i = 0; i + 1 < sizeof frame - 1; i++) {
		put(e.fd, frame + i, 1);
		e.stop_after = 99;
		run_for(&e, 1);
	}
	assert_int_equal(e.received, 1);
	assert_int_equal(e.last_id, 77);
	e.stop_after = 2;
	put(e.fd, frame + sizeof frame - 2, 1);
	run_for(&e, 2000);
	assert_int_equal(e.received, 2);
	assert_int_equal(e.last_id, 8);
	finish(&e);
}

static void many_frames_in_one_piece_all_arrive(void **state)
{
	_cleanup_strbuf_ struct strbuf all = STRBUF_INIT;
	struct end e;

	(void)state;
	begin(&e);
	for (int i = 0; i < 500; i++)
		strbuf_add(&all, "\0\0\0\x09{\"m\":\"x\"}", 13);
	put(e.fd, all.data, all.length);
	e.stop_after = 500;
	run_for(&e, 5000);
	assert_int_equal(e.received, 500);
	assert_int_equal(e.last_id, -1);
	finish(&e);
}

struct writer {
	int fd;
	json_t *message;
	bool done;
	struct error err;
};

static void *write_message(void *context)
{
	struct writer *w = context;

	w->done = channel_write(w->fd, w->message, &w->err);
	return NULL;
}

enum { FLOOD = 100 };

/* As much as a socket takes, before the loop runs. */
static void flood(const struct end *e, int count)
{
	struct error err = ERROR_INIT;

	for (int i = 0; i < count; i++) {
		json_auto_t *message = message_of(i + 1, 60);

		assert_true(channel_write(e->fd, message, &err));
	}
}

static unsigned heard_before; /* of the flood, when the other one spoke */

static void on_other(void *context, struct channel *ch, json_t *message)
{
	const struct end *e = context;

	(void)ch, (void)message;
	heard_before = e->received;
	loop_stop(e->loop);
}

static void a_flood_lets_others_have_their_turn(void **state)
{
	struct error err = ERROR_INIT;
	struct end e;
	int fd[2];

	(void)state;
	begin(&e);
	e.stop_after = FLOOD + 1;
	flood(&e, FLOOD);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	struct channel *other = channel_new(e.loop, fd[0], on_other, on_closed, &e, &err);
	assert_non_null(other);
	json_auto_t *word = message_of(1, 60);
	assert_true(channel_write(fd[1], word, &err));
	heard_before = FLOOD;
	run_for(&e, 20000);
	assert_true(heard_before < FLOOD / 4);
	/* And all of the flood is heard, in its order. */
	e.stop_after = FLOOD;
	run_for(&e, 20000);
	assert_int_equal(e.received, FLOOD);
	assert_int_equal(e.last_id, FLOOD);
	channel_free(other);
	(void)close(fd[1]);
	finish(&e);
}

/* Whoever leaves behind it is told of afterwards, once; and may be freed amid it. */
static void a_flood_is_heard_to_its_end(void **state)
{
	struct end e;

	(void)state;
	begin(&e);
	e.stop_after = 0;
	flood(&e, FLOOD);
	(void)close(e.fd);
	e.fd = -1;
	run_for(&e, 20000);
	assert_int_equal(e.received, FLOOD);
	assert_int_equal(e.closed, 1);
	finish(&e);

	begin(&e);
	e.stop_after = 20;
	flood(&e, FLOOD);
	run_for(&e, 20000);
	/* The turn in which it was stopped was gone through. */
	assert_true(e.received >= 20 && e.received < FLOOD);
	finish(&e);
}

static void largest_frame_passes_both_ways(void **state)
{
	json_auto_t *m = message_of(1, CHANNEL_FRAME_MAX);
	struct end e;
	pthread_t thread;

	(void)state;
	begin(&e);
	e.echo = true;
	struct writer w = { .fd = e.fd, .message = m };
	assert_int_equal(pthread_create(&thread, NULL, write_message, &w), 0);
	run_for(&e, 10000);
	(void)pthread_join(thread, NULL);
	assert_true(w.done);
	assert_int_equal(e.received, 1);
	assert_int_equal(
		e.last_bytes,
		CHANNEL_FRAME_MAX - strlen("{\"m\":\"x\",\"id\":1,\"text\":\"\"}"));

	/* the echo waits in the channel's queue: let the loop write while we read */
	struct error err = ERROR_INIT;
	assert_true(channel_send(e.channel, m));
	for (int i = 0; i < 2; i++) {
		_cleanup_strbuf_ struct strbuf got = STRBUF_INIT;
		while (got.length < 4 + CHANNEL_FRAME_MAX) {
			char part[65536];
			size_t want = 4 + CHANNEL_FRAME_MAX - got.length;
			ssize_t n = recv(e.fd, part,
					 want < sizeof part ? want : sizeof part,
					 MSG_DONTWAIT);
			if (n > 0)
				strbuf_add(&got, part, (size_t)n);
			else
				run_for(&e, 1);
		}
		json_auto_t *back =
			json_parse(got.data + 4, CHANNEL_FRAME_MAX, JSON_CONTRACT, &err);
		assert_non_null(back);
		assert_true(json_equal(back, m));
	}
	finish(&e);
}

static void frame_of_one_byte_more_is_refused_by_the_sender(void **state)
{
	json_auto_t *m = message_of(1, CHANNEL_FRAME_MAX + 1);
	json_auto_t *small = message_of(2, 60);
	struct error err = ERROR_INIT;
	struct end e;

	(void)state;
	begin(&e);
	assert_false(channel_send(e.channel, m));
	assert_false(channel_write(e.fd, m, &err));
	assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
	/* nothing of it went out, and the channel lives */
	assert_true(channel_send(e.channel, small));
	error_clear(&err);
	json_auto_t *back = channel_read(e.fd, 2000, &err);
	assert_true(json_equal(back, small));
	finish(&e);
}

/* What ends a channel: raw bytes, and a word of the complaint. */
static void bad_bytes_end_the_channel(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		const char *says;
	} cases[] = {
		{ "\x00\x40\x00\x01", 4, "4194305" }, /* maximum + 1, on the head alone */
		{ "\xff\xff\xff\xff", 4, "4294967295" },
		{ "\0\0\0\0", 4, " 0 bytes" },
		{ "\0\0\0\x02[]", 6, "object" },
		{ "\0\0\0\x02\x34\x32", 6, "object" },
		{ "\0\0\0\x02{}", 6, "'m'" },
		{ "\0\0\0\x07{\"m\":1}", 11, "'m'" },
		{ "\0\0\0\x12{\"m\":\"x\",\"id\":\"7\"}", 22, "" },
		{ "\0\0\0\x13{\"m\":\"x\",\"id\":1.5} ", 23, "'id'" },
		{ "\0\0\0\x04nope", 8, "" },
		{ "\0\0\0\x11{\"m\":\"x\",\"m\":\"y\"}", 21, "" },
		{ "\0\0\0\x0a{\"m\":\"x\"}x", 14, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct end e;
		begin(&e);
		put(e.fd, cases[i].bytes, cases[i].length);
		run_for(&e, 2000);
		assert_int_equal(e.closed, 1);
		assert_int_equal(e.received, 0);
		assert_int_equal(e.why.code, ERR_INVALID_ARGUMENT);
		assert_non_null(strstr(e.why.message, cases[i].says));
		finish(&e);
	}
}

static void peer_that_leaves_is_reported_once(void **state)
{
	struct end e;

	(void)state;
	begin(&e);
	put_frame(e.fd, "{\"m\":\"x\",\"id\":3}");
	(void)close(e.fd);
	e.fd = -1;
	e.stop_after = 99;
	run_for(&e, 2000);
	assert_int_equal(e.received, 1); /* what it said before counts */
	assert_int_equal(e.closed, 1);
	assert_int_equal(e.why.code, ERR_BACKEND_UNAVAILABLE);
	finish(&e);
}

static void peer_that_dies_mid_frame_is_told_apart(void **state)
{
	struct end e;

	(void)state;
	begin(&e);
	put(e.fd, "\0\0\0\x20{\"m\":", 9);
	(void)close(e.fd);
	e.fd = -1;
	run_for(&e, 2000);
	assert_int_equal(e.closed, 1);
	assert_int_equal(e.received, 0);
	assert_int_equal(e.why.code, ERR_BACKEND_UNAVAILABLE);
	assert_non_null(strstr(e.why.message, "middle"));
	finish(&e);
}

static void peer_that_does_not_read_is_dropped_at_the_limit(void **state)
{
	json_auto_t *m = message_of(1, 1024 * 1024);
	unsigned sent = 0;
	struct end e;

	(void)state;
	begin(&e);
	while (sent < 1000 && channel_send(e.channel, m))
		sent++;
	/* 16 MiB of queue and what the socket itself holds */
	assert_in_range(sent, 15, 18);
	assert_false(channel_send(e.channel, m));
	assert_int_equal(e.closed, 0); /* not from within channel_send */
	run_for(&e, 2000);
	assert_int_equal(e.closed, 1);
	assert_int_equal(e.why.code, ERR_BACKEND_UNAVAILABLE);
	assert_non_null(strstr(e.why.message, "does not read"));
	finish(&e);
}

static void sending_to_a_peer_that_left_fails_and_closes(void **state)
{
	json_auto_t *m = message_of(1, 60);
	struct end e;

	(void)state;
	begin(&e);
	(void)close(e.fd);
	e.fd = -1;
	assert_false(channel_send(e.channel, m));
	assert_false(channel_send(e.channel, m));
	run_for(&e, 2000);
	assert_int_equal(e.closed, 1);
	finish(&e);
}

static void receiver_may_free_the_channel(void **state)
{
	struct end e;

	(void)state;
	begin(&e);
	e.free_on_receive = true;
	put_frame(e.fd, "{\"m\":\"x\"}");
	put_frame(e.fd, "{\"m\":\"x\"}");
	run_for(&e, 2000);
	assert_int_equal(e.received, 1);
	assert_int_equal(e.closed, 0);
	assert_null(e.channel);
	finish(&e);
}

static void peer_is_known_by_uid_and_pid(void **state)
{
	struct error err = ERROR_INIT;
	struct end e;
	uid_t uid;
	pid_t pid;

	(void)state;
	begin(&e);
	assert_true(channel_peer(e.channel, &uid, &pid, &err));
	assert_int_equal(uid, getuid());
	assert_int_equal(pid, getpid());
	finish(&e);
}

static void blocking_read_times_out_and_notices_the_end(void **state)
{
	struct error err = ERROR_INIT;
	int fd[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	int64_t start = clock_mono_ms();
	assert_null(channel_read(fd[0], 30, &err));
	assert_int_equal(err.code, ERR_TIMEOUT);
	assert_in_range(clock_mono_ms() - start, 30, 2000);

	/* a peer that trickles does not stretch the time */
	error_clear(&err);
	put(fd[1], "\0\0", 2);
	assert_null(channel_read(fd[0], 30, &err));
	assert_int_equal(err.code, ERR_TIMEOUT);
	(void)close(fd[0]);
	(void)close(fd[1]);

	error_clear(&err);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	put(fd[1], "\0\0\0\x09{\"m\"", 8);
	(void)close(fd[1]);
	assert_null(channel_read(fd[0], -1, &err));
	assert_int_equal(err.code, ERR_BACKEND_UNAVAILABLE);
	assert_non_null(strstr(err.message, "middle"));
	(void)close(fd[0]);
}

static void blocking_read_leaves_the_next_frame_alone(void **state)
{
	struct error err = ERROR_INIT;
	int fd[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	put_frame(fd[1], "{\"m\":\"x\",\"id\":1}");
	put_frame(fd[1], "{\"m\":\"x\",\"id\":2}");
	for (int i = 1; i <= 2; i++) {
		json_auto_t *m = channel_read(fd[0], 1000, &err);
		assert_int_equal(json_get_int64(m, "id", -1), i);
	}
	(void)close(fd[1]);
	json_auto_t *m = json_pack("{s:s}", "m", "x");
	assert_false(channel_write(fd[0], m, &err)); /* no SIGPIPE either */
	assert_int_equal(err.code, ERR_BACKEND_UNAVAILABLE);
	(void)close(fd[0]);
}

static void listening_replaces_a_stale_socket_only(void **state)
{
	struct error err = ERROR_INIT;
	char folder[] = "/tmp/channel-test-XXXXXX", path[64];
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof path, "%s/s.sock", folder);
	assert_int_equal(channel_connect(path, &err), -1);
	assert_int_equal(err.code, ERR_BACKEND_UNAVAILABLE);
	error_clear(&err);

	int one = channel_listen(path, &err);
	assert_true(one >= 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	int client = channel_connect(path, &err);
	assert_true(client >= 0);
	(void)close(client);

	assert_int_equal(channel_listen(path, &err), -1); /* somebody is there */
	assert_int_equal(err.code, ERR_CONFLICT);
	error_clear(&err);
	(void)close(one); /* the file stays: stale */
	int two = channel_listen(path, &err);
	assert_true(two >= 0);
	(void)close(two);
	assert_int_equal(unlink(path), 0);

	FILE *f = fopen(path, "w");
	assert_non_null(f);
	(void)fclose(f);
	assert_int_equal(channel_listen(path, &err),
			 -1); /* a file is not ours to remove */
	assert_int_equal(err.code, ERR_CONFLICT);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void long_socket_path_is_refused(void **state)
{
	struct error err = ERROR_INIT;
	char path[200] = "/tmp/";

	(void)state;
	memset(path + 5, 'a', sizeof path - 6);
	assert_int_equal(channel_listen(path, &err), -1);
	assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
	error_clear(&err);
	assert_int_equal(channel_connect(path, &err), -1);
	assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
}

/* In a process of its own, with 'fd' as systemd would pass it. 0: taken and clean;
 * 1: refused; 2: nothing was passed. */
static int inherit(int fd, const char *count, bool is_ours)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		struct error err = ERROR_INIT;
		char own[24];
		int got = -2;

		(void)snprintf(own, sizeof own, "%ld",
			       (long)(is_ours ? getpid() : getppid()));
		if (fd == 3 ? fcntl(fd, F_SETFD, 0) != 0 : dup2(fd, 3) != 3)
			_exit(100);
		(void)setenv("LISTEN_PID", own, 1);
		(void)setenv("LISTEN_FDS", count, 1);
		bool ok = channel_inherited(&got, &err);
		if (getenv("LISTEN_PID") || getenv("LISTEN_FDS"))
			_exit(101);
		if (got == 3)
			_exit((fcntl(3, F_GETFD) & FD_CLOEXEC) &&
					      (fcntl(3, F_GETFL) & O_NONBLOCK)
				      ? 0
				      : 102);
		_exit(ok ? 2 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_socket_passed_by_systemd_is_taken(void **state)
{
	struct error err = ERROR_INIT;
	char folder[] = "/tmp/channel-test-XXXXXX", path[64];
	int pair[2];

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof path, "%s/s.sock", folder);
	int fd = channel_listen(path, &err);
	assert_true(fd >= 0);
	assert_int_equal(inherit(fd, "1", true), 0);
	assert_int_equal(inherit(fd, "1", false), 2); /* meant for our parent */
	assert_int_equal(inherit(fd, "0", true), 1);
	assert_int_equal(inherit(fd, "2", true), 1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(inherit(pair[0], "1", true), 1); /* does not listen */
	(void)close(pair[0]);
	(void)close(pair[1]);
	(void)close(fd);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_in_pieces_are_put_together),
		cmocka_unit_test(a_socket_passed_by_systemd_is_taken),
		cmocka_unit_test(many_frames_in_one_piece_all_arrive),
		cmocka_unit_test(a_flood_lets_others_have_their_turn),
		cmocka_unit_test(a_flood_is_heard_to_its_end),
		cmocka_unit_test(largest_frame_passes_both_ways),
		cmocka_unit_test(frame_of_one_byte_more_is_refused_by_the_sender),
		cmocka_unit_test(bad_bytes_end_the_channel),
		cmocka_unit_test(peer_that_leaves_is_reported_once),
		cmocka_unit_test(peer_that_dies_mid_frame_is_told_apart),
		cmocka_unit_test(peer_that_does_not_read_is_dropped_at_the_limit),
		cmocka_unit_test(sending_to_a_peer_that_left_fails_and_closes),
		cmocka_unit_test(receiver_may_free_the_channel),
		cmocka_unit_test(peer_is_known_by_uid_and_pid),
		cmocka_unit_test(blocking_read_times_out_and_notices_the_end),
		cmocka_unit_test(blocking_read_leaves_the_next_frame_alone),
		cmocka_unit_test(listening_replaces_a_stale_socket_only),
		cmocka_unit_test(long_socket_path_is_refused),
	};

	return cmocka_run_group_tests_name("channel", tests, NULL, NULL);
}
