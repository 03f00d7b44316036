/*
 * emergency -- the word by which a person says yes with the emergency key.
 *
 *   {typ: "org.wingman/emergency", v: 1, kid, approval, shown, typed, reason, iat}
 *
 * Made by the console, judged by the gate. The key is encrypted and kept offline; its
 * public half is keys/emergency/<kid>.pem. 'typed' is the short digest as typed by hand,
 * all twelve digits; 'reason' is typed as well; 'iat' in seconds. APPROVALS.md, break-glass.
 */
#ifndef GUARD_EMERGENCY_H
#define GUARD_EMERGENCY_H

#include "guard/envelope.h"

#define TYP_EMERGENCY "org.wingman/emergency"

enum {
	EMERGENCY_REASON_MIN = 10,
	EMERGENCY_REASON_MAX = 500,
	EMERGENCY_TYPED = 12,
	EMERGENCY_AHEAD_S = 30,
	EMERGENCY_OLD_S = 120,
};

struct emergency_word {
	char kid[KEY_KID_BYTES];
	char reason[EMERGENCY_REASON_MAX + 1];
};

/* Whether the word is this key's, of now, and about this record as it was shown.
 * ERR_PERMISSION_DENIED or ERR_PRECONDITION_FAILED. */
bool emergency_open(const char *word, struct keyring *keys, const char *approval,
		    const char *shown, int64_t now_ms, struct emergency_word *ret,
		    struct error *err);

/* The other side, for the console: the word to send. */
bool emergency_seal(struct strbuf *sb, const char *approval, const char *shown,
		    const char *typed, const char *reason, int64_t now_ms,
		    const struct sign_key *key, struct error *err);

#endif
