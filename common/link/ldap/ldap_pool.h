/*
 * ldap_pool -- private to link/ldap: the connections of a link, lent one at a time.
 *
 * Also remembers since when the directory does not answer, for the errors.
 */
#ifndef LINK_LDAP_POOL_H
#define LINK_LDAP_POOL_H

#include <pthread.h>

#include "link/ldap/ldap_connection.h"

enum { LDAP_POOL_MAX = 8 };

struct ldap_slot {
	LDAP *ld; /* NULL: not connected */
	int64_t used_ms;
	bool busy;
};

struct ldap_link {
	struct ldap_link_config config; /* its strings and its secret are ours */
	char *uri, *bind_dn;
	char *ca_file; /* names ca_fd, or NULL */
	int ca_fd;     /* a copy in memory of the authorities; -1: the system's */
	struct secret *password;

	pthread_mutex_t lock;
	pthread_cond_t freed;
	struct ldap_slot slots[LDAP_POOL_MAX];
	int64_t down_since_ms; /* wall clock; 0: it answered last time */
};

/* Wait for a slot, connected or not, as long as an operation may take. NULL sets 'err'. */
struct ldap_slot *ldap_pool_take(struct ldap_link *l, struct error *err) _must_use_;
/* Give it back; what broke is closed. */
void ldap_pool_give(struct ldap_link *l, struct ldap_slot *slot, bool broken);
/* Have a live connection in the slot. 'certain' asks the directory first, so that a
 * connection which died in the pool is found before a change is sent over it. */
bool ldap_pool_ready(struct ldap_link *l, struct ldap_slot *slot, bool certain,
		     struct error *err);
void ldap_pool_disconnect(struct ldap_slot *slot);
/* Ask for the root entry, without attributes; its result code. */
int ldap_pool_ask_root(struct ldap_link *l, LDAP *ld);

/* Set 'err' for a result code: which directory, and since when if it does not answer. */
bool ldap_pool_fail(struct ldap_link *l, LDAP *ld, int code, const char *what,
		    struct error *err);
bool ldap_pool_fail_down(struct ldap_link *l, LDAP *ld, int code, const char *what,
			 struct error *err);
/* It answered. */
void ldap_pool_note_up(struct ldap_link *l);
struct timeval ldap_pool_time_limit(const struct ldap_link *l);

/* libldap's types lack the const that its functions keep. */
static inline char *ldap_without_const(const char *text)
{
	char *same;

	memcpy(&same, &text, sizeof same);
	return same;
}

#endif
