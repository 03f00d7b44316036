/* What came out of a call: under its prompt, in pages, as a file. */
#include "base/digest.h"
#include "base/log.h"
#include "slack/process/approvals.h"
#include "slack/process/prompts.h"
#include "slack/process/say.h"
#include "slack/render/prompt.h"
#include "slack/result/result.h"
#include "slack/text/text.h"

enum { FILE_MS = 60 * 1000, FILE_ONCE_MS = 24 * 3600 * 1000 };

/* --- where --- */

struct place {
	const char *lane, *thread; /* a channel, or who asked; NULL: no thread */
};

static bool is(const char *text, const char *wanted)
{
	return text && strcmp(text, wanted) == 0;
}

static bool is_direct(const char *channel)
{
	return channel && channel[0] == 'D';
}

static struct place place_of(const struct prompt_look *l, const json_t *places)
{
	const json_t *first = json_array_get(places, 0);
	const char *channel = json_get_string(first, "channel");
	const char *thread = json_get_string(l->to, "thread");

	/* In direct messages the conversation itself; elsewhere others would read along. */
	if (!channel && is_direct(json_get_string(l->to, "channel")))
		return (struct place){ json_get_string(l->to, "channel"), thread };
	if (!channel)
		return (struct place){ json_string_value(json_array_get(
					       json_object_get(l->to, "requester"), 0)),
				       NULL };
	if (!thread || !is(json_get_string(l->to, "channel"), channel))
		thread = json_get_string(first, "ts");
	return (struct place){ channel, thread };
}

static bool add_person(json_t *people, const json_t *person, const json_t *ids)
{
	const char *name = json_string_value(person);
	json_t *id = json_array_get(ids, 0);

	return !name || !json_is_string(id) ||
	       json_object_set_new(people, name, json_pack("{s:O}", "id", id)) == 0;
}

/* Those whom the gate knows in Slack, as far as they have to do with it. New. */
static json_t *people_of(const json_t *record, const json_t *to)
{
	json_auto_t *people = json_object();
	size_t i;
	json_t *one;

	if (!add_person(people, json_object_get(record, "requester"),
			json_object_get(to, "requester")))
		return NULL;
	json_array_foreach(json_object_get(to, "approvers"), i, one)
	{
		if (!add_person(people, json_object_get(one, "person"),
				json_object_get(one, "slack")))
			return NULL;
	}
	return TAKE(people);
}

static struct slack_result_view view_of(const struct front *f, const json_t *people,
					bool mentions)
{
	return (struct slack_result_view){
		.hosts = f->settings.link_hosts,
		.people = people,
		.mentions = mentions,
	};
}

/* --- as messages --- */

static bool post(const struct prompt_look *l, const struct place *at, const char *what,
		 json_t *message, size_t number, struct error *err)
{
	char key[OUTBOX_KEY_BYTES];
	const struct outbox_item item = {
		.key = key,
		.lane = at->lane,
		.method = "chat.postMessage",
		.arguments = message,
		.must_arrive = true,
	};

	(void)snprintf(key, sizeof key, "%s/%zu", what, number);
	if (!json_put_string(message, "channel", at->lane) ||
	    !json_put_string(message, "thread_ts", at->thread))
		return error_oom(err);
	return outbox_put(l->front->outbox, &item, err);
}

/* A file is sent to a channel, which direct messages are only by their own id. New. */
static char *channel_of(const struct prompt_look *l, const struct place *at,
			const struct rest_patience *patience, struct error *err)
{
	_cleanup_slack_answer_ struct slack_answer answer = SLACK_ANSWER_INIT;
	json_auto_t *arguments = NULL;
	const char *id = at->lane;
	char *copy;

	if (slack_text_is_user(at->lane)) {
		arguments = json_pack("{s:s}", "users", at->lane);
		if (!arguments) {
			error_oom(err);
			return NULL;
		}
		if (!slack_call(l->front->slack, "conversations.open", arguments,
				patience, &answer, err))
			return NULL;
		id = json_get_string(json_object_get(answer.body, "channel"), "id");
	}
	if (!id) {
		error_set(err, ERR_BACKEND_UNAVAILABLE,
			  "Slack opened direct messages and did not say which");
		return NULL;
	}
	copy = strdup(id);
	if (!copy)
		error_oom(err);
	return copy;
}

static bool upload(const struct prompt_look *l, const struct place *at, struct error *err)
{
	const struct rest_patience patience = front_patience(l->front, FILE_MS);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	_cleanup_free_ char *id = NULL, *channel = NULL;
	char name[SLACK_RESULT_NAME_BYTES];

	if (!slack_result_file(l->record, &text, name, err))
		return false;
	channel = channel_of(l, at, &patience, err);
	if (!channel)
		return false;
	const struct slack_file file = {
		.name = name,
		.title = name,
		.bytes = text.data,
		.length = text.length,
		.channel = channel,
		.thread_ts = at->thread,
	};

	return slack_upload(l->front->slack, &file, &patience, &id, err);
}

static bool post_pages_instead(const struct prompt_look *l, const struct place *at,
			       struct error *err)
{
	json_auto_t *message = slack_result_no_file(l->record, err);
	char what[FRONT_KEY_BYTES];

	(void)snprintf(what, sizeof what, "nofile/%s", l->approval);
	return message && post(l, at, what, message, 0, err);
}

/* It cannot be looked for whether a file came: one is sent once and never twice. Where that
 * fails, or who was to send it fell, there are pages. */
static bool send_file(const struct prompt_look *l, const struct place *at,
		      struct error *err)
{
	static const char is_over[] = "over";
	_cleanup_free_ char *owner = NULL;
	struct error why = ERROR_INIT;
	char key[FRONT_KEY_BYTES];
	bool first = false;

	(void)snprintf(key, sizeof key, "file/%s", l->approval);
	if (!coord_claim(l->front->store, key, l->front->replica, FILE_ONCE_MS, &first,
			 &owner, err))
		return false;
	if (!first && (is(owner, is_over) || is(owner, l->front->replica)))
		return true;
	if (!first || !upload(l, at, &why)) {
		if (error_is_set(&why))
			log_failure("slack.no_file", &why);
		if (!post_pages_instead(l, at, err))
			return false;
	}
	return coord_put(l->front->store, key, is_over, FILE_ONCE_MS, err);
}

static bool post_picks(const struct prompt_look *l, const struct place *at,
		       struct error *err)
{
	char what[FRONT_KEY_BYTES];
	json_t *made = NULL;

	if (!picks_message(l->record, &made, err))
		return false;
	json_auto_t *message = made;
	(void)snprintf(what, sizeof what, "pick/%s", l->approval);
	return !message || post(l, at, what, message, 0, err);
}

static bool post_steps(const struct prompt_look *l, const struct place *at,
		       struct error *err)
{
	char what[FRONT_KEY_BYTES];
	json_t *made = NULL;

	if (!steps_message(l->record, &made, err))
		return false;
	json_auto_t *message = made;
	(void)snprintf(what, sizeof what, "steps/%s", l->approval);
	return !message || post(l, at, what, message, 0, err);
}

/* A mention in a post notifies, and in a change of it does not: so people are named by a
 * change, once what came out stands there. */
static bool name_people(const struct prompt_look *l, const struct place *at,
			const char *what, const json_t *people, const json_t *posted,
			struct error *err)
{
	const struct slack_result_view view = view_of(l->front, people, true);
	_cleanup_(slack_result_done) struct slack_result r = { .messages = NULL };
	size_t i;
	json_t *message;

	if (!slack_result_draw(l->record, &view, &r, err))
		return false;
	if (json_array_size(r.messages) != json_array_size(posted))
		return true;
	json_array_foreach(r.messages, i, message)
	{
		char of[OUTBOX_KEY_BYTES + 32], key[OUTBOX_KEY_BYTES + 32];
		const struct outbox_item item = {
			.key = key,
			.lane = at->lane,
			.method = "chat.update",
			.arguments = message,
			.of = of,
		};

		(void)snprintf(of, sizeof of, "%.*s/%zu", OUTBOX_KEY_BYTES, what, i);
		(void)snprintf(key, sizeof key, "%.*s/%zu/people", OUTBOX_KEY_BYTES, what,
			       i);
		if (!json_equal(json_object_get(message, "blocks"),
				json_object_get(json_array_get(posted, i), "blocks")) &&
		    !outbox_put(l->front->outbox, &item, err))
			return false;
	}
	return true;
}

bool results_post(const struct prompt_look *l, const json_t *places, struct error *err)
{
	json_auto_t *people = people_of(l->record, l->to);
	const struct slack_result_view view = view_of(l->front, people, false);
	const struct place at = place_of(l, places);
	_cleanup_(slack_result_done) struct slack_result r = { .messages = NULL };
	char what[FRONT_KEY_BYTES];
	size_t i;
	json_t *message;

	(void)snprintf(what, sizeof what, "result/%s", l->approval);
	/* Whoever said no, or let it pass, has read so where it stood. */
	if (!at.lane || (l->prompt && !json_object_get(l->record, "outcome") &&
			 !json_object_get(l->record, "result")))
		return true;
	if (!slack_result_draw(l->record, &view, &r, err))
		return false;
	json_array_foreach(r.messages, i, message)
	{
		if (!post(l, &at, what, message, i, err))
			return false;
	}
	if (!name_people(l, &at, what, people, r.messages, err) ||
	    !post_picks(l, &at, err))
		return false;
	if (!post_steps(l, &at, err))
		return false;
	return !r.as_file || send_file(l, &at, err);
}

bool results_news(const struct prompt_look *l, const json_t *places, const json_t *notice,
		  struct error *err)
{
	const struct place at = place_of(l, places);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_auto_t *messages = NULL;
	char what[FRONT_KEY_BYTES], digest[DIGEST_HEX_BYTES];
	size_t i;
	json_t *message;

	if (!at.lane)
		return true;
	strbuf_add_format(&text, "%s.%s, later: %s", json_get_string(notice, "server"),
			  json_get_string(notice, "tool"),
			  json_get_string(notice, "news"));
	if (!strbuf_ok(&text))
		return error_oom(err);
	messages = slack_words_of("server", text.data, err);
	if (!messages)
		return false;
	digest_sha256_hex(text.data, text.length, digest);
	(void)snprintf(what, sizeof what, "news/%s/%.32s", l->approval, digest);
	json_array_foreach(messages, i, message)
	{
		if (!post(l, &at, what, message, i, err))
			return false;
	}
	return true;
}

/* --- as pages --- */

bool results_is_press(const char *action)
{
	return is(action, SLACK_RESULT_SHOW) || is(action, SLACK_RESULT_BACK) ||
	       is(action, SLACK_RESULT_NEXT);
}

static bool show(const struct delivery *d, struct error *err)
{
	struct slack_result_view drawn;
	json_auto_t *people = NULL;
	char id[INBOUND_ID_BYTES], view_id[INBOUND_ID_BYTES];
	size_t page = 0, pages = 0;
	json_auto_t *reply = NULL;
	const json_t *record;
	json_t *view;

	if (!slack_result_read_value(d->in.value, id, sizeof id, &page))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the button says nothing that is known");
	reply = gate_ask(d->front->gate, MSG_SHOW, json_pack("{s:s}", "approval", id),
			 NULL, err);
	record = json_object_get(reply, "record");
	if (!reply)
		return false;
	if (!approvals_concern(record, d->principal))
		return error_set(err, ERR_PERMISSION_DENIED,
				 "this is for who asked, and for who may decide it");
	people = people_of(record, json_object_get(reply, "to"));
	drawn = view_of(d->front, people, true);
	view = slack_result_page(record, &drawn, page, &pages, err);
	if (!view)
		return false;
	return is(d->in.action, SLACK_RESULT_SHOW)
		       ? say_view(d, false, view, view_id, err)
		       : say_view_instead(d->front, d->in.view, view, err);
}

void results_press(const struct delivery *d)
{
	struct error err = ERROR_INIT;

	if (show(d, &err))
		return;
	log_failure("slack.result", &err);
	say_privately(d, say_failure("It cannot be shown", &err));
}
