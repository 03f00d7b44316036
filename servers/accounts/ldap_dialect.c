/* Which kind of directory it is, from what it says of itself (its root DSE). */
#include <strings.h>

#include "servers/accounts/ldap_directory.h"

/* "Active Directory" of [MS-ADTS] 3.1.1.3.4.3; Samba's domain controllers say so too. */
#define CAPABILITY_ACTIVE_DIRECTORY "1.2.840.113556.1.4.800"

static const struct ldap_dialect *const dialects[] = { &ldap_ppolicy,
						       &ldap_active_directory,
						       &ldap_389ds, &ldap_freeipa };

bool ldap_dialect_named(const char *name, const struct ldap_dialect **ret)
{
	if (strcmp(name, "auto") == 0) {
		*ret = NULL;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(dialects); i++) {
		if (strcmp(dialects[i]->name, name) == 0) {
			*ret = dialects[i];
			return true;
		}
	}
	return false;
}

static bool has_value(const struct ldap_entry *e, const char *attribute,
		      const char *value)
{
	const char *have;

	for (size_t i = 0; (have = ldap_entry_value(e, attribute, i)); i++)
		if (strcasecmp(have, value) == 0)
			return true;
	return false;
}

static const struct ldap_dialect *recognize(const struct ldap_entry *e)
{
	const char *version = ldap_entry_value(e, "vendorVersion", 0);

	if (has_value(e, "supportedCapabilities", CAPABILITY_ACTIVE_DIRECTORY))
		return &ldap_active_directory;
	if (has_value(e, "vendorName", "389 Project") ||
	    (version && strncmp(version, "389-Directory/", 14) == 0))
		return ldap_entry_value(e, "ipaTopologyPluginVersion", 0) ||
				       ldap_entry_value(e, "ipaDomainLevel", 0)
			       ? &ldap_freeipa
			       : &ldap_389ds;
	if (has_value(e, "objectClass", "OpenLDAProotDSE"))
		return &ldap_ppolicy;
	return NULL;
}

static bool see_root(void *context, struct ldap_entry *entry)
{
	_cleanup_(ldap_entry_freep) struct ldap_entry *e = entry;
	const struct ldap_dialect **seen = context;

	*seen = recognize(e);
	return false;
}

bool ldap_dialect_check_tls(const struct ldap_directory *d,
			    const struct ldap_dialect *dialect, struct error *err)
{
	/* Of several addresses one is enough. */
	if (!dialect->demands_tls || d->start_tls ||
	    !strcasestr(ldap_link_uri(d->link), "ldap://"))
		return true;
	error_set(err, ERR_PRECONDITION_FAILED,
		  "'%s' is %s, which takes no password in clear text",
		  ldap_link_uri(d->link), dialect->title);
	return error_hint(err, "use ldaps:// or turn start_tls on");
}

/* FreeIPA is a 389-DS, and some versions of it do not tell. */
static bool is_wanted(const struct ldap_dialect *wanted, const struct ldap_dialect *seen)
{
	return !wanted || !seen || wanted == seen ||
	       (wanted == &ldap_freeipa && seen == &ldap_389ds);
}

static bool decide(const struct ldap_directory *d, const struct ldap_dialect *seen,
		   struct error *err)
{
	const char *uri = ldap_link_uri(d->link);

	if (!is_wanted(d->wanted, seen)) {
		error_set(err, ERR_PRECONDITION_FAILED,
			  "directory '%s' is %s, but the configuration says %s", uri,
			  seen->title, d->wanted->title);
		return error_hint(err, "correct or leave out 'dialect' of backend.ldap");
	}
	if (!d->wanted && !seen) {
		error_set(err, ERR_PRECONDITION_FAILED,
			  "directory '%s' does not tell our service account what kind "
			  "of directory it is",
			  uri);
		return error_hint(err, "say so: 'dialect' of backend.ldap is ppolicy, "
				       "active_directory, 389ds or freeipa");
	}
	return ldap_dialect_check_tls(d, d->wanted ? d->wanted : seen, err);
}

const struct ldap_dialect *ldap_dialect_of(struct ldap_directory *d, struct error *err)
{
	static const char *const wanted[] = { "objectClass",
					      "vendorName",
					      "vendorVersion",
					      "supportedCapabilities",
					      "ipaTopologyPluginVersion",
					      "ipaDomainLevel",
					      NULL };
	const struct ldap_dialect *found, *seen = NULL;

	pthread_mutex_lock(&d->lock);
	found = d->found;
	pthread_mutex_unlock(&d->lock);
	if (found)
		return found;
	/* Two threads may both ask; they hear the same. */
	if (!ldap_link_search(d->link, "", LDAP_LINK_BASE, "(objectClass=*)", wanted, 1,
			      see_root, &seen, NULL, err) ||
	    !decide(d, seen, err))
		return NULL;
	found = d->wanted ? d->wanted : seen;
	pthread_mutex_lock(&d->lock);
	d->found = found;
	pthread_mutex_unlock(&d->lock);
	return found;
}
