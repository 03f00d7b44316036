/*
 * Whether everybody whose word a grant rests on is in the team's group, asked of whoever
 * has that by the caller, with a credential of the gate's own, for this grant.
 *
 * Without an answer nothing is signed: it is asked again until the approval lapses.
 */
#include "gate/keeper.h"

#include "guard/grant.h"

enum {
	FRESH_MS = 20 * 1000, /* since it was asked */
	WAIT_MS = 15 * 1000,  /* the caller gives up before */
	PERSONS_MAX = GRANT_APPROVERS_MAX + 1,
	USERS_MAX = 16 * PERSONS_MAX,
};

/* Who asked, and who said yes. */
static size_t persons_of(const struct approval *a, const char *persons[PERSONS_MAX])
{
	size_t count = 0, i;
	json_t *d;

	persons[count] = json_get_string(a->body, "requester");
	count += persons[count] != NULL;
	json_array_foreach(json_object_get(a->body, "decisions"), i, d)
	{
		const char *what = json_get_string(d, "decision");
		const char *by = json_get_string(d, "by");

		if (by && what && strcmp(what, "approve") == 0 && count < PERSONS_MAX)
			persons[count++] = by;
	}
	return count;
}

/* What a person is called there. New array, NULL without memory. */
static json_t *ids_of(const struct keeper *k, const char *person)
{
	const json_t *ids;

	if (membership_has_door(&k->settings->membership))
		return json_pack("[s]", person);
	ids = policy_slack_of(k->policy, person);
	return ids ? json_copy((json_t *)(uintptr_t)ids) : json_array();
}

static json_t *users_of(const struct keeper *k, const struct approval *a,
			struct error *err)
{
	const char *persons[PERSONS_MAX];
	size_t count = persons_of(a, persons);
	json_auto_t *users = json_array();

	for (size_t i = 0; users && i < count; i++) {
		json_auto_t *ids = ids_of(k, persons[i]);

		if (!ids || json_array_extend(users, ids) != 0) {
			error_oom(err);
			return NULL;
		}
	}
	if (!users || json_array_size(users) > USERS_MAX) {
		error_set(err, ERR_INTERNAL, "too many people to ask for");
		return NULL;
	}
	return TAKE(users);
}

static bool ask(struct keeper *k, struct approval *a, struct error *err)
{
	json_auto_t *users = users_of(k, a, err);
	json_auto_t *message = NULL;

	if (!users)
		return false;
	message = json_pack("{s:s, s:s, s:O}", "m", message_name(MSG_MEMBERS), "approval",
			    a->id, "users", users);
	if (!message)
		return error_oom(err);
	if (!k->caller || !channel_send(k->caller, message))
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 "the gate's caller is not there");
	a->members_asked_ms = k->now_ms;
	a->members_waiting = true;
	json_decref(a->members);
	a->members = NULL;
	return true;
}

static bool names(const json_t *list, const json_t *id)
{
	size_t i;
	json_t *one;

	json_array_foreach(list, i, one)
	{
		if (json_is_string(one) && json_equal(one, id))
			return true;
	}
	return false;
}

static bool is_member(const struct keeper *k, const struct approval *a,
		      const char *person)
{
	json_auto_t *ids = ids_of(k, person);
	size_t i;
	json_t *id;

	json_array_foreach(ids, i, id)
	{
		if (names(a->members, id))
			return true;
	}
	return false;
}

static enum keeper_membership judge(const struct keeper *k, const struct approval *a,
				    struct error *err)
{
	const char *persons[PERSONS_MAX];
	size_t count = persons_of(a, persons);

	for (size_t i = 0; i < count; i++)
		if (!is_member(k, a, persons[i])) {
			error_set(err, ERR_PERMISSION_DENIED,
				  "'%s' is not in the team's %s in %s", persons[i],
				  k->settings->slack.usergroup[0] ? "user group"
								  : "group",
				  membership_name(&k->settings->membership));
			return KEEPER_MEMBERS_NOT;
		}
	return KEEPER_MEMBERS;
}

enum keeper_membership keeper_members_judge(struct keeper *k, struct approval *a,
					    struct error *err)
{
	int64_t age_ms = k->now_ms - a->members_asked_ms;

	/* Nobody decides on a freed read. */
	if (k->settings->membership.kind == MEMBERSHIP_NONE || keeper_is_free(a))
		return KEEPER_MEMBERS;
	if (a->members && age_ms >= 0 && age_ms <= FRESH_MS)
		return judge(k, a, err);
	if (!(a->members_waiting && age_ms >= 0 && age_ms <= WAIT_MS) && !ask(k, a, err))
		return KEEPER_MEMBERS_LATER;
	error_set(err, ERR_TIMEOUT, "%s is being asked who is in the team's group",
		  membership_name(&k->settings->membership));
	return KEEPER_MEMBERS_LATER;
}

/* What it says is younger than what the door knows. */
static void tell_door(struct keeper *k, const struct approval *a)
{
	const char *persons[PERSONS_MAX];
	size_t count = persons_of(a, persons);

	for (size_t i = 0; i < count; i++)
		keeper_door_learn(k, persons[i], is_member(k, a, persons[i]));
}

/* A late answer to a question that was asked again may be taken for the later one's: it
 * is as true, but for the seconds between. */
bool keeper_on_membered(struct keeper *k, const struct fields *f, struct error *err)
{
	struct approval *a = f->approval ? keeper_find(k, f->approval) : NULL;
	const char *why = json_get_string(f->error, "message");

	if (!f->users == !f->error || !f->approval == !f->request)
		return error_set(err, ERR_INTERNAL,
				 "the caller says who is a member, or that it failed, "
				 "and of what question");
	if (!f->approval)
		keeper_door_answer(k, f);
	if (!a || !a->members_waiting)
		return true;
	a->members_waiting = false;
	if (f->error) {
		log_warn("members.unknown", LOG_STR("approval", a->id),
			 LOG_STR("why", why ? why : "?"));
		return true;
	}
	a->members = json_incref(f->users);
	tell_door(k, a);
	if (a->state != RECORD_APPROVED)
		return true;
	a->next_ms = 0;
	/* A direct client comes for it; of several, its turn comes. */
	if (!keeper_is_direct(a) && !keeper_is_part(a))
		keeper_claim(k, a);
	return true;
}
