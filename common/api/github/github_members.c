/* One member: membership, teams, credentials, suspension. */
#include <string.h>
#include <strings.h>

#include "api/github/github_private.h"

enum { SLUG_MAX = 200, TEAMS_MAX = 300, REASON_MAX = 200 };

static bool is_slug(const char *text)
{
	const size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					   "abcdefghijklmnopqrstuvwxyz0123456789-_");

	return length > 0 && length <= SLUG_MAX && text[length] == '\0';
}

static bool check_slug(const char *slug, struct error *err)
{
	return is_slug(slug) ||
	       error_set(err, ERR_INVALID_ARGUMENT, "that is no team of GitHub");
}

/* ---- Membership ---- */

/* {"state":"active","role":"admin","user":{"id":1,"login":"..."}}; of a team without user. */
static bool read_membership(const json_t *body, const char *login,
			    struct github_membership *ret, struct error *err)
{
	const char *state = json_get_string(body, "state");
	const char *role = json_get_string(body, "role");
	const json_t *user = json_object_get(body, "user");
	const char *theirs = json_get_string(user, "login");
	struct github_membership m = { .user_id = json_get_int64(user, "id", 0) };

	if (!state || !role || strlen(role) >= sizeof m.role ||
	    role[strspn(role, "abcdefghijklmnopqrstuvwxyz_")] != '\0')
		return github_fail_shape("membership", err);
	if (strcmp(state, "active") == 0)
		m.state = GITHUB_ACTIVE;
	else if (strcmp(state, "pending") == 0)
		m.state = GITHUB_PENDING;
	else
		return github_fail_shape("membership", err);
	if (theirs && strcasecmp(theirs, login) != 0)
		return error_set(err, ERR_NOT_FOUND,
				 "GitHub answered about another user than was asked for");
	memcpy(m.role, role, strlen(role) + 1);
	*ret = m;
	return true;
}

/* 404 is nobody there, and so is what we have no right to see: github_ping tells apart. */
static bool nobody(const struct rest_reply *reply, struct github_membership *ret,
		   struct error *err)
{
	if (err->code != ERR_NOT_FOUND || reply->status != 404)
		return false;
	error_clear(err);
	*ret = (struct github_membership){ 0 };
	return true;
}

bool github_get_membership(struct github *g, const char *login,
			   const struct rest_patience *patience,
			   struct github_membership *ret, struct error *err)
{
	_cleanup_rest_reply_ struct rest_reply reply = REST_REPLY_INIT;

	if (!github_check_login(login, err))
		return false;
	if (!github_do(g, "read the membership", "GET", NULL, false, patience, &reply,
		       err, "/orgs/%s/memberships/%s", g->organization, login))
		return nobody(&reply, ret, err);
	return read_membership(reply.body, login, ret, err);
}

/* After a body that cannot be read it may have been done. */
static bool read_after_write(const json_t *body, const char *login,
			     struct github_membership *ret, struct error *err)
{
	struct error why = ERROR_INIT;

	if (read_membership(body, login, ret, &why))
		return true;
	error_set(err, ERR_UNKNOWN_OUTCOME, "%s", why.message);
	return error_hint(err, "it may have been done nevertheless");
}

bool github_set_membership(struct github *g, const char *login, const char *role,
			   const struct rest_patience *patience,
			   struct github_membership *ret, struct error *err)
{
	_cleanup_rest_reply_ struct rest_reply reply = REST_REPLY_INIT;
	json_auto_t *body = json_pack("{s:s}", "role", role);

	if (!body)
		return error_oom(err);
	return github_check_login(login, err) &&
	       github_do(g, "set the membership", "PUT", body, false, patience, &reply,
			 err, "/orgs/%s/memberships/%s", g->organization, login) &&
	       read_after_write(reply.body, login, ret, err);
}

bool github_remove_membership(struct github *g, const char *login,
			      enum github_state state,
			      const struct rest_patience *patience, struct error *err)
{
	_cleanup_rest_reply_ struct rest_reply reply = REST_REPLY_INIT;

	/* Both ways are the vendor's; only this one takes an invitation back. */
	return github_check_login(login, err) &&
	       github_do(g, "remove the member", "DELETE", NULL, false, patience, &reply,
			 err, "/orgs/%s/%s/%s", g->organization,
			 state == GITHUB_PENDING ? "memberships" : "members", login);
}

/* ---- Teams ---- */

bool github_get_team_id(struct github *g, const char *slug,
			const struct rest_patience *patience, int64_t *ret_id,
			struct error *err)
{
	_cleanup_rest_reply_ struct rest_reply reply = REST_REPLY_INIT;
	int64_t id;

	if (!check_slug(slug, err))
		return false;
	if (!github_do(g, "read the team", "GET", NULL, false, patience, &reply, err,
		       "/orgs/%s/teams/%s", g->organization, slug)) {
		if (err->code != ERR_NOT_FOUND || reply.status != 404)
			return false;
		error_clear(err);
		*ret_id = 0;
		return true;
	}
	id = json_get_int64(reply.body, "id", 0);
	if (id <= 0)
		return github_fail_shape("team", err);
	*ret_id = id;
	return true;
}

bool github_get_team_membership(struct github *g, const char *slug, const char *login,
				const struct rest_patience *patience,
				struct github_membership *ret, struct error *err)
{
	_cleanup_rest_reply_ struct rest_reply reply = REST_REPLY_INIT;

	if (!check_slug(slug, err) || !github_check_login(login, err))
		return false;
	if (!github_do(g, "read the team's membership", "GET", NULL, false, patience,
		       &reply, err, "/orgs/%s/teams/%s/memberships/%s", g->organization,
		       slug, login))
		return nobody(&reply, ret, err);
	return read_membership(reply.body, login, ret, err);
}

bool github_set_team_membership(struct github *g, const char *slug, const char *login,
				const char *role, const struct rest_patience *patience,
				struct github_membership *ret, struct error *err)
{
	_cleanup_rest_reply_ struct rest_reply reply = REST_REPLY_INIT;
	json_auto_t *body = json_pack("{s:s}", "role", role);

	if (!body)
		return error_oom(err);
	return check_slug(slug, err) && github_check_login(login, err) &&
	       github_do(g, "set the team's membership", "PUT", body, false, patience,
			 &reply, err, "/orgs/%s/teams/%s/memberships/%s", g->organization,
			 slug, login) &&
	       read_after_write(reply.body, login, ret, err);
}

struct team_walk {
	const char *login;
	github_team_fn *fn;
	void *context;
	struct github *g; /* by REST */
	const struct rest_patience *patience;
	size_t count;
};

static const char teams_query[] =
	"query($o:String!,$u:String!,$c:String){organization(login:$o){teams(first:50,"
	"after:$c,userLogins:[$u]){pageInfo{hasNextPage endCursor} nodes{databaseId slug "
	"name members(first:100,membership:IMMEDIATE,query:$u){edges{role node{login}}}}}"
	"}}";

static const json_t *find_teams(const json_t *data)
{
	return json_object_get(json_object_get(data, "organization"), "teams");
}

/* The query finds by likeness: of those found only the very login counts. */
static const char *role_in(const json_t *team, const char *login)
{
	const json_t *edges = json_object_get(json_object_get(team, "members"), "edges");

	for (size_t i = 0; i < json_array_size(edges); i++) {
		const json_t *edge = json_array_get(edges, i);
		const char *theirs =
			json_get_string(json_object_get(edge, "node"), "login");
		const char *role = json_get_string(edge, "role");

		if (theirs && role && strcasecmp(theirs, login) == 0)
			return strcmp(role, "MAINTAINER") == 0 ? "maintainer" : "member";
	}
	return NULL;
}

static bool give_team(const struct team_walk *w, const json_t *item, int64_t id,
		      const char *role, struct error *err)
{
	const char *name = json_get_string(item, "name");
	const struct github_team team = {
		.id = id,
		.slug = json_get_string(item, "slug"),
		.name = name ? name : "",
		.role = role,
	};

	if (id <= 0 || !team.slug || !is_slug(team.slug))
		return github_fail_shape("team", err);
	return w->fn(w->context, &team, err);
}

static bool on_queried_team(void *context, const json_t *node, struct error *err)
{
	const struct team_walk *w = context;
	const char *role = role_in(node, w->login);

	/* In it by a child team alone. */
	if (!role)
		return true;
	return give_team(w, node, json_get_int64(node, "databaseId", 0), role, err);
}

static bool on_listed_team(void *context, const json_t *item, struct error *err)
{
	struct team_walk *w = context;
	const char *slug = json_get_string(item, "slug");
	struct github_membership m = { 0 };

	if (!slug)
		return github_fail_shape("team", err);
	if (++w->count > TEAMS_MAX)
		return error_set(err, ERR_PRECONDITION_FAILED,
				 "the organisation has too many teams to ask for each");
	if (!github_get_team_membership(w->g, slug, w->login, w->patience, &m, err))
		return false;
	return m.state == GITHUB_NONE ||
	       give_team(w, item, json_get_int64(item, "id", 0), m.role, err);
}

bool github_each_team_of(struct github *g, const char *login,
			 const struct rest_patience *patience, github_team_fn *fn,
			 void *context, struct error *err)
{
	struct team_walk walk = {
		.login = login, .fn = fn, .context = context, .g = g, .patience = patience
	};
	struct error why = ERROR_INIT;

	if (!github_check_login(login, err))
		return false;
	if (github_query_each(g, "list the teams", teams_query, login, "nodes", patience,
			      find_teams, on_queried_team, &walk, NULL, &why))
		return true;
	if (!atomic_load(&g->has_no_graphql)) {
		*err = why;
		return false;
	}
	return github_each(g, "list the teams", patience, on_listed_team, &walk, err,
			   "/orgs/%s/teams?per_page=100", g->organization);
}

/* ---- Credentials ---- */

struct credential_walk {
	const char *login;
	github_credential_fn *fn;
	void *context;
};

static bool on_credential(void *context, const json_t *item, struct error *err)
{
	const struct credential_walk *w = context;
	const char *type = json_get_string(item, "credential_type");
	const struct github_credential credential = {
		.id = json_get_int64(item, "credential_id", 0),
		.login = json_get_string(item, "login"),
		.type = type ? type : "",
	};

	if (credential.id <= 0 || !credential.login)
		return github_fail_shape("credential", err);
	/* A filter that was not obeyed gives everybody's. */
	return strcasecmp(credential.login, w->login) != 0 ||
	       w->fn(w->context, &credential, err);
}

bool github_each_credential(struct github *g, const char *login,
			    const struct rest_patience *patience,
			    github_credential_fn *fn, void *context, struct error *err)
{
	struct credential_walk walk = { login, fn, context };

	return github_check_login(login, err) &&
	       github_each(g, "list the credentials", patience, on_credential, &walk, err,
			   "/orgs/%s/credential-authorizations?per_page=100&login=%s",
			   g->organization, login);
}

bool github_remove_credential(struct github *g, int64_t id,
			      const struct rest_patience *patience, struct error *err)
{
	_cleanup_rest_reply_ struct rest_reply reply = REST_REPLY_INIT;

	return github_do(g, "take the credential's authorisation away", "DELETE", NULL,
			 false, patience, &reply, err,
			 "/orgs/%s/credential-authorizations/%lld", g->organization,
			 (long long)id);
}

/* ---- Suspension ---- */

static bool suspension(struct github *g, const char *what, const char *method,
		       const char *login, const char *reason,
		       const struct rest_patience *patience, struct error *err)
{
	_cleanup_rest_reply_ struct rest_reply reply = REST_REPLY_INIT;
	json_auto_t *body = json_pack("{s:s}", "reason", reason);

	if (!body)
		return error_oom(err);
	if (strlen(reason) > REASON_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT, "the reason is too long");
	if (!g->is_server)
		return error_set(err, ERR_PRECONDITION_FAILED,
				 "only an Enterprise Server suspends users");
	return github_check_login(login, err) &&
	       github_do(g, what, method, body, true, patience, &reply, err,
			 "/users/%s/suspended", login);
}

bool github_suspend(struct github *g, const char *login, const char *reason,
		    const struct rest_patience *patience, struct error *err)
{
	return suspension(g, "suspend the user", "PUT", login, reason, patience, err);
}

bool github_unsuspend(struct github *g, const char *login, const char *reason,
		      const struct rest_patience *patience, struct error *err)
{
	return suspension(g, "unsuspend the user", "DELETE", login, reason, patience,
			  err);
}
