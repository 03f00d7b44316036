/* Okta: users of every status, their groups; afterwards what changed. */
#include <string.h>

#include "api/okta/okta.h"
#include "servers/people/source.h"
#include "servers/people/source_rules.h"

enum { READ_MS = 60 * 60 * 1000, MEMBERSHIPS_MAX = 2000000, GROUPS_MAX = 20000 };

static const char SCOPES[] = "okta.users.read okta.groups.read";

struct okta_source {
	struct okta *okta;
	json_t *config; /* keeps the texts of 'rules' alive */
	struct source_rules rules;
	bool with_groups;
};

static void close_okta(void *self)
{
	struct okta_source *s = self;

	okta_close(s->okta);
	json_decref(s->config);
	free(s);
}

static void *open_okta(const struct statedir *dir, const json_t *config,
		       struct error *err)
{
	struct okta_source *s = calloc(1, sizeof *s);

	if (!s) {
		error_oom(err);
		return NULL;
	}
	s->config = json_deep_copy(config);
	source_rules_read(&s->rules, s->config, "employeeNumber", "userType");
	s->with_groups = !json_is_false(json_object_get(s->config, "groups"));
	s->okta = okta_open(dir, json_object_get(s->config, "api"), SCOPES, err);
	if (s->okta)
		return s;
	close_okta(s);
	return NULL;
}

/* ---- Groups ------------------------------------------------------------------------- */

struct membership {
	char user[40];
	uint32_t group;
};

/* Who is in which, by group, as Okta lists it; sorted by user afterwards. */
struct groups {
	char **names;
	size_t name_count;
	char (*ids)[40];
	struct membership *items;
	size_t count, capacity;
};

static void groups_done(struct groups *g)
{
	for (size_t i = 0; i < g->name_count; i++)
		free(g->names[i]);
	free(g->names);
	free(g->ids);
	free(g->items);
}

/* Everybody is in a built-in one. */
static bool on_group(void *context, const struct okta_group *group, struct error *err)
{
	struct groups *g = context;

	if (strcmp(group->type, "BUILT_IN") == 0 || strlen(group->id) >= sizeof *g->ids)
		return true;
	if (g->name_count == GROUPS_MAX)
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 "Okta has more than %d groups", GROUPS_MAX);
	if (g->name_count % 64 == 0) {
		char **names = reallocarray(g->names, g->name_count + 64, sizeof *names);
		char(*ids)[40] =
			names ? reallocarray(g->ids, g->name_count + 64, sizeof *ids)
			      : NULL;

		if (names)
			g->names = names;
		if (!ids)
			return error_oom(err);
		g->ids = ids;
	}
	(void)snprintf(g->ids[g->name_count], sizeof *g->ids, "%s", group->id);
	g->names[g->name_count] = strdup(group->name);
	return g->names[g->name_count++] != NULL || error_oom(err);
}

static bool on_member(void *context, const struct okta_user *user, struct error *err)
{
	struct groups *g = context;

	if (strlen(user->id) >= sizeof g->items->user)
		return true;
	if (g->count == MEMBERSHIPS_MAX)
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 "Okta's groups have more than %d members: see 'groups' "
				 "of the configuration",
				 MEMBERSHIPS_MAX);
	if (g->count == g->capacity) {
		size_t wanted = g->capacity ? g->capacity * 2 : 1024;
		struct membership *grown = reallocarray(g->items, wanted, sizeof *grown);

		if (!grown)
			return error_oom(err);
		g->items = grown;
		g->capacity = wanted;
	}
	/* The group that is being read is the last but those that follow: see read_groups. */
	(void)snprintf(g->items[g->count].user, sizeof g->items->user, "%s", user->id);
	g->items[g->count++].group = UINT32_MAX;
	return true;
}

static int by_user(const void *a, const void *b)
{
	return strcmp(((const struct membership *)a)->user,
		      ((const struct membership *)b)->user);
}

static bool read_groups(struct okta_source *s, const struct rest_patience *patience,
			struct groups *g, struct error *err)
{
	if (!s->with_groups)
		return true;
	if (!okta_each_group(s->okta, patience, on_group, g, err))
		return false;
	for (size_t i = 0; i < g->name_count; i++) {
		const size_t before = g->count;

		if (!okta_each_member(s->okta, g->ids[i], patience, on_member, g, err))
			return false;
		for (size_t k = before; k < g->count; k++)
			g->items[k].group = (uint32_t)i;
	}
	if (g->count > 1)
		qsort(g->items, g->count, sizeof *g->items, by_user);
	return true;
}

static void add_groups(const struct groups *g, struct account *a, const char *user)
{
	size_t low = 0, high = g->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(g->items[middle].user, user) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < g->count && strcmp(g->items[low].user, user) == 0; low++)
		account_add(a, ACCOUNT_GROUP, g->names[g->items[low].group]);
}

/* ---- Users -------------------------------------------------------------------------- */

struct walk {
	struct okta_source *source;
	struct source_read *read;
	struct rest_patience patience;
	struct groups groups; /* of all; empty when each is asked for */
	struct account account;
	char newest[SOURCE_CURSOR_BYTES];
};

static bool add_group(void *context, const struct okta_group *group, struct error *err)
{
	(void)err;
	if (strcmp(group->type, "BUILT_IN") != 0)
		account_add(context, ACCOUNT_GROUP, group->name);
	return true;
}

static bool fill_groups(struct walk *w, const struct okta_user *u, struct error *err)
{
	if (!w->source->with_groups || strcmp(u->status, "DEPROVISIONED") == 0)
		return true;
	if (!w->read->is_full)
		return okta_each_group_of_user(w->source->okta, u->id, &w->patience,
					       add_group, &w->account, err);
	add_groups(&w->groups, &w->account, u->id);
	return true;
}

static bool on_user(void *context, const struct okta_user *u, struct error *err)
{
	struct walk *w = context;
	const struct source_rules *rules = &w->source->rules;
	struct account *a = &w->account;
	char name[ACCOUNT_NAME_MAX + 1];

	account_begin(a, SYSTEM_OKTA);
	account_set_key(a, u->id);
	account_add(a, ACCOUNT_ID, u->id);
	account_add(a, ACCOUNT_LOGIN, u->login);
	account_add(a, ACCOUNT_MAIL, u->email);
	account_add(a, ACCOUNT_OTHER_MAIL, json_get_string(u->profile, "secondEmail"));
	account_add(a, ACCOUNT_NAME, u->display_name);
	if (*u->first_name && *u->last_name &&
	    snprintf(name, sizeof name, "%s %s", u->first_name, u->last_name) <
		    (int)sizeof name)
		account_add(a, ACCOUNT_NAME, name);
	account_add(a, ACCOUNT_GIVEN, u->first_name);
	account_add(a, ACCOUNT_SURNAME, u->last_name);
	account_add(a, ACCOUNT_NICKNAME, json_get_string(u->profile, "nickName"));
	account_add(a, ACCOUNT_STATUS, u->status);
	account_add(a, ACCOUNT_NUMBER, json_get_string(u->profile, rules->number));
	source_rules_kind(rules, a, json_get_string(u->profile, rules->kind));
	for (size_t i = 0; i < SYSTEM_COUNT; i++)
		if (rules->claims[i])
			source_rules_claim(a, (enum people_system)i,
					   json_get_string(u->profile, rules->claims[i]));
	if (strcmp(u->status, "DEPROVISIONED") == 0)
		account_add(a, ACCOUNT_CLOSED, "1");
	if (strcmp(u->status, "SUSPENDED") == 0)
		account_add(a, ACCOUNT_SUSPENDED, "1");
	if (u->last_updated && strcmp(u->last_updated, w->newest) > 0)
		(void)snprintf(w->newest, sizeof w->newest, "%s", u->last_updated);
	return fill_groups(w, u, err) && account_finish(a, err) &&
	       w->read->sink.put(w->read->sink.context, a, err);
}

static bool read_users(struct walk *w, struct error *err)
{
	struct okta *okta = w->source->okta;

	if (!w->read->is_full)
		return okta_each_user(okta, w->read->cursor, &w->patience, on_user, w,
				      err);
	return read_groups(w->source, &w->patience, &w->groups, err) &&
	       okta_each_user(okta, NULL, &w->patience, on_user, w, err) &&
	       okta_each_user_of_status(okta, "DEPROVISIONED", &w->patience, on_user, w,
					err);
}

static bool read_okta(void *self, struct source_read *read, struct error *err)
{
	struct walk w = { .source = self,
			  .read = read,
			  .patience = rest_patience(READ_MS),
			  .account = ACCOUNT_INIT };
	bool ok;

	if (!read->is_full && !*read->cursor) {
		read->wants_full = true;
		return true;
	}
	w.patience.cancel = read->stopping;
	(void)snprintf(w.newest, sizeof w.newest, "%s", read->cursor);
	ok = read_users(&w, err);
	if (ok)
		(void)snprintf(read->cursor, sizeof read->cursor, "%s", w.newest);
	account_done(&w.account);
	groups_done(&w.groups);
	return ok;
}

const struct source_kind source_okta = {
	.name = "okta",
	.has_changes = true,
	.open = open_okta,
	.close = close_okta,
	.read = read_okta,
};
