/*
 * stream -- Markdown that grows while it is written, shown in steps. Pure.
 *
 * What is shown is never unmade: a step is whole blocks (paragraphs, lists, tables, code),
 * taken once it is certain that nothing that can follow belongs to them. So there is no half
 * link, no row without its table, no heading that turns out to be none. Code that is long
 * comes line by line, as code; any other block that grows beyond SLACK_STREAM_HOLD_MAX is cut
 * where nothing is open, and beyond twice that where a line or a word ends. Steps are drawn
 * one by one by slack/markdown.h, with all that it refuses, and stay as they are.
 *
 * A step is given out as blocks for chat.appendStream ({type: "blocks"}), or all of them
 * as messages for chat.postMessage and chat.update. Nothing is ever sent as markdown_text,
 * which Slack would read by rules of its own.
 *
 * What looks like a credential is struck out (base/text.h) before it is drawn. No step ends
 * within a word, but for one longer than twice SLACK_STREAM_HOLD_MAX; a private key that
 * several steps share is struck out of all of them.
 */
#ifndef SLACK_MARKDOWN_STREAM_H
#define SLACK_MARKDOWN_STREAM_H

#include "slack/markdown/markdown.h"

enum {
	SLACK_STREAM_HOLD_MAX = 4000, /* bytes of a block that is waited for */
	SLACK_STREAM_NOTE_MAX = 1000, /* characters of a note */
	/* How often: appending may be done about 100 times a minute, editing 50. */
	SLACK_STREAM_APPEND_MS = 700,
	SLACK_STREAM_EDIT_MS = 1500,
};

struct slack_stream;

/* 'how' must live as long. NULL without memory. */
struct slack_stream *slack_stream_new(const struct slack_markdown *how) _must_use_;
void slack_stream_free(struct slack_stream *s);
DEFINE_CLEANUP(struct slack_stream, slack_stream_free);

/* More of the text; may end within a character. What is beyond SLACK_MARKDOWN_BYTES_MAX is
 * not kept, and the end says so. */
bool slack_stream_add(struct slack_stream *s, const char *text, size_t length,
		      struct error *err);

/* Nothing will be added: the rest may be shown. */
bool slack_stream_end(struct slack_stream *s, struct error *err);

/* Once ended: a line that is no Markdown, literally, below it. What does not show is an
 * escape; what is too long for a part is cut. */
bool slack_stream_note(struct slack_stream *s, const char *words, struct error *err);

/* Whether something may be shown that was not taken yet, and it is time: 'every_ms' (above)
 * after 'last_ms', when something was sent last, or at the end. */
bool slack_stream_is_due(const struct slack_stream *s, int64_t last_ms, int64_t every_ms,
			 int64_t now_ms);

/*
 * The blocks that were not taken yet and fit into the message that is being streamed; NULL
 * without error: there are none now. '*ret_new' is true where they no longer fit into that
 * message: stop it and start another with them (the first step is such a one). At most one
 * table a message. Call until it is NULL. New.
 */
json_t *slack_stream_take(struct slack_stream *s, bool *ret_new,
			  struct error *err) _must_use_;

/* Whether it has ended and everything was taken. */
bool slack_stream_is_over(const struct slack_stream *s);

/* All that may be shown by now, as messages; each but the last stays as it is. New. */
json_t *slack_stream_messages(const struct slack_stream *s, struct error *err) _must_use_;

/* What is open across a cut. */
enum { SLACK_STREAM_FENCE_BYTES = 64 };
struct slack_stream_cut {
	char fence[SLACK_STREAM_FENCE_BYTES]; /* of the code that is cut; "": none is */
};

/*
 * How many bytes at the beginning of 'text', which begins where the last cut was, may be
 * shown; 0: none yet. 'c' is what that cut left open, and then what this one does.
 */
size_t slack_stream_cut(const char *text, size_t length, bool ended,
			struct slack_stream_cut *c);

#endif
