#include "assistant/worker/reader.h"

#include <string.h>

#include "assistant/worker/eventstream.h"
#include "wire/sse.h"

enum { EVENT_MAX = 1024 * 1024, REFUSAL_MAX = 64 * 1024 };

enum framing { WHOLE, SSE, FRAMES };

struct reader {
	const struct codec *codec;
	struct answer *answer;
	int status;
	enum framing framing;
	size_t bytes;
	struct strbuf whole;
	struct sse_reader sse;
	struct eventstream frames;
};

struct reader *reader_new(const struct codec *codec, int status, const char *type,
			  struct answer *answer, struct error *err)
{
	struct reader *r = calloc(1, sizeof *r);

	if (!r) {
		error_oom(err);
		return NULL;
	}
	r->codec = codec;
	r->answer = answer;
	r->status = status;
	if (!reader_is_refusal(r) && type && strcmp(type, "text/event-stream") == 0)
		r->framing = SSE;
	else if (!reader_is_refusal(r) && type &&
		 strcmp(type, "application/vnd.amazon.eventstream") == 0)
		r->framing = FRAMES;
	strbuf_init(&r->whole);
	sse_reader_init(&r->sse, EVENT_MAX);
	eventstream_init(&r->frames);
	return r;
}

void reader_free(struct reader *r)
{
	if (!r)
		return;
	strbuf_done(&r->whole);
	sse_reader_done(&r->sse);
	eventstream_done(&r->frames);
	free(r);
}

bool reader_is_refusal(const struct reader *r)
{
	return r->status < 200 || r->status > 299;
}

static bool take_event(struct reader *r, const char *type, const char *data,
		       size_t length, struct error *err)
{
	json_auto_t *value = NULL;

	/* What follows the closing event is of no answer; frames may have their counts there. */
	if (length == 0 || (r->framing == SSE && r->answer->is_whole))
		return true;
	if (length == 6 && memcmp(data, "[DONE]", 6) == 0)
		return r->codec->event(type, NULL, r->answer, err);
	value = json_parse(data, length, JSON_SYNTAX, err);
	if (!value)
		return false;
	if (!json_is_object(value))
		return error_set(err, ERR_INVALID_ARGUMENT, "an event that is no object");
	return r->codec->event(type, value, r->answer, err);
}

static bool feed_sse(struct reader *r, const char *bytes, size_t length,
		     struct error *err)
{
	struct sse_event ev;

	sse_reader_feed(&r->sse, bytes, length);
	for (;;)
		switch (sse_reader_next(&r->sse, &ev, err)) {
		case SSE_MORE:
			return true;
		case SSE_BAD:
			return false;
		case SSE_EVENT:
			if (!take_event(r, ev.type, ev.data, ev.length, err))
				return false;
		}
}

static bool feed_frames(struct reader *r, const char *bytes, size_t length,
			struct error *err)
{
	struct eventstream_event ev;

	if (!eventstream_feed(&r->frames, bytes, length))
		return error_oom(err);
	for (;;)
		switch (eventstream_next(&r->frames, &ev, err)) {
		case EVENTSTREAM_MORE:
			return true;
		case EVENTSTREAM_BAD:
			return false;
		case EVENTSTREAM_EVENT:
			if (ev.is_failure && !strstr(ev.type, "xception"))
				r->answer->failure = ASSISTANT_MODEL_DOWN;
			else if (!take_event(r, ev.type, ev.payload, ev.length, err))
				return false;
		}
}

bool reader_feed(struct reader *r, const char *bytes, size_t length, struct error *err)
{
	size_t max = reader_is_refusal(r) ? REFUSAL_MAX : ASSISTANT_ANSWER_MAX;

	if (length > max - r->bytes) {
		if (reader_is_refusal(r))
			return true; /* the status says it all */
		return error_set(err, ERR_RATE_LIMITED,
				 "an answer of more than %zu bytes", max);
	}
	r->bytes += length;
	if (r->framing == SSE)
		return feed_sse(r, bytes, length, err);
	if (r->framing == FRAMES)
		return feed_frames(r, bytes, length, err);
	strbuf_add(&r->whole, bytes, length);
	return strbuf_ok(&r->whole) || error_oom(err);
}

bool reader_end(struct reader *r, struct error *err)
{
	if (r->framing == WHOLE) {
		json_auto_t *body =
			json_parse(r->whole.data, r->whole.length, JSON_SYNTAX, err);

		if (!body || !r->codec->whole(body, r->answer, err))
			return false;
	}
	if (r->framing == FRAMES && eventstream_is_within(&r->frames))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a stream cut within a frame");
	if (r->answer->failure == ASSISTANT_OK && !r->answer->is_whole)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a stream without its closing event");
	return true;
}

enum assistant_code reader_refusal(struct reader *r)
{
	struct error err = ERROR_INIT;
	json_auto_t *body = json_parse(r->whole.data, r->whole.length, JSON_SYNTAX, &err);
	enum assistant_code code = body ? r->codec->refusal(r->status, body)
					: ASSISTANT_OK;

	if (code != ASSISTANT_OK)
		return code;
	if (r->status == 402)
		return ASSISTANT_MODEL_UNPAID;
	if (r->status == 413)
		return ASSISTANT_TOO_LONG;
	if (r->status == 429 || r->status == 529 || r->status == 503)
		return ASSISTANT_MODEL_BUSY;
	return r->status >= 500 || r->status == 408 ? ASSISTANT_MODEL_DOWN
						    : ASSISTANT_MODEL_REFUSED;
}
