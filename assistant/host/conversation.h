/*
 * conversation -- our own record of what was said to us, what we answered, proposed, read.
 *
 * Entries are those of assistant/messages.h with members that the worker is not told:
 * 'turn' (of the gate's, in Slack), 'person' (who said it), 'approval' and 'open' (of what
 * was proposed), 'id' (of a read at the gate). Oldest first. Beyond CONVERSATION_ENTRIES_MAX or
 * CONVERSATION_BYTES_MAX the oldest go. Kept as a document for CONVERSATION_KEEP_MS after
 * the last change. A channel's other messages are never read.
 */
#ifndef ASSISTANT_HOST_CONVERSATION_H
#define ASSISTANT_HOST_CONVERSATION_H

#include "base/json.h"
#include "link/documents/documents.h"

enum {
	CONVERSATION_ENTRIES_MAX = 200,
	CONVERSATION_BYTES_MAX = 1024 * 1024, /* of texts */
	CONVERSATION_SAID_MAX = 32 * 1024,    /* of one entry that a person said */
	CONVERSATION_PIECES_MAX = 80,         /* that go with a proposal */
	CONVERSATION_PIECES_BYTES = 256 * 1024,
};
#define CONVERSATION_KEEP_MS (INT64_C(7) * 24 * 3600 * 1000)

struct conversation {
	char id[DOCUMENT_ID_MAX + 1];
	json_t *entries;
	json_t *people; /* whom it knows (people.h); an array */
};

/* Empty; 'id' is the surface's own name for it. */
bool conversation_init(struct conversation *c, const char *id, struct error *err);
void conversation_done(struct conversation *c);

/* Steals 'entry'. False without memory. */
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
/* What a person said last; borrowed, NULL: nobody did. */
const char *conversation_newest(const struct conversation *c);

/* One that is too old is as none. */
bool conversation_load(struct conversation *c, struct documents *d, int64_t now_ms,
		       struct error *err);
bool conversation_store(const struct conversation *c, struct documents *d, int64_t now_ms,
			struct error *err);
bool conversation_forget(const struct conversation *c, struct documents *d,
			 struct error *err);
/* Remove those that are too old; '*ret_removed' may be NULL. Now and then is enough. */
bool conversation_sweep(struct documents *d, int64_t now_ms, size_t *ret_removed,
			struct error *err);

#endif
