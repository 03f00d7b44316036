#include "slack/process/say.h"

#include "base/clock.h"
#include "base/log.h"
#include "link/http/http_client.h"
#include "slack/render/blocks.h"
#include "slack/render/pages.h"
#include "slack/text/text.h"

/* --- what is said --- */

json_t *say_words(const char *words, json_t *texts)
{
	json_auto_t *given = texts;
	json_auto_t *blocks = json_array();

	if (!blocks || json_array_append_new(blocks, given ? slack_section(words, given)
							   : slack_words(words)) != 0)
		return NULL;
	return slack_message(words, TAKE(blocks));
}

static json_t *reason(const struct error *why)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	strbuf_add_string(&text, why->message);
	if (why->hint[0])
		strbuf_add_format(&text, "\n%s", why->hint);
	return strbuf_ok(&text) ? slack_elements(text.data) : NULL;
}

json_t *say_failure(const char *words, const struct error *why)
{
	json_t *texts = reason(why);

	return texts ? say_words(words, texts) : NULL;
}

json_t *say_notice_view(const char *title, const char *words, const struct error *why)
{
	json_auto_t *blocks = json_array();
	json_auto_t *texts = why ? reason(why) : NULL;
	json_t *block = texts ? slack_section(words, texts) : slack_words(words);

	if (!blocks || json_array_append_new(blocks, block) != 0)
		return NULL;
	return json_pack("{s:s, s:s, s:o, s:o, s:O}", "type", "modal", "callback_id",
			 "wingman.notice", "title", slack_plain(title), "close",
			 slack_plain("Close"), "blocks", blocks);
}

bool say_link(const struct front *f, const char *channel, const char *ts,
	      char ret[static SAY_LINK_BYTES])
{
	const char *dot = ts ? strchr(ts, '.') : NULL;

	if (!f->identity.url[0] || !channel || !slack_text_is_channel(channel) || !dot ||
	    ts[strspn(ts, "0123456789.")])
		return false;
	return snprintf(ret, SAY_LINK_BYTES, "%sarchives/%s/p%.*s%s", f->identity.url,
			channel, (int)(dot - ts), ts, dot + 1) < SAY_LINK_BYTES;
}

/* --- through the outbox --- */

static bool put(struct front *f, const char *method, const char *key, const char *lane,
		const json_t *arguments, struct error *err)
{
	char own[DIGEST_HEX_BYTES];
	const struct outbox_item item = {
		.key = key ? key : (digest_random_id(own), own),
		.lane = lane,
		.method = method,
		.arguments = arguments,
		.until_ms = key ? 0 : clock_wall_ms() + SAY_NOW_MS,
	};

	return outbox_put(f->outbox, &item, err);
}

static void failed(struct front *f, const char *event, const struct error *err)
{
	front_count(f, COUNT_FAILED);
	log_failure(event, err);
}

static void post(struct front *f, const char *channel, const char *thread,
		 const char *key, json_t *message)
{
	json_auto_t *arguments = message;
	struct error err = ERROR_INIT;

	if (!json_put_string(arguments, "channel", channel) ||
	    !json_put_string(arguments, "thread_ts", thread && *thread ? thread : NULL))
		error_oom(&err);
	else if (put(f, "chat.postMessage", key, channel, arguments, &err))
		return;
	failed(f, "slack.not_said", &err);
}

void say_to_person(struct front *f, const char *user, const char *key, json_t *message)
{
	post(f, user, NULL, key, message);
}

/* Slack shows it nobody there: who asked, or we, are not in that conversation, or nobody may
 * speak in it. */
static bool is_not_shown(const struct error *err)
{
	return err->code == ERR_NOT_FOUND || err->code == ERR_PRECONDITION_FAILED ||
	       err->code == ERR_PERMISSION_DENIED;
}

static bool post_ephemeral(const struct delivery *d, const json_t *message,
			   struct error *err)
{
	const struct rest_patience patience = front_patience(d->front, FRONT_API_MS);
	_cleanup_slack_answer_ struct slack_answer answer = SLACK_ANSWER_INIT;
	const struct inbound *in = &d->in;
	json_auto_t *arguments = json_copy((json_t *)(uintptr_t)message);

	if (!json_put_string(arguments, "channel", in->channel) ||
	    !json_put_string(arguments, "user", in->user) ||
	    !json_put_string(arguments, "thread_ts",
			     *in->thread_ts ? in->thread_ts : NULL))
		return error_oom(err);
	if (slack_call(d->front->slack, "chat.postEphemeral", arguments, &patience,
		       &answer, err))
		return true;
	if (err->code != ERR_RATE_LIMITED)
		return false;
	error_clear(err);
	return put(d->front, "chat.postEphemeral", NULL, in->channel, arguments, err);
}

/* Possession of the address is all that it asks for: it is never logged. */
static bool respond(const struct delivery *d, const json_t *message, struct error *err)
{
	static const struct http_client_header headers[] = {
		{ "Content-Type", "application/json; charset=utf-8" }, { NULL, NULL }
	};
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
	_cleanup_(http_client_reply_done) struct http_client_reply reply =
		HTTP_CLIENT_REPLY_INIT;
	json_auto_t *said = json_copy((json_t *)(uintptr_t)message);
	struct http_client_request req = {
		.method = "POST",
		.url = d->in.response_url,
		.headers = headers,
		.timeout_ms = FRONT_API_MS,
		.reply_max = 64 * 1024,
	};

	if (!said ||
	    json_object_set_new(said, "response_type", json_string("ephemeral")) != 0)
		return error_oom(err);
	if (!json_write(&body, said, err))
		return false;
	req.body = body.data;
	req.body_bytes = body.length;
	if (!http_client_call(d->front->http, &req, &reply, NULL, err))
		return false;
	return reply.status == 200 ||
	       error_set(err, ERR_BACKEND_UNAVAILABLE, "the answer was not taken: %d",
			 reply.status);
}

/* In the conversation, for one pair of eyes; else where only they are. */
void say_aside(const struct delivery *d, json_t *message)
{
	json_auto_t *owned = message;
	struct error err = ERROR_INIT;

	if (!message) {
		error_oom(&err);
		failed(d->front, "slack.not_said", &err);
		return;
	}
	/* Why it was not taken may name the address, and is not kept. */
	if (d->in.response_url[0] && respond(d, owned, &err))
		return;
	error_clear(&err);
	if (!d->in.channel[0] || d->in.channel[0] == 'D') {
		say_to_person(d->front, d->in.user, NULL, TAKE(owned));
		return;
	}
	if (post_ephemeral(d, owned, &err))
		return;
	if (!is_not_shown(&err)) {
		failed(d->front, "slack.not_said", &err);
		return;
	}
	log_info("slack.said_directly", LOG_STR("channel", d->in.channel),
		 LOG_STR("why", err.message));
	say_to_person(d->front, d->in.user, NULL, TAKE(owned));
}

static bool outsiders_are_there(const struct delivery *d)
{
	const struct inbound *in = &d->in;

	return in->channel[0] && in->channel[0] != 'D' &&
	       (in->shared ||
		who_reads(d->front->who, in->channel, d->front->identity.user_id)
			.outsiders);
}

void say_privately(const struct delivery *d, json_t *message)
{
	if (message && outsiders_are_there(d))
		say_to_person(d->front, d->in.user, NULL, message);
	else
		say_aside(d, message);
}

void say_answer(const struct delivery *d, json_t *message)
{
	const struct inbound *in = &d->in;
	const char *thread = in->thread_ts[0] ? in->thread_ts : in->ts;

	if (in->kind == INBOUND_MESSAGE) {
		post(d->front, in->channel, thread, NULL, message);
		return;
	}
	if (in->kind != INBOUND_MENTION) {
		say_privately(d, message);
		return;
	}
	if (outsiders_are_there(d))
		say_to_person(d->front, in->user, NULL, message);
	else
		post(d->front, in->channel, thread, NULL, message);
}

/* --- views, which wait for nobody --- */

bool say_view(const struct delivery *d, bool push, json_t *view,
	      char ret[static INBOUND_ID_BYTES], struct error *err)
{
	const struct rest_patience patience = front_patience(d->front, FRONT_QUICK_MS);
	_cleanup_slack_answer_ struct slack_answer answer = SLACK_ANSWER_INIT;
	json_auto_t *arguments =
		view ? json_pack("{s:s, s:o}", "trigger_id", d->in.trigger, "view", view)
		     : NULL;
	const char *id;

	ret[0] = '\0';
	if (!arguments)
		return error_oom(err);
	if (!slack_call(d->front->slack, push ? "views.push" : "views.open", arguments,
			&patience, &answer, err))
		return false;
	id = json_get_string(json_object_get(answer.body, "view"), "id");
	(void)snprintf(ret, INBOUND_ID_BYTES, "%s", id ? id : "");
	return true;
}

bool say_view_instead(struct front *f, const char *id, json_t *view, struct error *err)
{
	const struct rest_patience patience = front_patience(f, FRONT_API_MS);
	_cleanup_slack_answer_ struct slack_answer answer = SLACK_ANSWER_INIT;
	json_auto_t *arguments =
		view ? json_pack("{s:s, s:o}", "view_id", id, "view", view) : NULL;

	return arguments ? slack_call(f->slack, "views.update", arguments, &patience,
				      &answer, err)
			 : error_oom(err);
}
