/*
 * session_private -- the inside of session.h, shared by session.c, session_stream.c,
 * session_state.c and legacy_questions.c. Everything is under the lock of the table.
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
	TAILQ_HEAD(, outlet) outlets; /* of requests, the oldest first */
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

/* --- legacy_questions.c --- */

/* Take those that wait out of their session, under the lock, into 'ret' for
 * legacy_questions_fail: one exchange (if it waits), all of a session, those whose time
 * is over; of the others, 'next_ms' becomes no later than the first of their times. */
void legacy_questions_take_one(struct exchange *x, struct legacy_waits *ret);
void legacy_questions_take(struct session *s, struct legacy_waits *ret);
void legacy_questions_take_late(struct session *s, int64_t now_ms,
				struct legacy_waits *ret, int64_t *next_ms);
/* Tell the client, and end them; without the lock. */
void legacy_questions_fail(struct legacy_waits *waits, const char *why);

#endif
