/*
 * keyring -- the public keys whose word counts: keys/trusted/<kid>.pem.
 *
 * Only regular files named by the kid of the key inside are keys; everything else
 * in the folder is ignored. The folder is read again when it has changed or an
 * unknown kid comes, at most once a second, so that a rotation needs no restart.
 * A folder that can no longer be read, that others may write, or that holds more
 * than KEYRING_MAX keys trusts nobody. Thread-safe.
 */
#ifndef GUARD_KEYRING_H
#define GUARD_KEYRING_H

#include "base/secret.h"

enum { KEYRING_MAX = 32, KEYRING_LOOK_MS = 1000 };

struct keyring;
struct keyring *keyring_open(const char *dir, struct error *err) _must_use_;
void keyring_free(struct keyring *k);
DEFINE_CLEANUP(struct keyring, keyring_free);
size_t keyring_count(struct keyring *k);

enum keyring_answer { KEYRING_GOOD, KEYRING_UNKNOWN_KID, KEYRING_BAD_SIGNATURE };
enum keyring_answer keyring_check(struct keyring *k, const char *kid, const void *data,
				  size_t length,
				  const uint8_t signature[static KEY_SIGNATURE_BYTES]);

#endif
