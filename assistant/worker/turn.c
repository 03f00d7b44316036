#include "assistant/worker/turn.h"

#include <string.h>

#include "assistant/worker/clean.h"
#include "assistant/worker/turn_private.h"
#include "base/digest.h"
#include "base/utf8.h"

bool turn_model_read(const struct assistant_fields *begin, struct turn_model *ret,
		     struct error *err)
{
	struct turn_model m = { .codec = codec_find(begin->provider),
				.max_output = begin->max_output,
				.stream = begin->stream,
				.cache = begin->cache,
				.old_max_tokens = begin->old_max_tokens };

	if (!m.codec || !*begin->model || m.max_output < 1)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "no such provider, or no model");
	(void)snprintf(m.model, sizeof m.model, "%s", begin->model);
	*ret = m;
	return true;
}

/* ---- out ---- */

bool turn_say(struct turn *t, json_t *message, struct error *err)
{
	if (!message)
		return error_oom(err);
	return t->send(t->context, message) ||
	       error_set(err, ERR_BACKEND_UNAVAILABLE, "nobody hears us");
}

/* Ends what was being said to people, if anything. */
static bool end_speaking(struct turn *t, struct error *err)
{
	if (!t->is_speaking)
		return true;
	t->is_speaking = false;
	return turn_say(
		t, json_pack("{s:s, s:s, s:b}", "m", "say", "text", "", "final", 1), err);
}

static bool end_turn(struct turn *t, const char *m, const char *member, const char *value,
		     struct error *err)
{
	if (!end_speaking(t, err))
		return false;
	t->is_over = true;
	return turn_say(t,
			json_pack("{s:s, s:s, s:o}", "m", m, member, value, "usage",
				  assistant_usage_json(&t->usage)),
			err);
}

bool turn_fail(struct turn *t, enum assistant_code code, struct error *err)
{
	return t->is_over ||
	       end_turn(t, "failed", "code", assistant_code_name(code), err);
}

static bool say_piece(struct turn *t, const char *text, size_t length, struct error *err)
{
	t->is_speaking = true;
	t->said += length;
	return turn_say(t,
			json_pack("{s:s, s:s%, s:b}", "m", "say", "text", text, length,
				  "final", 0),
			err);
}

/* Within the limit; beyond it the turn is over. */
static bool say_text(struct turn *t, const char *text, size_t length, struct error *err)
{
	_cleanup_strbuf_ struct strbuf clean = STRBUF_INIT;
	size_t left = (size_t)t->limits.text_bytes - t->said;

	clean_text(&clean, text, length);
	if (!strbuf_ok(&clean))
		return error_oom(err);
	size_t all = utf8_cut(clean.data, clean.length, left);
	for (size_t at = 0; at < all;) {
		size_t part = utf8_cut(clean.data + at, all - at, ASSISTANT_SAY_MAX);

		if (!say_piece(t, clean.data + at, part, err))
			return false;
		at += part;
	}
	return all == clean.length || turn_fail(t, ASSISTANT_LIMIT_TEXT, err);
}

/* What has come of the answer's text and was not said yet. */
static bool say_news(struct turn *t, struct error *err)
{
	for (size_t i = 0; i < t->answer.count && !t->is_over; i++) {
		const struct answer_block *b = &t->answer.blocks[i];
		size_t from = t->told[i];

		if (b->kind != ANSWER_TEXT || from == b->text.length)
			continue;
		t->told[i] = b->text.length;
		if (from == 0 && t->is_speaking && !say_text(t, "\n\n", 2, err))
			return false;
		if (!t->is_over &&
		    !say_text(t, b->text.data + from, b->text.length - from, err))
			return false;
	}
	return true;
}

/* ---- asking ---- */

static void forget_answer(struct turn *t)
{
	reader_free(t->reader);
	t->reader = NULL;
	answer_done(&t->answer);
	memset(t->told, 0, sizeof t->told);
	turn_calls_clear(t);
}

static bool ask(struct turn *t, struct error *err)
{
	const struct chat c = {
		.model = t->model->model,
		.max_output = t->model->max_output,
		.stream = t->model->stream,
		.cache = t->model->cache,
		.old_max_tokens = t->model->old_max_tokens,
		.stable = t->stable.data,
		.tools = names_tools(t->names),
		.messages = t->messages,
	};
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT, body = STRBUF_INIT,
				       clean = STRBUF_INIT;

	forget_answer(t);
	if (t->requests >= t->limits.requests)
		return turn_fail(t, ASSISTANT_LIMIT_REQUESTS, err);
	if (!t->model->codec->write(&c, &path, &body, err))
		return false;
	/* what goes back as it came may hold what our messages do not */
	clean_text(&clean, body.data, body.length);
	if (!strbuf_ok(&path) || !strbuf_ok(&body) || !strbuf_ok(&clean))
		return error_oom(err);
	if (clean.length > ASSISTANT_BODY_MAX)
		return turn_fail(t, ASSISTANT_TOO_LONG, err);
	t->requests++;
	t->usage.requests++;
	t->is_asking = true;
	return turn_say(t,
			json_pack("{s:s, s:I, s:s, s:s%}", "m", "request", "request",
				  (json_int_t)t->requests, "path", path.data, "body",
				  clean.data, clean.length),
			err);
}

static void add_usage(struct assistant_usage *to, const struct assistant_usage *from)
{
	const int64_t max = ASSISTANT_TOKENS_MAX / ASSISTANT_REQUESTS_MAX;

#define ADD(member) (to->member += from->member < max ? from->member : max)
	ADD(input);
	ADD(output);
	ADD(cache_read);
	ADD(cache_write);
#undef ADD
}

static int64_t tokens(const struct assistant_usage *u)
{
	return u->input + u->output + u->cache_read + u->cache_write;
}

/* All calls are answered: tell the model, or be done if there were none. */
static bool go_on(struct turn *t, struct error *err)
{
	if (t->is_over || !turn_calls_ready(t))
		return true;
	return turn_calls_record(t, err) && ask(t, err);
}

static bool take_answer(struct turn *t, struct error *err)
{
	add_usage(&t->usage, &t->answer.usage);
	if (!say_news(t, err))
		return false;
	if (t->is_over)
		return true;
	if (t->answer.failure != ASSISTANT_OK)
		return turn_fail(t, t->answer.failure, err);
	if (t->answer.stop == ANSWER_OVERLONG)
		return turn_fail(t, ASSISTANT_TOO_LONG, err);
	if (!end_speaking(t, err))
		return false;
	/* what was filtered may be half of a call */
	if (t->answer.stop == ANSWER_FILTERED)
		return end_turn(t, "done", "why", "filtered", err);
	if (tokens(&t->usage) > t->limits.tokens)
		return turn_fail(t, ASSISTANT_LIMIT_TOKENS, err);
	if (!turn_calls_begin(t, err))
		return false;
	if (t->call_count == 0)
		return end_turn(t, "done", "why",
				t->answer.stop == ANSWER_CUT ? "cut" : "end", err);
	return go_on(t, err);
}

/* ---- in ---- */

static bool take_status(struct turn *t, const struct assistant_fields *f,
			struct error *err)
{
	if (t->reader)
		return error_set(err, ERR_INVALID_ARGUMENT, "a second status");
	t->reader = reader_new(t->model->codec, (int)f->status, f->type, &t->answer, err);
	return t->reader != NULL;
}

static bool take_chunk(struct turn *t, const struct assistant_fields *f,
		       struct error *err)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	struct error broken = ERROR_INIT;

	if (!t->reader)
		return error_set(err, ERR_INVALID_ARGUMENT, "a piece before its status");
	if (!digest_base64_decode(f->data, strlen(f->data), &bytes, err))
		return false;
	if (!reader_feed(t->reader, bytes.data, bytes.length, &broken))
		return turn_fail(t, ASSISTANT_MODEL_BROKEN, err);
	return say_news(t, err);
}

static bool take_ended(struct turn *t, const struct assistant_fields *f,
		       struct error *err)
{
	struct error broken = ERROR_INIT;

	if (!f->code && !t->reader)
		return error_set(err, ERR_INVALID_ARGUMENT, "an end without a status");
	t->is_asking = false;
	if (f->code) {
		add_usage(&t->usage, &t->answer.usage);
		return turn_fail(t, assistant_code_find(f->code), err);
	}
	if (reader_is_refusal(t->reader))
		return turn_fail(t, reader_refusal(t->reader), err);
	if (!reader_end(t->reader, &broken)) {
		add_usage(&t->usage, &t->answer.usage);
		return turn_fail(t, ASSISTANT_MODEL_BROKEN, err);
	}
	return take_answer(t, err);
}

static bool take_request(struct turn *t, const struct assistant_fields *f,
			 struct error *err)
{
	if (!t->is_asking || f->request != t->requests)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "an answer to no request of ours");
	if (f->m == ASSISTANT_STATUS)
		return take_status(t, f, err);
	return f->m == ASSISTANT_CHUNK ? take_chunk(t, f, err) : take_ended(t, f, err);
}

bool turn_take(struct turn *t, const struct assistant_fields *f, struct error *err)
{
	if (t->is_over)
		return true;
	switch (f->m) {
	case ASSISTANT_STATUS:
	case ASSISTANT_CHUNK:
	case ASSISTANT_ENDED:
		return take_request(t, f, err);
	case ASSISTANT_RESULT:
		return turn_calls_result(t, f, err) && go_on(t, err);
	case ASSISTANT_CONTENT:
		return turn_calls_content(t, f, err) && go_on(t, err);
	case ASSISTANT_STOP:
		return turn_fail(t, ASSISTANT_STOPPED, err);
	default:
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a message that a turn does not take");
	}
}

int64_t turn_deadline_ms(const struct turn *t)
{
	return t->deadline_ms;
}

bool turn_expire(struct turn *t, struct error *err)
{
	return turn_fail(t, ASSISTANT_LIMIT_TIME, err);
}

bool turn_is_over(const struct turn *t)
{
	return t->is_over;
}

void turn_free(struct turn *t)
{
	if (!t)
		return;
	forget_answer(t);
	names_free(t->names);
	strbuf_done(&t->stable);
	json_decref(t->messages);
	free(t);
}

struct turn *turn_new(const struct turn_model *m, const struct assistant_fields *f,
		      turn_send *send, void *context, int64_t now_ms, struct error *err)
{
	_cleanup_(turn_freep) struct turn *t = calloc(1, sizeof *t);
	_cleanup_strbuf_ struct strbuf changing = STRBUF_INIT;

	if (!t) {
		error_oom(err);
		return NULL;
	}
	t->model = m;
	t->send = send;
	t->context = context;
	strbuf_init(&t->stable);
	answer_init(&t->answer);
	if (!assistant_limits_decode(f->limits, &t->limits, err) ||
	    !conversation_system(f->system, f->who, &t->stable, &changing, err))
		return NULL;
	t->deadline_ms = now_ms + t->limits.seconds * 1000;
	t->names = names_new(f->tools, f->sources, err);
	t->messages = t->names ? conversation_messages(f->conversation, t->names,
						       changing.data, &t->past, err)
			       : NULL;
	return t->messages && ask(t, err) ? TAKE(t) : NULL;
}
