#include "link/http/http_tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/file.h"
#include "base/secret.h"
#include "link/http/http_transfer.h"

enum { FILE_MAX = 1024 * 1024 };

struct http_tls {
	struct strbuf ca, cert; /* PEM texts; empty for none */
	struct secret *key;
};

/* ---- Judging: curl would complain at the first call, and not by the file's name ---- */

static BIO *reader(const void *bytes, size_t length)
{
	return BIO_new_mem_buf(bytes, (int)length); /* at most FILE_MAX */
}

/* The first certificate of a PEM text, or NULL. */
static X509 *first_certificate(const struct strbuf *pem)
{
	BIO *bio = reader(pem->data, pem->length);
	X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	ERR_clear_error();
	return cert;
}

/* A key that wants a passphrase is no key: nobody is there to type it. */
static int no_passphrase(char *buffer, int size, int is_writing, void *context)
{
	(void)buffer;
	(void)size;
	(void)is_writing;
	(void)context;
	return -1;
}

static bool is_key_of(const struct secret *key, X509 *cert)
{
	BIO *bio = reader(secret_bytes(key), secret_length(key));
	EVP_PKEY *read = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL)
			     : NULL;
	bool good = read && X509_check_private_key(cert, read) == 1;

	EVP_PKEY_free(read);
	BIO_free(bio);
	ERR_clear_error();
	return good;
}

static bool read_ca(struct http_tls *t, const char *file, struct error *err)
{
	if (!file_read(file, FILE_MAX, &t->ca, err))
		return false;
	X509 *cert = first_certificate(&t->ca);
	bool good = cert != NULL;
	X509_free(cert);
	return good ||
	       error_set(err, ERR_INVALID_ARGUMENT,
			 "there is no certificate in '%s' that can be used", file);
}

static bool read_own(struct http_tls *t, const char *cert_file, const char *key_file,
		     struct error *err)
{
	t->key = secret_read(key_file, false, err);
	if (!t->key || !file_read(cert_file, FILE_MAX, &t->cert, err))
		return false;
	X509 *cert = first_certificate(&t->cert);
	bool good = cert && is_key_of(t->key, cert);
	X509_free(cert);
	return good || error_set(err, ERR_INVALID_ARGUMENT,
				 "cannot use the certificate '%s' with the key '%s'",
				 cert_file, key_file);
}

struct http_tls *http_tls_read(const char *ca_file, const char *cert_file,
			       const char *key_file, struct error *err)
{
	_cleanup_(http_tls_freep) struct http_tls *t = calloc(1, sizeof *t);

	if (!t) {
		error_oom(err);
		return NULL;
	}
	strbuf_init(&t->ca);
	strbuf_init(&t->cert);
	if (!cert_file != !key_file) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "a certificate needs its key, and a key its certificate");
		return NULL;
	}
	if ((ca_file && !read_ca(t, ca_file, err)) ||
	    (cert_file && !read_own(t, cert_file, key_file, err)))
		return NULL;
	return TAKE(t);
}

void http_tls_free(struct http_tls *t)
{
	if (!t)
		return;
	strbuf_done(&t->ca);
	strbuf_done(&t->cert);
	secret_free(t->key);
	free(t);
}

/* ---- For a call ---- */

static struct curl_blob blob(const void *bytes, size_t length)
{
	/* The library's type is not const; without CURL_BLOB_COPY it only reads. */
	return (struct curl_blob){ (void *)(uintptr_t)bytes, length, CURL_BLOB_NOCOPY };
}

static bool set(CURL *easy, CURLoption option, const void *bytes, size_t length)
{
	struct curl_blob b = blob(bytes, length);

	return length == 0 || curl_easy_setopt(easy, option, &b) == CURLE_OK;
}

bool http_tls_apply(const struct http_tls *t, CURL *easy)
{
	return set(easy, CURLOPT_CAINFO_BLOB, t->ca.data, t->ca.length) &&
	       set(easy, CURLOPT_SSLCERT_BLOB, t->cert.data, t->cert.length) &&
	       (!t->key || set(easy, CURLOPT_SSLKEY_BLOB, secret_bytes(t->key),
			       secret_length(t->key)));
}
