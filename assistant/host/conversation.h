/*
 * conversation -- our own record of what was said to us, what we answered, proposed, read.
 *
 * Entries are those of assistant/messages.h with members that the worker is not told: 'eid'
 * and 'ms' (which entry it is, and when), 'turn' (of the gate's, in Slack), 'person' (who
 * said it), 'approval', 'open', 'told' (the results that its turn was told) and 'ended_ms'
 * (of what was proposed), 'id' (of a read at the gate).
 * Oldest first. Beyond CONVERSATION_ENTRIES_MAX or CONVERSATION_BYTES_MAX the oldest go.
 * What looks like a credential is masked as it is added. A channel's other messages are
 * never in it. Pure; where it is kept is memory.h's.
 */
#ifndef ASSISTANT_HOST_CONVERSATION_H
#define ASSISTANT_HOST_CONVERSATION_H

#include "base/digest.h"
#include "base/json.h"

enum {
	CONVERSATION_ENTRIES_MAX = 200,
	CONVERSATION_BYTES_MAX = 256 * 1024, /* of texts */
	CONVERSATION_ID_MAX = 120,
	CONVERSATION_SAID_MAX = 32 * 1024, /* of one entry that a person said */
	CONVERSATION_PIECES_MAX = 80,      /* that go with a proposal */
	CONVERSATION_PIECES_BYTES = 256 * 1024,
};

struct conversation {
	char id[CONVERSATION_ID_MAX + 1];
	/* Changes whenever it is forgotten; "": it never was. */
	char epoch[DIGEST_ID_BYTES];
	json_t *entries;
	json_t *people; /* whom it knows (people.h); an array */
};

/* Empty; 'id' is the surface's own name for it. */
bool conversation_init(struct conversation *c, const char *id, struct error *err);
void conversation_done(struct conversation *c);

/* Steals 'entry', masks it, and names it. False without memory. */
bool conversation_add(struct conversation *c, json_t *entry) _must_use_;
/* A person's words, cut where they are too long. 'turn' may be NULL. */
bool conversation_said(struct conversation *c, const char *by, const char *person,
		       const char *turn, const char *text, int64_t now_ms) _must_use_;
/* The entry of what was proposed under this approval; borrowed, NULL: there is none. */
json_t *conversation_proposed(const struct conversation *c, const char *approval);

/*
 * What was said and read, as the gate wants it with a proposal (gate/messages.h,
 * 'sources'), the newest first and as many as it takes. What 'asker' said is named by its
 * turn where there is one, else handed over as theirs. 'lookups' are ids of reads besides,
 * the newest last. New reference.
 */
json_t *conversation_pieces(const struct conversation *c, const char *asker,
			    const json_t *lookups) _must_use_;
/* Add to them what others said in the thread, the newest first, as far as there is room. */
bool conversation_add_thread(json_t *pieces, const json_t *thread) _must_use_;
/* What a person said last; borrowed, NULL: nobody did. */
const char *conversation_newest(const struct conversation *c);

/*
 * As it is kept: {v, epoch, entries, people}, without what belongs to this process. A tree of
 * its own; new reference.
 */
json_t *conversation_body(const struct conversation *c) _must_use_;
/* When something was added last, in the clock's milliseconds; 0: nothing is there. */
int64_t conversation_last_ms(const struct conversation *c);
/* A body that was kept, of our making. */
bool conversation_is_body(const json_t *body);
/*
 * Add what a body has and this one has not: what another process wrote down. A proposal that
 * has ended in one has ended. Of a body of another epoch nothing is added.
 */
bool conversation_take(struct conversation *c, const json_t *body) _must_use_;
/* Forget all; 'epoch' is that of the store's, or NULL for a new one. */
void conversation_clear(struct conversation *c, const char *epoch);

#endif
