#include "link/ldap/ldap_link.h"

#include <assert.h>

#include "link/ldap/ldap_entry.h"
#include "link/ldap/ldap_pool.h"

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
	LDAPControl *page =
		controls ? ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL)
			 : NULL;
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
	struct timeval limit = ldap_pool_time_limit(s->l);
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
			       (LDAPControl *[]){ page, NULL }, NULL, &limit,
			       LDAP_NO_LIMIT, &result);
	ldap_control_free(page);
	if (rc == LDAP_SUCCESS || rc == LDAP_SIZELIMIT_EXCEEDED ||
	    rc == LDAP_ADMINLIMIT_EXCEEDED) {
		/* Past the directory's limit the entries so far are still good. */
		bool cut = rc != LDAP_SUCCESS;

		rc = ldap_parse_result(s->ld, result, &code, NULL, NULL, NULL, &controls,
				       0);
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
		.l = l,
		.base = base,
		.filter = filter,
		.limit = limit,
		.fn = fn,
		.context = context,
		.scope = scope == LDAP_LINK_BASE ? LDAP_SCOPE_BASE : LDAP_SCOPE_SUBTREE,
	};
	struct error own = ERROR_INIT;
	struct ldap_slot *slot = ldap_pool_take(l, err);
	int rc = LDAP_SUCCESS;

	if (!slot)
		return false;
	for (size_t i = 0; attributes[i]; i++) {
		assert(i < LDAP_LINK_ATTRIBUTES_MAX);
		s.attributes[i] = ldap_without_const(attributes[i]);
	}
	/* A connection that died in the pool is found out here; the second is new. */
	for (int attempt = 0; attempt < 2 && ldap_pool_ready(l, slot, false, &own);
	     attempt++) {
		s.ld = slot->ld;
		rc = search_all(&s, &own);
		if (rc == LDAP_SUCCESS || error_is_set(&own))
			break;
		if (attempt == 1 || s.given > 0 || rc == LDAP_TIMEOUT ||
		    !ldap_code_is_broken(rc))
			ldap_pool_fail(l, slot->ld, rc, "search", &own);
		if (ldap_code_is_broken(rc))
			ldap_pool_disconnect(slot);
		if (error_is_set(&own))
			break;
	}
	ldap_pool_give(l, slot, false);
	if (error_is_set(&own)) {
		if (!error_is_set(err))
			*err = own;
		return false;
	}
	ldap_pool_note_up(l);
	if (ret_more)
		*ret_more = s.more;
	return true;
}
