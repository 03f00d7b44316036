#include "link/ldap/ldap_link.h"

#include <assert.h>
#include <sys/mman.h>

#include "base/file.h"
#include "link/ldap/ldap_pool.h"

enum {
	CHANGES_MAX = 8,
	TIMEOUT_MIN_MS = 100,
	TIMEOUT_MAX_MS = 60000,
	CA_MAX_BYTES = 1024 * 1024
};

/* ---- Life ------------------------------------------------------------------------ */

void ldap_link_free(struct ldap_link *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < LDAP_POOL_MAX; i++)
		ldap_connection_close(l->slots[i].ld);
	pthread_cond_destroy(&l->freed);
	pthread_mutex_destroy(&l->lock);
	secret_free(l->password);
	free(l->uri);
	free(l->bind_dn);
	if (l->ca_fd >= 0)
		(void)close(l->ca_fd);
	free(l->ca_file);
	free(l);
}

static bool check_config(const struct ldap_link_config *c, struct error *err)
{
	if (!c->uri || !c->bind_dn || !*c->bind_dn || !c->password ||
	    secret_length(c->password) == 0)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a directory wants its address, and the name and the "
				 "password of a service account");
	if (c->timeout_ms < TIMEOUT_MIN_MS || c->timeout_ms > TIMEOUT_MAX_MS)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a directory's timeout is %d to %d ms", TIMEOUT_MIN_MS,
				 TIMEOUT_MAX_MS);
	if (c->connections < 1 || c->connections > LDAP_POOL_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a directory has 1 to %d connections", LDAP_POOL_MAX);
	return ldap_connection_check_uris(c->uri, c->start_tls, err);
}

/* libldap reads the authorities from a file, each time that it connects; by then a
 * sandbox may hide it. What it reads is a copy in memory, made now. */
static bool keep_authorities(struct ldap_link *l, const char *path, struct error *err)
{
	_cleanup_strbuf_ struct strbuf pem = STRBUF_INIT;
	size_t done = 0;

	if (!path)
		return true;
	if (!file_read(path, CA_MAX_BYTES, &pem, err))
		return false;
	l->ca_fd = memfd_create("authorities", MFD_CLOEXEC);
	while (l->ca_fd >= 0 && done < pem.length) {
		ssize_t n = write(l->ca_fd, pem.data + done, pem.length - done);

		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (l->ca_fd < 0 || done < pem.length)
		return error_set(err, ERR_INTERNAL, "cannot keep a copy of '%s'", path);
	return asprintf(&l->ca_file, "/proc/self/fd/%d", l->ca_fd) > 0 || error_oom(err);
}

struct ldap_link *ldap_link_new(const struct ldap_link_config *config, struct error *err)
{
	_cleanup_(ldap_link_freep) struct ldap_link *l = NULL;
	pthread_condattr_t monotonic;

	ldap_connection_prepare();
	if (!check_config(config, err))
		return NULL;
	l = calloc(1, sizeof *l);
	if (!l) {
		error_oom(err);
		return NULL;
	}
	l->ca_fd = -1;
	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&l->freed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	l->uri = strdup(config->uri);
	l->bind_dn = strdup(config->bind_dn);
	l->password = secret_new(secret_bytes(config->password),
				 secret_length(config->password));
	if (!l->uri || !l->bind_dn || !l->password) {
		error_oom(err);
		return NULL;
	}
	if (!keep_authorities(l, config->ca_file, err))
		return NULL;
	l->config = *config;
	l->config.uri = l->uri;
	l->config.bind_dn = l->bind_dn;
	l->config.ca_file = l->ca_file;
	l->config.password = l->password;
	return TAKE(l);
}

struct ldap_link *ldap_link_open(const struct statedir *dir, const json_t *config,
				 int64_t timeout_ms, unsigned connections,
				 struct error *err)
{
	const char *file = json_get_string(config, "password_file");
	const char *ca = json_get_string(config, "ca_file");
	_cleanup_free_ char *ca_path = ca ? statedir_file(dir, ca) : NULL;
	_cleanup_(secret_freep) struct secret *password = NULL;

	if (ca && !ca_path) {
		error_oom(err);
		return NULL;
	}
	if (file) {
		password = statedir_secret(dir, file, err);
		if (!password)
			return NULL;
	}
	const struct ldap_link_config found = {
		.uri = json_get_string(config, "uri"),
		.bind_dn = json_get_string(config, "bind_dn"),
		.password = password,
		.start_tls = json_is_true(json_object_get(config, "start_tls")),
		.ca_file = ca_path,
		.timeout_ms = json_get_int64(config, "timeout_ms", timeout_ms),
		.connections =
			(unsigned)json_get_int64(config, "connections", connections),
	};
	return ldap_link_new(&found, err);
}

const char *ldap_link_uri(const struct ldap_link *l)
{
	return l->uri;
}

bool ldap_link_ping(struct ldap_link *l, struct error *err)
{
	struct ldap_slot *slot = ldap_pool_take(l, err);
	bool ok;
	int rc;

	if (!slot)
		return false;
	ok = ldap_pool_ready(l, slot, true, err);
	if (ok && (rc = ldap_pool_ask_root(l, slot->ld)) != LDAP_SUCCESS) {
		ok = ldap_pool_fail_down(l, slot->ld, rc, "reach", err);
		ldap_pool_give(l, slot, true);
		return ok;
	}
	ldap_pool_give(l, slot, false);
	return ok;
}

/* ---- Changing -------------------------------------------------------------------- */

static int send_changes(LDAP *ld, const char *dn, const char *only_if,
			const struct ldap_link_change *changes, size_t count)
{
	static const int ops[] = { [LDAP_LINK_REPLACE] = LDAP_MOD_REPLACE,
				   [LDAP_LINK_DELETE] = LDAP_MOD_DELETE,
				   [LDAP_LINK_ADD] = LDAP_MOD_ADD };
	char *values[CHANGES_MAX][2] = { 0 };
	LDAPMod mods[CHANGES_MAX] = { 0 }, *list[CHANGES_MAX + 1] = { 0 };
	LDAPControl *assertion = NULL;
	int rc;

	for (size_t i = 0; i < count; i++) {
		values[i][0] = changes[i].value ? ldap_without_const(changes[i].value)
						: NULL;
		mods[i].mod_op = ops[changes[i].op];
		mods[i].mod_type = ldap_without_const(changes[i].attribute);
		mods[i].mod_values = changes[i].value ? values[i] : NULL;
		list[i] = &mods[i];
	}
	if (only_if) {
		/* Critical: a directory that cannot assert must not just change. */
		rc = ldap_create_assertion_control(ld, ldap_without_const(only_if), 1,
						   &assertion);
		if (rc != LDAP_SUCCESS)
			return LDAP_FILTER_ERROR;
	}
	rc = ldap_modify_ext_s(ld, dn, list,
			       assertion ? (LDAPControl *[]){ assertion, NULL } : NULL,
			       NULL);
	ldap_control_free(assertion);
	return rc;
}

/* Asked to delete an attribute as a whole: that it was not there is no failure. */
static bool deletes_whole(const struct ldap_link_change *changes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (changes[i].op == LDAP_LINK_DELETE && !changes[i].value)
			return true;
	return false;
}

bool ldap_link_modify(struct ldap_link *l, const char *dn, const char *only_if,
		      const struct ldap_link_change *changes, size_t count,
		      bool *ret_unchanged, struct error *err)
{
	struct ldap_slot *slot;
	bool ok = true, unchanged = false;
	int rc;

	assert(count > 0 && count <= CHANGES_MAX);
	slot = ldap_pool_take(l, err);
	if (!slot)
		return false;
	if (!ldap_pool_ready(l, slot, true, err)) {
		ldap_pool_give(l, slot, false);
		return false;
	}
	rc = send_changes(slot->ld, dn, only_if, changes, count);
	if (rc == LDAP_NO_SUCH_ATTRIBUTE && deletes_whole(changes, count))
		unchanged = true;
	else if (ldap_code_is_broken(rc) && rc != LDAP_UNAVAILABLE)
		ok = error_set(
			err, ERR_UNKNOWN_OUTCOME,
			"directory '%s' did not say whether it made the change: %s",
			l->uri, ldap_err2string(rc));
	else if (rc != LDAP_SUCCESS)
		ok = ldap_pool_fail(l, slot->ld, rc, "change an entry of", err);
	ldap_pool_give(l, slot, ldap_code_is_broken(rc));
	if (ok)
		*ret_unchanged = unchanged;
	return ok;
}

/* ---- Trying a password ----------------------------------------------------------- */

bool ldap_link_try_bind(const struct ldap_link_config *config, const char *dn,
			const char *password, bool *ret_ok, struct error *err)
{
	_cleanup_(ldap_connection_closep) LDAP *ld = NULL;
	int rc;

	if (!*dn || !*password)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a bind without name or password proves nothing");
	if (!ldap_connection_check_uris(config->uri, config->start_tls, err))
		return false;
	ld = ldap_connection_open(config, err);
	if (!ld)
		return false;
	rc = ldap_connection_bind(ld, dn, password, strlen(password));
	/* 389-DS: 53 for an account that is blocked, 19 after too many wrong passwords. */
	if (rc != LDAP_SUCCESS && rc != LDAP_INVALID_CREDENTIALS &&
	    rc != LDAP_UNWILLING_TO_PERFORM && rc != LDAP_CONSTRAINT_VIOLATION)
		return ldap_code_error(ld, rc, config->uri, "log in to", err);
	*ret_ok = rc == LDAP_SUCCESS;
	return true;
}
