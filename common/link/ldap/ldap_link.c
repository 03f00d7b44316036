#include "link/ldap/ldap_link.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>

#include "base/clock.h"
#include "link/ldap/ldap_connection.h"
#include "link/ldap/ldap_entry.h"

enum {
	CONNECTIONS_MAX = 8,
	CHANGES_MAX = 8,
	TIMEOUT_MIN_MS = 100,
	TIMEOUT_MAX_MS = 60000,
	IDLE_MAX_MS = 60000, /* then closed, before the directory does it */
	FRESH_MS = 1000,     /* younger answers need no question whether it lives */
};

struct slot {
	LDAP *ld; /* NULL: not connected */
	int64_t used_ms;
	bool busy;
};

struct ldap_link {
	struct ldap_link_config config; /* its strings and its secret are ours */
	char *uri, *bind_dn, *ca_file;
	struct secret *password;

	pthread_mutex_t lock;
	pthread_cond_t freed;
	struct slot slots[CONNECTIONS_MAX];
	int64_t down_since_ms; /* wall clock; 0: it answered last time */
};

/* ---- Life ------------------------------------------------------------------------ */

void ldap_link_free(struct ldap_link *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		ldap_connection_close(l->slots[i].ld);
	pthread_cond_destroy(&l->freed);
	pthread_mutex_destroy(&l->lock);
	secret_free(l->password);
	free(l->uri);
	free(l->bind_dn);
	free(l->ca_file);
	free(l);
}

static bool check_config(const struct ldap_link_config *c, struct error *err)
{
	if (!c->bind_dn || !*c->bind_dn || !c->password || secret_length(c->password) == 0)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a directory wants the name and the password of a service account");
	if (c->timeout_ms < TIMEOUT_MIN_MS || c->timeout_ms > TIMEOUT_MAX_MS)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a directory's timeout is %d to %d ms", TIMEOUT_MIN_MS,
				 TIMEOUT_MAX_MS);
	if (c->connections < 1 || c->connections > CONNECTIONS_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a directory has 1 to %d connections", CONNECTIONS_MAX);
	return ldap_connection_check_uris(c->uri, c->start_tls, err);
}

struct ldap_link *ldap_link_new(const struct ldap_link_config *config, struct error *err)
{
	_cleanup_(ldap_link_freep) struct ldap_link *l = NULL;
	pthread_condattr_t monotonic;

	ldap_connection_prepare();
	if (!check_config(config, err))
		return NULL;
	l = calloc(1, sizeof *l);
	if (!l) {
		error_oom(err);
		return NULL;
	}
	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&l->freed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	l->uri = strdup(config->uri);
	l->bind_dn = strdup(config->bind_dn);
	l->ca_file = config->ca_file ? strdup(config->ca_file) : NULL;
	l->password = secret_new(secret_bytes(config->password), secret_length(config->password));
	if (!l->uri || !l->bind_dn || (config->ca_file && !l->ca_file) || !l->password) {
		error_oom(err);
		return NULL;
	}
	l->config = *config;
	l->config.uri = l->uri;
	l->config.bind_dn = l->bind_dn;
	l->config.ca_file = l->ca_file;
	l->config.password = l->password;
	return TAKE(l);
}

const char *ldap_link_uri(const struct ldap_link *l)
{
	return l->uri;
}

/* ---- Whether it answers ---------------------------------------------------------- */

static void note_up(struct ldap_link *l)
{
	pthread_mutex_lock(&l->lock);
	l->down_since_ms = 0;
	pthread_mutex_unlock(&l->lock);
}

/* Set 'err' for a directory that does not answer: which one, and since when. */
static bool fail_down(struct ldap_link *l, LDAP *ld, int code, const char *what,
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

static bool fail_code(struct ldap_link *l, LDAP *ld, int code, const char *what,
		      struct error *err)
{
	if (ldap_code_is_broken(code))
		return fail_down(l, ld, code, what, err);
	return ldap_code_error(ld, code, l->uri, what, err);
}

/* ---- The pool -------------------------------------------------------------------- */

static struct slot *find_free(struct ldap_link *l)
{
	struct slot *unconnected = NULL;

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

/* Wait for a slot of the pool, connected or not, as long as an operation may take. */
static struct slot *take_slot(struct ldap_link *l, struct error *err)
{
	struct timespec until;
	struct slot *slot;
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
		error_set(err, ERR_TIMEOUT, "all %u connections to directory '%s' are busy",
			  l->config.connections, l->uri);
	return slot;
}

static void disconnect(struct slot *slot)
{
	ldap_connection_close(TAKE(slot->ld));
}

/* Give the slot back; what broke is closed. */
static void give_slot(struct ldap_link *l, struct slot *slot, bool broken)
{
	if (broken)
		disconnect(slot);
	slot->used_ms = clock_mono_ms();
	pthread_mutex_lock(&l->lock);
	slot->busy = false;
	pthread_cond_signal(&l->freed);
	pthread_mutex_unlock(&l->lock);
}

static struct timeval time_limit(const struct ldap_link *l)
{
	return (struct timeval){ .tv_sec = (time_t)(l->config.timeout_ms / 1000),
				 .tv_usec = (suseconds_t)(l->config.timeout_ms % 1000 * 1000) };
}

/* The root entry, without attributes. */
static int ask_root(struct ldap_link *l, LDAP *ld)
{
	static char none[] = LDAP_NO_ATTRS;
	char *attributes[] = { none, NULL };
	struct timeval limit = time_limit(l);
	LDAPMessage *result = NULL;
	int rc = ldap_search_ext_s(ld, "", LDAP_SCOPE_BASE, "(objectClass=*)", attributes, 0, NULL,
				   NULL, &limit, 1, &result);

	ldap_msgfree(result);
	return rc;
}

static bool connect_slot(struct ldap_link *l, struct slot *slot, struct error *err)
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
		fail_down(l, ld, rc, rc < 0 ? "reach" : "log in to", err);
		ldap_connection_close(ld);
		return false;
	}
	note_up(l);
	slot->ld = ld;
	slot->used_ms = clock_mono_ms();
	return true;
}

/* Have a live connection in the slot. 'certain' asks the directory first, so that a
 * connection which died in the pool is found before a change is sent over it. */
static bool ready_slot(struct ldap_link *l, struct slot *slot, bool certain, struct error *err)
{
	int64_t idle_ms = clock_mono_ms() - slot->used_ms;

	if (slot->ld && idle_ms > IDLE_MAX_MS)
		disconnect(slot);
	if (slot->ld && certain && idle_ms > FRESH_MS && ask_root(l, slot->ld) != LDAP_SUCCESS)
		disconnect(slot);
	return slot->ld || connect_slot(l, slot, err);
}

bool ldap_link_ping(struct ldap_link *l, struct error *err)
{
	struct slot *slot = take_slot(l, err);
	bool ok;
	int rc;

	if (!slot)
		return false;
	ok = ready_slot(l, slot, true, err);
	if (ok && (rc = ask_root(l, slot->ld)) != LDAP_SUCCESS) {
		ok = fail_down(l, slot->ld, rc, "reach", err);
		give_slot(l, slot, true);
		return ok;
	}
	give_slot(l, slot, false);
	return ok;
}

/* ---- Searching ------------------------------------------------------------------- */

struct search {
	struct ldap_link *l;
	LDAP *ld;
	const char *base, *filter;
	int scope;
	char *attributes[LDAP_LINK_ATTRIBUTES_MAX + 1];
	size_t limit;
	bool (*fn)(void *context, struct ldap_entry *entry);
	void *context;
	size_t given;
	bool more, stop;
	struct berval *cookie;
};

/* libldap's types lack the const that its functions keep. */
static char *without_const(const char *text)
{
	char *same;

	memcpy(&same, &text, sizeof same);
	return same;
}

/* Give the entries of a page; references to other directories are passed over. */
static bool give_entries(struct search *s, LDAPMessage *result, struct error *err)
{
	for (LDAPMessage *m = ldap_first_entry(s->ld, result); m && !s->stop;
	     m = ldap_next_entry(s->ld, m)) {
		struct ldap_entry *entry;

		if (s->limit && s->given == s->limit) {
			s->more = s->stop = true;
			break;
		}
		entry = ldap_entry_read(s->ld, m, err);
		if (!entry)
			return false;
		s->given++;
		s->stop = !s->fn(s->context, entry);
	}
	return true;
}

/* Keep the cookie of the next page, or none. */
static void read_cookie(struct search *s, LDAPControl **controls)
{
	LDAPControl *page = controls ?
		ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL) : NULL;
	struct berval cookie = { 0 };
	ber_int_t estimate;

	ber_bvfree(TAKE(s->cookie));
	if (page && ldap_parse_pageresponse_control(s->ld, page, &estimate, &cookie) ==
			    LDAP_SUCCESS) {
		if (cookie.bv_len > 0)
			s->cookie = ber_bvdup(&cookie);
		ber_memfree(cookie.bv_val);
	}
}

/* One page. Returns a result code; 'err' is set for failures that are ours. */
static int search_page(struct search *s, struct error *err)
{
	struct timeval limit = time_limit(s->l);
	LDAPControl *page = NULL, **controls = NULL;
	LDAPMessage *result = NULL;
	int rc, code = LDAP_SUCCESS;
	ber_int_t size = LDAP_LINK_PAGE;

	/* One more than wanted tells whether there is more. */
	if (s->limit && s->limit - s->given < LDAP_LINK_PAGE)
		size = (ber_int_t)(s->limit - s->given) + 1;
	rc = ldap_create_page_control(s->ld, size, s->cookie, 0, &page);
	if (rc != LDAP_SUCCESS)
		return rc;
	rc = ldap_search_ext_s(s->ld, s->base, s->scope, s->filter, s->attributes, 0,
			       (LDAPControl *[]){ page, NULL }, NULL, &limit, LDAP_NO_LIMIT,
			       &result);
	ldap_control_free(page);
	if (rc == LDAP_SUCCESS || rc == LDAP_SIZELIMIT_EXCEEDED || rc == LDAP_ADMINLIMIT_EXCEEDED) {
		/* Past the directory's limit the entries so far are still good. */
		bool cut = rc != LDAP_SUCCESS;

		rc = ldap_parse_result(s->ld, result, &code, NULL, NULL, NULL, &controls, 0);
		read_cookie(s, controls);
		ldap_controls_free(controls);
		(void)give_entries(s, result, err);
		if (cut)
			s->more = s->stop = true;
	}
	ldap_msgfree(result);
	return rc == LDAP_NO_SUCH_OBJECT ? LDAP_SUCCESS : rc;
}

static int search_all(struct search *s, struct error *err)
{
	int rc;

	do {
		rc = search_page(s, err);
	} while (rc == LDAP_SUCCESS && !error_is_set(err) && !s->stop && s->cookie);
	ber_bvfree(TAKE(s->cookie));
	return rc;
}

bool ldap_link_search(struct ldap_link *l, const char *base, enum ldap_link_scope scope,
		      const char *filter, const char *const *attributes, size_t limit,
		      bool (*fn)(void *context, struct ldap_entry *entry), void *context,
		      bool *ret_more, struct error *err)
{
	struct search s = {
		.l = l, .base = base, .filter = filter, .limit = limit, .fn = fn,
		.context = context,
		.scope = scope == LDAP_LINK_BASE ? LDAP_SCOPE_BASE : LDAP_SCOPE_SUBTREE,
	};
	struct error own = ERROR_INIT;
	struct slot *slot = take_slot(l, err);
	int rc = LDAP_SUCCESS;

	if (!slot)
		return false;
	for (size_t i = 0; attributes[i]; i++) {
		assert(i < LDAP_LINK_ATTRIBUTES_MAX);
		s.attributes[i] = without_const(attributes[i]);
	}
	/* A connection that died in the pool is found out here; the second is new. */
	for (int attempt = 0; attempt < 2 && ready_slot(l, slot, false, &own); attempt++) {
		s.ld = slot->ld;
		rc = search_all(&s, &own);
		if (rc == LDAP_SUCCESS || error_is_set(&own))
			break;
		if (attempt == 1 || s.given > 0 || rc == LDAP_TIMEOUT || !ldap_code_is_broken(rc))
			fail_code(l, slot->ld, rc, "search", &own);
		if (ldap_code_is_broken(rc))
			disconnect(slot);
		if (error_is_set(&own))
			break;
	}
	give_slot(l, slot, false);
	if (error_is_set(&own)) {
		if (!error_is_set(err))
			*err = own;
		return false;
	}
	note_up(l);
	if (ret_more)
		*ret_more = s.more;
	return true;
}

/* ---- Changing -------------------------------------------------------------------- */

static int send_changes(LDAP *ld, const char *dn, const char *only_if,
			const struct ldap_link_change *changes, size_t count)
{
	static const int ops[] = { [LDAP_LINK_REPLACE] = LDAP_MOD_REPLACE,
				   [LDAP_LINK_DELETE] = LDAP_MOD_DELETE,
				   [LDAP_LINK_ADD] = LDAP_MOD_ADD };
	char *values[CHANGES_MAX][2] = { 0 };
	LDAPMod mods[CHANGES_MAX] = { 0 }, *list[CHANGES_MAX + 1] = { 0 };
	LDAPControl *assertion = NULL;
	int rc;

	for (size_t i = 0; i < count; i++) {
		values[i][0] = changes[i].value ? without_const(changes[i].value) : NULL;
		mods[i].mod_op = ops[changes[i].op];
		mods[i].mod_type = without_const(changes[i].attribute);
		mods[i].mod_values = changes[i].value ? values[i] : NULL;
		list[i] = &mods[i];
	}
	if (only_if) {
		/* Critical: a directory that cannot assert must not just change. */
		rc = ldap_create_assertion_control(ld, without_const(only_if), 1, &assertion);
		if (rc != LDAP_SUCCESS)
			return LDAP_FILTER_ERROR;
	}
	rc = ldap_modify_ext_s(ld, dn, list,
			       assertion ? (LDAPControl *[]){ assertion, NULL } : NULL, NULL);
	ldap_control_free(assertion);
	return rc;
}

/* Asked to delete an attribute as a whole: that it was not there is no failure. */
static bool deletes_whole(const struct ldap_link_change *changes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (changes[i].op == LDAP_LINK_DELETE && !changes[i].value)
			return true;
	return false;
}

bool ldap_link_modify(struct ldap_link *l, const char *dn, const char *only_if,
		      const struct ldap_link_change *changes, size_t count,
		      bool *ret_unchanged, struct error *err)
{
	struct slot *slot;
	bool ok = true, unchanged = false;
	int rc;

	assert(count > 0 && count <= CHANGES_MAX);
	slot = take_slot(l, err);
	if (!slot)
		return false;
	if (!ready_slot(l, slot, true, err)) {
		give_slot(l, slot, false);
		return false;
	}
	rc = send_changes(slot->ld, dn, only_if, changes, count);
	if (rc == LDAP_NO_SUCH_ATTRIBUTE && deletes_whole(changes, count))
		unchanged = true;
	else if (ldap_code_is_broken(rc) && rc != LDAP_UNAVAILABLE)
		ok = error_set(err, ERR_UNKNOWN_OUTCOME,
			       "directory '%s' did not say whether it made the change: %s", l->uri,
			       ldap_err2string(rc));
	else if (rc != LDAP_SUCCESS)
		ok = fail_code(l, slot->ld, rc, "change an entry of", err);
	give_slot(l, slot, ldap_code_is_broken(rc));
	if (ok)
		*ret_unchanged = unchanged;
	return ok;
}

/* ---- Trying a password ----------------------------------------------------------- */

bool ldap_link_try_bind(const char *uri, const char *dn, const char *password, int64_t timeout_ms,
			bool *ret_ok, struct error *err)
{
	const struct ldap_link_config config = { .uri = uri, .timeout_ms = timeout_ms };
	_cleanup_(ldap_connection_closep) LDAP *ld = NULL;
	int rc;

	if (!*dn || !*password)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a bind without name or password proves nothing");
	if (!ldap_connection_check_uris(uri, false, err))
		return false;
	ld = ldap_connection_open(&config, err);
	if (!ld)
		return false;
	rc = ldap_connection_bind(ld, dn, password, strlen(password));
	/* 53 is what 389-DS answers for an account that is blocked. */
	if (rc != LDAP_SUCCESS && rc != LDAP_INVALID_CREDENTIALS &&
	    rc != LDAP_UNWILLING_TO_PERFORM)
		return ldap_code_error(ld, rc, uri, "log in to", err);
	*ret_ok = rc == LDAP_SUCCESS;
	return true;
}
