/*
 * gnutls_late -- loads GnuTLS, whose functions are called under their own names.
 *
 * Before the first object of the library is made, and before a sandbox closes.
 */
#ifndef BASE_GNUTLS_LATE_H
#define BASE_GNUTLS_LATE_H

#include "base/error.h"

/* ERR_INTERNAL: it is not there. Again costs nothing; any number of threads. */
bool gnutls_need(struct error *err);

#endif
