#include "servers/accounts/backend_ldap.h"

#include "servers/accounts/ldap_directory.h"

enum { TIMEOUT_MS = 5000, CONNECTIONS = 4 };

/* ---- Finding ---------------------------------------------------------------------- */

/* "(&PERSON" and then assertions and ")". */
static void begin_filter(const struct ldap_dialect *dialect, struct strbuf *filter)
{
	strbuf_add_format(filter, "(&%s", dialect->person);
}

static bool search(struct ldap_directory *d, const struct ldap_dialect *dialect,
		   const struct ldap_quest *quest, struct strbuf *filter,
		   struct account_list *ret, struct error *err)
{
	struct ldap_quest q = *quest;

	strbuf_add_char(filter, ')');
	if (!strbuf_ok(filter))
		return error_oom(err);
	q.filter = filter->data;
	return ldap_accounts_search(d, dialect, &q, ret, err);
}

/* An entry by its DN, if it is a person below the base: the directory says whether. */
static bool lookup_dn(struct ldap_directory *d, const struct ldap_dialect *dialect,
		      const char *dn, int64_t now_ms, struct account_list *ret,
		      struct error *err)
{
	_cleanup_(account_list_done) struct account_list at = ACCOUNT_LIST_INIT;
	_cleanup_strbuf_ struct strbuf person = STRBUF_INIT, filter = STRBUF_INIT;
	const struct ldap_quest there = {
		.base = dn, .scope = LDAP_LINK_BASE, .limit = 1, .now_ms = now_ms
	};
	const struct ldap_quest below = { .base = d->people_base,
					  .scope = LDAP_LINK_SUBTREE,
					  .limit = ACCOUNT_MATCHES_MAX,
					  .now_ms = now_ms };
	struct error own = ERROR_INIT;

	begin_filter(dialect, &person);
	if (!search(d, dialect, &there, &person, &at, &own)) {
		if (own.code == ERR_INVALID_ARGUMENT)
			return error_set(err, ERR_INVALID_ARGUMENT, "'%s' is no DN", dn);
		*err = own;
		return false;
	}
	/* Directories take other names than DNs too: "<GUID=...>". */
	if (at.count == 0 || !ldap_link_same_dn(at.items[0].identifier, dn))
		return true;
	begin_filter(dialect, &filter);
	return !dialect->add_id(&filter, at.items[0].id) ||
	       search(d, dialect, &below, &filter, ret, err);
}

static bool ldap_lookup(void *self, enum account_key key, const char *value,
			int64_t now_ms, struct account_list *ret, struct error *err)
{
	_cleanup_strbuf_ struct strbuf filter = STRBUF_INIT;
	struct ldap_directory *d = self;
	const struct ldap_dialect *dialect = ldap_dialect_of(d, err);
	struct ldap_quest quest = { .base = d->people_base,
				    .scope = LDAP_LINK_SUBTREE,
				    .limit = ACCOUNT_MATCHES_MAX,
				    .now_ms = now_ms,
				    .value = value };

	if (!dialect)
		return false;
	switch (key) {
	case ACCOUNT_BY_IDENTIFIER:
		return lookup_dn(d, dialect, value, now_ms, ret, err);
	case ACCOUNT_BY_MAIL:
		quest.attributes = dialect->by_mail;
		break;
	case ACCOUNT_BY_UID:
		quest.attributes = dialect->by_uid;
		break;
	case ACCOUNT_BY_NAME:
		quest.attributes = dialect->by_name;
		break;
	}
	begin_filter(dialect, &filter);
	strbuf_add_string(&filter, "(|");
	for (const char *const *a = quest.attributes; a && *a; a++)
		ldap_link_filter(&filter, *a, value);
	strbuf_add_char(&filter, ')');
	return search(d, dialect, &quest, &filter, ret, err);
}

static bool ldap_read(void *self, const char *identifier, const char *id, int64_t now_ms,
		      struct account *ret, bool *ret_found, struct error *err)
{
	_cleanup_(account_list_done) struct account_list list = ACCOUNT_LIST_INIT;
	_cleanup_strbuf_ struct strbuf filter = STRBUF_INIT;
	struct ldap_directory *d = self;
	const struct ldap_dialect *dialect = ldap_dialect_of(d, err);
	const struct ldap_quest quest = {
		.base = identifier, .scope = LDAP_LINK_BASE, .limit = 1, .now_ms = now_ms
	};

	if (!dialect)
		return false;
	strbuf_add_string(&filter, "(&");
	if (dialect->add_id(&filter, id) &&
	    !search(d, dialect, &quest, &filter, &list, err))
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
	_cleanup_strbuf_ struct strbuf filter = STRBUF_INIT;
	struct ldap_directory *d = self;
	const struct ldap_dialect *dialect = ldap_dialect_of(d, err);
	const struct ldap_quest quest = { .base = d->people_base,
					  .scope = LDAP_LINK_SUBTREE,
					  .limit = ACCOUNT_LIST_MAX,
					  .now_ms = now_ms };
	size_t kept = 0;

	if (!dialect)
		return false;
	begin_filter(dialect, &filter);
	strbuf_add_string(&filter, dialect->blocked);
	if (!search(d, dialect, &quest, &filter, ret, err))
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
	struct ldap_directory *d = self;
	const struct ldap_dialect *dialect;

	pthread_mutex_lock(&d->lock);
	dialect = d->found ? d->found : d->wanted ? d->wanted : &ldap_ppolicy;
	pthread_mutex_unlock(&d->lock);
	return facet < FACET_COUNT ? dialect->notions[facet] : NULL;
}

static bool ldap_plan_block(void *self, enum account_facet facet, const struct account *a,
			    int64_t now_ms, struct facet_step *ret, struct error *err)
{
	struct ldap_directory *d = self;
	const struct ldap_dialect *dialect = ldap_dialect_of(d, err);

	(void)facet;
	(void)now_ms;
	return dialect &&
	       facet_step_words(ret, account_state_name(a->state), "blocked", err) &&
	       (a->permanent || dialect->plan_block(d, a, ret, err));
}

static bool ldap_plan_undo(void *self, enum account_facet facet, const struct account *a,
			   const json_t *snapshot, int64_t now_ms, struct facet_step *ret,
			   struct error *err)
{
	struct ldap_directory *d = self;
	const struct ldap_dialect *dialect = ldap_dialect_of(d, err);

	(void)facet;
	return dialect &&
	       facet_step_words(ret, account_state_name(a->state), "active", err) &&
	       dialect->plan_undo(d, a, snapshot, now_ms, ret, err);
}

static bool ldap_apply(void *self, enum account_facet facet, const char *identifier,
		       const char *id, const json_t *change, struct facet_applied *ret,
		       struct error *err)
{
	struct ldap_directory *d = self;
	const struct ldap_dialect *dialect = ldap_dialect_of(d, err);

	(void)facet;
	(void)ret;
	return dialect && dialect->apply(d, identifier, id, change, err);
}

static bool ldap_read_back(void *self, enum account_facet facet, const char *identifier,
			   const char *id, const json_t *change, int64_t now_ms,
			   enum facet_seen *ret, struct error *err)
{
	_cleanup_(account_done) struct account now = { 0 };
	struct ldap_directory *d = self;
	const struct ldap_dialect *dialect = ldap_dialect_of(d, err);
	bool found = false, done = false;

	(void)facet;
	if (!dialect || !ldap_read(self, identifier, id, now_ms, &now, &found, err))
		return false;
	if (!found)
		return error_set(err, ERR_NOT_FOUND,
				 "there is no entry '%s' with this id", identifier);
	if (!dialect->is_done(d, &now, change, &done, err))
		return false;
	*ret = done ? FACET_SEEN_DONE : FACET_SEEN_NOT;
	return true;
}

/* ---- Life ------------------------------------------------------------------------- */

static bool ldap_ready(void *self, struct error *err)
{
	struct ldap_directory *d = self;

	return ldap_link_ping(d->link, err) && ldap_dialect_of(d, err) != NULL;
}

static void directory_free(struct ldap_directory *d)
{
	if (!d)
		return;
	pthread_mutex_destroy(&d->lock);
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

static bool read_protected(struct ldap_directory *d, struct error *err)
{
	const json_t *protected = json_object_get(d->config, "protected");

	d->subtrees = json_object_get(protected, "subtrees");
	d->groups = json_object_get(protected, "groups");
	d->uids = json_object_get(protected, "uids");
	d->administrators = json_object_get(protected, "administrators");
	return (are_texts(d->subtrees) && are_texts(d->groups) && are_texts(d->uids) &&
		are_texts(d->administrators)) ||
	       error_set(err, ERR_INVALID_ARGUMENT,
			 "'backend.protected' holds lists of names");
}

/* Whether the configuration fits the directory, if it answers already. What only time
 * can tell is not waited for: it is asked again when it is needed. */
static bool check_dialect(struct ldap_directory *d, struct error *err)
{
	struct error own = ERROR_INIT;

	if (d->wanted && !ldap_dialect_check_tls(d, d->wanted, err))
		return false;
	if (ldap_dialect_of(d, &own) || own.code != ERR_PRECONDITION_FAILED)
		return true;
	*err = own;
	return false;
}

bool backend_ldap_open(const struct statedir *dir, const json_t *config,
		       struct account_system *ret, struct error *err)
{
	_cleanup_(directory_freep) struct ldap_directory *d = calloc(1, sizeof *d);
	const char *dialect;
	const json_t *ldap;

	if (!d)
		return error_oom(err);
	pthread_mutex_init(&d->lock, NULL);
	if (!(d->config = json_deep_copy(config)))
		return error_oom(err);
	ldap = json_object_get(d->config, "ldap");
	d->people_base = json_get_string(ldap, "people_base");
	if (!d->people_base)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "'backend.ldap' lacks people_base");
	d->default_policy = json_get_string(ldap, "default_policy");
	d->start_tls = json_is_true(json_object_get(ldap, "start_tls"));
	dialect = json_get_string(ldap, "dialect");
	if (!ldap_dialect_named(dialect ? dialect : "auto", &d->wanted))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "'%s' is no dialect of directories", dialect);
	if (!read_protected(d, err))
		return false;
	d->link = ldap_link_open(dir, ldap, TIMEOUT_MS, CONNECTIONS, err);
	if (!d->link || !check_dialect(d, err))
		return false;
	*ret = (struct account_system){ .backend = &ldap_backend, .self = TAKE(d) };
	return true;
}
