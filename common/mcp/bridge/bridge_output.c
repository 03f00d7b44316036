#include <errno.h>
#include <limits.h>
#include <poll.h>

#include "mcp/bridge/bridge_private.h"

enum { POLL_MS = 100 };

/* No more than what a pipe that is ready takes without blocking: who does not read must
 * not keep us from ending. */
static ssize_t write_some(int fd, const char *bytes, size_t length)
{
	struct pollfd out = { .fd = fd, .events = POLLOUT };
	int n = poll(&out, 1, POLL_MS);

	if (n == 0 || (n < 0 && errno == EINTR))
		return 0;
	if (n < 0 || !(out.revents & POLLOUT))
		return -1;
	ssize_t written = write(fd, bytes, length < PIPE_BUF ? length : PIPE_BUF);
	return written < 0 && (errno == EINTR || errno == EAGAIN) ? 0 : written;
}

void bridge_put(struct bridge *b, const struct strbuf *lines)
{
	size_t sent = 0;

	(void)pthread_mutex_lock(&b->writing);
	while (sent < lines->length && !atomic_load(&b->out_gone)) {
		ssize_t n =
			write_some(b->o->out, lines->data + sent, lines->length - sent);

		/* Behind half a line there is no other. */
		if (n < 0 || (n == 0 && atomic_load(&b->stopping))) {
			atomic_store(&b->out_gone, true);
			bridge_wake(b);
		} else {
			sent += (size_t)n;
		}
	}
	(void)pthread_mutex_unlock(&b->writing);
}

void bridge_put_error(struct bridge *b, const json_t *id, int code, const char *message)
{
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;

	bridge_answer_error(&line, id, code, message);
	if (strbuf_ok(&line))
		bridge_put(b, &line);
}
