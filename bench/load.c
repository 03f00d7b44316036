#include "bench/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "bench/histogram.h"
#include "bench/measure.h"

enum { PATIENCE_MS = 10000 };

struct connection {
	int fd;
	bool is_busy;
	int64_t due_ns; /* of the request under way */
	size_t got;
	char *reply; /* LOAD_REPLY_MAX bytes */
};

struct run {
	const struct load *load;
	struct error *err;
	int epoll;
	struct connection *connections;
	size_t next_request; /* of 'requests' */
	int64_t start_ns;
	uint64_t due_count; /* open loop: requests that fell due and were sent */
	bool is_ending;     /* nothing more is sent, and what comes does not count */
	unsigned busy;      /* connections with a request under way */
	char *first;        /* body of the first reply */
	size_t first_bytes;
	uint64_t done;
	struct histogram latencies;
};

static bool connect_one(struct run *r, struct connection *c)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(r->load->port) };
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
	int one = 1;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c->reply = malloc(LOAD_REPLY_MAX);
	if (!c->reply)
		return error_oom(r->err);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&to, sizeof to) != 0 ||
	    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0 ||
	    epoll_ctl(r->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0)
		return error_errno(r->err, "cannot connect to port %u", r->load->port);
	return true;
}

/* NULL: there is no further one. */
static const char *next_request(struct run *r)
{
	if (!r->load->requests)
		return r->load->request;
	const char *request = r->load->requests[r->next_request];
	r->next_request += request != NULL;
	return request;
}

/* The request is far smaller than a socket's buffer, and the last reply was read whole. */
static bool send_one(struct run *r, struct connection *c, int64_t due_ns)
{
	const char *request = next_request(r);
	size_t length = request ? strlen(request) : 0;

	c->got = 0;
	c->due_ns = due_ns;
	c->is_busy = request != NULL;
	r->busy += c->is_busy;
	if (request && send(c->fd, request, length, MSG_NOSIGNAL) != (ssize_t)length)
		return error_errno(r->err, "cannot send");
	return true;
}

/* ---- Replies ---- */

/* The value of a header, NULL if it is not there. 'head' ends at 'end'. */
static const char *find_header(const char *head, const char *end, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = head; at && at < end;) {
		at = memmem(at, (size_t)(end - at), "\r\n", 2);
		at = at ? at + 2 : NULL;
		if (at && strncasecmp(at, name, length) == 0 && at[length] == ':')
			return at + length + 1;
	}
	return NULL;
}

/* Whether the reply is here in whole; its body, of chunks as they are. */
static bool is_whole(const struct connection *c, const char **ret_body, size_t *ret_bytes)
{
	static const char last[] = "0\r\n\r\n";
	const char *end = memmem(c->reply, c->got, "\r\n\r\n", 4);

	if (!end)
		return false;
	const char *length = find_header(c->reply, end, "Content-Length");
	*ret_body = end + 4;
	if (length) {
		*ret_bytes = (size_t)strtoul(length, NULL, 10);
		return c->got >= (size_t)(*ret_body - c->reply) + *ret_bytes;
	}
	*ret_bytes = c->got - (size_t)(*ret_body - c->reply);
	return *ret_bytes >= sizeof last - 1 &&
	       memcmp(c->reply + c->got - (sizeof last - 1), last, sizeof last - 1) == 0;
}

static bool judge(struct run *r, const struct connection *c, const char *body,
		  size_t bytes)
{
	if (r->first && !r->load->differs)
		return (bytes == r->first_bytes && memcmp(body, r->first, bytes) == 0) ||
		       error_set(r->err, ERR_INTERNAL,
				 "a reply differs from the first: %.200s", body);
	if (strncmp(c->reply, "HTTP/1.1 200 ", 13) != 0 ||
	    !memmem(body, bytes, r->load->expect, strlen(r->load->expect)))
		return error_set(r->err, ERR_INTERNAL, "not the expected reply: %.250s",
				 body);
	if (r->first)
		return true;
	r->first = malloc(bytes + 1);
	if (!r->first)
		return error_oom(r->err);
	memcpy(r->first, body, bytes);
	r->first_bytes = bytes;
	return true;
}

static bool receive(struct run *r, struct connection *c)
{
	ssize_t n =
		recv(c->fd, c->reply + c->got, LOAD_REPLY_MAX - 1 - c->got, MSG_DONTWAIT);
	const char *body;
	size_t bytes;

	if (n < 0 && errno == EAGAIN)
		return true;
	if (n <= 0)
		return error_errno(r->err, "the server closed a connection");
	c->got += (size_t)n;
	c->reply[c->got] = '\0';
	if (!is_whole(c, &body, &bytes))
		return c->got < LOAD_REPLY_MAX - 1 ||
		       error_set(r->err, ERR_INTERNAL, "a reply is too long");
	if (!judge(r, c, body, bytes))
		return false;
	c->is_busy = false;
	r->busy--;
	if (r->is_ending)
		return true;
	int64_t now_ns = measure_now_ns();
	histogram_add(&r->latencies, (uint64_t)(now_ns - c->due_ns));
	r->done++;
	return r->load->rate > 0 || send_one(r, c, now_ns);
}

/* ---- Turns ---- */

static int64_t due_ns(const struct run *r)
{
	return r->start_ns + (int64_t)((double)r->due_count * 1e9 / r->load->rate);
}

/* Send what is due, as far as connections are free. */
static bool send_due(struct run *r)
{
	int64_t now_ns = measure_now_ns();

	for (unsigned i = 0; i < r->load->connections && due_ns(r) <= now_ns; i++) {
		if (r->connections[i].is_busy)
			continue;
		if (!send_one(r, &r->connections[i], due_ns(r)))
			return false;
		r->due_count++;
	}
	return true;
}

static bool turn(struct run *r)
{
	struct epoll_event events[256];
	/* The clock of the open loop is finer than epoll's: it is watched. */
	int n = epoll_wait(r->epoll, events, ARRAY_SIZE(events),
			   r->load->rate > 0 && !r->is_ending ? 0 : PATIENCE_MS);

	if (n < 0 && errno != EINTR)
		return error_errno(r->err, "cannot wait");
	if (n == 0 && (r->load->rate <= 0 || r->is_ending))
		return error_set(r->err, ERR_TIMEOUT, "the server does not answer");
	for (int i = 0; i < n; i++)
		if (!receive(r, events[i].data.ptr))
			return false;
	return r->load->rate <= 0 || r->is_ending || send_due(r);
}

static bool is_over(const struct run *r)
{
	if (r->load->requests && r->load->requests[r->next_request] == NULL)
		return true;
	int64_t ran_ms = (measure_now_ns() - r->start_ns) / 1000000;

	/* The slowest get the time for one answer. */
	return ran_ms >= r->load->duration_ms &&
	       (r->done > 0 || ran_ms >= r->load->duration_ms + PATIENCE_MS);
}

static bool run(struct run *r, int64_t *ret_ns)
{
	for (unsigned i = 0; i < r->load->connections; i++)
		if (!connect_one(r, &r->connections[i]))
			return false;
	r->start_ns = measure_now_ns();
	for (unsigned i = 0; r->load->rate <= 0 && i < r->load->connections; i++)
		if (!send_one(r, &r->connections[i], measure_now_ns()))
			return false;
	while (!is_over(r))
		if (!turn(r))
			return false;
	*ret_ns = measure_now_ns() - r->start_ns;
	/* What is under way is waited for: it must not burden what is measured next. */
	r->is_ending = true;
	while (r->busy > 0)
		if (!turn(r))
			return false;
	return r->done > 0 ||
	       error_set(r->err, ERR_TIMEOUT, "the server does not answer in time");
}

bool load_run(const struct load *load, struct load_result *ret, struct error *err)
{
	struct run *r = calloc(1, sizeof *r);
	int64_t took_ns = 1;
	bool good;

	if (!r)
		return error_oom(err);
	r->load = load;
	r->err = err;
	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	r->connections = calloc(load->connections, sizeof *r->connections);
	good = r->epoll >= 0 && r->connections &&
	       load->connections <= LOAD_CONNECTIONS_MAX;
	for (unsigned i = 0; r->connections && i < load->connections; i++)
		r->connections[i].fd = -1;
	good = good ? run(r, &took_ns) : error_errno(err, "cannot start the load");
	*ret = (struct load_result){
		.count = r->done,
		.seconds = (double)took_ns / 1e9,
		.p50_us = histogram_at(&r->latencies, 0.5) / 1e3,
		.p99_us = histogram_at(&r->latencies, 0.99) / 1e3,
		.p999_us = histogram_at(&r->latencies, 0.999) / 1e3,
	};
	for (unsigned i = 0; r->connections && i < load->connections; i++) {
		if (r->connections[i].fd >= 0)
			(void)close(r->connections[i].fd);
		free(r->connections[i].reply);
	}
	if (r->epoll >= 0)
		(void)close(r->epoll);
	free(r->connections);
	free(r->first);
	free(r);
	return good;
}
