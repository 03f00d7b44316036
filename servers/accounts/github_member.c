#include "servers/accounts/github_member.h"

#include "servers/accounts/vendor.h"

/* What a snapshot may take of FACET_JSON_MAX, with room for what stands around it. */
enum { TEAMS_BYTES_MAX = FACET_JSON_MAX - 1024 };

static const char *state_name(enum github_state state)
{
	switch (state) {
	case GITHUB_ACTIVE:
		return "active";
	case GITHUB_PENDING:
		return "pending";
	case GITHUB_NONE:
		break;
	}
	return GITHUB_MEMBER_NONE;
}

/* "member of 'acme', role member, 2 teams" */
static void describe(const struct github *g, enum github_state state, const char *role,
		     size_t teams, char text[static 160])
{
	if (state == GITHUB_NONE)
		(void)snprintf(text, 160, "not in '%s'", github_organization(g));
	else
		(void)snprintf(text, 160, "%s '%s', role %s, %zu team%s",
			       state == GITHUB_PENDING ? "invited to" : "member of",
			       github_organization(g), role, teams,
			       teams == 1 ? "" : "s");
}

/* ---- Teams ------------------------------------------------------------------------ */

static bool note_team(void *context, const struct github_team *team, struct error *err)
{
	json_t *teams = context;
	json_t *item =
		json_pack("[s, I, s]", team->slug, (json_int_t)team->id, team->role);

	return json_array_append_new(teams, item) == 0 || error_oom(err);
}

static const char *slug_of(const json_t *team)
{
	const char *slug = json_string_value(json_array_get(team, 0));

	return slug ? slug : "";
}

/* Insertion by slug: the plan must read the same each time. */
static bool sort_teams(json_t *teams, struct error *err)
{
	json_auto_t *sorted = json_array();

	for (size_t i = 0; sorted && i < json_array_size(teams); i++) {
		json_t *team = json_array_get(teams, i);
		size_t at = 0;

		while (at < json_array_size(sorted) &&
		       strcmp(slug_of(json_array_get(sorted, at)), slug_of(team)) < 0)
			at++;
		if (json_array_insert(sorted, at, team) != 0)
			return error_oom(err);
	}
	return (sorted && json_array_clear(teams) == 0 &&
		json_array_extend(teams, sorted) == 0) ||
	       error_oom(err);
}

static bool read_teams(struct github *g, const char *login, const struct rest_patience *p,
		       json_t **ret, struct error *err)
{
	json_auto_t *teams = json_array();

	if (!teams)
		return error_oom(err);
	if (!github_each_team_of(g, login, p, note_team, teams, err) ||
	    !sort_teams(teams, err))
		return false;
	*ret = TAKE(teams);
	return true;
}

static bool fits(const json_t *teams, bool *ret, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	if (!json_write(&text, teams, err))
		return false;
	*ret = text.length <= TEAMS_BYTES_MAX;
	return true;
}

/* ---- Taking away ------------------------------------------------------------------ */

static bool warn_of_removal(const struct github *g, struct facet_step *ret,
			    struct error *err)
{
	return facet_step_warn(
		       ret, err,
		       "private forks of the organisation's repositories are "
		       "deleted, and access to single repositories, the SAML link "
		       "and settings are lost: none of it comes back") &&
	       facet_step_warn(
		       ret, err,
		       "coming back is an invitation that the person must accept") &&
	       facet_step_warn(
		       ret, err,
		       "the account itself, its keys and sessions belong to the "
		       "person and work outside of '%s'; copies already made stay",
		       github_organization(g));
}

static bool set_removal(const struct github_membership *m, const json_t *teams,
			struct facet_step *ret, struct error *err)
{
	json_auto_t *copy = json_deep_copy(teams);

	ret->act = true;
	ret->reversible = false;
	ret->sets_lock = true;
	(void)snprintf(ret->lock, sizeof ret->lock, GITHUB_MEMBER_NONE);
	ret->change = json_pack("{s:s, s:s}", "expect", state_name(m->state), "set",
				GITHUB_MEMBER_NONE);
	ret->snapshot = copy ? json_pack("{s:s, s:s, s:O}", "state", state_name(m->state),
					 "role", m->role, "teams", copy)
			     : NULL;
	return (ret->change && ret->snapshot) || error_oom(err);
}

bool github_member_plan_block(struct github *g, const char *login, struct facet_step *ret,
			      struct error *err)
{
	const struct rest_patience p = rest_patience(VENDOR_READ_MS);
	struct github_membership m = { 0 };
	json_auto_t *teams = json_array();
	char from[160], to[160];
	bool good = false;

	if (!teams)
		return error_oom(err);
	if (!github_get_membership(g, login, &p, &m, err))
		return false;
	if (m.state == GITHUB_ACTIVE) {
		json_t *own = NULL;
		if (!read_teams(g, login, &p, &own, err))
			return false;
		json_decref(teams);
		teams = own;
	}
	describe(g, m.state, m.role, json_array_size(teams), from);
	describe(g, GITHUB_NONE, "", 0, to);
	if (!facet_step_words(ret, from, to, err))
		return false;
	if (m.state == GITHUB_NONE)
		return true;
	if (!fits(teams, &good, err))
		return false;
	if (!good)
		return facet_step_refuse(ret, err,
					 "in too many teams (%zu) to remember them all: "
					 "remove the member by hand",
					 json_array_size(teams));
	return set_removal(&m, teams, ret, err) && warn_of_removal(g, ret, err);
}

/* ---- Giving back ------------------------------------------------------------------ */

enum team_now { TEAM_GONE, TEAM_MISSING, TEAM_HAS };

static bool look_at_team(struct github *g, const char *login, const json_t *team,
			 const struct rest_patience *p, enum team_now *ret,
			 struct error *err)
{
	const int64_t id = json_integer_value(json_array_get(team, 1));
	struct github_membership m = { 0 };
	int64_t now_id = 0;

	if (!github_get_team_id(g, slug_of(team), p, &now_id, err))
		return false;
	*ret = TEAM_GONE;
	if (now_id == 0 || now_id != id)
		return true;
	if (!github_get_team_membership(g, slug_of(team), login, p, &m, err))
		return false;
	*ret = m.state == GITHUB_NONE ? TEAM_MISSING : TEAM_HAS;
	return true;
}

/* Those of the snapshot that are there and without the member. */
static bool find_missing(struct github *g, const char *login, const json_t *teams,
			 const struct rest_patience *p, struct facet_step *ret,
			 json_t *missing, struct error *err)
{
	for (size_t i = 0; i < json_array_size(teams); i++) {
		json_t *team = json_array_get(teams, i);
		enum team_now now;

		if (!look_at_team(g, login, team, p, &now, err))
			return false;
		if (now == TEAM_GONE &&
		    !facet_step_warn(ret, err, "the team '%s' was deleted meanwhile",
				     slug_of(team)))
			return false;
		if (now == TEAM_MISSING && json_array_append(missing, team) != 0)
			return error_oom(err);
	}
	return true;
}

static bool set_return(const struct github_membership *m, const char *role,
		       const json_t *missing, struct facet_step *ret, struct error *err)
{
	json_auto_t *copy = json_deep_copy(missing);

	ret->act = true;
	ret->reversible = true;
	ret->sets_lock = true; /* "" */
	ret->change = copy ? json_pack("{s:s, s:s, s:s, s:O}", "expect",
				       state_name(m->state), "set", "member", "role",
				       role, "teams", copy)
			   : NULL;
	return ret->change || error_oom(err);
}

bool github_member_plan_undo(struct github *g, const char *login, const json_t *snapshot,
			     struct facet_step *ret, struct error *err)
{
	const struct rest_patience p = rest_patience(VENDOR_READ_MS);
	const char *role = json_get_string(snapshot, "role");
	json_auto_t *missing = json_array();
	struct github_membership m = { 0 };
	char from[160], to[160];

	if (!github_get_membership(g, login, &p, &m, err))
		return false;
	describe(g, m.state, m.role, 0, from);
	if (!snapshot)
		return facet_step_words(ret, from, from, err) &&
		       (m.state != GITHUB_NONE ||
			facet_step_refuse(ret, err,
					  "role and teams are not known, for Wingman did "
					  "not take the member out: invite by hand"));
	if (!role)
		return error_set(err, ERR_INTERNAL,
				 "the record of the block in GitHub is none");
	if (!missing)
		return error_oom(err);
	if (!find_missing(g, login, json_object_get(snapshot, "teams"), &p, ret, missing,
			  err))
		return false;
	/* What somebody gave meanwhile stays: the role too. */
	if (m.state != GITHUB_NONE) {
		role = m.role;
		if (!facet_step_warn(ret, err,
				     "somebody brought the member back meanwhile; the "
				     "role stays %s",
				     role))
			return false;
	}
	describe(g, m.state == GITHUB_NONE ? GITHUB_ACTIVE : m.state, role,
		 json_array_size(missing), to);
	if (!facet_step_words(ret, from, to, err))
		return false;
	if (m.state != GITHUB_NONE && json_array_size(missing) == 0)
		return true;
	if (m.state == GITHUB_NONE &&
	    !facet_step_warn(ret, err,
			     "the person must accept an invitation; until then it is "
			     "pending"))
		return false;
	return set_return(&m, role, missing, ret, err);
}

/* ---- Doing ------------------------------------------------------------------------ */

static bool wants_none(const json_t *change)
{
	const char *set = json_get_string(change, "set");

	return set && strcmp(set, GITHUB_MEMBER_NONE) == 0;
}

static bool remove_now(struct github *g, const char *login, const json_t *change,
		       const struct rest_patience *p, struct error *err)
{
	const char *expect = json_get_string(change, "expect");
	struct github_membership m = { 0 };

	if (!github_get_membership(g, login, p, &m, err))
		return false;
	if (m.state == GITHUB_NONE)
		return true;
	if (!expect || strcmp(state_name(m.state), expect) != 0)
		return error_set(err, ERR_CONFLICT, "'%s' is %s in '%s' now", login,
				 state_name(m.state), github_organization(g));
	if (strcmp(m.role, "admin") == 0)
		return error_set(err, ERR_CONFLICT, "'%s' became an owner meanwhile",
				 login);
	return github_remove_membership(g, login, m.state, p, err);
}

/* A team that is gone meanwhile is left out; read_back does not ask for it either. */
static bool give_team(struct github *g, const char *login, const json_t *team,
		      const struct rest_patience *p, struct error *err)
{
	const char *role = json_string_value(json_array_get(team, 2));
	struct github_membership m = { 0 };
	enum team_now now;

	if (!role)
		return error_set(err, ERR_INTERNAL, "a step for GitHub lacks a role");
	if (!look_at_team(g, login, team, p, &now, err))
		return false;
	return now != TEAM_MISSING ||
	       github_set_team_membership(g, slug_of(team), login, role, p, &m, err);
}

static bool give_back(struct github *g, const char *login, const json_t *change,
		      const struct rest_patience *p, struct error *err)
{
	const json_t *teams = json_object_get(change, "teams");
	const char *role = json_get_string(change, "role");
	struct github_membership m = { 0 };

	if (!role)
		return error_set(err, ERR_INTERNAL, "a step for GitHub lacks a role");
	if (!github_get_membership(g, login, p, &m, err))
		return false;
	if (m.state == GITHUB_NONE && !github_set_membership(g, login, role, p, &m, err))
		return false;
	for (size_t i = 0; i < json_array_size(teams); i++)
		if (!give_team(g, login, json_array_get(teams, i), p, err))
			return false;
	return true;
}

bool github_member_apply(struct github *g, const char *login, const json_t *change,
			 const struct rest_patience *p, struct error *err)
{
	return wants_none(change) ? remove_now(g, login, change, p, err)
				  : give_back(g, login, change, p, err);
}

bool github_member_read_back(struct github *g, const char *login, const json_t *change,
			     enum facet_seen *ret, struct error *err)
{
	const struct rest_patience p = rest_patience(VENDOR_READ_MS);
	const json_t *teams = json_object_get(change, "teams");
	struct github_membership m = { 0 };

	if (!github_get_membership(g, login, &p, &m, err))
		return false;
	if (wants_none(change)) {
		*ret = m.state == GITHUB_NONE ? FACET_SEEN_DONE : FACET_SEEN_NOT;
		return true;
	}
	*ret = FACET_SEEN_NOT;
	if (m.state == GITHUB_NONE)
		return true;
	for (size_t i = 0; i < json_array_size(teams); i++) {
		enum team_now now;
		if (!look_at_team(g, login, json_array_get(teams, i), &p, &now, err))
			return false;
		if (now == TEAM_MISSING)
			return true;
	}
	*ret = m.state == GITHUB_ACTIVE ? FACET_SEEN_DONE : FACET_SEEN_PENDING;
	return true;
}
