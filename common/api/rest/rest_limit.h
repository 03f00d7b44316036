/*
 * rest_limit -- when a vendor may be asked again.
 *
 * A bucket is one of the vendor's limits, by a name that the caller has for it. What a
 * reply said about it holds for all threads. Only so many are remembered; the one whose
 * time comes first is forgotten for a new one.
 */
#ifndef API_REST_LIMIT_H
#define API_REST_LIMIT_H

#include <pthread.h>

#include "base/cleanup.h"

enum { REST_LIMIT_BUCKETS_MAX = 64, REST_LIMIT_NAME_BYTES = 48 };

struct rest_limits {
	pthread_mutex_t lock; /* guards the rest */
	struct {
		char name[REST_LIMIT_NAME_BYTES];
		int64_t until_ms; /* clock_mono_ms; 0: a free place */
	} buckets[REST_LIMIT_BUCKETS_MAX];
	int64_t write_ms; /* when the next write may begin */
};

void rest_limits_init(struct rest_limits *l);
void rest_limits_done(struct rest_limits *l);

/* Not before then; an earlier time than is known counts for nothing. */
void rest_limits_close(struct rest_limits *l, const char *bucket, int64_t until_ms);
/* How long to wait from now. */
int64_t rest_limits_wait(struct rest_limits *l, const char *bucket, int64_t now_ms);
/* The longest wait of all buckets. */
int64_t rest_limits_longest(struct rest_limits *l, int64_t now_ms);
/* Take a turn among the writes, which begin 'gap_ms' apart: how long to wait for it. -1,
 * and none is taken, if that were longer than 'most_ms'. */
int64_t rest_limits_take_write(struct rest_limits *l, int64_t gap_ms, int64_t now_ms,
			       int64_t most_ms);

#endif
