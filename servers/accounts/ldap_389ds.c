/*
 * The dialects of 389 Directory Server and of FreeIPA, which is one.
 *
 * A block is nsAccountLock TRUE; "FALSE" and no value are both "not blocked", and undo
 * restores whichever it was. The server compares neither the entry nor the value for
 * us (it knows no assertions): the id is read before, the old value is deleted and the
 * new one added in one modify, which fails when another has changed it.
 *
 * nsAccountLock may also be computed, from roles (nsDisabledRole): then it is no value
 * of the entry, and taking it away is not ours. A lock after wrong passwords is
 * accountUnlockTime, and ends by itself. Our lock reads as nsAccountLock does, "role",
 * or "retry:TIME".
 */
#include <strings.h>

#include "base/clock.h"
#include "servers/accounts/ldap_directory.h"

#define LOCK   "nsAccountLock"
#define LOCKED "TRUE"
#define UNLOCK "accountUnlockTime"
#define ROLE   "role"
#define RETRY  "retry:"

/* "Until an administrator acts", of a lock after wrong passwords. */
#define UNLOCK_NEVER "19700101000000Z"

static const char *const attributes[] = { "uid",  "cn",         "displayName",
					  "mail", "nsUniqueId", LOCK,
					  UNLOCK, "nsRole",     NULL };
static const char *const by_mail[] = { "mail", NULL };
static const char *const by_uid[] = { "uid", NULL };
static const char *const by_name[] = { "cn", "displayName", NULL };

static bool add_id(struct strbuf *filter, const char *id)
{
	ldap_link_filter(filter, "nsUniqueId", id);
	return true;
}

static char *get_id(const struct ldap_entry *e)
{
	const char *id = ldap_entry_value(e, "nsUniqueId", 0);

	return strdup(id ? id : "");
}

/* ---- What an entry says --------------------------------------------------------------- */

static bool is_locked_by_role(const struct ldap_entry *e)
{
	static const char *const roles[] = { "cn=nsdisabledrole,",
					     "cn=nsmanageddisabledrole," };
	const char *role;

	for (size_t i = 0; (role = ldap_entry_value(e, "nsRole", i)); i++)
		for (size_t r = 0; r < ARRAY_SIZE(roles); r++)
			if (strncasecmp(role, roles[r], strlen(roles[r])) == 0)
				return true;
	return false;
}

/* Whether a lock after wrong passwords is in force; '*ret_until_ms' 0: it does not end. */
static bool is_locked_out(const char *unlock, int64_t now_ms, int64_t *ret_until_ms)
{
	struct error odd = ERROR_INIT;
	int64_t until_ms = 0;

	*ret_until_ms = 0;
	if (!unlock)
		return false;
	if (strcmp(unlock, UNLOCK_NEVER) == 0)
		return true;
	/* What cannot be read might be a lock: said to be one. */
	if (!ppolicy_parse_time(unlock, &until_ms, &odd))
		return true;
	*ret_until_ms = until_ms;
	return until_ms > now_ms;
}

static bool judge(const struct ldap_judging *j, const struct ldap_entry *e,
		  struct account *ret, struct error *err)
{
	const char *lock = ldap_entry_value(e, LOCK, 0);
	const char *unlock = ldap_entry_value(e, UNLOCK, 0);
	bool locked = lock && strcasecmp(lock, LOCKED) == 0;
	int64_t until_ms = 0;
	char text[CLOCK_TEXT_BYTES];

	(void)err;
	ret->obeyed = true;
	ret->state = ACCOUNT_ACTIVE;
	if (ldap_entry_value(e, LOCK, 1)) {
		ret->state = ACCOUNT_UNKNOWN;
		(void)snprintf(ret->lock, sizeof ret->lock, "several");
		strbuf_add_string(j->detail, LOCK " has several values");
	} else if (locked) {
		bool by_role = is_locked_by_role(e);

		ret->state = ACCOUNT_BLOCKED;
		ret->permanent = true;
		(void)snprintf(ret->lock, sizeof ret->lock, "%s", by_role ? ROLE : lock);
		if (by_role)
			strbuf_add_string(j->detail, "locked through a role");
	} else if (is_locked_out(unlock, j->now_ms, &until_ms)) {
		ret->state = ACCOUNT_BLOCKED;
		ret->until_ms = until_ms;
		(void)snprintf(ret->lock, sizeof ret->lock, RETRY "%s", unlock);
		strbuf_add_string(j->detail,
				  "locked by the directory after wrong passwords");
		if (until_ms != 0)
			strbuf_add_format(j->detail, ", until %s",
					  clock_format(until_ms, text));
	}
	return true;
}

/* Members of the group that FreeIPA itself takes for its administrators. */
static char *ipa_administrators(struct ldap_directory *d, struct error *err)
{
	const char *suffix = strcasestr(d->people_base, "dc=");
	char *dn = NULL;

	if (asprintf(&dn, "cn=admins,cn=groups,cn=accounts,%s", suffix ? suffix : "") < 0)
		error_oom(err);
	return dn;
}

/* ---- Steps ---------------------------------------------------------------------------- */

/* The value that stands in the entry, "" for none. */
static bool read_value(struct ldap_directory *d, const struct account *a, char *ret,
		       size_t size, struct error *err)
{
	_cleanup_(ldap_entry_freep) struct ldap_entry *e = NULL;
	const char *value;

	if (!ldap_accounts_entry(d, &ldap_389ds, a->identifier, a->id, &e, err))
		return false;
	value = e ? ldap_entry_value(e, LOCK, 0) : NULL;
	(void)snprintf(ret, size, "%s", value ? value : "");
	return true;
}

static bool plan_block(struct ldap_directory *d, const struct account *a,
		       struct facet_step *ret, struct error *err)
{
	char value[ACCOUNT_LOCK_BYTES];

	if (a->state == ACCOUNT_UNKNOWN)
		return facet_step_refuse(ret, err,
					 LOCK " has several values: mend the "
					      "entry first");
	if (!read_value(d, a, value, sizeof value, err))
		return false;
	ret->snapshot = json_pack("{s:s, s:s}", "lock", a->lock, "value", value);
	return ret->snapshot ? ldap_step_set(ret, value, LOCKED, LOCKED, err)
			     : error_oom(err);
}

/* Give back the value of before; a lock after wrong passwords that was there as well
 * goes on, or has ended by itself. */
static bool undo_block(struct ldap_directory *d, const struct account *a,
		       const char *before, int64_t now_ms, struct facet_step *ret,
		       struct error *err)
{
	_cleanup_(ldap_entry_freep) struct ldap_entry *e = NULL;
	const char *unlock;
	char lock[ACCOUNT_LOCK_BYTES] = "";
	int64_t until_ms;

	if (!ldap_accounts_entry(d, &ldap_389ds, a->identifier, a->id, &e, err))
		return false;
	unlock = e ? ldap_entry_value(e, UNLOCK, 0) : NULL;
	if (unlock && is_locked_out(unlock, now_ms, &until_ms)) {
		(void)snprintf(lock, sizeof lock, RETRY "%s", unlock);
		if (!facet_step_warn(ret, err,
				     "wrong passwords have locked it too; that lock is "
				     "the directory's and stays until it ends"))
			return false;
	}
	return ldap_step_set(ret, a->lock, before, lock, err);
}

static bool plan_undo(struct ldap_directory *d, const struct account *a,
		      const json_t *snapshot, int64_t now_ms, struct facet_step *ret,
		      struct error *err)
{
	const char *before = snapshot ? json_get_string(snapshot, "value") : "";

	if (!before)
		return error_set(err, ERR_INTERNAL,
				 "the record of the block has no value");
	if (strcmp(a->lock, ROLE) == 0)
		return facet_step_refuse(
			ret, err,
			"it is locked through a role: take it out of the "
			"role with 'dsidm account unlock'");
	if (a->state == ACCOUNT_UNKNOWN)
		return facet_step_refuse(ret, err,
					 LOCK " has several values: mend the "
					      "entry first");
	if (snapshot && strcmp(a->lock, LOCKED) != 0)
		return facet_step_warn(ret, err,
				       "the lock of the block was changed elsewhere "
				       "meanwhile; what is there now stays");
	if (strncmp(a->lock, RETRY, strlen(RETRY)) == 0)
		return ldap_step_set(ret, a->lock, "", "", err);
	return *a->lock == '\0' || undo_block(d, a, before, now_ms, ret, err);
}

/* One attribute from one value to another, "" for none, in one modify. */
static bool swap(struct ldap_directory *d, const char *identifier, const char *attribute,
		 const char *expect, const char *set, struct error *err)
{
	struct ldap_link_change what[2];
	size_t count = 0;
	bool unchanged;

	if (*expect)
		what[count++] = (struct ldap_link_change){ .op = LDAP_LINK_DELETE,
							   .attribute = attribute,
							   .value = expect };
	if (*set)
		what[count++] = (struct ldap_link_change){ .op = LDAP_LINK_ADD,
							   .attribute = attribute,
							   .value = set };
	return count == 0 ||
	       ldap_link_modify(d->link, identifier, NULL, what, count, &unchanged, err);
}

static bool apply(struct ldap_directory *d, const char *identifier, const char *id,
		  const json_t *change, struct error *err)
{
	_cleanup_(ldap_entry_freep) struct ldap_entry *e = NULL;
	const char *expect, *set, *now;

	if (!ldap_step_read(change, &expect, &set, err) ||
	    !ldap_accounts_entry(d, &ldap_389ds, identifier, id, &e, err))
		return false;
	if (!e)
		return error_set(err, ERR_NOT_FOUND,
				 "there is no entry '%s' with this id", identifier);
	if (strncmp(expect, RETRY, strlen(RETRY)) == 0)
		return swap(d, identifier, UNLOCK, expect + strlen(RETRY), set, err);
	now = ldap_entry_value(e, LOCK, 0);
	if (strcmp(now ? now : "", expect) != 0)
		return error_set(err, ERR_CONFLICT, "'%s' is not as it was planned for",
				 identifier);
	return swap(d, identifier, LOCK, expect, set, err);
}

static bool is_done(struct ldap_directory *d, const struct account *now,
		    const json_t *change, bool *ret, struct error *err)
{
	const char *expect, *set;

	(void)d;
	if (!ldap_step_read(change, &expect, &set, err))
		return false;
	if (strcmp(set, LOCKED) == 0)
		*ret = strcmp(now->lock, LOCKED) == 0;
	else
		*ret = now->state != ACCOUNT_UNKNOWN && !now->permanent &&
		       strcmp(now->lock, expect) != 0;
	return true;
}

#define OF_BOTH                                                                          \
	/* dsidm makes people that are no inetOrgPerson. */                              \
	.person = "(|(objectClass=inetOrgPerson)(objectClass=nsPerson))",                \
	.blocked = "(|(" LOCK "=" LOCKED ")(" UNLOCK "=*))",                             \
	.able = "(!(" LOCK "=" LOCKED "))", .member_of = "memberOf",                     \
	.attributes = attributes, .uid = "uid", .name_attribute = "displayName",         \
	.mail = "mail", .by_mail = by_mail, .by_uid = by_uid, .by_name = by_name,        \
	.add_id = add_id, .get_id = get_id, .judge = judge, .plan_block = plan_block,    \
	.plan_undo = plan_undo, .apply = apply, .is_done = is_done

#define TOKENS                                                                           \
	("a directory knows no tokens: keys and passwords that were handed out "         \
	 "elsewhere must be revoked where they are")
#define MEMBERSHIPS "groups stay as they are: nobody can use them without signing in"

const struct ldap_dialect ldap_389ds = {
	.name = "389ds",
	.title = "389 Directory Server",
	.notions = {
		[FACET_SESSIONS] = "a directory knows no sessions: connections, tickets and "
				   "cookies that are in use already stay valid and must be "
				   "ended where they are",
		[FACET_TOKENS] = TOKENS,
		[FACET_MEMBERSHIPS] = MEMBERSHIPS,
	},
	OF_BOTH,
};

const struct ldap_dialect ldap_freeipa = {
	.name = "freeipa",
	.title = "FreeIPA",
	.administrators = ipa_administrators,
	.notions = {
		[FACET_SESSIONS] = "FreeIPA ends no sessions: new Kerberos tickets are "
				   "refused, those given out are good until they expire, "
				   "and connections and cookies until they are ended where "
				   "they are",
		[FACET_TOKENS] = TOKENS,
		[FACET_MEMBERSHIPS] = MEMBERSHIPS,
	},
	OF_BOTH,
};
