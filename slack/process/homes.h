/*
 * homes -- who has App Home open, and when it is drawn anew.
 *
 * Only whoever opened theirs in the last day is drawn for; it is drawn when it is opened or
 * paged, and when something of it changed, never for the sake of time. Changes are gathered: one
 * Home is published once in HOMES_EVERY_MS at most, over all replicas, and what is as it
 * was is not published at all. A view is published with the hash of the one that it takes the
 * place of (views.publish), so that what an older look says never covers a newer one.
 *
 * In the store: home/USER, what is known of somebody's (struct home in apphome.c), so that
 * every replica knows who has theirs open. Here: what is due, and what panels said when they
 * were last read, which is kept nowhere else: another replica reads them before it draws.
 * Thread-safe, but homes_tick is the loop's.
 */
#ifndef SLACK_PROCESS_HOMES_H
#define SLACK_PROCESS_HOMES_H

#include "slack/process/front.h"

enum {
	HOMES_MAX = 1024,            /* of which something may be due at once, here */
	HOMES_EVERY_MS = 2000,       /* between two drawings of one */
	HOMES_PANELS_MS = 10 * 1000, /* between two readings of its panels */
	HOMES_AT_ONCE = 4, /* workers that draw; a slow server keeps no others */
	HOMES_SEEN_MS = 24 * 3600 * 1000,
	HOMES_TURN_MS = 29 * 60 * 1000, /* the gate reads for so long after an opening */
	HOMES_ASKED_MS = 5000,          /* for one panel */
};

struct homes;

struct homes *homes_new(struct front *f, struct error *err) _must_use_;
/* When no worker works any more. */
void homes_free(struct homes *h);

/* What is due now is given to workers. */
void homes_tick(struct homes *h);

enum homes_due {
	HOMES_DRAW = 1,
	HOMES_PANELS = 2, /* read, too */
};
/* Of one person, if it is open; of all that are, whoever was told. Any thread. */
void homes_changed(struct homes *h, const char *user, unsigned due);
void homes_all_changed(struct homes *h, unsigned due);

/* --- for apphome.c --- */

/* It is open now. */
void homes_opened(struct homes *h, const char *user);
/* It is not; what was kept goes. */
void homes_closed(struct homes *h, const char *user);
/* What the panels of this person said last: an array, new; NULL: nothing yet. */
json_t *homes_panels(struct homes *h, const char *user) _must_use_;
/* Steals. */
void homes_keep_panels(struct homes *h, const char *user, json_t *panels);

/* Draws it, having read its panels if 'due' says so; in a worker. False: not now. */
bool apphome_draw(struct front *f, const char *user, unsigned due);

#endif
