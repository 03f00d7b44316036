/*
 * resolve -- which person somebody means, and that person's accounts.
 *
 * Identifiers first: an e-mail address, a user name (also as @name), a DN. A name
 * counts only when exactly one person bears it; several are ERR_AMBIGUOUS with the
 * candidates, for a person to choose from. Never by a part of a name, never by
 * likeness. The first system that knows the person says who it is; in the others
 * that person's account is the one with the same e-mail address, never with the
 * same name.
 *
 * Where a people server is configured it is asked instead (people_answer.h): it knows more
 * ways to name a person and more proofs that two accounts belong together.
 */
#ifndef ACCOUNTS_RESOLVE_H
#define ACCOUNTS_RESOLVE_H

#include "base/json.h"
#include "servers/accounts/backend.h"

enum { SYSTEMS_MAX = 4, PERSON_ACCOUNTS_MAX = 12 };

struct person {
	char *name, *uid, *mail; /* owned, never NULL */
	json_t *emails;          /* all known addresses; owned; NULL: 'mail' is all */
	json_t *notes; /* what people should know before they decide; owned; NULL: nothing */
	bool is_service; /* an account of a program, by who knows the people */
	size_t count;
	struct {
		const struct account_system *system;
		struct account account;
	} accounts[PERSON_ACCOUNTS_MAX];
};
void person_done(struct person *p);

/*
 * 'wanted' are the systems whose accounts are asked for; all of 'systems' serve to
 * find out who is meant. A person without an account in a wanted system has just
 * fewer accounts. ERR_NOT_FOUND; ERR_AMBIGUOUS with '*ret_candidates' (new
 * reference: an array of {display_name, uid, email, system, identifier, choice}, where
 * 'choice' are the arguments of a call that mean this one).
 */
bool resolve_person(const struct account_system *systems, size_t count,
		    const bool *wanted, const char *text, int64_t now_ms,
		    struct person *ret, json_t **ret_candidates, struct error *err);

#endif
