/* Events: what happened in the workspace. */
#include "slack/inbound/inbound_private.h"

struct event {
	const json_t *envelope, *inner;
	const struct inbound_self *self;
};

static bool is(const json_t *object, const char *member, const char *wanted)
{
	const char *text = json_get_string(object, member);

	return text && strcmp(text, wanted) == 0;
}

/* ---- Messages --------------------------------------------------------------------- */

/* Why a message is nothing to act on; NULL: it is something. */
static const char *why_ignored(const struct event *e)
{
	const json_t *m = e->inner;
	const json_t *subtype = json_object_get(m, "subtype");
	const char *user = json_get_string(m, "user");

	if (subtype && !is(m, "subtype", "file_share"))
		return "a message with a subtype";
	if (json_object_get(m, "bot_id") || json_object_get(m, "bot_profile"))
		return "a message of an app";
	if (!user || strcmp(user, e->self->bot_user) == 0)
		return "a message of our own, or of nobody";
	if (json_is_true(json_object_get(m, "hidden")))
		return "a hidden message";
	return json_object_get(m, "edited") ? "an edited message" : NULL;
}

/* Every team that is said of the author must be one of ours. */
static bool is_outside(const struct event *e)
{
	static const char *const members[] = { "user_team", "source_team", "team" };
	const json_t *profile = json_object_get(e->inner, "user_profile");

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const json_t *team = json_object_get(e->inner, members[i]);

		if (team && !json_is_null(team) &&
		    (!json_is_string(team) ||
		     !inbound_is_ours(json_string_value(team), e->self)))
			return true;
	}
	profile = json_object_get(profile, "team");
	return json_is_string(profile) &&
	       !inbound_is_ours(json_string_value(profile), e->self);
}

static bool take_entities(struct inbound *in, const json_t *context, struct error *err)
{
	const json_t *entities = json_object_get(context, "entities");
	const char *channel = json_get_string(context, "channel_id");

	if (json_is_array(entities))
		in->entities = json_deep_copy(entities);
	else if (channel) /* as the older events say it */
		in->entities = json_pack("[{s:s, s:s}]", "type",
					 "slack#/types/channel_id", "value", channel);
	else
		return true;
	return in->entities || error_oom(err);
}

static bool read_message(const struct event *e, struct inbound *in, struct error *err)
{
	bool mention = is(e->inner, "type", "app_mention");
	const char *ignored = why_ignored(e);

	if (!mention && !is(e->inner, "channel_type", "im"))
		return inbound_nothing(in, "a message that was not to us");
	if (ignored)
		return inbound_nothing(in, ignored);
	if (!inbound_id(in->user, sizeof in->user, e->inner, "user") ||
	    !inbound_id(in->channel, sizeof in->channel, e->inner, "channel") ||
	    !inbound_id(in->ts, sizeof in->ts, e->inner, "ts"))
		return inbound_refuse(err, "a message without user, channel or ts");
	(void)inbound_id(in->thread_ts, sizeof in->thread_ts, e->inner, "thread_ts");
	in->outside = is_outside(e);
	in->kind = mention ? INBOUND_MENTION : INBOUND_MESSAGE;
	return take_entities(in, json_object_get(e->inner, "app_context"), err) &&
	       inbound_take_text(in, e->inner, e->self->bot_user, err);
}

/* ---- The agent view and App Home -------------------------------------------------- */

static bool read_opened(const struct event *e, struct inbound *in, struct error *err)
{
	bool home = is(e->inner, "tab", "home");

	if (!home && !is(e->inner, "tab", "messages"))
		return inbound_nothing(in, "another tab");
	in->kind = home ? INBOUND_HOME : INBOUND_AGENT;
	(void)inbound_word(in->view_hash, sizeof in->view_hash,
			   json_object_get(e->inner, "view"), "hash");
	return take_entities(in, json_object_get(e->inner, "context"), err);
}

static bool read_context(const struct event *e, struct inbound *in, struct error *err)
{
	in->kind = INBOUND_CONTEXT;
	return take_entities(in, json_object_get(e->inner, "context"), err);
}

static bool read_stop(const struct event *e, struct inbound *in, struct error *err)
{
	in->kind = INBOUND_STOP;
	return inbound_id(in->thread_ts, sizeof in->thread_ts, e->inner, "thread_ts") ||
	       inbound_refuse(err, "a stop without a thread");
}

/* Who and where; then what is the kind's own. */
static bool read_with_person(const struct event *e, struct inbound *in,
			     bool (*read)(const struct event *, struct inbound *,
					  struct error *),
			     struct error *err)
{
	if (!inbound_id(in->user, sizeof in->user, e->inner, "user") ||
	    !inbound_id(in->channel, sizeof in->channel, e->inner, "channel"))
		return inbound_refuse(err, "an event without user or channel");
	return read(e, in, err);
}

static bool read_home_opened(const struct event *e, struct inbound *in, struct error *err)
{
	return read_with_person(e, in, read_opened, err);
}

static bool read_context_changed(const struct event *e, struct inbound *in,
				 struct error *err)
{
	return read_with_person(e, in, read_context, err);
}

static bool read_stopped(const struct event *e, struct inbound *in, struct error *err)
{
	return read_with_person(e, in, read_stop, err);
}

static bool read_assistant(const struct event *e, struct inbound *in, struct error *err)
{
	const json_t *thread = json_object_get(e->inner, "assistant_thread");

	if (!inbound_id(in->user, sizeof in->user, thread, "user_id") ||
	    !inbound_id(in->channel, sizeof in->channel, thread, "channel_id"))
		return inbound_refuse(err, "a thread without user or channel");
	(void)inbound_id(in->thread_ts, sizeof in->thread_ts, thread, "thread_ts");
	in->kind = is(e->inner, "type", "assistant_thread_started") ? INBOUND_AGENT
								    : INBOUND_CONTEXT;
	return take_entities(in, json_object_get(thread, "context"), err);
}

/* ---- Changes ---------------------------------------------------------------------- */

static bool read_team(const struct event *e, struct inbound *in, struct error *err)
{
	(void)err;
	(void)inbound_id(in->user, sizeof in->user, json_object_get(e->inner, "user"),
			 "id");
	in->kind = INBOUND_TEAM;
	return true;
}

static bool read_gone(const struct event *e, struct inbound *in, struct error *err)
{
	const json_t *bots = json_object_get(json_object_get(e->inner, "tokens"), "bot");

	(void)err;
	if (is(e->inner, "type", "tokens_revoked") && json_array_size(bots) == 0)
		return inbound_nothing(in, "tokens of people were revoked");
	in->kind = INBOUND_GONE;
	return true;
}

/* ---- All -------------------------------------------------------------------------- */

static bool read_inner(const struct event *e, struct inbound *in, struct error *err)
{
	static const struct {
		const char *type;
		bool (*read)(const struct event *, struct inbound *, struct error *);
	} kinds[] = {
		{ "app_mention", read_message },
		{ "message", read_message },
		{ "app_home_opened", read_home_opened },
		{ "app_context_changed", read_context_changed },
		{ "agent_session_stopped", read_stopped },
		{ "assistant_thread_started", read_assistant },
		{ "assistant_thread_context_changed", read_assistant },
		{ "subteam_members_changed", read_team },
		{ "user_change", read_team },
		{ "app_uninstalled", read_gone },
		{ "tokens_revoked", read_gone },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (is(e->inner, "type", kinds[i].type))
			return kinds[i].read(e, in, err);
	return inbound_nothing(in, "an event that nobody here waits for");
}

static bool read_callback(const struct event *e, struct inbound *in, struct error *err)
{
	if (!inbound_id(in->event, sizeof in->event, e->envelope, "event_id") ||
	    !json_is_object(e->inner))
		return inbound_refuse(err, "an event without its id");
	in->at_s = json_get_int64(e->envelope, "event_time", 0);
	in->shared = json_is_true(json_object_get(e->envelope, "is_ext_shared_channel"));
	return read_inner(e, in, err);
}

bool inbound_read_event(const json_t *envelope, const struct inbound_self *self,
			struct inbound *ret, struct error *err)
{
	const struct event e = { envelope, json_object_get(envelope, "event"), self };
	const char *challenge = json_get_string(envelope, "challenge");

	if (!inbound_begin(ret, err))
		return false;
	if (is(envelope, "type", "url_verification")) {
		if (!challenge || strlen(challenge) > INBOUND_TOKEN_BYTES)
			return inbound_refuse(err, "a challenge that is none");
		ret->kind = INBOUND_CHALLENGE;
		return inbound_text(&ret->text, challenge, err);
	}
	(void)inbound_id(ret->team, sizeof ret->team, envelope, "team_id");
	if (!inbound_check(ret, envelope, true, self, err))
		return false;
	if (is(envelope, "type", "app_rate_limited")) {
		ret->kind = INBOUND_SLOWED;
		return true;
	}
	if (!is(envelope, "type", "event_callback"))
		return inbound_nothing(ret, "another kind of envelope");
	return read_callback(&e, ret, err);
}
