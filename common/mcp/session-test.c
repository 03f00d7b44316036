/* Sessions, and what the server says unasked, over real HTTP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "fixture/rig.h"
#include "mcp/serving.h"

static struct rig rig;

#include "mcp/session_test.h"

static int set_up(void **state)
{
	(void)state;
	rig_open(&rig);
	/* That judges by the newest revision; here it is each by its own. */
	conform_free(rig.conform);
	rig.conform = NULL;
	rig_config(&rig, "freed_reads: [echo_text]\n");
	rig_start(&rig);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	rig_close(&rig);
	return 0;
}

/* ---- Helpers ---- */

static struct answer ask(const char *verb, const struct secret *token,
			 const char *headers)
{
	char bytes[1024];

	(void)snprintf(bytes, sizeof bytes,
		       "%s /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
		       "Authorization: Bearer %s\r\n%s\r\n",
		       verb, (const char *)secret_bytes(token), headers);
	return rig_send_raw(&rig, bytes, strlen(bytes));
}

/* A GET that stays open. */
static int open_stream(const struct secret *token, const char *session, const char *more)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(rig.port) };
	const struct timeval patience = { .tv_sec = 10 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char bytes[1024];

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
	(void)snprintf(
		bytes, sizeof bytes,
		"GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n"
		"Authorization: Bearer %s\r\nMcp-Session-Id: %s\r\n%s\r\n",
		(const char *)secret_bytes(token), session, more);
	assert_int_equal(send(fd, bytes, strlen(bytes), 0), strlen(bytes));
	return fd;
}

/* Reads until 'word' was seen; "" stands for the end of the connection. */
static char *read_until(int fd, const char *word)
{
	_cleanup_strbuf_ struct strbuf all = STRBUF_INIT;
	char chunk[1024];
	ssize_t n = 1;

	while (!*word || !strstr(all.data, word)) {
		n = recv(fd, chunk, sizeof chunk, 0);
		if (n <= 0)
			break;
		strbuf_add(&all, chunk, (size_t)n);
	}
	if (*word && !strstr(all.data, word))
		print_message("# no '%s' in: %s\n", word, all.data);
	assert_true(*word ? strstr(all.data, word) != NULL : n == 0);
	return strbuf_take(&all);
}

static struct session *find(const char *id, const struct secret *token)
{
	struct caller caller;
	struct error err = ERROR_INIT;

	assert_true(token_index_find(rig.service->tokens, secret_bytes(token),
				     clock_wall_ms(), &caller, &err));
	struct session *s =
		session_find(rig.service->sessions, id, &caller, clock_mono_ms());
	assert_non_null(s);
	return s;
}

static void say(const char *id, const struct secret *token, const char *text)
{
	_cleanup_(session_unrefp) struct session *s = find(id, token);

	assert_true(session_send(s, text, strlen(text)));
}

/* ---- Sessions ---- */

static void a_session_is_its_principals(void **state)
{
	char id[64], line[128];

	(void)state;
	begin(rig.alice, "2025-11-25", id);
	(void)snprintf(line, sizeof line,
		       "Accept: text/event-stream\r\nMcp-Session-Id: %s\r\n", id);
	_cleanup_answer_ struct answer theirs =
		post(rig.bob, id, "", REQUEST("ping", ""));
	assert_int_equal(theirs.status, 404);
	_cleanup_answer_ struct answer stream = ask("GET", rig.bob, line);
	assert_int_equal(stream.status, 404);
	_cleanup_answer_ struct answer end = ask("DELETE", rig.bob, line);
	assert_int_equal(end.status, 404);
	_cleanup_answer_ struct answer own = post(rig.alice, id, "", REQUEST("ping", ""));
	assert_int_equal(own.status, 200);
}

static void delete_ends_a_session_and_its_stream(void **state)
{
	char id[64], line[128];

	(void)state;
	begin(rig.alice, "2025-11-25", id);
	(void)snprintf(line, sizeof line, "Mcp-Session-Id: %s\r\n", id);
	_cleanup_close_ int fd = open_stream(rig.alice, id, "");
	free(read_until(fd, "id: 1:0\n"));
	_cleanup_answer_ struct answer end = ask("DELETE", rig.alice, line);
	assert_int_equal(end.status, 200);
	free(read_until(fd, ""));
	_cleanup_answer_ struct answer again = ask("DELETE", rig.alice, line);
	assert_int_equal(again.status, 404);
	_cleanup_answer_ struct answer ping =
		post(rig.alice, id, "", REQUEST("ping", ""));
	assert_int_equal(ping.status, 404);
	_cleanup_answer_ struct answer none = ask("DELETE", rig.alice, "");
	assert_int_equal(none.status, 400);
}

static void sessions_have_limits(void **state)
{
	static const struct session_client newest = { .revision = LEGACY_2025_11_25 };
	struct sessions *all = sessions_new();
	struct caller a = { .principal = "a", .client = "1" };
	struct caller b = { .principal = "a", .client = "2" };
	struct error err = ERROR_INIT;
	int64_t now_ms = clock_mono_ms() + 1000000;
	struct session *held[SESSIONS_PER_CLIENT_MAX];
	char first[64];

	(void)state;
	for (size_t i = 0; i < SESSIONS_PER_CLIENT_MAX; i++) {
		held[i] = session_start(all, &a, &newest, now_ms + (int64_t)i, &err);
		assert_non_null(held[i]);
	}
	/* All are in use: none can be given up; another client is not touched by it. */
	assert_null(session_start(all, &a, &newest, now_ms, &err));
	assert_int_equal(err.code, ERR_RATE_LIMITED);
	struct session *other = session_start(all, &b, &newest, now_ms, &err);
	assert_non_null(other);
	session_unref(other);
	(void)snprintf(first, sizeof first, "%s", session_id(held[0]));
	for (size_t i = 0; i < SESSIONS_PER_CLIENT_MAX; i++)
		session_unref(held[i]);
	/* One more, and the oldest goes. */
	struct session *more = session_start(all, &a, &newest, now_ms, &err);
	assert_non_null(more);
	session_unref(more);
	assert_int_equal(sessions_count(all), SESSIONS_PER_CLIENT_MAX + 1);
	assert_null(session_find(all, first, &a, now_ms));
	/* Idle ones end; the last one at its last moment does not. */
	(void)snprintf(first, sizeof first, "%s", session_id(more));
	more = session_find(all, first, &a, now_ms + SESSION_IDLE_MS - 1);
	assert_non_null(more);
	session_unref(more);
	assert_null(session_find(all, first, &a, now_ms + 2 * SESSION_IDLE_MS - 1));
	struct session *late = session_start(all, &b, &newest,
					     now_ms + 3 * (int64_t)SESSION_IDLE_MS, &err);
	session_unref(late);
	assert_int_equal(sessions_count(all), 1);
	sessions_close(all);
	assert_int_equal(sessions_count(all), 0);
	assert_null(session_start(all, &b, &newest, now_ms, &err));
	sessions_free(all);
}

/* ---- Streams ---- */

static void streams_are_refused_rightly(void **state)
{
	char id[64], line[256];
	static const char *const odd[] = { "1:1", "2:0",  "1:-1",
					   "x",   "1:00", "1:0x",
					   "1:",  "1: 0", "1:99999999999999999999" };

	(void)state;
	begin(rig.alice, "2025-11-25", id);
	_cleanup_answer_ struct answer none =
		ask("GET", rig.alice, "Accept: text/event-stream\r\n");
	assert_int_equal(none.status, 400);
	_cleanup_answer_ struct answer unknown =
		ask("GET", rig.alice,
		    "Accept: text/event-stream\r\nMcp-Session-Id: gone\r\n");
	assert_int_equal(unknown.status, 404);
	(void)snprintf(line, sizeof line,
		       "Accept: application/json\r\nMcp-Session-Id: %s\r\n", id);
	_cleanup_answer_ struct answer type = ask("GET", rig.alice, line);
	assert_int_equal(type.status, 406);
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		(void)snprintf(line, sizeof line,
			       "Accept: text/event-stream\r\nMcp-Session-Id: %s\r\n"
			       "Last-Event-ID: %s\r\n",
			       id, odd[i]);
		_cleanup_answer_ struct answer a = ask("GET", rig.alice, line);
		assert_int_equal(a.status, 400);
	}
}

static void a_stream_is_read_on_where_it_broke(void **state)
{
	char id[64], other[64];

	(void)state;
	begin(rig.alice, "2025-06-18", id);
	begin(rig.alice, "2025-06-18", other);
	say(other, rig.alice, "\"theirs\"");
	say(id, rig.alice, "\"early\"");
	int fd = open_stream(rig.alice, id, "");
	_cleanup_free_ char *early = read_until(fd, "early");
	assert_non_null(strstr(early, "id: 1:1\ndata: \"early\"\n"));
	assert_null(strstr(early, "id: 1:0")); /* no priming before 2025-11-25 */
	say(id, rig.alice, "\"two\"");
	free(read_until(fd, "id: 1:2\ndata: \"two\"\n\n"));
	/* A second GET takes over. */
	int second = open_stream(rig.alice, id, "");
	free(read_until(fd, ""));
	(void)close(fd);
	(void)close(second);
	say(id, rig.alice, "\"three\"");
	fd = open_stream(rig.alice, id, "Last-Event-ID: 1:1\r\n");
	_cleanup_free_ char *replay = read_until(fd, "three");
	assert_non_null(strstr(replay, "\"two\""));
	assert_null(strstr(replay, "early"));
	assert_null(strstr(replay, "theirs"));
	(void)close(fd);
	/* What has left the ring is not to be had. */
	for (int i = 0; i < SESSION_EVENTS_MAX + 1; i++)
		say(id, rig.alice, "\"more\"");
	char line[256];
	(void)snprintf(line, sizeof line,
		       "Accept: text/event-stream\r\nMcp-Session-Id: %s\r\n"
		       "Last-Event-ID: 1:1\r\n",
		       id);
	_cleanup_answer_ struct answer lost = ask("GET", rig.alice, line);
	assert_int_equal(lost.status, 400);
	fd = open_stream(rig.alice, id, "Last-Event-ID: 1:4\r\n");
	free(read_until(fd, "id: 1:68\n"));
	(void)close(fd);
}

static void the_newest_of_them_is_primed(void **state)
{
	char id[64];

	(void)state;
	begin(rig.alice, "2025-11-25", id);
	_cleanup_close_ int fd = open_stream(rig.alice, id, "");
	free(read_until(fd, "id: 1:0\nretry: 1500\ndata: \n\n"));
}

static void stopping_ends_streams(void **state)
{
	char id[64];

	(void)state;
	begin(rig.alice, "2025-11-25", id);
	_cleanup_close_ int fd = open_stream(rig.alice, id, "");
	free(read_until(fd, "id: 1:0\n"));
	int64_t start_ms = clock_mono_ms();
	mcp_service_stop(rig.service, 10000);
	assert_true(clock_mono_ms() - start_ms < 5000);
	free(read_until(fd, ""));
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_is_its_principals),
		cmocka_unit_test(delete_ends_a_session_and_its_stream),
		cmocka_unit_test(sessions_have_limits),
		cmocka_unit_test(streams_are_refused_rightly),
		cmocka_unit_test(a_stream_is_read_on_where_it_broke),
		cmocka_unit_test(the_newest_of_them_is_primed),
		cmocka_unit_test(stopping_ends_streams),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
