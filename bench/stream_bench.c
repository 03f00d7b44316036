/*
 * stream_bench -- ten thousand idle streams: the memory of each, and how long it takes
 * to tell all of them one event, against libmicrohttpd alone (bare_stream.c).
 *
 * The server is a process on one core, the readers are one process on another. "told"
 * counts events that a reader has read to the last byte; the "memory" rows count idle
 * streams that fit into 1 GiB of the server's resident memory. Fewer streams are opened
 * where the limit of open files does not allow ten thousand.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "bench/bare_stream.h"
#include "bench/measure.h"
#include "wire/http_stream.h"
#include "wire/httpd.h"
#include "wire/sse.h"

enum {
	STREAMS = 10000,
	FIRST = 16,
	RESERVED_FDS = 200,
	ROUNDS = 10,
	PATIENCE_MS = 20000
};

static const char EVENT[] =
	"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/"
	"list_changed\",\"params\":{"
	"\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":\"listen-1\"}}}";

/* ---- Our server ---- */

struct ours {
	pthread_mutex_t lock;
	struct http_stream *stream[STREAMS + FIRST];
	unsigned count;
};

static void open_stream(void *context, struct http_request *req)
{
	struct ours *o = context;
	struct http_stream *s =
		http_reply_stream(req, 200, "text/event-stream", NULL, NULL, NULL);

	(void)pthread_mutex_lock(&o->lock);
	if (s && o->count < STREAMS + FIRST)
		o->stream[o->count++] = s;
	else
		http_stream_unref(s);
	(void)pthread_mutex_unlock(&o->lock);
}

/* Tell everybody once for each byte that comes. */
static _Noreturn void serve_ours(const char *event, size_t length, int in, int out)
{
	static struct ours o;
	struct httpd_config config = { .address = "127.0.0.1",
				       .loops = 1,
				       .stream_max = STREAMS,
				       .keepalive_ms = 3600 * 1000,
				       .handler = open_stream,
				       .context = &o };
	struct error err = ERROR_INIT;
	char go;

	(void)pthread_mutex_init(&o.lock, NULL);
	struct httpd *h = httpd_start(&config, &err);
	uint16_t port = h ? httpd_port(h) : 0;
	if (!h)
		measure_fail_error("server", &err);
	if (write(out, &port, sizeof port) != sizeof port)
		_exit(1);
	while (read(in, &go, 1) == 1) {
		struct shared_bytes *text = shared_bytes_new(event, length);
		if (!text)
			_exit(1);
		http_streams_send(o.stream, o.count, text);
		shared_bytes_unref(text);
	}
	_exit(0);
}

/* ---- Servers as processes ---- */

struct server {
	pid_t pid;
	uint16_t port;
	int tell_fd;
};

static void stay_on(int core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)core, &set);
	(void)sched_setaffinity(0, sizeof set, &set);
}

static struct server start(bool bare, const struct strbuf *event)
{
	struct server s = { 0 };
	int in[2], out[2];

	if (pipe(in) != 0 || pipe(out) != 0 || (s.pid = fork()) < 0)
		measure_fail("cannot start a server");
	if (s.pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)close(in[1]);
		stay_on(0);
		if (bare)
			bare_stream_serve(event->data, event->length, in[0], out[1]);
		serve_ours(event->data, event->length, in[0], out[1]);
	}
	(void)close(in[0]);
	(void)close(out[1]);
	s.tell_fd = in[1];
	if (read(out[0], &s.port, sizeof s.port) != sizeof s.port)
		measure_fail("a server did not start");
	(void)close(out[0]);
	return s;
}

static void stop(const struct server *s)
{
	(void)close(s->tell_fd);
	(void)kill(s->pid, SIGKILL);
	(void)waitpid(s->pid, NULL, 0);
}

static int64_t resident_bytes(pid_t pid)
{
	char path[64], line[128], *second;

	(void)snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
	FILE *f = fopen(path, "re");
	if (!f || !fgets(line, sizeof line, f) || !(second = strchr(line, ' ')))
		measure_fail("cannot read %s", path);
	(void)fclose(f);
	return strtoll(second, NULL, 10) * sysconf(_SC_PAGESIZE);
}

/* ---- Readers ---- */

struct readers {
	int epoll_fd;
	unsigned count;
	int fd[STREAMS];
	size_t due[STREAMS]; /* bytes that are to come */
};

static void read_head(int fd)
{
	char text[2048];
	size_t length = 0;

	for (;;) {
		ssize_t n = recv(fd, text + length, sizeof text - 1 - length, 0);
		if (n <= 0)
			measure_fail("a stream was not opened");
		length += (size_t)n;
		text[length] = '\0';
		if (strstr(text, "\r\n\r\n3\r\n:\n\n\r\n"))
			return;
	}
}

static void open_readers(struct readers *r, uint16_t port, unsigned count)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n"
				      "Accept: text/event-stream\r\n\r\n";
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	r->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	r->count = count;
	for (unsigned i = 0; i < count; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.u32 = i };
		r->fd[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (r->fd[i] < 0 ||
		    connect(r->fd[i], (struct sockaddr *)&at, sizeof at) != 0 ||
		    send(r->fd[i], request, sizeof request - 1, MSG_NOSIGNAL) < 0 ||
		    epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, r->fd[i], &event) != 0)
			measure_fail("cannot open stream %u", i);
		read_head(r->fd[i]);
	}
}

static void close_readers(struct readers *r)
{
	for (unsigned i = 0; i < r->count; i++)
		(void)close(r->fd[i]);
	(void)close(r->epoll_fd);
}

static void read_one(struct readers *r, unsigned i, unsigned *open)
{
	char text[1024];
	ssize_t n = recv(r->fd[i], text, sizeof text, MSG_DONTWAIT);

	if (n <= 0 || (size_t)n > r->due[i])
		measure_fail("a stream said something else");
	r->due[i] -= (size_t)n;
	if (r->due[i] == 0)
		(*open)--;
}

static void read_all(struct readers *r, size_t length)
{
	struct epoll_event event[512];
	unsigned open = r->count;

	for (unsigned i = 0; i < r->count; i++)
		r->due[i] = length;
	while (open > 0) {
		int n = epoll_wait(r->epoll_fd, event, 512, PATIENCE_MS);
		if (n <= 0)
			measure_fail("%u streams were not told", open);
		for (int i = 0; i < n; i++)
			read_one(r, event[i].data.u32, &open);
	}
}

/* ---- Measuring ---- */

static unsigned count_allowed(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		measure_fail("cannot read the limit of open files");
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_max >= STREAMS + RESERVED_FDS)
		return STREAMS;
	return limit.rlim_max > 2 * RESERVED_FDS ? (unsigned)limit.rlim_max - RESERVED_FDS
						 : 1;
}

static void measure(bool bare, unsigned count, const struct strbuf *event)
{
	static struct readers r;
	struct measure told = { bare ? "bare" : "told", 0, 0 };
	struct measure memory = { bare ? "bare_memory" : "memory", count, 0 };
	size_t on_wire = 2 + 2 + event->length +
			 2; /* as a chunk of less than 256 bytes */
	struct server s = start(bare, event);

	/* what the first few cost is the server's own */
	open_readers(&r, s.port, FIRST);
	close_readers(&r);
	int64_t before = resident_bytes(s.pid);
	open_readers(&r, s.port, count);
	int64_t bytes = resident_bytes(s.pid) - before;
	memory.ns = (int64_t)((double)bytes * 1e9 / (1024.0 * 1024 * 1024));
	for (int i = 0; i < ROUNDS; i++) {
		int64_t start_ns = measure_now_ns();
		if (write(s.tell_fd, "t", 1) != 1)
			measure_fail("the server has ended");
		read_all(&r, on_wire);
		told.ns += measure_now_ns() - start_ns;
		told.count += count;
	}
	close_readers(&r);
	stop(&s);
	(void)fprintf(stderr, "%s: %u streams, %.0f bytes each, all told in %.1f ms\n",
		      told.variant, count, (double)bytes / count,
		      (double)told.ns / ROUNDS / 1e6);
	measure_print(&told);
	measure_print(&memory);
}

int main(int argc, char **argv)
{
	_cleanup_strbuf_ struct strbuf event = STRBUF_INIT;
	unsigned count = count_allowed();

	(void)argv;
	if (argc != 2)
		measure_fail("usage: bench-stream FOLDER");
	sse_write(&event, "message", NULL, -1, EVENT, strlen(EVENT));
	if (!strbuf_ok(&event) || event.length < 16 || event.length > 255)
		measure_fail("the event has another length");
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
		stay_on(1);
	measure(true, count, &event);
	measure(false, count, &event);
	return EXIT_SUCCESS;
}
