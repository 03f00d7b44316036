#include "guard/limits.h"

#include <assert.h>
#include <pthread.h>

#include "base/digest.h"

enum { KEYS_MAX = 4096, BUCKETS = 4096, NONE = 0 };

/* Credit in units of which one call costs COST and a millisecond brings
 * 'per_minute', so that all arithmetic is exact. */
enum { COST = 60 * 1000 };

/* Entries are numbered from 1; links are numbers, NONE ends a chain. */
struct entry {
	uint8_t id
		[DIGEST_BYTES]; /* of the key: keys of any length, no chosen collisions */
	int64_t credit;
	int64_t at_ms;
	uint16_t next_in_bucket;
	uint16_t newer, older; /* by last use */
};

struct limiter {
	pthread_mutex_t lock;
	int64_t full, per_minute;
	unsigned used;
	uint16_t newest, oldest;
	uint16_t buckets[BUCKETS];
	struct entry entries[KEYS_MAX + 1];
};

struct limiter *limiter_new(unsigned burst, unsigned per_minute)
{
	struct limiter *l = calloc(1, sizeof *l);

	assert(burst > 0 && per_minute > 0);
	if (!l)
		return NULL;
	(void)pthread_mutex_init(&l->lock, NULL);
	l->full = (int64_t)burst * COST;
	l->per_minute = per_minute;
	return l;
}

void limiter_free(struct limiter *l)
{
	if (!l)
		return;
	(void)pthread_mutex_destroy(&l->lock);
	free(l);
}

static uint16_t *bucket_of(struct limiter *l, const uint8_t id[static DIGEST_BYTES])
{
	return &l->buckets[(id[0] | id[1] << 8) % BUCKETS];
}

static void unlink_use(struct limiter *l, uint16_t n)
{
	struct entry *e = &l->entries[n];

	*(e->newer ? &l->entries[e->newer].older : &l->newest) = e->older;
	*(e->older ? &l->entries[e->older].newer : &l->oldest) = e->newer;
}

static void link_newest(struct limiter *l, uint16_t n)
{
	struct entry *e = &l->entries[n];

	e->newer = NONE;
	e->older = l->newest;
	*(l->newest ? &l->entries[l->newest].newer : &l->oldest) = n;
	l->newest = n;
}

static void forget(struct limiter *l, uint16_t n)
{
	uint16_t *link = bucket_of(l, l->entries[n].id);

	while (*link != n)
		link = &l->entries[*link].next_in_bucket;
	*link = l->entries[n].next_in_bucket;
	unlink_use(l, n);
}

static struct entry *add(struct limiter *l, const uint8_t id[static DIGEST_BYTES],
			 int64_t now_ms)
{
	uint16_t n;

	if (l->used < KEYS_MAX) {
		n = (uint16_t)++l->used;
	} else {
		n = l->oldest;
		forget(l, n);
	}
	struct entry *e = &l->entries[n];
	memcpy(e->id, id, DIGEST_BYTES);
	e->credit = l->full;
	e->at_ms = now_ms;
	e->next_in_bucket = *bucket_of(l, id);
	*bucket_of(l, id) = n;
	link_newest(l, n);
	return e;
}

static struct entry *find(struct limiter *l, const char *key, int64_t now_ms)
{
	uint8_t id[DIGEST_BYTES];

	digest_sha256(key, strlen(key), id);
	for (uint16_t n = *bucket_of(l, id); n; n = l->entries[n].next_in_bucket)
		if (memcmp(l->entries[n].id, id, DIGEST_BYTES) == 0) {
			unlink_use(l, n);
			link_newest(l, n);
			return &l->entries[n];
		}
	return add(l, id, now_ms);
}

static void refill(const struct limiter *l, struct entry *e, int64_t now_ms)
{
	const int64_t elapsed = now_ms - e->at_ms;

	if (elapsed <= 0)
		return;
	/* Compared before it is multiplied: a long pause must not overflow. */
	if (elapsed > (l->full - e->credit) / l->per_minute)
		e->credit = l->full;
	else
		e->credit += elapsed * l->per_minute;
	e->at_ms = now_ms;
}

bool limiter_take(struct limiter *l, const char *key, int64_t now_mono_ms,
		  int64_t *ret_retry_after_ms, struct error *err)
{
	int64_t missing;

	(void)pthread_mutex_lock(&l->lock);
	struct entry *e = find(l, key, now_mono_ms);
	refill(l, e, now_mono_ms);
	missing = COST - e->credit;
	if (missing <= 0)
		e->credit -= COST;
	(void)pthread_mutex_unlock(&l->lock);

	if (missing <= 0)
		return true;
	*ret_retry_after_ms = (missing + l->per_minute - 1) / l->per_minute;
	return error_set(err, ERR_RATE_LIMITED, "too many calls: try again in %lld ms",
			 (long long)*ret_retry_after_ms);
}
