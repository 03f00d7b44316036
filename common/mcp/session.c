#include "mcp/session.h"

#include <pthread.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/digest.h"
#include "wire/sse.h"

enum { BUCKETS = 1024, STANDING = 1, ID_BYTES = 48 };

struct event {
	STAILQ_ENTRY(event) next;
	int64_t number;
	size_t bytes;
	struct shared_bytes *text; /* as it goes out, id line included */
};

struct session {
	LIST_ENTRY(session) in_bucket;
	struct sessions *all;
	unsigned refs; /* the table's, and those of requests under way */
	bool has_ended;
	char id[2 * DIGEST_ID_BYTES];
	char principal[129], client[65];
	enum legacy_revision revision;
	int64_t used_ms;            /* monotonic */
	struct http_stream *stream; /* NULL: nobody listens */
	STAILQ_HEAD(events, event) events;
	size_t event_count, event_bytes;
	int64_t last; /* number of the newest event */
	int64_t sent; /* of the newest that went to some stream */
};

struct sessions {
	pthread_mutex_t lock;
	LIST_HEAD(bucket, session) buckets[BUCKETS];
	size_t count;
	bool is_closed;
};

struct sessions *sessions_new(void)
{
	struct sessions *all = calloc(1, sizeof *all);

	if (all)
		pthread_mutex_init(&all->lock, NULL);
	return all;
}

/* ---- All below hold the lock ---- */

static size_t bucket_of(const char *id)
{
	uint32_t hash = 2166136261U;

	for (; *id; id++)
		hash = (hash ^ (unsigned char)*id) * 16777619U;
	return hash % BUCKETS;
}

static void drop_event(struct session *s)
{
	struct event *e = STAILQ_FIRST(&s->events);

	STAILQ_REMOVE_HEAD(&s->events, next);
	s->event_count--;
	s->event_bytes -= e->bytes;
	shared_bytes_unref(e->text);
	free(e);
}

static void drop(struct session *s)
{
	if (--s->refs > 0)
		return;
	while (!STAILQ_EMPTY(&s->events))
		drop_event(s);
	free(s);
}

static void end_stream(struct session *s)
{
	if (!s->stream)
		return;
	http_stream_end(s->stream);
	http_stream_unref(TAKE(s->stream));
}

static void end(struct session *s)
{
	if (s->has_ended)
		return;
	s->has_ended = true;
	end_stream(s);
	LIST_REMOVE(s, in_bucket);
	s->all->count--;
	drop(s);
}

static bool is_busy(const struct session *s)
{
	return s->refs > 1 || (s->stream && !http_stream_is_closed(s->stream));
}

static bool belongs_to(const struct session *s, const struct caller *caller)
{
	return strcmp(s->principal, caller->principal) == 0 &&
	       strcmp(s->client, caller->client) == 0;
}

/* End what has expired. Returns the client's sessions, and its one that was quiet longest. */
static size_t sweep(struct sessions *all, const struct caller *caller, int64_t now_ms,
		    struct session **ret_oldest)
{
	struct session *s, *next;
	size_t mine = 0;

	*ret_oldest = NULL;
	for (size_t i = 0; i < BUCKETS; i++)
		for (s = LIST_FIRST(&all->buckets[i]); s; s = next) {
			next = LIST_NEXT(s, in_bucket);
			if (!is_busy(s) && now_ms - s->used_ms >= SESSION_IDLE_MS) {
				end(s);
			} else if (belongs_to(s, caller)) {
				mine++;
				if (!is_busy(s) &&
				    (!*ret_oldest || s->used_ms < (*ret_oldest)->used_ms))
					*ret_oldest = s;
			}
		}
	return mine;
}

static bool make_room(struct sessions *all, const struct caller *caller, int64_t now_ms,
		      struct error *err)
{
	struct session *oldest;
	size_t mine = sweep(all, caller, now_ms, &oldest);

	if (mine < SESSIONS_PER_CLIENT_MAX && all->count < SESSIONS_MAX)
		return true;
	if (!oldest)
		return error_set(err, ERR_RATE_LIMITED,
				 "there are too many sessions at the moment");
	end(oldest);
	return true;
}

static struct session *add(struct sessions *all, const struct caller *caller,
			   enum legacy_revision revision, int64_t now_ms,
			   struct error *err)
{
	struct session *s;

	if (all->is_closed) {
		error_set(err, ERR_RATE_LIMITED, "the server is about to stop");
		return NULL;
	}
	if (!make_room(all, caller, now_ms, err))
		return NULL;
	s = calloc(1, sizeof *s);
	if (!s) {
		error_oom(err);
		return NULL;
	}
	s->all = all;
	s->refs = 2;
	s->revision = revision;
	s->used_ms = now_ms;
	STAILQ_INIT(&s->events);
	digest_random_id(s->id);
	(void)snprintf(s->principal, sizeof s->principal, "%s", caller->principal);
	(void)snprintf(s->client, sizeof s->client, "%s", caller->client);
	LIST_INSERT_HEAD(&all->buckets[bucket_of(s->id)], s, in_bucket);
	all->count++;
	return s;
}

/* ---- Beginning and end ---- */

struct session *session_start(struct sessions *all, const struct caller *caller,
			      enum legacy_revision revision, int64_t now_ms,
			      struct error *err)
{
	pthread_mutex_lock(&all->lock);
	struct session *s = add(all, caller, revision, now_ms, err);
	pthread_mutex_unlock(&all->lock);
	return s;
}

struct session *session_find(struct sessions *all, const char *id,
			     const struct caller *caller, int64_t now_ms)
{
	struct session *s;

	pthread_mutex_lock(&all->lock);
	LIST_FOREACH(s, &all->buckets[bucket_of(id)], in_bucket)
	{
		if (strcmp(s->id, id) == 0)
			break;
	}
	if (s && !belongs_to(s, caller))
		s = NULL;
	if (s && !is_busy(s) && now_ms - s->used_ms >= SESSION_IDLE_MS) {
		end(s);
		s = NULL;
	}
	if (s) {
		s->refs++;
		s->used_ms = now_ms;
	}
	pthread_mutex_unlock(&all->lock);
	return s;
}

void session_end(struct session *s)
{
	struct sessions *all = s->all;

	pthread_mutex_lock(&all->lock);
	end(s);
	pthread_mutex_unlock(&all->lock);
}

void session_unref(struct session *s)
{
	if (!s)
		return;
	struct sessions *all = s->all;

	pthread_mutex_lock(&all->lock);
	/* Idle begins when the last request is answered. */
	s->used_ms = clock_mono_ms() > s->used_ms ? clock_mono_ms() : s->used_ms;
	drop(s);
	pthread_mutex_unlock(&all->lock);
}

void sessions_close(struct sessions *all)
{
	pthread_mutex_lock(&all->lock);
	all->is_closed = true;
	for (size_t i = 0; i < BUCKETS; i++)
		while (!LIST_EMPTY(&all->buckets[i]))
			end(LIST_FIRST(&all->buckets[i]));
	pthread_mutex_unlock(&all->lock);
}

void sessions_free(struct sessions *all)
{
	if (!all)
		return;
	sessions_close(all);
	pthread_mutex_destroy(&all->lock);
	free(all);
}

size_t sessions_count(struct sessions *all)
{
	pthread_mutex_lock(&all->lock);
	size_t count = all->count;
	pthread_mutex_unlock(&all->lock);
	return count;
}

const char *session_id(const struct session *s)
{
	return s->id;
}

enum legacy_revision session_revision(const struct session *s)
{
	return s->revision;
}

/* ---- The standing stream ---- */

/* "<stream>:<number>", digits alone. */
static bool read_event_id(const char *text, int64_t *ret_number)
{
	char expected[ID_BYTES];
	char *last = NULL;
	const char *colon = strchr(text, ':');

	if (!colon)
		return false;
	*ret_number = strtoll(colon + 1, &last, 10);
	/* Written again, so that only our own way to write it counts. */
	(void)snprintf(expected, sizeof expected, "%d:%lld", STANDING,
		       (long long)*ret_number);
	return *ret_number >= 0 && strcmp(text, expected) == 0;
}

/* Whether all that came behind it is still here. */
static bool is_kept(const struct session *s, int64_t number)
{
	const struct event *first = STAILQ_FIRST(&s->events);

	return number <= s->last &&
	       (first ? number + 1 >= first->number : number == s->last);
}

bool session_can_resume(struct session *s, const char *last_event_id)
{
	int64_t number;
	bool good = read_event_id(last_event_id, &number);

	pthread_mutex_lock(&s->all->lock);
	good = good && is_kept(s, number);
	pthread_mutex_unlock(&s->all->lock);
	return good;
}

static struct shared_bytes *format_event(int64_t number, const char *data, size_t length,
					 int64_t retry_ms)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	char id[ID_BYTES];

	(void)snprintf(id, sizeof id, "%d:%lld", STANDING, (long long)number);
	sse_write(&sb, length > 0 ? "message" : NULL, id, retry_ms, data, length);
	return shared_bytes_take(&sb);
}

static void send_events(struct session *s)
{
	struct event *e;

	STAILQ_FOREACH(e, &s->events, next)
	{
		if (e->number <= s->sent)
			continue;
		if (!http_stream_send(s->stream, e->text)) {
			end_stream(s);
			return;
		}
		s->sent = e->number;
	}
}

static void prime(struct session *s)
{
	struct shared_bytes *text = format_event(s->sent, "", 0, SESSION_RETRY_MS);

	if (text)
		(void)http_stream_send(s->stream, text);
	shared_bytes_unref(text);
}

void session_attach(struct session *s, struct http_stream *stream,
		    const char *last_event_id)
{
	int64_t number = 0;

	pthread_mutex_lock(&s->all->lock);
	end_stream(s);
	s->stream = stream;
	/* Judged before; what was dropped since then is gone. */
	if (last_event_id && read_event_id(last_event_id, &number) && is_kept(s, number))
		s->sent = number;
	if (s->has_ended) {
		end_stream(s);
	} else {
		if (legacy_has_priming(s->revision))
			prime(s);
		send_events(s);
	}
	pthread_mutex_unlock(&s->all->lock);
}

static bool keep(struct session *s, const char *message, size_t length)
{
	struct event *e = calloc(1, sizeof *e);

	if (!e)
		return false;
	e->number = s->last + 1;
	e->bytes = length;
	e->text = format_event(e->number, message, length, -1);
	if (!e->text) {
		free(e);
		return false;
	}
	s->last = e->number;
	STAILQ_INSERT_TAIL(&s->events, e, next);
	s->event_count++;
	s->event_bytes += length;
	return true;
}

bool session_send(struct session *s, const char *message, size_t length)
{
	pthread_mutex_lock(&s->all->lock);
	bool good = !s->has_ended && keep(s, message, length);

	if (good && s->stream)
		send_events(s);
	/* Sent first: a long one is kept no longer than it takes to send it. */
	while (s->event_count > SESSION_EVENTS_MAX ||
	       s->event_bytes > SESSION_EVENT_BYTES_MAX)
		drop_event(s);
	pthread_mutex_unlock(&s->all->lock);
	return good;
}
