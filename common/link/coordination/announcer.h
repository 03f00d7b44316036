/*
 * announcer -- publish and subscribe within one process.
 *
 * The embedded store belongs to one process, so its announcements stay there.
 * One thread, begun by the first subscription, calls the subscribers in order of
 * publishing. An announcement that
 * waits already is not queued twice; past ANNOUNCER_WAITING_MAX, publishing fails.
 */
#ifndef LINK_COORDINATION_ANNOUNCER_H
#define LINK_COORDINATION_ANNOUNCER_H

#include "link/coordination/coordination_backend.h"

enum { ANNOUNCER_WAITING_MAX = 1024, ANNOUNCER_SUBSCRIPTIONS_MAX = 256 };

struct announcer;

struct announcer *announcer_new(struct error *err) _must_use_;
/* Drops what waits; ends every subscription. Not from a subscriber's own function. */
void announcer_free(struct announcer *a);
DEFINE_CLEANUP(struct announcer, announcer_free);

bool announcer_publish(struct announcer *a, const char *topic, const char *text,
		       struct error *err);
/* 'backend' is the row that the subscription is unsubscribed by. */
struct coord_subscription *announcer_subscribe(
	struct announcer *a, const struct coord_backend *backend, const char *topic,
	void (*fn)(void *context, const char *topic, const char *text), void *context,
	struct error *err) _must_use_;
/* After it returned, the function runs no more; it may be called from that function. */
void announcer_unsubscribe(struct coord_subscription *s);

#endif
