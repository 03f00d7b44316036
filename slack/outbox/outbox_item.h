/*
 * outbox_item -- an item as it is kept; private to slack/outbox.
 *
 * A document of "outbox": id a rising number in 16 hex digits; all members always: {key,
 * lane, of, method, arguments, replaceable, must_arrive, until_ms, state, begun_ms, place, ts,
 * why}. Of those that ended the arguments are null.
 */
#ifndef SLACK_OUTBOX_ITEM_H
#define SLACK_OUTBOX_ITEM_H

#include "slack/outbox/outbox.h"

enum outbox_state {
	OUTBOX_WAITING,
	OUTBOX_SENDING, /* begun: it may have been said */
	OUTBOX_SAID,
	OUTBOX_FAILED,
	OUTBOX_UNKNOWN,
};

struct item {
	struct item *next; /* in the order of 'number' */
	uint64_t number;
	enum outbox_state state;
	char key[OUTBOX_KEY_BYTES], of[OUTBOX_KEY_BYTES];
	char lane[OUTBOX_PLACE_BYTES];
	char place[OUTBOX_PLACE_BYTES], ts[OUTBOX_TS_BYTES]; /* of the message */
	char *method, *why;
	json_t *arguments; /* NULL when it has ended */
	bool replaceable, must_arrive;
	bool busy; /* a thread has it */
	bool tell; /* somebody wants to hear how it ended */
	int64_t until_ms, begun_ms;
	int64_t retry_ms; /* mono; not before then */
	int tries;
	size_t ahead; /* that have not ended, in its lane, before it */
};

static inline bool item_has_ended(const struct item *it)
{
	return it->state != OUTBOX_WAITING && it->state != OUTBOX_SENDING;
}

void item_free(struct item *it);

/* New; NULL with 'err'. */
struct item *item_new(const struct outbox_item *from, uint64_t number,
		      struct error *err) _must_use_;
/* NULL with 'err' for a document that is none of ours. */
struct item *item_read(const struct document *doc, struct error *err) _must_use_;
bool item_write(const struct item *it, struct documents *records, struct error *err);
bool item_delete(const struct item *it, struct documents *records, struct error *err);

/* What a post carries so that it can be found again: the digest of its key, in hex. */
enum { ITEM_MARK_BYTES = 65 };
#define ITEM_MARK_TYPE "wingman_outbox"
void item_mark(const struct item *it, char ret[static ITEM_MARK_BYTES]);

#endif
