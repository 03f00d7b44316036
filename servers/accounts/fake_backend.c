#include "servers/accounts/fake_backend.h"

#include <strings.h>

#define LOCKED "locked"

static bool copy(const struct fake_account *from, struct account *to)
{
	to->id = strdup(from->id);
	to->identifier = strdup(from->identifier);
	to->uid = strdup(from->uid);
	to->name = strdup(from->name);
	to->mail = strdup(from->mail);
	to->detail = strdup("");
	memcpy(to->lock, from->lock, sizeof to->lock);
	to->permanent = *from->lock != '\0';
	to->state = to->permanent ? ACCOUNT_BLOCKED : ACCOUNT_ACTIVE;
	to->obeyed = true;
	return to->id && to->identifier && to->uid && to->name && to->mail && to->detail;
}

static bool fails(enum error_code code, struct error *err)
{
	return code != ERR_NONE && !error_set(err, code, "as the test asked for");
}

static bool fake_lookup(void *self, enum account_key key, const char *value,
			int64_t now_ms, struct account_list *ret, struct error *err)
{
	struct fake_system *s = self;

	(void)now_ms;
	if (fails(s->lookup_fails, err))
		return false;
	for (const struct fake_account *a = s->accounts; a->id; a++) {
		const char *const keys[] = {
			[ACCOUNT_BY_MAIL] = a->mail,
			[ACCOUNT_BY_UID] = a->uid,
			[ACCOUNT_BY_IDENTIFIER] = a->identifier,
			[ACCOUNT_BY_NAME] = a->name,
		};

		if (strcasecmp(keys[key], value) != 0)
			continue;
		if (ret->count == ACCOUNT_MATCHES_MAX) {
			ret->more = true;
			return true;
		}
		if (!copy(a, account_list_add(ret)))
			return error_oom(err);
	}
	return true;
}

static struct fake_account *find(struct fake_system *s, const char *identifier,
				 const char *id)
{
	for (struct fake_account *a = s->accounts; a->id; a++)
		if (strcmp(a->identifier, identifier) == 0 && strcmp(a->id, id) == 0)
			return a;
	return NULL;
}

static bool fake_read(void *self, const char *identifier, const char *id, int64_t now_ms,
		      struct account *ret, bool *ret_found, struct error *err)
{
	struct fake_system *s = self;
	struct fake_account *a = s->gone ? NULL : find(s, identifier, id);

	(void)now_ms;
	if (fails(s->lookup_fails, err))
		return false;
	*ret_found = a != NULL;
	return !a || copy(a, ret) || error_oom(err);
}

static bool fake_is_protected(void *self, const struct account *account,
			      bool *ret_protected, struct strbuf *why, struct error *err)
{
	(void)self;
	(void)err;
	*ret_protected = strncmp(account->uid, "protected", 9) == 0;
	if (*ret_protected)
		strbuf_add_string(why, "the test says so");
	return true;
}

/* ---- Steps ------------------------------------------------------------------------ */

static const char *fake_notion(void *self, enum account_facet facet)
{
	const struct fake_system *s = self;

	if (facet == FACET_SIGN_IN || (s->facets & 1u << facet))
		return NULL;
	return "the fake knows nothing of it";
}

static bool set_lock(struct facet_step *step, const char *expect, const char *set,
		     struct error *err)
{
	step->act = step->reversible = step->sets_lock = true;
	(void)snprintf(step->lock, sizeof step->lock, "%s", set);
	step->change = json_pack("{s:s, s:s}", "expect", expect, "set", set);
	return step->change || error_oom(err);
}

static bool plan_lock(const struct fake_system *s, const struct account *account,
		      struct facet_step *ret, struct error *err)
{
	if (s->refuses)
		return facet_step_refuse(ret, err, "%s", s->refuses);
	if (account->permanent)
		return true;
	ret->snapshot = json_pack("{s:s}", "lock", account->lock);
	return ret->snapshot ? set_lock(ret, account->lock, LOCKED, err) : error_oom(err);
}

static bool plan_teams(const struct fake_account *a, struct facet_step *ret,
		       struct error *err)
{
	ret->act = *a->teams != '\0';
	if (!ret->act)
		return true;
	ret->reversible = true;
	ret->snapshot = json_pack("{s:s}", "teams", a->teams);
	ret->change = json_pack("{s:s}", "remove", a->teams);
	return (ret->snapshot && ret->change) || error_oom(err);
}

static bool fake_plan_block(void *self, enum account_facet facet,
			    const struct account *account, int64_t now_ms,
			    struct facet_step *ret, struct error *err)
{
	struct fake_system *s = self;
	const struct fake_account *a = find(s, account->identifier, account->id);

	(void)now_ms;
	if (fails(s->lookup_fails, err))
		return false;
	if (!a)
		return error_set(err, ERR_NOT_FOUND, "gone");
	switch (facet) {
	case FACET_SIGN_IN:
		return facet_step_words(ret, account_state_name(account->state),
					"blocked", err) &&
		       plan_lock(s, account, ret, err);
	case FACET_SESSIONS:
	case FACET_TOKENS:
		ret->act = true;
		ret->change = json_object();
		return facet_step_words(ret, "valid", "ended", err) &&
		       (ret->change || error_oom(err));
	case FACET_MEMBERSHIPS:
		return facet_step_words(ret, a->teams, "", err) &&
		       plan_teams(a, ret, err);
	case FACET_COUNT:
		break;
	}
	return false;
}

static bool undo_lock(const struct account *account, const json_t *snapshot,
		      struct facet_step *ret, struct error *err)
{
	const char *before = snapshot ? json_get_string(snapshot, "lock") : "";

	if (!facet_step_words(ret, account_state_name(account->state),
			      *before ? "locked" : "active", err))
		return false;
	if (snapshot && strcmp(account->lock, LOCKED) != 0)
		return facet_step_warn(ret, err, "the lock was changed elsewhere");
	return strcmp(account->lock, before) == 0 ||
	       set_lock(ret, account->lock, before, err);
}

/* Those of the snapshot that are not there; what somebody else added stays. */
static bool undo_teams(const struct fake_account *a, const json_t *snapshot,
		       struct facet_step *ret, struct error *err)
{
	const char *before = json_get_string(snapshot, "teams");
	char add[FAKE_TEAMS_BYTES] = "";
	size_t count = 0;

	for (; *before; before++) {
		if (!strchr(a->teams, *before))
			add[count++] = *before;
		else if (!facet_step_warn(ret, err, "team '%c' was given back elsewhere",
					  *before))
			return false;
	}
	if (!facet_step_words(ret, a->teams, add, err))
		return false;
	ret->act = ret->reversible = count > 0;
	ret->change = count > 0 ? json_pack("{s:s}", "add", add) : NULL;
	return count == 0 || ret->change || error_oom(err);
}

static bool fake_plan_undo(void *self, enum account_facet facet,
			   const struct account *account, const json_t *snapshot,
			   int64_t now_ms, struct facet_step *ret, struct error *err)
{
	struct fake_system *s = self;
	const struct fake_account *a = find(s, account->identifier, account->id);

	(void)now_ms;
	if (fails(s->lookup_fails, err))
		return false;
	if (!a)
		return error_set(err, ERR_NOT_FOUND, "gone");
	return facet == FACET_SIGN_IN ? undo_lock(account, snapshot, ret, err)
				      : undo_teams(a, snapshot, ret, err);
}

static void remove_teams(struct fake_account *a, const char *remove)
{
	size_t kept = 0;

	for (size_t i = 0; a->teams[i]; i++)
		if (!strchr(remove, a->teams[i]))
			a->teams[kept++] = a->teams[i];
	a->teams[kept] = '\0';
}

static void add_teams(struct fake_account *a, const char *add)
{
	for (; *add; add++) {
		size_t n = strlen(a->teams), i = n;

		if (strchr(a->teams, *add) || n + 1 >= sizeof a->teams)
			continue;
		for (; i > 0 && a->teams[i - 1] > *add; i--)
			a->teams[i] = a->teams[i - 1];
		a->teams[i] = *add;
		a->teams[n + 1] = '\0';
	}
}

static void happen(struct fake_account *a, enum account_facet facet, const json_t *change,
		   struct facet_applied *ret)
{
	const char *add = json_get_string(change, "add");
	const char *remove = json_get_string(change, "remove");
	int *count = facet == FACET_SESSIONS ? &a->sessions : &a->tokens;

	if (facet == FACET_SIGN_IN) {
		(void)snprintf(a->lock, sizeof a->lock, "%s",
			       json_get_string(change, "set"));
	} else if (facet == FACET_MEMBERSHIPS) {
		if (add)
			add_teams(a, add);
		if (remove)
			remove_teams(a, remove);
	} else {
		ret->has_count = true;
		ret->count = *count;
		*count = 0;
	}
}

static bool fake_apply(void *self, enum account_facet facet, const char *identifier,
		       const char *id, const json_t *change, struct facet_applied *ret,
		       struct error *err)
{
	struct fake_system *s = self;
	struct fake_account *a = find(s, identifier, id);
	enum error_code code;

	s->changes++;
	if (s->changing)
		s->changing(s->context);
	code = s->change_fails;
	s->change_fails = ERR_NONE;
	if (!a || (facet == FACET_SIGN_IN &&
		   strcmp(a->lock, json_get_string(change, "expect")) != 0))
		return error_set(err, ERR_CONFLICT, "not as it was");
	if (code == ERR_NONE || s->change_happens)
		happen(a, facet, change, ret);
	ret->retry_after_ms = code == ERR_NONE ? 0 : s->retry_after_ms;
	return !fails(code, err);
}

static bool is_so(const struct fake_account *a, enum account_facet facet,
		  const json_t *change)
{
	const char *add = json_get_string(change, "add");
	const char *remove = json_get_string(change, "remove");

	switch (facet) {
	case FACET_SIGN_IN:
		return strcmp(a->lock, json_get_string(change, "set")) == 0;
	case FACET_SESSIONS:
		return a->sessions == 0;
	case FACET_TOKENS:
		return a->tokens == 0;
	case FACET_MEMBERSHIPS:
		return add ? strspn(add, a->teams) == strlen(add)
			   : !strpbrk(a->teams, remove);
	case FACET_COUNT:
		break;
	}
	return false;
}

static bool fake_read_back(void *self, enum account_facet facet, const char *identifier,
			   const char *id, const json_t *change, int64_t now_ms,
			   enum facet_seen *ret, struct error *err)
{
	struct fake_system *s = self;
	const struct fake_account *a = s->gone ? NULL : find(s, identifier, id);

	(void)now_ms;
	if (fails(s->lookup_fails, err))
		return false;
	if (!a)
		return error_set(err, ERR_NOT_FOUND, "gone");
	if (s->blind & 1u << facet)
		*ret = FACET_SEEN_BLIND;
	else if (s->late & ~s->shown & 1u << facet)
		*ret = FACET_SEEN_PENDING;
	else
		*ret = is_so(a, facet, change) ? FACET_SEEN_DONE : FACET_SEEN_NOT;
	return true;
}

/* ---- The rest --------------------------------------------------------------------- */

static bool fake_list_blocked(void *self, int64_t now_ms, struct account_list *ret,
			      struct error *err)
{
	struct fake_system *s = self;

	(void)now_ms;
	for (const struct fake_account *a = s->accounts; a->id; a++)
		if (*a->lock && !copy(a, account_list_add(ret)))
			return error_oom(err);
	return true;
}

static bool fake_ready(void *self, struct error *err)
{
	return !fails(((struct fake_system *)self)->lookup_fails, err);
}

static void fake_close(void *self)
{
	(void)self;
}

#define FAKE(name)                                                                       \
	{                                                                                \
		.system = (name), .notion = fake_notion, .lookup = fake_lookup,          \
		.read = fake_read, .is_protected = fake_is_protected,                    \
		.plan_block = fake_plan_block, .plan_undo = fake_plan_undo,              \
		.apply = fake_apply, .read_back = fake_read_back,                        \
		.list_blocked = fake_list_blocked, .ready = fake_ready,                  \
		.close = fake_close,                                                     \
	}

const struct account_backend fake_backend = FAKE("fake");
const struct account_backend fake_ldap = FAKE("ldap");
const struct account_backend fake_okta = FAKE("okta");
const struct account_backend fake_github = FAKE("github");
const struct account_backend fake_slack = FAKE("slack");
