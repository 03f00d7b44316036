/*
 * memory -- where conversations are kept: on a console in its own file, in Slack in the
 * coordination store, which all replicas share.
 *
 * Each is kept for 'keep_ms' after its last change and then gone; of more than 'at_most' the
 * one that was not touched for longest goes. Two processes may write the same one: what both
 * have is put together (conversation_take), and what was forgotten stays so.
 *
 * Nothing rests on it but what a model is told: approvals are the gate's. A store that is
 * down is logged, and the conversation goes on with what this process remembers.
 *
 * Thread-safe. memory_keep never waits: with a coordination store a thread of its own writes,
 * the newest of each conversation alone. The others wait for the store.
 */
#ifndef ASSISTANT_HOST_MEMORY_H
#define ASSISTANT_HOST_MEMORY_H

#include "assistant/host/conversation.h"
#include "link/coordination/coordination.h"
#include "link/documents/documents.h"

enum {
	MEMORY_BODY_MAX = 512 *
			  1024,   /* bytes of one as it is kept; the oldest entries go */
	MEMORY_WAITING_MAX = 256, /* that wait to be written */
	MEMORY_LOCK_MS =
		4 *
		1000, /* that one writer may take; one that was killed holds up others so long */
};

struct memory;

struct memory_options {
	/* One of them; borrowed. */
	struct documents *documents;
	struct coordination *coordination;
	int64_t keep_ms; /* 0: nothing is kept */
	int64_t at_most; /* 0: no limit */
};

struct memory *memory_new(const struct memory_options *o, struct error *err) _must_use_;
/* Writes what waits, as far as the store takes it. */
void memory_free(struct memory *m);
DEFINE_CLEANUP(struct memory, memory_free);

int64_t memory_keep_ms(const struct memory *m);

/* What is kept under 'id'; '*ret_body' NULL: nothing. New reference, a tree of its own. */
bool memory_load(struct memory *m, const char *id, json_t **ret_body, struct error *err);

/* Have it written. */
void memory_keep(struct memory *m, const struct conversation *c);

/* Forget what is kept under 'id', also what waits to be written; 'ret_epoch' is for
 * conversation_clear. */
bool memory_forget(struct memory *m, const char *id,
		   char ret_epoch[static DIGEST_ID_BYTES], struct error *err);

/* The ids of those kept that begin with 'prefix': an array of texts; new reference. */
json_t *memory_list(struct memory *m, const char *prefix, struct error *err) _must_use_;

/* Remove those that are too old. Now and then is enough. */
bool memory_sweep(struct memory *m, struct error *err);

#endif
