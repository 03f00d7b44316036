#include "slack/process/who.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/log.h"

enum {
	NAME_BYTES = 65,
	CHANNELS_MAX = 512,
	READERS_MAX = 1000, /* of a larger conversation nobody knows who reads it */
	READERS_MS = 5000,
};

struct known {
	char user[NAME_BYTES];
	struct person person;
	int64_t until_ms; /* mono */
};

struct room {
	char channel[NAME_BYTES];
	struct audience audience;
	int64_t until_ms;
};

struct who {
	struct who_options options;
	pthread_mutex_t lock;
	/* Under the lock; by the hash of their names, the last in its place. */
	struct known people[WHO_PEOPLE_MAX];
	struct room rooms[CHANNELS_MAX];
	json_t *group; /* {user: true} */
	int64_t group_until_ms;
	unsigned forgotten; /* how often: what was asked before is not kept */
};

struct who *who_new(const struct who_options *options, struct error *err)
{
	struct who *w = calloc(1, sizeof *w);

	if (!w) {
		error_oom(err);
		return NULL;
	}
	w->options = *options;
	(void)pthread_mutex_init(&w->lock, NULL);
	return w;
}

void who_free(struct who *w)
{
	if (!w)
		return;
	json_decref(w->group);
	(void)pthread_mutex_destroy(&w->lock);
	free(w);
}

static size_t place_of(const char *name, size_t places)
{
	size_t hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (unsigned char)*name;
	return hash % places;
}

/* --- what is kept --- */

static bool recall(struct who *w, const char *user, struct person *ret,
		   unsigned *ret_when)
{
	const struct known *k = &w->people[place_of(user, WHO_PEOPLE_MAX)];
	bool found;

	(void)pthread_mutex_lock(&w->lock);
	found = strcmp(k->user, user) == 0 && clock_mono_ms() < k->until_ms;
	if (found)
		*ret = k->person;
	*ret_when = w->forgotten;
	(void)pthread_mutex_unlock(&w->lock);
	return found;
}

static void keep(struct who *w, const char *user, const struct person *p, unsigned when)
{
	struct known *k = &w->people[place_of(user, WHO_PEOPLE_MAX)];

	(void)pthread_mutex_lock(&w->lock);
	if (w->forgotten == when) {
		(void)snprintf(k->user, sizeof k->user, "%s", user);
		k->person = *p;
		k->until_ms = p->until_ms;
	}
	(void)pthread_mutex_unlock(&w->lock);
}

void who_forget(struct who *w, const char *user)
{
	(void)pthread_mutex_lock(&w->lock);
	w->forgotten++;
	if (user)
		w->people[place_of(user, WHO_PEOPLE_MAX)].until_ms = 0;
	else
		memset(w->people, 0, sizeof w->people);
	memset(w->rooms, 0, sizeof w->rooms);
	w->group_until_ms = 0;
	(void)pthread_mutex_unlock(&w->lock);
}

bool who_is_known(struct who *w, const char *user)
{
	struct person ignored;
	unsigned when;

	return recall(w, user, &ignored, &when);
}

/* --- asking --- */

static void no_longer(int64_t *until_ms, int64_t than_ms)
{
	if (*until_ms > than_ms)
		*until_ms = than_ms;
}

static bool ask_gate(struct who *w, const char *user, struct person *p, struct error *err)
{
	json_auto_t *reply = gate_ask_for(w->options.gate, MSG_SLACK_WHO,
					  json_pack("{s:s}", "user", user), GATE_QUICK_MS,
					  NULL, err);
	const char *principal = json_get_string(reply, "principal");
	int64_t good_ms;

	if (!reply)
		return false;
	/* What the gate knows may be older than its answer. */
	good_ms = json_get_int64(reply, "good_ms", WHO_KEPT_MS);
	if (good_ms < WHO_KEPT_MS)
		p->until_ms -= WHO_KEPT_MS - (good_ms > 0 ? good_ms : 0);
	p->in_team = json_is_true(json_object_get(reply, "team")) && principal &&
		     strlen(principal) < sizeof p->principal;
	if (p->in_team)
		(void)snprintf(p->principal, sizeof p->principal, "%s", principal);
	else
		p->why = "not of the team";
	return true;
}

static bool is_our_team(const struct who *w, const char *team)
{
	for (size_t i = 0; i < w->options.team_count; i++)
		if (strcmp(w->options.teams[i], team) == 0)
			return true;
	return false;
}

static const char *why_not(const struct who *w, const struct slack_user *u)
{
	if (u->deleted)
		return "deactivated";
	if (u->is_bot)
		return "an app";
	if (u->is_guest)
		return "a guest";
	if (u->is_stranger || (u->team_id && *u->team_id && !is_our_team(w, u->team_id)))
		return "of another organisation";
	return NULL;
}

static bool ask_slack(struct who *w, const char *user, struct person *p,
		      struct error *err)
{
	const struct rest_patience patience = rest_patience(WHO_REST_MS);
	json_t *object = NULL;
	struct slack_user u;

	if (!slack_get_user(w->options.slack, user, &patience, &object, &u, err)) {
		/* Slack's word that there is no such person is an answer. */
		p->why = "not known to Slack";
		p->in_team = false;
		return err->code == ERR_NOT_FOUND;
	}
	p->why = why_not(w, &u);
	p->in_team = !p->why;
	json_decref(object); /* 'u' was within it */
	return true;
}

static json_t *read_group(struct who *w, struct error *err)
{
	const struct rest_patience patience = rest_patience(WHO_REST_MS);
	json_auto_t *users = NULL;
	json_auto_t *set = json_object();
	json_t *list = NULL, *one;
	size_t i;

	if (!slack_usergroup_members(w->options.slack, w->options.usergroup, &patience,
				     &list, err))
		return NULL;
	users = list;
	json_array_foreach(users, i, one)
	{
		if (!set ||
		    json_object_set_new(set, json_string_value(one), json_true()) != 0) {
			error_oom(err);
			return NULL;
		}
	}
	return TAKE(set);
}

static bool ask_group(struct who *w, const char *user, struct person *p,
		      struct error *err)
{
	int64_t asked_ms = clock_mono_ms();
	json_t *group = NULL;
	bool is_fresh;

	if (!w->options.usergroup)
		return true;
	(void)pthread_mutex_lock(&w->lock);
	is_fresh = w->group && asked_ms < w->group_until_ms;
	if (is_fresh) {
		p->in_team = json_object_get(w->group, user) != NULL;
		no_longer(&p->until_ms, w->group_until_ms);
	}
	(void)pthread_mutex_unlock(&w->lock);
	if (!is_fresh) {
		group = read_group(w, err);
		if (!group)
			return false;
		p->in_team = json_object_get(group, user) != NULL;
		(void)pthread_mutex_lock(&w->lock);
		json_decref(w->group);
		w->group = group;
		w->group_until_ms = asked_ms + WHO_KEPT_MS;
		(void)pthread_mutex_unlock(&w->lock);
	}
	if (!p->in_team)
		p->why = "not in the user group";
	return true;
}

bool who_ask(struct who *w, const char *user, struct person *ret, struct error *err)
{
	int64_t asked_ms = clock_mono_ms();
	unsigned when;
	bool ok;

	*ret = (struct person){ .why = "not asked" };
	if (strlen(user) >= NAME_BYTES || !slack_is_user_id(user))
		return true;
	if (recall(w, user, ret, &when))
		return true;
	*ret = (struct person){ .checked_ms = clock_wall_ms(),
				.until_ms = asked_ms + WHO_KEPT_MS };
	ok = ask_gate(w, user, ret, err);
	if (ok && ret->in_team)
		ok = ask_slack(w, user, ret, err);
	if (ok && ret->in_team)
		ok = ask_group(w, user, ret, err);
	if (!ok)
		*ret = (struct person){ .why = "it cannot be known now" };
	else
		keep(w, user, ret, when);
	return ok;
}

/* --- who reads along --- */

struct count {
	struct who *who;
	const char *bot_user;
	struct audience audience;
	int64_t until_ms; /* as long as all that is known of those who were counted */
};

static bool count_reader(void *context, const json_t *item, struct error *err)
{
	struct count *c = context;
	const char *user = json_string_value(item);
	struct person p;
	struct error why = ERROR_INIT;

	if (!user)
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 "what Slack sent is no member");
	if (strcmp(user, c->bot_user) == 0)
		return true;
	if (++c->audience.people > READERS_MAX || !who_ask(c->who, user, &p, &why) ||
	    !p.in_team)
		return error_set(err, ERR_PERMISSION_DENIED, "somebody else reads it");
	no_longer(&c->until_ms, p.until_ms);
	return true;
}

static bool recall_room(struct who *w, const char *channel, struct audience *ret,
			unsigned *ret_when)
{
	const struct room *r = &w->rooms[place_of(channel, CHANNELS_MAX)];
	bool found;

	(void)pthread_mutex_lock(&w->lock);
	found = strcmp(r->channel, channel) == 0 && clock_mono_ms() < r->until_ms;
	if (found)
		*ret = r->audience;
	*ret_when = w->forgotten;
	(void)pthread_mutex_unlock(&w->lock);
	return found;
}

static void keep_room(struct who *w, const char *channel, struct audience audience,
		      unsigned when, int64_t until_ms)
{
	struct room *r = &w->rooms[place_of(channel, CHANNELS_MAX)];

	(void)pthread_mutex_lock(&w->lock);
	if (w->forgotten == when) {
		(void)snprintf(r->channel, sizeof r->channel, "%s", channel);
		r->audience = audience;
		r->until_ms = until_ms;
	}
	(void)pthread_mutex_unlock(&w->lock);
}

struct audience who_reads(struct who *w, const char *channel, const char *bot_user)
{
	const struct rest_patience patience = rest_patience(READERS_MS);
	struct count c = { w, bot_user, { 0, false }, clock_mono_ms() + WHO_KEPT_MS };
	struct error err = ERROR_INIT;
	json_auto_t *arguments = NULL;
	unsigned when;

	if (channel[0] == 'D')
		return (struct audience){ 1, false };
	if (strlen(channel) >= NAME_BYTES || !*channel)
		return (struct audience){ 0, true };
	if (recall_room(w, channel, &c.audience, &when))
		return c.audience;
	arguments = json_pack("{s:s, s:i}", "channel", channel, "limit", 200);
	if (!arguments ||
	    !slack_each(w->options.slack, "conversations.members", arguments, "members",
			&patience, count_reader, &c, &err)) {
		log_info("slack.outsiders", LOG_STR("channel", channel),
			 LOG_STR("why", err.message));
		c.audience = (struct audience){ 0, true };
	}
	keep_room(w, channel, c.audience, when, c.until_ms);
	return c.audience;
}
