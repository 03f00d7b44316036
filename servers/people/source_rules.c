#include "servers/people/source_rules.h"

#include <string.h>

#include "servers/people/identifier.h"

void source_rules_read(struct source_rules *r, const json_t *config, const char *number,
		       const char *kind)
{
	const json_t *claims = json_object_get(config, "claims");
	const json_t *kinds = json_object_get(config, "kinds");
	const char *text;

	*r = (struct source_rules){ .number = number, .kind = kind };
	for (size_t i = 0; i < SYSTEM_COUNT; i++)
		r->claims[i] =
			json_get_string(claims, system_name((enum people_system)i));
	if ((text = json_get_string(config, "employee_number")))
		r->number = text;
	if ((text = json_get_string(kinds, "attribute")))
		r->kind = text;
	r->contractors = json_object_get(kinds, "contractor");
	r->services = json_object_get(kinds, "service");
	r->service_subtrees = json_object_get(config, "service_subtrees");
	r->left_subtrees = json_object_get(config, "left_subtrees");
}

void source_rules_claim(struct account *a, enum people_system system, const char *login)
{
	char claim[ACCOUNT_TEXT_MAX + 1];

	if (!login || !*login)
		return;
	if (snprintf(claim, sizeof claim, "%s:%s", system_name(system), login) <
	    (int)sizeof claim)
		account_add(a, ACCOUNT_CLAIM, claim);
}

static bool is_listed(const json_t *list, const char *value)
{
	json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		if (json_is_string(one) && strcasecmp(json_string_value(one), value) == 0)
			return true;
	}
	return false;
}

void source_rules_kind(const struct source_rules *r, struct account *a, const char *value)
{
	if (!value || !*value)
		return;
	if (is_listed(r->services, value))
		account_add(a, ACCOUNT_KIND, "service");
	else if (r->contractors ? is_listed(r->contractors, value)
				: strcasecmp(value, "contractor") == 0)
		account_add(a, ACCOUNT_KIND, "contractor");
}

/* Whether 'dn', folded, is at or below one of these. */
static bool is_below(const json_t *subtrees, const struct strbuf *dn, bool *ret,
		     struct error *err)
{
	json_t *one;
	size_t i;

	*ret = false;
	json_array_foreach(subtrees, i, one)
	{
		_cleanup_strbuf_ struct strbuf base = STRBUF_INIT;

		if (!identifier_fold_dn(&base, json_string_value(one) ?: "", err))
			return false;
		if (dn->length >= base.length &&
		    strcmp(dn->data + dn->length - base.length, base.data) == 0 &&
		    (dn->length == base.length ||
		     dn->data[dn->length - base.length - 1] == ','))
			*ret = true;
	}
	return true;
}

bool source_rules_place(const struct source_rules *r, struct account *a, const char *dn,
			struct error *err)
{
	_cleanup_strbuf_ struct strbuf folded = STRBUF_INIT;
	struct error ignored = ERROR_INIT;
	bool is_service, has_left;

	/* A DN that cannot be read is at no place. */
	if (!identifier_fold_dn(&folded, dn, &ignored))
		return strbuf_ok(&folded) || error_oom(err);
	if (!is_below(r->service_subtrees, &folded, &is_service, err) ||
	    !is_below(r->left_subtrees, &folded, &has_left, err))
		return false;
	if (is_service)
		account_add(a, ACCOUNT_KIND, "service");
	if (has_left)
		account_add(a, ACCOUNT_CLOSED, "1");
	return true;
}
