/*
 * outbox -- what is to be said in Slack, said once and in order, whatever happens meanwhile.
 *
 * An item is durable before outbox_put returns. Those of one lane (a channel, a person's
 * App Home) go out one after the other, in the order in which they were put; a lane that is
 * held up holds up no other. While Slack is down or slows us, items wait, ever longer, up to their 'until_ms'.
 * After a crash it goes on where it was.
 *
 * Said once: a post whose answer was lost may stand in the channel. It carries a mark of
 * its key, and is looked for before it is posted again; where nobody may look (a channel
 * without the scope for it), it is posted again only if it 'must_arrive', and otherwise
 * its end is "unknown". An update can be repeated and is.
 *
 * A key is the caller's name for an item: the same key again is the same item, and the
 * answer to it is told again. So a caller that does not know how far it came puts again.
 */
#ifndef SLACK_OUTBOX_H
#define SLACK_OUTBOX_H

#include <stdatomic.h>

#include "api/slack/slack.h"
#include "link/documents/documents.h"

enum {
	OUTBOX_WAITING_MAX = 5000, /* then outbox_put refuses */
	OUTBOX_KEPT_MAX =
		20000, /* ends that are remembered, the oldest forgotten first */
	OUTBOX_THREADS_MAX = 16,
	OUTBOX_KEY_BYTES = 160,
	OUTBOX_PLACE_BYTES = 65,
	OUTBOX_TS_BYTES = 33,
	OUTBOX_RETRY_MS = 1000,
	OUTBOX_RETRY_MAX_MS = 5 * 60 * 1000,
};

struct outbox_item {
	const char *key;  /* 1 to OUTBOX_KEY_BYTES - 1 bytes */
	const char *lane; /* whose order it keeps; NULL: nobody's */
	const char *
		method; /* "chat.postMessage", "chat.update", "chat.postEphemeral", ... */
	const json_t *arguments; /* of the method, copied */
	/* NULL, or the key of the item whose message this is about: its channel and ts go
	 * into the arguments. If that was not said, neither is this. */
	const char *of;
	/* Waiting, it gives way to a later one with the same 'of': states, not events. */
	bool replaceable;
	bool must_arrive; /* twice is better than never */
	int64_t until_ms; /* not said after that (wall); 0: whenever */
};

/* What came of an item. */
struct outbox_said {
	const char *key;
	bool ok; /* it stands in 'channel' at 'ts' (both "" where there is no message) */
	bool is_unknown; /* not ok, but it may stand there */
	const char *channel, *ts;
	const char *why;      /* not ok: a sentence */
	const json_t *answer; /* Slack's own; NULL after a restart */
};

/* Called by threads of the outbox, once it is durable; not under a lock. */
typedef void outbox_told(void *context, const struct outbox_said *said);

struct outbox_options {
	unsigned threads; /* 1 to OUTBOX_THREADS_MAX */
	outbox_told *told;
	void *context;
	/* How to call: slack_call, unless a test has another. 'cancel' ends it early. */
	bool (*call)(void *caller, const char *method, const json_t *arguments,
		     const atomic_bool *cancel, struct slack_answer *ret,
		     struct error *err);
	void *caller;
	int64_t retry_ms;   /* the first wait; 0: OUTBOX_RETRY_MS */
	size_t waiting_max; /* 0: OUTBOX_WAITING_MAX */
	size_t kept_max;    /* 0: OUTBOX_KEPT_MAX */
};

struct outbox;

/* 'records' is borrowed; its collection "outbox" is ours. What was left begins at once. */
struct outbox *outbox_open(struct documents *records,
			   const struct outbox_options *options,
			   struct error *err) _must_use_;
/* Ends what is under way; the rest stays for the next time. */
void outbox_close(struct outbox *o);
DEFINE_CLEANUP(struct outbox, outbox_close);

/* Durable when true. ERR_RATE_LIMITED: too much waits already. */
bool outbox_put(struct outbox *o, const struct outbox_item *item, struct error *err);

/* How many wait or are under way. */
size_t outbox_waiting(struct outbox *o);

#endif
