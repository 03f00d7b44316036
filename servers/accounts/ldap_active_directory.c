/*
 * The dialect of Active Directory.
 *
 * A block is the bit ACCOUNTDISABLE of userAccountControl. A lockout after wrong
 * passwords (lockoutTime) is another thing and ends by itself; our lock reads
 * "disabled" for the one, "lockout:TIME" for the other. The other bits are never
 * ours: the number is read, changed in that bit, and set only if it still is what was
 * read. (Microsoft's servers refuse when it is not; Samba does not compare.) Changes
 * name the entry by its objectGUID, so that no other entry of that name is hit.
 */
#include "servers/accounts/ldap_ad.h"

#define COMPUTED "msDS-User-Account-Control-Computed"

/* Matching rules: a bit is set; a member also through other groups. */
#define BIT_AND "1.2.840.113556.1.4.803"
#define CHAIN   "1.2.840.113556.1.4.1941"

static const char *const attributes[] = {
	"sAMAccountName", "userPrincipalName", "cn",       "displayName",
	"mail",           "objectGUID",        AD_CONTROL, COMPUTED,
	"lockoutTime",    "accountExpires",    NULL
};
/* Principal names are given by administrators alone, and one to one account. */
static const char *const by_mail[] = { "mail", "userPrincipalName", NULL };
static const char *const by_uid[] = { "sAMAccountName", "userPrincipalName", NULL };
static const char *const by_name[] = { "cn", "displayName", NULL };

static bool add_id(struct strbuf *filter, const char *id)
{
	char hex[AD_GUID_BYTES];

	return ad_guid_parse(id, hex) && ldap_link_filter_hex(filter, "objectGUID", hex);
}

static char *get_id(const struct ldap_entry *e)
{
	const char *hex = ldap_entry_value(e, "objectGUID", 0);
	char guid[AD_GUID_BYTES];

	return strdup(hex && ad_guid_format(hex, guid) ? guid : "");
}

/* ---- What an entry says --------------------------------------------------------------- */

struct ad_state ad_state_read(const struct ldap_entry *e)
{
	const char *computed = ldap_entry_value(e, COMPUTED, 0);
	const char *since = ldap_entry_value(e, "lockoutTime", 0);
	struct ad_state s = { .control_text = ldap_entry_value(e, AD_CONTROL, 0) };
	uint32_t flags = 0;

	s.known = s.control_text && ad_control_parse(s.control_text, &s.control);
	s.locked_out_ms = since ? ad_time_ms(since) : 0;
	/* lockoutTime stays behind when the lockout has ended; the computed bit tells. */
	s.locked_out = s.locked_out_ms > 0 &&
		       (!computed || !ad_control_parse(computed, &flags) ||
			(flags & AD_LOCKOUT) != 0);
	if (s.known && (s.control & AD_ACCOUNT_DISABLED))
		(void)snprintf(s.lock, sizeof s.lock, AD_LOCK_DISABLED);
	else if (s.locked_out)
		(void)snprintf(s.lock, sizeof s.lock, AD_LOCK_LOCKOUT "%s", since);
	return s;
}

static bool judge(const struct ldap_judging *j, const struct ldap_entry *e,
		  struct account *ret, struct error *err)
{
	const struct ad_state s = ad_state_read(e);
	const char *expires = ldap_entry_value(e, "accountExpires", 0);
	int64_t expires_ms = expires ? ad_time_ms(expires) : 0;

	(void)err;
	(void)snprintf(ret->lock, sizeof ret->lock, "%s", s.lock);
	ret->obeyed = true;
	ret->permanent = strcmp(s.lock, AD_LOCK_DISABLED) == 0;
	ret->state = !s.known  ? ACCOUNT_UNKNOWN
		     : *s.lock ? ACCOUNT_BLOCKED
			       : ACCOUNT_ACTIVE;
	if (s.locked_out && !ret->permanent)
		ret->since_ms = s.locked_out_ms;
	if (!s.known)
		strbuf_add_string(j->detail, "the directory does not show " AD_CONTROL
					     " to our service account");
	else if (s.locked_out)
		strbuf_add_format(j->detail, "%slocked out after wrong passwords",
				  ret->permanent ? "also " : "");
	if (expires_ms > 0 && expires_ms <= j->now_ms)
		strbuf_add_format(j->detail, "%sthe account has expired",
				  j->detail->length > 0 ? "; " : "");
	return true;
}

/* ---- Who is protected ----------------------------------------------------------------- */

static bool read_text(void *context, struct ldap_entry *entry)
{
	_cleanup_(ldap_entry_freep) struct ldap_entry *e = entry;
	const char *token = ldap_entry_value(e, "primaryGroupToken", 0);
	char **ret = context;

	*ret = strdup(token ? token : "");
	return false;
}

/* One's primary group does not list one, nor is it in memberOf. */
static bool is_primary_group(struct ldap_directory *d, const struct account *account,
			     const char *group, bool *ret, struct error *err)
{
	static const char *const wanted[] = { "primaryGroupToken", NULL };
	_cleanup_strbuf_ struct strbuf filter = STRBUF_INIT;
	_cleanup_free_ char *token = NULL;

	*ret = false;
	if (!ldap_link_search(d->link, group, LDAP_LINK_BASE, "(objectClass=group)",
			      wanted, 1, read_text, &token, NULL, err))
		return false;
	if (!token || !*token)
		return true;
	ldap_link_filter(&filter, "primaryGroupID", token);
	if (!strbuf_ok(&filter))
		return error_oom(err);
	return ldap_directory_has(d, account->identifier, LDAP_LINK_BASE, filter.data,
				  ret, err);
}

static bool in_group(struct ldap_directory *d, const struct account *account,
		     const char *group, bool *ret, struct error *err)
{
	_cleanup_strbuf_ struct strbuf filter = STRBUF_INIT;

	ldap_link_filter(&filter, "memberOf:" CHAIN ":", group);
	if (!strbuf_ok(&filter))
		return error_oom(err);
	if (!ldap_directory_has(d, account->identifier, LDAP_LINK_BASE, filter.data, ret,
				err))
		return false;
	return *ret || is_primary_group(d, account, group, ret, err);
}

/* Administrator, Guest, krbtgt: the domain cannot do without them. */
static bool is_builtin(struct ldap_directory *d, const struct account *account, bool *ret,
		       struct error *err)
{
	return ldap_directory_has(d, account->identifier, LDAP_LINK_BASE,
				  "(isCriticalSystemObject=TRUE)", ret, err);
}

static bool read_dn(void *context, struct ldap_entry *entry)
{
	_cleanup_(ldap_entry_freep) struct ldap_entry *e = entry;
	char **ret = context;

	*ret = strdup(ldap_entry_dn(e));
	return false;
}

static bool read_domain(void *context, struct ldap_entry *entry)
{
	_cleanup_(ldap_entry_freep) struct ldap_entry *e = entry;
	const char *domain = ldap_entry_value(e, "defaultNamingContext", 0);
	char **ret = context;

	*ret = strdup(domain ? domain : "");
	return false;
}

/* BUILTIN\Administrators, by its SID S-1-5-32-544: its name is translated. Domain and
 * enterprise administrators are members of it. */
static char *administrators(struct ldap_directory *d, struct error *err)
{
	static const char *const nothing[] = { "1.1", NULL };
	static const char *const wanted[] = { "defaultNamingContext", NULL };
	_cleanup_strbuf_ struct strbuf filter = STRBUF_INIT;
	_cleanup_free_ char *domain = NULL;
	char *dn = NULL;

	if (!ldap_link_search(d->link, "", LDAP_LINK_BASE, "(objectClass=*)", wanted, 1,
			      read_domain, &domain, NULL, err))
		return NULL;
	if (!ldap_link_filter_hex(&filter, "objectSid",
				  "01020000000000052000000020020000") ||
	    !strbuf_ok(&filter)) {
		error_oom(err);
		return NULL;
	}
	if (domain && *domain &&
	    !ldap_link_search(d->link, domain, LDAP_LINK_SUBTREE, filter.data, nothing, 1,
			      read_dn, &dn, NULL, err))
		return NULL;
	if (!dn && !(dn = strdup("")))
		error_oom(err);
	return dn;
}

const struct ldap_dialect ldap_active_directory = {
	.name = "active_directory",
	.title = "Active Directory",
	.demands_tls = true,
	.compares_loosely = true,
	.person = "(objectCategory=person)(objectClass=user)",
	/* The domain's own Guest and krbtgt are always disabled: nobody blocked them. */
	.blocked = "(|(" AD_CONTROL ":" BIT_AND ":=2)(lockoutTime>=1))"
		   "(!(isCriticalSystemObject=TRUE))",
	.able = "(!(" AD_CONTROL ":" BIT_AND ":=2))",
	.member_of = "memberOf:" CHAIN ":",
	.attributes = attributes,
	.uid = "sAMAccountName",
	.name_attribute = "displayName",
	.mail = "mail",
	.by_mail = by_mail,
	.by_uid = by_uid,
	.by_name = by_name,
	.notions = {
		[FACET_SESSIONS] = "Active Directory ends no sessions: Kerberos tickets are "
				   "good until they expire (10 hours unless changed), and "
				   "connections, cookies and cached sign-ins until they are "
				   "ended where they are",
		[FACET_TOKENS] = "Active Directory knows no tokens: keys, certificates and "
				 "passwords that were handed out elsewhere must be revoked "
				 "where they are",
		[FACET_MEMBERSHIPS] = "groups stay as they are: nobody can use them without "
				      "signing in",
	},
	.add_id = add_id,
	.get_id = get_id,
	.judge = judge,
	.in_group = in_group,
	.is_builtin = is_builtin,
	.administrators = administrators,
	.plan_block = ad_plan_block,
	.plan_undo = ad_plan_undo,
	.apply = ad_apply,
	.is_done = ad_is_done,
};
