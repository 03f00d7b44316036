/*
 * session -- clients of legacy revisions, from 'initialize' until they end.
 *
 * A session belongs to the principal and the client that began it: to anybody else its
 * id is unknown. It ends by DELETE, after SESSION_IDLE_MS without a request or open
 * stream, or when its client begins more than SESSIONS_PER_CLIENT_MAX: then the one
 * that was quiet longest goes. Everything that a session has is freed with it.
 *
 * What a server says unasked goes onto the session's one standing stream. Its last
 * SESSION_EVENTS_MAX events are kept, so that a client that lost the connection reads on
 * behind "Last-Event-ID: <stream>:<number>". A new GET takes the stream over.
 *
 * Thread-safe. A struct session is counted.
 */
#ifndef MCP_SESSION_H
#define MCP_SESSION_H

#include "guard/token.h"
#include "mcp/revision_legacy.h"
#include "wire/http_stream.h"

enum {
	SESSIONS_MAX = 4096,
	SESSIONS_PER_CLIENT_MAX = 64,
	SESSION_IDLE_MS = 30 * 60 * 1000,
	SESSION_EVENTS_MAX = 64,
	SESSION_EVENT_BYTES_MAX = 256 * 1024, /* of all that are kept */
	SESSION_RETRY_MS = 1500,
};

struct sessions;
struct session;

struct sessions *sessions_new(void) _must_use_;
/* No more sessions; the streams of all end. */
void sessions_close(struct sessions *all);
void sessions_free(struct sessions *all); /* no session may be held any more */
size_t sessions_count(struct sessions *all);

/* ERR_RATE_LIMITED: there are SESSIONS_MAX, and none is this client's to give up. */
struct session *session_start(struct sessions *all, const struct caller *caller,
			      enum legacy_revision revision, int64_t now_ms,
			      struct error *err) _must_use_;
/* NULL: unknown, ended, expired, or somebody else's. */
struct session *session_find(struct sessions *all, const char *id,
			     const struct caller *caller, int64_t now_ms) _must_use_;
void session_end(struct session *s);
void session_unref(struct session *s);
DEFINE_CLEANUP(struct session, session_unref);

const char *session_id(const struct session *s);
enum legacy_revision session_revision(const struct session *s);

/* Whether a stream can go on behind this event. */
bool session_can_resume(struct session *s, const char *last_event_id);
/* Make it the standing stream; takes the reference. 'last_event_id' NULL: goes on behind
 * what was last sent. Ends the stream when the session has ended meanwhile. */
void session_attach(struct session *s, struct http_stream *stream,
		    const char *last_event_id);
/* A message of the server, as JSON text. False: the session has ended, or no memory. */
bool session_send(struct session *s, const char *message, size_t length);

#endif
