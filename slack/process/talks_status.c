/* What Slack shows beside a thread while we are at it; and what may be asked first. */
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "slack/text/text.h"
#include "slack/process/talks_private.h"

enum {
	AGAIN_MS = 90 * 1000,       /* Slack takes it away after two minutes */
	NOT_THERE_MS = 3600 * 1000, /* a workspace without it is asked again */
	STATUS_MS = 5 * 1000,       /* it is of no use later */
	TITLE_UNITS = 60,
};

static const struct {
	const char *words, *session;
} statuses[] = {
	[CHAT_IDLE] = { "", "active" },
	[CHAT_THINKS] = { "is thinking\xE2\x80\xA6", "processing" },
	[CHAT_WAITS] = { "is waiting for your approval", "suspended" },
};

/* --- telling Slack --- */

/* False, and not again for a while: there is no such thing here. */
static void tell(struct talks *t, const char *method, json_t *arguments,
		 atomic_llong *not_before_ms)
{
	_cleanup_slack_answer_ struct slack_answer answer = SLACK_ANSWER_INIT;
	const struct rest_patience patience = front_patience(t->front, STATUS_MS);
	json_auto_t *own = arguments;
	struct error err = ERROR_INIT;

	if (!own || clock_mono_ms() < atomic_load(not_before_ms) ||
	    slack_call(t->front->slack, method, own, &patience, &answer, &err))
		return;
	log_info("assistant.not_shown", LOG_STR("method", method),
		 LOG_STR("error", err.message));
	/* What is only slow or down is tried with the next one. */
	if (err.code != ERR_RATE_LIMITED && err.code != ERR_TIMEOUT &&
	    err.code != ERR_BACKEND_UNAVAILABLE && err.code != ERR_UNKNOWN_OUTCOME)
		atomic_store(not_before_ms, clock_mono_ms() + NOT_THERE_MS);
}

static void work(void *argument)
{
	_cleanup_(talks_job_freep) struct job *j = argument;
	struct talks *t = j->talks;
	json_auto_t *session = NULL;

	tell(t, "assistant.threads.setStatus",
	     json_pack("{s:s, s:s, s:s}", "channel_id", j->place.channel, "thread_ts",
		       j->place.thread, "status", statuses[j->status].words),
	     &t->no_status_ms);
	session = json_pack("{s:s, s:s, s:s, s:s}", "channel_id", j->place.channel,
			    "thread_ts", j->place.thread, "status",
			    statuses[j->status].session, "initiator_user_id",
			    j->place.user);
	if (json_put_string(session, "title", j->text))
		tell(t, "agents.sessions.setStatus", TAKE(session), &t->no_session_ms);
}

/* What was asked first, in a line, for the list of sessions. */
static char *title_of(const struct chat *c)
{
	const char *said = conversation_newest(talk_conversation(c->talk));
	_cleanup_strbuf_ struct strbuf clean = STRBUF_INIT, line = STRBUF_INIT;

	if (!said)
		return NULL;
	text_redact(&clean, said, strlen(said));
	if (!strbuf_ok(&clean))
		return NULL;
	slack_text_words(&line, clean.data, TITLE_UNITS);
	return line.length > 0 ? strbuf_take(&line) : NULL;
}

void talks_show(struct chat *c, enum chat_status status)
{
	struct job *j = talks_job_new(c);

	c->status = status;
	c->status_ms = clock_mono_ms();
	if (j) {
		j->status = status;
		j->text = c->is_named ? NULL : title_of(c);
		c->is_named = true;
	}
	(void)talks_submit(j, work);
}

/* --- when --- */

void talks_show_now(struct chat *c)
{
	json_auto_t *open = talk_open(c->talk);
	const enum chat_status now = talk_is_busy(c->talk)       ? CHAT_THINKS
				     : json_array_size(open) > 0 ? CHAT_WAITS
								 : CHAT_IDLE;

	if (now != c->status)
		talks_show(c, now);
}

void talks_tick(void *context)
{
	struct talks *t = context;

	for (struct chat *c = t->chats; c; c = c->next) {
		talks_show_now(c);
		if (c->status == CHAT_THINKS &&
		    clock_mono_ms() >= c->status_ms + AGAIN_MS)
			talks_show(c, CHAT_THINKS);
	}
}

/* --- before anything was asked --- */

void talks_opened(struct talks *t, const struct delivery *d)
{
	json_auto_t *arguments = json_pack(
		"{s:s, s:[{s:s, s:s}, {s:s, s:s}, {s:s, s:s}]}", "channel_id",
		d->in.channel, "prompts", "title", "What can you do?", "message",
		"Which tools are there, and what do they do?", "title",
		"What waits for me?", "message", "approvals", "title", "Find a procedure",
		"message", "Which playbook tells what to do about a phished account?");

	/* Of the older view alone: in the newer one it would have no effect. */
	if (json_put_string(arguments, "thread_ts",
			    d->in.thread_ts[0] ? d->in.thread_ts : NULL))
		tell(t, "assistant.threads.setSuggestedPrompts", TAKE(arguments),
		     &t->no_prompts_ms);
}
