#include "slack/markdown/stream.h"

#include "base/text.h"
#include "slack/markdown/private.h"
#include "slack/render/blocks.h"
#include "slack/render/rich.h"
#include "slack/text/text.h"

enum {
	MARK_UNITS = 80,
	PARTS_MAX = 60,
	HEADING_BYTES = SLACK_HEADER_CHARACTERS_MAX + 16
};

struct slack_stream {
	const struct slack_markdown *how;
	struct strbuf pending; /* that is in no piece yet */
	struct slack_stream_cut cut;
	size_t bytes, hidden; /* that were kept, and that were not */
	json_t *pieces;       /* all that may be shown */
	json_t *notified;     /* {id: true}: nobody is twice */
	size_t taken;         /* of them, by slack_stream_take */
	bool ended, marked;
	bool in_key; /* a private key has begun, and was not seen to end */
	/* The message that is being streamed. */
	size_t messages, units, count, blocks;
	bool has_table;
};

struct slack_stream *slack_stream_new(const struct slack_markdown *how)
{
	_cleanup_(slack_stream_freep) struct slack_stream *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	strbuf_init(&s->pending);
	s->how = how;
	s->pieces = json_array();
	s->notified = json_object();
	return s->pieces && s->notified ? TAKE(s) : NULL;
}

void slack_stream_free(struct slack_stream *s)
{
	if (!s)
		return;
	strbuf_done(&s->pending);
	json_decref(s->pieces);
	json_decref(s->notified);
	free(s);
}

/* --- text comes --- */

/* Where a private key that has begun ends in this text; 'length': not here. */
static size_t key_end(const char *text, size_t length)
{
	const char *end = memmem(text, length, "-----END ", 9);
	const char *close =
		end ? memmem(end + 9, length - (size_t)(end + 9 - text), "-----", 5)
		    : NULL;

	return close ? (size_t)(close + 5 - text) : length;
}

/* Whether one has begun in this text and does not end there. */
static bool opens_key(const char *text, size_t length)
{
	enum { LABEL_MAX = 80 };
	size_t at = 0;

	for (const char *begin;
	     (begin = memmem(text + at, length - at, "-----BEGIN ", 11));) {
		const size_t left = length - (size_t)(begin - text);

		at = (size_t)(begin - text) + 11;
		if (!memmem(begin, left < LABEL_MAX ? left : LABEL_MAX, "PRIVATE KEY",
			    11))
			continue;
		if (key_end(begin, left) == left)
			return true;
	}
	return false;
}

/* Without credentials, of which one may have begun in an earlier step. */
static void redact(struct slack_stream *s, struct strbuf *sb, const char *text,
		   size_t length)
{
	size_t from = 0;

	if (s->in_key) {
		from = key_end(text, length);
		s->in_key = from == length;
	}
	if (from == length)
		return;
	text_redact(sb, text + from, length - from);
	s->in_key = opens_key(text + from, length - from);
}

/* Draw the first bytes of what is pending, behind the fence that the last cut left open. */
static bool draw(struct slack_stream *s, size_t bytes, const char *fence,
		 struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_auto_t *pieces = NULL;

	if (fence[0])
		strbuf_add_format(&text, "%s\n", fence);
	redact(s, &text, s->pending.data, bytes);
	if (!strbuf_ok(&text))
		return error_oom(err);
	pieces = markdown_pieces(text.data, text.length, s->how, s->notified, err);
	if (!pieces)
		return false;
	if (json_array_extend(s->pieces, pieces) != 0)
		return error_oom(err);
	memmove(s->pending.data, s->pending.data + bytes, s->pending.length - bytes);
	strbuf_truncate(&s->pending, s->pending.length - bytes);
	return true;
}

static bool advance(struct slack_stream *s, struct error *err)
{
	while (s->pending.length > 0) {
		char fence[SLACK_STREAM_FENCE_BYTES];
		size_t bytes;

		memcpy(fence, s->cut.fence, sizeof fence);
		bytes = slack_stream_cut(s->pending.data, s->pending.length, s->ended,
					 &s->cut);
		if (bytes == 0)
			return true;
		if (!draw(s, bytes, fence, err))
			return false;
	}
	return true;
}

bool slack_stream_add(struct slack_stream *s, const char *text, size_t length,
		      struct error *err)
{
	const size_t room = SLACK_MARKDOWN_BYTES_MAX - s->bytes;
	const size_t kept = length < room ? length : room;

	strbuf_add(&s->pending, text, kept);
	if (!strbuf_ok(&s->pending))
		return error_oom(err);
	s->bytes += kept;
	s->hidden += length - kept;
	return advance(s, err);
}

bool slack_stream_end(struct slack_stream *s, struct error *err)
{
	s->ended = true;
	return advance(s, err);
}

bool slack_stream_note(struct slack_stream *s, const char *words, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	size_t length;

	markdown_visible(&text, words, strlen(words));
	if (!strbuf_ok(&text))
		return error_oom(err);
	length = rich_fitting(text.data, text.length, SLACK_STREAM_NOTE_MAX);
	strbuf_truncate(&text, length);
	if (text.length > 0 &&
	    json_array_append_new(s->pieces,
				  rich_line("section", text.data, RICH_ITALIC)) != 0)
		return error_oom(err);
	return true;
}

bool slack_stream_is_over(const struct slack_stream *s)
{
	return s->ended && (s->marked || (s->taken == json_array_size(s->pieces) &&
					  (s->hidden == 0 || s->messages == 0)));
}

bool slack_stream_is_due(const struct slack_stream *s, int64_t last_ms, int64_t every_ms,
			 int64_t now_ms)
{
	if (s->ended)
		return true;
	/* A clock that was set back delays nothing. */
	return s->taken < json_array_size(s->pieces) &&
	       (now_ms >= last_ms + every_ms || now_ms < last_ms);
}

/* --- steps go --- */

static size_t most_messages(const struct slack_stream *s)
{
	return s->how->messages_max ? s->how->messages_max : SLACK_MARKDOWN_MESSAGES_MAX;
}

static bool fits(const struct slack_stream *s, const json_t *piece)
{
	if (s->messages == 0 || s->blocks >= SLACK_MESSAGE_BLOCKS_MAX - 3 ||
	    s->count + rich_count(piece) > RICH_COUNT_MAX ||
	    (rich_is_table(piece) && s->has_table))
		return false;
	return s->units + rich_units(piece) <= SLACK_MESSAGE_CHARACTERS_MAX - MARK_UNITS;
}

static bool begin_message(struct slack_stream *s, json_t *blocks)
{
	char words[HEADING_BYTES];

	s->messages++;
	s->units = s->blocks = s->count = 0;
	s->has_table = false;
	if (!s->how->heading)
		return true;
	(void)snprintf(words, sizeof words, "%s%s", s->how->heading,
		       s->messages > 1 ? ", continued" : "");
	s->units = slack_text_units(words, strlen(words));
	s->blocks = 1;
	return json_array_append_new(
		       blocks, rich_block(json_pack("[o]", rich_line("section", words,
								     RICH_BOLD)))) == 0;
}

/* The parts of the block of rich text at the end, if there is room in it. */
static json_t *last_parts(const json_t *blocks)
{
	const json_t *last = json_array_get(blocks, json_array_size(blocks) - 1);
	json_t *parts = rich_is_table(last) ? NULL : json_object_get(last, "elements");

	return json_array_size(parts) < PARTS_MAX ? parts : NULL;
}

static bool put(struct slack_stream *s, json_t *blocks, json_t *piece)
{
	json_t *parts = json_array_size(blocks) > 0 ? last_parts(blocks) : NULL;

	s->units += rich_units(piece);
	s->count += rich_count(piece);
	if (!rich_is_table(piece) && parts)
		return json_array_append(parts, piece) == 0;
	s->blocks++;
	if (!rich_is_table(piece))
		return json_array_append_new(blocks,
					     rich_block(json_pack("[O]", piece))) == 0;
	s->has_table = true;
	return json_array_append(blocks, piece) == 0;
}

static size_t units_from(const struct slack_stream *s, size_t from)
{
	size_t units = 0;

	for (size_t i = from; i < json_array_size(s->pieces); i++)
		units += rich_units(json_array_get(s->pieces, i));
	return units;
}

/* The end, if not everything could be shown: how much of it was. */
static bool add_mark(struct slack_stream *s, json_t *blocks)
{
	const size_t rest = units_from(s, s->taken) + s->hidden;
	const size_t shown = units_from(s, 0) - units_from(s, s->taken);
	char words[MARK_UNITS];

	s->marked = true;
	(void)snprintf(words, sizeof words, "%zu of %zu characters shown.", shown,
		       shown + rest);
	return json_array_append_new(
		       blocks, rich_block(json_pack("[o]", rich_line("section", words,
								     RICH_ITALIC)))) == 0;
}

static bool is_full(const struct slack_stream *s)
{
	return s->messages >= most_messages(s) && s->taken < json_array_size(s->pieces) &&
	       !fits(s, json_array_get(s->pieces, s->taken));
}

static bool take(struct slack_stream *s, json_t *blocks, bool *ret_new)
{
	const size_t count = json_array_size(s->pieces);

	if (s->taken < count && !is_full(s) &&
	    !fits(s, json_array_get(s->pieces, s->taken))) {
		*ret_new = true;
		if (!begin_message(s, blocks) ||
		    !put(s, blocks, json_array_get(s->pieces, s->taken)))
			return false;
		s->taken++;
	}
	while (s->taken < count && fits(s, json_array_get(s->pieces, s->taken))) {
		if (!put(s, blocks, json_array_get(s->pieces, s->taken)))
			return false;
		s->taken++;
	}
	if (!s->ended || s->marked || s->messages == 0 ||
	    (!is_full(s) && s->hidden == 0) || (s->taken < count && !is_full(s)))
		return true;
	return add_mark(s, blocks);
}

json_t *slack_stream_take(struct slack_stream *s, bool *ret_new, struct error *err)
{
	json_auto_t *blocks = json_array();
	bool is_new = false;

	if (!blocks || !take(s, blocks, &is_new)) {
		error_oom(err);
		return NULL;
	}
	if (json_array_size(blocks) == 0)
		return NULL;
	*ret_new = is_new;
	return TAKE(blocks);
}

json_t *slack_stream_messages(const struct slack_stream *s, struct error *err)
{
	const struct rich_pack pack = {
		.text = s->how->heading ? s->how->heading : "An answer",
		.heading = s->how->heading,
		.messages_max = most_messages(s),
		.hidden = s->ended ? s->hidden : 0,
	};

	return rich_messages(s->pieces, &pack, NULL, err);
}
