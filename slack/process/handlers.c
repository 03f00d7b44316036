#include "slack/process/handlers.h"

#include "base/log.h"
#include "slack/form/form.h"
#include "slack/home/home.h"
#include "slack/process/prompts.h"
#include "slack/process/say.h"
#include "slack/process/talks.h"

enum { TOLD_MS = 60 * 1000 }; /* a stranger is told once in that time */

static const char stranger_words[] =
	"Sorry, this assistant works for the security team alone. If you need something "
	"from them, please ask in their channel.";

/* --- strangers --- */

/* What they did is not handed on: the gate may know less of them than Slack. */
static void have_logged(const struct delivery *d, const char *why)
{
	struct error err = ERROR_INIT;
	json_auto_t *reply = NULL;

	log_info("slack.stranger", LOG_STR("user", d->in.user), LOG_STR("why", why));
	reply = gate_ask(d->front->gate, MSG_SLACK_WHO,
			 json_pack("{s:s, s:s}", "user", d->in.user, "reason", why), NULL,
			 &err);
	if (!reply)
		log_failure("slack.not_logged", &err);
}

static bool was_told(const struct delivery *d)
{
	char key[FRONT_KEY_BYTES];
	struct error err = ERROR_INIT;
	bool first = false;

	(void)snprintf(key, sizeof key, "told/%s", d->in.user);
	return !coord_claim(d->front->store, key, "", TOLD_MS, &first, NULL, &err) ||
	       !first;
}

void handle_stranger(const struct delivery *d, const char *why)
{
	front_count(d->front, COUNT_STRANGERS);
	switch (d->in.kind) {
	case INBOUND_HOME:
		have_logged(d, why);
		apphome_stranger(d);
		return;
	case INBOUND_AGENT:
	case INBOUND_CONTEXT:
	case INBOUND_STOP:
	case INBOUND_CLOSE:
		return; /* nothing was asked */
	default:
		break;
	}
	have_logged(d, why);
	if (!was_told(d))
		say_aside(d, say_words(stranger_words, NULL));
}

/* --- what people press --- */

static bool begins_with(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static void on_press(const struct delivery *d)
{
	const struct inbound *in = &d->in;

	if (click_is_one(in))
		click_handle(d);
	else if (results_is_press(in->action))
		results_press(d);
	else if (picks_is_press(in->action))
		picks_press(d);
	else if (steps_is_press(in->action))
		steps_press(d);
	else if (strcmp(in->action, SLACK_HOME_RUN) == 0)
		form_open(d, in->value);
	else if (strcmp(in->action, SLACK_FORM_ACTION_BACK) == 0)
		form_back(d);
	else if (begins_with(in->action, "wingman.home."))
		apphome_press(d);
	else
		log_info("slack.ignored", LOG_STR("why", "a button that is none of ours"),
			 LOG_STR("action", in->action));
}

static void on_opened(const struct delivery *d)
{
	if (d->front->talks)
		talks_opened(d->front->talks, d);
}

static void on_stopped(const struct delivery *d)
{
	if (d->front->talks)
		talks_stopped(d->front->talks, d);
}

/* Forms are answered while Slack waits (take.c); what is left of modals is a no with its
 * reason. */
static void on_submit(const struct delivery *d)
{
	if (click_is_one(&d->in))
		click_handle(d);
	else
		log_info("slack.ignored", LOG_STR("why", "a modal that is none of ours"),
			 LOG_STR("callback", d->in.callback));
}

static const struct {
	enum inbound_kind kind;
	void (*fn)(const struct delivery *d);
} handlers[] = {
	{ INBOUND_COMMAND, command_handle },
	{ INBOUND_MENTION, command_handle },
	{ INBOUND_MESSAGE, command_handle },
	{ INBOUND_PRESS, on_press },
	{ INBOUND_SUBMIT, on_submit },
	{ INBOUND_HOME, apphome_opened },
	{ INBOUND_ON_MESSAGE, form_on_message },
	{ INBOUND_SHORTCUT, form_on_message },
	{ INBOUND_AGENT, on_opened },
	{ INBOUND_STOP, on_stopped },
};

void handle(struct delivery *d)
{
	struct error err = ERROR_INIT;
	struct person p;

	if (!who_ask(d->front->who, d->in.user, &p, &err)) {
		log_failure("slack.who", &err);
		if (d->in.kind != INBOUND_HOME)
			say_aside(d, say_words("I cannot find out right now whether "
					       "you are of the team, so I did "
					       "nothing. Please try again in a "
					       "minute.",
					       NULL));
		return;
	}
	if (d->in.outside || !p.in_team) {
		handle_stranger(d, d->in.outside ? "of another workspace" : p.why);
		return;
	}
	memcpy(d->principal, p.principal, sizeof d->principal);
	for (size_t i = 0; i < ARRAY_SIZE(handlers); i++)
		if (handlers[i].kind == d->in.kind) {
			handlers[i].fn(d);
			return;
		}
	log_debug("slack.ignored", LOG_STR("why", "nothing is done about such"));
}
