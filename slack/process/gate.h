/*
 * gate -- the one conversation with the gate, shared by all threads.
 *
 * It lives on the loop of the main thread, which connects, says hello as Slack's process,
 * and comes back when the gate fell. Any other thread asks and waits for its answer;
 * many questions may be under way. What the gate says of itself (a transition, a notice)
 * is handed to 'heard' in the loop's thread, which must not ask.
 */
#ifndef SLACK_PROCESS_GATE_H
#define SLACK_PROCESS_GATE_H

#include "base/json.h"
#include "gate/messages.h"
#include "proc/loop.h"

enum {
	GATE_WAIT_MS = 10 * 1000, /* for one answer, a gate that comes back included */
	GATE_QUICK_MS =
		2000, /* where Slack waits for us, which it does for three seconds */
	GATE_ASKED_MAX = 1024, /* at once */
};

struct gate;

/* 'message' is borrowed. */
typedef void gate_heard(void *context, json_t *message);
/* The gate is there, anew: ask what is open. In the loop's thread. */
typedef void gate_came(void *context);

/* 'path' of its socket, borrowed. The gate need not be there yet. */
struct gate *gate_new(struct loop *l, const char *path, gate_heard *heard,
		      gate_came *came, void *context, struct error *err) _must_use_;
/* After the loop has stopped and every other thread has ended. */
void gate_free(struct gate *g);
DEFINE_CLEANUP(struct gate, gate_free);

/* Whoever waits is told that it is over, and nobody waits any more. Any thread. */
void gate_stop(struct gate *g);

/*
 * 'members' (an object, stolen; NULL: none) with "m" and "id" added. New reference. A refusal
 * is 'err' with the gate's code, message and hint. '*ret_details' (may be NULL) is the
 * refusal's details, new, or untouched. Not in the loop's thread.
 */
json_t *gate_ask(struct gate *g, enum message m, json_t *members, json_t **ret_details,
		 struct error *err) _must_use_;

/* The same, waiting so long at most. */
json_t *gate_ask_for(struct gate *g, enum message m, json_t *members, int64_t wait_ms,
		     json_t **ret_details, struct error *err) _must_use_;

bool gate_is_up(const struct gate *g); /* any thread */

#endif
