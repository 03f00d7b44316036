/* A socket to Redis, by a deadline. */
#include "link/coordination/redis_link.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/un.h>

#include "base/clock.h"

enum {
	/* A peer that vanished is noticed on a subscription, which only listens. */
	KEEPALIVE_S = 20,
	KEEPALIVE_TRIES = 3,
};

bool redis_fail(const struct coord_redis_access *a, struct error *err, const char *format,
		...)
{
	char what[240];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(what, sizeof what, format, args);
	va_end(args);
	/* Some of it is its own words, and may be cut within a character. */
	for (char *p = what; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return error_set(err, ERR_BACKEND_UNAVAILABLE, "store '%.80s' %s", a->name, what);
}

/* ---- Waiting --------------------------------------------------------------------- */

bool redis_wait(const struct coord_redis_access *a, int fd, short events,
		int64_t deadline_ms, struct error *err)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t left = deadline_ms - clock_mono_ms();
	int n = left > 0 ? poll(&p, 1, (int)left) : 0;

	if (n > 0 || (n < 0 && errno == EINTR))
		return true;
	if (n < 0)
		return redis_fail(a, err, "cannot be waited for: %s", strerror(errno));
	return redis_fail(a, err, "does not answer in time");
}

/* ---- Connecting ------------------------------------------------------------------ */

static bool finish_connect(const struct coord_redis_access *a, int fd,
			   const struct sockaddr *address, socklen_t length,
			   int64_t deadline_ms, struct error *err)
{
	int code = 0;
	socklen_t code_bytes = sizeof code;

	if (connect(fd, address, length) == 0)
		return true;
	/* A Unix socket with a full queue says EAGAIN: as good as nobody there. */
	if (errno != EINPROGRESS)
		return redis_fail(a, err, "cannot be reached: %s", strerror(errno));
	/* An interrupted poll says nothing yet. */
	do {
		if (!redis_wait(a, fd, POLLOUT, deadline_ms, err))
			return false;
	} while (poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, 0) == 0);
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &code_bytes) != 0)
		code = errno;
	return code == 0 || redis_fail(a, err, "cannot be reached: %s", strerror(code));
}

static bool connect_to(const struct coord_redis_access *a, const struct sockaddr *address,
		       socklen_t length, int64_t deadline_ms, int *ret_fd,
		       struct error *err)
{
	_cleanup_close_ int fd =
		socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return redis_fail(a, err, "cannot be reached: %s", strerror(errno));
	if (!finish_connect(a, fd, address, length, deadline_ms, err))
		return false;
	*ret_fd = TAKE_FD(fd);
	return true;
}

static bool connect_unix(const struct coord_redis_access *a, int64_t deadline_ms,
			 int *ret_fd, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	/* Its length was judged when the configuration was read. */
	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s", a->socket);
	return connect_to(a, (const struct sockaddr *)&address, sizeof address,
			  deadline_ms, ret_fd, err);
}

static void set_options(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = { { IPPROTO_TCP, TCP_NODELAY, 1 },
			{ SOL_SOCKET, SO_KEEPALIVE, 1 },
			{ IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_S },
			{ IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_S },
			{ IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_TRIES } };

	/* Only speed and the time until a loss is noticed hang on them. */
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		(void)setsockopt(fd, options[i].level, options[i].name, &options[i].value,
				 sizeof options[i].value);
}

static bool connect_inet(const struct coord_redis_access *a, int64_t deadline_ms,
			 int *ret_fd, struct error *err)
{
	struct redis_addresses found;
	const char *why = "";

	if (!redis_resolver_ask(a->resolver, deadline_ms, &found, &why))
		return redis_fail(a, err, "cannot be found: %s", why);
	for (size_t i = 0; i < found.count; i++) {
		struct error own = ERROR_INIT;
		/* One address that swallows everything leaves time for the next. */
		int64_t now = clock_mono_ms();
		int64_t until = now + (deadline_ms - now) / (int64_t)(found.count - i);

		if (connect_to(a, (const struct sockaddr *)&found.list[i].address,
			       found.list[i].length, until, ret_fd, &own)) {
			set_options(*ret_fd);
			return true;
		}
		if (i + 1 == found.count)
			return error_set(err, own.code, "%s", own.message);
	}
	return redis_fail(a, err, "has no address");
}

bool redis_connect(const struct coord_redis_access *a, int64_t deadline_ms, int *ret_fd,
		   struct error *err)
{
	return a->socket ? connect_unix(a, deadline_ms, ret_fd, err)
			 : connect_inet(a, deadline_ms, ret_fd, err);
}
