#include "slack/outbox/outbox_send.h"

#include "api/slack/slack_methods.h"

enum { LOOK_BACK_S = 120, LOOK_MESSAGES = 200 };

void outbox_result_done(struct outbox_result *r)
{
	json_decref(r->answer);
	*r = (struct outbox_result){ 0 };
}

static bool is_post(const struct item *it)
{
	return strcmp(it->method, "chat.postMessage") == 0;
}

bool item_may_stand(const struct item *it)
{
	const struct slack_method *m = slack_method_find(it->method);

	return it->state == OUTBOX_SENDING && !m->reads && !m->may_repeat;
}

static enum outbox_step end(struct outbox_result *ret, enum outbox_state state,
			    const char *why)
{
	ret->state = state;
	(void)snprintf(ret->why, sizeof ret->why, "%.*s", (int)sizeof ret->why - 1, why);
	return OUTBOX_END;
}

static enum outbox_step again(struct outbox_result *ret, enum outbox_state state,
			      const struct error *why)
{
	ret->state = state;
	(void)snprintf(ret->why, sizeof ret->why, "%.*s", (int)sizeof ret->why - 1,
		       why->message);
	return OUTBOX_AGAIN;
}

/* ---- Looking ---------------------------------------------------------------------- */

static json_t *look_arguments(const struct item *it, const json_t *arguments)
{
	const char *thread = json_get_string(arguments, "thread_ts");
	char oldest[32];
	json_auto_t *o = NULL;

	(void)snprintf(oldest, sizeof oldest, "%lld.000000",
		       (long long)(it->begun_ms / 1000 - LOOK_BACK_S));
	o = json_pack("{s:O, s:s, s:i, s:b}", "channel",
		      json_object_get(arguments, "channel"), "oldest", oldest, "limit",
		      LOOK_MESSAGES, "include_all_metadata", 1);
	if (o && thread && json_object_set_new(o, "ts", json_string(thread)) != 0)
		return NULL;
	return TAKE(o);
}

/* The ts of our message among them, or NULL. */
static const char *find_mark(const json_t *body, const char *mark)
{
	size_t i;
	json_t *message;

	json_array_foreach(json_object_get(body, "messages"), i, message)
	{
		const json_t *metadata = json_object_get(message, "metadata");
		const char *type = json_get_string(metadata, "event_type");
		const char *key = json_get_string(
			json_object_get(metadata, "event_payload"), "key");

		if (type && key && strcmp(type, ITEM_MARK_TYPE) == 0 &&
		    strcmp(key, mark) == 0)
			return json_get_string(message, "ts");
	}
	return NULL;
}

static bool set_place(struct outbox_result *ret, const char *place, const char *ts)
{
	int a = snprintf(ret->place, sizeof ret->place, "%s", place ? place : "");
	int b = snprintf(ret->ts, sizeof ret->ts, "%s", ts ? ts : "");

	return a < (int)sizeof ret->place && b < (int)sizeof ret->ts;
}

/* Nobody can tell whether it stands there. */
static enum outbox_step cannot_tell(const struct item *it, struct outbox_result *ret)
{
	if (!it->must_arrive)
		return end(ret, OUTBOX_UNKNOWN,
			   "Slack's answer was lost, and it cannot be asked whether the "
			   "message is there");
	ret->state = OUTBOX_WAITING;
	return OUTBOX_AGAIN;
}

enum outbox_step item_look(const struct item *it, const json_t *arguments,
			   const struct outbox_options *options,
			   const atomic_bool *cancel, struct outbox_result *ret)
{
	bool thread = json_object_get(arguments, "thread_ts") != NULL;
	json_auto_t *asked = is_post(it) ? look_arguments(it, arguments) : NULL;
	_cleanup_slack_answer_ struct slack_answer answer = SLACK_ANSWER_INIT;
	struct error why = ERROR_INIT;
	char mark[ITEM_MARK_BYTES];
	const char *ts;

	if (!asked)
		return cannot_tell(it, ret);
	if (!options->call(options->caller,
			   thread ? "conversations.replies" : "conversations.history",
			   asked, cancel, &answer, &why))
		return why.code == ERR_PERMISSION_DENIED || why.code == ERR_NOT_FOUND
			       ? cannot_tell(it, ret)
			       : again(ret, OUTBOX_SENDING, &why);
	item_mark(it, mark);
	ts = find_mark(answer.body, mark);
	if (ts && set_place(ret, json_get_string(arguments, "channel"), ts))
		return end(ret, OUTBOX_SAID, "");
	if (json_is_true(json_object_get(answer.body, "has_more")))
		return cannot_tell(it, ret);
	ret->state = OUTBOX_WAITING;
	return OUTBOX_AGAIN;
}

/* ---- Saying ----------------------------------------------------------------------- */

static json_t *marked(const struct item *it, const json_t *arguments)
{
	json_auto_t *copy = json_copy((json_t *)(uintptr_t)arguments);
	char mark[ITEM_MARK_BYTES];

	item_mark(it, mark);
	if (copy && is_post(it) && !json_object_get(copy, "metadata") &&
	    json_object_set_new(copy, "metadata",
				json_pack("{s:s, s:{s:s}}", "event_type", ITEM_MARK_TYPE,
					  "event_payload", "key", mark)) != 0)
		return NULL;
	return TAKE(copy);
}

/* Whether the trouble is with the token, which somebody can mend. */
static bool is_credential(const char *name)
{
	static const char *const names[] = { "invalid_auth",  "not_authed",
					     "token_revoked", "token_expired",
					     "missing_scope", "account_inactive" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static enum outbox_step judge(const struct slack_answer *answer, const struct error *why,
			      struct outbox_result *ret)
{
	switch (why->code) {
	case ERR_UNKNOWN_OUTCOME:
		return again(ret, OUTBOX_SENDING, why);
	case ERR_RATE_LIMITED:
	case ERR_BACKEND_UNAVAILABLE:
	case ERR_TIMEOUT:
		return again(ret, OUTBOX_WAITING, why);
	case ERR_PERMISSION_DENIED:
		if (is_credential(answer->error)) {
			(void)again(ret, OUTBOX_WAITING, why);
			return OUTBOX_REST;
		}
		break;
	default:
		break;
	}
	return end(ret, OUTBOX_FAILED, why->message);
}

enum outbox_step item_send(const struct item *it, const json_t *arguments,
			   const struct outbox_options *options,
			   const atomic_bool *cancel, struct outbox_result *ret)
{
	_cleanup_slack_answer_ struct slack_answer answer = SLACK_ANSWER_INIT;
	json_auto_t *said = marked(it, arguments);
	struct error why = ERROR_INIT;
	const char *ts;

	if (!said) {
		error_oom(&why);
		return again(ret, it->state, &why);
	}
	if (!options->call(options->caller, it->method, said, cancel, &answer, &why))
		return judge(&answer, &why, ret);
	ts = json_get_string(answer.body, "ts");
	if (!ts)
		ts = json_get_string(answer.body, "message_ts"); /* ephemeral */
	if (!set_place(ret, json_get_string(answer.body, "channel"), ts))
		return end(ret, OUTBOX_FAILED,
			   "Slack answered with a place that is none");
	ret->answer = json_incref(answer.body);
	return end(ret, OUTBOX_SAID, "");
}
