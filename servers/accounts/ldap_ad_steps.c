/* How Active Directory blocks, and gives back. */
#include <strings.h>

#include "servers/accounts/ldap_ad.h"

#define ALLOWED "allowedAttributesEffective"

static bool is_lockout(const char *lock)
{
	return strncmp(lock, AD_LOCK_LOCKOUT, strlen(AD_LOCK_LOCKOUT)) == 0;
}

/* What the directory says that we may write of an entry. */
struct rights {
	bool any, control;
};

static bool read_rights(void *context, struct ldap_entry *entry)
{
	_cleanup_(ldap_entry_freep) struct ldap_entry *e = entry;
	struct rights *ret = context;
	const char *name;
	size_t i;

	for (i = 0; (name = ldap_entry_value(e, ALLOWED, i)); i++)
		ret->control |= strcasecmp(name, AD_CONTROL) == 0;
	ret->any = i > 0;
	ret->control |= i >= LDAP_LINK_VALUES_MAX; /* not all of them came */
	return false;
}

/* Said before anybody approves it, and not after. */
static bool check_rights(struct ldap_directory *d, const struct account *a,
			 struct facet_step *ret, struct error *err)
{
	static const char *const wanted[] = { ALLOWED, NULL };
	struct rights rights = { 0 };

	if (!ldap_link_search(d->link, a->identifier, LDAP_LINK_BASE, "(objectClass=*)",
			      wanted, 1, read_rights, &rights, NULL, err))
		return false;
	if (rights.any && !rights.control)
		return facet_step_refuse(ret, err,
					 "our service account may not write " AD_CONTROL
					 " of it");
	return rights.control ||
	       facet_step_warn(ret, err,
			       "the directory shows no right of our service account to "
			       "change it; it may refuse");
}

bool ad_plan_block(struct ldap_directory *d, const struct account *a,
		   struct facet_step *ret, struct error *err)
{
	if (a->state == ACCOUNT_UNKNOWN)
		return facet_step_refuse(ret, err,
					 "our service account cannot see " AD_CONTROL);
	if (!facet_step_words(ret, account_state_name(a->state), "disabled", err) ||
	    !check_rights(d, a, ret, err))
		return false;
	if (ret->refused)
		return true;
	ret->snapshot = json_pack("{s:s}", "lock", a->lock);
	if (!ret->snapshot)
		return error_oom(err);
	if (!ldap_step_set(ret, a->lock, AD_LOCK_DISABLED, AD_LOCK_DISABLED, err))
		return false;
	/* Samba ends it when the number is written without its bit, Microsoft's servers
	 * by [MS-SAMR] 3.1.1.8.10 when with it; nobody can set it again. */
	ret->reversible = !is_lockout(a->lock);
	return ret->reversible ||
	       facet_step_warn(ret, err,
			       "the lockout after wrong passwords may end with this; "
			       "undoing the block does not bring it back");
}

/* Enable what is disabled; 'forget' also ends a lockout, of now or of later. */
static bool set_enabled(struct ldap_directory *d, const struct account *a, bool forget,
			struct facet_step *ret, struct error *err)
{
	_cleanup_(ldap_entry_freep) struct ldap_entry *e = NULL;
	struct ad_state s = { 0 };
	char lock[ACCOUNT_LOCK_BYTES] = "";

	if (!ldap_accounts_entry(d, &ldap_active_directory, a->identifier, a->id, &e,
				 err))
		return false;
	if (e)
		s = ad_state_read(e);
	if (!forget && s.locked_out) {
		(void)snprintf(lock, sizeof lock, AD_LOCK_LOCKOUT "%s",
			       ldap_entry_value(e, "lockoutTime", 0));
		if (!facet_step_words(ret, account_state_name(a->state),
				      "enabled, and locked out after wrong passwords",
				      err))
			return false;
	}
	if (!ldap_step_set(ret, a->lock, "", lock, err))
		return false;
	return !forget ||
	       json_object_set_new(ret->change, "lockout", json_string("end")) == 0 ||
	       error_oom(err);
}

bool ad_plan_undo(struct ldap_directory *d, const struct account *a,
		  const json_t *snapshot, int64_t now_ms, struct facet_step *ret,
		  struct error *err)
{
	const char *before;

	(void)now_ms;
	if (a->state == ACCOUNT_UNKNOWN)
		return facet_step_refuse(ret, err,
					 "our service account cannot see " AD_CONTROL);
	if (!snapshot)
		return *a->lock == '\0' || set_enabled(d, a, true, ret, err);
	if (strcmp(a->lock, AD_LOCK_DISABLED) != 0)
		return facet_step_warn(
			ret, err,
			"the account was enabled elsewhere meanwhile; what "
			"is there now stays");
	before = json_get_string(snapshot, "lock");
	if (!set_enabled(d, a, false, ret, err))
		return false;
	return !before || !is_lockout(before) || is_lockout(ret->lock) ||
	       facet_step_warn(
		       ret, err,
		       "before the block it was locked out after wrong passwords; "
		       "that does not come back");
}

struct wish {
	const char *expect;
	bool disabled, end_lockout;
};

static bool read_wish(const json_t *change, struct wish *ret, struct error *err)
{
	const char *set, *lockout = json_get_string(change, "lockout");

	if (!ldap_step_read(change, &ret->expect, &set, err))
		return false;
	ret->disabled = strcmp(set, AD_LOCK_DISABLED) == 0;
	ret->end_lockout = lockout && strcmp(lockout, "end") == 0;
	return ret->disabled || !*set ||
	       error_set(err, ERR_INTERNAL, "a step for the directory sets no such lock");
}

/* Find the entry by its id, wherever it is, and see that it is where the plan says. */
static bool find(struct ldap_directory *d, const char *identifier, const char *id,
		 char *target, size_t size, struct ldap_entry **ret, struct error *err)
{
	(void)snprintf(target, size, "<GUID=%s>", id);
	if (!ldap_accounts_entry(d, &ldap_active_directory, target, id, ret, err))
		return false;
	return (*ret && ldap_link_same_dn(ldap_entry_dn(*ret), identifier)) ||
	       error_set(err, ERR_NOT_FOUND, "there is no entry '%s' with this id",
			 identifier);
}

bool ad_apply(struct ldap_directory *d, const char *identifier, const char *id,
	      const json_t *change, struct error *err)
{
	_cleanup_(ldap_entry_freep) struct ldap_entry *e = NULL;
	char target[AD_GUID_BYTES + 16], number[AD_NUMBER_BYTES];
	struct ldap_link_change what[3];
	struct wish w = { 0 };
	struct ad_state s;
	size_t count = 0;
	bool unchanged;

	if (!read_wish(change, &w, err) ||
	    !find(d, identifier, id, target, sizeof target, &e, err))
		return false;
	s = ad_state_read(e);
	if (!s.known)
		return error_set(err, ERR_PERMISSION_DENIED,
				 "the directory does not show " AD_CONTROL
				 " to our service account");
	if (strcmp(s.lock, w.expect) != 0)
		return error_set(err, ERR_CONFLICT, "'%s' is not as it was planned for",
				 identifier);
	if (w.disabled != ((s.control & AD_ACCOUNT_DISABLED) != 0)) {
		what[count++] = (struct ldap_link_change){ .op = LDAP_LINK_DELETE,
							   .attribute = AD_CONTROL,
							   .value = s.control_text };
		what[count++] = (struct ldap_link_change){
			.op = LDAP_LINK_ADD,
			.attribute = AD_CONTROL,
			.value =
				ad_control_format(s.control ^ AD_ACCOUNT_DISABLED, number)
		};
	}
	if (w.end_lockout && s.locked_out_ms > 0)
		what[count++] = (struct ldap_link_change){ .op = LDAP_LINK_REPLACE,
							   .attribute = "lockoutTime",
							   .value = "0" };
	return count == 0 ||
	       ldap_link_modify(d->link, target, NULL, what, count, &unchanged, err);
}

bool ad_is_done(struct ldap_directory *d, const struct account *now, const json_t *change,
		bool *ret, struct error *err)
{
	struct wish w = { 0 };

	(void)d;
	if (!read_wish(change, &w, err))
		return false;
	*ret = now->state != ACCOUNT_UNKNOWN && now->permanent == w.disabled &&
	       (w.disabled || !w.end_lockout || *now->lock == '\0');
	return true;
}
