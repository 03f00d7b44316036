/* turn_private -- what turn.c (the wire) and turn_calls.c (what the model wants) share. */
#ifndef WORKER_TURN_PRIVATE_H
#define WORKER_TURN_PRIVATE_H

#include "assistant/worker/conversation.h"
#include "assistant/worker/reader.h"
#include "assistant/worker/turn.h"

enum wish { WISH_NONE, WISH_PROPOSAL, WISH_TOGETHER, WISH_READ };

/* One call of the model's in the present answer. */
struct call {
	enum wish wish; /* WISH_NONE: answered by ourselves */
	int64_t number; /* of the proposal or read */
	char id[CONVERSATION_CALL_BYTES];
	char name[ASSISTANT_NAME_MAX + 1]; /* as the model wrote it */
	json_t *args;
	json_t *calls;      /* of WISH_TOGETHER and WISH_PROPOSAL: as sent */
	struct strbuf text; /* what the model is told */
	bool is_answered, is_error;
};

struct turn {
	const struct turn_model *model;
	turn_send *send;
	void *context;
	struct names *names;
	struct strbuf stable;
	unsigned past; /* calls in 'messages' so far, which their ids count */
	json_t *messages;
	struct assistant_limits limits;
	struct assistant_usage usage;
	int64_t deadline_ms;
	int64_t requests, proposals, reads;
	size_t said;
	bool is_speaking; /* said something that is not final */
	bool is_over;
	/* the answer that is coming */
	struct answer answer;
	size_t told[ANSWER_BLOCKS_MAX]; /* bytes of each block's text that were said */
	struct reader *reader;
	bool is_asking;
	/* and what it wants */
	struct call calls[TURN_CALLS_MAX];
	size_t call_count;
};

/* Each returns false only when nobody hears, or memory is out. */
bool turn_say(struct turn *t, json_t *message, struct error *err);
bool turn_fail(struct turn *t, enum assistant_code code, struct error *err);

/* From the answer, which is whole: fills 'calls', sends proposals and reads. */
bool turn_calls_begin(struct turn *t, struct error *err);
void turn_calls_clear(struct turn *t);
/* All answered? */
bool turn_calls_ready(const struct turn *t);
bool turn_calls_result(struct turn *t, const struct assistant_fields *f,
		       struct error *err);
bool turn_calls_content(struct turn *t, const struct assistant_fields *f,
			struct error *err);
/* The answer and what became of its calls, as messages. */
bool turn_calls_record(struct turn *t, struct error *err);

#endif
