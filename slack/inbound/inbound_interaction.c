/* Interactions: what a person pressed, sent or looked for. */
#include "slack/inbound/inbound_private.h"

static bool is(const json_t *object, const char *member, const char *wanted)
{
	const char *text = json_get_string(object, member);

	return text && strcmp(text, wanted) == 0;
}

static void take_trigger(struct inbound *in, const json_t *payload,
			 const struct inbound_self *self)
{
	(void)inbound_word(in->trigger, sizeof in->trigger, payload, "trigger_id");
	inbound_take_response(in, payload, self);
}

static bool take_view(struct inbound *in, const json_t *view, struct error *err)
{
	const json_t *values = json_object_get(json_object_get(view, "state"), "values");

	if (!inbound_id(in->view, sizeof in->view, view, "id"))
		return inbound_refuse(err, "a view without an id");
	(void)inbound_word(in->callback, sizeof in->callback, view, "callback_id");
	(void)inbound_word(in->view_hash, sizeof in->view_hash, view, "hash");
	in->home = is(view, "type", "home");
	if (json_is_object(values) && !(in->state = json_deep_copy(values)))
		return error_oom(err);
	return inbound_text(&in->metadata, json_get_string(view, "private_metadata"),
			    err);
}

/* What an element says, whatever its kind. */
static const char *value_of(const json_t *action)
{
	static const char *const members[] = { "value",
					       "selected_user",
					       "selected_channel",
					       "selected_conversation",
					       "selected_date",
					       "selected_time" };

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (json_get_string(action, members[i]))
			return json_get_string(action, members[i]);
	return json_get_string(json_object_get(action, "selected_option"), "value");
}

static bool read_press(const json_t *payload, struct inbound *in, struct error *err)
{
	const json_t *actions = json_object_get(payload, "actions");
	const json_t *action = json_array_get(actions, 0);
	const json_t *container = json_object_get(payload, "container");
	const json_t *view = json_object_get(payload, "view");

	if (json_array_size(actions) != 1 ||
	    !inbound_word(in->action, sizeof in->action, action, "action_id") ||
	    !inbound_word(in->block, sizeof in->block, action, "block_id"))
		return inbound_refuse(err, "a press of not one element");
	if (is(container, "type", "view")) {
		if (!take_view(in, view, err))
			return false;
	} else if (!inbound_id(in->channel, sizeof in->channel, container,
			       "channel_id") ||
		   !inbound_id(in->ts, sizeof in->ts, container, "message_ts"))
		return inbound_refuse(err, "a press that is nowhere");
	(void)inbound_id(in->thread_ts, sizeof in->thread_ts, container, "thread_ts");
	in->ephemeral = json_is_true(json_object_get(container, "is_ephemeral"));
	in->kind = INBOUND_PRESS;
	return inbound_text(&in->value, value_of(action), err);
}

static bool read_submit(const json_t *payload, struct inbound *in, struct error *err)
{
	if (!take_view(in, json_object_get(payload, "view"), err))
		return false;
	if (!in->state || !*in->callback)
		return inbound_refuse(err, "a submission without state or callback");
	in->kind = INBOUND_SUBMIT;
	return true;
}

static bool read_close(const json_t *payload, struct inbound *in, struct error *err)
{
	in->kind = INBOUND_CLOSE;
	return take_view(in, json_object_get(payload, "view"), err);
}

static bool read_options(const json_t *payload, struct inbound *in, struct error *err)
{
	const json_t *view = json_object_get(payload, "view");

	if (!inbound_word(in->action, sizeof in->action, payload, "action_id") ||
	    !inbound_word(in->block, sizeof in->block, payload, "block_id") ||
	    !json_get_string(payload, "value"))
		return inbound_refuse(err, "a search in no menu");
	if (view && !take_view(in, view, err))
		return false;
	in->kind = INBOUND_OPTIONS;
	in->too_long = strlen(json_get_string(payload, "value")) > INBOUND_TOKEN_BYTES;
	return in->too_long ||
	       inbound_text(&in->text, json_get_string(payload, "value"), err);
}

static bool read_on_message(const json_t *payload, struct inbound *in, struct error *err)
{
	const json_t *message = json_object_get(payload, "message");

	if (!inbound_word(in->callback, sizeof in->callback, payload, "callback_id") ||
	    !inbound_id(in->ts, sizeof in->ts, payload, "message_ts") ||
	    !inbound_id(in->channel, sizeof in->channel,
			json_object_get(payload, "channel"), "id"))
		return inbound_refuse(err, "a shortcut on no message");
	(void)inbound_id(in->author, sizeof in->author, message, "user");
	(void)inbound_id(in->thread_ts, sizeof in->thread_ts, message, "thread_ts");
	in->kind = INBOUND_ON_MESSAGE;
	return inbound_take_text(in, message, NULL, err);
}

static bool read_shortcut(const json_t *payload, struct inbound *in, struct error *err)
{
	in->kind = INBOUND_SHORTCUT;
	return inbound_word(in->callback, sizeof in->callback, payload, "callback_id") ||
	       inbound_refuse(err, "a shortcut without a name");
}

/* The workspace that it happened in, and whether the person is of it. */
static bool take_person(const json_t *payload, const struct inbound_self *self,
			struct inbound *in, struct error *err)
{
	const json_t *user = json_object_get(payload, "user");
	const json_t *team = json_object_get(payload, "team");
	char own[INBOUND_ID_BYTES];
	bool has_own = inbound_id(own, sizeof own, user, "team_id");

	if (!inbound_id(in->user, sizeof in->user, user, "id"))
		return inbound_refuse(err, "an interaction of nobody");
	/* An app that belongs to an organisation gets no team; then it is the person's. */
	if (json_is_object(team))
		(void)inbound_id(in->team, sizeof in->team, team, "id");
	else if (has_own)
		memcpy(in->team, own, sizeof own);
	in->outside = has_own && !inbound_is_ours(own, self);
	return true;
}

bool inbound_read_interaction(const json_t *payload, const struct inbound_self *self,
			      struct inbound *ret, struct error *err)
{
	static const struct {
		const char *type;
		bool names_app;
		bool (*read)(const json_t *, struct inbound *, struct error *);
	} kinds[] = {
		{ "block_actions", true, read_press },
		{ "view_submission", true, read_submit },
		{ "view_closed", true, read_close },
		{ "block_suggestion", true, read_options },
		{ "message_action", false, read_on_message },
		{ "shortcut", false, read_shortcut },
	};

	if (!inbound_begin(ret, err))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!is(payload, "type", kinds[i].type))
			continue;
		take_trigger(ret, payload, self);
		return take_person(payload, self, ret, err) &&
		       inbound_check(ret, payload, kinds[i].names_app, self, err) &&
		       kinds[i].read(payload, ret, err);
	}
	return inbound_nothing(ret, "another kind of interaction");
}
