#include "api/rest/rest_limit.h"

#include <stdio.h>
#include <string.h>

void rest_limits_init(struct rest_limits *l)
{
	*l = (struct rest_limits){ 0 };
	(void)pthread_mutex_init(&l->lock, NULL);
}

void rest_limits_done(struct rest_limits *l)
{
	(void)pthread_mutex_destroy(&l->lock);
}

/* The place of a bucket; NULL if it has none. Longer names share by their beginning. */
static int64_t *find(struct rest_limits *l, const char *bucket)
{
	for (size_t i = 0; i < REST_LIMIT_BUCKETS_MAX; i++)
		if (l->buckets[i].until_ms != 0 &&
		    strncmp(l->buckets[i].name, bucket, REST_LIMIT_NAME_BYTES - 1) == 0)
			return &l->buckets[i].until_ms;
	return NULL;
}

void rest_limits_close(struct rest_limits *l, const char *bucket, int64_t until_ms)
{
	(void)pthread_mutex_lock(&l->lock);
	int64_t *known = find(l, bucket);
	if (!known) {
		size_t oldest = 0;
		for (size_t i = 1; i < REST_LIMIT_BUCKETS_MAX; i++)
			if (l->buckets[i].until_ms < l->buckets[oldest].until_ms)
				oldest = i;
		(void)snprintf(l->buckets[oldest].name, REST_LIMIT_NAME_BYTES, "%s",
			       bucket);
		known = &l->buckets[oldest].until_ms;
		*known = 0;
	}
	if (until_ms > *known)
		*known = until_ms;
	(void)pthread_mutex_unlock(&l->lock);
}

int64_t rest_limits_wait(struct rest_limits *l, const char *bucket, int64_t now_ms)
{
	(void)pthread_mutex_lock(&l->lock);
	const int64_t *known = find(l, bucket);
	const int64_t wait_ms = known && *known > now_ms ? *known - now_ms : 0;
	(void)pthread_mutex_unlock(&l->lock);
	return wait_ms;
}

int64_t rest_limits_longest(struct rest_limits *l, int64_t now_ms)
{
	int64_t longest_ms = 0;

	(void)pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < REST_LIMIT_BUCKETS_MAX; i++)
		if (l->buckets[i].until_ms - now_ms > longest_ms)
			longest_ms = l->buckets[i].until_ms - now_ms;
	(void)pthread_mutex_unlock(&l->lock);
	return longest_ms;
}

int64_t rest_limits_take_write(struct rest_limits *l, int64_t gap_ms, int64_t now_ms,
			       int64_t most_ms)
{
	(void)pthread_mutex_lock(&l->lock);
	int64_t wait_ms = gap_ms > 0 && l->write_ms > now_ms ? l->write_ms - now_ms : 0;
	if (wait_ms <= most_ms)
		l->write_ms = now_ms + wait_ms + gap_ms;
	else
		wait_ms = -1; /* and none is taken */
	(void)pthread_mutex_unlock(&l->lock);
	return wait_ms;
}
