/*
 * Who is in the team's group in LDAP or Okta, for whoever comes to the door: asked for all
 * of the team again and again, and believed for a minute from the question on. What is
 * older is not known, and then nobody is in the team.
 *
 * It is the policy that is narrowed, so that every place that asks who is in the team asks
 * for this as well.
 */
#include "gate/keeper.h"

#include "base/clock.h"

enum {
	WAIT_MS = 15 * 1000, /* for an answer; the caller gives up before */
	AGAIN_MS = 5 * 1000, /* after there was none */
};

static bool has_door(const struct keeper *k)
{
	return membership_has_door(&k->settings->membership);
}

bool keeper_door_is_known(const struct keeper *k)
{
	const struct door *d = &k->door;

	return !has_door(k) ||
	       (d->members && clock_mono_ms() - d->said_ms <= MEMBERSHIP_KEPT_MS);
}

void keeper_door_mind(struct keeper *k)
{
	if (has_door(k))
		policy_narrow(k->policy, keeper_door_is_known(k) ? k->door.members : NULL,
			      membership_name(&k->settings->membership));
}

int64_t keeper_door_good_ms(const struct keeper *k)
{
	int64_t left_ms = k->door.said_ms + MEMBERSHIP_KEPT_MS - clock_mono_ms();

	if (!has_door(k))
		return MEMBERSHIP_KEPT_MS;
	return k->door.members && left_ms > 0 ? left_ms : 0;
}

void keeper_door_free(struct keeper *k)
{
	json_decref(k->door.members);
	k->door.members = NULL;
}

/* --- asking --- */

static json_t *team_json(const struct policy *p)
{
	json_auto_t *team = json_array();
	const char *person;

	for (size_t i = 0; team && (person = policy_member(p, i)); i++)
		if (json_array_append_new(team, json_string(person)) != 0)
			return NULL;
	return TAKE(team);
}

static void ask(struct keeper *k)
{
	struct door *d = &k->door;
	json_auto_t *message =
		json_pack("{s:s, s:I, s:o}", "m", message_name(MSG_MEMBERS), "request",
			  (json_int_t)d->request + 1, "users", team_json(k->policy));

	/* Without memory it is asked at the next tick. */
	if (!message || !k->caller || !channel_send(k->caller, message))
		return;
	d->request++;
	d->asked_ms = clock_mono_ms();
	d->waiting = true;
}

void keeper_door_tick(struct keeper *k)
{
	const struct door *d = &k->door;
	int64_t age_ms = clock_mono_ms() - d->asked_ms;
	int64_t wait_ms = d->waiting  ? WAIT_MS
			  : d->why[0] ? AGAIN_MS
				      : k->settings->membership.every_ms;

	if (!has_door(k))
		return;
	keeper_door_mind(k);
	if (d->request == 0 || age_ms >= wait_ms)
		ask(k);
}

/* --- what is answered --- */

static void note_unknown(struct door *d, const char *why)
{
	if (strcmp(d->why, why) != 0)
		log_warn("members.unknown", LOG_STR("for", "the door"),
			 LOG_STR("why", why));
	(void)snprintf(d->why, sizeof d->why, "%s", why);
}

static json_t *members_json(const json_t *users)
{
	json_auto_t *members = json_object();
	size_t i;
	json_t *one;

	json_array_foreach(users, i, one)
	{
		if (!members || !json_is_string(one) ||
		    json_object_set_new(members, json_string_value(one), json_true()) !=
			    0)
			return NULL;
	}
	return TAKE(members);
}

void keeper_door_answer(struct keeper *k, const struct fields *f)
{
	struct door *d = &k->door;
	const char *why = json_get_string(f->error, "message");
	json_t *members;

	/* A late answer is not taken for that of a later question. */
	if (!d->waiting || f->request != d->request)
		return;
	d->waiting = false;
	members = f->error ? NULL : members_json(f->users);
	if (!members) {
		note_unknown(d, why && *why ? why : "no answer that can be read");
		return;
	}
	if (d->why[0])
		log_info("members.known", LOG_STR("for", "the door"));
	d->why[0] = '\0';
	json_decref(d->members);
	d->members = members;
	d->said_ms = d->asked_ms;
	keeper_door_mind(k);
}

void keeper_door_learn(struct keeper *k, const char *person, bool is_member)
{
	json_t *members = k->door.members;

	if (!members)
		return;
	if (!is_member)
		(void)json_object_del(members, person);
	else if (!json_object_get(members, person))
		(void)json_object_set_new(members, person, json_true());
}

/* --- who asks how it is --- */

json_t *keeper_door_json(const struct keeper *k, bool with_why)
{
	const struct door *d = &k->door;
	bool known = keeper_door_is_known(k);
	json_auto_t *o = json_pack("{s:s, s:b}", "where",
				   membership_name(&k->settings->membership), "known",
				   known);

	if (!o ||
	    (d->members &&
	     (json_object_set_new(
		      o, "members",
		      json_integer((json_int_t)json_object_size(d->members))) != 0 ||
	      json_object_set_new(
		      o, "age_s",
		      json_integer((json_int_t)(clock_mono_ms() - d->said_ms) / 1000)) !=
		      0)) ||
	    (with_why && d->why[0] &&
	     json_object_set_new(o, "why", json_string(d->why)) != 0))
		return NULL;
	return TAKE(o);
}
