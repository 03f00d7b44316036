#include "link/ldap/ldap_pool.h"

#include <errno.h>

#include "base/clock.h"

enum {
	IDLE_MAX_MS = 60000, /* then closed, before the directory does it */
	FRESH_MS = 1000,     /* younger answers need no question whether it lives */
};

/* ---- Whether it answers ---------------------------------------------------------- */

void ldap_pool_note_up(struct ldap_link *l)
{
	pthread_mutex_lock(&l->lock);
	l->down_since_ms = 0;
	pthread_mutex_unlock(&l->lock);
}

bool ldap_pool_fail_down(struct ldap_link *l, LDAP *ld, int code, const char *what,
			 struct error *err)
{
	struct error detail = ERROR_INIT;
	char since[CLOCK_TEXT_BYTES];
	int64_t since_ms;

	pthread_mutex_lock(&l->lock);
	if (l->down_since_ms == 0)
		l->down_since_ms = clock_wall_ms();
	since_ms = l->down_since_ms;
	pthread_mutex_unlock(&l->lock);
	ldap_code_error(ld, code, l->uri, what, &detail);
	error_set(err, detail.code == ERR_TIMEOUT ? ERR_TIMEOUT : ERR_BACKEND_UNAVAILABLE,
		  "%s (since %s)", detail.message, clock_format(since_ms, since));
	if (*detail.hint)
		error_hint(err, "%s", detail.hint);
	return error_cause(err, "%s", detail.cause);
}

bool ldap_pool_fail(struct ldap_link *l, LDAP *ld, int code, const char *what,
		    struct error *err)
{
	if (ldap_code_is_broken(code))
		return ldap_pool_fail_down(l, ld, code, what, err);
	return ldap_code_error(ld, code, l->uri, what, err);
}

/* ---- The pool -------------------------------------------------------------------- */

static struct ldap_slot *find_free(struct ldap_link *l)
{
	struct ldap_slot *unconnected = NULL;

	for (size_t i = 0; i < l->config.connections; i++) {
		if (l->slots[i].busy)
			continue;
		if (l->slots[i].ld)
			return &l->slots[i];
		if (!unconnected)
			unconnected = &l->slots[i];
	}
	return unconnected;
}

struct ldap_slot *ldap_pool_take(struct ldap_link *l, struct error *err)
{
	struct timespec until;
	struct ldap_slot *slot;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(l->config.timeout_ms / 1000);
	until.tv_nsec += (long)(l->config.timeout_ms % 1000 * 1000000);
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&l->lock);
	while (!(slot = find_free(l)) && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&l->freed, &l->lock, &until);
	if (slot)
		slot->busy = true;
	pthread_mutex_unlock(&l->lock);
	if (!slot)
		error_set(err, ERR_TIMEOUT,
			  "all %u connections to directory '%s' are busy",
			  l->config.connections, l->uri);
	return slot;
}

void ldap_pool_disconnect(struct ldap_slot *slot)
{
	ldap_connection_close(TAKE(slot->ld));
}

void ldap_pool_give(struct ldap_link *l, struct ldap_slot *slot, bool broken)
{
	if (broken)
		ldap_pool_disconnect(slot);
	slot->used_ms = clock_mono_ms();
	pthread_mutex_lock(&l->lock);
	slot->busy = false;
	pthread_cond_signal(&l->freed);
	pthread_mutex_unlock(&l->lock);
}

struct timeval ldap_pool_time_limit(const struct ldap_link *l)
{
	return (struct timeval){ .tv_sec = (time_t)(l->config.timeout_ms / 1000),
				 .tv_usec = (suseconds_t)(l->config.timeout_ms % 1000 *
							  1000) };
}

int ldap_pool_ask_root(struct ldap_link *l, LDAP *ld)
{
	static char none[] = LDAP_NO_ATTRS;
	char *attributes[] = { none, NULL };
	struct timeval limit = ldap_pool_time_limit(l);
	LDAPMessage *result = NULL;
	int rc = ldap_search_ext_s(ld, "", LDAP_SCOPE_BASE, "(objectClass=*)", attributes,
				   0, NULL, NULL, &limit, 1, &result);

	ldap_msgfree(result);
	return rc;
}

static bool connect_slot(struct ldap_link *l, struct ldap_slot *slot, struct error *err)
{
	struct error down = ERROR_INIT;
	LDAP *ld = ldap_connection_open(&l->config, &down);
	int rc;

	if (!ld) {
		/* StartTLS and the CA file speak for themselves; note since when. */
		error_set(err, down.code, "%s", down.message);
		if (*down.hint)
			error_hint(err, "%s", down.hint);
		return error_cause(err, "%s", down.cause);
	}
	rc = ldap_connection_bind(ld, l->bind_dn, secret_bytes(l->password),
				  secret_length(l->password));
	if (rc != LDAP_SUCCESS) {
		ldap_pool_fail_down(l, ld, rc, rc < 0 ? "reach" : "log in to", err);
		ldap_connection_close(ld);
		return false;
	}
	ldap_pool_note_up(l);
	slot->ld = ld;
	slot->used_ms = clock_mono_ms();
	return true;
}

bool ldap_pool_ready(struct ldap_link *l, struct ldap_slot *slot, bool certain,
		     struct error *err)
{
	int64_t idle_ms = clock_mono_ms() - slot->used_ms;

	if (slot->ld && idle_ms > IDLE_MAX_MS)
		ldap_pool_disconnect(slot);
	if (slot->ld && certain && idle_ms > FRESH_MS &&
	    ldap_pool_ask_root(l, slot->ld) != LDAP_SUCCESS)
		ldap_pool_disconnect(slot);
	return slot->ld || connect_slot(l, slot, err);
}
