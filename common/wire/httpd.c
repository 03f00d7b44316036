#include "wire/httpd.h"
#include "wire/httpd_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>

enum { BACKLOG = 1024, RESERVED_FDS = 64 };

struct httpd {
	struct httpd_shared *shared;
	uint16_t port;
	unsigned loop_count;
	struct httpd_loop *loop[HTTPD_LOOPS_MAX];
};

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
	socklen_t length;
	bool loopback;
};

static bool parse_address(const struct httpd_config *config, struct address *ret,
			  struct error *err)
{
	struct address a = { 0 };

	if (inet_pton(AF_INET, config->address, &a.v4.sin_addr) == 1) {
		a.v4.sin_family = AF_INET;
		a.v4.sin_port = htons(config->port);
		a.length = sizeof a.v4;
		a.loopback = ntohl(a.v4.sin_addr.s_addr) >> 24 == 127;
	} else if (inet_pton(AF_INET6, config->address, &a.v6.sin6_addr) == 1) {
		a.v6.sin6_family = AF_INET6;
		a.v6.sin6_port = htons(config->port);
		a.length = sizeof a.v6;
		a.loopback = IN6_IS_ADDR_LOOPBACK(&a.v6.sin6_addr);
	} else {
		error_set(err, ERR_INVALID_ARGUMENT, "'%s' is no address to listen on",
			  config->address);
		return error_hint(err,
				  "write numbers, such as 127.0.0.1, ::1 or 0.0.0.0");
	}
	*ret = a;
	return true;
}

static bool listen_failed(const struct httpd_config *config, uint16_t port,
			  struct error *err)
{
	bool v6 = strchr(config->address, ':') != NULL;
	int failed = errno;

	error_set(err, failed == EADDRINUSE ? ERR_CONFLICT : ERR_INTERNAL,
		  "cannot listen on %s%s%s:%u: %s", v6 ? "[" : "", config->address,
		  v6 ? "]" : "", port, strerror(failed));
	if (failed == EADDRINUSE)
		error_hint(err, "another program uses this port: stop it, or choose "
				"another port");
	return false;
}

/* For those who vanish without a word while they are waited for; connections inherit it. */
static void keep_alive(int fd)
{
	static const int on = 1, idle_s = 60, interval_s = 15, count = 4;

	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

/* A socket bound to 'a', listening if 'shared'. A shared one may bind beside other
 * shared ones of this user, one that is not beside none. */
static int bind_socket(const struct address *a, bool shared)
{
	_cleanup_close_ int fd =
		socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
	    (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) ||
	    (a->any.sa_family == AF_INET6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) ||
	    bind(fd, &a->any, a->length) != 0 || (shared && listen(fd, BACKLOG) != 0))
		return -1;
	keep_alive(fd);
	return TAKE_FD(fd);
}

static bool learn_port(int fd, struct address *a)
{
	socklen_t length = sizeof a->v6;

	return getsockname(fd, &a->any, &length) == 0;
}

static uint16_t port_of(const struct address *a)
{
	return ntohs(a->any.sa_family == AF_INET ? a->v4.sin_port : a->v6.sin6_port);
}

/* Sockets for all loops on one port. Sharing would let us bind beside another server
 * of the same user and take half its connections: an unshared socket asks first. */
static bool bind_all(const struct httpd_config *config, struct address *a, unsigned count,
		     int fd[static HTTPD_LOOPS_MAX], struct error *err)
{
	if (config->port != 0) {
		_cleanup_close_ int probe = bind_socket(a, false);
		if (probe < 0)
			return listen_failed(config, config->port, err);
	}
	for (unsigned i = 0; i < count; i++) {
		fd[i] = bind_socket(a, true);
		if (fd[i] < 0 || (i == 0 && !learn_port(fd[i], a)))
			return listen_failed(config, port_of(a), err);
	}
	return true;
}

void httpd_shared_unref(struct httpd_shared *shared)
{
	if (shared && atomic_fetch_sub(&shared->refs, 1) == 1)
		free(shared);
}

static bool read_file_limit(size_t *ret, struct error *err)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return error_errno(err, "cannot read the limit of open files");
	if (limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
		if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
			return error_errno(err, "cannot read the limit of open files");
	}
	*ret = limit.rlim_cur;
	return true;
}

/* Raise the soft limit to the hard one, and see what that allows. Short of it,
 * connections come first: at least half. */
static bool allow_connections(struct httpd_config *config, struct error *err)
{
	size_t files = 0;

	if (!read_file_limit(&files, err))
		return false;
	if (files < 2 * RESERVED_FDS)
		return error_set(err, ERR_INTERNAL,
				 "the limit of open files is too low for an HTTP server");
	files -= RESERVED_FDS;
	if (config->connection_max > files / 2 &&
	    config->connection_max + (size_t)config->stream_max > files)
		config->connection_max = (unsigned)(config->stream_max < files / 2
							    ? files - config->stream_max
							    : files / 2);
	if (config->stream_max > files - config->connection_max)
		config->stream_max = (unsigned)(files - config->connection_max);
	return true;
}

static void discard(struct httpd *h)
{
	for (unsigned i = 0; i < h->loop_count; i++)
		if (h->loop[i])
			httpd_loop_join(h->loop[i]);
	httpd_shared_unref(h->shared);
	free(h);
}

static bool start_loops(struct httpd *h, unsigned count, struct error *err)
{
	int fd[HTTPD_LOOPS_MAX] = { -1, -1, -1, -1, -1, -1, -1, -1 };
	struct httpd_config *config = &h->shared->config;
	unsigned made = 0;
	struct address a = { 0 };
	bool good = parse_address(config, &a, err) && allow_connections(config, err) &&
		    bind_all(config, &a, count, fd, err);
	unsigned connections = config->connection_max;

	if (good)
		h->port = port_of(&a);
	for (; good && made < count; made++) {
		unsigned share = connections / count + (connections % count > made);
		h->loop[made] = httpd_loop_new(h->shared, config->tls, a.loopback,
					       fd[made], share ? share : 1, err);
		good = h->loop[made] != NULL;
		if (!good)
			break;
		fd[made] = -1;
	}
	h->loop_count = made;
	config->tls = NULL;
	for (unsigned i = 0; good && i < count; i++)
		good = httpd_loop_start(h->loop[i], err);
	for (unsigned i = 0; i < HTTPD_LOOPS_MAX; i++)
		if (fd[i] >= 0)
			(void)close(fd[i]);
	return good;
}

static struct httpd_shared *share(const struct httpd_config *given)
{
	struct httpd_shared *shared = calloc(1, sizeof *shared);

	if (!shared)
		return NULL;
	atomic_init(&shared->refs, 1);
	shared->config = *given;
	shared->is_tls = given->tls != NULL;
	shared->wants_clients = httpd_tls_wants_clients(given->tls);
	struct httpd_config *c = &shared->config;
	if (c->body_max == 0)
		c->body_max = HTTPD_BODY_MAX;
	if (c->body_max > STRBUF_MAX / 2)
		c->body_max = STRBUF_MAX / 2;
	if (c->connection_max == 0)
		c->connection_max = HTTPD_CONNECTIONS;
	if (c->stream_max == 0)
		c->stream_max = HTTPD_STREAMS;
	if (c->keepalive_ms == 0)
		c->keepalive_ms = HTTP_STREAM_KEEPALIVE_MS;
	return shared;
}

struct httpd *httpd_start(const struct httpd_config *config, struct error *err)
{
	struct httpd *h = calloc(1, sizeof *h);
	unsigned count = config->loops;

	if (!h || !(h->shared = share(config))) {
		free(h);
		error_oom(err);
		return NULL;
	}
	if (count == 0)
		count = (unsigned)get_nprocs();
	if (count > HTTPD_LOOPS_MAX)
		count = HTTPD_LOOPS_MAX;
	if (!start_loops(h, count, err)) {
		for (unsigned i = 0; i < h->loop_count; i++)
			httpd_loop_stop(h->loop[i], 0);
		discard(h);
		return NULL;
	}
	return h;
}

uint16_t httpd_port(const struct httpd *h)
{
	return h->port;
}

void httpd_stop(struct httpd *h, int64_t patience_ms)
{
	if (!h)
		return;
	for (unsigned i = 0; i < h->loop_count; i++)
		httpd_loop_stop(h->loop[i], patience_ms);
	discard(h);
}
