#include "proc/channel.h"

#include <errno.h>
#include <sys/socket.h>

#include "proc/frame.h"

enum {
	READ_BYTES = 64 * 1024,
	/* Of one peer, before the loop's turn goes on: what comes at once may take long. */
	FRAMES_PER_TURN = 8,
};

struct channel {
	struct loop *loop;
	struct loop_source *source; /* NULL once 'closed' was called */
	struct loop_source *again; /* 'in' has more for the next turn; NULL: it has not */
	int fd;
	channel_receive *receive;
	channel_closed *closed;
	void *context;
	struct strbuf in;  /* what came and is no whole frame yet */
	struct strbuf out; /* frames the socket has not taken */
	size_t out_sent;   /* bytes of 'out' that it has */
	struct error broken;
	unsigned depth; /* callbacks of ours under way */
	bool freed;
};

static void on_events(void *context, int fd, unsigned events);
static void on_again(void *context);

struct channel *channel_new(struct loop *l, int fd, channel_receive *receive,
			    channel_closed *closed, void *context, struct error *err)
{
	_cleanup_(channel_freep) struct channel *ch = calloc(1, sizeof *ch);

	if (!ch) {
		(void)close(fd);
		error_oom(err);
		return NULL;
	}
	ch->loop = l;
	ch->fd = fd;
	ch->receive = receive;
	ch->closed = closed;
	ch->context = context;
	strbuf_init(&ch->in);
	strbuf_init(&ch->out);
	if (!frame_prepare(fd, err))
		return NULL;
	ch->source = loop_add_fd(l, fd, LOOP_READ, on_events, ch, err);
	return ch->source ? TAKE(ch) : NULL;
}

void channel_free(struct channel *ch)
{
	if (!ch)
		return;
	loop_remove(ch->source);
	loop_remove(ch->again);
	ch->source = ch->again = NULL;
	ch->freed = true;
	if (ch->depth > 0) /* a callback of ours is up the stack and frees us */
		return;
	(void)close(ch->fd);
	strbuf_done(&ch->in);
	strbuf_done(&ch->out);
	free(ch);
}

static void enter(struct channel *ch)
{
	ch->depth++;
}

static void leave(struct channel *ch)
{
	if (--ch->depth == 0 && ch->freed)
		channel_free(ch);
}

static void report_closed(struct channel *ch)
{
	loop_remove(ch->source);
	loop_remove(ch->again);
	ch->source = ch->again = NULL;
	ch->closed(ch->context, ch, &ch->broken);
}

/* From within channel_send 'closed' would surprise the sender: let the loop find it. */
static void break_later(struct channel *ch)
{
	(void)shutdown(ch->fd, SHUT_RDWR);
}

static void receive_frames(struct channel *ch)
{
	size_t used = 0;
	unsigned count = 0;

	while (!ch->freed && !error_is_set(&ch->broken) && count < FRAMES_PER_TURN) {
		json_auto_t *message = NULL;
		size_t length = frame_parse(ch->in.data + used, ch->in.length - used,
					    &message, &ch->broken);
		if (length == 0)
			break;
		used += length;
		count++;
		ch->receive(ch->context, ch, message);
	}
	if (ch->freed || used == 0)
		return;
	size_t rest = ch->in.length - used;
	memmove(ch->in.data, ch->in.data + used, rest);
	strbuf_truncate(&ch->in, rest);
	if (rest == 0 && ch->in.capacity > 2 * READ_BYTES)
		strbuf_done(&ch->in); /* a big frame is rare: do not keep its room */
	if (rest > 0 && count == FRAMES_PER_TURN && !error_is_set(&ch->broken))
		ch->again = loop_add_timer(ch->loop, 0, false, on_again, ch, &ch->broken);
}

static void on_readable(struct channel *ch)
{
	char *room = strbuf_reserve(&ch->in, READ_BYTES);
	ssize_t n;

	if (!room) {
		error_oom(&ch->broken);
		return;
	}
	n = recv(ch->fd, room, READ_BYTES, MSG_DONTWAIT);
	if (n > 0) {
		strbuf_commit(&ch->in, (size_t)n);
		receive_frames(ch);
	} else if (n == 0) {
		frame_peer_gone(ch->in.length > 0, &ch->broken);
	} else if (errno != EAGAIN && errno != EINTR) {
		frame_peer_error(errno, &ch->broken);
	}
}

/* False when the peer is gone; 'broken' says why. */
static bool flush(struct channel *ch)
{
	while (ch->out_sent < ch->out.length) {
		ssize_t n = send(ch->fd, ch->out.data + ch->out_sent,
				 ch->out.length - ch->out_sent,
				 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n >= 0) {
			ch->out_sent += (size_t)n;
		} else if (errno == EAGAIN) {
			return true;
		} else if (errno != EINTR) {
			frame_peer_error(errno, &ch->broken);
			return false;
		}
	}
	ch->out_sent = 0;
	if (ch->out.capacity > 2 * READ_BYTES)
		strbuf_done(&ch->out);
	else
		strbuf_clear(&ch->out);
	return true;
}

static void on_events(void *context, int fd, unsigned events)
{
	struct channel *ch = context;

	(void)fd;
	enter(ch);
	if (!error_is_set(&ch->broken) && (events & LOOP_WRITE) && flush(ch) &&
	    ch->out.length == 0)
		(void)loop_set_events(ch->source, LOOP_READ, &ch->broken);
	if (!error_is_set(&ch->broken) && !ch->again &&
	    (events & (LOOP_READ | LOOP_HANGUP)))
		on_readable(ch);
	if (!ch->freed && error_is_set(&ch->broken))
		report_closed(ch);
	leave(ch);
}

/* The others have had their turn. */
static void on_again(void *context)
{
	struct channel *ch = context;

	ch->again = NULL;
	enter(ch);
	if (!error_is_set(&ch->broken))
		receive_frames(ch);
	if (!ch->freed && error_is_set(&ch->broken))
		report_closed(ch);
	leave(ch);
}

/* Drop what was sent once it is the larger part, so that the buffer does not creep. */
static void compact(struct channel *ch)
{
	if (ch->out_sent == 0 || ch->out_sent < ch->out.length / 2)
		return;
	size_t rest = ch->out.length - ch->out_sent;
	memmove(ch->out.data, ch->out.data + ch->out_sent, rest);
	strbuf_truncate(&ch->out, rest);
	ch->out_sent = 0;
}

bool channel_send(struct channel *ch, const json_t *message)
{
	struct error unfit = ERROR_INIT;
	bool idle = ch->out.length == 0;

	if (!ch->source || ch->freed || error_is_set(&ch->broken))
		return false;
	compact(ch);
	/* A message that is no frame is our own fault: said here, and the peer stays. */
	if (!frame_append(&ch->out, message, &unfit))
		return false;
	if (ch->out.length - ch->out_sent > CHANNEL_QUEUE_MAX)
		error_set(&ch->broken, ERR_BACKEND_UNAVAILABLE,
			  "the peer does not read: more than %d bytes wait for it",
			  CHANNEL_QUEUE_MAX);
	else if (idle && flush(ch) && ch->out.length > 0)
		(void)loop_set_events(ch->source, LOOP_READ | LOOP_WRITE, &ch->broken);
	if (!error_is_set(&ch->broken))
		return true;
	break_later(ch);
	return false;
}

bool channel_peer(const struct channel *ch, uid_t *ret_uid, pid_t *ret_pid,
		  struct error *err)
{
	struct ucred peer;
	socklen_t length = sizeof peer;

	if (getsockopt(ch->fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
		return error_errno(err, "cannot tell who the peer is");
	*ret_uid = peer.uid;
	*ret_pid = peer.pid;
	return true;
}

void *channel_context(const struct channel *ch)
{
	return ch->context;
}
