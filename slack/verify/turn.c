#include "slack/verify/turn.h"

static const char *const names[] = {
	[SLACK_TURN_MENTION] = "mention", [SLACK_TURN_DIRECT] = "direct",
	[SLACK_TURN_COMMAND] = "command", [SLACK_TURN_SHORTCUT] = "shortcut",
	[SLACK_TURN_FORM] = "form",       [SLACK_TURN_BUTTON] = "button",
	[SLACK_TURN_HOME] = "home",
};
_Static_assert(ARRAY_SIZE(names) == SLACK_TURN_KINDS, "every kind has a name");

const char *slack_turn_name(enum slack_turn_kind kind)
{
	return kind < SLACK_TURN_KINDS ? names[kind] : "?";
}

static bool no_turn(struct error *err, const char *why)
{
	return error_set(err, ERR_INVALID_ARGUMENT, "this sets nothing going: %s", why);
}

static bool is(const json_t *object, const char *member, const char *text)
{
	const char *value = json_get_string(object, member);

	return value && strcmp(value, text) == 0;
}

static bool is_there(const json_t *object, const char *member)
{
	const json_t *value = json_object_get(object, member);

	return value && !json_is_null(value) && !json_is_false(value);
}

/* --- events --- */

/* Absent, or this team. */
static bool is_of(const json_t *object, const char *member, const char *team)
{
	const json_t *value = json_object_get(object, member);

	return !value || json_is_null(value) || is(object, member, team);
}

static bool check_author(const json_t *event, const char *team, struct error *err)
{
	if (is_there(event, "bot_id") || is_there(event, "bot_profile"))
		return no_turn(err, "a bot wrote it");
	if (is_there(event, "edited") || is_there(event, "hidden"))
		return no_turn(err, "it is an edit, or hidden");
	if (is_there(event, "subtype") && !is(event, "subtype", "file_share"))
		return no_turn(err, "it is no message that somebody wrote");
	if (!is_of(event, "team", team) || !is_of(event, "user_team", team) ||
	    !is_of(event, "source_team", team) ||
	    !is_of(json_object_get(event, "user_profile"), "team", team))
		return no_turn(err, "its author is of another workspace");
	return true;
}

/* A reply's thread, or the message itself, which begins one. */
static bool read_thread(const json_t *event, struct slack_turn *t)
{
	return is_there(event, "thread_ts")
		       ? slack_payload_id(t->thread, sizeof t->thread, event, "thread_ts")
		       : slack_payload_id(t->thread, sizeof t->thread, event, "ts");
}

static bool read_event(const json_t *payload, struct slack_turn *t, struct error *err)
{
	const json_t *event = json_object_get(payload, "event");

	if (!is(payload, "type", "event_callback") || !event)
		return no_turn(err, "it is no event");
	if (!slack_payload_id(t->actor.app, sizeof t->actor.app, payload, "api_app_id") ||
	    !slack_payload_id(t->actor.team, sizeof t->actor.team, payload, "team_id") ||
	    !slack_payload_id(t->actor.user, sizeof t->actor.user, event, "user"))
		return no_turn(err, "it is of nobody, or of no app");
	if (is(event, "type", "app_home_opened")) {
		t->kind = SLACK_TURN_HOME;
		return is(event, "tab", "home") || no_turn(err, "another tab was opened");
	}
	if (is(event, "type", "app_mention"))
		t->kind = SLACK_TURN_MENTION;
	else if (is(event, "type", "message") && is(event, "channel_type", "im"))
		t->kind = SLACK_TURN_DIRECT;
	else
		return no_turn(err, "it is neither a mention nor a direct message");
	if (!check_author(event, t->actor.team, err))
		return false;
	if (!slack_payload_id(t->channel, sizeof t->channel, event, "channel") ||
	    !read_thread(event, t))
		return no_turn(err, "it is nowhere");
	t->is_shared = is_there(payload, "is_ext_shared_channel");
	return true;
}

/* --- what people press, send and pick --- */

static bool read_command(const json_t *payload, struct slack_turn *t, struct error *err)
{
	t->kind = SLACK_TURN_COMMAND;
	return slack_payload_actor(payload, &t->actor, err) &&
	       (slack_payload_id(t->channel, sizeof t->channel, payload, "channel_id") ||
		no_turn(err, "it is nowhere"));
}

static void read_place(const json_t *payload, struct slack_turn *t)
{
	const json_t *container = json_object_get(payload, "container");
	const json_t *message = json_object_get(payload, "message");

	if (!slack_payload_id(t->channel, sizeof t->channel,
			      json_object_get(payload, "channel"), "id"))
		return;
	if (!slack_payload_id(t->thread, sizeof t->thread, message, "thread_ts") &&
	    !slack_payload_id(t->thread, sizeof t->thread, container, "thread_ts") &&
	    !slack_payload_id(t->thread, sizeof t->thread, container, "message_ts"))
		(void)slack_payload_id(t->thread, sizeof t->thread, payload,
				       "message_ts");
}

static bool read_interaction(const json_t *payload, struct slack_turn *t,
			     struct error *err)
{
	static const struct {
		const char *type;
		enum slack_turn_kind kind;
	} kinds[] = { { "message_action", SLACK_TURN_SHORTCUT },
		      { "shortcut", SLACK_TURN_SHORTCUT },
		      { "view_submission", SLACK_TURN_FORM },
		      { "block_actions", SLACK_TURN_BUTTON } };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!is(payload, "type", kinds[i].type))
			continue;
		t->kind = kinds[i].kind;
		read_place(payload, t);
		return slack_payload_actor(payload, &t->actor, err);
	}
	return no_turn(err, "it is something else that Slack sends");
}

bool slack_turn_of(const json_t *payload, enum slack_delivery delivery,
		   struct slack_turn *ret, struct error *err)
{
	struct slack_turn t = { 0 };
	bool ok = false;

	switch (delivery) {
	case SLACK_EVENT:
		ok = read_event(payload, &t, err);
		break;
	case SLACK_INTERACTION:
		ok = read_interaction(payload, &t, err);
		break;
	case SLACK_COMMAND:
		ok = read_command(payload, &t, err);
		break;
	}
	if (ok)
		*ret = t;
	return ok;
}
