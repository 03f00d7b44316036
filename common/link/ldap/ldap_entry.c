#include "link/ldap/ldap_entry.h"

#include <ctype.h>

#include "base/json.h"

enum { NAME_MAX_BYTES = 128, BINARY_MAX_BYTES = 68 /* an objectSid has at most that */ };

/* What is bytes by its definition, though some of its values would pass for text. In
 * lower case. */
static const char *const binary_names[] = { "objectguid", "objectsid" };

/* Attribute names in lower case, each with an array of its values. */
struct ldap_entry {
	char *dn;
	json_t *attributes;
};

void ldap_entry_free(struct ldap_entry *e)
{
	if (!e)
		return;
	json_decref(e->attributes);
	free(e->dn);
	free(e);
}

const char *ldap_entry_dn(const struct ldap_entry *e)
{
	return e->dn;
}

/* False for a name that no attribute has. */
static bool lower_case(const char *name, char ret[static NAME_MAX_BYTES])
{
	size_t length = strlen(name);

	if (length >= NAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i <= length; i++)
		ret[i] = (char)tolower((unsigned char)name[i]);
	return true;
}

const char *ldap_entry_value(const struct ldap_entry *e, const char *attribute,
			     size_t index)
{
	char name[NAME_MAX_BYTES];

	if (!lower_case(attribute, name))
		return NULL;
	return json_string_value(
		json_array_get(json_object_get(e->attributes, name), index));
}

static json_t *copy_hex(const struct berval *v)
{
	char text[2 * BINARY_MAX_BYTES + 1] = "";

	if (v->bv_len > BINARY_MAX_BYTES)
		return NULL;
	for (size_t i = 0; i < v->bv_len; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", (unsigned char)v->bv_val[i]);
	return json_string(text);
}

/* Binary values and text with a NUL are passed over: they are no names of anything. */
static json_t *copy_text(const struct berval *v)
{
	return memchr(v->bv_val, '\0', v->bv_len) ? NULL
						  : json_stringn(v->bv_val, v->bv_len);
}

static bool is_binary(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(binary_names); i++)
		if (strcmp(binary_names[i], key) == 0)
			return true;
	return false;
}

static json_t *copy_values(struct berval **values, bool binary)
{
	json_auto_t *list = json_array();

	for (size_t i = 0; values && values[i] && i < LDAP_LINK_VALUES_MAX; i++) {
		json_t *text = binary ? copy_hex(values[i]) : copy_text(values[i]);

		if (text && json_array_append_new(list, text) != 0)
			return NULL;
	}
	return TAKE(list);
}

static bool copy_attribute(LDAP *ld, LDAPMessage *message, const char *name, json_t *to)
{
	char key[NAME_MAX_BYTES];
	struct berval **values;
	int rc;

	if (!lower_case(name, key))
		return true;
	values = ldap_get_values_len(ld, message, name);
	rc = json_object_set_new(to, key, copy_values(values, is_binary(key)));
	ldap_value_free_len(values);
	return rc == 0;
}

static bool copy_attributes(LDAP *ld, LDAPMessage *message, json_t *to)
{
	BerElement *position = NULL;
	char *name = ldap_first_attribute(ld, message, &position);
	bool ok = true;

	while (name && ok && json_object_size(to) < LDAP_LINK_ATTRIBUTES_MAX) {
		ok = copy_attribute(ld, message, name, to);
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

	if (dn) {
		e->dn = strdup(dn);
		e->attributes = json_object();
	}
	ldap_memfree(dn);
	if (!e || !e->dn || !e->attributes ||
	    !copy_attributes(ld, message, e->attributes)) {
		error_oom(err);
		return NULL;
	}
	return TAKE(e);
}
