/*
 * inert -- whether blocks hold only what Slack shows as it is. For tests.
 *
 * A list of what may be there, to the member: headers and buttons of our words, rich text
 * of plain text elements. Whatever else Slack knows (mrkdwn, links, mentions, images,
 * dates, emoji, broadcasts, styles on what others wrote) is found because it is not on it.
 */
#ifndef TESTS_RENDER_INERT_H
#define TESTS_RENDER_INERT_H

#include "base/strbuf.h"
#include <jansson.h>

/* True: 'why' is untouched. 'blocks' is an array of blocks. */
bool inert_blocks(const json_t *blocks, struct strbuf *why);
/* A whole message: its blocks, its text, and everything off that would read the text. */
bool inert_message(const json_t *message, struct strbuf *why);
/* A modal view. */
bool inert_view(const json_t *view, struct strbuf *why);

/* Whether a text holds a character that moves, hides or breaks; "\n" apart. */
bool inert_has_control(const char *text, size_t length);

#endif
