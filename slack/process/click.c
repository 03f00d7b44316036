/* Presses on prompts: evidence to the gate, as it came; and what it answers, shown. */
#include "base/log.h"
#include "slack/process/handlers.h"
#include "slack/process/prompts.h"
#include "slack/process/say.h"
#include "slack/render/prompt.h"

bool click_is_one(const struct inbound *in)
{
	static const char *const actions[] = {
		SLACK_ACTION_APPROVE, SLACK_ACTION_DENY,   SLACK_ACTION_WHY,
		SLACK_ACTION_CANCEL,  SLACK_ACTION_REVOKE, SLACK_ACTION_REVIEW,
		SLACK_ACTION_BACK,    SLACK_ACTION_NEXT,
	};

	if (in->kind == INBOUND_SUBMIT)
		return strcmp(in->callback, SLACK_ACTION_WHY) == 0;
	for (size_t i = 0; in->kind == INBOUND_PRESS && i < ARRAY_SIZE(actions); i++)
		if (strcmp(in->action, actions[i]) == 0)
			return true;
	return false;
}

static bool is(const json_t *reply, const char *member, const char *wanted)
{
	const char *text = json_get_string(reply, member);

	return text && strcmp(text, wanted) == 0;
}

static bool show_page(const struct delivery *d, const json_t *reply, struct error *err)
{
	const json_t *prompt = json_object_get(reply, "prompt");
	const bool is_in_review = d->in.view[0] != '\0';
	char id[INBOUND_ID_BYTES];
	size_t pages = 0;
	json_t *view;

	if (is(reply, "action", "why")) {
		view = slack_prompt_why(prompt, err);
		return view && say_view(d, is_in_review, view, id, err);
	}
	view = slack_prompt_page(prompt, json_get_int64(reply, "drawn_at", 0),
				 (size_t)json_get_int64(reply, "page", 1), &pages, err);
	if (!view)
		return false;
	return is_in_review ? say_view_instead(d->front, d->in.view, view, err)
			    : say_view(d, false, view, id, err);
}

/* In a review nobody sees the message: what came of it stands where it was pressed. */
static void close_review(const struct delivery *d, const json_t *reply)
{
	struct error err = ERROR_INIT;
	_cleanup_strbuf_ struct strbuf words = STRBUF_INIT;

	strbuf_add_format(&words, "It is %s now.%s", json_get_string(reply, "state"),
			  json_is_true(json_object_get(reply, "revoking"))
				  ? " Its server is asked not to run it."
				  : "");
	if (d->in.view[0] && d->in.kind == INBOUND_PRESS && strbuf_ok(&words) &&
	    !say_view_instead(d->front, d->in.view,
			      say_notice_view("Review the call", words.data, NULL), &err))
		log_failure("slack.review", &err);
}

void click_handle(const struct delivery *d)
{
	struct front *f = d->front;
	struct error err = ERROR_INIT;
	json_auto_t *reply =
		gate_ask(f->gate, MSG_SLACK_CLICK, delivery_evidence(d), NULL, &err);

	front_count(f, COUNT_CLICKS);
	if (!reply) {
		log_failure("slack.click", &err);
		say_privately(d, say_failure("That did not count", &err));
		return;
	}
	if (!json_object_get(reply, "prompt")) {
		close_review(d, reply);
		return;
	}
	if (!show_page(d, reply, &err)) {
		log_failure("slack.review", &err);
		say_privately(d, say_failure("It could not be shown", &err));
	}
}
