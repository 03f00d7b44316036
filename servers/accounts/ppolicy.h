/*
 * ppolicy -- what OpenLDAP's password policy makes of a lock. Pure.
 *
 * pwdAccountLockedTime is either PPOLICY_LOCKED_FOR_EVER or the time at which a
 * lock after failed logins began, which lasts pwdLockoutDuration (0: for ever).
 * Any of it counts only where the effective policy has pwdLockout TRUE. A time in
 * the future is no lock yet. Source: slapo-ppolicy(5), and slapd 2.5.13 itself.
 */
#ifndef ACCOUNTS_PPOLICY_H
#define ACCOUNTS_PPOLICY_H

#include "servers/accounts/backend.h"

#define PPOLICY_LOCKED_FOR_EVER "000001010000Z"

struct ppolicy {
	bool found;          /* a policy is in force at all */
	bool lockout;        /* pwdLockout TRUE */
	int64_t duration_ms; /* pwdLockoutDuration; 0: for ever */
};

/* "20261122100000Z", with or without fraction; UTC alone. ERR_INVALID_ARGUMENT otherwise. */
bool ppolicy_parse_time(const char *text, int64_t *ret_wall_ms, struct error *err);

/*
 * Judge a lock ("" for none) under a policy: sets state, permanent, since_ms,
 * until_ms, obeyed and lock of 'ret', and writes a sentence into 'detail'.
 * A lock that cannot be read is ACCOUNT_UNKNOWN.
 */
void ppolicy_judge(const char *lock, const struct ppolicy *policy, int64_t now_ms,
		   struct account *ret, struct strbuf *detail);

#endif
