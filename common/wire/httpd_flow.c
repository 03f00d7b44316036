/*
 * A loop and its streams. A stream takes its connection away from libmicrohttpd: the
 * loop duplicates the descriptor and lets libmicrohttpd close its own, without the
 * shutdown it would do were it not for MHD_USE_TURBO. That frees the connection's
 * memory, and spares libmicrohttpd from walking over all idle streams whenever it
 * resumes a connection. With TLS, whose state cannot be taken away, the connection
 * stays suspended for as long as the stream lasts, and is written to behind its back.
 */
#include "wire/httpd_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum {
	TURN_STREAMS = 256,       /* written to before others get their turn */
	TURN_BYTES = 1024 * 1024, /* of one stream */
	TURN_LOOKED_AT = 256,
	TURN_EVENTS = 256,
	PIECES_MAX = 64,
	DRAIN_BYTES = 64 * 1024,
};

bool httpd_flow_init(struct httpd_loop *l)
{
	TAILQ_INIT(&l->streams);
	TAILQ_INIT(&l->busy);
	STAILQ_INIT(&l->mail);
	l->events_fd = epoll_create1(EPOLL_CLOEXEC);
	l->keepalive = shared_bytes_new(": keepalive\n\n", strlen(": keepalive\n\n"));
	l->last_chunk = shared_bytes_new("0\r\n\r\n", strlen("0\r\n\r\n"));
	return l->events_fd >= 0 && l->keepalive && l->last_chunk;
}

void httpd_flow_done(struct httpd_loop *l)
{
	if (l->events_fd >= 0)
		(void)close(l->events_fd);
	shared_bytes_unref(l->keepalive);
	shared_bytes_unref(l->last_chunk);
}

/* ---- The queue of a stream ---- */

static const char *message_wire(const struct http_stream *s, const struct http_message *m,
				size_t *ret_length)
{
	if (!m->bytes) {
		*ret_length = 0;
		return "";
	}
	return s->is_chunked && !m->bare ? shared_bytes_chunk(m->bytes, ret_length)
					 : shared_bytes_text(m->bytes, ret_length);
}

static void make_busy(struct http_stream *s)
{
	if (s->is_busy || s->is_blocked || s->fd < 0)
		return;
	s->is_busy = true;
	TAILQ_INSERT_TAIL(&s->loop->busy, s, in_busy);
}

static void not_busy(struct http_stream *s)
{
	if (s->is_busy)
		TAILQ_REMOVE(&s->loop->busy, s, in_busy);
	s->is_busy = false;
}

static void look_later(struct http_stream *s)
{
	struct httpd_loop *l = s->loop;

	TAILQ_REMOVE(&l->streams, s, in_loop);
	TAILQ_INSERT_TAIL(&l->streams, s, in_loop);
	s->looked_at_ms = l->now_ms;
}

/* ---- Closing ---- */

/* What the peer sent meanwhile and nobody read would make close() a reset, which may
 * overtake the last texts. */
static void read_away(int fd)
{
	char scrap[4096];

	for (size_t seen = 0; seen < DRAIN_BYTES;) {
		ssize_t n = recv(fd, scrap, sizeof scrap, MSG_DONTWAIT);
		if (n <= 0)
			return;
		seen += (size_t)n;
	}
}

/* libmicrohttpd asks for the reply again, gets none, and closes. */
static void give_back(struct http_stream *s)
{
	struct http_request *r = TAKE(s->request);

	r->conn->waiting = false;
	r->conn->since_ms = s->loop->now_ms;
	MHD_resume_connection(r->connection);
	s->loop->woke_itself = true;
}

static void close_fd(struct http_stream *s, enum http_stream_why why)
{
	static const struct linger reset = { .l_onoff = 1 };

	if (why == HTTP_STREAM_ENDED)
		read_away(s->fd);
	else if (why == HTTP_STREAM_TOO_SLOW) /* or the kernel keeps what is not read */
		(void)setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	(void)epoll_ctl(s->loop->events_fd, EPOLL_CTL_DEL, s->fd, NULL);
	if (s->request)
		give_back(s);
	else
		(void)close(s->fd);
	s->fd = -1;
}

static void close_stream(struct http_stream *s, enum http_stream_why why)
{
	struct httpd_loop *l = s->loop;
	struct http_message *m;

	atomic_store(&s->state, STREAM_CLOSED);
	if (s->fd >= 0) {
		not_busy(s);
		TAILQ_REMOVE(&l->streams, s, in_loop);
		l->stream_count--;
		close_fd(s, why);
	}
	while ((m = STAILQ_FIRST(&s->queue))) {
		STAILQ_REMOVE_HEAD(&s->queue, next);
		httpd_message_free(s, m);
	}
	(void)atomic_fetch_sub(&l->shared->streams, 1);
	if (s->closed)
		s->closed(s->context, why);
	http_stream_unref(s);
}

/* ---- Beginning ---- */

static bool take_socket(struct http_stream *s, struct http_request *r)
{
	static const int on = 1, off = 0;
	static const unsigned stall_ms = 1000U * HTTP_STREAM_STALL_S;
	struct epoll_event event = { .events = EPOLLRDHUP, .data.ptr = s };
	bool is_tls = s->loop->shared->is_tls;

	httpd_gone_forget(s->loop, r->conn);
	s->fd = is_tls ? r->conn->fd : fcntl(r->conn->fd, F_DUPFD_CLOEXEC, 0);
	if (s->fd < 0)
		return false;
	/* Texts are written whole: nothing is gained by waiting for more. */
	(void)setsockopt(s->fd, IPPROTO_TCP, TCP_CORK, &off, sizeof off);
	(void)setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	(void)setsockopt(s->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &stall_ms,
			 sizeof stall_ms);
	if (epoll_ctl(s->loop->events_fd, EPOLL_CTL_ADD, s->fd, &event) == 0) {
		s->request = is_tls ? r : NULL;
		return true;
	}
	if (!is_tls)
		(void)close(s->fd);
	s->fd = -1;
	return false;
}

/* What the callback returns: NO is "close this connection", of which there is another. */
static enum MHD_Result leave(struct http_request *r)
{
	if (!r->loop->shared->is_tls)
		return MHD_NO;
	httpd_request_shrink(r);
	r->conn->waiting = true;
	MHD_suspend_connection(r->connection);
	return MHD_YES;
}

enum MHD_Result httpd_flow_take(struct http_request *r)
{
	struct http_stream *s = r->stream;
	struct httpd_loop *l = r->loop;

	if (!take_socket(s, r)) {
		httpd_flow_drop(r);
		return MHD_NO;
	}
	r->stream = NULL;
	STAILQ_INSERT_HEAD(&s->queue, &s->begin, next);
	TAILQ_INSERT_TAIL(&l->streams, s, in_loop);
	l->stream_count++;
	s->looked_at_ms = s->moved_ms = l->now_ms;
	enum MHD_Result left = leave(r);
	if (atomic_load(&s->too_slow))
		close_stream(s, HTTP_STREAM_TOO_SLOW);
	else
		make_busy(s);
	return left;
}

void httpd_flow_drop(struct http_request *r)
{
	close_stream(TAKE(r->stream), HTTP_STREAM_GONE);
}

/* ---- Writing ---- */

static int collect(const struct http_stream *s, struct iovec piece[static PIECES_MAX])
{
	const struct http_message *m;
	size_t sent = s->sent;
	int n = 0;

	STAILQ_FOREACH(m, &s->queue, next)
	{
		size_t length;
		const char *bytes = message_wire(s, m, &length);
		if (n == PIECES_MAX)
			break;
		/* the kernel's type is not const, and it only reads */
		piece[n++] = (struct iovec){ (void *)(uintptr_t)(bytes + sent),
					     length - sent };
		sent = 0;
	}
	return n;
}

/* Forget what is written. True when that was the end. */
static bool consume(struct http_stream *s, size_t written)
{
	struct http_message *m;
	size_t length;

	while ((m = STAILQ_FIRST(&s->queue))) {
		(void)message_wire(s, m, &length);
		if (length - s->sent > written) {
			s->sent += written;
			return false;
		}
		written -= length - s->sent;
		s->sent = 0;
		STAILQ_REMOVE_HEAD(&s->queue, next);
		if (m == &s->end)
			return true;
		httpd_message_free(s, m);
	}
	return false;
}

static void want_write(struct http_stream *s, bool want)
{
	struct epoll_event event = {
		.events = want ? EPOLLRDHUP | EPOLLOUT : EPOLLRDHUP,
		.data.ptr = s,
	};

	s->is_blocked = want;
	(void)epoll_ctl(s->loop->events_fd, EPOLL_CTL_MOD, s->fd, &event);
}

/* As much as the socket takes; -1 with errno, EAGAIN when it is full. */
static ssize_t write_queue(struct http_stream *s)
{
	struct iovec piece[PIECES_MAX];
	struct msghdr message = { .msg_iov = piece };

	message.msg_iovlen = (size_t)collect(s, piece);
	if (!s->request)
		return sendmsg(s->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (piece[0].iov_len == 0)
		return 0;
	ssize_t n = httpd_tls_write(s->request->connection, piece[0].iov_base,
				    piece[0].iov_len, s->is_again);
	s->is_again = n < 0 && errno == EAGAIN;
	return n;
}

/* The stream may be closed afterwards. */
static void write_some(struct http_stream *s)
{
	for (size_t total = 0; !STAILQ_EMPTY(&s->queue);) {
		if (total >= TURN_BYTES) {
			make_busy(s);
			return;
		}
		ssize_t n = write_queue(s);
		if (n < 0 && errno == EAGAIN) {
			want_write(s, true);
			return;
		}
		if (n < 0 && errno != EINTR) {
			close_stream(s, HTTP_STREAM_GONE);
			return;
		}
		if (n < 0)
			continue;
		s->moved_ms = s->loop->now_ms;
		total += (size_t)n;
		if (consume(s, (size_t)n)) {
			close_stream(s, HTTP_STREAM_ENDED);
			return;
		}
	}
	look_later(s);
}

static void write_busy(struct httpd_loop *l)
{
	struct http_stream *s;

	for (int i = 0; i < TURN_STREAMS && (s = TAILQ_FIRST(&l->busy)); i++) {
		not_busy(s);
		write_some(s);
	}
}

/* ---- Mail ---- */

static void queue_message(struct http_stream *s, struct http_message *m)
{
	if (atomic_load(&s->state) == STREAM_CLOSED || s->is_end_queued) {
		httpd_message_free(s, m);
		return;
	}
	s->is_end_queued = m == &s->end;
	if (s->is_end_queued && s->is_chunked)
		m->bytes = shared_bytes_ref(s->loop->last_chunk);
	STAILQ_INSERT_TAIL(&s->queue, m, next);
	if (m == &s->end && s->fd >= 0 && atomic_load(&s->too_slow))
		close_stream(s, HTTP_STREAM_TOO_SLOW);
	else
		make_busy(s);
}

static void deliver(struct httpd_loop *l, bool close)
{
	struct http_messages mail = STAILQ_HEAD_INITIALIZER(mail);
	struct http_message *m;

	(void)pthread_mutex_lock(&l->lock);
	STAILQ_CONCAT(&mail, &l->mail);
	l->is_closed = l->is_closed || close;
	(void)pthread_mutex_unlock(&l->lock);
	while ((m = STAILQ_FIRST(&mail))) {
		struct http_stream *s = m->stream;
		STAILQ_REMOVE_HEAD(&mail, next);
		queue_message(s, m);
		http_stream_unref(s); /* the mail's */
	}
}

/* ---- Quiet streams, and stuck ones ---- */

static void look_at(struct http_stream *s)
{
	struct httpd_loop *l = s->loop;

	look_later(s);
	if (!STAILQ_EMPTY(&s->queue)) {
		if (l->now_ms - s->moved_ms > INT64_C(1000) * HTTP_STREAM_STALL_S)
			close_stream(s, HTTP_STREAM_TOO_SLOW);
		return;
	}
	if (!s->is_events)
		return;
	s->comment.bytes = l->keepalive;
	STAILQ_INSERT_TAIL(&s->queue, &s->comment, next);
	make_busy(s);
}

static int64_t due_ms(const struct httpd_loop *l, const struct http_stream *s)
{
	return s->looked_at_ms + l->config->keepalive_ms;
}

static void look_at_quiet(struct httpd_loop *l)
{
	struct http_stream *s;

	for (int i = 0; i < TURN_LOOKED_AT && (s = TAILQ_FIRST(&l->streams)) &&
			due_ms(l, s) <= l->now_ms;
	     i++)
		look_at(s);
}

int httpd_flow_wait_ms(const struct httpd_loop *l)
{
	const struct http_stream *s = TAILQ_FIRST(&l->streams);

	if (!TAILQ_EMPTY(&l->busy))
		return 0;
	if (!s)
		return -1;
	int64_t wait_ms = due_ms(l, s) - l->now_ms;
	return wait_ms > 0 ? (int)wait_ms : 0;
}

/* ---- What the loop calls ---- */

void httpd_flow_run(struct httpd_loop *l)
{
	deliver(l, false);
	look_at_quiet(l);
	write_busy(l);
}

static void stream_event(struct http_stream *s, uint32_t what)
{
	if (what & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) {
		close_stream(s, HTTP_STREAM_GONE);
	} else if (what & EPOLLOUT) {
		want_write(s, false);
		make_busy(s);
	}
}

void httpd_flow_events(struct httpd_loop *l)
{
	struct epoll_event event[TURN_EVENTS];
	int n = epoll_wait(l->events_fd, event, TURN_EVENTS, 0);

	/* None of these callbacks ends another connection or stream than its own. */
	for (int i = 0; i < n; i++) {
		enum httpd_watched *watched = event[i].data.ptr;
		if (*watched == WATCH_STREAM)
			stream_event((struct http_stream *)watched, event[i].events);
		else
			httpd_gone_event((struct httpd_conn *)watched);
	}
}

void httpd_flow_stop(struct httpd_loop *l)
{
	struct http_stream *s;

	deliver(l, true);
	while ((s = TAILQ_FIRST(&l->streams)))
		close_stream(s, HTTP_STREAM_STOPPED);
}
