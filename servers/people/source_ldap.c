/* OpenLDAP, 389-DS and FreeIPA, Active Directory. Reads people, never passwords. */
#include <ctype.h>
#include <string.h>

#include "base/secret.h"
#include "link/ldap/ldap_link.h"
#include "servers/people/identifier.h"
#include "servers/people/source.h"
#include "servers/people/source_rules.h"

#define PERSON                                                                           \
	"(|(objectClass=inetOrgPerson)(&(objectCategory=person)(objectClass=user)))"

enum { TIMEOUT_MS = 5000, CONNECTIONS = 2, FIXED_ATTRIBUTES = 25, NAME_MAX_BYTES = 64 };

static const char *const attributes[FIXED_ATTRIBUTES] = {
	"uid",
	"sAMAccountName",
	"cn",
	"displayName",
	"givenName",
	"sn",
	"mail",
	"mailAlternateAddress",
	"proxyAddresses",
	"userPrincipalName",
	"memberOf",
	"entryUUID",
	"objectGUID",
	"nsUniqueId",
	"ipaUniqueID",
	"modifyTimestamp",
	"whenChanged",
	"pwdAccountLockedTime",
	"nsAccountLock",
	"userAccountControl",
	"employeeNumber",
	"employeeType",
	"employeeID",
	"uSNChanged",
	"objectClass",
};

struct ldap {
	struct ldap_link *link;
	json_t *config; /* keeps the texts below alive */
	const char *base, *filter;
	struct source_rules rules;
	const char *wanted[LDAP_LINK_ATTRIBUTES_MAX + 1];
};

/* ---- Life --------------------------------------------------------------------------- */

static void close_ldap(void *self)
{
	struct ldap *l = self;

	ldap_link_free(l->link);
	json_decref(l->config);
	free(l);
}

static bool want(struct ldap *l, const char *attribute, struct error *err)
{
	size_t i = 0;

	for (; i < LDAP_LINK_ATTRIBUTES_MAX && l->wanted[i]; i++)
		if (strcasecmp(l->wanted[i], attribute) == 0)
			return true;
	if (i == LDAP_LINK_ATTRIBUTES_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT, "too many attributes");
	l->wanted[i] = attribute;
	return true;
}

static bool want_all(struct ldap *l, struct error *err)
{
	for (size_t i = 0; i < FIXED_ATTRIBUTES; i++)
		if (!want(l, attributes[i], err))
			return false;
	for (size_t i = 0; i < SYSTEM_COUNT; i++)
		if (l->rules.claims[i] && !want(l, l->rules.claims[i], err))
			return false;
	return want(l, l->rules.number, err) && want(l, l->rules.kind, err);
}

static void *open_ldap(const struct statedir *dir, const json_t *config,
		       struct error *err)
{
	struct ldap *l = calloc(1, sizeof *l);

	if (!l) {
		error_oom(err);
		return NULL;
	}
	l->config = json_deep_copy(config);
	l->base = json_get_string(l->config, "people_base");
	l->filter = json_get_string(l->config, "filter");
	if (!l->filter)
		l->filter = PERSON;
	source_rules_read(&l->rules, l->config, "employeeNumber", "employeeType");
	if (l->base && want_all(l, err))
		l->link = ldap_link_open(dir, l->config, TIMEOUT_MS, CONNECTIONS, err);
	if (l->link)
		return l;
	close_ldap(l);
	return NULL;
}

/* ---- Entries become accounts -------------------------------------------------------- */

struct walk {
	const struct ldap *ldap;
	struct source_read *read;
	struct account account;
	char newest[SOURCE_CURSOR_BYTES];
	struct error *err;
	bool failed;
};

static void add_values(struct account *a, enum account_field field,
		       const struct ldap_entry *e, const char *attribute)
{
	const char *value;

	for (size_t i = 0; (value = ldap_entry_value(e, attribute, i)); i++)
		account_add(a, field, value);
}

/* "smtp:adam@x", "SMTP:adam@x" the main one; others are no mail. */
static void add_proxy_addresses(struct account *a, const struct ldap_entry *e)
{
	const char *value;

	for (size_t i = 0; (value = ldap_entry_value(e, "proxyAddresses", i)); i++)
		if (strncasecmp(value, "smtp:", 5) == 0)
			account_add(a, ACCOUNT_MAIL, value + 5);
}

static bool is_locked(const struct ldap_entry *e)
{
	const char *locked = ldap_entry_value(e, "pwdAccountLockedTime", 0),
		   *inactive = ldap_entry_value(e, "nsAccountLock", 0),
		   *control = ldap_entry_value(e, "userAccountControl", 0);

	/* Until somebody unlocks it; others are of wrong passwords, and end. */
	return (locked && strcmp(locked, "000001010000Z") == 0) ||
	       (inactive && strcasecmp(inactive, "true") == 0) ||
	       (control && (strtoll(control, NULL, 10) & 2));
}

static void set_key(struct account *a, const struct ldap_entry *e)
{
	static const char *const ids[] = { "entryUUID", "objectGUID", "ipaUniqueID",
					   "nsUniqueId" };
	const char *id = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(ids) && !id; i++)
		id = ldap_entry_value(e, ids[i], 0);
	if (id)
		account_add(a, ACCOUNT_ID, id);
	account_set_key(a, id ? id : ldap_entry_dn(e));
}

static bool fill(struct walk *w, const struct ldap_entry *e)
{
	const struct source_rules *rules = &w->ldap->rules;
	struct account *a = &w->account;
	const char *login = ldap_entry_value(e, "uid", 0);

	account_begin(a, SYSTEM_LDAP);
	set_key(a, e);
	account_add(a, ACCOUNT_LOGIN,
		    login ? login : ldap_entry_value(e, "sAMAccountName", 0));
	account_add(a, ACCOUNT_DN, ldap_entry_dn(e));
	add_values(a, ACCOUNT_MAIL, e, "mail");
	add_values(a, ACCOUNT_MAIL, e, "mailAlternateAddress");
	add_proxy_addresses(a, e);
	add_values(a, ACCOUNT_OTHER_MAIL, e, "userPrincipalName");
	add_values(a, ACCOUNT_NAME, e, "displayName");
	add_values(a, ACCOUNT_NAME, e, "cn");
	add_values(a, ACCOUNT_GIVEN, e, "givenName");
	add_values(a, ACCOUNT_SURNAME, e, "sn");
	add_values(a, ACCOUNT_GROUP, e, "memberOf");
	account_add(a, ACCOUNT_NUMBER, ldap_entry_value(e, rules->number, 0));
	for (size_t i = 0; i < SYSTEM_COUNT; i++)
		if (rules->claims[i])
			source_rules_claim(a, (enum people_system)i,
					   ldap_entry_value(e, rules->claims[i], 0));
	source_rules_kind(rules, a, ldap_entry_value(e, rules->kind, 0));
	if (is_locked(e))
		account_add(a, ACCOUNT_SUSPENDED, "1");
	return source_rules_place(rules, a, ldap_entry_dn(e), w->err);
}

/* "modifyTimestamp 20261122100000Z": only what is digits reaches a filter. */
static void note_time(struct walk *w, const struct ldap_entry *e)
{
	static const char *const times[] = { "modifyTimestamp", "whenChanged" };

	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		const char *value = ldap_entry_value(e, times[i], 0);
		char at[SOURCE_CURSOR_BYTES];

		if (!value || strlen(value) > 32 || !isdigit((unsigned char)*value) ||
		    strspn(value, "0123456789.Z") != strlen(value))
			continue;
		(void)snprintf(at, sizeof at, "%s %s", times[i], value);
		if (strcmp(at, w->newest) > 0)
			(void)snprintf(w->newest, sizeof w->newest, "%s", at);
		return;
	}
}

static bool on_entry(void *context, struct ldap_entry *entry)
{
	_cleanup_(ldap_entry_freep) struct ldap_entry *e = entry;
	struct walk *w = context;

	note_time(w, e);
	w->failed = !fill(w, e) || !account_finish(&w->account, w->err) ||
		    !w->read->sink.put(w->read->sink.context, &w->account, w->err);
	if (!w->failed && w->read->stopping && atomic_load(w->read->stopping))
		w->failed = !error_set(w->err, ERR_TIMEOUT, "the program is stopping");
	return !w->failed;
}

/* The filter of the configuration, and since when if the cursor says. */
static bool make_filter(const struct ldap *l, const struct source_read *read,
			struct strbuf *filter)
{
	const char *space = strchr(read->cursor, ' ');

	if (read->is_full || !space) {
		strbuf_add_string(filter, l->filter);
		return true;
	}
	strbuf_add_format(filter, "(&%s(%.*s>=%s))", l->filter,
			  (int)(space - read->cursor), read->cursor, space + 1);
	return true;
}

static bool read_ldap(void *self, struct source_read *read, struct error *err)
{
	struct ldap *l = self;
	_cleanup_strbuf_ struct strbuf filter = STRBUF_INIT;
	struct walk w = { .ldap = l, .read = read, .account = ACCOUNT_INIT, .err = err };
	bool more = false, ok;

	/* Nothing said when anything changed. */
	if (!read->is_full && !*read->cursor) {
		read->wants_full = true;
		return true;
	}
	(void)snprintf(w.newest, sizeof w.newest, "%s", read->cursor);
	if (!make_filter(l, read, &filter) || !strbuf_ok(&filter))
		return error_oom(err);
	ok = ldap_link_search(l->link, l->base, LDAP_LINK_SUBTREE, filter.data, l->wanted,
			      0, on_entry, &w, &more, err);
	account_done(&w.account);
	if (!ok || w.failed)
		return false;
	if (more)
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 "%s gave only a part of its people: its limit of size "
				 "is too low for us",
				 ldap_link_uri(l->link));
	(void)snprintf(read->cursor, sizeof read->cursor, "%s", w.newest);
	return true;
}

const struct source_kind source_ldap = {
	.name = "ldap",
	.has_changes = true,
	.open = open_ldap,
	.close = close_ldap,
	.read = read_ldap,
};
