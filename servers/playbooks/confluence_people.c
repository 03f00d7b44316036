/*
 * Who of ours the wiki speaks of: its users by 'people' or the address that it shows, its
 * groups by 'groups' and 'everybody'. Whom nobody can tell is nobody.
 */
#include "servers/playbooks/confluence_private.h"

#include <string.h>

bool wiki_add_name(json_t *readers, const char *person)
{
	const json_t *known;
	size_t i;

	json_array_foreach(readers, i, known)
	{
		if (strcmp(json_string_value(known), person) == 0)
			return true;
	}
	return json_array_append_new(readers, json_string(person)) == 0;
}

json_t *wiki_both(const json_t *a, const json_t *b)
{
	json_auto_t *list = json_array();
	const json_t *person;
	size_t i;

	if (json_is_null(a) || json_is_null(b))
		return json_deep_copy(json_is_null(a) ? b : a);
	json_array_foreach(a, i, person)
	{
		const json_t *other;
		size_t k;

		json_array_foreach(b, k, other)
		{
			if (json_equal(person, other) &&
			    !wiki_add_name(list, json_string_value(person)))
				return NULL;
		}
	}
	return TAKE(list);
}

/* ---- Users ---- */

bool wiki_add_users(const struct wiki *w, const json_t *users, struct wiki_people *to)
{
	const json_t *people = json_object_get(w->config, "people"), *user;
	size_t i;

	json_array_foreach(users, i, user)
	{
		const char *account = json_get_string(user, "accountId");
		const char *email = json_get_string(user, "email");
		const char *person = account ? json_get_string(people, account) : NULL;

		if (!person && email && *email)
			person = email;
		if (person && !wiki_add_name(to->readers, person))
			return false;
	}
	return true;
}

/* ---- Groups ---- */

static bool has(const json_t *names, const char *name)
{
	const json_t *known;
	size_t i;

	json_array_foreach(names, i, known)
	{
		if (strcmp(json_string_value(known), name) == 0)
			return true;
	}
	return false;
}

bool wiki_knows_group(const struct wiki *w, const char *group)
{
	return json_object_get(json_object_get(w->config, "groups"), group) ||
	       has(json_object_get(w->config, "everybody"), group);
}

bool wiki_add_group(const struct wiki *w, const char *group, struct wiki_people *to)
{
	const json_t *groups = json_object_get(w->config, "groups"), *person;
	size_t i;

	if (!group)
		return true;
	to->is_everybody |= has(json_object_get(w->config, "everybody"), group);
	json_array_foreach(json_object_get(groups, group), i, person)
	{
		if (!wiki_add_name(to->readers, json_string_value(person)))
			return false;
	}
	return true;
}

bool wiki_add_groups(const struct wiki *w, const json_t *groups, struct wiki_people *to)
{
	const json_t *group;
	size_t i;

	json_array_foreach(groups, i, group)
	{
		if (!wiki_add_group(w, json_get_string(group, "name"), to) ||
		    !wiki_add_group(w, json_get_string(group, "id"), to))
			return false;
	}
	return true;
}
