#include "servers/accounts/vendor.h"

/* A name that nobody can be asked about (too long, characters that no plan takes) is left
 * out: nobody shall keep himself out of plans by what he calls himself. */
static char *plain(const char *text)
{
	json_auto_t *value = json_string(text);
	struct error why = ERROR_INIT;
	const bool good = value && strlen(text) <= VENDOR_NAME_MAX &&
			  json_check_contract(value, &why);

	return strdup(good ? text : "");
}

bool vendor_account(struct account *a, const struct vendor_names *names,
		    const char *detail, struct error *err)
{
	a->id = strdup(names->id);
	a->identifier = strdup(names->identifier);
	a->uid = plain(names->uid);
	a->name = plain(names->name);
	a->mail = plain(names->mail);
	a->detail = strdup(detail);
	return (a->id && a->identifier && a->uid && a->name && a->mail && a->detail) ||
	       error_oom(err);
}

bool vendor_fail(struct rest *r, struct facet_applied *ret, const struct error *err)
{
	if (err->code == ERR_RATE_LIMITED)
		ret->retry_after_ms = rest_wait_ms(r);
	return false;
}

const json_t *vendor_config(const json_t *config, const char *system, const char *name,
			    struct error *err)
{
	const json_t *of = json_object_get(json_object_get(config, system), name);

	if (json_is_object(of))
		return of;
	error_set(err, ERR_INVALID_ARGUMENT, "'backend.%s' lacks %s", system, name);
	return NULL;
}

bool vendor_are_texts(const json_t *list)
{
	if (list && !json_is_array(list))
		return false;
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!json_is_string(json_array_get(list, i)))
			return false;
	return true;
}

bool vendor_is_listed(const json_t *list, const char *text)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_string_value(json_array_get(list, i)), text) == 0)
			return true;
	return false;
}
