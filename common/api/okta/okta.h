/*
 * okta -- the calls of Okta's Management API that Wingman makes.
 *
 * Written from Okta's documentation, tried against the double on npm and one of our own
 * (tests/doubles/okta_double.py), never against a tenant of the vendor. Sign-in is by an
 * API token ("SSWS"), or as a service app (client credentials with private_key_jwt).
 *
 * Texts in results are borrowed from the JSON that they came in. What is looked up by
 * login is compared with what came: a reply about somebody else is an error. After
 * ERR_UNKNOWN_OUTCOME read the user again; nothing that changes a status is repeated here.
 * Blocking, thread-safe. Rate limits and repetitions: api/rest/rest.h.
 */
#ifndef API_OKTA_H
#define API_OKTA_H

#include "api/rest/rest.h"
#include "base/statedir.h"

struct okta;

/*
 * 'config' as $defs/okta_api of schemas/config.schema.json: url, and token_file or
 * client_id with key_file (key_id, scopes), ca_file, timeout_ms. 'scopes' is what a
 * service app asks for when the configuration does not say. Reads its files at once; the
 * vendor need not answer yet.
 */
struct okta *okta_open(const struct statedir *dir, const json_t *config,
		       const char *scopes, struct error *err) _must_use_;
void okta_close(struct okta *o);
DEFINE_CLEANUP(struct okta, okta_close);
/* For what is not here. */
struct rest *okta_rest(const struct okta *o);

struct okta_user {
	const char *id;     /* never given to another user */
	const char *status; /* "ACTIVE", "SUSPENDED", ... */
	const char *login;
	const char *email; /* "" from here on: there is none */
	const char *first_name, *last_name, *display_name;
	const char *employee_number; /* profile.employeeNumber */
	const char *last_updated;    /* for okta_each_user's 'since' */
	const json_t *profile;       /* an object: further attributes by their name */
};
/* ERR_BACKEND_UNAVAILABLE for what is no user. 'object' is borrowed by the result. */
bool okta_user_read(const json_t *object, struct okta_user *ret, struct error *err);

/* By id or login. '*ret_json' (new) is what 'ret' borrows from; untouched on failure. */
bool okta_get_user(struct okta *o, const char *id_or_login,
		   const struct rest_patience *patience, json_t **ret_json,
		   struct okta_user *ret, struct error *err);

/* Given each; false with 'err' set ends the walk with that error. */
typedef bool okta_user_fn(void *context, const struct okta_user *user, struct error *err);

/*
 * All users, but without 'since' not those who are DEPROVISIONED. 'since' (a
 * last_updated that was seen, or any RFC 3339 instant) gives those who changed at or after
 * it, deprovisioned ones too; NULL: all.
 */
bool okta_each_user(struct okta *o, const char *since,
		    const struct rest_patience *patience, okta_user_fn *fn, void *context,
		    struct error *err);
/* All users of one status. */
bool okta_each_user_of_status(struct okta *o, const char *status,
			      const struct rest_patience *patience, okta_user_fn *fn,
			      void *context, struct error *err);
/* All whose profile.email is this (compared here too, without case). */
bool okta_each_user_by_email(struct okta *o, const char *email,
			     const struct rest_patience *patience, okta_user_fn *fn,
			     void *context, struct error *err);
/* The same for several at once, 1 to OKTA_EMAILS_MAX. */
enum { OKTA_EMAILS_MAX = 10 };
bool okta_each_user_by_emails(struct okta *o, const char *const *emails, size_t count,
			      const struct rest_patience *patience, okta_user_fn *fn,
			      void *context, struct error *err);

struct okta_group {
	const char *id, *name;
	const char *type; /* "OKTA_GROUP", "APP_GROUP", "BUILT_IN" */
};
typedef bool okta_group_fn(void *context, const struct okta_group *group,
			   struct error *err);
bool okta_each_group(struct okta *o, const struct rest_patience *patience,
		     okta_group_fn *fn, void *context, struct error *err);
bool okta_each_group_of_user(struct okta *o, const char *user_id,
			     const struct rest_patience *patience, okta_group_fn *fn,
			     void *context, struct error *err);
bool okta_each_member(struct okta *o, const char *group_id,
		      const struct rest_patience *patience, okta_user_fn *fn,
		      void *context, struct error *err);
/* Only groups of type OKTA_GROUP can be written. Both may be repeated. */
bool okta_add_to_group(struct okta *o, const char *group_id, const char *user_id,
		       const struct rest_patience *patience, struct error *err);
bool okta_remove_from_group(struct okta *o, const char *group_id, const char *user_id,
			    const struct rest_patience *patience, struct error *err);

/* The administrator's roles that are assigned to a user: "SUPER_ADMIN", ... (also by a
 * group). Scope okta.roles.read. */
typedef bool okta_role_fn(void *context, const char *type, struct error *err);
bool okta_each_role_of_user(struct okta *o, const char *user_id,
			    const struct rest_patience *patience, okta_role_fn *fn,
			    void *context, struct error *err);

/* What the status machine allows: only an ACTIVE user can be suspended, only a SUSPENDED
 * one unsuspended; ERR_PRECONDITION_FAILED otherwise. Read the status back. */
bool okta_suspend(struct okta *o, const char *user_id,
		  const struct rest_patience *patience, struct error *err);
bool okta_unsuspend(struct okta *o, const char *user_id,
		    const struct rest_patience *patience, struct error *err);

/* End the sessions at Okta itself (not those within applications); 'oauth_tokens' revokes
 * access and refresh tokens too, 'forget_devices' remembered factors. */
bool okta_clear_sessions(struct okta *o, const char *user_id, bool oauth_tokens,
			 bool forget_devices, const struct rest_patience *patience,
			 struct error *err);

struct okta_client {
	const char *id, *name; /* name "": it has none */
};
typedef bool okta_client_fn(void *context, const struct okta_client *client,
			    struct error *err);
/* The clients that hold tokens or grants of a user. */
bool okta_each_client_of_user(struct okta *o, const char *user_id,
			      const struct rest_patience *patience, okta_client_fn *fn,
			      void *context, struct error *err);
/* Revoke all refresh tokens that one client has of a user. */
bool okta_revoke_tokens(struct okta *o, const char *user_id, const char *client_id,
			const struct rest_patience *patience, struct error *err);
/* Revoke all grants of a user. */
bool okta_revoke_grants(struct okta *o, const char *user_id,
			const struct rest_patience *patience, struct error *err);

/* Whether it answers and takes our credentials. */
bool okta_ping(struct okta *o, const struct rest_patience *patience, struct error *err);

#endif
