#include "slack/verify/replay.h"

enum { NONE = 0 }; /* of links: an index and one */

struct entry {
	uint8_t digest[DIGEST_BYTES];
	int64_t until_s;
	uint32_t next;     /* in its bucket */
	bool is_forgotten; /* it stays in the ring, and counts for nothing */
};

/* A ring in the order of taking, and over it buckets by digest. */
struct slack_replay {
	size_t capacity, first, count;
	int64_t latest_s;
	uint32_t *buckets; /* 'capacity' of them */
	struct entry entries[];
};

struct slack_replay *slack_replay_new(size_t capacity)
{
	struct slack_replay *r;

	if (capacity == 0 || capacity > SLACK_REPLAY_MAX)
		return NULL;
	r = calloc(1, sizeof *r + capacity * sizeof r->entries[0]);
	if (!r)
		return NULL;
	r->capacity = capacity;
	r->buckets = calloc(capacity, sizeof *r->buckets);
	if (!r->buckets) {
		free(r);
		return NULL;
	}
	return r;
}

void slack_replay_free(struct slack_replay *r)
{
	if (!r)
		return;
	free(r->buckets);
	free(r);
}

static uint32_t *bucket_of(struct slack_replay *r, const uint8_t *digest)
{
	uint64_t number;

	memcpy(&number, digest, sizeof number);
	return &r->buckets[number % r->capacity];
}

static void drop_first(struct slack_replay *r)
{
	struct entry *e = &r->entries[r->first];
	uint32_t *at = bucket_of(r, e->digest);

	while (*at != r->first + 1)
		at = &r->entries[*at - 1].next;
	*at = e->next;
	r->first = (r->first + 1) % r->capacity;
	r->count--;
}

static struct entry *find(struct slack_replay *r, const uint8_t *digest)
{
	for (uint32_t at = *bucket_of(r, digest); at != NONE;
	     at = r->entries[at - 1].next)
		if (memcmp(r->entries[at - 1].digest, digest, DIGEST_BYTES) == 0)
			return &r->entries[at - 1];
	return NULL;
}

/* When its signature ends does not depend on when it is taken: 'until_s' stays. */
static bool take_again(struct entry *e, struct error *err)
{
	if (!e->is_forgotten)
		return error_set(err, ERR_CONFLICT, "this very request was taken before");
	e->is_forgotten = false;
	return true;
}

void slack_replay_forget(struct slack_replay *r, const void *body, size_t length)
{
	uint8_t digest[DIGEST_BYTES];
	struct entry *e;

	digest_sha256(body, length, digest);
	e = find(r, digest);
	if (e)
		e->is_forgotten = true;
}

bool slack_replay_take(struct slack_replay *r, const void *body, size_t length,
		       int64_t now_s, struct error *err)
{
	uint8_t digest[DIGEST_BYTES];
	struct entry *known;
	uint32_t *bucket;
	size_t index;

	/* Time does not go back here, so that the ring stays in order. */
	r->latest_s = now_s > r->latest_s ? now_s : r->latest_s;
	while (r->count > 0 && r->entries[r->first].until_s < r->latest_s)
		drop_first(r);
	digest_sha256(body, length, digest);
	known = find(r, digest);
	if (known)
		return take_again(known, err);
	bucket = bucket_of(r, digest);
	if (r->count == r->capacity)
		return error_set(err, ERR_RATE_LIMITED,
				 "more requests than can be told apart");
	index = (r->first + r->count++) % r->capacity;
	memcpy(r->entries[index].digest, digest, sizeof digest);
	r->entries[index].until_s = r->latest_s + SLACK_REPLAY_S;
	r->entries[index].is_forgotten = false;
	r->entries[index].next = *bucket;
	*bucket = (uint32_t)index + 1;
	return true;
}
