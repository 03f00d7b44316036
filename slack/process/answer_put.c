/* A step of an answer into the outbox, and out of it; what a restart found open. */
#include "base/clock.h"
#include "base/log.h"
#include "slack/process/answer_private.h"
#include "slack/process/say.h"

/* Answers that are being shown: {channel, thread, number, streams}, id their own. */
static const char collection[] = "answers";

enum { RECOVER_MAX = ANSWERS_MAX };

static const struct {
	const char *name, *method;
	enum answer_call of; /* whose message it is about; ANSWER_CALLS: its own */
} calls[ANSWER_CALLS] = {
	[ANSWER_START] = { "start", "chat.startStream", ANSWER_CALLS },
	[ANSWER_APPEND] = { "append", "chat.appendStream", ANSWER_START },
	[ANSWER_STOP] = { "stop", "chat.stopStream", ANSWER_START },
	[ANSWER_WHOLE] = { "whole", "chat.update", ANSWER_START },
	[ANSWER_POST] = { "post", "chat.postMessage", ANSWER_CALLS },
	[ANSWER_CHANGE] = { "change", "chat.update", ANSWER_POST },
};

void answer_step_free(struct answer_step *s)
{
	if (!s)
		return;
	json_decref(s->arguments);
	free(s);
}

static void back(struct answer_step *s)
{
	if (!loop_wake(s->talks->front->loop, answer_stepped, s))
		answer_step_free(s);
}

/* "answer/ID/NUMBER/call", with a number of its own where there are several. */
static void key_of(const char *id, size_t number, enum answer_call call, unsigned change,
		   char ret[static OUTBOX_KEY_BYTES])
{
	if (call == ANSWER_APPEND || call == ANSWER_CHANGE)
		(void)snprintf(ret, OUTBOX_KEY_BYTES, ANSWER_PREFIX "%s/%zu/%s/%u", id,
			       number, calls[call].name, change);
	else
		(void)snprintf(ret, OUTBOX_KEY_BYTES, ANSWER_PREFIX "%s/%zu/%s", id,
			       number, calls[call].name);
}

static bool put(struct front *f, const struct answer_step *s, struct error *err)
{
	char key[OUTBOX_KEY_BYTES], of[OUTBOX_KEY_BYTES];
	const enum answer_call about = calls[s->call].of;
	const struct outbox_item item = {
		.key = key,
		.lane = s->place.channel,
		.method = calls[s->call].method,
		.arguments = s->arguments,
		.of = about != ANSWER_CALLS ? of : NULL,
		/* A stream is closed whenever that can be. */
		.until_ms = s->call == ANSWER_STOP ? 0
						   : clock_wall_ms() + ANSWER_UNTIL_MS,
	};

	key_of(s->id, s->number, s->call, s->change, key);
	if (about != ANSWER_CALLS)
		key_of(s->id, s->number, about, 0, of);
	return outbox_put(f->outbox, &item, err);
}

static bool keep(struct front *f, const struct answer_step *s, struct error *err)
{
	json_auto_t *body = json_pack("{s:s, s:s, s:I, s:b}", "channel", s->place.channel,
				      "thread", s->place.thread, "number",
				      (json_int_t)s->number, "streams",
				      s->call == ANSWER_START);
	int64_t revision;

	return body ? documents_put(f->records, collection, s->id, body, DOCUMENT_ANY,
				    &revision, err)
		    : error_oom(err);
}

/* Durable before it is put; gone once nothing is left to be closed. */
static bool put_and_keep(struct front *f, const struct answer_step *s, struct error *err)
{
	bool existed;

	if (s->is_kept && !keep(f, s, err))
		return false;
	return put(f, s, err) && (!s->is_last || documents_delete(f->records, collection,
								  s->id, &existed, err));
}

static void work(void *argument)
{
	struct answer_step *s = argument;
	struct front *f = s->talks->front;
	struct error err = ERROR_INIT;

	/* Somebody may have come since: then no more of it is said. */
	if (s->call != ANSWER_STOP && talks_has_outsiders(s->talks, s->place.channel)) {
		log_info("assistant.silent", LOG_STR("channel", s->place.channel));
		s->is_stopped = true;
		back(s);
		return;
	}
	if (put_and_keep(f, s, &err)) {
		answer_step_free(s); /* the outbox tells how it ends */
		return;
	}
	front_count(f, COUNT_FAILED);
	log_failure("assistant.not_said", &err);
	back(s);
}

bool answer_put(struct answer_step *s)
{
	if (front_submit(s->talks->front, work, s))
		return true;
	answer_step_free(s);
	return false;
}

static void forget(void *argument)
{
	struct answer_step *s = argument;
	struct error err = ERROR_INIT;
	bool existed;

	if (!documents_delete(s->talks->front->records, collection, s->id, &existed,
			      &err))
		log_failure("assistant.not_forgotten", &err);
	answer_step_free(s);
}

void answer_forget(const struct answer *a)
{
	struct answer_step *s = calloc(1, sizeof *s);

	if (!s)
		return;
	s->talks = a->talks;
	memcpy(s->id, a->id, sizeof s->id);
	if (!front_submit(a->talks->front, forget, s))
		answer_step_free(s);
}

/* --- what the outbox tells --- */

/* It is so of this conversation, and says nothing of others. */
static bool is_local(const char *why)
{
	static const char *const names[] = { "channel_type_not_supported",
					     "channel_not_found",
					     "not_in_channel",
					     "is_archived",
					     "thread_not_found",
					     "missing_recipient",
					     "user_not_found" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strstr(why, names[i]))
			return true;
	return false;
}

static enum answer_call call_of(const char *name)
{
	int call = 0;

	while (call < ANSWER_CALLS &&
	       strncmp(calls[call].name, name, strcspn(name, "/")) != 0)
		call++;
	return (enum answer_call)call;
}

void talks_told(struct talks *t, const struct outbox_said *said)
{
	const char *at = said->key + sizeof ANSWER_PREFIX - 1;
	struct answer_step *s;
	size_t length;
	char *end = NULL;

	if (strncmp(said->key, ANSWER_PREFIX, sizeof ANSWER_PREFIX - 1) != 0)
		return;
	s = calloc(1, sizeof *s);
	length = strcspn(at, "/");
	if (s && length < sizeof s->id && at[length] == '/') {
		s->talks = t;
		memcpy(s->id, at, length);
		s->number = (size_t)strtoul(at + length + 1, &end, 10);
		s->call = end && *end == '/' ? call_of(end + 1) : ANSWER_CALLS;
		s->ok = said->ok;
		/* Somebody pressed Slack's button: what there is stands. */
		s->is_stopped = !said->ok && said->why &&
				strstr(said->why, "stopped_by_user") != NULL;
		s->is_local = said->is_unknown || (said->why && is_local(said->why));
		if (s->call != ANSWER_CALLS) {
			back(s);
			return;
		}
	}
	answer_step_free(s);
}

/* --- after a restart --- */

struct left {
	json_t *list; /* [[id, body]] */
	bool failed;
};

static bool add_left(void *context, const struct document *doc)
{
	struct left *l = context;

	l->failed = json_array_append_new(l->list,
					  json_pack("[s, O]", doc->id, doc->body)) != 0;
	return !l->failed;
}

static bool close_left(struct talks *t, const char *id, const json_t *body,
		       struct error *err)
{
	struct front *f = t->front;
	json_auto_t *words = say_words("My answer broke off here: I was started anew. "
				       "Please ask once more.",
				       NULL);
	json_auto_t *nothing = json_object();
	struct answer_step s = { .talks = t, .call = ANSWER_STOP, .is_last = true };
	char key[OUTBOX_KEY_BYTES];
	const struct outbox_item told = {
		.key = key,
		.lane = s.place.channel,
		.method = "chat.postMessage",
		.arguments = words,
	};

	(void)snprintf(s.id, sizeof s.id, "%s", id);
	(void)snprintf(s.place.channel, sizeof s.place.channel, "%s",
		       json_get_string(body, "channel"));
	s.number = (size_t)json_get_int64(body, "number", 0);
	s.arguments = nothing;
	(void)snprintf(key, sizeof key, "broke/%s", id);
	if (!nothing || !json_put_string(words, "channel", s.place.channel) ||
	    !json_put_string(words, "thread_ts", json_get_string(body, "thread")))
		return error_oom(err);
	if (json_is_true(json_object_get(body, "streams")) && !put(f, &s, err))
		return false;
	bool existed;

	return outbox_put(f->outbox, &told, err) &&
	       documents_delete(f->records, collection, id, &existed, err);
}

bool answers_recover(struct talks *t, struct error *err)
{
	json_auto_t *list = json_array();
	struct left l = { list, !list };
	size_t i;
	json_t *one;

	if (l.failed)
		return error_oom(err);
	if (!documents_query(t->front->records, collection, NULL, NULL, false,
			     RECOVER_MAX, add_left, &l, err))
		return false;
	if (l.failed)
		return error_oom(err);
	json_array_foreach(list, i, one)
	{
		const char *id = json_string_value(json_array_get(one, 0));
		const json_t *body = json_array_get(one, 1);

		if (id && json_get_string(body, "channel") &&
		    !close_left(t, id, body, err))
			return false;
	}
	return true;
}
