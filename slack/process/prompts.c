#include "slack/process/prompts.h"

#include "base/clock.h"
#include "base/log.h"
#include "slack/process/form_session.h"
#include "slack/process/handlers.h"
#include "slack/process/talks.h"
#include "slack/render/prompt.h"

enum {
	STALE_MS = 60 * 1000, /* what is under way is not told later */
	HOMES_MS = 3600 * 1000,
};

static bool is(const char *text, const char *wanted)
{
	return text && strcmp(text, wanted) == 0;
}

/* --- whose it is --- */

/* One replica has an approval; who has it keeps it. */
static bool is_ours(struct front *f, const char *approval, struct error *err)
{
	_cleanup_free_ char *owner = NULL;
	char key[FRONT_KEY_BYTES];
	bool first = false;

	(void)snprintf(key, sizeof key, "own/%s", approval);
	if (!coord_claim(f->store, key, f->replica, PROMPTS_OURS_MS, &first, &owner, err))
		return false;
	if (first)
		return true;
	return is(owner, f->replica) &&
	       coord_put(f->store, key, f->replica, PROMPTS_OURS_MS, err);
}

/* --- what became of it, where it stands --- */

static bool is_end(const char *state)
{
	static const char *const open[] = { "proposed", "planned", "pending",
					    "approved", "granted", "executing" };

	for (size_t i = 0; i < ARRAY_SIZE(open); i++)
		if (strcmp(open[i], state) == 0)
			return false;
	return true;
}

static json_t *redrawn(const struct prompt_look *l, const json_t *place,
		       struct error *err)
{
	const struct slack_prompt_view view = {
		clock_wall_ms(), json_is_true(json_object_get(place, "read_along"))
	};
	_cleanup_free_ char *how = prompts_how(l->record, l->progress, clock_wall_ms());
	struct error why = ERROR_INIT;
	json_t *message;

	if (!how) {
		error_oom(err);
		return NULL;
	}
	if (!is_end(l->state))
		return slack_prompt_running(l->prompt, &view, how,
					    prompts_may_stop(l->record, clock_wall_ms()),
					    err);
	message = slack_prompt_ended(l->prompt, &view, how, &why);
	/* Whatever somebody gave as a reason, the buttons go. */
	return message ? message : slack_prompt_ended(l->prompt, &view, l->state, err);
}

/* While it runs it is said again from time to time that it does, and how far it is. */
static void key_of(const struct prompt_look *l, const char *channel, const char *ts,
		   char key[static OUTBOX_KEY_BYTES])
{
	const json_t *revoke = json_object_get(l->record, "revoke");
	const int64_t now_ms = clock_wall_ms();

	(void)snprintf(
		key, OUTBOX_KEY_BYTES, "state/%s/%s/%s/%s/%lld/%lld/%s%s", l->approval,
		channel, ts, l->state,
		(long long)(prompts_ran_ms(l->record, now_ms) / PROMPTS_STILL_MS),
		(long long)(json_get_int64(l->progress, "at", 0) / PROMPTS_PROGRESS_MS),
		prompts_may_stop(l->record, now_ms) ? "s" : "",
		!revoke                           ? ""
		: json_object_get(revoke, "late") ? "l"
						  : "r");
}

static bool update_place(const struct prompt_look *l, const json_t *place,
			 struct error *err)
{
	const char *channel = json_get_string(place, "channel");
	const char *ts = json_get_string(place, "ts");
	json_auto_t *message = redrawn(l, place, err);
	char key[OUTBOX_KEY_BYTES];
	const struct outbox_item item = {
		.key = key,
		.lane = channel,
		.method = "chat.update",
		.arguments = message,
		.until_ms = is_end(l->state) ? 0 : clock_wall_ms() + STALE_MS,
	};

	if (!message)
		return false;
	if (!json_put_string(message, "channel", channel) ||
	    !json_put_string(message, "ts", ts))
		return error_oom(err);
	key_of(l, channel, ts, key);
	return outbox_put(l->front->outbox, &item, err);
}

static bool update_places(const struct prompt_look *l, const json_t *places,
			  struct error *err)
{
	size_t i;
	json_t *place;

	json_array_foreach(places, i, place)
	{
		if (!update_place(l, place, err))
			return false;
	}
	return true;
}

/* --- App Home --- */

static const char *requester_of(const struct prompt_look *l)
{
	return json_string_value(json_array_get(json_object_get(l->to, "requester"), 0));
}

/* Once a state, whoever looks how often. */
static bool is_news(const struct prompt_look *l)
{
	char key[FRONT_KEY_BYTES];
	struct error err = ERROR_INIT;
	bool first = false;

	(void)snprintf(key, sizeof key, "homes/%s/%s", l->approval, l->state);
	return coord_claim(l->front->store, key, "", HOMES_MS, &first, NULL, &err) &&
	       first;
}

/* Those whose App Home shows it. */
static void tell_homes(const struct prompt_look *l)
{
	const char *user = requester_of(l);
	size_t i;
	json_t *one;

	if (user)
		apphome_changed(l->front, user);
	json_array_foreach(json_object_get(l->to, "approvers"), i, one)
	{
		const char *other = json_string_value(
			json_array_get(json_object_get(one, "slack"), 0));

		if (other && !is(user, other))
			apphome_changed(l->front, other);
	}
}

/* --- looking --- */

static bool act(const struct prompt_look *l, struct error *err)
{
	json_auto_t *places = NULL;

	if (is(l->state, "pending"))
		return !l->prompt || prompts_post(l, err);
	if (is(l->state, "proposed") || is(l->state, "planned"))
		return true;
	places = prompts_places(l, err);
	if (!places || (l->prompt && !update_places(l, places, err)))
		return false;
	return !is_end(l->state) ||
	       (results_post(l, places, err) && prompts_forget(l, err));
}

/* 'news' is a notice with some, or NULL. */
static bool look(struct front *f, const char *approval, const json_t *news,
		 struct error *err)
{
	json_auto_t *reply = NULL, *places = NULL;
	struct prompt_look l = { .front = f, .approval = approval };

	if (!is_ours(f, approval, err))
		return false;
	reply = gate_ask(f->gate, MSG_SHOW, json_pack("{s:s}", "approval", approval),
			 NULL, err);
	l.record = json_object_get(reply, "record");
	l.to = json_object_get(reply, "to");
	l.prompt = json_object_get(l.record, "prompt");
	l.progress = json_object_get(reply, "progress");
	l.state = json_get_string(l.record, "state");
	if (!reply)
		return false;
	if (!l.state || !l.to)
		return error_set(err, ERR_INTERNAL, "the gate showed no record");
	if (!act(&l, err))
		return false;
	if (news &&
	    (!(places = prompts_places(&l, err)) || !results_news(&l, places, news, err)))
		return false;
	if (is_news(&l))
		tell_homes(&l);
	form_heard(f, approval, l.record, l.progress);
	return true;
}

static bool look_and_tell(struct front *f, const char *approval, const json_t *news)
{
	struct error err = ERROR_INIT;
	bool ok = look(f, approval, news, &err);

	if (error_is_set(&err)) {
		log_failure("slack.prompt", &err);
		atomic_store(&f->look_again, true);
	}
	return ok;
}

bool prompts_look(struct front *f, const char *approval)
{
	return look_and_tell(f, approval, NULL);
}

/* --- what the gate says of itself --- */

/* An end is heard of once it is certain to be told. */
static void take_notice(struct front *f, const json_t *notice)
{
	const char *id = json_get_string(notice, "id");
	const char *approval = json_get_string(notice, "approval");
	struct error err = ERROR_INIT;
	json_t *reply;

	const bool is_later = json_get_string(notice, "news") != NULL;

	if (!id || !approval || !look_and_tell(f, approval, is_later ? notice : NULL))
		return;
	reply = gate_ask(f->gate, MSG_READ, json_pack("{s:s}", "notice", id), NULL, &err);
	if (!reply && err.code != ERR_NOT_FOUND)
		log_failure("slack.notice", &err);
	json_decref(reply);
}

void prompts_heard(void *argument)
{
	struct prompt_heard *h = argument;
	const char *approval = json_get_string(h->message, "approval");
	const json_t *notice = json_object_get(h->message, "notice");

	if (notice)
		take_notice(h->front, notice);
	else if (approval)
		(void)prompts_look(h->front, approval);
	json_decref(h->message);
	free(h);
}

static void look_at_open(struct front *f, struct error *err)
{
	json_auto_t *open = gate_ask(f->gate, MSG_SLACK_OPEN, NULL, NULL, err);
	size_t i;
	json_t *one;

	json_array_foreach(json_object_get(open, "approvals"), i, one)
	{
		const char *approval = json_get_string(one, "approval");

		if (approval && !atomic_load(&f->is_stopping))
			(void)prompts_look(f, approval);
	}
}

static void look_at_ended(struct front *f, struct error *err)
{
	json_auto_t *reply = gate_ask(f->gate, MSG_NOTICES, NULL, NULL, err);
	size_t i;
	json_t *notice;

	json_array_foreach(json_object_get(reply, "notices"), i, notice)
	{
		if (!atomic_load(&f->is_stopping))
			take_notice(f, notice);
	}
}

void prompts_sweep(void *argument)
{
	struct front *f = argument;
	struct error err = ERROR_INIT;

	atomic_store(&f->look_again, false);
	if (atomic_load(&f->is_stopping) || !gate_is_up(f->gate) ||
	    !atomic_load(&f->is_known))
		return;
	look_at_open(f, &err);
	if (!error_is_set(&err))
		look_at_ended(f, &err);
	if (error_is_set(&err))
		log_failure("slack.sweep", &err);
}

/* --- what the outbox says --- */

static char *part(const char **at)
{
	size_t length = strcspn(*at, "/");
	char *text = strndup(*at, length);

	*at += length + ((*at)[length] == '/');
	return text;
}

/* In a thread of the outbox, or of whoever put it: nothing may wait here. */
void prompts_told(void *context, const struct outbox_said *said)
{
	struct front *f = context;
	const char *at = said->key;
	struct prompt_said *s;

	if (!said->ok) {
		front_count(f, COUNT_FAILED);
		log_warn("slack.not_said", LOG_STR("key", said->key),
			 LOG_BOOL("may_stand", said->is_unknown),
			 LOG_STR("why", said->why ? said->why : ""));
	}
	if (f->talks)
		talks_told(f->talks, said);
	if (strncmp(at, "post/", 5) != 0 && strncmp(at, "draw/", 5) != 0)
		return;
	at += 5;
	/* From before our start: it is put again, and told again, when all stands. */
	s = atomic_load(&f->is_known) ? calloc(1, sizeof *s) : NULL;
	if (!s) {
		atomic_store(&f->look_again, true);
		return;
	}
	*s = (struct prompt_said){
		.front = f,
		.approval = part(&at),
		.target = part(&at),
		.channel = strdup(said->key[0] == 'p' ? said->channel : ""),
		.ts = strdup(said->key[0] == 'p' ? said->ts : ""),
		.ok = said->ok,
	};
	if (s->approval && s->target && s->channel && s->ts &&
	    front_submit(f, prompts_said, s))
		return;
	/* It is put again at the next look, and told again then. */
	atomic_store(&f->look_again, true);
	free(s->approval);
	free(s->target);
	free(s->channel);
	free(s->ts);
	free(s);
}
