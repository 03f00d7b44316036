/*
 * session_private -- the inside of session.h, shared by session.c, session_stream.c,
 * session_state.c, legacy_questions.c and legacy_waits.c. Everything is under the lock of the table.
 */
#ifndef MCP_SESSION_PRIVATE_H
#define MCP_SESSION_PRIVATE_H

#include <pthread.h>

#include "mcp/serving.h"

enum { SESSION_BUCKETS = 1024 };

LIST_HEAD(legacy_waits, legacy_wait);
LIST_HEAD(legacy_runs, exchange);

struct session {
	LIST_ENTRY(session) in_bucket;
	struct sessions *all;
	unsigned refs; /* the table's, and those of requests under way */
	bool has_ended, is_sse, is_settled;
	char id[2 * DIGEST_ID_BYTES];
	char principal[129], client_id[65];
	struct session_client client;
	int64_t used_ms; /* monotonic */
	enum mcp_level level;

	struct outlet standing;
	TAILQ_HEAD(session_outlets, outlet) outlets; /* of requests, the oldest first */
	size_t outlet_count;
	int64_t last_outlet; /* its number */

	json_t *uris; /* {uri: true}; NULL: none */
	size_t uri_bytes;

	struct legacy_runs runs;   /* requests under way */
	struct legacy_waits waits; /* those that wait for answers */
	size_t question_count;     /* open ones */
	int64_t last_question;
};

struct sessions {
	pthread_mutex_t lock;
	pthread_cond_t woken;
	pthread_t thread;
	bool is_watched; /* with a thread, as soon as there is a session */
	bool is_started, is_closed;
	LIST_HEAD(session_bucket, session) buckets[SESSION_BUCKETS];
	size_t count;
};

void session_lock(struct session *s);
void session_unlock(struct session *s);
/* End all that have expired; returns when to look again. */
int64_t sessions_sweep(struct sessions *all, int64_t now_ms);

/* --- session_stream.c --- */

/* 'is_graceful': requests that go on keep their connection. */
void session_end_streams(struct session *s, bool is_graceful);
void session_free_streams(struct session *s);
/* Say and trim, without locking. */
bool session_say_locked(struct session *s, struct outlet *c, enum outlet_kind kind,
			const char *message, size_t length);

/* --- legacy_waits.c --- */

/* Under the lock: room for one more of this client, for which the one that nobody has
 * read for longest may have to give way, into 'ret_given_up'. */
bool legacy_waits_have_room(struct session *s, struct legacy_waits *ret_given_up,
			    struct error *err);
/* Under the lock: how many of a session's nobody reads. */
size_t legacy_waits_forsaken(const struct session *s);
/* Under the lock: out of its session, wherever it goes. */
void legacy_wait_take(struct session *s, struct legacy_wait *w);
/* Tell the client that what it was asked for 'x' and has not answered is void. */
void legacy_wait_withdraw(struct exchange *x, const char *why);

/* Take those that wait out of their session, under the lock, into 'ret' for
 * legacy_waits_fail: one exchange (if it waits), all of a session, those whose time
 * is over; of the others, 'next_ms' becomes no later than the first of their times. */
void legacy_waits_take_one(struct exchange *x, struct legacy_waits *ret);
void legacy_waits_take(struct session *s, struct legacy_waits *ret);
void legacy_waits_take_late(struct session *s, int64_t now_ms, struct legacy_waits *ret,
			    int64_t *next_ms);
/* Tell the client, and end them; without the lock. */
void legacy_waits_fail(struct legacy_waits *waits, const char *why);

#endif
