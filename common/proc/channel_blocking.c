/* The blocking half of channel.h, and its sockets. */
#include "proc/channel.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/clock.h"
#include "proc/frame.h"

enum {
	WRITE_PATIENCE_MS = 10 * 1000,
	CONNECT_PATIENCE_MS = 5 * 1000,
	BACKLOG = 64,
	INHERITED_FD = 3, /* sd_listen_fds(3): the first */
};

/* Until 'fd' is ready for 'events' or 'deadline_ms' (negative: for ever) is over. */
static bool wait_ready(int fd, short events, int64_t deadline_ms, struct error *err)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = events };
		int64_t left = deadline_ms < 0 ? -1 : deadline_ms - clock_mono_ms();
		if (deadline_ms >= 0 && left <= 0)
			left = 0;
		int n = poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left);
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return error_errno(err, "cannot wait for the peer");
		if (n == 0 && left == 0)
			return error_set(err, ERR_TIMEOUT,
					 "the peer did not answer in time");
	}
}

bool channel_write(int fd, const json_t *message, struct error *err)
{
	_cleanup_strbuf_ struct strbuf frame = STRBUF_INIT;
	int64_t deadline_ms = clock_mono_ms() + WRITE_PATIENCE_MS;

	if (!frame_append(&frame, message, err))
		return false;
	for (size_t sent = 0; sent < frame.length;) {
		ssize_t n = send(fd, frame.data + sent, frame.length - sent,
				 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n >= 0)
			sent += (size_t)n;
		else if (errno == EAGAIN && !wait_ready(fd, POLLOUT, deadline_ms, err))
			return false;
		else if (errno != EAGAIN && errno != EINTR)
			return frame_peer_error(errno, err);
	}
	return true;
}

static bool read_exactly(int fd, char *to, size_t length, bool within_frame,
			 int64_t deadline_ms, struct error *err)
{
	for (size_t got = 0; got < length;) {
		ssize_t n = recv(fd, to + got, length - got, MSG_DONTWAIT);
		if (n > 0)
			got += (size_t)n;
		else if (n == 0)
			return frame_peer_gone(within_frame || got > 0, err);
		else if (errno == EAGAIN && !wait_ready(fd, POLLIN, deadline_ms, err))
			return false;
		else if (errno != EAGAIN && errno != EINTR)
			return frame_peer_error(errno, err);
	}
	return true;
}

/* Room grows with what came, not with what was announced. */
static bool read_body(int fd, size_t length, int64_t deadline_ms, struct strbuf *body,
		      struct error *err)
{
	while (body->length < length) {
		size_t part = length - body->length < 65536 ? length - body->length
							    : 65536;
		char *to = strbuf_reserve(body, part);
		if (!to)
			return error_oom(err);
		if (!read_exactly(fd, to, part, true, deadline_ms, err))
			return false;
		strbuf_commit(body, part);
	}
	return true;
}

json_t *channel_read(int fd, int timeout_ms, struct error *err)
{
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
	int64_t deadline_ms = timeout_ms < 0 ? -1 : clock_mono_ms() + timeout_ms;
	char head[FRAME_HEAD_BYTES];

	if (!read_exactly(fd, head, sizeof head, false, deadline_ms, err))
		return NULL;
	size_t length = frame_body_bytes(head, err);
	if (length == 0 || !read_body(fd, length, deadline_ms, &body, err))
		return NULL;
	return frame_body(body.data, body.length, err);
}

static bool set_address(const char *path, struct sockaddr_un *ret, struct error *err)
{
	size_t length = strlen(path);

	if (length == 0 || length >= sizeof ret->sun_path) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "socket path '%s' has %zu bytes; 1 to %zu are allowed", path,
			  length, sizeof ret->sun_path - 1);
		return error_hint(err, "choose a folder with a shorter name");
	}
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(ret->sun_path, path, length);
	return true;
}

static int unix_socket(struct error *err)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		error_errno(err, "cannot make a socket");
	return fd;
}

int channel_connect(const char *path, struct error *err)
{
	_cleanup_close_ int fd = unix_socket(err);
	struct timeval patience = { .tv_sec = CONNECT_PATIENCE_MS / 1000 },
		       forever = { 0 };
	struct sockaddr_un address;

	if (fd < 0 || !set_address(path, &address, err))
		return -1;
	/* a full backlog makes connect wait; this bounds it */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
		int failed = errno;
		error_set(err, ERR_BACKEND_UNAVAILABLE, "cannot connect to '%s': %s",
			  path,
			  failed == ENOENT || failed == ECONNREFUSED
				  ? "nobody listens there"
				  : strerror(failed));
		return -1;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &forever, sizeof forever);
	return TAKE_FD(fd);
}

static int socket_option(int fd, int name)
{
	int value = -1;
	socklen_t length = sizeof value;

	return getsockopt(fd, SOL_SOCKET, name, &value, &length) == 0 ? value : -1;
}

bool channel_inherited(int *ret_fd, struct error *err)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	char own[24];
	bool is_ours, is_one;

	*ret_fd = -1;
	(void)snprintf(own, sizeof own, "%ld", (long)getpid());
	is_ours = pid && count && strcmp(pid, own) == 0;
	is_one = is_ours && strcmp(count, "1") == 0;
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
	if (!is_ours)
		return true;
	if (!is_one || socket_option(INHERITED_FD, SO_DOMAIN) != AF_UNIX ||
	    socket_option(INHERITED_FD, SO_TYPE) != SOCK_STREAM ||
	    socket_option(INHERITED_FD, SO_ACCEPTCONN) != 1)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "what was passed to listen on is not one listening "
				 "Unix stream socket");
	if (!frame_prepare(INHERITED_FD, err))
		return false;
	*ret_fd = INHERITED_FD;
	return true;
}

/* Remove what a process that died left behind; anything else there stays and is an error. */
static bool clear_stale(const char *path, struct error *err)
{
	struct error nobody = ERROR_INIT;
	struct stat st;

	if (lstat(path, &st) != 0)
		return errno == ENOENT || error_errno(err, "cannot look at '%s'", path);
	if (!S_ISSOCK(st.st_mode)) {
		error_set(err, ERR_CONFLICT, "'%s' is in the way and no socket", path);
		return error_hint(err, "move it away");
	}
	int fd = channel_connect(path, &nobody);
	if (fd >= 0) {
		(void)close(fd);
		return error_set(err, ERR_CONFLICT, "somebody listens at '%s' already",
				 path);
	}
	if (unlink(path) != 0 && errno != ENOENT)
		return error_errno(err, "cannot remove the stale socket '%s'", path);
	return true;
}

int channel_listen(const char *path, struct error *err)
{
	_cleanup_close_ int fd = unix_socket(err);
	struct sockaddr_un address;

	if (fd < 0 || !set_address(path, &address, err) || !clear_stale(path, err))
		return -1;
	/* Linux gives the socket file the mode of the unbound socket, less the umask:
	 * unlike chmod afterwards this leaves no moment with a wider one. */
	if (fchmod(fd, 0600) != 0 ||
	    bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
	    listen(fd, BACKLOG) != 0) {
		error_errno(err, "cannot listen at '%s'", path);
		return -1;
	}
	return frame_prepare(fd, err) ? TAKE_FD(fd) : -1;
}
