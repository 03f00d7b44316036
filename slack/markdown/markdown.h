/*
 * markdown -- what a model, a server or a playbook wrote in Markdown, as Slack messages.
 *
 * libmd4c reads it (CommonMark, tables, strike-through, task lists, bare addresses); what
 * it understood is written anew as rich text and tables, where every text is literal. So
 * there is no mrkdwn, no HTML, no image, no button, no group and no channel that could be
 * called, whatever is in the text. What stands out of it is judged here:
 *
 *   a person   <@U…> is a mention for ids that the caller names, and notifies once and where
 *              the caller says so; else it is a name, or the text that it is
 *   a link     to a host that is named, by https; a label that looks like an address or a
 *              button of ours has the address beside it. Any other is text with its address,
 *              and a host of other letters also as DNS knows it
 *   a prompt   a line that reads like the header of a prompt of ours is marked as none
 *
 * Nothing is lost: what Markdown would hide (definitions of links that nothing uses, cells
 * beyond the last column) is shown as it was written, what cannot be read is shown as
 * source, and what is too long says "n of m characters shown.". Characters that do not show
 * are escapes (base/text.h); a backslash stays one. Pure.
 */
#ifndef SLACK_MARKDOWN_H
#define SLACK_MARKDOWN_H

#include "base/json.h"

enum {
	SLACK_MARKDOWN_BYTES_MAX = 256 * 1024, /* that are read */
	SLACK_MARKDOWN_DEPTH_MAX = 32,         /* of blocks in blocks */
	SLACK_MARKDOWN_MESSAGES_MAX = 10,
};

struct slack_markdown {
	/* Words of ours at the top of each message: "Written by the assistant". NULL: none. */
	const char *heading;
	/* Host names in ASCII that links may lead to: "docs.company.com" is that one,
	 * "*.company.com" all below it. NULL: none. */
	const json_t *hosts;
	/* {"U…": {name, notify}}: who may be mentioned. 'name' (anybody's words) is shown where
	 * nobody is notified. NULL: nobody. */
	const json_t *people;
	size_t messages_max; /* 0: SLACK_MARKDOWN_MESSAGES_MAX */
};

/* An array of messages for chat.postMessage, at least one; 'text' need not be UTF-8. New. */
json_t *slack_markdown_messages(const char *text, size_t length,
				const struct slack_markdown *how,
				struct error *err) _must_use_;

/* The same as pieces (slack/render/rich.h), for what is put among others. New. */
json_t *slack_markdown_pieces(const char *text, size_t length,
			      const struct slack_markdown *how,
			      struct error *err) _must_use_;

/* Whether links may lead there. Judges the whole address: https, nothing but a host before
 * the path, no character that an address cannot have. */
bool slack_markdown_is_allowed(const char *url, const json_t *hosts);

#endif
