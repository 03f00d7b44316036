/* Users, and who belongs to the organisation. */
#include <string.h>
#include <strings.h>

#include "api/github/github_private.h"

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_get_string(object, name);

	return text ? text : "";
}

bool github_user_read(const json_t *object, struct github_user *ret, struct error *err)
{
	const char *login = json_get_string(object, "login");
	const int64_t id = json_get_int64(object, "id", 0);

	if (!login || !github_is_login(login) || id <= 0) {
		github_fail_shape("user", err);
		return false;
	}
	*ret = (struct github_user){
		.id = id,
		.login = login,
		.name = text_of(object, "name"),
		.email = text_of(object, "email"),
		.type = text_of(object, "type"),
		.site_admin = json_is_true(json_object_get(object, "site_admin")),
		.suspended = json_is_string(json_object_get(object, "suspended_at")),
	};
	return true;
}

static bool take_user(struct rest_reply *reply, const char *login, int64_t id,
		      json_t **ret_json, struct github_user *ret, struct error *err)
{
	struct github_user user = { 0 };

	if (!github_user_read(reply->body, &user, err))
		return false;
	if ((login && strcasecmp(user.login, login) != 0) || (id > 0 && user.id != id))
		return error_set(err, ERR_NOT_FOUND,
				 "GitHub answered about another user than was asked for");
	*ret = user;
	*ret_json = TAKE(reply->body);
	return true;
}

bool github_get_user(struct github *g, const char *login,
		     const struct rest_patience *patience, json_t **ret_json,
		     struct github_user *ret, struct error *err)
{
	_cleanup_rest_reply_ struct rest_reply reply = REST_REPLY_INIT;

	return github_check_login(login, err) &&
	       github_do(g, "read the user", "GET", NULL, false, patience, &reply, err,
			 "/users/%s", login) &&
	       take_user(&reply, login, 0, ret_json, ret, err);
}

bool github_get_user_by_id(struct github *g, int64_t id,
			   const struct rest_patience *patience, json_t **ret_json,
			   struct github_user *ret, struct error *err)
{
	_cleanup_rest_reply_ struct rest_reply reply = REST_REPLY_INIT;

	return github_do(g, "read the user", "GET", NULL, false, patience, &reply, err,
			 "/user/%lld", (long long)id) &&
	       take_user(&reply, NULL, id, ret_json, ret, err);
}

bool github_get_self(struct github *g, const struct rest_patience *patience,
		     json_t **ret_json, struct github_user *ret, struct error *err)
{
	_cleanup_rest_reply_ struct rest_reply reply = REST_REPLY_INIT;

	return github_do(g, "ask who we are", "GET", NULL, false, patience, &reply, err,
			 "/user") &&
	       take_user(&reply, NULL, 0, ret_json, ret, err);
}

/* ---- Members by REST ---- */

void github_cache_done(struct github_cache *c)
{
	free(c->etag);
	c->etag = NULL;
}

struct member_walk {
	const char *role;
	github_member_fn *fn;
	void *context;
};

static bool on_member(void *context, const json_t *item, struct error *err)
{
	const struct member_walk *w = context;
	struct github_user user = { 0 };

	if (!github_user_read(item, &user, err))
		return false;
	const struct github_member member = {
		.id = user.id,
		.login = user.login,
		.role = w->role,
		.name = user.name,
		.email = user.email,
	};
	return w->fn(w->context, &member, err);
}

/* Whether the first page is as it was; a list of more pages never is. */
static bool is_unchanged(struct github *g, const char *path, struct github_cache *cache,
			 const struct rest_patience *patience, bool *ret_unchanged,
			 struct error *err)
{
	_cleanup_rest_reply_ struct rest_reply reply = REST_REPLY_INIT;
	const struct rest_request request = { .what = "list the members",
					      .method = "GET",
					      .path = path,
					      .bucket = "core",
					      .etag = cache->etag };

	if (!rest_call(g->rest, &request, patience, &reply, err))
		return false;
	*ret_unchanged = reply.status == 304;
	if (*ret_unchanged)
		return true;
	github_cache_done(cache);
	if (!reply.next)
		cache->etag = TAKE(reply.etag);
	return true;
}

bool github_each_member(struct github *g, const char *role, struct github_cache *cache,
			const struct rest_patience *patience, github_member_fn *fn,
			void *context, bool *ret_changed, struct error *err)
{
	struct member_walk walk = { role, fn, context };
	char path[160];
	bool unchanged = false;

	if (strcmp(role, "admin") != 0 && strcmp(role, "member") != 0)
		return error_set(err, ERR_INVALID_ARGUMENT, "that is no role");
	(void)snprintf(path, sizeof path, "/orgs/%s/members?per_page=100&role=%s",
		       g->organization, role);
	if (cache && !is_unchanged(g, path, cache, patience, &unchanged, err))
		return false;
	if (ret_changed)
		*ret_changed = !unchanged;
	return unchanged || github_each(g, "list the members", patience, on_member, &walk,
					err, "%s", path);
}

bool github_each_outside(struct github *g, const struct rest_patience *patience,
			 github_member_fn *fn, void *context, struct error *err)
{
	struct member_walk walk = { "outside", fn, context };

	return github_each(g, "list the outside collaborators", patience, on_member,
			   &walk, err, "/orgs/%s/outside_collaborators?per_page=100",
			   g->organization);
}

/* ---- Members by GraphQL ---- */

static const char profiles_query[] =
	"query($o:String!,$c:String){organization(login:$o){membersWithRole(first:100,"
	"after:$c){pageInfo{hasNextPage endCursor} edges{role node{databaseId login name "
	"email organizationVerifiedDomainEmails(login:$o)}}}}}";

static const json_t *find_profiles(const json_t *data)
{
	return json_object_get(json_object_get(data, "organization"), "membersWithRole");
}

static bool on_profile(void *context, const json_t *edge, struct error *err)
{
	const struct member_walk *w = context;
	const json_t *node = json_object_get(edge, "node");
	const json_t *verified =
		json_object_get(node, "organizationVerifiedDomainEmails");
	const struct github_member member = {
		.id = json_get_int64(node, "databaseId", 0),
		.login = text_of(node, "login"),
		.role = strcmp(text_of(edge, "role"), "ADMIN") == 0 ? "admin" : "member",
		.name = text_of(node, "name"),
		.email = text_of(node, "email"),
		.verified = json_is_array(verified) ? verified : NULL,
	};

	if (member.id <= 0 || !github_is_login(member.login))
		return github_fail_shape("member", err);
	return w->fn(w->context, &member, err);
}

bool github_each_profile(struct github *g, const struct rest_patience *patience,
			 github_member_fn *fn, void *context, struct error *err)
{
	struct member_walk walk = { NULL, fn, context };

	return github_query_each(g, "list the members", profiles_query, NULL, "edges",
				 patience, find_profiles, on_profile, &walk, NULL, err);
}

/* ---- SAML ---- */

static const char identities_query[] =
	"query($o:String!,$c:String){organization(login:$o){samlIdentityProvider{"
	"externalIdentities(first:100,after:$c){pageInfo{hasNextPage endCursor} "
	"nodes{guid "
	"samlIdentity{nameId} scimIdentity{username} user{databaseId login}}}}}}";

struct identity_walk {
	github_identity_fn *fn;
	void *context;
};

static const json_t *find_identities(const json_t *data)
{
	const json_t *provider = json_object_get(json_object_get(data, "organization"),
						 "samlIdentityProvider");

	return json_object_get(provider, "externalIdentities");
}

static bool on_identity(void *context, const json_t *node, struct error *err)
{
	const struct identity_walk *w = context;
	const json_t *user = json_object_get(node, "user");
	const struct github_identity identity = {
		.guid = text_of(node, "guid"),
		.name_id = text_of(json_object_get(node, "samlIdentity"), "nameId"),
		.username = text_of(json_object_get(node, "scimIdentity"), "username"),
		.login = text_of(user, "login"),
		.id = json_get_int64(user, "databaseId", 0),
	};

	if (json_is_object(user) &&
	    (identity.id <= 0 || !github_is_login(identity.login)))
		return github_fail_shape("identity", err);
	return w->fn(w->context, &identity, err);
}

bool github_each_identity(struct github *g, const struct rest_patience *patience,
			  github_identity_fn *fn, void *context, bool *ret_has_provider,
			  struct error *err)
{
	struct identity_walk walk = { fn, context };

	return github_query_each(g, "list the identities", identities_query, NULL,
				 "nodes", patience, find_identities, on_identity, &walk,
				 ret_has_provider, err);
}
