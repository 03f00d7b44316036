/*
 * replay -- the requests that were taken while their signatures hold, each once.
 *
 * A request is its raw body: Slack repeats one that it thinks was lost, with a new time
 * and signature. Of bounded size: when it is full of what still holds, new ones are
 * refused until some have passed, and none is forgotten. Not thread-safe. Lost with the
 * process; what must outlive it is kept by whoever decides.
 */
#ifndef SLACK_REPLAY_H
#define SLACK_REPLAY_H

#include "base/digest.h"
#include "slack/verify/signature.h"

enum {
	/* From the earliest moment that a signature is taken to the last. */
	SLACK_REPLAY_S = 2 * SLACK_WINDOW_S + 1,
	SLACK_REPLAY_MAX = 1 << 20,
};

struct slack_replay;

/* NULL without memory, or for a capacity that is 0 or above SLACK_REPLAY_MAX. */
struct slack_replay *slack_replay_new(size_t capacity) _must_use_;
void slack_replay_free(struct slack_replay *r);
DEFINE_CLEANUP(struct slack_replay, slack_replay_free);

/* True: it is the first. ERR_CONFLICT: it was taken before. ERR_RATE_LIMITED: full. A clock
 * that goes back keeps what it has. */
bool slack_replay_take(struct slack_replay *r, const void *body, size_t length,
		       int64_t now_s, struct error *err);
/* It was taken, and nothing was done about it: it may be taken once more. */
void slack_replay_forget(struct slack_replay *r, const void *body, size_t length);

#endif
