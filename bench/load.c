#include "bench/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/clock.h"

enum { REPLY_MAX = 16384 };

struct connection {
	int fd;
	size_t sent, got;
	char reply[REPLY_MAX];
};

struct run {
	const struct load *load;
	struct error *err;
	int epoll;
	size_t request_bytes;
	struct connection *connections;
	char *first; /* body of the first reply */
	size_t first_bytes;
	uint64_t done;
};

static bool connect_one(struct run *r, struct connection *c)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(r->load->port) };
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
	int one = 1;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&to, sizeof to) != 0 ||
	    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0 ||
	    epoll_ctl(r->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0)
		return error_errno(r->err, "cannot connect to port %u", r->load->port);
	return true;
}

/* The request is far smaller than a socket's buffer, and the last reply was read whole. */
static bool send_one(struct run *r, struct connection *c)
{
	c->got = 0;
	if (send(c->fd, r->load->request, r->request_bytes, MSG_NOSIGNAL) !=
	    (ssize_t)r->request_bytes)
		return error_errno(r->err, "cannot send");
	return true;
}

/* Whether the reply is here in whole; its body. */
static bool is_whole(const struct connection *c, const char **ret_body, size_t *ret_bytes)
{
	const char *end = memmem(c->reply, c->got, "\r\n\r\n", 4);
	const char *length = end ? memmem(c->reply, c->got, "Content-Length: ", 16)
				 : NULL;

	if (!length || length > end)
		return false;
	*ret_body = end + 4;
	*ret_bytes = (size_t)strtoul(length + 16, NULL, 10);
	return c->got >= (size_t)(*ret_body - c->reply) + *ret_bytes;
}

static bool judge(struct run *r, const struct connection *c, const char *body,
		  size_t bytes)
{
	if (r->first)
		return (bytes == r->first_bytes && memcmp(body, r->first, bytes) == 0) ||
		       error_set(r->err, ERR_INTERNAL,
				 "a reply differs from the first: %.200s", body);
	if (strncmp(c->reply, "HTTP/1.1 200 ", 13) != 0 ||
	    !memmem(body, bytes, r->load->expect, strlen(r->load->expect)))
		return error_set(r->err, ERR_INTERNAL, "not the expected reply: %.250s",
				 c->reply);
	r->first = malloc(bytes + 1);
	if (!r->first)
		return error_oom(r->err);
	memcpy(r->first, body, bytes);
	r->first_bytes = bytes;
	return true;
}

static bool receive(struct run *r, struct connection *c)
{
	ssize_t n = recv(c->fd, c->reply + c->got, sizeof c->reply - 1 - c->got,
			 MSG_DONTWAIT);
	const char *body;
	size_t bytes;

	if (n < 0 && errno == EAGAIN)
		return true;
	if (n <= 0)
		return error_errno(r->err, "the server closed a connection");
	c->got += (size_t)n;
	c->reply[c->got] = '\0';
	if (!is_whole(c, &body, &bytes))
		return c->got < sizeof c->reply - 1 ||
		       error_set(r->err, ERR_INTERNAL, "a reply is too long");
	if (!judge(r, c, body, bytes))
		return false;
	r->done++;
	return send_one(r, c);
}

static bool turn(struct run *r)
{
	struct epoll_event events[256];
	int n = epoll_wait(r->epoll, events, ARRAY_SIZE(events), 1000);

	if (n < 0 && errno != EINTR)
		return error_errno(r->err, "cannot wait");
	if (n == 0)
		return error_set(r->err, ERR_TIMEOUT, "the server does not answer");
	for (int i = 0; i < n; i++)
		if (!receive(r, events[i].data.ptr))
			return false;
	return true;
}

static bool run(struct run *r, double *ret_seconds)
{
	for (unsigned i = 0; i < r->load->connections; i++)
		if (!connect_one(r, &r->connections[i]) ||
		    !send_one(r, &r->connections[i]))
			return false;
	int64_t start_ms = clock_mono_ms(), now_ms = start_ms;

	while (now_ms - start_ms < r->load->duration_ms) {
		if (!turn(r))
			return false;
		now_ms = clock_mono_ms();
	}
	*ret_seconds = (double)(now_ms - start_ms) / 1000.0;
	return true;
}

bool load_run(const struct load *load, uint64_t *ret_count, double *ret_seconds,
	      struct error *err)
{
	struct run r = {
		.load = load,
		.err = err,
		.epoll = epoll_create1(EPOLL_CLOEXEC),
		.request_bytes = strlen(load->request),
		.connections = calloc(load->connections, sizeof *r.connections),
	};
	bool good = r.epoll >= 0 && r.connections &&
		    load->connections <= LOAD_CONNECTIONS_MAX;

	for (unsigned i = 0; r.connections && i < load->connections; i++)
		r.connections[i].fd = -1;
	good = good ? run(&r, ret_seconds) : error_errno(err, "cannot start the load");
	*ret_count = r.done;
	for (unsigned i = 0; r.connections && i < load->connections; i++)
		if (r.connections[i].fd >= 0)
			(void)close(r.connections[i].fd);
	if (r.epoll >= 0)
		(void)close(r.epoll);
	free(r.connections);
	free(r.first);
	return good;
}
