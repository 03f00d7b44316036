/*
 * blocks -- the few kinds of blocks that we send, and Slack's limits on them.
 *
 * There is one carrier for what others wrote: text in rich_text_preformatted, which
 * Slack shows as it is. Everything else is words of ours. No mrkdwn, no link, no mention,
 * no image, no date, no emoji is ever made. All new references; NULL without memory.
 */
#ifndef SLACK_BLOCKS_H
#define SLACK_BLOCKS_H

#include "base/json.h"

/* Characters are UTF-16 units (slack/text). Where Slack's own limit is larger, or not
 * written down, ours leaves room. */
enum {
	SLACK_MESSAGE_BLOCKS_MAX = 50,
	SLACK_MESSAGE_CHARACTERS_MAX =
		10000, /* of all blocks; Slack refuses from 13,200 */
	SLACK_ELEMENT_CHARACTERS_MAX = 2500, /* of one text element; Slack's: 3,000 */
	SLACK_HEADER_CHARACTERS_MAX = 150,
	SLACK_FALLBACK_CHARACTERS_MAX = 4000, /* 'text', so that an update takes it too */
	SLACK_VIEW_BLOCKS_MAX = 100,
	SLACK_VIEW_BYTES_MAX = 250 * 1000,
	SLACK_VIEW_CHARACTERS_MAX = 10000,
	SLACK_VIEW_TITLE_CHARACTERS_MAX = 24,
	SLACK_VIEW_METADATA_CHARACTERS_MAX = 3000,
	SLACK_BUTTON_TEXT_CHARACTERS_MAX = 30, /* shown; Slack's: 75 */
	SLACK_BUTTON_VALUE_CHARACTERS_MAX = 2000,
	SLACK_ACTIONS_MAX = 25,
	SLACK_CONFIRM_CHARACTERS_MAX = 300,
};

json_t *slack_plain(const char *words) _must_use_;
json_t *slack_header(const char *words) _must_use_;
/* A line of ours. */
json_t *slack_words(const char *words) _must_use_;
/* {rich_text: words in bold, then each of 'texts' (an array of strings) preformatted}. */
json_t *slack_section(const char *words, const json_t *texts) _must_use_;

struct slack_button {
	const char *action, *words, *value;
	const char *style;         /* "primary", "danger" or NULL */
	const char *confirm_words; /* asked once more; NULL: not */
};
json_t *slack_actions(const struct slack_button *buttons, size_t count) _must_use_;

/* {text, blocks, and everything off that would make Slack read the text}. Steals 'blocks'. */
json_t *slack_message(const char *text, json_t *blocks) _must_use_;

/* Characters of all texts in blocks, as Slack counts a message. */
size_t slack_characters(const json_t *blocks);

#endif
