/*
 * api-call -- one call of a client of common/api, for the tests that drive them against
 * doubles.
 *
 *   api-call FOLDER VENDOR OPERATION [ARGUMENT...]   with the configuration on stdin
 *
 * Prints one line of JSON: {"items": [...]} or {"result": ...}, and for a failure
 * {"error": {"code", "message", "hint", "cause"}}. Patience is 20 s, or PATIENCE_MS.
 */
#include <stdio.h>
#include <string.h>

#include "api/github/github.h"
#include "api/okta/okta.h"
#include "api/slack/slack.h"
#include "base/file.h"

enum { CONFIG_MAX = 64 * 1024 };

struct run {
	char **args; /* of the operation; ends with NULL */
	struct rest_patience patience;
	json_t *items, *result;
	struct okta *okta;
	struct github *github;
	struct slack *slack;
};

static bool add(void *context, json_t *item, struct error *err)
{
	struct run *r = context;

	return json_array_append_new(r->items, item) == 0 || error_oom(err);
}

static bool give(struct run *r, json_t *result)
{
	json_decref(r->result);
	r->result = result;
	return result != NULL;
}

static size_t count_of(char *const *args)
{
	size_t count = 0;

	while (args[count])
		count++;
	return count;
}

/* ---- Okta ---- */

static json_t *pack_okta_user(const struct okta_user *u)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "id", u->id, "status",
			 u->status, "login", u->login, "email", u->email, "first_name",
			 u->first_name, "employee_number", u->employee_number,
			 "last_updated", u->last_updated);
}

static bool on_okta_user(void *context, const struct okta_user *u, struct error *err)
{
	return add(context, pack_okta_user(u), err);
}

static bool on_okta_group(void *context, const struct okta_group *g, struct error *err)
{
	return add(context,
		   json_pack("{s:s, s:s, s:s}", "id", g->id, "name", g->name, "type",
			     g->type),
		   err);
}

static bool on_okta_client(void *context, const struct okta_client *c, struct error *err)
{
	return add(context, json_pack("{s:s, s:s}", "id", c->id, "name", c->name), err);
}

static bool okta_call(struct run *r, const char *op, struct error *err)
{
	const struct rest_patience *p = &r->patience;
	struct okta_user user;
	json_auto_t *json = NULL;
	char **a = r->args;

	if (strcmp(op, "user") == 0)
		return okta_get_user(r->okta, a[0], p, &json, &user, err) &&
		       give(r, pack_okta_user(&user));
	if (strcmp(op, "users") == 0)
		return okta_each_user(r->okta, a[0], p, on_okta_user, r, err);
	if (strcmp(op, "users-of-status") == 0)
		return okta_each_user_of_status(r->okta, a[0], p, on_okta_user, r, err);
	if (strcmp(op, "users-by-email") == 0)
		return okta_each_user_by_email(r->okta, a[0], p, on_okta_user, r, err);
	if (strcmp(op, "users-by-emails") == 0)
		return okta_each_user_by_emails(r->okta, (const char *const *)a,
						count_of(a), p, on_okta_user, r, err);
	if (strcmp(op, "groups") == 0)
		return okta_each_group(r->okta, p, on_okta_group, r, err);
	if (strcmp(op, "groups-of") == 0)
		return okta_each_group_of_user(r->okta, a[0], p, on_okta_group, r, err);
	if (strcmp(op, "members") == 0)
		return okta_each_member(r->okta, a[0], p, on_okta_user, r, err);
	if (strcmp(op, "clients") == 0)
		return okta_each_client_of_user(r->okta, a[0], p, on_okta_client, r, err);
	if (strcmp(op, "suspend") == 0)
		return okta_suspend(r->okta, a[0], p, err);
	if (strcmp(op, "unsuspend") == 0)
		return okta_unsuspend(r->okta, a[0], p, err);
	if (strcmp(op, "clear-sessions") == 0)
		return okta_clear_sessions(r->okta, a[0], true, true, p, err);
	if (strcmp(op, "revoke-tokens") == 0)
		return okta_revoke_tokens(r->okta, a[0], a[1], p, err);
	if (strcmp(op, "revoke-grants") == 0)
		return okta_revoke_grants(r->okta, a[0], p, err);
	if (strcmp(op, "add-to-group") == 0)
		return okta_add_to_group(r->okta, a[0], a[1], p, err);
	if (strcmp(op, "remove-from-group") == 0)
		return okta_remove_from_group(r->okta, a[0], a[1], p, err);
	if (strcmp(op, "ping") == 0)
		return okta_ping(r->okta, p, err);
	return error_set(err, ERR_INVALID_ARGUMENT, "no operation '%s'", op);
}

/* ---- GitHub ---- */

static json_t *pack_github_user(const struct github_user *u)
{
	return json_pack("{s:I, s:s, s:s, s:s, s:b}", "id", (json_int_t)u->id, "login",
			 u->login, "name", u->name, "email", u->email, "suspended",
			 u->suspended);
}

static json_t *pack_membership(const struct github_membership *m)
{
	static const char *const states[] = { "none", "pending", "active" };

	return json_pack("{s:s, s:s, s:I}", "state", states[m->state], "role", m->role,
			 "user_id", (json_int_t)m->user_id);
}

static bool on_member(void *context, const struct github_member *m, struct error *err)
{
	json_t *verified = m->verified ? json_deep_copy(m->verified) : json_null();

	return add(context,
		   json_pack("{s:I, s:s, s:s, s:s, s:s, s:o}", "id", (json_int_t)m->id,
			     "login", m->login, "role", m->role, "name", m->name, "email",
			     m->email, "verified", verified),
		   err);
}

static bool on_identity(void *context, const struct github_identity *i, struct error *err)
{
	return add(context,
		   json_pack("{s:s, s:s, s:s, s:s, s:I}", "guid", i->guid, "name_id",
			     i->name_id, "username", i->username, "login", i->login, "id",
			     (json_int_t)i->id),
		   err);
}

static bool on_team(void *context, const struct github_team *t, struct error *err)
{
	return add(context,
		   json_pack("{s:I, s:s, s:s, s:s}", "id", (json_int_t)t->id, "slug",
			     t->slug, "name", t->name, "role", t->role),
		   err);
}

static bool on_credential(void *context, const struct github_credential *c,
			  struct error *err)
{
	return add(context,
		   json_pack("{s:I, s:s, s:s}", "id", (json_int_t)c->id, "login",
			     c->login, "type", c->type),
		   err);
}

/* Twice with one cache, to see what the second costs. */
static bool members_twice(struct run *r, struct error *err)
{
	struct github_cache cache = { 0 };
	bool first, second = true;
	const bool good = github_each_member(r->github, r->args[0], &cache, &r->patience,
					     on_member, r, &first, err) &&
			  github_each_member(r->github, r->args[0], &cache, &r->patience,
					     on_member, r, &second, err);

	github_cache_done(&cache);
	return good && give(r, json_pack("[b, b]", first, second));
}

static bool github_change(struct run *r, const char *op, struct error *err)
{
	const struct rest_patience *p = &r->patience;
	struct github_membership m;
	char **a = r->args;

	if (strcmp(op, "set-membership") == 0)
		return github_set_membership(r->github, a[0], a[1], p, &m, err) &&
		       give(r, pack_membership(&m));
	if (strcmp(op, "remove") == 0)
		return github_remove_membership(
			r->github, a[0],
			strcmp(a[1], "pending") == 0 ? GITHUB_PENDING : GITHUB_ACTIVE, p,
			err);
	if (strcmp(op, "set-team") == 0)
		return github_set_team_membership(r->github, a[0], a[1], a[2], p, &m,
						  err) &&
		       give(r, pack_membership(&m));
	if (strcmp(op, "remove-credential") == 0)
		return github_remove_credential(r->github, strtoll(a[0], NULL, 10), p,
						err);
	if (strcmp(op, "suspend") == 0)
		return github_suspend(r->github, a[0], "test", p, err);
	if (strcmp(op, "unsuspend") == 0)
		return github_unsuspend(r->github, a[0], "test", p, err);
	return error_set(err, ERR_INVALID_ARGUMENT, "no operation '%s'", op);
}

static bool github_call(struct run *r, const char *op, struct error *err)
{
	const struct rest_patience *p = &r->patience;
	struct github_user user;
	struct github_membership m;
	json_auto_t *json = NULL;
	char **a = r->args;
	bool there = false;

	if (strcmp(op, "user") == 0)
		return github_get_user(r->github, a[0], p, &json, &user, err) &&
		       give(r, pack_github_user(&user));
	if (strcmp(op, "user-by-id") == 0)
		return github_get_user_by_id(r->github, strtoll(a[0], NULL, 10), p, &json,
					     &user, err) &&
		       give(r, pack_github_user(&user));
	if (strcmp(op, "self") == 0)
		return github_get_self(r->github, p, &json, &user, err) &&
		       give(r, pack_github_user(&user));
	if (strcmp(op, "members") == 0)
		return github_each_member(r->github, a[0], NULL, p, on_member, r, NULL,
					  err);
	if (strcmp(op, "members-twice") == 0)
		return members_twice(r, err);
	if (strcmp(op, "profiles") == 0)
		return github_each_profile(r->github, p, on_member, r, err);
	if (strcmp(op, "outside") == 0)
		return github_each_outside(r->github, p, on_member, r, err);
	if (strcmp(op, "identities") == 0)
		return github_each_identity(r->github, p, on_identity, r, &there, err) &&
		       give(r, json_boolean(there));
	if (strcmp(op, "membership") == 0)
		return github_get_membership(r->github, a[0], p, &m, err) &&
		       give(r, pack_membership(&m));
	if (strcmp(op, "teams-of") == 0)
		return github_each_team_of(r->github, a[0], p, on_team, r, err);
	if (strcmp(op, "credentials") == 0)
		return github_each_credential(r->github, a[0], p, on_credential, r, err);
	if (strcmp(op, "ping") == 0)
		return github_ping(r->github, p, err);
	return github_change(r, op, err);
}

/* ---- Slack ---- */

static json_t *pack_slack_user(const struct slack_user *u)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:b, s:b}", "id",
			 u->id, "team_id", u->team_id, "name", u->name, "real_name",
			 u->real_name, "email", u->email, "deleted", u->deleted, "is_bot",
			 u->is_bot, "is_guest", u->is_guest, "is_owner", u->is_owner,
			 "is_stranger", u->is_stranger);
}

static json_t *pack_scim_user(const struct slack_scim_user *u)
{
	return json_pack("{s:s, s:s, s:s, s:b}", "id", u->id, "user_name", u->user_name,
			 "email", u->email, "active", u->active);
}

static bool on_slack_user(void *context, const struct slack_user *u, struct error *err)
{
	return add(context, pack_slack_user(u), err);
}

static bool on_usergroup(void *context, const struct slack_usergroup *g,
			 struct error *err)
{
	return add(context,
		   json_pack("{s:s, s:s, s:b}", "id", g->id, "handle", g->handle,
			     "is_disabled", g->is_disabled),
		   err);
}

/* Any method, with arguments as JSON. */
static bool any_method(struct run *r, bool admin, struct error *err)
{
	_cleanup_slack_answer_ struct slack_answer answer = SLACK_ANSWER_INIT;
	const char *text = r->args[1];
	json_auto_t *arguments = text ? json_parse(text, strlen(text), JSON_SYNTAX, err)
				      : NULL;
	const bool good = (!text || arguments) && (admin ? slack_admin_call : slack_call)(
							  r->slack, r->args[0], arguments,
							  &r->patience, &answer, err);

	return give(r, json_pack("{s:O?, s:s, s:s}", "body", answer.body, "error",
				 answer.error, "scopes", answer.scopes)) &&
	       good;
}

static bool upload(struct run *r, struct error *err)
{
	const struct slack_file file = {
		.name = r->args[0],
		.bytes = r->args[1],
		.length = strlen(r->args[1]),
		.channel = r->args[2],
	};
	_cleanup_free_ char *id = NULL;

	return slack_upload(r->slack, &file, &r->patience, &id, err) &&
	       give(r, json_string(id));
}

static bool slack_change(struct run *r, const char *op, struct error *err)
{
	const struct rest_patience *p = &r->patience;
	struct slack_scim_user member;
	json_auto_t *json = NULL;
	char **a = r->args;

	if (strcmp(op, "call") == 0 || strcmp(op, "admin-call") == 0)
		return any_method(r, *op == 'a', err);
	if (strcmp(op, "reset-sessions") == 0)
		return slack_reset_sessions(r->slack, a[0], false, false, p, err);
	if (strcmp(op, "scim-get") == 0)
		return slack_scim_get(r->slack, a[0], p, &json, &member, err) &&
		       give(r, pack_scim_user(&member));
	if (strcmp(op, "scim-find") == 0)
		return slack_scim_find(r->slack, a[0], p, &json, &member, err) &&
		       give(r, pack_scim_user(&member));
	if (strcmp(op, "scim-set-active") == 0)
		return slack_scim_set_active(r->slack, a[0], strcmp(a[1], "true") == 0, p,
					     err);
	if (strcmp(op, "upload") == 0)
		return upload(r, err);
	return error_set(err, ERR_INVALID_ARGUMENT, "no operation '%s'", op);
}

static bool slack_op(struct run *r, const char *op, struct error *err)
{
	const struct rest_patience *p = &r->patience;
	struct slack_identity who;
	struct slack_user user;
	json_auto_t *json = NULL;
	json_t *ids = NULL;
	char **a = r->args;

	if (strcmp(op, "test") == 0)
		return slack_test(r->slack, p, &who, err) &&
		       give(r, json_pack("{s:s, s:s, s:s}", "team_id", who.team_id,
					 "user_id", who.user_id, "scopes", who.scopes));
	if (strcmp(op, "user") == 0)
		return slack_get_user(r->slack, a[0], p, &json, &user, err) &&
		       give(r, pack_slack_user(&user));
	if (strcmp(op, "user-by-email") == 0)
		return slack_get_user_by_email(r->slack, a[0], p, &json, &user, err) &&
		       give(r, pack_slack_user(&user));
	if (strcmp(op, "users") == 0)
		return slack_each_user(r->slack, p, on_slack_user, r, err);
	if (strcmp(op, "usergroups") == 0)
		return slack_each_usergroup(r->slack, p, on_usergroup, r, err);
	if (strcmp(op, "usergroup") == 0)
		return slack_usergroup_members(r->slack, a[0], p, &ids, err) &&
		       give(r, ids);
	return slack_change(r, op, err);
}

/* ---- All of it ---- */

static bool open_and_call(struct run *r, const char *folder, const char *vendor,
			  const char *op, struct error *err)
{
	_cleanup_(statedir_freep) struct statedir *dir = statedir_new(folder, err);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_auto_t *config = NULL;

	if (!dir || !file_read_fd(STDIN_FILENO, CONFIG_MAX, &text, err))
		return false;
	config = json_parse(text.data, text.length, JSON_SYNTAX, err);
	if (!config)
		return false;
	if (strcmp(vendor, "okta") == 0) {
		r->okta = okta_open(dir, config, "okta.users.manage", err);
		return r->okta && okta_call(r, op, err);
	}
	if (strcmp(vendor, "github") == 0) {
		r->github = github_open(dir, config, err);
		return r->github && github_call(r, op, err);
	}
	r->slack = slack_open(dir, config, err);
	return r->slack && slack_op(r, op, err);
}

static void print(const struct run *r, bool good, const struct error *err)
{
	json_auto_t *line = json_object();

	if (r->result)
		(void)json_object_set(line, "result", r->result);
	if (good || json_array_size(r->items) > 0)
		(void)json_object_set(line, "items", r->items);
	if (!good)
		(void)json_object_set_new(line, "error",
					  json_pack("{s:s, s:s, s:s, s:s}", "code",
						    error_name(err->code), "message",
						    err->message, "hint", err->hint,
						    "cause", err->cause));
	(void)json_dumpf(line, stdout, JSON_COMPACT);
	(void)putchar('\n');
}

int main(int argc, char **argv)
{
	const char *patience = getenv("PATIENCE_MS");
	struct run r = { .items = json_array() };
	struct error err = ERROR_INIT;

	if (argc < 4) {
		(void)fprintf(stderr, "usage: api-call FOLDER VENDOR OPERATION ...\n");
		return 2;
	}
	r.args = argv + 4;
	r.patience = rest_patience(patience ? strtoll(patience, NULL, 10) : 20000);
	const bool good = open_and_call(&r, argv[1], argv[2], argv[3], &err);
	print(&r, good, &err);
	okta_close(r.okta);
	github_close(r.github);
	slack_close(r.slack);
	json_decref(r.items);
	json_decref(r.result);
	return good ? 0 : 1;
}
