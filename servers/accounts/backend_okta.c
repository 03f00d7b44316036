#include "servers/accounts/backend_okta.h"

#include <strings.h>

#include "api/okta/okta.h"
#include "servers/accounts/vendor.h"

#define SCOPES "okta.users.read okta.users.manage okta.groups.read okta.roles.read"

struct okta_system {
	struct okta *okta;
	json_t *config; /* 'groups' is within it */
	const json_t *groups;
	bool protects_administrators;
};

/* ---- Users become accounts -------------------------------------------------------- */

static bool is_status(const char *status, const char *one)
{
	return strcmp(status, one) == 0;
}

/* Who cannot sign in, whatever he knows. */
static bool keeps_out(const char *status)
{
	return is_status(status, "SUSPENDED") || is_status(status, "DEPROVISIONED") ||
	       is_status(status, "STAGED");
}

static const char *describe(const char *status)
{
	static const struct {
		const char *status, *detail;
	} rows[] = {
		{ "LOCKED_OUT", "locked out after wrong passwords" },
		{ "PASSWORD_EXPIRED", "has to set a new password" },
		{ "RECOVERY", "is recovering the password" },
		{ "PROVISIONED", "has not set a password yet" },
		{ "STAGED", "was never activated" },
		{ "DEPROVISIONED", "deactivated in Okta" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (is_status(status, rows[i].status))
			return rows[i].detail;
	return "";
}

static bool make_account(const struct okta_user *u, struct account *ret,
			 struct error *err)
{
	_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;
	const bool active = is_status(u->status, "ACTIVE");

	if (*u->display_name)
		strbuf_add_string(&name, u->display_name);
	else
		strbuf_add_format(&name, "%s%s%s", u->first_name,
				  *u->first_name && *u->last_name ? " " : "",
				  u->last_name);
	const struct vendor_names names = { .id = u->id,
					    .identifier = u->login,
					    .uid = u->login,
					    .name = name.data,
					    .mail = u->email };
	if (strlen(u->status) >= sizeof ret->lock)
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 "Okta tells a status that is none");
	ret->state = keeps_out(u->status) ? ACCOUNT_BLOCKED : ACCOUNT_ACTIVE;
	ret->permanent = ret->state == ACCOUNT_BLOCKED;
	ret->obeyed = true;
	if (!active)
		(void)snprintf(ret->lock, sizeof ret->lock, "%s", u->status);
	return (strbuf_ok(&name) || error_oom(err)) &&
	       vendor_account(ret, &names, describe(u->status), err);
}

struct gathering {
	struct account_list *list;
	size_t max;
};

static bool gather(void *context, const struct okta_user *user, struct error *err)
{
	const struct gathering *g = context;
	struct account *a;

	if (g->list->count >= g->max) {
		g->list->more = true;
		return true;
	}
	a = account_list_add(g->list);
	return a ? make_account(user, a, err) : error_oom(err);
}

/* By login or id; nobody is no error. */
static bool add_user(struct okta_system *s, const char *who, struct account_list *list,
		     struct error *err)
{
	const struct rest_patience p = rest_patience(VENDOR_READ_MS);
	struct gathering g = { list, ACCOUNT_MATCHES_MAX };
	json_auto_t *json = NULL;
	struct okta_user user = { 0 };

	if (okta_get_user(s->okta, who, &p, &json, &user, err))
		return gather(&g, &user, err);
	if (err->code != ERR_NOT_FOUND)
		return false;
	error_clear(err);
	return true;
}

static bool okta_lookup(void *self, enum account_key key, const char *value,
			int64_t now_ms, struct account_list *ret, struct error *err)
{
	const struct rest_patience p = rest_patience(VENDOR_READ_MS);
	struct gathering g = { ret, ACCOUNT_MATCHES_MAX };
	struct okta_system *s = self;

	(void)now_ms;
	switch (key) {
	case ACCOUNT_BY_MAIL:
		return okta_each_user_by_email(s->okta, value, &p, gather, &g, err);
	case ACCOUNT_BY_UID:
	case ACCOUNT_BY_IDENTIFIER:
		return add_user(s, value, ret, err);
	case ACCOUNT_BY_NAME:
		break; /* Okta searches names by their beginnings, late: never for this */
	}
	return true;
}

static bool okta_read(void *self, const char *identifier, const char *id, int64_t now_ms,
		      struct account *ret, bool *ret_found, struct error *err)
{
	_cleanup_(account_list_done) struct account_list list = ACCOUNT_LIST_INIT;

	(void)now_ms;
	if (!add_user(self, id, &list, err))
		return false;
	*ret_found = list.count == 1 && strcmp(list.items[0].id, id) == 0 &&
		     strcasecmp(list.items[0].identifier, identifier) == 0;
	if (*ret_found) {
		*ret = list.items[0];
		list.count = 0; /* given away */
	}
	return true;
}

static bool okta_list_blocked(void *self, int64_t now_ms, struct account_list *ret,
			      struct error *err)
{
	const struct rest_patience p = rest_patience(VENDOR_APPLY_MS);
	struct gathering g = { ret, ACCOUNT_LIST_MAX };
	struct okta_system *s = self;

	(void)now_ms;
	return okta_each_user_of_status(s->okta, "SUSPENDED", &p, gather, &g, err);
}

/* ---- Protection ------------------------------------------------------------------- */

struct search {
	const json_t *groups;
	struct strbuf *why;
	bool found;
};

static bool check_group(void *context, const struct okta_group *group, struct error *err)
{
	struct search *search = context;

	(void)err;
	if (!search->found && vendor_is_listed(search->groups, group->id)) {
		strbuf_add_format(search->why, "member of the group '%s' in Okta",
				  group->name);
		search->found = true;
	}
	return true;
}

static bool check_role(void *context, const char *type, struct error *err)
{
	struct search *search = context;

	(void)err;
	if (!search->found && strcmp(type, "SUPER_ADMIN") == 0) {
		strbuf_add_string(search->why, "super administrator of Okta");
		search->found = true;
	}
	return true;
}

static bool okta_is_protected(void *self, const struct account *account,
			      bool *ret_protected, struct strbuf *why, struct error *err)
{
	const struct rest_patience p = rest_patience(VENDOR_READ_MS);
	struct okta_system *s = self;
	struct search search = { .groups = s->groups, .why = why };

	if (s->protects_administrators &&
	    !okta_each_role_of_user(s->okta, account->id, &p, check_role, &search, err))
		return false;
	if (!search.found && json_array_size(s->groups) > 0 &&
	    !okta_each_group_of_user(s->okta, account->id, &p, check_group, &search, err))
		return false;
	*ret_protected = search.found;
	return strbuf_ok(why) || error_oom(err);
}

/* ---- Plans ------------------------------------------------------------------------ */

static const char *okta_notion(void *self, enum account_facet facet)
{
	(void)self;
	return facet == FACET_MEMBERSHIPS
		       ? "groups and applications stay as they are: nobody can use them "
			 "without signing in"
		       : NULL;
}

static const char *status_of(const struct account *a)
{
	return *a->lock ? a->lock : "ACTIVE";
}

static bool set_change(struct facet_step *step, const char *expect, const char *set,
		       struct error *err)
{
	step->act = true;
	step->reversible = true;
	step->sets_lock = true;
	(void)snprintf(step->lock, sizeof step->lock, "%s",
		       is_status(set, "ACTIVE") ? "" : set);
	step->change = json_pack("{s:s, s:s}", "expect", expect, "set", set);
	return step->change || error_oom(err);
}

static bool plan_suspension(const struct account *a, struct facet_step *ret,
			    struct error *err)
{
	const char *status = status_of(a);

	if (keeps_out(status))
		return facet_step_words(ret, status, status, err);
	if (!facet_step_words(ret, status, "SUSPENDED", err))
		return false;
	if (!is_status(status, "ACTIVE"))
		return facet_step_refuse(
			ret, err,
			"status %s cannot be suspended, Okta suspends who is ACTIVE; end "
			"the sessions, and have an administrator deactivate the user",
			status);
	ret->snapshot = json_pack("{s:s}", "status", status);
	return ret->snapshot ? set_change(ret, status, "SUSPENDED", err) : error_oom(err);
}

static bool plan_ending(const struct account *a, const char *from, const char *to,
			const char *warning, struct facet_step *ret, struct error *err)
{
	(void)a;
	ret->act = true;
	ret->change = json_pack("{s:s}", "end", "all");
	return ret->change ? facet_step_words(ret, from, to, err) &&
				     facet_step_warn(ret, err, "%s", warning)
			   : error_oom(err);
}

static bool okta_plan_block(void *self, enum account_facet facet, const struct account *a,
			    int64_t now_ms, struct facet_step *ret, struct error *err)
{
	(void)self, (void)now_ms;
	switch (facet) {
	case FACET_SIGN_IN:
		return plan_suspension(a, ret, err);
	case FACET_SESSIONS:
		return plan_ending(a, "open at Okta", "ended",
				   "sessions within applications go on until they end "
				   "there; remembered devices are forgotten, and nothing "
				   "of this comes back",
				   ret, err);
	case FACET_TOKENS:
		return plan_ending(a, "tokens and grants of applications", "revoked",
				   "what was revoked does not come back; tokens that a "
				   "service checks by itself are good until they end",
				   ret, err);
	case FACET_MEMBERSHIPS:
	case FACET_COUNT:
		break;
	}
	return error_set(err, ERR_INTERNAL, "Okta has no such facet");
}

static bool okta_plan_undo(void *self, enum account_facet facet, const struct account *a,
			   const json_t *snapshot, int64_t now_ms, struct facet_step *ret,
			   struct error *err)
{
	const char *status = status_of(a);
	const char *before = snapshot ? json_get_string(snapshot, "status") : "ACTIVE";

	(void)self, (void)now_ms;
	if (facet != FACET_SIGN_IN || !before || !is_status(before, "ACTIVE"))
		return error_set(err, ERR_INTERNAL,
				 "the record of the block in Okta is none");
	if (!facet_step_words(ret, status,
			      is_status(status, "SUSPENDED") ? "ACTIVE" : status, err))
		return false;
	if (is_status(status, "SUSPENDED"))
		return set_change(ret, status, "ACTIVE", err);
	if (!snapshot && !is_status(status, "ACTIVE"))
		return facet_step_refuse(
			ret, err,
			"status %s is no suspension: an administrator of "
			"Okta has to change it",
			status);
	return !snapshot || facet_step_warn(ret, err,
					    "the status was changed to %s in Okta "
					    "meanwhile; it stays",
					    status);
}

/* ---- Doing ------------------------------------------------------------------------ */

/* The user as he is, if it is still he. */
static bool read_now(struct okta_system *s, const char *identifier, const char *id,
		     struct account *ret, struct error *err)
{
	bool found = false;

	return okta_read(s, identifier, id, 0, ret, &found, err) &&
	       (found || error_set(err, ERR_NOT_FOUND,
				   "Okta has no user '%s' with this id", identifier));
}

static bool read_change(const json_t *change, const char **ret_expect,
			const char **ret_set, struct error *err)
{
	*ret_expect = json_get_string(change, "expect");
	*ret_set = json_get_string(change, "set");
	return (*ret_expect && *ret_set) ||
	       error_set(err, ERR_INTERNAL, "a step for Okta lacks its statuses");
}

/* The vendor compares as well: who is in another status is refused there. */
static bool set_status(struct okta_system *s, const char *identifier, const char *id,
		       const json_t *change, const struct rest_patience *p,
		       struct error *err)
{
	_cleanup_(account_done) struct account now = { 0 };
	_cleanup_(account_done) struct account after = { 0 };
	const char *expect, *set;
	struct error why = ERROR_INIT, ignored = ERROR_INIT;

	if (!read_change(change, &expect, &set, err) ||
	    !read_now(s, identifier, id, &now, err))
		return false;
	if (is_status(status_of(&now), set))
		return true;
	if (!is_status(status_of(&now), expect))
		return error_set(err, ERR_CONFLICT, "'%s' has status %s now", identifier,
				 status_of(&now));
	if (is_status(set, "SUSPENDED") ? okta_suspend(s->okta, id, p, &why)
					: okta_unsuspend(s->okta, id, p, &why))
		return true;
	/* Somebody was between us and it. */
	if (why.code == ERR_PRECONDITION_FAILED &&
	    read_now(s, identifier, id, &after, &ignored)) {
		if (is_status(status_of(&after), set))
			return true;
		if (!is_status(status_of(&after), expect))
			why.code = ERR_CONFLICT;
	}
	*err = why;
	return false;
}

struct ids {
	json_t *list;
};

static bool note_client(void *context, const struct okta_client *client,
			struct error *err)
{
	const struct ids *ids = context;

	return json_array_append_new(ids->list, json_string(client->id)) == 0 ||
	       error_oom(err);
}

static bool list_clients(struct okta_system *s, const char *id,
			 const struct rest_patience *p, json_t **ret, struct error *err)
{
	json_auto_t *list = json_array();
	struct ids ids = { list };

	if (!list)
		return error_oom(err);
	if (!okta_each_client_of_user(s->okta, id, p, note_client, &ids, err))
		return false;
	*ret = TAKE(list);
	return true;
}

static bool revoke_all(struct okta_system *s, const char *id,
		       const struct rest_patience *p, struct facet_applied *ret,
		       struct error *err)
{
	json_auto_t *clients = NULL;

	if (!list_clients(s, id, p, &clients, err))
		return false;
	for (size_t i = 0; i < json_array_size(clients); i++)
		if (!okta_revoke_tokens(s->okta, id,
					json_string_value(json_array_get(clients, i)), p,
					err))
			return false;
	if (!okta_revoke_grants(s->okta, id, p, err))
		return false;
	ret->has_count = true;
	ret->count = (int64_t)json_array_size(clients);
	return true;
}

static bool okta_apply(void *self, enum account_facet facet, const char *identifier,
		       const char *id, const json_t *change, struct facet_applied *ret,
		       struct error *err)
{
	const struct rest_patience p = rest_patience(VENDOR_APPLY_MS);
	_cleanup_(account_done) struct account now = { 0 };
	struct okta_system *s = self;
	bool good;

	if (facet == FACET_SIGN_IN)
		good = set_status(s, identifier, id, change, &p, err);
	else if (!read_now(s, identifier, id, &now, err))
		good = false;
	else if (facet == FACET_SESSIONS)
		good = okta_clear_sessions(s->okta, id, true, true, &p, err);
	else
		good = revoke_all(s, id, &p, ret, err);
	return good || vendor_fail(okta_rest(s->okta), ret, err);
}

static bool okta_read_back(void *self, enum account_facet facet, const char *identifier,
			   const char *id, const json_t *change, int64_t now_ms,
			   enum facet_seen *ret, struct error *err)
{
	const struct rest_patience p = rest_patience(VENDOR_READ_MS);
	_cleanup_(account_done) struct account now = { 0 };
	json_auto_t *clients = NULL;
	struct okta_system *s = self;
	const char *expect, *set;

	(void)now_ms;
	if (!read_now(s, identifier, id, &now, err))
		return false;
	if (facet == FACET_SESSIONS) {
		*ret = FACET_SEEN_BLIND;
		return true;
	}
	if (facet == FACET_TOKENS) {
		if (!list_clients(s, id, &p, &clients, err))
			return false;
		*ret = json_array_size(clients) == 0 ? FACET_SEEN_DONE : FACET_SEEN_NOT;
		return true;
	}
	if (!read_change(change, &expect, &set, err))
		return false;
	*ret = is_status(status_of(&now), set) ? FACET_SEEN_DONE : FACET_SEEN_NOT;
	return true;
}

/* ---- Life ------------------------------------------------------------------------- */

static bool okta_ready(void *self, struct error *err)
{
	const struct rest_patience p = rest_patience(VENDOR_READ_MS);

	return okta_ping(((struct okta_system *)self)->okta, &p, err);
}

static void system_free(struct okta_system *s)
{
	if (!s)
		return;
	okta_close(s->okta);
	json_decref(s->config);
	free(s);
}
DEFINE_CLEANUP(struct okta_system, system_free);

static void okta_end(void *self)
{
	system_free(self);
}

static const struct account_backend okta_backend = {
	.system = "okta",
	.notion = okta_notion,
	.lookup = okta_lookup,
	.read = okta_read,
	.is_protected = okta_is_protected,
	.plan_block = okta_plan_block,
	.plan_undo = okta_plan_undo,
	.apply = okta_apply,
	.read_back = okta_read_back,
	.list_blocked = okta_list_blocked,
	.ready = okta_ready,
	.close = okta_end,
};

bool backend_okta_open(const struct statedir *dir, const json_t *config,
		       struct account_system *ret, struct error *err)
{
	_cleanup_(system_freep) struct okta_system *s = calloc(1, sizeof *s);
	const json_t *own, *api;

	if (!s || !(s->config = json_deep_copy(config)))
		return error_oom(err);
	own = json_object_get(s->config, "okta");
	api = vendor_config(s->config, "okta", "api", err);
	if (!api)
		return false;
	s->groups = json_object_get(own, "protected_groups");
	s->protects_administrators =
		!json_is_false(json_object_get(own, "protect_administrators"));
	if (!vendor_are_texts(s->groups))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "'backend.okta.protected_groups' is a list of ids");
	s->okta = okta_open(dir, api, SCOPES, err);
	if (!s->okta)
		return false;
	*ret = (struct account_system){ .backend = &okta_backend, .self = TAKE(s) };
	return true;
}
