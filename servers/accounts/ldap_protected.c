/* Accounts that nobody blocks or unblocks here, as the directory itself sees it: it
 * compares names by its own rules, so no spelling of a DN slips through. */
#include "servers/accounts/ldap_directory.h"

#define ANY_ENTRY "(objectClass=*)"

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

static bool add_id(const struct ldap_dialect *dialect, const struct account *account,
		   struct strbuf *filter, struct error *err)
{
	bool is_id = dialect->add_id(filter, account->id);

	return (is_id && strbuf_ok(filter)) ||
	       error_set(err, ERR_INTERNAL, "'%s' has no id", account->identifier);
}

static bool in_subtree(struct ldap_directory *d, const struct ldap_dialect *dialect,
		       const struct account *account, const char *dn, bool *ret,
		       struct error *err)
{
	_cleanup_strbuf_ struct strbuf filter = STRBUF_INIT;

	return add_id(dialect, account, &filter, err) &&
	       ldap_directory_has(d, dn, LDAP_LINK_SUBTREE, filter.data, ret, err) &&
	       (*ret || check_exists(d, "subtree", dn, err));
}

/* Whether the group's own list has the account. */
static bool is_listed(struct ldap_directory *d, const struct account *account,
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
	return ldap_directory_has(d, dn, LDAP_LINK_BASE, filter.data, ret, err);
}

static bool in_group(struct ldap_directory *d, const struct ldap_dialect *dialect,
		     const struct account *account, const char *dn, bool *ret,
		     struct error *err)
{
	if (!is_listed(d, account, dn, ret, err))
		return false;
	if (!*ret && dialect->in_group && !dialect->in_group(d, account, dn, ret, err))
		return false;
	return *ret || check_exists(d, "group", dn, err);
}

/* By the entry itself: it may have several names, of which the account shows one. */
static bool has_uid(struct ldap_directory *d, const struct ldap_dialect *dialect,
		    const struct account *account, const char *uid, bool *ret,
		    struct error *err)
{
	_cleanup_strbuf_ struct strbuf filter = STRBUF_INIT;

	strbuf_add_string(&filter, "(|");
	for (const char *const *a = dialect->by_uid; *a; a++)
		ldap_link_filter(&filter, *a, uid);
	strbuf_add_char(&filter, ')');
	if (!strbuf_ok(&filter))
		return error_oom(err);
	return ldap_directory_has(d, account->identifier, LDAP_LINK_BASE, filter.data,
				  ret, err);
}

/* ---- The last administrator ----------------------------------------------------------- */

/* In the group, and nobody else in it can sign in. Others are found by what their
 * entries say of their groups; where entries say nothing, nobody is found, and the
 * account is taken for the last. */
static bool is_last(struct ldap_directory *d, const struct ldap_dialect *dialect,
		    const struct account *account, const char *dn, bool *ret,
		    struct error *err)
{
	_cleanup_strbuf_ struct strbuf filter = STRBUF_INIT;
	bool others = false;

	if (!in_group(d, dialect, account, dn, ret, err))
		return false;
	if (!*ret)
		return true;
	strbuf_add_format(&filter, "(&%s%s(!", dialect->person, dialect->able);
	if (!add_id(dialect, account, &filter, err))
		return false;
	strbuf_add_char(&filter, ')');
	ldap_link_filter(&filter, dialect->member_of, dn);
	strbuf_add_char(&filter, ')');
	if (!strbuf_ok(&filter))
		return error_oom(err);
	if (!ldap_directory_has(d, d->people_base, LDAP_LINK_SUBTREE, filter.data,
				&others, err))
		return false;
	*ret = !others;
	return true;
}

/* The directory's own group of administrators, where none is configured. */
static bool is_last_of_its_own(struct ldap_directory *d,
			       const struct ldap_dialect *dialect,
			       const struct account *account, bool *ret,
			       struct strbuf *why, struct error *err)
{
	_cleanup_free_ char *dn = NULL;
	bool exists = false;

	if (d->administrators || !dialect->administrators)
		return true;
	dn = dialect->administrators(d, err);
	if (!dn)
		return false;
	/* It may be out of our account's sight. */
	if (!*dn || !ldap_directory_has(d, dn, LDAP_LINK_BASE, ANY_ENTRY, &exists, err))
		return *dn == '\0';
	if (!exists)
		return true;
	if (!is_last(d, dialect, account, dn, ret, err))
		return false;
	if (*ret)
		strbuf_add_format(why,
				  "it is the last administrator: nobody else in %s "
				  "can sign in",
				  dn);
	return true;
}

/* ---- All rules ------------------------------------------------------------------------ */

static bool is_configured(struct ldap_directory *d, const struct ldap_dialect *dialect,
			  const struct account *account, bool *ret, struct strbuf *why,
			  struct error *err)
{
	const struct {
		const json_t *names;
		bool (*applies)(struct ldap_directory *d,
				const struct ldap_dialect *dialect,
				const struct account *account, const char *name,
				bool *ret, struct error *err);
		const char *reason;
	} rules[] = {
		{ d->subtrees, in_subtree, "it stands below" },
		{ d->groups, in_group, "it is a member of" },
		{ d->uids, has_uid, "it is on the list as" },
		{ d->administrators, is_last, "nobody else can sign in who is in" },
	};

	for (size_t r = 0; r < ARRAY_SIZE(rules); r++) {
		for (size_t i = 0; i < json_array_size(rules[r].names); i++) {
			const char *name =
				json_string_value(json_array_get(rules[r].names, i));

			if (!rules[r].applies(d, dialect, account, name, ret, err))
				return false;
			if (!*ret)
				continue;
			strbuf_add_format(why, "%s %s", rules[r].reason, name);
			return true;
		}
	}
	return true;
}

bool ldap_directory_is_protected(void *self, const struct account *account,
				 bool *ret_protected, struct strbuf *why,
				 struct error *err)
{
	struct ldap_directory *d = self;
	const struct ldap_dialect *dialect = ldap_dialect_of(d, err);
	bool yes = false;

	if (!dialect || !is_configured(d, dialect, account, &yes, why, err))
		return false;
	if (!yes && dialect->is_builtin) {
		if (!dialect->is_builtin(d, account, &yes, err))
			return false;
		if (yes)
			strbuf_add_string(why, "it is one of the domain's own");
	}
	if (!yes && !is_last_of_its_own(d, dialect, account, &yes, why, err))
		return false;
	*ret_protected = yes;
	return true;
}
