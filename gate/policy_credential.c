/* Whose a direct client's credential is, as the gate's own map of persons has it. */
#include "gate/policy.h"

/* Of the same issuer: the same text up to the space. */
static bool is_of_issuer(const json_t *entry, const char *subject)
{
	const char *text = json_string_value(entry);
	const size_t length = strcspn(subject, " ") + 1;

	return text && strncmp(text, subject, length) == 0;
}

/* Who has it, NULL for nobody. '*ret_knows': others of its kind are mapped. */
static const json_t *find_credential(const struct policy *p, const char *member,
				     const char *credential, const char *person,
				     bool *ret_knows)
{
	size_t i, j;
	json_t *one, *entry;

	*ret_knows = false;
	json_array_foreach(policy_persons(p), i, one)
	{
		const char *id = json_get_string(one, "id");

		json_array_foreach(json_object_get(one, member), j, entry)
		{
			if (strcmp(json_string_value(entry) ?: "", credential) == 0)
				return one;
			*ret_knows = *ret_knows ||
				     (strcmp(member, "oauth") == 0
					      ? is_of_issuer(entry, credential)
					      : strcmp(id, person) == 0);
		}
	}
	return NULL;
}

bool policy_check_credential(const struct policy *p, const char *person,
			     const char *subject, const char *token, struct error *err)
{
	bool knows = false;
	const json_t *whose = find_credential(p, subject ? "oauth" : "tokens",
					      subject ? subject : token, person, &knows);

	if (whose ? strcmp(json_get_string(whose, "id"), person) == 0 : !knows)
		return true;
	return error_set(err, ERR_PERMISSION_DENIED,
			 "the gate's map of persons does not give this %s to %s",
			 subject ? "OAuth subject" : "token", person);
}
