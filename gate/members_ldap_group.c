#include "gate/members_ldap_group.h"

#include <strings.h>

#include "base/clock.h"
#include "base/json.h"

enum {
	LEVELS_MAX = 5,   /* of groups within groups, beyond the group itself */
	GROUPS_MAX = 100, /* that are looked at for one person */
};

static const char *const nothing[] = { "1.1", NULL };

bool members_directory_search(const struct members_directory *d, const char *base,
			      enum ldap_link_scope scope, const char *filter,
			      const char *const *attributes, size_t limit,
			      bool (*fn)(void *context, struct ldap_entry *entry),
			      void *context, bool *ret_more,
			      const struct rest_patience *patience, struct error *err)
{
	if (clock_mono_ms() >= patience->until_ms)
		return error_set(err, ERR_TIMEOUT,
				 "%s is too slow to say who is in a group",
				 ldap_link_uri(d->link));
	return ldap_link_search(d->link, base, scope, filter, attributes, limit, fn,
				context, ret_more, err);
}

static bool count_entry(void *context, struct ldap_entry *entry)
{
	size_t *count = context;

	++*count;
	ldap_entry_free(entry);
	return true;
}

/* How many entries match; 2 stands for more. */
static bool count_matches(const struct members_directory *d, const char *base,
			  enum ldap_link_scope scope, const char *filter,
			  const struct rest_patience *patience, size_t *ret,
			  struct error *err)
{
	size_t count = 0;

	if (!members_directory_search(d, base, scope, filter, nothing, 2, count_entry,
				      &count, NULL, patience, err))
		return false;
	*ret = count;
	return true;
}

bool members_group_is_there(const struct members_directory *d,
			    const struct rest_patience *patience, struct error *err)
{
	size_t count = 0;

	if (!count_matches(d, d->group, LDAP_LINK_BASE, "(objectClass=*)", patience,
			   &count, err))
		return false;
	return count > 0 ||
	       error_set(err, ERR_NOT_FOUND, "%s has no group '%s', or hides it from us",
			 ldap_link_uri(d->link), d->group);
}

/* --- by uid --- */

/* A uid that two have is nobody's: the group may mean the other. */
static bool has_uid(const struct members_directory *d, const char *uid,
		    const struct rest_patience *patience, bool *ret, struct error *err)
{
	_cleanup_strbuf_ struct strbuf own = STRBUF_INIT, member = STRBUF_INIT;
	size_t owners = 0, count = 0;

	ldap_link_filter(&own, "uid", uid);
	ldap_link_filter(&member, "memberUid", uid);
	if (!strbuf_ok(&own) || !strbuf_ok(&member))
		return error_oom(err);
	if (!count_matches(d, d->people, LDAP_LINK_SUBTREE, own.data, patience, &owners,
			   err) ||
	    !count_matches(d, d->group, LDAP_LINK_BASE, member.data, patience, &count,
			   err))
		return false;
	*ret = owners == 1 && count > 0;
	return true;
}

/* --- by name, and groups within groups --- */

struct climb {
	const struct members_directory *directory;
	json_t *seen; /* names of the person and of groups; the last are the new ones */
	size_t first_new;
	bool is_past, failed;
};

static bool has_seen(const struct climb *c, const char *dn)
{
	size_t i;
	json_t *one;

	json_array_foreach(c->seen, i, one)
	{
		if (ldap_link_same_dn(json_string_value(one), dn))
			return true;
	}
	return false;
}

static bool on_group(void *context, struct ldap_entry *entry)
{
	_cleanup_(ldap_entry_freep) struct ldap_entry *e = entry;
	struct climb *c = context;

	if (has_seen(c, ldap_entry_dn(e)))
		return true;
	c->is_past = json_array_size(c->seen) > GROUPS_MAX;
	c->failed = !c->is_past &&
		    json_array_append_new(c->seen, json_string(ldap_entry_dn(e))) != 0;
	return !c->is_past && !c->failed;
}

/* Groups that have any of the new ones. */
static bool filter_of(const struct climb *c, struct strbuf *filter)
{
	const char *member = c->directory->member;

	strbuf_add_string(filter, "(|");
	for (size_t i = c->first_new; i < json_array_size(c->seen); i++) {
		const char *dn = json_string_value(json_array_get(c->seen, i));

		ldap_link_filter(filter, member ? member : "member", dn);
		if (!member)
			ldap_link_filter(filter, "uniqueMember", dn);
	}
	strbuf_add_char(filter, ')');
	return strbuf_ok(filter);
}

/* One level up. '*ret' when it is the group. */
static bool climb(struct climb *c, const struct rest_patience *patience, bool *ret,
		  struct error *err)
{
	const struct members_directory *d = c->directory;
	_cleanup_strbuf_ struct strbuf filter = STRBUF_INIT;
	size_t count = 0;

	if (!filter_of(c, &filter))
		return error_oom(err);
	if (!count_matches(d, d->group, LDAP_LINK_BASE, filter.data, patience, &count,
			   err))
		return false;
	c->first_new = json_array_size(c->seen);
	*ret = count > 0;
	if (*ret || !d->nested)
		return true;
	if (!members_directory_search(d, d->nested, LDAP_LINK_SUBTREE, filter.data,
				      nothing, 0, on_group, c, NULL, patience, err))
		return false;
	return !c->failed || error_oom(err);
}

bool members_group_has(const struct members_directory *d, const char *dn, const char *uid,
		       const struct rest_patience *patience, bool *ret, struct error *err)
{
	json_auto_t *seen = NULL;
	struct climb c = { .directory = d };
	bool is_member = false;

	*ret = false;
	if (d->member && strcasecmp(d->member, "memberUid") == 0)
		return !uid || has_uid(d, uid, patience, ret, err);
	seen = json_pack("[s]", dn);
	c.seen = seen;
	if (!seen)
		return error_oom(err);
	for (int level = 0; level <= LEVELS_MAX && !is_member && !c.is_past &&
			    c.first_new < json_array_size(seen);
	     level++)
		if (!climb(&c, patience, &is_member, err))
			return false;
	*ret = is_member;
	return true;
}
