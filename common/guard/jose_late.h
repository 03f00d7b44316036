/*
 * jose_late -- libjose, where access tokens of other issuers are taken (base/library.h).
 *
 * Its functions that we use are those in the table of jose_late.c, and may be called
 * after jose_need.
 */
#ifndef GUARD_JOSE_LATE_H
#define GUARD_JOSE_LATE_H

#include <jose/jws.h>
#include <jose/openssl.h>

#include "base/error.h"

bool jose_need(struct error *err);

#endif
