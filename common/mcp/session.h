/*
 * session -- clients of legacy revisions, from 'initialize' until they end.
 *
 * A session belongs to the principal and the client that began it: to anybody else its
 * id is unknown. It ends by DELETE, after SESSION_IDLE_MS without a request or open
 * stream, or when its client begins more than SESSIONS_PER_CLIENT_MAX: then the one
 * that was quiet longest goes, for which a question that nobody reads does not count.
 * One of HTTP+SSE is its stream, and ends with it.
 * Everything that a session has is freed with it.
 *
 * What a server says unasked goes onto the session's one standing stream, what it says
 * about a request onto that request's own. The last events of each are kept
 * (mcp/outlet.h), within SESSION_EVENT_BYTES_MAX for all of a session, so that a client
 * that lost the connection reads on behind "Last-Event-ID: <stream>:<number>". A new GET
 * takes the stream over.
 *
 * Thread-safe. A struct session is counted.
 */
#ifndef MCP_SESSION_H
#define MCP_SESSION_H

#include "guard/token.h"
#include "mcp/outlet.h"
#include "mcp/revision_legacy.h"

enum {
	SESSIONS_MAX = 4096,
	SESSIONS_PER_CLIENT_MAX = 64,
	SESSION_IDLE_MS = 30 * 60 * 1000,
	SESSION_SWEEP_MS = 60 * 1000, /* how often idle ones are looked for */
	SESSION_STREAMS_MAX = 32,     /* of requests, those that are over included */
	SESSION_EVENTS_MAX = 64,      /* kept of a stream */
	SESSION_EVENT_BYTES_MAX = 256 * 1024, /* of all that are kept */
	SESSION_URIS_MAX = 256,               /* subscribed to */
	SESSION_URI_BYTES_MAX = 64 * 1024,    /* of all of these */
	SESSION_QUESTIONS_MAX = 48,           /* to the client, without an answer yet */
};

struct sessions;
struct session;

struct sessions *sessions_new(void) _must_use_;
/* From now on a thread looks for what has expired, sessions and questions; it begins with
 * the first session. Before the first one. */
void sessions_start(struct sessions *all);
/* No more sessions; standing streams end, requests keep theirs until they are answered,
 * those that wait for their client's answer fail. */
void sessions_close(struct sessions *all);
void sessions_free(struct sessions *all); /* no session may be held any more */
size_t sessions_count(struct sessions *all);

/* What a client says of itself when it begins. */
struct session_client {
	enum legacy_revision revision;
	json_t *capabilities; /* as legacy_capabilities has them; copied */
};

/* ERR_RATE_LIMITED: there are SESSIONS_MAX, and none is this client's to give up.
 * 'client' NULL: one of HTTP+SSE, whose client comes with session_settle. */
struct session *session_start(struct sessions *all, const struct caller *caller,
			      const struct session_client *client, int64_t now_ms,
			      struct error *err) _must_use_;
/* NULL: unknown, ended, expired, or somebody else's. */
struct session *session_find(struct sessions *all, const char *id,
			     const struct caller *caller, int64_t now_ms) _must_use_;
void session_end(struct session *s);
struct session *session_ref(struct session *s);
void session_unref(struct session *s);
DEFINE_CLEANUP(struct session, session_unref);

const char *session_id(const struct session *s);
/* Of HTTP+SSE: all that the server says goes onto the standing stream. */
bool session_is_sse(const struct session *s);
/* False: it has been there before. */
bool session_settle(struct session *s, const struct session_client *client);
bool session_is_settled(struct session *s);
/* Borrowed while the session is held. Of one that is not settled: the oldest revision,
 * which is that of HTTP+SSE, and nothing that it could. */
struct session_client session_client(struct session *s);

/* MCP_INFO until the client says otherwise. */
void session_set_level(struct session *s, enum mcp_level level);
enum mcp_level session_level(struct session *s);

/* ERR_RATE_LIMITED: there are SESSION_URIS_MAX, or they are too long. */
bool session_subscribe(struct session *s, const char *uri, struct error *err);
void session_unsubscribe(struct session *s, const char *uri);
/* Say it to every session that has begun, or, with 'uri', that subscribed to it. What
 * still waits unsent is not said twice. */
void sessions_tell(struct sessions *all, const char *message, size_t length,
		   const char *uri);

/* ---- The standing stream ---- */

/* Whether a stream, standing or not, can go on behind this event. */
bool session_can_resume(struct session *s, const char *last_event_id);
/* Make it the stream that 'last_event_id' is of; takes the reference. NULL: the standing
 * one, which goes on behind what was last sent. Ends it when the session has ended
 * meanwhile. */
void session_attach(struct session *s, struct http_stream *stream,
		    const char *last_event_id);
/* A message of the server, as JSON text. False: the session has ended, or no memory. */
bool session_send(struct session *s, const char *message, size_t length);

/* ---- Streams of requests ---- */

/* For a request that has something to say before its response; without a connection yet.
 * NULL: there are too many, or the session has ended. Until session_finish. */
struct outlet *session_open(struct session *s);
/* Takes the reference; NULL: there is none. */
void session_join(struct session *s, struct outlet *c, struct http_stream *stream);
bool session_say(struct session *s, struct outlet *c, enum outlet_kind kind,
		 const char *message, size_t length);
/* End the connection, not the stream. */
void session_hang_up(struct session *s, struct outlet *c);
/* The last message (NULL: none), and the end. False: it is too long to wait for a client
 * that has left, and nothing was said: say something shorter. */
bool session_finish(struct session *s, struct outlet *c, const char *message,
		    size_t length);

#endif
