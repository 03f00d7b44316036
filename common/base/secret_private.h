/*
 * secret_private -- what secret.c, secret_seal.c and sign_key.c share.
 */
#ifndef BASE_SECRET_PRIVATE_H
#define BASE_SECRET_PRIVATE_H

#include "base/secret.h"

struct secret {
	size_t length;
	unsigned char bytes[]; /* and a NUL, so that a token is a string too */
};

/* OpenSSL's reasons go to the log alone; its queue must be empty for the next user. False. */
bool secret_crypto_error(struct error *err, enum error_code code, const char *what);

#endif
