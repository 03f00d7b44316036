#include "wire/httpd_tls.h"

#include <errno.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/file.h"
#include "base/gnutls_late.h"
#include "base/secret.h"
#include "wire/httpd_private.h"

enum { FILE_MAX = 1024 * 1024, SUBJECT_MAX = 1024 };

static const char PRIORITIES[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

struct httpd_tls {
	struct strbuf cert, client_ca; /* PEM texts; the second may be empty */
	struct secret *key;
};

/* ---- Reading ---- */

static gnutls_datum_t datum(const void *bytes, size_t length)
{
	/* the library's type is not const, and it only reads */
	return (gnutls_datum_t){ (unsigned char *)(uintptr_t)bytes, (unsigned)length };
}

/* libmicrohttpd would only say that it does not start. */
static bool try_out(const struct httpd_tls *t, gnutls_certificate_credentials_t trial,
		    const char *cert_file, const char *key_file,
		    const char *client_ca_file, struct error *err)
{
	gnutls_datum_t cert = datum(t->cert.data, t->cert.length);
	gnutls_datum_t key = datum(secret_bytes(t->key), secret_length(t->key));
	gnutls_datum_t ca = datum(t->client_ca.data, t->client_ca.length);
	int got = gnutls_certificate_set_x509_key_mem(trial, &cert, &key,
						      GNUTLS_X509_FMT_PEM);

	if (got < 0)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "cannot use the certificate '%s' with the key '%s': %s",
				 cert_file, key_file, gnutls_strerror(got));
	if (!client_ca_file)
		return true;
	got = gnutls_certificate_set_x509_trust_mem(trial, &ca, GNUTLS_X509_FMT_PEM);
	if (got > 0)
		return true;
	return error_set(err, ERR_INVALID_ARGUMENT,
			 "there is no certificate in '%s' that can be used: %s",
			 client_ca_file,
			 got < 0 ? gnutls_strerror(got) : "it holds none");
}

static bool read_files(struct httpd_tls *t, const char *cert_file, const char *key_file,
		       const char *client_ca_file, struct error *err)
{
	gnutls_certificate_credentials_t trial;

	if (!gnutls_need(err))
		return false;
	t->key = secret_read(key_file, false, err);
	if (!t->key || !file_read(cert_file, FILE_MAX, &t->cert, err) ||
	    (client_ca_file && !file_read(client_ca_file, FILE_MAX, &t->client_ca, err)))
		return false;
	if (gnutls_certificate_allocate_credentials(&trial) < 0)
		return error_oom(err);
	bool good = try_out(t, trial, cert_file, key_file, client_ca_file, err);
	gnutls_certificate_free_credentials(trial);
	return good;
}

struct httpd_tls *httpd_tls_read(const char *cert_file, const char *key_file,
				 const char *client_ca_file, struct error *err)
{
	_cleanup_(httpd_tls_freep) struct httpd_tls *t = calloc(1, sizeof *t);

	if (!t) {
		error_oom(err);
		return NULL;
	}
	strbuf_init(&t->cert);
	strbuf_init(&t->client_ca);
	return read_files(t, cert_file, key_file, client_ca_file, err) ? TAKE(t) : NULL;
}

void httpd_tls_free(struct httpd_tls *t)
{
	if (!t)
		return;
	strbuf_done(&t->cert);
	strbuf_done(&t->client_ca);
	secret_free(t->key);
	free(t);
}

bool httpd_tls_wants_clients(const struct httpd_tls *t)
{
	return t && t->client_ca.length > 0;
}

/* ---- For a loop ---- */

/* libmicrohttpd's parameters are not const, and it only reads. */
static void *plain(const void *p)
{
	return (void *)(uintptr_t)p;
}

void httpd_tls_options(const struct httpd_tls *t,
		       struct MHD_OptionItem ret[static HTTPD_TLS_OPTIONS])
{
	unsigned n = 0;

	if (t) {
		ret[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_CERT, 0,
						    plain(t->cert.data) };
		ret[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_KEY, 0,
						    plain(secret_bytes(t->key)) };
		ret[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_PRIORITIES, 0,
						    plain(PRIORITIES) };
	}
	if (httpd_tls_wants_clients(t))
		ret[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_TRUST, 0,
						    plain(t->client_ca.data) };
	ret[n] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
}

static gnutls_session_t session_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	return info ? info->tls_session : NULL;
}

/* libmicrohttpd asks for a certificate and would take any, or none. */
bool httpd_tls_require_client(struct MHD_Connection *connection)
{
	static char purpose[] = GNUTLS_KP_TLS_WWW_CLIENT;
	static gnutls_typed_vdata_st is_client[] = {
		{ GNUTLS_DT_KEY_PURPOSE_OID, (unsigned char *)purpose, 0 },
	};
	gnutls_session_t session = session_of(connection);

	if (!session)
		return false;
	gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
	gnutls_session_set_verify_cert2(session, is_client, ARRAY_SIZE(is_client), 0);
	return true;
}

ssize_t httpd_tls_write(struct MHD_Connection *connection, const void *bytes,
			size_t length, bool again)
{
	gnutls_session_t session = session_of(connection);
	/* what could not be sent at once is in the session already, as a record */
	ssize_t n = again ? gnutls_record_send(session, NULL, 0)
			  : gnutls_record_send(session, bytes, length);

	if (n >= 0)
		return n;
	errno = n == GNUTLS_E_AGAIN ? EAGAIN : n == GNUTLS_E_INTERRUPTED ? EAGAIN : EPIPE;
	return -1;
}

char *httpd_tls_client_name(struct MHD_Connection *connection)
{
	gnutls_session_t session = session_of(connection);
	const gnutls_datum_t *chain = NULL;
	char name[SUBJECT_MAX];
	size_t length = sizeof name;
	unsigned count = 0;
	gnutls_x509_crt_t cert;

	if (session)
		chain = gnutls_certificate_get_peers(session, &count);
	if (!chain || count == 0 || gnutls_x509_crt_init(&cert) < 0)
		return NULL;
	bool good = gnutls_x509_crt_import(cert, &chain[0], GNUTLS_X509_FMT_DER) == 0 &&
		    gnutls_x509_crt_get_dn(cert, name, &length) == 0;
	gnutls_x509_crt_deinit(cert);
	return good ? strndup(name, length) : NULL;
}
