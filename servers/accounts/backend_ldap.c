#include "servers/accounts/backend_ldap.h"

#include "servers/accounts/ldap_directory.h"
#include "servers/accounts/ppolicy.h"

#define PERSON "(objectClass=inetOrgPerson)"

enum { TIMEOUT_MS = 5000, CONNECTIONS = 4, POLICIES_MAX = 32 };

/* The lock and the policy are operational: they come only when named. */
static const char *const attributes[] = { "uid",
					  "cn",
					  "displayName",
					  "mail",
					  "entryUUID",
					  "pwdAccountLockedTime",
					  "pwdPolicySubentry",
					  NULL };

/* ---- Entries become accounts ------------------------------------------------------ */

/* Policies read during one search, so that a list does not read one again for each. */
struct policy_cache {
	size_t count;
	struct {
		char *dn;
		struct ppolicy policy;
	} items[POLICIES_MAX];
};

static void policy_cache_done(struct policy_cache *cache)
{
	for (size_t i = 0; i < cache->count; i++)
		free(cache->items[i].dn);
}

struct gathering {
	struct ldap_directory *directory;
	int64_t now_ms;
	struct account_list *list;
	/* Entries are judged after the search: judging asks for policies. */
	struct ldap_entry **entries;
	size_t count, capacity;
	bool oom;
};

static void gathering_done(struct gathering *g)
{
	for (size_t i = 0; i < g->count; i++)
		ldap_entry_free(g->entries[i]);
	free(g->entries);
}

static bool gather(void *context, struct ldap_entry *entry)
{
	struct gathering *g = context;

	if (g->count == g->capacity) {
		size_t capacity = g->capacity ? g->capacity * 2 : 16;
		struct ldap_entry **entries =
			reallocarray(g->entries, capacity, sizeof(struct ldap_entry *));

		if (!entries) {
			ldap_entry_free(entry);
			g->oom = true;
			return false;
		}
		g->entries = entries;
		g->capacity = capacity;
	}
	g->entries[g->count++] = entry;
	return true;
}

static bool read_policy_entry(void *context, struct ldap_entry *entry)
{
	_cleanup_(ldap_entry_freep) struct ldap_entry *e = entry;
	struct ppolicy *policy = context;
	const char *lockout = ldap_entry_value(e, "pwdLockout", 0);
	const char *duration = ldap_entry_value(e, "pwdLockoutDuration", 0);
	int64_t seconds = duration ? strtoll(duration, NULL, 10) : 0;

	policy->found = true;
	policy->lockout = lockout && strcmp(lockout, "TRUE") == 0;
	policy->duration_ms = seconds > 0 && seconds < INT32_MAX ? seconds * 1000 : 0;
	return false;
}

/* The policy in force for an entry: its own, else the overlay's default. One that
 * does not exist obeys no lock; what cannot be asked is an error. */
static bool find_policy(struct ldap_directory *d, struct policy_cache *cache,
			const char *dn, struct ppolicy *ret, struct error *err)
{
	static const char *const wanted[] = { "pwdLockout", "pwdLockoutDuration", NULL };

	*ret = (struct ppolicy){ 0 };
	if (!dn)
		return true;
	for (size_t i = 0; i < cache->count; i++) {
		if (strcmp(cache->items[i].dn, dn) == 0) {
			*ret = cache->items[i].policy;
			return true;
		}
	}
	if (!ldap_link_search(d->link, dn, LDAP_LINK_BASE, "(objectClass=pwdPolicy)",
			      wanted, 1, read_policy_entry, ret, NULL, err))
		return false;
	if (cache->count < POLICIES_MAX && (cache->items[cache->count].dn = strdup(dn)))
		cache->items[cache->count++].policy = *ret;
	return true;
}

static char *copy_value(const struct ldap_entry *e, const char *first, const char *second)
{
	const char *value = ldap_entry_value(e, first, 0);

	if (!value && second)
		value = ldap_entry_value(e, second, 0);
	return strdup(value ? value : "");
}

static bool make_account(struct ldap_directory *d, const struct ldap_entry *e,
			 struct policy_cache *cache, int64_t now_ms, struct account *ret,
			 struct error *err)
{
	_cleanup_strbuf_ struct strbuf detail = STRBUF_INIT;
	const char *policy_dn = ldap_entry_value(e, "pwdPolicySubentry", 0);
	const char *lock = ldap_entry_value(e, "pwdAccountLockedTime", 0);
	struct ppolicy policy;

	if (!find_policy(d, cache, policy_dn ? policy_dn : d->default_policy, &policy,
			 err))
		return false;
	ppolicy_judge(lock ? lock : "", &policy, now_ms, ret, &detail);
	ret->id = copy_value(e, "entryUUID", NULL);
	ret->identifier = strdup(ldap_entry_dn(e));
	ret->uid = copy_value(e, "uid", NULL);
	ret->name = copy_value(e, "displayName", "cn");
	ret->mail = copy_value(e, "mail", NULL);
	ret->detail = strbuf_take(&detail);
	if (!ret->id || !ret->identifier || !ret->uid || !ret->name || !ret->mail ||
	    !ret->detail)
		return error_oom(err);
	if (!*ret->id)
		return error_set(
			err, ERR_BACKEND_UNAVAILABLE,
			"the directory does not show entryUUID to our service account");
	return true;
}

/* Search below 'base' and add each person to 'list'. */
static bool search(struct ldap_directory *d, const char *base, enum ldap_link_scope scope,
		   const char *filter, size_t limit, int64_t now_ms,
		   struct account_list *list, struct error *err)
{
	_cleanup_(gathering_done) struct gathering g = { .directory = d,
							 .now_ms = now_ms };
	_cleanup_(policy_cache_done) struct policy_cache cache = { 0 };
	bool more = false;

	if (!ldap_link_search(d->link, base, scope, filter, attributes, limit, gather, &g,
			      &more, err))
		return false;
	if (g.oom)
		return error_oom(err);
	for (size_t i = 0; i < g.count; i++) {
		struct account *account = account_list_add(list);

		if (!account)
			return error_oom(err);
		if (!make_account(d, g.entries[i], &cache, now_ms, account, err))
			return false;
	}
	list->more |= more;
	return true;
}

/* ---- Finding ---------------------------------------------------------------------- */

/* An entry by its DN, if it is a person below the base: the directory says whether. */
static bool lookup_dn(struct ldap_directory *d, const char *dn, int64_t now_ms,
		      struct account_list *ret, struct error *err)
{
	_cleanup_(account_list_done) struct account_list at = ACCOUNT_LIST_INIT;
	_cleanup_strbuf_ struct strbuf filter = STRBUF_INIT;
	struct error own = ERROR_INIT;

	if (!search(d, dn, LDAP_LINK_BASE, PERSON, 1, now_ms, &at, &own)) {
		if (own.code == ERR_INVALID_ARGUMENT)
			return error_set(err, ERR_INVALID_ARGUMENT, "'%s' is no DN", dn);
		*err = own;
		return false;
	}
	if (at.count == 0)
		return true;
	strbuf_add_string(&filter, "(&" PERSON);
	ldap_link_filter(&filter, "entryUUID", at.items[0].id);
	strbuf_add_char(&filter, ')');
	if (!strbuf_ok(&filter))
		return error_oom(err);
	return search(d, d->people_base, LDAP_LINK_SUBTREE, filter.data,
		      ACCOUNT_MATCHES_MAX, now_ms, ret, err);
}

static bool ldap_lookup(void *self, enum account_key key, const char *value,
			int64_t now_ms, struct account_list *ret, struct error *err)
{
	_cleanup_strbuf_ struct strbuf filter = STRBUF_INIT;
	struct ldap_directory *d = self;

	strbuf_add_string(&filter, "(&" PERSON);
	switch (key) {
	case ACCOUNT_BY_IDENTIFIER:
		return lookup_dn(d, value, now_ms, ret, err);
	case ACCOUNT_BY_MAIL:
		ldap_link_filter(&filter, "mail", value);
		break;
	case ACCOUNT_BY_UID:
		ldap_link_filter(&filter, "uid", value);
		break;
	case ACCOUNT_BY_NAME:
		strbuf_add_string(&filter, "(|");
		ldap_link_filter(&filter, "cn", value);
		ldap_link_filter(&filter, "displayName", value);
		strbuf_add_char(&filter, ')');
		break;
	}
	strbuf_add_char(&filter, ')');
	if (!strbuf_ok(&filter))
		return error_oom(err);
	return search(d, d->people_base, LDAP_LINK_SUBTREE, filter.data,
		      ACCOUNT_MATCHES_MAX, now_ms, ret, err);
}

static bool ldap_read(void *self, const char *identifier, const char *id, int64_t now_ms,
		      struct account *ret, bool *ret_found, struct error *err)
{
	_cleanup_(account_list_done) struct account_list list = ACCOUNT_LIST_INIT;
	_cleanup_strbuf_ struct strbuf filter = STRBUF_INIT;

	ldap_link_filter(&filter, "entryUUID", id);
	if (!strbuf_ok(&filter))
		return error_oom(err);
	if (!search(self, identifier, LDAP_LINK_BASE, filter.data, 1, now_ms, &list, err))
		return false;
	*ret_found = list.count == 1;
	if (list.count == 1) {
		*ret = list.items[0];
		list.count = 0; /* given away */
	}
	return true;
}

static bool ldap_list_blocked(void *self, int64_t now_ms, struct account_list *ret,
			      struct error *err)
{
	struct ldap_directory *d = self;
	size_t kept = 0;

	if (!search(d, d->people_base, LDAP_LINK_SUBTREE,
		    "(&" PERSON "(pwdAccountLockedTime=*))", ACCOUNT_LIST_MAX, now_ms,
		    ret, err))
		return false;
	/* A lock that has ended, or that no policy obeys, is none. */
	for (size_t i = 0; i < ret->count; i++) {
		if (ret->items[i].state == ACCOUNT_ACTIVE)
			account_done(&ret->items[i]);
		else
			ret->items[kept++] = ret->items[i];
	}
	ret->count = kept;
	return true;
}

/* ---- Steps ------------------------------------------------------------------------ */

static const char *ldap_notion(void *self, enum account_facet facet)
{
	(void)self;
	switch (facet) {
	case FACET_SIGN_IN:
		break;
	case FACET_SESSIONS:
		return "a directory knows no sessions: connections, tickets and cookies "
		       "that are in use already stay valid and must be ended where they "
		       "are";
	case FACET_TOKENS:
		return "a directory knows no tokens: keys and passwords that were handed "
		       "out elsewhere must be revoked where they are";
	case FACET_MEMBERSHIPS:
		return "groups stay as they are: nobody can use them without signing in";
	case FACET_COUNT:
		break;
	}
	return NULL;
}

/* 'expect' and 'set' are locks, "" for none. */
static bool set_change(struct facet_step *step, const char *expect, const char *set,
		       struct error *err)
{
	step->act = true;
	step->reversible = true;
	step->sets_lock = true;
	(void)snprintf(step->lock, sizeof step->lock, "%s", set);
	step->change = json_pack("{s:s, s:s}", "expect", expect, "set", set);
	return step->change || error_oom(err);
}

static bool ldap_plan_block(void *self, enum account_facet facet, const struct account *a,
			    int64_t now_ms, struct facet_step *ret, struct error *err)
{
	(void)self;
	(void)facet;
	(void)now_ms;
	if (!facet_step_words(ret, account_state_name(a->state), "blocked", err))
		return false;
	if (!a->obeyed)
		return facet_step_refuse(
			ret, err,
			"the person could still log in after a block: no "
			"password policy that obeys locks is in force; "
			"give it one with pwdLockout TRUE");
	if (a->permanent)
		return true;
	ret->snapshot = json_pack("{s:s}", "lock", a->lock);
	return ret->snapshot ? set_change(ret, a->lock, PPOLICY_LOCKED_FOR_EVER, err)
			     : error_oom(err);
}

/* What the lock was before the block comes back, also one after failed logins. */
static bool ldap_plan_undo(void *self, enum account_facet facet, const struct account *a,
			   const json_t *snapshot, int64_t now_ms, struct facet_step *ret,
			   struct error *err)
{
	const char *before = snapshot ? json_get_string(snapshot, "lock") : "";

	(void)self;
	(void)facet;
	(void)now_ms;
	if (!before)
		return error_set(err, ERR_INTERNAL,
				 "the record of the block has no lock");
	if (!facet_step_words(ret, account_state_name(a->state),
			      *before ? "locked after failed logins, as before the block"
				      : "active",
			      err))
		return false;
	if (snapshot && strcmp(a->lock, PPOLICY_LOCKED_FOR_EVER) != 0)
		return facet_step_warn(ret, err,
				       "the lock of the block was changed elsewhere "
				       "meanwhile; what is there now stays");
	return strcmp(a->lock, before) == 0 || set_change(ret, a->lock, before, err);
}

/* "It is still this entry, and its lock still reads so." */
static bool assertion(const char *id, const char *lock, struct strbuf *filter,
		      struct error *err)
{
	strbuf_add_string(filter, "(&");
	ldap_link_filter(filter, "entryUUID", id);
	if (*lock)
		ldap_link_filter(filter, "pwdAccountLockedTime", lock);
	else
		strbuf_add_string(filter, "(!(pwdAccountLockedTime=*))");
	strbuf_add_char(filter, ')');
	return strbuf_ok(filter) || error_oom(err);
}

static bool read_change(const json_t *change, const char **ret_expect,
			const char **ret_set, struct error *err)
{
	*ret_expect = json_get_string(change, "expect");
	*ret_set = json_get_string(change, "set");
	return (*ret_expect && *ret_set) ||
	       error_set(err, ERR_INTERNAL, "a step for the directory lacks its locks");
}

static bool ldap_apply(void *self, enum account_facet facet, const char *identifier,
		       const char *id, const json_t *change, struct facet_applied *ret,
		       struct error *err)
{
	_cleanup_strbuf_ struct strbuf filter = STRBUF_INIT;
	struct ldap_directory *d = self;
	struct ldap_link_change what = { .attribute = "pwdAccountLockedTime" };
	const char *expect, *set;
	bool unchanged;

	(void)facet;
	(void)ret;
	if (!read_change(change, &expect, &set, err))
		return false;
	/* Delete, not an empty replace: only this clears the failures counted so far. */
	what.op = *set ? LDAP_LINK_REPLACE : LDAP_LINK_DELETE;
	what.value = *set ? set : NULL;
	/* 16 on a delete cannot come past the assertion; if it does, it is done already. */
	return assertion(id, expect, &filter, err) &&
	       ldap_link_modify(d->link, identifier, filter.data, &what, 1, &unchanged,
				err);
}

static bool ldap_read_back(void *self, enum account_facet facet, const char *identifier,
			   const char *id, const json_t *change, int64_t now_ms,
			   enum facet_seen *ret, struct error *err)
{
	_cleanup_(account_done) struct account now = { 0 };
	const char *expect, *set;
	bool found = false;

	(void)facet;
	if (!read_change(change, &expect, &set, err) ||
	    !ldap_read(self, identifier, id, now_ms, &now, &found, err))
		return false;
	if (!found)
		return error_set(err, ERR_NOT_FOUND,
				 "there is no entry '%s' with this id", identifier);
	*ret = strcmp(now.lock, set) == 0 ? FACET_SEEN_DONE : FACET_SEEN_NOT;
	return true;
}

/* ---- Life ------------------------------------------------------------------------- */

static bool ldap_ready(void *self, struct error *err)
{
	return ldap_link_ping(((struct ldap_directory *)self)->link, err);
}

static void directory_free(struct ldap_directory *d)
{
	if (!d)
		return;
	ldap_link_free(d->link);
	json_decref(d->config);
	free(d);
}
DEFINE_CLEANUP(struct ldap_directory, directory_free);

static void ldap_close(void *self)
{
	directory_free(self);
}

static const struct account_backend ldap_backend = {
	.system = "ldap",
	.notion = ldap_notion,
	.lookup = ldap_lookup,
	.read = ldap_read,
	.is_protected = ldap_directory_is_protected,
	.plan_block = ldap_plan_block,
	.plan_undo = ldap_plan_undo,
	.apply = ldap_apply,
	.read_back = ldap_read_back,
	.list_blocked = ldap_list_blocked,
	.ready = ldap_ready,
	.close = ldap_close,
};

static struct secret *read_password(const struct statedir *dir, const char *file,
				    struct error *err)
{
	_cleanup_free_ char *path = file[0] == '/' ? strdup(file)
						   : statedir_path(dir, "%s", file);

	if (!path) {
		error_oom(err);
		return NULL;
	}
	return secret_read(path, true, err);
}

static struct ldap_link *open_link(const struct statedir *dir, const json_t *ldap,
				   struct error *err)
{
	const char *password_file = json_get_string(ldap, "password_file");
	_cleanup_(secret_freep) struct secret *password = NULL;
	struct ldap_link_config config = {
		.uri = json_get_string(ldap, "uri"),
		.bind_dn = json_get_string(ldap, "bind_dn"),
		.start_tls = json_is_true(json_object_get(ldap, "start_tls")),
		.ca_file = json_get_string(ldap, "ca_file"),
		.timeout_ms = json_get_int64(ldap, "timeout_ms", TIMEOUT_MS),
		.connections = (unsigned)json_get_int64(ldap, "connections", CONNECTIONS),
	};

	if (!config.uri || !config.bind_dn || !password_file) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "'backend.ldap' lacks uri, bind_dn or password_file");
		return NULL;
	}
	password = read_password(dir, password_file, err);
	if (!password)
		return NULL;
	config.password = password;
	return ldap_link_new(&config, err);
}

/* What is no list of names protects nothing, and so is refused. */
static bool are_texts(const json_t *list)
{
	if (list && !json_is_array(list))
		return false;
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!json_is_string(json_array_get(list, i)))
			return false;
	return true;
}

bool backend_ldap_open(const struct statedir *dir, const json_t *config,
		       struct account_system *ret, struct error *err)
{
	_cleanup_(directory_freep) struct ldap_directory *d = calloc(1, sizeof *d);
	const json_t *ldap, *protected;

	if (!d || !(d->config = json_deep_copy(config)))
		return error_oom(err);
	ldap = json_object_get(d->config, "ldap");
	protected = json_object_get(d->config, "protected");
	d->people_base = json_get_string(ldap, "people_base");
	if (!d->people_base)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "'backend.ldap' lacks people_base");
	d->default_policy = json_get_string(ldap, "default_policy");
	d->subtrees = json_object_get(protected, "subtrees");
	d->groups = json_object_get(protected, "groups");
	d->uids = json_object_get(protected, "uids");
	if (!are_texts(d->subtrees) || !are_texts(d->groups) || !are_texts(d->uids))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "'backend.protected' holds lists of names");
	d->link = open_link(dir, ldap, err);
	if (!d->link)
		return false;
	*ret = (struct account_system){ .backend = &ldap_backend, .self = TAKE(d) };
	return true;
}
