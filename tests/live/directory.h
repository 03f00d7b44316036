/*
 * directory -- what the test programs of the LDAP dialects share: a backend beside a
 * private directory, people's real logins, and changes that somebody else makes.
 *
 * The Python test that starts the directory says in the environment where it is and who
 * is who: DIRECTORY_URI (TLS), _CLEAR_URI, _CA, _WRONG_CA, and for _SERVICE (the account
 * with the rights it needs), _WEAK (one that reads) and _ADMIN a DN and a password file.
 * All functions fail the test on what was not to happen.
 */
#ifndef TESTS_LIVE_DIRECTORY_H
#define TESTS_LIVE_DIRECTORY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "link/ldap/ldap_link.h"
#include "servers/accounts/backend_ldap.h"
#include "tests/live/slapd_control.h"

#define DIRECTORY_NOW INT64_C(1795341600000) /* 2026-11-22T10:00:00Z */

/* TLS, as the service account; 'base' is people_base. */
json_t *directory_config(const char *base);
/* Set a member of its 'ldap'; 'config' is given back. */
json_t *directory_config_with(json_t *config, const char *name, json_t *value);

/* What is protected: everything below 'subtree', members of 'group', 'uid', and the last of
 * 'administrators'. */
json_t *directory_protecting(json_t *config, const char *subtree, const char *group,
			     const char *uid, const char *administrators);
/* As the account that may only read. */
json_t *directory_as_weak(json_t *config);

void system_close(struct account_system *s);
/* Consumes 'config'. */
void directory_open(json_t *config, struct account_system *ret);
enum error_code directory_try_open(json_t *config, struct account_system *ret,
				   struct error *err);

/* How many accounts the key finds; with exactly one, '*ret' (done first) is it. */
size_t directory_find(const struct account_system *s, enum account_key key,
		      const char *value, struct account *ret);
struct directory_case {
	enum account_key key;
	const char *value, *uid; /* NULL: nobody, "": several */
};
void directory_finds(const struct account_system *s, const struct directory_case *cases,
		     size_t count);
enum error_code directory_find_code(const struct account_system *s, const char *uid);
/* By user name; it must be there. */
void directory_get(const struct account_system *s, const char *uid, struct account *ret);

/* Whether this person gets in now. */
bool directory_binds(const char *name, const char *password);

/* Plan, apply, read back; '*step' (done first) is what was planned. */
void directory_block(const struct account_system *s, const struct account *a,
		     struct facet_step *step);
void directory_undo(const struct account_system *s, const struct account *a,
		    const json_t *snapshot, struct facet_step *step);
enum error_code directory_apply(const struct account_system *s, const struct account *a,
				const json_t *change);
enum facet_seen directory_read_back(const struct account_system *s,
				    const struct account *a, const json_t *change);

bool directory_protected(const struct account_system *s, const char *uid,
			 enum error_code *ret_code);
/* These are, those are not; both lists end with NULL. */
void directory_protects(const struct account_system *s, const char *const *yes,
			const char *const *no);

/* A configuration that names another dialect than the directory's is refused, and 'why' is
 * in the reason. Consumes 'config'. */
void directory_is_not(json_t *config, const char *dialect, const char *why);

/* Whether it is among the blocked, and how many there are. */
bool directory_lists(const struct account_system *s, const char *uid, size_t *ret_count);

/* Somebody else's change, past all of ours. */
void directory_edit(const char *dn, int op, const char *attribute, const char *value);
/* The entry has this value; NULL: none at all. */
void directory_check(const char *dn, const char *attribute, const char *value);

#endif
