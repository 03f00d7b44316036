#include "mcp/client/oauth_scope.h"

#define OFFLINE "offline_access"

static size_t scope_bytes(const char *at)
{
	size_t length = 0;

	while (at[length] > ' ' && at[length] < 0x7f && at[length] != '"' &&
	       at[length] != '\\')
		length++;
	return length;
}

static bool has(const char *set, const char *scope, size_t length)
{
	while (*set) {
		size_t one = strcspn(set, " ");

		if (one == length && memcmp(set, scope, length) == 0)
			return true;
		set += one + strspn(set + one, " ");
	}
	return false;
}

bool oauth_scope_has(const char *set, const char *scope)
{
	return *scope && has(set, scope, strlen(scope));
}

bool oauth_scope_has_all(const char *set, const char *wanted)
{
	for (wanted += strspn(wanted, " "); *wanted; wanted += strspn(wanted, " ")) {
		size_t length = strcspn(wanted, " ");

		if (!has(set, wanted, length))
			return false;
		wanted += length;
	}
	return true;
}

static bool add_one(char *set, const char *scope, size_t length)
{
	size_t at = strlen(set), space = at > 0 ? 1 : 0;

	if (length == 0 || has(set, scope, length))
		return true;
	if (length + space > OAUTH_SCOPE_MAX - at)
		return false;
	if (space)
		set[at++] = ' ';
	memcpy(set + at, scope, length);
	set[at + length] = '\0';
	return true;
}

bool oauth_scope_add(char set[static OAUTH_SCOPE_MAX + 1], const char *more)
{
	size_t before = strlen(set);

	while (more && *more) {
		size_t length = scope_bytes(more);

		if ((more[length] && more[length] != ' ') ||
		    !add_one(set, more, length)) {
			set[before] = '\0';
			return false;
		}
		more += length + strspn(more + length, " ");
	}
	return true;
}

bool oauth_scope_add_list(char set[static OAUTH_SCOPE_MAX + 1], const json_t *list)
{
	size_t before = strlen(set), i;
	const json_t *one;

	if (list && !json_is_array(list))
		return false;
	json_array_foreach(list, i, one)
	{
		const char *text = json_string_value(one);
		size_t length = text ? scope_bytes(text) : 0;

		if (length == 0 || length != json_string_length(one) ||
		    !add_one(set, text, length)) {
			set[before] = '\0';
			return false;
		}
	}
	return true;
}

/* All but offline_access. */
static bool add_plain(char *set, const char *more)
{
	while (*more) {
		size_t length = strcspn(more, " ");

		if ((length != strlen(OFFLINE) || memcmp(more, OFFLINE, length) != 0) &&
		    !add_one(set, more, length))
			return false;
		more += length + strspn(more + length, " ");
	}
	return true;
}

bool oauth_scope_choose(const struct oauth_scope_rules *rules,
			char ret[static OAUTH_SCOPE_MAX + 1])
{
	const char *wanted = *rules->challenge ? rules->challenge : rules->resource;

	*ret = '\0';
	return add_plain(ret, rules->requested) && add_plain(ret, wanted) &&
	       (!rules->is_offline || !*ret || add_one(ret, OFFLINE, strlen(OFFLINE)));
}
