#include "slack/verify/seen.h"

#include "base/canonical.h"

enum { DEPTH_MAX = 12 };

/* What Slack puts there itself when a sender has left it out; none of it shows. */
static bool is_added(const char *name, const json_t *value)
{
	static const char *const ours[] = { "block_id", "emoji", "verbatim" };

	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		if (strcmp(name, ours[i]) == 0)
			return true;
	return strcmp(name, "border") == 0 && json_is_integer(value) &&
	       json_integer_value(value) == 0;
}

static json_t *strip(const json_t *value, unsigned depth);

static json_t *strip_object(const json_t *value, unsigned depth)
{
	json_auto_t *bare = json_object();
	const char *name;
	json_t *member;

	json_object_foreach((json_t *)(uintptr_t)value, name, member)
	{
		if (!is_added(name, member) &&
		    json_object_set_new(bare, name, strip(member, depth + 1)) != 0)
			return NULL;
	}
	return TAKE(bare);
}

/* Steals nothing; NULL without memory, or when it is too deep. */
static json_t *strip(const json_t *value, unsigned depth)
{
	json_auto_t *list = NULL;
	size_t i;
	json_t *member;

	if (depth > DEPTH_MAX)
		return NULL;
	if (json_is_object(value))
		return strip_object(value, depth);
	if (!json_is_array(value))
		return json_incref((json_t *)(uintptr_t)value);
	list = json_array();
	json_array_foreach(value, i, member)
	{
		if (json_array_append_new(list, strip(member, depth + 1)) != 0)
			return NULL;
	}
	return TAKE(list);
}

bool slack_seen_digest(const json_t *blocks, char ret[static DIGEST_HEX_BYTES],
		       struct error *err)
{
	json_auto_t *bare = json_is_array(blocks) ? strip(blocks, 0) : NULL;

	if (!bare)
		return error_set(err, ERR_INVALID_ARGUMENT, "there are no blocks");
	return canonical_digest(bare, ret, err);
}
