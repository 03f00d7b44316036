#include "gate/overlap.h"

static bool is_same(const json_t *a, const json_t *b, const char *member)
{
	const char *x = json_get_string(a, member), *y = json_get_string(b, member);

	return x && y && strcmp(x, y) == 0;
}

static bool add(json_t *list, size_t later, size_t earlier, const json_t *effect)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	strbuf_add_format(
		&text,
		"call %zu touches what call %zu changes before it (%s: %s); its "
		"plan assumes that as it is now, and it stops if it is another "
		"then",
		later + 1, earlier + 1, json_get_string(effect, "system"),
		json_get_string(effect, "target"));
	return strbuf_ok(&text) &&
	       json_array_append_new(list, json_stringn(text.data, text.length)) == 0;
}

/* The first effect of 'earlier' on something that 'later' has an effect on; or NULL. */
static const json_t *shared(const json_t *earlier, const json_t *later)
{
	size_t i, j;
	json_t *a, *b;

	if (!is_same(earlier, later, "server"))
		return NULL;
	json_array_foreach(json_object_get(earlier, "effects"), i, a)
	{
		json_array_foreach(json_object_get(later, "effects"), j, b)
		{
			if (is_same(a, b, "system") && is_same(a, b, "target"))
				return a;
		}
	}
	return NULL;
}

json_t *overlap_warnings(const json_t *prompts)
{
	json_auto_t *list = json_array();
	size_t i;
	json_t *later;

	if (!list)
		return NULL;
	json_array_foreach(prompts, i, later)
	{
		for (size_t j = 0; j < i; j++) {
			const json_t *effect = shared(json_array_get(prompts, j), later);

			if (effect && json_array_size(list) < OVERLAP_MAX &&
			    !add(list, i, j, effect))
				return NULL;
		}
	}
	return TAKE(list);
}
