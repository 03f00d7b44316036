#include "gate/overlap.h"

static bool is_same(const json_t *a, const json_t *b, const char *member)
{
	const char *x = json_get_string(a, member), *y = json_get_string(b, member);

	return x && y && strcmp(x, y) == 0;
}

/* "disk: a, to b" */
static bool add(json_t *list, size_t later, const char *words, size_t earlier,
		const json_t *effect, const char *then)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	strbuf_add_format(&text, "call %zu %s call %zu (%s: %s, to '%s')%s", later + 1,
			  words, earlier + 1, json_get_string(effect, "system"),
			  json_get_string(effect, "target"),
			  json_get_string(effect, "to"), then);
	return strbuf_ok(&text) &&
	       json_array_append_new(list, json_stringn(text.data, text.length)) == 0;
}

bool overlap_check(const json_t *plan, size_t seq, const json_t *const *plans,
		   const char *const *servers, struct error *err)
{
	size_t i;
	json_t *one;

	json_array_foreach(json_object_get(plan, "assumes"), i, one)
	{
		size_t call = (size_t)json_get_int64(one, "call", 0) - 1;
		size_t effect = (size_t)json_get_int64(one, "effect", 0);

		if (call >= seq || strcmp(servers[call], servers[seq]) != 0 ||
		    effect >= json_array_size(json_object_get(plans[call], "effects")))
			return error_set(err, ERR_BACKEND_UNAVAILABLE,
					 "the server's plan counts on an effect that no "
					 "earlier call of this decision has");
	}
	return true;
}

static const json_t *effect_of(const json_t *prompts, size_t call, size_t effect)
{
	return json_array_get(json_object_get(json_array_get(prompts, call), "effects"),
			      effect);
}

/* What the plan of 'later' names itself. */
static bool add_assumed(json_t *list, const json_t *prompts, const json_t *plan,
			size_t later)
{
	size_t i;
	json_t *one;

	json_array_foreach(json_object_get(plan, "assumes"), i, one)
	{
		size_t call = (size_t)json_get_int64(one, "call", 0) - 1;
		const json_t *effect = effect_of(
			prompts, call, (size_t)json_get_int64(one, "effect", 0));

		if (effect && !add(list, later, "counts on what is done by", call, effect,
				   " and stops if it is another then"))
			return false;
	}
	return true;
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

/* A plan that counts on one earlier call has seen the others' effects as well. */
static bool add_shared(json_t *list, const json_t *prompts, const json_t *plan,
		       size_t later)
{
	for (size_t j = 0; j < later; j++) {
		const json_t *effect = shared(json_array_get(prompts, j),
					      json_array_get(prompts, later));

		if (effect && json_array_size(json_object_get(plan, "assumes")) == 0 &&
		    !add(list, later, "touches what is changed before by", j, effect,
			 "; its plan takes that as it is now, and it stops if it is "
			 "another then"))
			return false;
	}
	return true;
}

json_t *overlap_warnings(const json_t *prompts, const json_t *plans)
{
	json_auto_t *list = json_array();

	for (size_t i = 0; list && i < json_array_size(prompts); i++) {
		const json_t *plan = json_array_get(plans, i);

		if (!add_assumed(list, prompts, plan, i) ||
		    !add_shared(list, prompts, plan, i))
			return NULL;
	}
	return TAKE(list);
}
