/*
 * channel -- typed messages between our own processes on a stream socket.
 *
 * A frame is a 32-bit big-endian length and that many bytes: one JSON_CONTRACT
 * object {"m": "<name>", "id": <integer>, ...}, where "id" may be left out.
 * Frames above CHANNEL_FRAME_MAX, bytes that are no such object, or a peer that
 * lets CHANNEL_QUEUE_MAX bytes pile up end the channel. What a message may hold is the business of the table
 * that receives it. Two ways to use one: on a loop, or blocking.
 */
#ifndef PROC_CHANNEL_H
#define PROC_CHANNEL_H

#include <sys/types.h>

#include "base/json.h"
#include "proc/loop.h"

enum { CHANNEL_FRAME_MAX = 4 * 1024 * 1024, CHANNEL_QUEUE_MAX = 16 * 1024 * 1024 };

struct channel;

/* 'message' is borrowed. */
typedef void channel_receive(void *context, struct channel *ch, json_t *message);
/* Called once when the peer is gone or broke the rules ('err' says which); the
 * callee frees the channel, now or later. */
typedef void channel_closed(void *context, struct channel *ch, const struct error *err);

/* Takes 'fd' (made non-blocking), also when it fails. The receiver may free the channel.
 * Of many messages that came at once some are handed over in each turn of the loop, so that
 * no peer keeps it from the others. */
struct channel *channel_new(struct loop *l, int fd, channel_receive *receive,
			    channel_closed *closed, void *context,
			    struct error *err) _must_use_;
void channel_free(struct channel *ch); /* closes the descriptor */
DEFINE_CLEANUP(struct channel, channel_free);

/* Queue one message; loop thread only. False when the peer is too slow or gone
 * ('closed' follows from the loop, never from within), or, with the channel left
 * alive, when 'message' is no message or too long. */
bool channel_send(struct channel *ch, const json_t *message);

/* The peer's uid and pid (SO_PEERCRED). */
bool channel_peer(const struct channel *ch, uid_t *ret_uid, pid_t *ret_pid,
		  struct error *err);
void *channel_context(const struct channel *ch);

/* Blocking use, for small clients. 'timeout_ms' < 0 waits for ever; a time-out
 * is ERR_TIMEOUT, a closed peer ERR_BACKEND_UNAVAILABLE. */
bool channel_write(int fd, const json_t *message, struct error *err);
json_t *channel_read(int fd, int timeout_ms, struct error *err) _must_use_;

/* Unix stream sockets, close-on-exec. Listening replaces a stale socket file and
 * sets mode 0600; its descriptor is non-blocking (accept4 until EAGAIN).
 * Somebody else listening there, or a file that is no socket, is ERR_CONFLICT;
 * nobody to connect to is ERR_BACKEND_UNAVAILABLE. -1 on failure. */
int channel_listen(const char *path, struct error *err) _must_use_;
int channel_connect(const char *path, struct error *err) _must_use_;

/* The one listening socket that systemd passed (LISTEN_PID, LISTEN_FDS; sd_listen_fds(3)):
 * its owner and mode are the unit's, and the file is not ours to remove. '*ret_fd' is -1
 * and the result true where none was passed to this process; more than one, or one of
 * another kind, is ERR_INVALID_ARGUMENT. Call it once, before there are threads. */
bool channel_inherited(int *ret_fd, struct error *err);

#endif
