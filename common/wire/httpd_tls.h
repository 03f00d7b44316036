/*
 * httpd_tls -- the certificate that an HTTP server shows, and whose certificates it
 * wants to see.
 *
 * TLS 1.2 and 1.3 by GnuTLS, as libmicrohttpd does it. Read before the sandbox closes,
 * given to httpd_start, and then no longer needed: free it, which wipes the key. With a
 * client CA, whoever shows no certificate of its for the purpose of a TLS client does
 * not get through the handshake. Renewed files take effect with the next start.
 */
#ifndef WIRE_HTTPD_TLS_H
#define WIRE_HTTPD_TLS_H

#include "base/error.h"

struct httpd_tls;

/* PEM files: the chain with our own certificate first; its key, not encrypted, which
 * nobody else may read; and the authorities for clients, or NULL. Refuses a key that
 * is not the certificate's, and files with nothing in them. */
struct httpd_tls *httpd_tls_read(const char *cert_file, const char *key_file,
				 const char *client_ca_file,
				 struct error *err) _must_use_;
void httpd_tls_free(struct httpd_tls *t);
DEFINE_CLEANUP(struct httpd_tls, httpd_tls_free);

#endif
