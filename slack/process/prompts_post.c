/* Where a prompt goes, and that the gate knows where it stands. */
#include "base/clock.h"
#include "base/log.h"
#include "slack/process/approvals.h"
#include "slack/process/prompts.h"
#include "slack/process/say.h"
#include "slack/render/blocks.h"
#include "slack/render/prompt.h"

/* One message of a prompt; a document of "posts", id "<approval>.<target>":
 * {approval, target, user?, thread?, along, drawn_at, channel?, ts?, failed?} */
static const char collection[] = "posts";

enum { DRAWN_MS = 40 * 1000 /* the gate takes it for a minute */ };

struct target {
	const char *to;     /* channel or user */
	const char *user;   /* whose direct messages it is; NULL: a conversation */
	const char *thread; /* or NULL */
	bool along;
};

static void id_of(const char *approval, const char *target,
		  char id[static DOCUMENT_ID_MAX + 1])
{
	(void)snprintf(id, DOCUMENT_ID_MAX + 1, "%s.%s", approval, target);
}

static json_t *find_post(struct front *f, const char *approval, const char *target,
			 struct error *err)
{
	struct document doc = { .body = NULL };
	char id[DOCUMENT_ID_MAX + 1];
	bool found = false;
	json_t *body;

	id_of(approval, target, id);
	if (!documents_get(f->records, collection, id, &doc, &found, err) || !found)
		return NULL;
	body = json_incref(doc.body);
	document_done(&doc);
	return body;
}

static bool keep_post(struct front *f, const json_t *post, struct error *err)
{
	char id[DOCUMENT_ID_MAX + 1];
	int64_t revision;

	id_of(json_get_string(post, "approval"), json_get_string(post, "target"), id);
	return documents_put(f->records, collection, id, post, DOCUMENT_ANY, &revision,
			     err);
}

/* It stands in Slack: have the gate know that, or draw it anew if that took too long. */
static bool stands(const struct prompt_look *l, json_t *post, struct error *err);

/* --- posting --- */

static json_t *draw(const struct prompt_look *l, const json_t *post, struct error *err)
{
	const struct slack_prompt_view view = {
		json_get_int64(post, "drawn_at", 0),
		json_is_true(json_object_get(post, "along")),
	};

	return slack_prompt_message(l->prompt, &view, err);
}

static json_t *new_post(const struct prompt_look *l, const struct target *t)
{
	json_auto_t *o = json_pack("{s:s, s:s, s:b, s:I}", "approval", l->approval,
				   "target", t->to, "along", t->along, "drawn_at",
				   (json_int_t)clock_wall_ms());

	if (!json_put_string(o, "user", t->user) ||
	    !json_put_string(o, "thread", t->thread))
		return NULL;
	return TAKE(o);
}

static bool put(const struct prompt_look *l, const json_t *post, struct error *err)
{
	json_auto_t *message = draw(l, post, err);
	const char *target = json_get_string(post, "target");
	char key[OUTBOX_KEY_BYTES];
	const struct outbox_item item = {
		.key = key,
		.lane = target,
		.method = "chat.postMessage",
		.arguments = message,
		/* One that nobody knows of has no power: twice is better than never. */
		.must_arrive = true,
		.until_ms = json_get_int64(l->record, "expires_at", 0),
	};

	if (!message)
		return false;
	if (!json_put_string(message, "channel", target) ||
	    !json_put_string(message, "thread_ts", json_get_string(post, "thread")))
		return error_oom(err);
	(void)snprintf(key, sizeof key, "post/%s/%s", l->approval, target);
	return outbox_put(l->front->outbox, &item, err);
}

/* '*ret_failed': it could not be put there. */
static bool post_to(const struct prompt_look *l, const struct target *t, bool *ret_failed,
		    struct error *err)
{
	json_auto_t *post = find_post(l->front, l->approval, t->to, err);
	const bool is_new = !post && !error_is_set(err);

	*ret_failed = json_is_true(json_object_get(post, "failed"));
	if (error_is_set(err))
		return false;
	if (*ret_failed)
		return true;
	if (is_new) {
		post = new_post(l, t);
		if (!post)
			return error_oom(err);
		/* Before it is put: what stands in Slack is known to us. */
		if (!keep_post(l->front, post, err))
			return false;
	}
	if (json_object_get(post, "ts"))
		return stands(l, post, err);
	/* The same again tells again how it ended, should we have fallen meanwhile. */
	return put(l, post, err);
}

static const char *first(const json_t *list)
{
	return json_string_value(json_array_get(list, 0));
}

static bool post_direct(const struct prompt_look *l, const char *user, struct error *err)
{
	const struct target t = { .to = user, .user = user };
	bool failed;

	return !user || post_to(l, &t, &failed, err);
}

/* Where who asked cannot decide it alone, those who can hear of it. */
static bool wants_others(const struct prompt_look *l)
{
	const json_t *policy = json_object_get(l->record, "policy");
	const char *requester = json_get_string(l->record, "requester");
	size_t i;
	json_t *one;

	if (json_get_int64(policy, "approvers_needed", 1) > 1 ||
	    json_is_true(json_object_get(policy, "four_eyes")))
		return true;
	json_array_foreach(json_object_get(policy, "approvers"), i, one)
	{
		if (requester && json_is_string(one) &&
		    strcmp(json_string_value(one), requester) == 0)
			return false;
	}
	return true;
}

static bool is_requester(const struct prompt_look *l, const json_t *approver)
{
	const char *person = json_get_string(approver, "person");
	const char *requester = json_get_string(l->record, "requester");

	return person && requester && strcmp(person, requester) == 0;
}

static bool post_to_approvers(const struct prompt_look *l, struct error *err)
{
	size_t i, told = 0;
	json_t *one;

	json_array_foreach(json_object_get(l->to, "approvers"), i, one)
	{
		if (is_requester(l, one) || told == PROMPTS_TOLD_MAX)
			continue;
		told++;
		if (!post_direct(l, first(json_object_get(one, "slack")), err))
			return false;
	}
	return true;
}

bool prompts_post(const struct prompt_look *l, struct error *err)
{
	const enum front_telling telling = l->front->settings.telling;
	const char *channel = json_get_string(l->to, "channel");
	const struct target conversation = {
		.to = channel,
		.thread = json_get_string(l->to, "thread"),
		.along = json_is_true(json_object_get(l->to, "others_read_along")),
	};
	const char *requester = first(json_object_get(l->to, "requester"));
	bool failed = !channel;

	if (channel && !post_to(l, &conversation, &failed, err))
		return false;
	if (failed && !post_direct(l, requester, err))
		return false;
	if (!wants_others(l) || telling == FRONT_TELL_NO)
		return true;
	/* In somebody's direct messages nobody else can be told. */
	if (failed || telling == FRONT_TELL_DIRECT || channel[0] == 'D')
		return post_to_approvers(l, err);
	return true;
}

void prompts_bring(const struct delivery *d, const char *approval)
{
	struct error err = ERROR_INIT;
	json_auto_t *reply = gate_ask(d->front->gate, MSG_SHOW,
				      json_pack("{s:s}", "approval", approval), NULL,
				      &err);
	const json_t *record = json_object_get(reply, "record");
	const struct prompt_look l = {
		.front = d->front,
		.approval = approval,
		.record = record,
		.to = json_object_get(reply, "to"),
		.prompt = json_object_get(record, "prompt"),
		.state = json_get_string(record, "state"),
	};

	if (reply && !approvals_concern(record, d->principal))
		error_set(&err, ERR_PERMISSION_DENIED,
			  "this is for who asked, and for who may decide it");
	else if (reply && (!l.prompt || !l.state || strcmp(l.state, "pending") != 0))
		error_set(&err, ERR_CONFLICT, "it does not wait any more");
	else if (reply && post_direct(&l, d->in.user, &err)) {
		say_privately(d, say_words("It is in your direct messages.", NULL));
		return;
	}
	say_privately(d, say_failure("It cannot be shown", &err));
}

/* --- it stands --- */

static bool knows(const json_t *record, const char *channel, const char *ts)
{
	size_t i;
	json_t *place;

	json_array_foreach(json_object_get(record, "places"), i, place)
	{
		const char *c = json_get_string(place, "channel");
		const char *t = json_get_string(place, "ts");

		if (c && t && strcmp(c, channel) == 0 && strcmp(t, ts) == 0)
			return true;
	}
	return false;
}

/* In a thread, so that those who may decide look at it; names and nothing else. */
static void tell_in_thread(const struct prompt_look *l, const json_t *post)
{
	json_auto_t *names = json_pack("[{s:s, s:s}]", "type", "text", "text",
				       "This waits for somebody to decide: ");
	const char *thread = json_get_string(post, "thread");
	json_auto_t *message = NULL;
	struct error err = ERROR_INIT;
	char key[OUTBOX_KEY_BYTES];
	size_t i, told = 0;
	json_t *one;

	json_array_foreach(json_object_get(l->to, "approvers"), i, one)
	{
		const char *user = first(json_object_get(one, "slack"));

		if (is_requester(l, one) || !user || told++ == PROMPTS_TOLD_MAX)
			continue;
		if (!names ||
		    json_array_append_new(names, json_pack("{s:s, s:s}", "type", "user",
							   "user_id", user)) != 0)
			return;
	}
	if (told == 0)
		return;
	message = slack_message("A call waits for a decision",
				json_pack("[{s:s, s:[{s:s, s:O}]}]", "type", "rich_text",
					  "elements", "type", "rich_text_section",
					  "elements", names));
	(void)snprintf(key, sizeof key, "tell/%s", l->approval);
	const struct outbox_item item = {
		.key = key,
		.lane = json_get_string(post, "target"),
		.method = "chat.postMessage",
		.arguments = message,
		.until_ms = json_get_int64(l->record, "expires_at", 0),
	};
	if (!json_put_string(message, "channel", json_get_string(post, "channel")) ||
	    !json_put_string(message, "thread_ts",
			     thread ? thread : json_get_string(post, "ts")) ||
	    !outbox_put(l->front->outbox, &item, &err))
		log_failure("slack.not_told", &err);
}

static bool tell_gate(const struct prompt_look *l, const json_t *post, struct error *err)
{
	json_auto_t *members = json_pack("{s:s, s:O, s:O, s:O, s:O}", "approval",
					 l->approval, "shown",
					 json_object_get(l->record, "shown"), "channel",
					 json_object_get(post, "channel"), "message_ts",
					 json_object_get(post, "ts"), "drawn_at",
					 json_object_get(post, "drawn_at"));
	json_auto_t *reply = NULL;

	if (!json_put_string(members, "user", json_get_string(post, "user")))
		return error_oom(err);
	reply = gate_ask(l->front->gate, MSG_SLACK_POSTED, TAKE(members), NULL, err);
	if (!reply)
		return false;
	if (!json_object_get(post, "user") &&
	    l->front->settings.telling == FRONT_TELL_THREAD && wants_others(l))
		tell_in_thread(l, post);
	return true;
}

/* What people see of it says 'so many minutes left' of the time at which it was drawn. */
static bool redraw(const struct prompt_look *l, json_t *post, struct error *err)
{
	json_auto_t *message = NULL;
	char key[OUTBOX_KEY_BYTES];
	const int64_t now_ms = clock_wall_ms();
	const struct outbox_item item = {
		.key = key,
		.lane = json_get_string(post, "target"),
		.method = "chat.update",
		.until_ms = now_ms + DRAWN_MS,
	};
	struct outbox_item whole = item;

	if (json_object_set_new(post, "drawn_at", json_integer((json_int_t)now_ms)) != 0)
		return error_oom(err);
	message = draw(l, post, err);
	if (!message || !keep_post(l->front, post, err))
		return false;
	whole.arguments = message;
	(void)snprintf(key, sizeof key, "draw/%s/%s/%lld", l->approval, item.lane,
		       (long long)now_ms);
	if (!json_put_string(message, "channel", json_get_string(post, "channel")) ||
	    !json_put_string(message, "ts", json_get_string(post, "ts")))
		return error_oom(err);
	return outbox_put(l->front->outbox, &whole, err);
}

static bool stands(const struct prompt_look *l, json_t *post, struct error *err)
{
	const int64_t age_ms = clock_wall_ms() - json_get_int64(post, "drawn_at", 0);

	if (strcmp(l->state, "pending") != 0 ||
	    knows(l->record, json_get_string(post, "channel"),
		  json_get_string(post, "ts")))
		return true;
	return age_ms > DRAWN_MS ? redraw(l, post, err) : tell_gate(l, post, err);
}

static bool take_place(const struct prompt_said *s, json_t *post, struct error *err)
{
	if (s->ok && s->channel[0] && s->ts[0]) {
		if (!json_put_string(post, "channel", s->channel) ||
		    !json_put_string(post, "ts", s->ts))
			return error_oom(err);
	} else if (!json_object_get(post, "ts") &&
		   json_object_set_new(post, "failed", json_true()) != 0) {
		return error_oom(err);
	}
	return keep_post(s->front, post, err);
}

static bool said(const struct prompt_said *s, struct error *err)
{
	json_auto_t *post = find_post(s->front, s->approval, s->target, err);
	json_auto_t *reply = NULL;
	struct prompt_look l = { .front = s->front, .approval = s->approval };

	if (!post || !take_place(s, post, err))
		return !error_is_set(err);
	reply = gate_ask(s->front->gate, MSG_SHOW,
			 json_pack("{s:s}", "approval", s->approval), NULL, err);
	if (!reply)
		return false;
	l.record = json_object_get(reply, "record");
	l.to = json_object_get(reply, "to");
	l.prompt = json_object_get(l.record, "prompt");
	l.state = json_get_string(l.record, "state");
	return !l.state || !l.prompt || !json_object_get(post, "ts") ||
	       stands(&l, post, err);
}

void prompts_said(void *argument)
{
	struct prompt_said *s = argument;
	struct error err = ERROR_INIT;

	if (!said(s, &err))
		log_failure("slack.prompt", &err);
	/* It may have ended meanwhile, or must go elsewhere. */
	(void)prompts_look(s->front, s->approval);
	free(s->approval);
	free(s->target);
	free(s->channel);
	free(s->ts);
	free(s);
}

/* --- where they are --- */

struct places {
	json_t *list;
	const json_t *record;
	bool failed;
};

static bool add_place(json_t *list, const json_t *channel, const json_t *ts, bool along)
{
	return json_array_append_new(list,
				     json_pack("{s:O, s:O, s:b}", "channel", channel,
					       "ts", ts, "read_along", along)) == 0;
}

static bool add_post(void *context, const struct document *doc)
{
	struct places *p = context;
	const char *channel = json_get_string(doc->body, "channel");
	const char *ts = json_get_string(doc->body, "ts");

	if (channel && ts && !knows(p->record, channel, ts) &&
	    !add_place(p->list, json_object_get(doc->body, "channel"),
		       json_object_get(doc->body, "ts"),
		       json_is_true(json_object_get(doc->body, "along"))))
		p->failed = true;
	return !p->failed;
}

json_t *prompts_places(const struct prompt_look *l, struct error *err)
{
	const struct documents_filter filters[] = { { "approval", l->approval },
						    { NULL, NULL } };
	json_auto_t *list = json_array();
	struct places p = { list, l->record, !list };
	size_t i;
	json_t *place;

	json_array_foreach(json_object_get(l->record, "places"), i, place)
	{
		p.failed = p.failed ||
			   !add_place(list, json_object_get(place, "channel"),
				      json_object_get(place, "ts"),
				      json_is_true(json_object_get(place, "read_along")));
	}
	if (p.failed) {
		error_oom(err);
		return NULL;
	}
	if (!documents_query(l->front->records, collection, filters, NULL, false,
			     PROMPTS_POSTS_MAX, add_post, &p, err))
		return NULL;
	return TAKE(list);
}

/* --- what is over --- */

struct over {
	char ids[PROMPTS_POSTS_MAX][DOCUMENT_ID_MAX + 1];
	size_t count;
};

static bool add_over(void *context, const struct document *doc)
{
	struct over *o = context;

	/* What may come to stand yet is closed when it does. */
	if (json_object_get(doc->body, "ts") ||
	    json_is_true(json_object_get(doc->body, "failed")))
		memcpy(o->ids[o->count++], doc->id, sizeof doc->id);
	return o->count < PROMPTS_POSTS_MAX;
}

bool prompts_forget(const struct prompt_look *l, struct error *err)
{
	const struct documents_filter filters[] = { { "approval", l->approval },
						    { NULL, NULL } };
	struct over o = { .count = 0 };

	if (!documents_query(l->front->records, collection, filters, NULL, false,
			     PROMPTS_POSTS_MAX, add_over, &o, err))
		return false;
	for (size_t i = 0; i < o.count; i++) {
		bool existed;

		if (!documents_delete(l->front->records, collection, o.ids[i], &existed,
				      err))
			return false;
	}
	return true;
}
