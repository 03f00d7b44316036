/*
 * turn -- one turn of a conversation: ask the model, hand on what it wants, go on.
 *
 * Pure: messages in, messages out, time is the caller's. It keeps the limits that came
 * with the turn, answers a model's mistakes (arguments that are no JSON, too many calls)
 * itself, and ends with exactly one 'done' or 'failed'. What the model says is a
 * stranger's; nothing of it is more than text, a proposal, or a wish to read.
 */
#ifndef WORKER_TURN_H
#define WORKER_TURN_H

#include "assistant/settings.h"
#include "assistant/worker/chat.h"

enum {
	TURN_CALLS_MAX = 48, /* of one answer that are looked at; the first half is asked,
		     * as far as the turn's limits go */
	TURN_ARGUMENTS_MAX = 256 * 1024,
	TURN_DEPTH_MAX =
		48, /* of arguments: what is wrapped around them fits JSON_DEPTH_MAX */
};

/* What 'begin' said. */
struct turn_model {
	const struct codec *codec;
	char model[ASSISTANT_MODEL_MAX + 1];
	int64_t max_output;
	bool stream, cache, old_max_tokens;
};
bool turn_model_read(const struct assistant_fields *begin, struct turn_model *ret,
		     struct error *err);

/* Takes 'message'; false when nobody can hear it any more. */
typedef bool turn_send(void *context, json_t *message);

struct turn;

/* 'f' is the message 'turn'. Sends the first request. NULL: malformed, or the send failed. */
struct turn *turn_new(const struct turn_model *m, const struct assistant_fields *f,
		      turn_send *send, void *context, int64_t now_ms,
		      struct error *err) _must_use_;
void turn_free(struct turn *t);
DEFINE_CLEANUP(struct turn, turn_free);

/* One of result, content, status, chunk, ended, stop. False: malformed, or nobody hears. */
bool turn_take(struct turn *t, const struct assistant_fields *f, struct error *err);
/* When turn_expire is to be called (in clock_mono_ms as now_ms was). */
int64_t turn_deadline_ms(const struct turn *t);
bool turn_expire(struct turn *t, struct error *err);
/* done or failed was sent; whatever still comes for it is to be ignored. */
bool turn_is_over(const struct turn *t);

#endif
