/*
 * slack -- the calls of Slack's Web API that Wingman makes, for servers and the surface.
 *
 * Written from Slack's documentation, tried against the double on npm and one of our own
 * (tests/doubles/slack_double.py), never against a workspace of the vendor. JSON in, JSON
 * out: `slack_call` is any method; below it stand those whose answers need care.
 *
 * HTTP 200 with "ok": false is Slack's way to fail: the error's name is in the message and,
 * with what else came, in `struct slack_answer`. Rate limits are kept for each method (and
 * for chat.* for each channel). Reads are repeated; a write is repeated only when Slack
 * said that it did nothing, so that no message is posted twice: ERR_UNKNOWN_OUTCOME
 * otherwise. Blocking, thread-safe: one for a whole program.
 */
#ifndef API_SLACK_H
#define API_SLACK_H

#include "api/rest/rest.h"
#include "base/statedir.h"

struct slack;

/*
 * 'config' as $defs/slack_api of schemas/config.schema.json: token_file, and for what
 * needs an owner's user token admin_token_file; url (https://slack.com/api), scim_url,
 * team, ca_file, timeout_ms. Reads its files at once; the vendor need not answer yet.
 */
struct slack *slack_open(const struct statedir *dir, const json_t *config,
			 struct error *err) _must_use_;
void slack_close(struct slack *s);
DEFINE_CLEANUP(struct slack, slack_close);
/* Whether there are credentials for admin.* and SCIM. */
bool slack_has_admin(const struct slack *s);
/* The team that 'config' wants; NULL: it does not say. */
const char *slack_team(const struct slack *s);
/* Whether the API was configured to be on this machine: a double, for tests. */
bool slack_is_loopback(const struct slack *s);
/* What time it is at Slack, by the second, as far as its answers told; else here. */
int64_t slack_now_ms(const struct slack *s);

/* How long Slack wants not to be asked, at most; 0: it may be asked. */
int64_t slack_wait_ms(const struct slack *s);

/* ---- Any method ---- */

struct slack_answer {
	json_t *body;                /* the whole answer; NULL: none */
	char error[REST_NAME_BYTES]; /* Slack's name for what is wrong, "" for nothing */
	char scopes[1024]; /* x-oauth-scopes: what the token may; "" if it did not say */
};
#define SLACK_ANSWER_INIT                                                                \
	{                                                                                \
		0                                                                        \
	}
void slack_answer_done(struct slack_answer *a);
#define _cleanup_slack_answer_ _cleanup_(slack_answer_done)

/*
 * Call "chat.postMessage" with the members of 'arguments' (an object, or NULL): sent as a
 * form, which every method understands, objects and arrays as JSON in it; null is left
 * out. 'ret' is filled on failure too (its error).
 *
 * ERR_PERMISSION_DENIED for tokens, scopes and rights; ERR_NOT_FOUND for who or what is
 * not there; ERR_PRECONDITION_FAILED for what Slack will not (is_archived, ...);
 * ERR_INVALID_ARGUMENT for what it does not understand (invalid_blocks, ...);
 * otherwise as rest_call.
 */
bool slack_call(struct slack *s, const char *method, const json_t *arguments,
		const struct rest_patience *patience, struct slack_answer *ret,
		struct error *err);
/* The same with the owner's user token: admin.*. */
bool slack_admin_call(struct slack *s, const char *method, const json_t *arguments,
		      const struct rest_patience *patience, struct slack_answer *ret,
		      struct error *err);

/* Go through a paged method: 'list' is the member of the answer that is an array, of
 * which 'fn' gets each item. */
bool slack_each(struct slack *s, const char *method, const json_t *arguments,
		const char *list, const struct rest_patience *patience,
		bool (*fn)(void *context, const json_t *item, struct error *err),
		void *context, struct error *err);

/* ---- Who we are ---- */

struct slack_identity {
	char team_id[32], user_id[32], bot_id[32], enterprise_id[32]; /* "": none */
	char scopes[1024];
	/* Of the workspace, "https://acme.slack.com/"; "": Slack did not say so. */
	char url[160];
};
/* auth.test: whether the token is good, and of the configured team. */
bool slack_test(struct slack *s, const struct rest_patience *patience,
		struct slack_identity *ret, struct error *err);

/* ---- People ---- */

struct slack_user {
	const char *id, *team_id;
	const char *name;      /* the handle; people choose it */
	const char *real_name; /* and this */
	const char *email;     /* "" without users:read.email */
	bool email_confirmed;  /* false also where Slack does not say */
	bool deleted, is_bot, is_guest, is_stranger;
	bool is_admin, is_owner, is_primary_owner;
	int64_t updated_s; /* 0: not known */
	const json_t *object;
};
/* ERR_BACKEND_UNAVAILABLE for what is no user. 'object' is borrowed by the result. */
bool slack_user_read(const json_t *object, struct slack_user *ret, struct error *err);
/* Whether 'text' has the form of a user's id (U... or W...). */
bool slack_is_user_id(const char *text);

/* '*ret_json' (new) is what 'ret' borrows from; both untouched on failure. The answer is
 * checked to be about who was asked for. */
bool slack_get_user(struct slack *s, const char *id, const struct rest_patience *patience,
		    json_t **ret_json, struct slack_user *ret, struct error *err);
bool slack_get_user_by_email(struct slack *s, const char *email,
			     const struct rest_patience *patience, json_t **ret_json,
			     struct slack_user *ret, struct error *err);
typedef bool slack_user_fn(void *context, const struct slack_user *user,
			   struct error *err);
/* Everybody, also who is deactivated. */
bool slack_each_user(struct slack *s, const struct rest_patience *patience,
		     slack_user_fn *fn, void *context, struct error *err);

struct slack_usergroup {
	const char *id, *name, *handle;
	bool is_disabled;
};
typedef bool slack_usergroup_fn(void *context, const struct slack_usergroup *group,
				struct error *err);
bool slack_each_usergroup(struct slack *s, const struct rest_patience *patience,
			  slack_usergroup_fn *fn, void *context, struct error *err);
/* The ids of a user group's members: '*ret' is a new array of strings, each of them an
 * id's form. 'group_id' is an id (S...), never a handle. */
bool slack_usergroup_members(struct slack *s, const char *group_id,
			     const struct rest_patience *patience, json_t **ret,
			     struct error *err);

/* ---- Administration: the owner's user token ---- */

/* Ends all sessions, of one kind alone if it says so. Asynchronous towards clients, and
 * the person can sign in again. May be repeated. */
bool slack_reset_sessions(struct slack *s, const char *user_id, bool mobile_only,
			  bool web_only, const struct rest_patience *patience,
			  struct error *err);

struct slack_scim_user {
	const char *id; /* the same as in the Web API */
	const char *user_name, *email;
	bool active;
};
/* SCIM v2. ERR_AMBIGUOUS when several have this address. */
bool slack_scim_find(struct slack *s, const char *email,
		     const struct rest_patience *patience, json_t **ret_json,
		     struct slack_scim_user *ret, struct error *err);
bool slack_scim_get(struct slack *s, const char *user_id,
		    const struct rest_patience *patience, json_t **ret_json,
		    struct slack_scim_user *ret, struct error *err);
/* Deactivate (false) or reactivate; setting what is set already does no harm. */
bool slack_scim_set_active(struct slack *s, const char *user_id, bool active,
			   const struct rest_patience *patience, struct error *err);

/* ---- Files ---- */

/* Upload by the external flow. Without 'channel' the file stays private to the app, for
 * an image block. '*ret_id' is a new string. ERR_UNKNOWN_OUTCOME: it may be there. */
struct slack_file {
	const char *name, *title; /* "chart.png" */
	const char *alt_text;     /* NULL: none */
	const void *bytes;
	size_t length;
	const char *channel, *thread_ts, *comment; /* each may be NULL */
};
bool slack_upload(struct slack *s, const struct slack_file *file,
		  const struct rest_patience *patience, char **ret_id, struct error *err);

#endif
