/* The dialect of OpenLDAP with its password-policy overlay. */
#include "servers/accounts/ldap_directory.h"

#define LOCK "pwdAccountLockedTime"

/* The lock and the policy are operational: they come only when named. */
static const char *const attributes[] = { "uid",       "cn", "displayName",       "mail",
					  "entryUUID", LOCK, "pwdPolicySubentry", NULL };
static const char *const by_mail[] = { "mail", NULL };
static const char *const by_uid[] = { "uid", NULL };
static const char *const by_name[] = { "cn", "displayName", NULL };

static bool add_id(struct strbuf *filter, const char *id)
{
	ldap_link_filter(filter, "entryUUID", id);
	return true;
}

static char *get_id(const struct ldap_entry *e)
{
	const char *id = ldap_entry_value(e, "entryUUID", 0);

	return strdup(id ? id : "");
}

/* ---- The policy in force -------------------------------------------------------------- */

static bool read_policy_entry(void *context, struct ldap_entry *entry)
{
	_cleanup_(ldap_entry_freep) struct ldap_entry *e = entry;
	struct ppolicy *policy = context;
	const char *lockout = ldap_entry_value(e, "pwdLockout", 0);
	const char *duration = ldap_entry_value(e, "pwdLockoutDuration", 0);
	int64_t seconds = duration ? strtoll(duration, NULL, 10) : 0;

	policy->found = true;
	policy->lockout = lockout && strcmp(lockout, "TRUE") == 0;
	policy->duration_ms = seconds > 0 && seconds < INT32_MAX ? seconds * 1000 : 0;
	return false;
}

/* The policy in force for an entry: its own, else the overlay's default. One that
 * does not exist obeys no lock; what cannot be asked is an error. */
static bool find_policy(const struct ldap_judging *j, const char *dn, struct ppolicy *ret,
			struct error *err)
{
	static const char *const wanted[] = { "pwdLockout", "pwdLockoutDuration", NULL };
	struct ldap_policies *cache = j->policies;

	*ret = (struct ppolicy){ 0 };
	if (!dn)
		return true;
	for (size_t i = 0; i < cache->count; i++) {
		if (strcmp(cache->items[i].dn, dn) == 0) {
			*ret = cache->items[i].policy;
			return true;
		}
	}
	if (!ldap_link_search(j->directory->link, dn, LDAP_LINK_BASE,
			      "(objectClass=pwdPolicy)", wanted, 1, read_policy_entry,
			      ret, NULL, err))
		return false;
	if (cache->count < LDAP_POLICIES_MAX &&
	    (cache->items[cache->count].dn = strdup(dn)))
		cache->items[cache->count++].policy = *ret;
	return true;
}

static bool judge(const struct ldap_judging *j, const struct ldap_entry *e,
		  struct account *ret, struct error *err)
{
	const char *dn = ldap_entry_value(e, "pwdPolicySubentry", 0);
	const char *lock = ldap_entry_value(e, LOCK, 0);
	struct ppolicy policy;

	if (!find_policy(j, dn ? dn : j->directory->default_policy, &policy, err))
		return false;
	ppolicy_judge(lock ? lock : "", &policy, j->now_ms, ret, j->detail);
	return true;
}

/* ---- Steps ---------------------------------------------------------------------------- */

static bool plan_block(struct ldap_directory *d, const struct account *a,
		       struct facet_step *ret, struct error *err)
{
	(void)d;
	if (!a->obeyed)
		return facet_step_refuse(
			ret, err,
			"the person could still log in after a block: no "
			"password policy that obeys locks is in force; "
			"give it one with pwdLockout TRUE");
	ret->snapshot = json_pack("{s:s}", "lock", a->lock);
	return ret->snapshot ? ldap_step_set(ret, a->lock, PPOLICY_LOCKED_FOR_EVER,
					     PPOLICY_LOCKED_FOR_EVER, err)
			     : error_oom(err);
}

/* What the lock was before the block comes back, also one after failed logins. */
static bool plan_undo(struct ldap_directory *d, const struct account *a,
		      const json_t *snapshot, int64_t now_ms, struct facet_step *ret,
		      struct error *err)
{
	const char *before = snapshot ? json_get_string(snapshot, "lock") : "";

	(void)d;
	(void)now_ms;
	if (!before)
		return error_set(err, ERR_INTERNAL,
				 "the record of the block has no lock");
	if (*before && !facet_step_words(ret, account_state_name(a->state),
					 "locked after failed logins, as before the "
					 "block",
					 err))
		return false;
	if (snapshot && strcmp(a->lock, PPOLICY_LOCKED_FOR_EVER) != 0)
		return facet_step_warn(ret, err,
				       "the lock of the block was changed elsewhere "
				       "meanwhile; what is there now stays");
	return strcmp(a->lock, before) == 0 ||
	       ldap_step_set(ret, a->lock, before, before, err);
}

/* "It is still this entry, and its lock still reads so." */
static bool assertion(const char *id, const char *lock, struct strbuf *filter,
		      struct error *err)
{
	strbuf_add_string(filter, "(&");
	(void)add_id(filter, id);
	if (*lock)
		ldap_link_filter(filter, LOCK, lock);
	else
		strbuf_add_string(filter, "(!(" LOCK "=*))");
	strbuf_add_char(filter, ')');
	return strbuf_ok(filter) || error_oom(err);
}

static bool apply(struct ldap_directory *d, const char *identifier, const char *id,
		  const json_t *change, struct error *err)
{
	_cleanup_strbuf_ struct strbuf filter = STRBUF_INIT;
	struct ldap_link_change what = { .attribute = LOCK };
	const char *expect, *set;
	bool unchanged;

	if (!ldap_step_read(change, &expect, &set, err))
		return false;
	/* Delete, not an empty replace: only this clears the failures counted so far. */
	what.op = *set ? LDAP_LINK_REPLACE : LDAP_LINK_DELETE;
	what.value = *set ? set : NULL;
	/* 16 on a delete cannot come past the assertion; if it does, it is done already. */
	return assertion(id, expect, &filter, err) &&
	       ldap_link_modify(d->link, identifier, filter.data, &what, 1, &unchanged,
				err);
}

static bool is_done(struct ldap_directory *d, const struct account *now,
		    const json_t *change, bool *ret, struct error *err)
{
	const char *expect, *set;

	(void)d;
	if (!ldap_step_read(change, &expect, &set, err))
		return false;
	*ret = strcmp(now->lock, set) == 0;
	return true;
}

const struct ldap_dialect ldap_ppolicy = {
	.name = "ppolicy",
	.title = "OpenLDAP",
	.person = "(objectClass=inetOrgPerson)",
	.blocked = "(" LOCK "=*)",
	.able = "(!(" LOCK "=*))",
	.member_of = "memberOf",
	.attributes = attributes,
	.uid = "uid",
	.name_attribute = "displayName",
	.mail = "mail",
	.by_mail = by_mail,
	.by_uid = by_uid,
	.by_name = by_name,
	.notions = {
		[FACET_SESSIONS] = "a directory knows no sessions: connections, tickets and "
				   "cookies that are in use already stay valid and must be "
				   "ended where they are",
		[FACET_TOKENS] = "a directory knows no tokens: keys and passwords that were "
				 "handed out elsewhere must be revoked where they are",
		[FACET_MEMBERSHIPS] = "groups stay as they are: nobody can use them without "
				      "signing in",
	},
	.add_id = add_id,
	.get_id = get_id,
	.judge = judge,
	.plan_block = plan_block,
	.plan_undo = plan_undo,
	.apply = apply,
	.is_done = is_done,
};
