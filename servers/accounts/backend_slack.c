#include "servers/accounts/backend_slack.h"

#include <strings.h>

#include "api/slack/slack.h"
#include "servers/accounts/vendor.h"

#define DEACTIVATED "deactivated"

struct slack_system {
	struct slack *slack;
	bool deactivates, resets;
};

/* ---- Members become accounts ------------------------------------------------------ */

static bool make_account(const struct slack_user *u, struct account *ret,
			 struct error *err)
{
	const struct vendor_names names = { .id = u->id,
					    .identifier = u->id,
					    .uid = u->name,
					    .name = u->real_name,
					    .mail = u->email };

	ret->state = u->deleted ? ACCOUNT_BLOCKED : ACCOUNT_ACTIVE;
	ret->permanent = u->deleted;
	ret->obeyed = true;
	if (u->deleted)
		(void)snprintf(ret->lock, sizeof ret->lock, DEACTIVATED);
	return vendor_account(ret, &names, u->is_guest ? "a guest" : "", err);
}

static bool add(struct account_list *list, const struct slack_user *user,
		struct error *err)
{
	struct account *a = account_list_add(list);

	return a ? make_account(user, a, err) : error_oom(err);
}

/* Nobody is no error. */
static bool or_nobody(struct error *err)
{
	if (err->code != ERR_NOT_FOUND)
		return false;
	error_clear(err);
	return true;
}

static bool add_by_id(struct slack_system *s, const char *id, struct account_list *list,
		      struct error *err)
{
	const struct rest_patience p = rest_patience(VENDOR_READ_MS);
	json_auto_t *json = NULL;
	struct slack_user user = { 0 };

	if (!slack_is_user_id(id))
		return true;
	return slack_get_user(s->slack, id, &p, &json, &user, err) ? add(list, &user, err)
								   : or_nobody(err);
}

static bool add_by_mail(struct slack_system *s, const char *mail,
			struct account_list *list, struct error *err)
{
	const struct rest_patience p = rest_patience(VENDOR_READ_MS);
	json_auto_t *json = NULL, *scim_json = NULL;
	struct slack_scim_user member = { 0 };
	struct slack_user user = { 0 };

	if (slack_get_user_by_email(s->slack, mail, &p, &json, &user, err)) {
		/* An address that somebody only wrote there is nobody's. */
		if (json_is_false(json_object_get(user.object, "is_email_confirmed")))
			return true;
		return add(list, &user, err);
	}
	if (!or_nobody(err))
		return false;
	/* Who is deactivated is found by SCIM alone. */
	if (!s->deactivates)
		return true;
	return slack_scim_find(s->slack, mail, &p, &scim_json, &member, err)
		       ? add_by_id(s, member.id, list, err)
		       : or_nobody(err);
}

static bool slack_lookup(void *self, enum account_key key, const char *value,
			 int64_t now_ms, struct account_list *ret, struct error *err)
{
	(void)now_ms;
	switch (key) {
	case ACCOUNT_BY_MAIL:
		return add_by_mail(self, value, ret, err);
	case ACCOUNT_BY_UID:
	case ACCOUNT_BY_IDENTIFIER:
		return add_by_id(self, value, ret, err);
	case ACCOUNT_BY_NAME:
		break; /* anybody may call himself anything */
	}
	return true;
}

static bool slack_read(void *self, const char *identifier, const char *id, int64_t now_ms,
		       struct account *ret, bool *ret_found, struct error *err)
{
	_cleanup_(account_list_done) struct account_list list = ACCOUNT_LIST_INIT;

	(void)now_ms;
	if (!add_by_id(self, id, &list, err))
		return false;
	*ret_found = list.count == 1 && strcmp(identifier, id) == 0;
	if (*ret_found) {
		*ret = list.items[0];
		list.count = 0; /* given away */
	}
	return true;
}

static bool read_user(struct slack_system *s, const char *id, json_t **ret_json,
		      struct slack_user *ret, struct error *err)
{
	const struct rest_patience p = rest_patience(VENDOR_READ_MS);

	return slack_get_user(s->slack, id, &p, ret_json, ret, err);
}

static bool slack_is_protected(void *self, const struct account *account,
			       bool *ret_protected, struct strbuf *why, struct error *err)
{
	json_auto_t *json = NULL;
	struct slack_user user = { 0 };

	if (!read_user(self, account->id, &json, &user, err))
		return false;
	*ret_protected = user.is_owner || user.is_primary_owner || user.is_bot;
	if (user.is_owner || user.is_primary_owner)
		strbuf_add_string(why, "owner of the Slack workspace");
	else if (user.is_bot)
		strbuf_add_string(why, "a bot in Slack");
	return strbuf_ok(why) || error_oom(err);
}

/* ---- Plans ------------------------------------------------------------------------ */

static const char *slack_notion(void *self, enum account_facet facet)
{
	const struct slack_system *s = self;

	switch (facet) {
	case FACET_SIGN_IN:
		return s->deactivates ? NULL
				      : "this server was not given the right to "
					"deactivate members of Slack: block the sign-in "
					"where Slack asks, at the identity provider";
	case FACET_SESSIONS:
		return s->resets ? NULL
				 : "this server was not given the right to end sessions "
				   "in Slack; a deactivation ends them";
	case FACET_TOKENS:
		return "a member's own tokens end with the deactivation; apps that the "
		       "member installed live on and must be removed by an administrator";
	case FACET_MEMBERSHIPS:
	case FACET_COUNT:
		break;
	}
	return "channels stay as they are: nobody can read them without signing in";
}

static bool set_change(struct facet_step *step, bool active, struct error *err)
{
	step->act = true;
	step->sets_lock = true;
	(void)snprintf(step->lock, sizeof step->lock, "%s", active ? "" : DEACTIVATED);
	step->change = json_pack("{s:b}", "active", active);
	return step->change || error_oom(err);
}

static bool plan_deactivation(struct slack_system *s, const struct account *a,
			      struct facet_step *ret, struct error *err)
{
	json_auto_t *json = NULL;
	struct slack_user user = { 0 };

	if (!facet_step_words(ret, *a->lock ? DEACTIVATED : "active", DEACTIVATED, err))
		return false;
	if (*a->lock)
		return true;
	if (!read_user(s, a->id, &json, &user, err) || !set_change(ret, false, err))
		return false;
	ret->reversible = !user.is_guest;
	ret->snapshot = json_pack("{s:b, s:b}", "active", 1, "guest", user.is_guest);
	if (!ret->snapshot)
		return error_oom(err);
	if (user.is_guest &&
	    !facet_step_warn(ret, err,
			     "a guest who is activated again has lost the "
			     "channels, which must be given by hand"))
		return false;
	return facet_step_warn(ret, err,
			       "an identity provider that keeps Slack's members may "
			       "activate the member again: act there as well");
}

static bool slack_plan_block(void *self, enum account_facet facet,
			     const struct account *a, int64_t now_ms,
			     struct facet_step *ret, struct error *err)
{
	struct slack_system *s = self;

	(void)now_ms;
	if (facet == FACET_SIGN_IN)
		return plan_deactivation(s, a, ret, err);
	if (*a->lock)
		return facet_step_words(ret, "none: deactivated", "none: deactivated",
					err);
	ret->act = true;
	ret->change = json_pack("{s:s}", "end", "all");
	if (!ret->change)
		return error_oom(err);
	if (!facet_step_words(ret, "open in browsers and apps", "ended", err))
		return false;
	return s->deactivates ||
	       facet_step_warn(ret, err,
			       "the member can sign in again at once: nothing here keeps "
			       "anybody out of Slack");
}

static bool slack_plan_undo(void *self, enum account_facet facet, const struct account *a,
			    const json_t *snapshot, int64_t now_ms,
			    struct facet_step *ret, struct error *err)
{
	(void)self, (void)now_ms;
	if (facet != FACET_SIGN_IN)
		return error_set(err, ERR_INTERNAL, "that is not given back in Slack");
	if (!facet_step_words(ret, *a->lock ? DEACTIVATED : "active", "active", err))
		return false;
	if (*a->lock == '\0')
		return !snapshot ||
		       facet_step_warn(ret, err,
				       "the member was activated in Slack meanwhile");
	if (!set_change(ret, true, err))
		return false;
	ret->reversible = true;
	return !snapshot || !json_is_true(json_object_get(snapshot, "guest")) ||
	       facet_step_warn(ret, err, "the guest's channels do not come back with it");
}

/* ---- Doing ------------------------------------------------------------------------ */

static bool wants_active(const json_t *change, bool *ret, struct error *err)
{
	const json_t *active = json_object_get(change, "active");

	*ret = json_is_true(active);
	return json_is_boolean(active) ||
	       error_set(err, ERR_INTERNAL, "a step for Slack lacks what to set");
}

static bool slack_apply(void *self, enum account_facet facet, const char *identifier,
			const char *id, const json_t *change, struct facet_applied *ret,
			struct error *err)
{
	const struct rest_patience p = rest_patience(VENDOR_APPLY_MS);
	struct slack_system *s = self;
	json_auto_t *json = NULL;
	struct slack_user user = { 0 };
	bool active = false, good;

	if (strcmp(identifier, id) != 0)
		return error_set(err, ERR_NOT_FOUND, "Slack has no such member");
	/* Setting what is set already does no harm: there is nothing to compare. */
	if (facet == FACET_SIGN_IN)
		good = wants_active(change, &active, err) &&
		       slack_scim_set_active(s->slack, id, active, &p, err);
	else /* who is deactivated has no sessions, and cannot be asked to end them */
		good = slack_get_user(s->slack, id, &p, &json, &user, err) &&
		       (user.deleted ||
			slack_reset_sessions(s->slack, id, false, false, &p, err));
	if (!good && err->code == ERR_RATE_LIMITED)
		ret->retry_after_ms = slack_wait_ms(s->slack);
	return good;
}

static bool slack_read_back(void *self, enum account_facet facet, const char *identifier,
			    const char *id, const json_t *change, int64_t now_ms,
			    enum facet_seen *ret, struct error *err)
{
	const struct rest_patience p = rest_patience(VENDOR_READ_MS);
	struct slack_scim_user member = { 0 };
	json_auto_t *json = NULL;
	struct slack_system *s = self;
	bool active = false;

	(void)identifier, (void)now_ms;
	if (facet == FACET_SESSIONS) {
		*ret = FACET_SEEN_BLIND;
		return true;
	}
	if (!wants_active(change, &active, err) ||
	    !slack_scim_get(s->slack, id, &p, &json, &member, err))
		return false;
	*ret = member.active == active ? FACET_SEEN_DONE : FACET_SEEN_NOT;
	return true;
}

/* ---- Life ------------------------------------------------------------------------- */

static bool slack_ready(void *self, struct error *err)
{
	const struct rest_patience p = rest_patience(VENDOR_READ_MS);
	struct slack_identity who;

	return slack_test(((struct slack_system *)self)->slack, &p, &who, err);
}

static void system_free(struct slack_system *s)
{
	if (!s)
		return;
	slack_close(s->slack);
	free(s);
}
DEFINE_CLEANUP(struct slack_system, system_free);

static void slack_end(void *self)
{
	system_free(self);
}

static const struct account_backend slack_backend = {
	.system = "slack",
	.notion = slack_notion,
	.lookup = slack_lookup,
	.read = slack_read,
	.is_protected = slack_is_protected,
	.plan_block = slack_plan_block,
	.plan_undo = slack_plan_undo,
	.apply = slack_apply,
	.read_back = slack_read_back,
	.ready = slack_ready,
	.close = slack_end,
};

bool backend_slack_open(const struct statedir *dir, const json_t *config,
			struct account_system *ret, struct error *err)
{
	_cleanup_(system_freep) struct slack_system *s = calloc(1, sizeof *s);
	const json_t *own = json_object_get(config, "slack");
	const json_t *api;

	if (!s)
		return error_oom(err);
	api = vendor_config(config, "slack", "api", err);
	if (!api)
		return false;
	s->deactivates = json_is_true(json_object_get(own, "deactivate"));
	s->resets = json_is_true(json_object_get(own, "reset_sessions"));
	s->slack = slack_open(dir, api, err);
	if (!s->slack)
		return false;
	if ((s->deactivates || s->resets) && !slack_has_admin(s->slack))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "'backend.slack' wants api.admin_token_file to "
				 "deactivate members or end sessions");
	*ret = (struct account_system){ .backend = &slack_backend, .self = TAKE(s) };
	return true;
}
