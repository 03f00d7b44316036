/*
 * front -- the Slack process: what its parts share, and what each is for.
 *
 * It holds no key and decides nothing. Evidence goes to the gate as it came (gate.h), and
 * what the gate says is drawn. A delivery is taken (take.c: read, counted once across
 * replicas), acknowledged, and worked on by a thread of 'workers'; what is to be said
 * durably goes through the outbox. Nothing here is state of an approval: that is asked of
 * the gate whenever it is needed.
 *
 *   settings  config/slack.yaml            who      of the team, asked of gate and Slack
 *   gate      the link to the gate         say      how something is told to somebody
 *   take      deliveries in                tools    what there is to run
 *   handlers  a row for each kind          prompts  prompts, their changes, their end
 *   homes     App Home, whose and when     panels   resources that it shows
 */
#ifndef SLACK_PROCESS_FRONT_H
#define SLACK_PROCESS_FRONT_H

#include <pthread.h>
#include <stdatomic.h>

#include "api/slack/slack.h"
#include "link/coordination/coordination.h"
#include "link/documents/documents.h"
#include "proc/loop.h"
#include "proc/workers.h"
#include "slack/inbound/inbound.h"
#include "slack/ingress/ingress.h"
#include "slack/outbox/outbox.h"
#include "slack/process/gate.h"
#include "slack/process/settings.h"
#include "slack/process/who.h"
#include "slack/socket/socket.h"

enum {
	FRONT_WORKERS = 24,
	FRONT_QUEUE = 2000,       /* deliveries and transitions that wait for one */
	FRONT_API_MS = 10 * 1000, /* for one call of Slack's */
	FRONT_QUICK_MS = 2500,    /* for one that a trigger_id waits for */
	FRONT_ONCE_MS = 3 * 3600 * 1000, /* a delivery is known again that long */
	FRONT_KEY_BYTES = 160,
	FRONT_OUTAGES = 256, /* events of which was told that the store is down */
};

enum front_count {
	COUNT_EVENTS,
	COUNT_REPEATED, /* deliveries that were taken before, here or elsewhere */
	COUNT_IGNORED,
	COUNT_STRANGERS,
	COUNT_CLICKS,
	COUNT_PROPOSED,
	COUNT_FAILED, /* what was not told as it should have been */
	FRONT_COUNTS,
};

struct front {
	const struct statedir *dir;
	bool assistant_is_apart; /* behind sockets, not our children */
	const char *name;        /* "slack": of its folder, configuration, log */
	struct front_settings settings;
	struct loop *loop;
	char *gate_path;
	struct gate *gate;
	struct slack *slack;
	struct http_client *http;    /* to response URLs */
	struct slack_socket *socket; /* NULL: there is no Socket Mode */
	struct coordination *store;
	struct coord_redis_access *store_access;
	struct documents *records;
	struct outbox *outbox;
	struct talks *talks; /* NULL: there is no assistant */
	struct homes *homes;
	struct workers *workers, *learner;
	pthread_mutex_t work_lock;
	bool work_is_over;                             /* under the lock */
	char outages[FRONT_OUTAGES][INBOUND_ID_BYTES]; /* under the lock; see outage.c */
	size_t outage_next;
	struct who *who;
	struct slack_identity identity; /* whole once 'is_known' */
	atomic_bool is_known;           /* Slack has said who we are */
	atomic_bool is_stopping;
	atomic_bool look_again; /* a transition was missed */
	char replica[DIGEST_HEX_BYTES];
	atomic_llong counts[FRONT_COUNTS];
};

/* A delivery as the work on it has it: everything its own. */
struct delivery {
	struct front *front;
	struct inbound in;
	enum slack_delivery kind;
	char *raw; /* as the gate wants it */
	size_t length;
	char *timestamp, *signature; /* NULL over Socket Mode */
	int64_t taken_ms;            /* mono */
	/* Once who_check has said yes. */
	char principal[129];
};

/* Have a worker do it; false: too much waits, or we are about to stop. Any thread. */
bool front_submit(struct front *f, workers_function *fn, void *argument) _must_use_;
/* For a call of Slack's: so long, and no longer once we stop. */
struct rest_patience front_patience(const struct front *f, int64_t ms);
void front_count(struct front *f, enum front_count which);
/* What Slack says of us, for inbound_read; borrowed from 'f'. */
struct inbound_self front_self(const struct front *f);

/* --- take.c --- */
/* An ingress_take; 'context' is the front. */
bool front_take(void *context, const struct ingress_delivery *d, json_t **ret_ack,
		struct error *err);
void delivery_free(struct delivery *d);
DEFINE_CLEANUP(struct delivery, delivery_free);
/* {raw, timestamp?, signature?} for the gate; new, NULL without memory. */
json_t *delivery_evidence(const struct delivery *d) _must_use_;

/* --- gate, as the handlers ask it --- */
/* Begin a turn: its id in '*ret_turn' (new string). 'begun' may be NULL. */
bool front_turn(const struct delivery *d, const char *begun, char **ret_turn,
		struct error *err);

#endif
