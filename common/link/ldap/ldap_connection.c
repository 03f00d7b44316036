#include "link/ldap/ldap_connection.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <strings.h>

#include "base/strbuf.h"
#include "link/ldap/ldap_wait.h"

/* Where Debian keeps what update-ca-certificates makes. */
#define SYSTEM_CA_FILE "/etc/ssl/certs/ca-certificates.crt"

static void prepare(void)
{
	/* Read once, when libldap starts itself: BASE and TLS options of the machine
	 * would leak in otherwise. */
	(void)setenv("LDAPNOINIT", "1", 1);
	(void)ldap_set_option(NULL, LDAP_OPT_PROTOCOL_VERSION, &(int){ LDAP_VERSION3 });
}

void ldap_connection_prepare(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, prepare);
}

/* ---- Addresses ------------------------------------------------------------------- */

static bool is_loopback(const char *host)
{
	struct in_addr v4;

	if (!host || !*host || strcasecmp(host, "localhost") == 0 ||
	    strcmp(host, "::1") == 0 || strcmp(host, "[::1]") == 0)
		return host && *host;
	return inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

static bool check_uri(const char *uri, bool start_tls, struct error *err)
{
	LDAPURLDesc *parts = NULL;
	bool secure, ok = true;

	if (ldap_url_parse(uri, &parts) != LDAP_URL_SUCCESS)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "'%s' is no address of a directory", uri);
	secure = strcmp(parts->lud_scheme, "ldaps") == 0 ||
		 strcmp(parts->lud_scheme, "ldapi") == 0;
	if (!secure && strcmp(parts->lud_scheme, "ldap") != 0)
		ok = error_set(err, ERR_INVALID_ARGUMENT,
			       "'%s' is no address of a directory", uri);
	else if (parts->lud_exts && parts->lud_exts[0])
		ok = error_set(err, ERR_INVALID_ARGUMENT, "'%s' has extensions", uri);
	else if (!secure && !start_tls && !is_loopback(parts->lud_host)) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "'%s' would get the password in clear text", uri);
		ok = error_hint(err, "use ldaps:// or turn StartTLS on");
	}
	ldap_free_urldesc(parts);
	return ok;
}

bool ldap_connection_check_uris(const char *uris, bool start_tls, struct error *err)
{
	_cleanup_free_ char *copy = strdup(uris);
	char *rest = copy, *uri;
	size_t count = 0;

	if (!copy)
		return error_oom(err);
	while ((uri = strsep(&rest, " "))) {
		if (!*uri)
			continue;
		if (!check_uri(uri, start_tls, err))
			return false;
		count++;
	}
	return count > 0 ||
	       error_set(err, ERR_INVALID_ARGUMENT, "no address of a directory");
}

/* ---- Handles --------------------------------------------------------------------- */

void ldap_connection_close(LDAP *ld)
{
	if (ld)
		(void)ldap_unbind_ext_s(ld, NULL, NULL);
}

static bool set(LDAP *ld, int option, const void *value, struct error *err)
{
	return ldap_set_option(ld, option, value) == LDAP_OPT_SUCCESS ||
	       error_set(err, ERR_INTERNAL,
			 "cannot set option %d of a directory connection", option);
}

static bool set_tls(LDAP *ld, const char *ca_file, struct error *err)
{
	const int demand = LDAP_OPT_X_TLS_DEMAND, least = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;

	if (!set(ld, LDAP_OPT_X_TLS_CACERTFILE, ca_file ? ca_file : SYSTEM_CA_FILE,
		 err) ||
	    !set(ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand, err) ||
	    !set(ld, LDAP_OPT_X_TLS_PROTOCOL_MIN, &least, err))
		return false;
	/* Last: this makes the context out of the others. It reads the CA file. */
	if (ldap_set_option(ld, LDAP_OPT_X_TLS_NEWCTX, &(int){ 0 }) != LDAP_OPT_SUCCESS)
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 "cannot read the certificates of %s",
				 ca_file ? "the configured authorities" : SYSTEM_CA_FILE);
	return true;
}

LDAP *ldap_connection_open(const struct ldap_link_config *config, struct error *err)
{
	_cleanup_(ldap_connection_closep) LDAP *ld = NULL;
	const struct timeval wait = { .tv_sec = (time_t)(config->timeout_ms / 1000),
				      .tv_usec = (suseconds_t)(config->timeout_ms % 1000 *
							       1000) };
	const int version = LDAP_VERSION3;
	int rc;

	ldap_connection_prepare();
	rc = ldap_initialize(&ld, config->uri);
	if (rc != LDAP_SUCCESS) {
		ldap_code_error(NULL, rc, config->uri, "connect to", err);
		return NULL;
	}
	if (!set(ld, LDAP_OPT_PROTOCOL_VERSION, &version, err) ||
	    !set(ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF, err) ||
	    !set(ld, LDAP_OPT_NETWORK_TIMEOUT, &wait, err) ||
	    !set(ld, LDAP_OPT_TIMEOUT, &wait, err) || !ldap_wait_install(ld, err))
		return NULL;
	if (config->start_tls || strcasestr(config->uri, "ldaps:"))
		if (!set_tls(ld, config->ca_file, err))
			return NULL;
	if (config->start_tls &&
	    (rc = ldap_start_tls_s(ld, NULL, NULL)) != LDAP_SUCCESS) {
		ldap_code_error(ld, rc, config->uri, "begin TLS with", err);
		return NULL;
	}
	return TAKE(ld);
}

int ldap_connection_bind(LDAP *ld, const char *dn, const void *password, size_t length)
{
	/* libldap wants it writable, and does not write. */
	struct berval credentials = { .bv_len = length };
	int rc;

	/* A name without a password is an anonymous bind that looks like success. */
	if (length == 0 || !*dn)
		return LDAP_INAPPROPRIATE_AUTH;
	memcpy(&credentials.bv_val, &password, sizeof credentials.bv_val);
	rc = ldap_sasl_bind_s(ld, dn, LDAP_SASL_SIMPLE, &credentials, NULL, NULL, NULL);
	if (rc == LDAP_SUCCESS)
		ldap_wait_settled(ld);
	return rc;
}

/* ---- Result codes ---------------------------------------------------------------- */

bool ldap_code_is_broken(int code)
{
	/* Every negative code is local; a bad filter is the one that leaves it whole. */
	return (code < 0 && code != LDAP_FILTER_ERROR && code != LDAP_PARAM_ERROR) ||
	       code == LDAP_UNAVAILABLE;
}

static enum error_code meaning(int code)
{
	switch (code) {
	case LDAP_TIMEOUT:
	case LDAP_TIMELIMIT_EXCEEDED:
		return ERR_TIMEOUT;
	case LDAP_INSUFFICIENT_ACCESS:
		return ERR_PERMISSION_DENIED;
	case LDAP_FILTER_ERROR:
	case LDAP_PARAM_ERROR:
	case LDAP_INVALID_DN_SYNTAX:
	case LDAP_INVALID_SYNTAX:
	case LDAP_UNDEFINED_TYPE:
		return ERR_INVALID_ARGUMENT;
	case LDAP_NO_SUCH_OBJECT:
		return ERR_NOT_FOUND;
	case LDAP_ASSERTION_FAILED:
	case LDAP_NO_SUCH_ATTRIBUTE:
	case LDAP_TYPE_OR_VALUE_EXISTS:
		return ERR_CONFLICT;
	case LDAP_CONSTRAINT_VIOLATION:
	case LDAP_OBJECT_CLASS_VIOLATION:
	case LDAP_UNWILLING_TO_PERFORM:
	case LDAP_UNAVAILABLE_CRITICAL_EXTENSION:
	case LDAP_REFERRAL:
		return ERR_PRECONDITION_FAILED;
	default:
		return ERR_BACKEND_UNAVAILABLE;
	}
}

bool ldap_code_error(LDAP *ld, int code, const char *uri, const char *what,
		     struct error *err)
{
	char *diagnostic = NULL;

	error_set(err, meaning(code), "cannot %s directory '%s': %s", what, uri,
		  ldap_err2string(code));
	if (code == LDAP_INVALID_CREDENTIALS)
		error_hint(err,
			   "check the name and password of our service account, and TLS");
	if (code == LDAP_STRONG_AUTH_REQUIRED || code == LDAP_CONFIDENTIALITY_REQUIRED)
		error_hint(err, "it takes no password in clear text: use ldaps:// or "
				"turn StartTLS on");
	if (code == LDAP_REFERRAL)
		error_hint(err,
			   "this directory is a copy: name the one that takes changes");
	if (ld)
		(void)ldap_get_option(ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &diagnostic);
	error_cause(err, "ldap %d: %s", code, diagnostic ? diagnostic : "");
	ldap_memfree(diagnostic);
	return false;
}
