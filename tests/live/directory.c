#include "tests/live/directory.h"

#include <signal.h>

enum { TIMEOUT_MS = 2000 };

/* ---- The backend ---------------------------------------------------------------------- */

json_t *directory_config(const char *base)
{
	json_t *config = json_pack("{s:{s:s, s:s, s:s, s:s, s:s, s:i}}", "ldap", "uri",
				   slapd_env("DIRECTORY_URI"), "ca_file",
				   slapd_env("DIRECTORY_CA"), "bind_dn",
				   slapd_env("DIRECTORY_SERVICE"), "password_file",
				   slapd_env("DIRECTORY_SERVICE_FILE"), "people_base",
				   base, "timeout_ms", TIMEOUT_MS);

	assert_non_null(config);
	return config;
}

json_t *directory_config_with(json_t *config, const char *name, json_t *value)
{
	assert_int_equal(
		json_object_set_new(json_object_get(config, "ldap"), name, value), 0);
	return config;
}

json_t *directory_protecting(json_t *config, const char *subtree, const char *group,
			     const char *uid, const char *administrators)
{
	json_t *protected = json_pack("{s:[s], s:[s], s:[s], s:[s]}", "subtrees", subtree,
				      "groups", group, "uids", uid, "administrators",
				      administrators);

	assert_int_equal(json_object_set_new(config, "protected", protected), 0);
	return config;
}

json_t *directory_as_weak(json_t *config)
{
	directory_config_with(config, "bind_dn",
			      json_string(slapd_env("DIRECTORY_WEAK")));
	return directory_config_with(config, "password_file",
				     json_string(slapd_env("DIRECTORY_WEAK_FILE")));
}

void system_close(struct account_system *s)
{
	if (s->backend)
		s->backend->close(s->self);
	*s = (struct account_system){ 0 };
}

enum error_code directory_try_open(json_t *config, struct account_system *ret,
				   struct error *err)
{
	_cleanup_(statedir_freep) struct statedir *folder = NULL;
	bool ok;

	error_clear(err);
	folder = statedir_new("/nonexistent", err);
	assert_non_null(folder);
	ok = backend_ldap_open(folder, config, ret, err);
	json_decref(config);
	return ok ? ERR_NONE : err->code;
}

void directory_open(json_t *config, struct account_system *ret)
{
	struct error err = ERROR_INIT;

	/* As servers do: a TLS connection that broke is written to. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (directory_try_open(config, ret, &err) != ERR_NONE)
		fail_msg("%s (%s)", err.message, err.cause);
}

/* ---- Finding -------------------------------------------------------------------------- */

size_t directory_find(const struct account_system *s, enum account_key key,
		      const char *value, struct account *ret)
{
	_cleanup_(account_list_done) struct account_list list = ACCOUNT_LIST_INIT;
	struct error err = ERROR_INIT;
	size_t count;

	if (!s->backend->lookup(s->self, key, value, DIRECTORY_NOW, &list, &err) &&
	    err.code != ERR_INVALID_ARGUMENT)
		fail_msg("'%s': %s (%s)", value, err.message, err.cause);
	account_done(ret);
	*ret = (struct account){ 0 };
	count = list.count;
	if (count == 1) {
		*ret = list.items[0];
		list.count = 0;
	}
	return count;
}

enum error_code directory_find_code(const struct account_system *s, const char *uid)
{
	_cleanup_(account_list_done) struct account_list list = ACCOUNT_LIST_INIT;
	struct error err = ERROR_INIT;

	return s->backend->lookup(s->self, ACCOUNT_BY_UID, uid, DIRECTORY_NOW, &list,
				  &err)
		       ? ERR_NONE
		       : err.code;
}

void directory_get(const struct account_system *s, const char *uid, struct account *ret)
{
	if (directory_find(s, ACCOUNT_BY_UID, uid, ret) != 1)
		fail_msg("not exactly one '%s'", uid);
}

bool directory_lists(const struct account_system *s, const char *uid, size_t *ret_count)
{
	_cleanup_(account_list_done) struct account_list list = ACCOUNT_LIST_INIT;
	struct error err = ERROR_INIT;
	bool listed = false;

	if (!s->backend->list_blocked(s->self, DIRECTORY_NOW, &list, &err))
		fail_msg("%s (%s)", err.message, err.cause);
	for (size_t i = 0; i < list.count; i++)
		listed |= strcmp(list.items[i].uid, uid) == 0;
	*ret_count = list.count;
	return listed;
}

/* ---- Logins and others' changes ------------------------------------------------------- */

bool directory_binds(const char *name, const char *password)
{
	const struct ldap_link_config config = { .uri = slapd_env("DIRECTORY_URI"),
						 .ca_file = slapd_env("DIRECTORY_CA"),
						 .timeout_ms = TIMEOUT_MS };
	struct error err = ERROR_INIT;
	bool ok = false;

	if (!ldap_link_try_bind(&config, name, password, &ok, &err))
		fail_msg("%s (%s)", err.message, err.cause);
	return ok;
}

static struct ldap_link *open_admin(void)
{
	struct error err = ERROR_INIT;
	_cleanup_(secret_freep) struct secret *secret =
		secret_read(slapd_env("DIRECTORY_ADMIN_FILE"), true, &err);
	const struct ldap_link_config config = { .uri = slapd_env("DIRECTORY_URI"),
						 .ca_file = slapd_env("DIRECTORY_CA"),
						 .bind_dn = slapd_env("DIRECTORY_ADMIN"),
						 .password = secret,
						 .timeout_ms = TIMEOUT_MS,
						 .connections = 1 };
	struct ldap_link *l = ldap_link_new(&config, &err);

	assert_non_null(l);
	return l;
}

void directory_edit(const char *dn, int op, const char *attribute, const char *value)
{
	_cleanup_(ldap_link_freep) struct ldap_link *l = open_admin();
	struct ldap_link_change change = { .attribute = attribute, .value = value };
	struct error err = ERROR_INIT;
	bool unchanged;

	if (op == LDAP_LINK_ADD)
		change.op = LDAP_LINK_ADD;
	else if (op == LDAP_LINK_DELETE)
		change.op = LDAP_LINK_DELETE;
	if (!ldap_link_modify(l, dn, NULL, &change, 1, &unchanged, &err))
		fail_msg("%s (%s)", err.message, err.cause);
}

static bool take(void *context, struct ldap_entry *entry)
{
	struct ldap_entry **ret = context;

	*ret = entry;
	return false;
}

void directory_check(const char *dn, const char *attribute, const char *value)
{
	_cleanup_(ldap_link_freep) struct ldap_link *l = open_admin();
	_cleanup_(ldap_entry_freep) struct ldap_entry *e = NULL;
	const char *const wanted[] = { attribute, NULL };
	struct error err = ERROR_INIT;
	const char *now;

	if (!ldap_link_search(l, dn, LDAP_LINK_BASE, "(objectClass=*)", wanted, 1, take,
			      &e, NULL, &err))
		fail_msg("%s (%s)", err.message, err.cause);
	assert_non_null(e);
	now = ldap_entry_value(e, attribute, 0);
	assert_null(ldap_entry_value(e, attribute, 1));
	if (!value)
		assert_null(now);
	else
		assert_string_equal(now ? now : "none", value);
}

/* ---- Steps ---------------------------------------------------------------------------- */

enum error_code directory_apply(const struct account_system *s, const struct account *a,
				const json_t *change)
{
	struct facet_applied applied = { 0 };
	struct error err = ERROR_INIT;

	return s->backend->apply(s->self, FACET_SIGN_IN, a->identifier, a->id, change,
				 &applied, &err)
		       ? ERR_NONE
		       : err.code;
}

enum facet_seen directory_read_back(const struct account_system *s,
				    const struct account *a, const json_t *change)
{
	enum facet_seen seen = FACET_SEEN_BLIND;
	struct error err = ERROR_INIT;

	if (!s->backend->read_back(s->self, FACET_SIGN_IN, a->identifier, a->id, change,
				   DIRECTORY_NOW, &seen, &err))
		fail_msg("%s (%s)", err.message, err.cause);
	return seen;
}

/* A plan is the same each time; what it wants is not so before, is so after, and the
 * account's lock then reads as the plan said. */
static void go_through(const struct account_system *s, const struct account *a,
		       const struct facet_step *step)
{
	struct account now = { 0 };
	struct error err = ERROR_INIT;
	bool found = false;

	if (step->refused)
		fail_msg("refused: %s", step->refused);
	assert_true(step->act);
	assert_true(step->sets_lock);
	assert_int_equal(directory_read_back(s, a, step->change), FACET_SEEN_NOT);
	assert_int_equal(directory_apply(s, a, step->change), ERR_NONE);
	assert_int_equal(directory_read_back(s, a, step->change), FACET_SEEN_DONE);
	assert_true(s->backend->read(s->self, a->identifier, a->id, DIRECTORY_NOW, &now,
				     &found, &err));
	assert_true(found);
	assert_string_equal(now.lock, step->lock);
	account_done(&now);
}

void directory_block(const struct account_system *s, const struct account *a,
		     struct facet_step *step)
{
	struct facet_step again = { 0 };
	struct error err = ERROR_INIT;

	facet_step_done(step);
	assert_true(s->backend->plan_block(s->self, FACET_SIGN_IN, a, DIRECTORY_NOW, step,
					   &err));
	assert_true(s->backend->plan_block(s->self, FACET_SIGN_IN, a, DIRECTORY_NOW,
					   &again, &err));
	assert_true(json_equal(step->change, again.change));
	assert_true(json_equal(step->snapshot, again.snapshot));
	assert_string_equal(step->from, again.from);
	assert_string_equal(step->to, again.to);
	facet_step_done(&again);
	go_through(s, a, step);
}

void directory_undo(const struct account_system *s, const struct account *a,
		    const json_t *snapshot, struct facet_step *step)
{
	struct error err = ERROR_INIT;

	facet_step_done(step);
	assert_true(s->backend->plan_undo(s->self, FACET_SIGN_IN, a, snapshot,
					  DIRECTORY_NOW, step, &err));
	go_through(s, a, step);
}

bool directory_protected(const struct account_system *s, const char *uid,
			 enum error_code *ret_code)
{
	_cleanup_strbuf_ struct strbuf why = STRBUF_INIT;
	_cleanup_(account_done) struct account a = { 0 };
	struct error err = ERROR_INIT;
	bool is_protected = false;

	directory_get(s, uid, &a);
	(void)s->backend->is_protected(s->self, &a, &is_protected, &why, &err);
	*ret_code = err.code;
	assert_int_equal(is_protected, why.length > 0);
	return is_protected;
}

void directory_protects(const struct account_system *s, const char *const *yes,
			const char *const *no)
{
	enum error_code code;

	for (; *yes; yes++)
		if (!directory_protected(s, *yes, &code) || code != ERR_NONE)
			fail_msg("%s is not protected", *yes);
	for (; *no; no++)
		if (directory_protected(s, *no, &code) || code != ERR_NONE)
			fail_msg("%s is protected", *no);
}

void directory_finds(const struct account_system *s, const struct directory_case *cases,
		     size_t count)
{
	_cleanup_(account_done) struct account a = { 0 };

	for (size_t i = 0; i < count; i++) {
		const char *uid = cases[i].uid;
		size_t found = directory_find(s, cases[i].key, cases[i].value, &a);

		if ((!uid && found != 0) || (uid && !*uid && found < 2) ||
		    (uid && *uid && (found != 1 || strcmp(a.uid, uid) != 0)))
			fail_msg("'%s': %zu", cases[i].value, found);
	}
}

void directory_is_not(json_t *config, const char *dialect, const char *why)
{
	_cleanup_(system_close) struct account_system s = { 0 };
	struct error err = ERROR_INIT;

	directory_config_with(config, "dialect", json_string(dialect));
	assert_int_equal(directory_try_open(config, &s, &err), ERR_PRECONDITION_FAILED);
	assert_non_null(strstr(err.message, why));
}
