/*
 * ldap_link -- a pool of bound directory connections, on libldap.
 *
 * Blocking, for worker threads; thread-safe. Referrals are not chased, system
 * ldap.conf is ignored, empty passwords are refused here (they would bind as
 * nobody), StartTLS never falls back to clear text. A connection that broke is
 * replaced; a search is then tried once more, a change never: the caller reads
 * back. Values reach filters only through ldap_link_filter. A password goes in
 * clear text to this machine alone (loopback, ldapi); elsewhere TLS is required.
 */
#ifndef LINK_LDAP_LINK_H
#define LINK_LDAP_LINK_H

#include "base/error.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/statedir.h"
#include "base/strbuf.h"

enum { LDAP_LINK_ATTRIBUTES_MAX = 32, LDAP_LINK_VALUES_MAX = 256, LDAP_LINK_PAGE = 100 };

struct ldap_link;

struct ldap_link_config {
	const char *uri; /* ldap://, ldaps:// or ldapi://; several separated by spaces */
	const char *bind_dn;
	const struct secret *password;
	bool start_tls;
	const char *ca_file;  /* read once, by ldap_link_new; NULL: the system's */
	int64_t timeout_ms;   /* connect and each operation */
	unsigned connections; /* pool size, 1..8 */
};

/* Copies the configuration; connects on first use. The first call of a process
 * belongs before its threads: it sets an environment variable that libldap reads. */
struct ldap_link *ldap_link_new(const struct ldap_link_config *config,
				struct error *err) _must_use_;
/* The same by a member of a configuration: uri, bind_dn, password_file, start_tls, ca_file,
 * timeout_ms (else 'timeout_ms') and connections (else 'connections'). Files are those of
 * 'dir' (statedir_secret()), and read at once. */
struct ldap_link *ldap_link_open(const struct statedir *dir, const json_t *config,
				 int64_t timeout_ms, unsigned connections,
				 struct error *err) _must_use_;
void ldap_link_free(struct ldap_link *l);
DEFINE_CLEANUP(struct ldap_link, ldap_link_free);

struct ldap_entry;
void ldap_entry_free(struct ldap_entry *e);
DEFINE_CLEANUP(struct ldap_entry, ldap_entry_free);
const char *ldap_entry_dn(const struct ldap_entry *e);
/* Value 'index' of an attribute (names without case), or NULL; UTF-8 text values
 * only, at most LDAP_LINK_VALUES_MAX of each: what depends on all values of a long
 * attribute (is X a member?) asks the directory by filter. objectGUID and objectSid,
 * which are bytes, come as hex digits in lower case. */
const char *ldap_entry_value(const struct ldap_entry *e, const char *attribute,
			     size_t index);

/* Append an assertion: "(attribute=value)" with 'value' escaped after RFC 4515.
 * 'attribute' is ours, never a stranger's. */
void ldap_link_filter(struct strbuf *sb, const char *attribute, const char *value);
/* The same for bytes, given as hex digits: objectGUID, objectSid. False for what is no
 * whole number of bytes, at least one; the filter is of no use then. */
bool ldap_link_filter_hex(struct strbuf *sb, const char *attribute,
			  const char *hex) _must_use_;

enum ldap_link_scope { LDAP_LINK_BASE, LDAP_LINK_SUBTREE };

/* Paged search; 'fn' owns each entry it is given and returns false to stop.
 * 'limit' 0: no limit of ours. A missing base is no error: no entries. '*ret_more'
 * (may be NULL) tells that there was more than was given, by our limit or the
 * directory's. 'fn' runs with a connection held: a search within it takes another.
 * Codes: ERR_BACKEND_UNAVAILABLE, ERR_TIMEOUT, ERR_PERMISSION_DENIED, ERR_INVALID_ARGUMENT. */
bool ldap_link_search(struct ldap_link *l, const char *base, enum ldap_link_scope scope,
		      const char *filter, const char *const *attributes, size_t limit,
		      bool (*fn)(void *context, struct ldap_entry *entry), void *context,
		      bool *ret_more, struct error *err);

struct ldap_link_change {
	enum { LDAP_LINK_REPLACE, LDAP_LINK_DELETE, LDAP_LINK_ADD } op;
	const char *attribute;
	const char *value; /* NULL for LDAP_LINK_DELETE of the whole attribute */
};
/* One modify. With 'only_if', a filter (or NULL), the directory makes the change
 * only while the entry matches it (assertion control, RFC 4528): ERR_CONFLICT when
 * it does not. '*ret_unchanged' is set when the server says that the deleted
 * attribute was not there (16). ERR_NOT_FOUND: no such entry;
 * ERR_PRECONDITION_FAILED: the directory will not (schema, constraint, replica);
 * ERR_UNKNOWN_OUTCOME when the reply was lost. */
bool ldap_link_modify(struct ldap_link *l, const char *dn, const char *only_if,
		      const struct ldap_link_change *changes, size_t count,
		      bool *ret_unchanged, struct error *err);

/* Bind as somebody on a connection of its own, to learn whether it works: true and
 * '*ret_ok' false for refused credentials and accounts. Of 'config' only address, TLS
 * and time count. For tests and doctor. */
bool ldap_link_try_bind(const struct ldap_link_config *config, const char *dn,
			const char *password, bool *ret_ok, struct error *err);
/* A cheap question over a pooled connection. */
bool ldap_link_ping(struct ldap_link *l, struct error *err);
const char *ldap_link_uri(const struct ldap_link *l);
/* Whether two DNs name the same entry (parsed and normalised, not compared as text). */
bool ldap_link_same_dn(const char *a, const char *b);

#endif
