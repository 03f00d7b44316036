/*
 * github -- the calls of GitHub's API that Wingman makes, about one organisation.
 *
 * For github.com and Enterprise Server, REST and GraphQL. Written from GitHub's
 * documentation, tried against the double on npm and one of our own
 * (tests/doubles/github_double.py), never against the vendor. Sign-in is by a token, or as
 * an app's installation (its RS256 key).
 *
 * A login can change hands; the numeric id cannot. Who acts on somebody stores the id, and
 * compares again before acting. Writes are a second apart, as the vendor wants; none is
 * repeated after ERR_UNKNOWN_OUTCOME: read again. Texts in results are borrowed from the
 * JSON that they came in. Blocking, thread-safe. Rate limits: api/rest/rest.h.
 */
#ifndef API_GITHUB_H
#define API_GITHUB_H

#include "api/rest/rest.h"
#include "base/statedir.h"

enum { GITHUB_LOGIN_BYTES = 64, GITHUB_SLUG_BYTES = 256 };

struct github;

/*
 * 'config' as $defs/github_api of schemas/config.schema.json: organization, and token_file
 * or app_id with installation_id and key_file; url (https://api.github.com, or
 * https://HOST/api/v3), ca_file, timeout_ms. Reads its files at once; the vendor need not
 * answer yet.
 */
struct github *github_open(const struct statedir *dir, const json_t *config,
			   struct error *err) _must_use_;
void github_close(struct github *g);
DEFINE_CLEANUP(struct github, github_close);
const char *github_organization(const struct github *g);
/* Whether it is an Enterprise Server: its administrators can suspend. */
bool github_is_server(const struct github *g);
struct rest *github_rest(const struct github *g);

/* [A-Za-z0-9-], for enterprise managed users an underscore too. */
bool github_is_login(const char *text);

/* ---- Users ---- */

struct github_user {
	int64_t id; /* never given to another account */
	const char *login;
	const char *name, *email; /* "": none, or not public */
	const char *type;         /* "User", "Bot", ... */
	bool site_admin;
	bool suspended; /* Enterprise Server tells it, to its administrators */
};
/* ERR_BACKEND_UNAVAILABLE for what is no user. 'object' is borrowed by the result. */
bool github_user_read(const json_t *object, struct github_user *ret, struct error *err);
bool github_get_user(struct github *g, const char *login,
		     const struct rest_patience *patience, json_t **ret_json,
		     struct github_user *ret, struct error *err);
bool github_get_user_by_id(struct github *g, int64_t id,
			   const struct rest_patience *patience, json_t **ret_json,
			   struct github_user *ret, struct error *err);
/* Who the token is; not for an app. */
bool github_get_self(struct github *g, const struct rest_patience *patience,
		     json_t **ret_json, struct github_user *ret, struct error *err);

/* ---- Members ---- */

/* One page is a request; 'etag' (in and out, owned, may be NULL inside) makes an
 * unchanged list cost nothing: then '*ret_changed' is false and 'fn' was not called. Only
 * the first page is compared: a list of more than a page is always read. */
struct github_cache {
	char *etag;
};
void github_cache_done(struct github_cache *c);

struct github_member {
	int64_t id;
	const char *login;
	const char *role;       /* "admin" (an owner) or "member" */
	const char *name;       /* "" where it is not told */
	const char *email;      /* public, unverified; "" */
	const json_t *verified; /* array of addresses in the organisation's verified
				    domains; NULL where it is not told */
};
typedef bool github_member_fn(void *context, const struct github_member *member,
			      struct error *err);
/* By REST: logins, ids and roles. 'role' is "admin" or "member". */
bool github_each_member(struct github *g, const char *role, struct github_cache *cache,
			const struct rest_patience *patience, github_member_fn *fn,
			void *context, bool *ret_changed, struct error *err);
/* By GraphQL, a hundred in a request: names and addresses too. */
bool github_each_profile(struct github *g, const struct rest_patience *patience,
			 github_member_fn *fn, void *context, struct error *err);
/* Outside collaborators; role is "outside". */
bool github_each_outside(struct github *g, const struct rest_patience *patience,
			 github_member_fn *fn, void *context, struct error *err);

/* The identity that SAML or SCIM has for a member; login "" until it is linked. */
struct github_identity {
	const char *guid, *name_id, *username; /* "" where there is none */
	const char *login;
	int64_t id; /* of the user; 0: not linked */
};
typedef bool github_identity_fn(void *context, const struct github_identity *identity,
				struct error *err);
/* '*ret_has_provider' false: the organisation has no SAML of its own. */
bool github_each_identity(struct github *g, const struct rest_patience *patience,
			  github_identity_fn *fn, void *context, bool *ret_has_provider,
			  struct error *err);

/* ---- One member ---- */

enum github_state { GITHUB_NONE, GITHUB_PENDING, GITHUB_ACTIVE };
struct github_membership {
	enum github_state state; /* pending: invited */
	char role[16];           /* "admin", "member", "" */
	int64_t user_id;         /* 0: it does not say */
};
/* GITHUB_NONE for who is not there. */
bool github_get_membership(struct github *g, const char *login,
			   const struct rest_patience *patience,
			   struct github_membership *ret, struct error *err);
/* Invite, or change the role. Who accepts invitations by hand is pending afterwards. */
bool github_set_membership(struct github *g, const char *login, const char *role,
			   const struct rest_patience *patience,
			   struct github_membership *ret, struct error *err);
/* Remove a member ('state' active) or take an invitation back (pending). */
bool github_remove_membership(struct github *g, const char *login,
			      enum github_state state,
			      const struct rest_patience *patience, struct error *err);

struct github_team {
	int64_t id;
	const char *slug, *name;
	const char *role; /* "member" or "maintainer" */
};
typedef bool github_team_fn(void *context, const struct github_team *team,
			    struct error *err);
/* The teams somebody is in himself, not by a child team. GraphQL; where there is none, by
 * asking for each team, which tells child teams not apart. */
bool github_each_team_of(struct github *g, const char *login,
			 const struct rest_patience *patience, github_team_fn *fn,
			 void *context, struct error *err);
/* '*ret_id' 0: there is no such team. */
bool github_get_team_id(struct github *g, const char *slug,
			const struct rest_patience *patience, int64_t *ret_id,
			struct error *err);
/* GITHUB_NONE for who is not in it. */
bool github_get_team_membership(struct github *g, const char *slug, const char *login,
				const struct rest_patience *patience,
				struct github_membership *ret, struct error *err);
bool github_set_team_membership(struct github *g, const char *slug, const char *login,
				const char *role, const struct rest_patience *patience,
				struct github_membership *ret, struct error *err);

/* ---- Credentials and suspension ---- */

struct github_credential {
	int64_t id;
	const char *login, *type; /* "personal access token", "SSH key" */
};
typedef bool github_credential_fn(void *context,
				  const struct github_credential *credential,
				  struct error *err);
/* What a member authorised for SAML. ERR_NOT_FOUND: the plan does not have it. */
bool github_each_credential(struct github *g, const char *login,
			    const struct rest_patience *patience,
			    github_credential_fn *fn, void *context, struct error *err);
/* Gone is gone: ERR_NOT_FOUND for one that was removed before. */
bool github_remove_credential(struct github *g, int64_t id,
			      const struct rest_patience *patience, struct error *err);

/* Enterprise Server alone, by a site administrator. Both may be repeated. */
bool github_suspend(struct github *g, const char *login, const char *reason,
		    const struct rest_patience *patience, struct error *err);
bool github_unsuspend(struct github *g, const char *login, const char *reason,
		      const struct rest_patience *patience, struct error *err);

/* Whether it answers, takes our credentials and shows us the organisation. */
bool github_ping(struct github *g, const struct rest_patience *patience,
		 struct error *err);

#endif
