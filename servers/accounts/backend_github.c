#include "servers/accounts/backend_github.h"

#include <strings.h>

#include "api/github/github.h"
#include "servers/accounts/github_member.h"
#include "servers/accounts/vendor.h"

#define SUSPENDED "suspended"
#define REASON    "Blocked by Wingman after an approval"

enum { ID_DIGITS_MAX = 18 };

struct github_system {
	struct github *github;
	json_t *config; /* 'teams' is within it */
	const json_t *teams;
	bool has_credentials;
};

/* ---- Users become accounts -------------------------------------------------------- */

static bool make_account(struct github_system *s, const struct github_user *u,
			 const struct github_membership *m, const char *mail,
			 struct account *ret, struct error *err)
{
	char id[24];
	const struct vendor_names names = { .id = id,
					    .identifier = u->login,
					    .uid = u->login,
					    .name = u->name,
					    .mail = mail };
	const char *detail = m->state == GITHUB_NONE      ? "not in the organisation"
			     : m->state == GITHUB_PENDING ? "invited, not accepted yet"
							  : "";

	(void)snprintf(id, sizeof id, "%lld", (long long)u->id);
	ret->obeyed = true;
	ret->state = m->state == GITHUB_NONE ? ACCOUNT_ABSENT : ACCOUNT_ACTIVE;
	if (github_is_server(s->github) && u->suspended) {
		ret->state = ACCOUNT_BLOCKED;
		(void)snprintf(ret->lock, sizeof ret->lock, SUSPENDED);
	} else if (!github_is_server(s->github) && m->state == GITHUB_NONE) {
		(void)snprintf(ret->lock, sizeof ret->lock, GITHUB_MEMBER_NONE);
	}
	ret->permanent = *ret->lock != '\0';
	return vendor_account(ret, &names, detail, err);
}

/* Nobody is no error. */
static bool or_nobody(struct error *err)
{
	if (err->code != ERR_NOT_FOUND)
		return false;
	error_clear(err);
	return true;
}

/* By login, if it is this id (0: any). Who does not belong here is nobody, unless asked
 * for by id: then it is somebody we know. */
static bool add_user(struct github_system *s, const char *login, int64_t id,
		     const char *mail, struct account_list *list, struct error *err)
{
	const struct rest_patience p = rest_patience(VENDOR_READ_MS);
	struct github_membership m = { 0 };
	json_auto_t *json = NULL;
	struct github_user user = { 0 };
	struct account *a;

	if (!github_is_login(login))
		return true;
	if (!github_get_user(s->github, login, &p, &json, &user, err))
		return or_nobody(err);
	if ((id != 0 && user.id != id) ||
	    !github_get_membership(s->github, login, &p, &m, err))
		return !error_is_set(err);
	if ((id == 0 && m.state == GITHUB_NONE) ||
	    (m.user_id != 0 && m.user_id != user.id))
		return true;
	a = account_list_add(list);
	return a ? make_account(s, &user, &m, mail, a, err) : error_oom(err);
}

/* ---- By e-mail -------------------------------------------------------------------- */

struct mail_search {
	const char *mail;
	json_t *logins; /* a set: login -> id */
};

static bool note(const struct mail_search *search, const char *login, int64_t id,
		 struct error *err)
{
	return json_object_set_new(search->logins, login, json_integer(id)) == 0 ||
	       error_oom(err);
}

static bool match_identity(void *context, const struct github_identity *i,
			   struct error *err)
{
	const struct mail_search *search = context;

	if (i->id == 0 || (strcasecmp(i->name_id, search->mail) != 0 &&
			   strcasecmp(i->username, search->mail) != 0))
		return true;
	return note(search, i->login, i->id, err);
}

static bool match_member(void *context, const struct github_member *m, struct error *err)
{
	const struct mail_search *search = context;

	for (size_t i = 0; i < json_array_size(m->verified); i++) {
		const char *mail = json_string_value(json_array_get(m->verified, i));
		if (mail && strcasecmp(mail, search->mail) == 0)
			return note(search, m->login, m->id, err);
	}
	return true;
}

static bool add_by_mail(struct github_system *s, const char *mail,
			struct account_list *list, struct error *err)
{
	const struct rest_patience p = rest_patience(VENDOR_APPLY_MS);
	json_auto_t *logins = json_object();
	struct mail_search search = { mail, logins };
	const char *login;
	bool has_saml = false;
	json_t *id;

	if (!logins)
		return error_oom(err);
	if (!github_each_identity(s->github, &p, match_identity, &search, &has_saml,
				  err) ||
	    (json_object_size(logins) == 0 &&
	     !github_each_profile(s->github, &p, match_member, &search, err)))
		return false;
	json_object_foreach(logins, login, id)
	{
		if (!add_user(s, login, json_integer_value(id), mail, list, err))
			return false;
	}
	return true;
}

static bool github_lookup(void *self, enum account_key key, const char *value,
			  int64_t now_ms, struct account_list *ret, struct error *err)
{
	(void)now_ms;
	switch (key) {
	case ACCOUNT_BY_MAIL:
		return add_by_mail(self, value, ret, err);
	case ACCOUNT_BY_UID:
	case ACCOUNT_BY_IDENTIFIER:
		return add_user(self, value, 0, "", ret, err);
	case ACCOUNT_BY_NAME:
		break; /* anybody may call himself anything */
	}
	return true;
}

static bool read_id(const char *text, int64_t *ret)
{
	const size_t digits = strspn(text, "0123456789");

	*ret = digits > 0 && digits <= ID_DIGITS_MAX && text[digits] == '\0'
		       ? strtoll(text, NULL, 10)
		       : 0;
	return *ret > 0;
}

static bool github_read(void *self, const char *identifier, const char *id,
			int64_t now_ms, struct account *ret, bool *ret_found,
			struct error *err)
{
	_cleanup_(account_list_done) struct account_list list = ACCOUNT_LIST_INIT;
	int64_t number;

	(void)now_ms;
	*ret_found = false;
	if (!read_id(id, &number))
		return true;
	if (!add_user(self, identifier, number, "", &list, err))
		return false;
	*ret_found = list.count == 1;
	if (*ret_found) {
		*ret = list.items[0];
		list.count = 0; /* given away */
	}
	return true;
}

static bool github_is_protected(void *self, const struct account *account,
				bool *ret_protected, struct strbuf *why,
				struct error *err)
{
	const struct rest_patience p = rest_patience(VENDOR_READ_MS);
	struct github_system *s = self;
	struct github_membership m = { 0 };

	*ret_protected = false;
	if (!github_get_membership(s->github, account->identifier, &p, &m, err))
		return false;
	if (strcmp(m.role, "admin") == 0) {
		strbuf_add_string(why, "owner of the GitHub organisation");
		*ret_protected = true;
	}
	for (size_t i = 0; !*ret_protected && i < json_array_size(s->teams); i++) {
		const char *slug = json_string_value(json_array_get(s->teams, i));
		if (!github_get_team_membership(s->github, slug, account->identifier, &p,
						&m, err))
			return false;
		if (m.state == GITHUB_NONE)
			continue;
		strbuf_add_format(why, "member of the team '%s' in GitHub", slug);
		*ret_protected = true;
	}
	return strbuf_ok(why) || error_oom(err);
}

/* ---- Plans ------------------------------------------------------------------------ */

static const char *github_notion(void *self, enum account_facet facet)
{
	const struct github_system *s = self;
	const bool is_server = github_is_server(s->github);

	switch (facet) {
	case FACET_SIGN_IN:
		return is_server ? NULL
				 : "accounts of github.com belong to people: an "
				   "organisation can only take the membership away";
	case FACET_SESSIONS:
		return "GitHub has no way to end sessions: what is open is of no use to "
		       "the organisation once the member is out or suspended";
	case FACET_TOKENS:
		return s->has_credentials
			       ? NULL
			       : "tokens and keys of the member stay, and are of no use "
				 "to "
				 "the organisation once the member is out or suspended";
	case FACET_MEMBERSHIPS:
		return is_server ? "the membership stays: who is suspended cannot use it"
				 : NULL;
	case FACET_COUNT:
		break;
	}
	return NULL;
}

static bool set_suspension(struct facet_step *step, const char *expect, const char *set,
			   struct error *err)
{
	step->act = true;
	step->reversible = true;
	step->sets_lock = true;
	(void)snprintf(step->lock, sizeof step->lock, "%s", set);
	step->change = json_pack("{s:s, s:s}", "expect", expect, "set", set);
	return step->change || error_oom(err);
}

static bool plan_suspension(const struct account *a, struct facet_step *ret,
			    struct error *err)
{
	if (!facet_step_words(ret, *a->lock ? a->lock : "active", SUSPENDED, err))
		return false;
	if (*a->lock)
		return true;
	ret->snapshot = json_pack("{s:s}", "lock", "");
	return ret->snapshot ? set_suspension(ret, "", SUSPENDED, err) : error_oom(err);
}

static bool plan_credentials(struct facet_step *ret, struct error *err)
{
	ret->act = true;
	ret->change = json_pack("{s:s}", "end", "all");
	return ret->change ? facet_step_words(ret,
					      "tokens and keys authorised for single "
					      "sign-on",
					      "not authorised", err) &&
				     facet_step_warn(
					     ret, err,
					     "the person has to authorise each again, "
					     "or make new ones")
			   : error_oom(err);
}

static bool github_plan_block(void *self, enum account_facet facet,
			      const struct account *a, int64_t now_ms,
			      struct facet_step *ret, struct error *err)
{
	struct github_system *s = self;

	(void)now_ms;
	switch (facet) {
	case FACET_SIGN_IN:
		return plan_suspension(a, ret, err);
	case FACET_TOKENS:
		return plan_credentials(ret, err);
	case FACET_MEMBERSHIPS:
		return github_member_plan_block(s->github, a->identifier, ret, err);
	case FACET_SESSIONS:
	case FACET_COUNT:
		break;
	}
	return error_set(err, ERR_INTERNAL, "GitHub has no such facet");
}

static bool github_plan_undo(void *self, enum account_facet facet,
			     const struct account *a, const json_t *snapshot,
			     int64_t now_ms, struct facet_step *ret, struct error *err)
{
	struct github_system *s = self;

	(void)now_ms;
	if (facet == FACET_MEMBERSHIPS)
		return github_member_plan_undo(s->github, a->identifier, snapshot, ret,
					       err);
	if (facet != FACET_SIGN_IN)
		return error_set(err, ERR_INTERNAL, "that is not given back in GitHub");
	if (!facet_step_words(ret, *a->lock ? a->lock : "active", "active", err))
		return false;
	if (*a->lock)
		return set_suspension(ret, a->lock, "", err);
	return !snapshot ||
	       facet_step_warn(ret, err, "the suspension was ended in GitHub meanwhile");
}

/* ---- Doing ------------------------------------------------------------------------ */

/* The account as it is, if it is still the same. */
static bool read_now(struct github_system *s, const char *identifier, const char *id,
		     struct account *ret, struct error *err)
{
	bool found = false;

	return github_read(s, identifier, id, 0, ret, &found, err) &&
	       (found || error_set(err, ERR_NOT_FOUND,
				   "GitHub has no user '%s' with this id", identifier));
}

static bool suspend_now(struct github_system *s, const struct account *now,
			const json_t *change, const struct rest_patience *p,
			struct error *err)
{
	const char *expect = json_get_string(change, "expect");
	const char *set = json_get_string(change, "set");

	if (!expect || !set)
		return error_set(err, ERR_INTERNAL, "a step for GitHub lacks its locks");
	if (strcmp(now->lock, set) == 0)
		return true;
	if (strcmp(now->lock, expect) != 0)
		return error_set(err, ERR_CONFLICT, "'%s' is not as it was",
				 now->identifier);
	return *set ? github_suspend(s->github, now->identifier, REASON, p, err)
		    : github_unsuspend(s->github, now->identifier, REASON, p, err);
}

static bool note_credential(void *context, const struct github_credential *c,
			    struct error *err)
{
	json_t *ids = context;

	return json_array_append_new(ids, json_integer((json_int_t)c->id)) == 0 ||
	       error_oom(err);
}

static bool list_credentials(struct github_system *s, const char *login,
			     const struct rest_patience *p, json_t **ret,
			     struct error *err)
{
	json_auto_t *ids = json_array();

	if (!ids)
		return error_oom(err);
	if (!github_each_credential(s->github, login, p, note_credential, ids, err))
		return false;
	*ret = TAKE(ids);
	return true;
}

static bool take_credentials(struct github_system *s, const char *login,
			     const struct rest_patience *p, struct facet_applied *ret,
			     struct error *err)
{
	json_auto_t *ids = NULL;

	if (!list_credentials(s, login, p, &ids, err))
		return false;
	for (size_t i = 0; i < json_array_size(ids); i++) {
		const json_t *id = json_array_get(ids, i);
		if (!github_remove_credential(s->github, json_integer_value(id), p,
					      err) &&
		    !or_nobody(err))
			return false;
	}
	ret->has_count = true;
	ret->count = (int64_t)json_array_size(ids);
	return true;
}

static bool github_apply(void *self, enum account_facet facet, const char *identifier,
			 const char *id, const json_t *change, struct facet_applied *ret,
			 struct error *err)
{
	const struct rest_patience p = rest_patience(VENDOR_APPLY_MS);
	_cleanup_(account_done) struct account now = { 0 };
	struct github_system *s = self;
	bool good;

	if (!read_now(s, identifier, id, &now, err))
		good = false;
	else if (facet == FACET_SIGN_IN)
		good = suspend_now(s, &now, change, &p, err);
	else if (facet == FACET_TOKENS)
		good = take_credentials(s, identifier, &p, ret, err);
	else
		good = github_member_apply(s->github, identifier, change, &p, err);
	return good || vendor_fail(github_rest(s->github), ret, err);
}

static bool github_read_back(void *self, enum account_facet facet, const char *identifier,
			     const char *id, const json_t *change, int64_t now_ms,
			     enum facet_seen *ret, struct error *err)
{
	const struct rest_patience p = rest_patience(VENDOR_READ_MS);
	_cleanup_(account_done) struct account now = { 0 };
	const char *set = json_get_string(change, "set");
	json_auto_t *ids = NULL;
	struct github_system *s = self;

	(void)now_ms;
	if (!read_now(s, identifier, id, &now, err))
		return false;
	if (facet == FACET_MEMBERSHIPS)
		return github_member_read_back(s->github, identifier, change, ret, err);
	if (facet == FACET_TOKENS) {
		if (!list_credentials(s, identifier, &p, &ids, err))
			return false;
		*ret = json_array_size(ids) == 0 ? FACET_SEEN_DONE : FACET_SEEN_NOT;
		return true;
	}
	*ret = set && strcmp(now.lock, set) == 0 ? FACET_SEEN_DONE : FACET_SEEN_NOT;
	return true;
}

/* ---- Life ------------------------------------------------------------------------- */

static bool github_ready(void *self, struct error *err)
{
	const struct rest_patience p = rest_patience(VENDOR_READ_MS);

	return github_ping(((struct github_system *)self)->github, &p, err);
}

static void system_free(struct github_system *s)
{
	if (!s)
		return;
	github_close(s->github);
	json_decref(s->config);
	free(s);
}
DEFINE_CLEANUP(struct github_system, system_free);

static void github_end(void *self)
{
	system_free(self);
}

static const struct account_backend github_backend = {
	.system = "github",
	.notion = github_notion,
	.lookup = github_lookup,
	.read = github_read,
	.is_protected = github_is_protected,
	.plan_block = github_plan_block,
	.plan_undo = github_plan_undo,
	.apply = github_apply,
	.read_back = github_read_back,
	.ready = github_ready,
	.close = github_end,
};

bool backend_github_open(const struct statedir *dir, const json_t *config,
			 struct account_system *ret, struct error *err)
{
	_cleanup_(system_freep) struct github_system *s = calloc(1, sizeof *s);
	const json_t *own, *api;

	if (!s || !(s->config = json_deep_copy(config)))
		return error_oom(err);
	own = json_object_get(s->config, "github");
	api = vendor_config(s->config, "github", "api", err);
	if (!api)
		return false;
	s->teams = json_object_get(own, "protected_teams");
	s->has_credentials = json_is_true(json_object_get(own, "credentials"));
	if (!vendor_are_texts(s->teams))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "'backend.github.protected_teams' is a list of slugs");
	s->github = github_open(dir, api, err);
	if (!s->github)
		return false;
	*ret = (struct account_system){ .backend = &github_backend, .self = TAKE(s) };
	return true;
}
