#include "gate/slack_where.h"

static bool is_of_slack(const json_t *record)
{
	const char *kind = json_get_string(json_object_get(record, "surface"), "kind");

	return kind && strcmp(kind, "slack") == 0;
}

bool slack_where_is_direct(const char *channel)
{
	return channel[0] == 'D';
}

static void copy(char *to, size_t size, const char *text)
{
	(void)snprintf(to, size, "%s", text ? text : "");
}

/* Nobody having counted the people counts as strangers among them. */
static const char *not_there(const struct slack_where *w, const json_t *slack,
			     const struct slack_settings *s)
{
	const json_t *outsiders = json_object_get(slack, "outsiders");

	if (!w->channel[0])
		return "it was asked for in no conversation";
	if (slack_where_is_direct(w->channel))
		return NULL;
	if (!outsiders)
		return "nobody said who reads the conversation";
	if (!json_is_false(outsiders))
		return "the conversation has people from outside the team";
	if (!slack_settings_has_channel(s, w->channel))
		return "the conversation is none that the gate's configuration names";
	return NULL;
}

struct slack_where slack_where_of(const json_t *record, const struct slack_settings *s)
{
	const json_t *slack = json_object_get(record, "slack");
	struct slack_where w = { .kind = SLACK_NOWHERE };

	if (!s->is_on)
		return w;
	if (!is_of_slack(record)) {
		if (!s->approvals_channel[0])
			return w;
		w.kind = SLACK_CHANNEL;
		w.read_along = !s->approvers_only;
		copy(w.channel, sizeof w.channel, s->approvals_channel);
		return w;
	}
	copy(w.channel, sizeof w.channel, json_get_string(slack, "channel"));
	copy(w.thread, sizeof w.thread, json_get_string(slack, "thread"));
	w.why = not_there(&w, slack, s);
	if (w.why) {
		w.kind = SLACK_DIRECT;
		w.channel[0] = w.thread[0] = '\0';
		return w;
	}
	w.kind = SLACK_CONVERSATION;
	w.read_along = !slack_where_is_direct(w.channel);
	return w;
}

/* --- as data --- */

static json_t *approvers_json(const json_t *record, const struct policy *p)
{
	const json_t *policy = json_object_get(record, "policy");
	json_auto_t *list = json_array();
	size_t i;
	json_t *one;

	json_array_foreach(json_object_get(policy, "approvers"), i, one)
	{
		const char *person = json_string_value(one);
		const json_t *ids = person ? policy_slack_of(p, person) : NULL;

		if (ids &&
		    json_array_append_new(list, json_pack("{s:s, s:O}", "person", person,
							  "slack",
							  (json_t *)(uintptr_t)ids)) != 0)
			return NULL;
	}
	return TAKE(list);
}

/* Where who asked used one of several Slack users, that one alone. */
static json_t *requester_json(const json_t *record, const struct policy *p)
{
	const char *user = json_get_string(json_object_get(record, "slack"), "user");
	const char *person = json_get_string(record, "requester");
	const json_t *ids = person ? policy_slack_of(p, person) : NULL;

	if (user)
		return json_pack("[s]", user);
	return ids ? json_deep_copy(ids) : json_array();
}

static bool add_text(json_t *to, const char *name, const char *text)
{
	return !text || !*text || json_object_set_new(to, name, json_string(text)) == 0;
}

json_t *slack_where_json(const struct slack_where *w, const json_t *record,
			 const struct policy *p)
{
	static const char *const kinds[] = { "nowhere", "conversation", "direct",
					     "channel" };
	json_auto_t *to = json_pack("{s:s, s:b, s:o, s:o}", "kind", kinds[w->kind],
				    "others_read_along", w->read_along, "requester",
				    requester_json(record, p), "approvers",
				    approvers_json(record, p));

	if (!to || !add_text(to, "channel", w->channel) ||
	    !add_text(to, "thread", w->thread) || !add_text(to, "why", w->why))
		return NULL;
	return TAKE(to);
}

static bool is_concerned(const json_t *record, const struct policy *p, const char *user)
{
	const json_t *policy = json_object_get(record, "policy");
	const char *person = policy_person_of_slack(p, user);
	const char *requester = json_get_string(record, "requester");
	size_t i;
	json_t *one;

	if (!person)
		return false;
	if (requester && strcmp(person, requester) == 0)
		return true;
	json_array_foreach(json_object_get(policy, "approvers"), i, one)
	{
		if (json_is_string(one) && strcmp(json_string_value(one), person) == 0)
			return true;
	}
	return false;
}

bool slack_where_takes(const struct slack_where *w, const json_t *record,
		       const struct policy *p, const char *channel, const char *user,
		       bool *ret_read_along, struct error *err)
{
	if (w->channel[0] && strcmp(w->channel, channel) == 0 && !user) {
		*ret_read_along = w->read_along;
		return true;
	}
	if (w->kind != SLACK_NOWHERE && slack_where_is_direct(channel) && user &&
	    is_concerned(record, p, user)) {
		*ret_read_along = false;
		return true;
	}
	return error_set(err, ERR_PERMISSION_DENIED,
			 "this prompt was to stand elsewhere than in '%.64s'", channel);
}

/* --- in words --- */

static void add_people(struct strbuf *sb, const json_t *slack)
{
	int64_t people = json_get_int64(slack, "people", 0);

	if (people > 0)
		strbuf_add_format(sb, "%lld people, none from outside the team",
				  (long long)people);
	else
		strbuf_add_string(sb, "nobody from outside the team");
}

static void add_place(struct strbuf *sb, const struct slack_where *w,
		      const json_t *record)
{
	const json_t *slack = json_object_get(record, "slack");

	if (w->kind != SLACK_CONVERSATION) {
		strbuf_add_format(sb, "direct messages of %s (%s)",
				  json_get_string(record, "requester"),
				  w->why ? w->why : "Slack is switched off");
	} else if (slack_where_is_direct(w->channel)) {
		strbuf_add_format(sb, "direct messages of %s",
				  json_get_string(record, "requester"));
	} else {
		strbuf_add_format(sb, "the conversation %s (", w->channel);
		add_people(sb, slack);
		strbuf_add_char(sb, ')');
	}
}

void slack_where_words(const struct slack_where *w, const json_t *record,
		       struct strbuf *surface, struct strbuf *outcome_to)
{
	const json_t *slack = json_object_get(record, "slack");
	const char *model = json_get_string(slack, "model");
	const char *evidence = json_get_string(slack, "evidence");

	strbuf_add_string(surface, "Slack, ");
	add_place(surface, w, record);
	if (evidence && strcmp(evidence, "signed") != 0)
		strbuf_add_string(surface, "; who asked is known from the Slack process "
					   "alone (Socket Mode)");
	strbuf_add_string(outcome_to, "Slack, ");
	add_place(outcome_to, w, record);
	if (model)
		strbuf_add_format(outcome_to, ", and the model %s", model);
}
