/* Entries of a directory become accounts, by the rules of its dialect. */
#include "servers/accounts/ad_values.h"
#include "servers/accounts/ldap_directory.h"

struct gathering {
	/* Entries are judged after the search: judging asks for more. */
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

static void policies_done(struct ldap_policies *policies)
{
	for (size_t i = 0; i < policies->count; i++)
		free(policies->items[i].dn);
}

static char *copy_value(const struct ldap_entry *e, const char *first, const char *second)
{
	const char *value = ldap_entry_value(e, first, 0);

	if (!value && second)
		value = ldap_entry_value(e, second, 0);
	return strdup(value ? value : "");
}

static bool make_account(const struct ldap_dialect *dialect,
			 const struct ldap_judging *how, const struct ldap_entry *e,
			 struct account *ret, struct error *err)
{
	_cleanup_strbuf_ struct strbuf detail = STRBUF_INIT;
	struct ldap_judging j = *how;

	j.detail = &detail;
	if (!dialect->judge(&j, e, ret, err))
		return false;
	ret->id = dialect->get_id(e);
	ret->identifier = strdup(ldap_entry_dn(e));
	ret->uid = copy_value(e, dialect->uid, NULL);
	ret->name = copy_value(e, dialect->name_attribute, "cn");
	ret->mail = copy_value(e, dialect->mail, NULL);
	ret->detail = strbuf_take(&detail);
	if (!ret->id || !ret->identifier || !ret->uid || !ret->name || !ret->mail ||
	    !ret->detail)
		return error_oom(err);
	if (!*ret->id)
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 "the directory does not show the ids of entries to our "
				 "service account");
	return true;
}

/* Whether it is what was asked for, and not only like it. */
static bool is_meant(const struct ldap_dialect *dialect, const struct ldap_quest *quest,
		     const struct ldap_entry *e)
{
	const char *value;

	if (!dialect->compares_loosely || !quest->attributes)
		return true;
	for (const char *const *a = quest->attributes; *a; a++)
		for (size_t i = 0; (value = ldap_entry_value(e, *a, i)); i++)
			if (ad_same_name(value, quest->value))
				return true;
	return false;
}

bool ldap_accounts_search(struct ldap_directory *d, const struct ldap_dialect *dialect,
			  const struct ldap_quest *quest, struct account_list *list,
			  struct error *err)
{
	_cleanup_(gathering_done) struct gathering g = { 0 };
	_cleanup_(policies_done) struct ldap_policies policies = { 0 };
	const struct ldap_judging j = { .directory = d,
					.policies = &policies,
					.now_ms = quest->now_ms };
	bool more = false;

	if (!ldap_link_search(d->link, quest->base, quest->scope, quest->filter,
			      dialect->attributes, quest->limit, gather, &g, &more, err))
		return false;
	if (g.oom)
		return error_oom(err);
	for (size_t i = 0; i < g.count; i++) {
		struct account *account;

		if (!is_meant(dialect, quest, g.entries[i]))
			continue;
		account = account_list_add(list);
		if (!account)
			return error_oom(err);
		if (!make_account(dialect, &j, g.entries[i], account, err))
			return false;
	}
	list->more |= more;
	return true;
}

bool ldap_accounts_entry(struct ldap_directory *d, const struct ldap_dialect *dialect,
			 const char *identifier, const char *id, struct ldap_entry **ret,
			 struct error *err)
{
	_cleanup_(gathering_done) struct gathering g = { 0 };
	_cleanup_strbuf_ struct strbuf filter = STRBUF_INIT;
	bool is_id = dialect->add_id(&filter, id);

	*ret = NULL;
	if (!strbuf_ok(&filter))
		return error_oom(err);
	if (!is_id)
		return true;
	if (!ldap_link_search(d->link, identifier, LDAP_LINK_BASE, filter.data,
			      dialect->attributes, 1, gather, &g, NULL, err))
		return false;
	if (g.oom)
		return error_oom(err);
	if (g.count == 1)
		*ret = TAKE(g.entries[0]);
	return true;
}

/* ---- Asking --------------------------------------------------------------------------- */

static bool one(void *context, struct ldap_entry *entry)
{
	bool *seen = context;

	ldap_entry_free(entry);
	*seen = true;
	return false;
}

bool ldap_directory_has(struct ldap_directory *d, const char *base,
			enum ldap_link_scope scope, const char *filter, bool *ret,
			struct error *err)
{
	static const char *const nothing[] = { "1.1", NULL };
	bool seen = false;

	if (!ldap_link_search(d->link, base, scope, filter, nothing, 1, one, &seen, NULL,
			      err))
		return false;
	*ret = seen;
	return true;
}

/* ---- Steps ---------------------------------------------------------------------------- */

bool ldap_step_set(struct facet_step *step, const char *expect, const char *set,
		   const char *lock, struct error *err)
{
	step->act = true;
	step->reversible = true;
	step->sets_lock = true;
	(void)snprintf(step->lock, sizeof step->lock, "%s", lock);
	step->change = json_pack("{s:s, s:s}", "expect", expect, "set", set);
	return step->change || error_oom(err);
}

bool ldap_step_read(const json_t *change, const char **ret_expect, const char **ret_set,
		    struct error *err)
{
	*ret_expect = json_get_string(change, "expect");
	*ret_set = json_get_string(change, "set");
	return (*ret_expect && *ret_set) ||
	       error_set(err, ERR_INTERNAL, "a step for the directory lacks its locks");
}
