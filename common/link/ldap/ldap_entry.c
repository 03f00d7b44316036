#include "link/ldap/ldap_entry.h"

#include <strings.h>

#include "base/text.h"

struct attribute {
	char *name;
	size_t count;
	char **values;
};

struct ldap_entry {
	char *dn;
	size_t count;
	struct attribute attributes[LDAP_LINK_ATTRIBUTES_MAX];
};

void ldap_entry_free(struct ldap_entry *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < e->count; i++) {
		for (size_t j = 0; j < e->attributes[i].count; j++)
			free(e->attributes[i].values[j]);
		free(e->attributes[i].values);
		free(e->attributes[i].name);
	}
	free(e->dn);
	free(e);
}

const char *ldap_entry_dn(const struct ldap_entry *e)
{
	return e->dn;
}

const char *ldap_entry_value(const struct ldap_entry *e, const char *attribute,
			     size_t index)
{
	for (size_t i = 0; i < e->count; i++)
		if (strcasecmp(e->attributes[i].name, attribute) == 0)
			return index < e->attributes[i].count
				       ? e->attributes[i].values[index]
				       : NULL;
	return NULL;
}

static bool is_text(const struct berval *value)
{
	return !memchr(value->bv_val, '\0', value->bv_len) &&
	       text_is_utf8(value->bv_val, value->bv_len);
}

static bool copy_values(struct berval **from, struct attribute *to)
{
	size_t count = 0;

	while (from[count] && count < LDAP_LINK_VALUES_MAX)
		count++;
	to->values = calloc(count ? count : 1, sizeof *to->values);
	if (!to->values)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!is_text(from[i]))
			continue;
		to->values[to->count] = strndup(from[i]->bv_val, from[i]->bv_len);
		if (!to->values[to->count])
			return false;
		to->count++;
	}
	return true;
}

static bool copy_attributes(LDAP *ld, LDAPMessage *message, struct ldap_entry *e)
{
	BerElement *position = NULL;
	char *name = ldap_first_attribute(ld, message, &position);
	bool ok = true;

	while (name && ok && e->count < LDAP_LINK_ATTRIBUTES_MAX) {
		struct attribute *a = &e->attributes[e->count++];
		struct berval **values = ldap_get_values_len(ld, message, name);

		a->name = strdup(name);
		ok = a->name && (!values || copy_values(values, a));
		ldap_value_free_len(values);
		ldap_memfree(name);
		name = ldap_next_attribute(ld, message, position);
	}
	ldap_memfree(name);
	ber_free(position, 0);
	return ok;
}

struct ldap_entry *ldap_entry_read(LDAP *ld, LDAPMessage *message, struct error *err)
{
	_cleanup_(ldap_entry_freep) struct ldap_entry *e = calloc(1, sizeof *e);
	char *dn = e ? ldap_get_dn(ld, message) : NULL;

	if (dn)
		e->dn = strdup(dn);
	ldap_memfree(dn);
	if (!e || !e->dn || !copy_attributes(ld, message, e)) {
		error_oom(err);
		return NULL;
	}
	return TAKE(e);
}
