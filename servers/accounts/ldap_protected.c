/* Accounts that nobody blocks or unblocks here, as the directory itself sees it: it
 * compares names by its own rules, so no spelling of a DN slips through. */
#include "servers/accounts/ldap_directory.h"

#define ANY_ENTRY "(objectClass=*)"

static bool one(void *context, struct ldap_entry *entry)
{
	bool *seen = context;

	ldap_entry_free(entry);
	*seen = true;
	return false;
}

bool ldap_directory_has(struct ldap_directory *d, const char *base,
			enum ldap_link_scope scope, const char *filter, bool *ret,
			struct error *err)
{
	static const char *const nothing[] = { "1.1", NULL };
	bool seen = false;

	if (!ldap_link_search(d->link, base, scope, filter, nothing, 1, one, &seen, NULL,
			      err))
		return false;
	*ret = seen;
	return true;
}

/* A rule without its object protects nobody; say so instead. */
static bool check_exists(struct ldap_directory *d, const char *what, const char *dn,
			 struct error *err)
{
	bool exists = false;

	if (!ldap_directory_has(d, dn, LDAP_LINK_BASE, ANY_ENTRY, &exists, err))
		return false;
	if (exists)
		return true;
	error_set(err, ERR_PRECONDITION_FAILED,
		  "the protected %s '%s' is not in the directory, so protection cannot "
		  "be judged",
		  what, dn);
	return error_hint(err, "correct 'protected' in the server's configuration");
}

static bool in_subtree(struct ldap_directory *d, const struct account *account,
		       const char *dn, bool *ret, struct error *err)
{
	_cleanup_strbuf_ struct strbuf filter = STRBUF_INIT;

	ldap_link_filter(&filter, "entryUUID", account->id);
	if (!strbuf_ok(&filter))
		return error_oom(err);
	return ldap_directory_has(d, dn, LDAP_LINK_SUBTREE, filter.data, ret, err) &&
	       (*ret || check_exists(d, "subtree", dn, err));
}

static bool in_group(struct ldap_directory *d, const struct account *account,
		     const char *dn, bool *ret, struct error *err)
{
	_cleanup_strbuf_ struct strbuf filter = STRBUF_INIT;

	strbuf_add_string(&filter, "(|");
	ldap_link_filter(&filter, "member", account->identifier);
	ldap_link_filter(&filter, "uniqueMember", account->identifier);
	if (*account->uid)
		ldap_link_filter(&filter, "memberUid", account->uid);
	strbuf_add_char(&filter, ')');
	if (!strbuf_ok(&filter))
		return error_oom(err);
	return ldap_directory_has(d, dn, LDAP_LINK_BASE, filter.data, ret, err) &&
	       (*ret || check_exists(d, "group", dn, err));
}

/* By the entry itself: it may have several uids, of which the account shows one. */
static bool has_uid(struct ldap_directory *d, const struct account *account,
		    const char *uid, bool *ret, struct error *err)
{
	_cleanup_strbuf_ struct strbuf filter = STRBUF_INIT;

	ldap_link_filter(&filter, "uid", uid);
	if (!strbuf_ok(&filter))
		return error_oom(err);
	return ldap_directory_has(d, account->identifier, LDAP_LINK_BASE, filter.data,
				  ret, err);
}

bool ldap_directory_is_protected(void *self, const struct account *account,
				 bool *ret_protected, struct strbuf *why,
				 struct error *err)
{
	struct ldap_directory *d = self;
	const struct {
		const json_t *names;
		bool (*applies)(struct ldap_directory *d, const struct account *account,
				const char *name, bool *ret, struct error *err);
		const char *reason;
	} rules[] = {
		{ d->subtrees, in_subtree, "it stands below" },
		{ d->groups, in_group, "it is a member of" },
		{ d->uids, has_uid, "it is on the list as" },
	};

	for (size_t r = 0; r < ARRAY_SIZE(rules); r++) {
		for (size_t i = 0; i < json_array_size(rules[r].names); i++) {
			const char *name =
				json_string_value(json_array_get(rules[r].names, i));
			bool applies = false;

			if (!rules[r].applies(d, account, name, &applies, err))
				return false;
			if (!applies)
				continue;
			strbuf_add_format(why, "%s %s", rules[r].reason, name);
			*ret_protected = true;
			return true;
		}
	}
	*ret_protected = false;
	return true;
}
