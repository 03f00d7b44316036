/*
 * bench-listen PORT COUNT SECONDS PID LISTEN-FILE TELL-FILE -- open subscriptions, and the
 * time until all of them are told.
 *
 * The files hold one HTTP request each: one that listens, one whose effect is that all
 * who listen are told of changed tools. As many streams as COUNT are opened one after the
 * other, or as come in SECONDS; each must acknowledge. Prints {"listen":{"streams",
 * "bytes" (of the server's resident memory, for each), "tell_ms" (median)}}.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/file.h"
#include "bench/measure.h"

enum {
	STREAMS_MAX = 10000,
	FIRST = 16, /* what these cost is the server's own */
	RESERVED_FDS = 200,
	REQUEST_MAX = 65536,
	ROUNDS = 3,
	PATIENCE_MS = 30000,
	TAIL = 32, /* bytes kept of a stream, so that words are found across reads */
};

static const char ACKNOWLEDGED[] = "subscriptions/acknowledged";
static const char CHANGED[] = "tools/list_changed";

struct reader {
	int fd;
	bool is_told;
	size_t kept;
	char tail[TAIL];
};

struct readers {
	int epoll_fd;
	uint16_t port;
	unsigned count;
	struct reader list[STREAMS_MAX + FIRST];
};

static int64_t resident_bytes(const char *pid)
{
	char path[64], line[128], *second;

	(void)snprintf(path, sizeof path, "/proc/%s/statm", pid);
	FILE *f = fopen(path, "re");
	if (!f || !fgets(line, sizeof line, f) || !(second = strchr(line, ' ')))
		measure_fail("cannot read %s", path);
	(void)fclose(f);
	return strtoll(second, NULL, 10) * sysconf(_SC_PAGESIZE);
}

static int send_request(uint16_t port, const struct strbuf *request)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof at) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
	    send(fd, request->data, request->length, MSG_NOSIGNAL) !=
		    (ssize_t)request->length)
		measure_fail("cannot send a request: %s", strerror(errno));
	return fd;
}

/* Read on until 'word' came. */
static void await(int fd, const char *word)
{
	char text[16384];
	size_t length = 0;

	do {
		ssize_t n = recv(fd, text + length, sizeof text - 1 - length, 0);
		if (n <= 0)
			measure_fail("'%s' did not come: %.*s", word, (int)length, text);
		length += (size_t)n;
		text[length] = '\0';
	} while (!strstr(text, word));
}

static void open_one(struct readers *r, const struct strbuf *request)
{
	struct reader *one = &r->list[r->count];
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = one };

	*one = (struct reader){ .fd = send_request(r->port, request) };
	await(one->fd, ACKNOWLEDGED);
	if (epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, one->fd, &event) != 0)
		measure_fail("cannot wait for a stream");
	r->count++;
}

/* Whether the word stands in what this read brought, or across the last one and it. */
static void read_one(struct reader *one, unsigned *left)
{
	char text[TAIL + 4096 + 1];
	size_t kept = one->kept;

	memcpy(text, one->tail, kept);
	ssize_t n = recv(one->fd, text + kept, sizeof text - 1 - kept, MSG_DONTWAIT);
	if (n <= 0)
		measure_fail("a stream has ended");
	size_t length = kept + (size_t)n;
	text[length] = '\0';
	bool has = memmem(text, length, CHANGED, strlen(CHANGED)) != NULL;
	if (has && !one->is_told) {
		one->is_told = true;
		(*left)--;
	}
	one->kept = has ? 0 : length < TAIL ? length : TAIL;
	memcpy(one->tail, text + length - one->kept, one->kept);
}

static double tell(struct readers *r, const struct strbuf *request)
{
	struct epoll_event events[512];
	unsigned left = r->count;

	for (unsigned i = 0; i < r->count; i++)
		r->list[i].is_told = false;
	int64_t start_ns = measure_now_ns();
	int fd = send_request(r->port, request);
	while (left > 0) {
		int n = epoll_wait(r->epoll_fd, events, 512, PATIENCE_MS);
		if (n <= 0)
			measure_fail("%u of %u streams were not told", left, r->count);
		for (int i = 0; i < n; i++)
			read_one(events[i].data.ptr, &left);
	}
	int64_t took_ns = measure_now_ns() - start_ns;
	await(fd, "\"result\"");
	(void)close(fd);
	return (double)took_ns / 1e6;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static unsigned count_allowed(unsigned long wanted)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		measure_fail("cannot read the limit of open files");
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	if (wanted > STREAMS_MAX)
		wanted = STREAMS_MAX;
	if (limit.rlim_max < wanted + RESERVED_FDS + FIRST)
		wanted = limit.rlim_max > 2 * RESERVED_FDS
				 ? limit.rlim_max - RESERVED_FDS - FIRST
				 : 1;
	return (unsigned)wanted;
}

static void load(struct strbuf *request, const char *path)
{
	struct error err = ERROR_INIT;

	if (!file_read(path, REQUEST_MAX, request, &err))
		measure_fail_error("request", &err);
}

int main(int argc, char **argv)
{
	static struct readers r;
	_cleanup_strbuf_ struct strbuf listen = STRBUF_INIT, trigger = STRBUF_INIT;
	double ms[ROUNDS];

	if (argc != 7)
		measure_fail("usage: bench-listen PORT COUNT SECONDS PID LISTEN-FILE "
			     "TELL-FILE");
	unsigned count = count_allowed(strtoul(argv[2], NULL, 10));
	int64_t until_ns = measure_now_ns() + strtoll(argv[3], NULL, 10) * 1000000000;
	load(&listen, argv[5]);
	load(&trigger, argv[6]);
	r.port = (uint16_t)strtoul(argv[1], NULL, 10);
	r.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned i = 0; i < FIRST; i++)
		open_one(&r, &listen);
	int64_t before = resident_bytes(argv[4]);
	while (r.count < count + FIRST && measure_now_ns() < until_ns)
		open_one(&r, &listen);
	int64_t bytes = resident_bytes(argv[4]) - before;
	for (int i = 0; i < ROUNDS; i++)
		ms[i] = tell(&r, &trigger);
	qsort(ms, ROUNDS, sizeof ms[0], compare);
	(void)printf("{\"listen\":{\"streams\":%u,\"bytes\":%.0f,\"tell_ms\":%.1f}}\n",
		     r.count - FIRST, (double)bytes / (r.count - FIRST), ms[ROUNDS / 2]);
	return EXIT_SUCCESS;
}
