/*
 * http_tls -- whom our calls out trust, and the certificate that they show.
 *
 * Read from PEM files at once, so that a sandbox may close afterwards and a file that
 * is replaced counts with the next start. Given to http_client_use_tls.
 */
#ifndef LINK_HTTP_TLS_H
#define LINK_HTTP_TLS_H

#include "base/error.h"

struct http_tls;

/*
 * 'ca_file' holds the authorities for servers' certificates, in place of the system's;
 * NULL: the system's. 'cert_file' (our chain, our own certificate first) and 'key_file'
 * (its key, not encrypted, which nobody else may read) are what servers that ask are
 * shown; both or neither. ERR_INVALID_ARGUMENT for files with nothing usable in them
 * and for a key that is another certificate's.
 */
struct http_tls *http_tls_read(const char *ca_file, const char *cert_file,
			       const char *key_file, struct error *err) _must_use_;
void http_tls_free(struct http_tls *t);
DEFINE_CLEANUP(struct http_tls, http_tls_free);

#endif
