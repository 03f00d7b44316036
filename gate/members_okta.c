/* A group of Okta. A person is the one user whose e-mail address is the person's id, and
 * ACTIVE both where people and where the group's members are listed. */
#include "gate/members.h"

#include <strings.h>

#include "api/okta/okta.h"

enum {
	MEMBERS_MAX = 20000, /* of the group; a larger one is nobody's team */
	USERS_MAX = 1000,    /* with the addresses of a batch */
};

static const char scopes[] = "okta.users.read okta.groups.read";
static const char active[] = "ACTIVE";

struct group {
	struct okta *okta;
	const char *id; /* borrowed from the settings */
};

static void close_okta(void *self)
{
	struct group *g = self;

	okta_close(g->okta);
	free(g);
}

static void *open_okta(const struct statedir *dir, const struct settings *settings,
		       struct error *err)
{
	const json_t *config = settings->membership.config;
	_cleanup_free_ struct group *g = calloc(1, sizeof *g);

	if (!g) {
		error_oom(err);
		return NULL;
	}
	g->id = json_get_string(config, "group");
	if (!g->id) {
		error_set(err, ERR_INTERNAL, "membership.okta names no group");
		return NULL;
	}
	g->okta = okta_open(dir, json_object_get(config, "api"), scopes, err);
	return g->okta ? TAKE(g) : NULL;
}

/* --- the group --- */

static bool on_member(void *context, const struct okta_user *user, struct error *err)
{
	json_t *members = context;

	if (strcmp(user->status, active) != 0)
		return true;
	if (json_object_size(members) >= MEMBERS_MAX)
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 "the team's group in Okta has more than %d members",
				 MEMBERS_MAX);
	return json_object_set_new(members, user->id, json_true()) == 0 || error_oom(err);
}

/* --- people --- */

struct batch {
	const char *ids[OKTA_EMAILS_MAX];
	size_t users[OKTA_EMAILS_MAX]; /* how many have this address */
	bool is_member[OKTA_EMAILS_MAX];
	size_t count, seen;
	const json_t *members;
};

static bool on_user(void *context, const struct okta_user *user, struct error *err)
{
	struct batch *b = context;

	if (++b->seen > USERS_MAX)
		return error_set(
			err, ERR_BACKEND_UNAVAILABLE,
			"Okta gives more than %d users with the team's addresses",
			USERS_MAX);
	for (size_t i = 0; i < b->count; i++) {
		if (strcasecmp(user->email, b->ids[i]) != 0)
			continue;
		b->users[i]++;
		b->is_member[i] = strcmp(user->status, active) == 0 &&
				  json_object_get(b->members, user->id);
	}
	return true;
}

static bool look_batch(const struct group *g, struct batch *b,
		       const struct rest_patience *patience, json_t *found,
		       struct error *err)
{
	if (!okta_each_user_by_emails(g->okta, b->ids, b->count, patience, on_user, b,
				      err))
		return false;
	for (size_t i = 0; i < b->count; i++)
		if (b->users[i] == 1 && b->is_member[i] &&
		    json_array_append_new(found, json_string(b->ids[i])) != 0)
			return error_oom(err);
	return true;
}

static bool look_okta(void *self, const json_t *ids, const struct rest_patience *patience,
		      json_t *found, struct error *err)
{
	const struct group *g = self;
	json_auto_t *members = json_object();
	size_t i = 0, count = json_array_size(ids);

	if (!members)
		return error_oom(err);
	if (!okta_each_member(g->okta, g->id, patience, on_member, members, err))
		return false;
	while (i < count) {
		struct batch b = { .members = members };

		for (; i < count && b.count < OKTA_EMAILS_MAX; i++) {
			const char *id = json_string_value(json_array_get(ids, i));

			if (id && *id)
				b.ids[b.count++] = id;
		}
		if (b.count > 0 && !look_batch(g, &b, patience, found, err))
			return false;
	}
	return true;
}

const struct members_kind members_okta = {
	.open = open_okta,
	.close = close_okta,
	.look = look_okta,
};
