/*
 * person_pin -- an approver's PIN, for places where others can act under the same uid.
 *
 * Kept as scrypt under a random salt. Five wrong tries lock it for fifteen minutes; a try
 * is counted before it is judged, so that falling over in between wins nobody another.
 */
#ifndef GATE_PERSON_PIN_H
#define GATE_PERSON_PIN_H

#include "base/secret.h"
#include "link/coordination/coordination.h"
#include "link/documents/documents.h"

enum { PERSON_PIN_MIN = 4, PERSON_PIN_MAX = 128, PERSON_PIN_TRIES = 5 };
enum { PERSON_PIN_LOCK_MS = 15 * 60 * 1000 };

struct pin_store {
	struct documents *documents;
	struct coordination *coordination;
};

bool person_pin_is_set(const struct pin_store *s, const char *person, bool *ret,
		       struct error *err);
/* True when 'person' has none, or 'pin' (may be NULL) is it. ERR_PERMISSION_DENIED, else. */
bool person_pin_check(const struct pin_store *s, const char *person, const char *pin,
		      struct error *err);
/* 'pin' NULL removes it. The old one must have been checked before. */
bool person_pin_set(const struct pin_store *s, const char *person, const char *pin,
		    struct error *err);

#endif
