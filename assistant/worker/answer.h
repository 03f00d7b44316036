/*
 * answer -- what a model answers, put together from pieces.
 *
 * Blocks in the order in which they began: text, calls, and what a provider wants to have
 * back unchanged (thinking with its signature). Codecs fill it from a whole reply or from
 * the events of a stream; it checks limits, parses nothing. Everything in it is a
 * stranger's.
 */
#ifndef WORKER_ANSWER_H
#define WORKER_ANSWER_H

#include "assistant/fields.h"
#include "base/strbuf.h"

enum { ANSWER_BLOCKS_MAX = 64, ANSWER_BYTES_MAX = 1024 * 1024, ANSWER_ID_MAX = 128 };

enum answer_kind { ANSWER_TEXT, ANSWER_CALL, ANSWER_KEPT };
enum answer_stop {
	ANSWER_NOT_ENDED,
	ANSWER_END, /* also for reasons that we do not know */
	ANSWER_CALLS,
	ANSWER_CUT, /* as long as it may be */
	ANSWER_FILTERED,
	ANSWER_OVERLONG, /* the conversation no longer fits the model */
};

struct answer_block {
	enum answer_kind kind;
	int64_t index;              /* the provider's */
	struct strbuf text;         /* said; a call's arguments as JSON text; thinking */
	struct strbuf signature;    /* of thinking */
	char id[ANSWER_ID_MAX + 1]; /* of a call; "" until it is known */
	char name[ASSISTANT_NAME_MAX + 1];
	json_t *kept; /* the block as it began, for what is sent back */
};

struct answer {
	struct answer_block blocks[ANSWER_BLOCKS_MAX];
	size_t count, bytes;
	enum answer_stop stop;
	bool is_whole; /* the event that closes a stream came, or it was no stream */
	enum assistant_code
		failure; /* said within a stream of status 200; ASSISTANT_OK: none */
	struct assistant_usage usage;
};

void answer_init(struct answer *a);
void answer_done(struct answer *a);

/* A new block; NULL and ERR_RATE_LIMITED when there are too many. Borrowed. */
struct answer_block *answer_open(struct answer *a, enum answer_kind kind, int64_t index,
				 struct error *err);
/* The last block of this kind and index, or NULL. */
struct answer_block *answer_find(struct answer *a, enum answer_kind kind, int64_t index);
/* To 'text' or 'signature' of one of its blocks, within ANSWER_BYTES_MAX in all. */
bool answer_add(struct answer *a, struct strbuf *to, const json_t *text,
		struct error *err);
/* Id and name of a call, each if it is a string that is short enough; else refused. */
bool answer_name(struct answer_block *b, const json_t *id, const json_t *name,
		 struct error *err);
/* A token count of a provider's: 'object' may lack it. Nonsense counts as 0. */
int64_t answer_count(const json_t *object, const char *name);

#endif
