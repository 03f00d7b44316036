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
#include <strings.h>

#include "servers/accounts/ad_values.h"
#include "servers/accounts/ldap_directory.h"

#define CONTROL  "userAccountControl"
#define COMPUTED "msDS-User-Account-Control-Computed"
#define ALLOWED  "allowedAttributesEffective"
#define DISABLED "disabled"
#define LOCKOUT  "lockout:"

/* Matching rules: a bit is set; a member also through other groups. */
#define BIT_AND "1.2.840.113556.1.4.803"
#define CHAIN   "1.2.840.113556.1.4.1941"

static const char *const attributes[] = {
	"sAMAccountName", "userPrincipalName", "cn",          "displayName",
	"mail",           "objectGUID",        CONTROL,       COMPUTED,
	"lockoutTime",    "accountExpires",    "objectClass", NULL
};
/* Only administrators give these names, and one of them to one account. */
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

struct ad_state {
	bool known; /* userAccountControl could be read */
	uint32_t control;
	const char *control_text; /* as it stands there; borrowed */
	bool locked_out;
	int64_t locked_out_ms;
	char lock[ACCOUNT_LOCK_BYTES];
};

static struct ad_state read_state(const struct ldap_entry *e)
{
	const char *computed = ldap_entry_value(e, COMPUTED, 0);
	const char *since = ldap_entry_value(e, "lockoutTime", 0);
	struct ad_state s = { .control_text = ldap_entry_value(e, CONTROL, 0) };
	uint32_t flags = 0;

	s.known = s.control_text && ad_control_parse(s.control_text, &s.control);
	s.locked_out_ms = since ? ad_time_ms(since) : 0;
	/* lockoutTime stays behind when the lockout has ended; the computed bit tells. */
	s.locked_out = s.locked_out_ms > 0 &&
		       (!computed || !ad_control_parse(computed, &flags) ||
			(flags & AD_LOCKOUT) != 0);
	if (s.known && (s.control & AD_ACCOUNT_DISABLED))
		(void)snprintf(s.lock, sizeof s.lock, DISABLED);
	else if (s.locked_out)
		(void)snprintf(s.lock, sizeof s.lock, LOCKOUT "%s", since);
	return s;
}

static bool judge(const struct ldap_judging *j, const struct ldap_entry *e,
		  struct account *ret, struct error *err)
{
	const struct ad_state s = read_state(e);
	const char *expires = ldap_entry_value(e, "accountExpires", 0);
	int64_t expires_ms = expires ? ad_time_ms(expires) : 0;

	(void)err;
	(void)snprintf(ret->lock, sizeof ret->lock, "%s", s.lock);
	ret->obeyed = true;
	ret->permanent = strcmp(s.lock, DISABLED) == 0;
	ret->state = !s.known  ? ACCOUNT_UNKNOWN
		     : *s.lock ? ACCOUNT_BLOCKED
			       : ACCOUNT_ACTIVE;
	if (s.locked_out && !ret->permanent)
		ret->since_ms = s.locked_out_ms;
	if (!s.known)
		strbuf_add_string(j->detail, "the directory does not show " CONTROL
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

/* ---- Steps ---------------------------------------------------------------------------- */

static bool is_lockout(const char *lock)
{
	return strncmp(lock, LOCKOUT, strlen(LOCKOUT)) == 0;
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
		ret->control |= strcasecmp(name, CONTROL) == 0;
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
		return facet_step_refuse(
			ret, err, "our service account may not write " CONTROL " of it");
	return rights.control ||
	       facet_step_warn(ret, err,
			       "the directory shows no right of our service account to "
			       "change it; it may refuse");
}

static bool plan_block(struct ldap_directory *d, const struct account *a,
		       struct facet_step *ret, struct error *err)
{
	if (a->state == ACCOUNT_UNKNOWN)
		return facet_step_refuse(ret, err,
					 "our service account cannot see " CONTROL);
	if (!facet_step_words(ret, account_state_name(a->state), "disabled", err) ||
	    !check_rights(d, a, ret, err))
		return false;
	if (ret->refused)
		return true;
	ret->snapshot = json_pack("{s:s}", "lock", a->lock);
	if (!ret->snapshot)
		return error_oom(err);
	if (!ldap_step_set(ret, a->lock, DISABLED, DISABLED, err))
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
		s = read_state(e);
	if (!forget && s.locked_out) {
		(void)snprintf(lock, sizeof lock, LOCKOUT "%s",
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

static bool plan_undo(struct ldap_directory *d, const struct account *a,
		      const json_t *snapshot, int64_t now_ms, struct facet_step *ret,
		      struct error *err)
{
	const char *before;

	(void)now_ms;
	if (a->state == ACCOUNT_UNKNOWN)
		return facet_step_refuse(ret, err,
					 "our service account cannot see " CONTROL);
	if (!snapshot)
		return *a->lock == '\0' || set_enabled(d, a, true, ret, err);
	if (strcmp(a->lock, DISABLED) != 0)
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
	ret->disabled = strcmp(set, DISABLED) == 0;
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

static bool apply(struct ldap_directory *d, const char *identifier, const char *id,
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
	s = read_state(e);
	if (!s.known)
		return error_set(err, ERR_PERMISSION_DENIED,
				 "the directory does not show " CONTROL
				 " to our service account");
	if (strcmp(s.lock, w.expect) != 0)
		return error_set(err, ERR_CONFLICT, "'%s' is not as it was planned for",
				 identifier);
	if (w.disabled != ((s.control & AD_ACCOUNT_DISABLED) != 0)) {
		what[count++] = (struct ldap_link_change){ .op = LDAP_LINK_DELETE,
							   .attribute = CONTROL,
							   .value = s.control_text };
		what[count++] = (struct ldap_link_change){
			.op = LDAP_LINK_ADD,
			.attribute = CONTROL,
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

static bool is_done(struct ldap_directory *d, const struct account *now,
		    const json_t *change, bool *ret, struct error *err)
{
	struct wish w = { 0 };

	(void)d;
	if (!read_wish(change, &w, err))
		return false;
	*ret = now->state != ACCOUNT_UNKNOWN && now->permanent == w.disabled &&
	       (w.disabled || !w.end_lockout || *now->lock == '\0');
	return true;
}

const struct ldap_dialect ldap_active_directory = {
	.name = "active_directory",
	.title = "Active Directory",
	.demands_tls = true,
	.compares_loosely = true,
	.person = "(objectCategory=person)(objectClass=user)",
	/* The domain's own Guest and krbtgt are always disabled: nobody blocked them. */
	.blocked = "(|(" CONTROL ":" BIT_AND ":=2)(lockoutTime>=1))"
		   "(!(isCriticalSystemObject=TRUE))",
	.able = "(!(" CONTROL ":" BIT_AND ":=2))",
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
	.plan_block = plan_block,
	.plan_undo = plan_undo,
	.apply = apply,
	.is_done = is_done,
};
