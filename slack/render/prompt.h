/*
 * prompt -- a prompt as Slack blocks: a message, the pages of its review, its end. Pure.
 *
 * What fits whole into one message has an approve button there. What does not, or keeps
 * something from those who read along, has Review and Deny alone; Review pages through
 * everything in a modal, whose last page alone can approve. What has ended has no button.
 * Deny is one click; who wants to say why presses the button beside it and gets a form.
 * Every button carries "ID SHA256 [PAGE]": the approval, the digest of this very prompt,
 * computed here over what is drawn, and the page that it opens. Who may read the pages,
 * and who may press, is the gate's to judge; nothing here is evidence of anything.
 */
#ifndef SLACK_PROMPT_H
#define SLACK_PROMPT_H

#include "base/json.h"

/* The action_id of each button; slack/verify reads the same. */
#define SLACK_ACTION_APPROVE "wingman.approve"
#define SLACK_ACTION_DENY    "wingman.deny"
#define SLACK_ACTION_WHY     "wingman.deny_why"
#define SLACK_ACTION_CANCEL  "wingman.cancel"
#define SLACK_ACTION_REVOKE  "wingman.revoke"
#define SLACK_ACTION_REVIEW  "wingman.review"
#define SLACK_ACTION_BACK    "wingman.page.back"
#define SLACK_ACTION_NEXT    "wingman.page.next"

struct slack_prompt_view {
	int64_t now_ms;
	bool others_read_along; /* the conversation has others than approvers in it */
};

/* {text, blocks, ...} for chat.postMessage. ERR_INTERNAL: it cannot be shown whole. New. */
json_t *slack_prompt_message(const json_t *prompt, const struct slack_prompt_view *view,
			     struct error *err) _must_use_;

/* Page 'page' (from 1) of the review as a modal view; '*ret_pages' is how many there are.
 * For those who may approve. ERR_NOT_FOUND: there is no such page. New. */
json_t *slack_prompt_page(const json_t *prompt, int64_t now_ms, size_t page,
			  size_t *ret_pages, struct error *err) _must_use_;

/* The form that asks why something is denied; to send it denies. New. */
json_t *slack_prompt_why(const json_t *prompt, struct error *err) _must_use_;

/* While an approval waits or is about to run: the buttons of who asked, and of who might
 * have approved, as one block. At least one of them. New. */
json_t *slack_prompt_stop(const json_t *prompt, bool cancel, bool revoke,
			  struct error *err) _must_use_;

/* What takes the place of the message when it was decided and is not over: 'how' says what
 * became of it so far. With 'may_stop' it has the buttons of slack_prompt_stop. New. */
json_t *slack_prompt_running(const json_t *prompt, const struct slack_prompt_view *view,
			     const char *how, bool may_stop,
			     struct error *err) _must_use_;

/* What takes the place of the message when it is over: no button, and how it ended
 * ("denied by bob@x: too early"; anybody's words). New. */
json_t *slack_prompt_ended(const json_t *prompt, const struct slack_prompt_view *view,
			   const char *how, struct error *err) _must_use_;

/* Words of somebody's, in messages of their own without any button: an array of messages.
 * 'by' is one of "assistant", "server", "requester". New. */
json_t *slack_words_of(const char *by, const char *text, struct error *err) _must_use_;

/* Whether these blocks hold a button that approves. */
bool slack_can_approve(const json_t *blocks);

#endif
