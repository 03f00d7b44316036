/* testing_tls -- certificates of tests, made anew each time. */
#ifndef WIRE_TESTING_TLS_H
#define WIRE_TESTING_TLS_H

#include "base/testing.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/file.h"

/* A certificate and its key, and where they are. */
struct identity {
	gnutls_x509_crt_t cert;
	gnutls_x509_privkey_t key;
	char cert_file[TESTING_PATH_BYTES + 32], key_file[TESTING_PATH_BYTES + 32];
};

static inline void testing_save_pem(const char *path, const gnutls_datum_t *pem)
{
	struct error err = ERROR_INIT;

	assert_true(file_write(path, pem->data, pem->size, 0600, &err));
}

/* <dir>/<name>.pem and .key, for 'localhost' and 127.0.0.1. 'issuer' NULL: an authority of its
 * own. 'purpose' NULL: none. */
static inline void testing_identity(const char *dir, struct identity *id,
				    const char *name, struct identity *issuer,
				    const char *purpose)
{
	gnutls_datum_t pem;
	unsigned char serial = (unsigned char)(name[0] & 0x7f);

	assert_int_equal(gnutls_x509_privkey_init(&id->key), 0);
	assert_int_equal(gnutls_x509_privkey_generate(
				 id->key, GNUTLS_PK_ECDSA,
				 GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
			 0);
	assert_int_equal(gnutls_x509_crt_init(&id->cert), 0);
	gnutls_x509_crt_set_version(id->cert, 3);
	gnutls_x509_crt_set_serial(id->cert, &serial, 1);
	gnutls_x509_crt_set_activation_time(id->cert, time(NULL) - 60);
	gnutls_x509_crt_set_expiration_time(id->cert, time(NULL) + 3600);
	gnutls_x509_crt_set_dn_by_oid(id->cert, GNUTLS_OID_X520_COMMON_NAME, 0, name,
				      (unsigned)strlen(name));
	gnutls_x509_crt_set_subject_alt_name(id->cert, GNUTLS_SAN_DNSNAME, "localhost", 9,
					     GNUTLS_FSAN_SET);
	gnutls_x509_crt_set_subject_alt_name(id->cert, GNUTLS_SAN_IPADDRESS, "\x7f\0\0\1",
					     4, GNUTLS_FSAN_APPEND);
	gnutls_x509_crt_set_key(id->cert, id->key);
	gnutls_x509_crt_set_basic_constraints(id->cert, issuer == NULL, -1);
	gnutls_x509_crt_set_key_usage(id->cert, issuer ? GNUTLS_KEY_DIGITAL_SIGNATURE
						       : GNUTLS_KEY_KEY_CERT_SIGN);
	if (purpose)
		gnutls_x509_crt_set_key_purpose_oid(id->cert, purpose, 0);
	if (!issuer)
		issuer = id;
	assert_int_equal(gnutls_x509_crt_sign2(id->cert, issuer->cert, issuer->key,
					       GNUTLS_DIG_SHA256, 0),
			 0);
	(void)snprintf(id->cert_file, sizeof id->cert_file, "%s/%s.pem", dir, name);
	(void)snprintf(id->key_file, sizeof id->key_file, "%s/%s.key", dir, name);
	assert_int_equal(gnutls_x509_crt_export2(id->cert, GNUTLS_X509_FMT_PEM, &pem), 0);
	testing_save_pem(id->cert_file, &pem);
	gnutls_free(pem.data);
	assert_int_equal(gnutls_x509_privkey_export2(id->key, GNUTLS_X509_FMT_PEM, &pem),
			 0);
	testing_save_pem(id->key_file, &pem);
	gnutls_free(pem.data);
}

static inline void testing_identity_done(struct identity *id)
{
	gnutls_x509_crt_deinit(id->cert);
	gnutls_x509_privkey_deinit(id->key);
}

#endif
