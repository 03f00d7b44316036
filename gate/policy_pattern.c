#include "gate/policy_pattern.h"

#include "base/canonical.h"
#include "base/clock.h"
#include "guard/names.h"

void policy_pattern_done(struct policy_pattern *p)
{
	json_decref(p->is);
	p->is = NULL;
}

static bool read_text(const json_t *json, const char *member,
		      char ret[static POLICY_TEXT_MAX + 1], struct error *err)
{
	const char *text = json_get_string(json, member);

	if (!text)
		return true;
	if (!*text || strlen(text) > POLICY_TEXT_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT, "a %s has 1 to %d bytes",
				 member, POLICY_TEXT_MAX);
	(void)snprintf(ret, POLICY_TEXT_MAX + 1, "%s", text);
	return true;
}

static bool read_bound(const json_t *value, struct policy_pattern *p, bool *ret_has,
		       double *ret, struct error *err)
{
	int64_t ms = 0;

	if (!value)
		return true;
	if ((p->has_min || p->has_max) && p->is_duration != json_is_string(value))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "min and max are both numbers or both durations");
	p->is_duration = json_is_string(value);
	*ret_has = true;
	if (json_is_number(value)) {
		*ret = json_number_value(value);
		return true;
	}
	if (!p->is_duration || !clock_parse_duration(json_string_value(value), &ms, err))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a bound is a number, or a duration such as 8h");
	*ret = (double)ms;
	return true;
}

bool policy_pattern_read(const char *argument, const json_t *json,
			 struct policy_pattern *ret, struct error *err)
{
	const char *items = json_get_string(json, "items");
	struct policy_pattern p = { .is = json_object_get(json, "is") };
	int kinds;

	if (strlen(argument) >= sizeof p.argument)
		return error_set(err, ERR_INVALID_ARGUMENT, "no argument has this name");
	(void)snprintf(p.argument, sizeof p.argument, "%s", argument);
	if (!read_text(json, "prefix", p.prefix, err) ||
	    !read_text(json, "glob", p.glob, err) ||
	    !read_bound(json_object_get(json, "min"), &p, &p.has_min, &p.min, err) ||
	    !read_bound(json_object_get(json, "max"), &p, &p.has_max, &p.max, err))
		return false;
	if (items && strcmp(items, "every") != 0 && strcmp(items, "any") != 0)
		return error_set(err, ERR_INVALID_ARGUMENT, "items is every or any");
	p.any = items && strcmp(items, "any") == 0;
	kinds = (p.is != NULL) + (*p.prefix != '\0') + (*p.glob != '\0') +
		(p.has_min || p.has_max);
	if (kinds != 1 || (p.is && json_array_size(p.is) == 0))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a pattern is one of is, prefix, glob, or min and max");
	if (p.has_min && p.has_max && p.min > p.max)
		return error_set(err, ERR_INVALID_ARGUMENT, "min is above max");
	json_incref(p.is);
	*ret = p;
	return true;
}

/* --- matching --- */

static const char *next_character(const char *s)
{
	do
		s++;
	while (((unsigned char)*s & 0xC0) == 0x80);
	return s;
}

/* Where a run may begin again is remembered for the last star alone, which is enough. */
bool policy_glob_matches(const char *glob, const char *text)
{
	const char *after_star = NULL, *retry = NULL;

	while (*text) {
		const char *literal = *glob == '\\' && glob[1] ? glob + 1 : glob;

		if (*glob == '*') {
			after_star = ++glob;
			retry = text;
		} else if (*glob == '?') {
			glob++;
			text = next_character(text);
		} else if (*glob && *literal == *text) {
			glob = literal + 1;
			text++;
		} else if (after_star) {
			glob = after_star;
			text = retry = next_character(retry);
		} else {
			return false;
		}
	}
	while (*glob == '*')
		glob++;
	return !*glob;
}

/* Equal as canonical bytes: 1 and 1.0 are one number, "1" is none. */
static bool is_same(const json_t *a, const json_t *b)
{
	if (json_is_number(a) && json_is_number(b))
		return !(json_number_value(a) < json_number_value(b)) &&
		       !(json_number_value(a) > json_number_value(b));
	return json_equal(a, b);
}

static bool is_one_of(const json_t *list, const json_t *value)
{
	size_t i;
	json_t *one;

	json_array_foreach(list, i, one)
	{
		if (is_same(one, value))
			return true;
	}
	return false;
}

static bool is_within(const struct policy_pattern *p, const json_t *value, bool doubt)
{
	struct error ignored = ERROR_INIT;
	int64_t ms = 0;
	double n;

	if (p->is_duration) {
		if (!json_is_string(value) ||
		    !clock_parse_duration(json_string_value(value), &ms, &ignored))
			return doubt;
		n = (double)ms;
	} else {
		if (!json_is_number(value))
			return doubt;
		n = json_number_value(value);
	}
	return (!p->has_min || n >= p->min) && (!p->has_max || n <= p->max);
}

static bool one_matches(const struct policy_pattern *p, const json_t *value, bool doubt)
{
	const char *text = json_string_value(value);

	if (json_is_object(value) || json_is_array(value) || json_is_null(value))
		return doubt;
	if (p->is)
		return is_one_of(p->is, value);
	if (p->has_min || p->has_max)
		return is_within(p, value, doubt);
	if (!text || json_string_length(value) > POLICY_VALUE_MAX)
		return doubt;
	return *p->prefix ? strncmp(text, p->prefix, strlen(p->prefix)) == 0
			  : policy_glob_matches(p->glob, text);
}

bool policy_pattern_matches(const struct policy_pattern *p, const json_t *arguments,
			    bool refuses)
{
	const json_t *value = json_object_get(arguments, p->argument);
	bool any = p->any || refuses;
	size_t i;
	json_t *item;

	if (!value)
		return refuses;
	if (!json_is_array(value))
		return one_matches(p, value, refuses);
	if (json_array_size(value) == 0)
		return refuses;
	json_array_foreach(value, i, item)
	{
		if (one_matches(p, item, refuses) == any)
			return any;
	}
	return !any;
}
