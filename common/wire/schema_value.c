#include "wire/schema_value.h"

#include "wire/schema_number.h"
#include "wire/schema_table.h"

/* Deeper than any parser of ours lets through; a tree built in memory ends here too. */
enum { VALUE_DEPTH_MAX = 256 };

static bool take_step(unsigned *steps)
{
	if (*steps)
		--*steps;
	return *steps > 0;
}

static bool equal(const json_t *a, const json_t *b, unsigned *steps, unsigned depth);

static bool objects_equal(const json_t *a, const json_t *b, unsigned *steps,
			  unsigned depth)
{
	/* jansson iterates over what it may not change, but says so in no type. */
	json_t *object = (json_t *)(uintptr_t)a;

	if (json_object_size(a) != json_object_size(b))
		return false;
	for (void *it = json_object_iter(object); it;
	     it = json_object_iter_next(object, it)) {
		const json_t *other = json_object_getn(b, json_object_iter_key(it),
						       json_object_iter_key_len(it));

		if (!other || !equal(json_object_iter_value(it), other, steps, depth))
			return false;
	}
	return true;
}

static bool equal(const json_t *a, const json_t *b, unsigned *steps, unsigned depth)
{
	if (!take_step(steps))
		return false;
	if (depth == 0) {
		*steps = 0;
		return false;
	}
	if (json_is_number(a))
		return json_is_number(b) && number_compare(a, b) == 0;
	if (json_typeof(a) != json_typeof(b))
		return false;
	switch (json_typeof(a)) {
	case JSON_STRING:
		return json_string_length(a) == json_string_length(b) &&
		       !memcmp(json_string_value(a), json_string_value(b),
			       json_string_length(a));
	case JSON_ARRAY:
		if (json_array_size(a) != json_array_size(b))
			return false;
		for (size_t i = 0; i < json_array_size(a); i++)
			if (!equal(json_array_get(a, i), json_array_get(b, i), steps,
				   depth - 1))
				return false;
		return true;
	case JSON_OBJECT:
		return objects_equal(a, b, steps, depth - 1);
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL:
	case JSON_INTEGER:
	case JSON_REAL:
		break;
	}
	return true;
}

bool value_equal(const json_t *a, const json_t *b, unsigned *steps)
{
	return equal(a, b, steps, VALUE_DEPTH_MAX);
}

static json_t *copy(const json_t *value, unsigned depth);

static json_t *copy_object(const json_t *value, unsigned depth)
{
	json_t *object = (json_t *)(uintptr_t)value; /* see objects_equal */
	json_auto_t *ret = json_object();

	for (void *it = json_object_iter(object); ret && it;
	     it = json_object_iter_next(object, it))
		if (json_object_setn_new_nocheck(
			    ret, json_object_iter_key(it), json_object_iter_key_len(it),
			    copy(json_object_iter_value(it), depth)) != 0)
			return NULL;
	return json_incref(ret);
}

static json_t *copy_array(const json_t *value, unsigned depth)
{
	json_auto_t *ret = json_array();

	for (size_t i = 0; ret && i < json_array_size(value); i++)
		if (json_array_append_new(ret, copy(json_array_get(value, i), depth)) !=
		    0)
			return NULL;
	return json_incref(ret);
}

static json_t *copy(const json_t *value, unsigned depth)
{
	if (depth == 0)
		return NULL;
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return copy_object(value, depth - 1);
	case JSON_ARRAY:
		return copy_array(value, depth - 1);
	case JSON_STRING:
		return json_stringn_nocheck(json_string_value(value),
					    json_string_length(value));
	case JSON_INTEGER:
		return json_integer(json_integer_value(value));
	case JSON_REAL:
		return json_real(json_real_value(value));
	case JSON_TRUE:
	case JSON_FALSE:
		return json_boolean(json_is_true(value));
	case JSON_NULL:
		break;
	}
	return json_null();
}

json_t *value_copy(const json_t *value)
{
	return copy(value, VALUE_DEPTH_MAX);
}

static uint64_t hash(const json_t *value, uint64_t seed, unsigned *steps, unsigned depth)
{
	uint64_t type = (uint64_t)json_typeof(value), sum = seed + type;

	if (!take_step(steps))
		return 0;
	if (depth == 0) {
		*steps = 0;
		return 0;
	}
	if (json_is_number(value))
		return number_hash(value, seed);
	if (json_is_string(value))
		return table_hash(seed, json_string_value(value),
				  json_string_length(value));
	if (json_is_array(value)) {
		for (size_t i = 0; i < json_array_size(value) && *steps; i++)
			sum = table_mix(sum ^ hash(json_array_get(value, i), seed, steps,
						   depth - 1),
					seed | 1);
	} else if (json_is_object(value)) {
		json_t *object = (json_t *)(uintptr_t)value; /* see objects_equal */

		/* A sum, because the order of members means nothing. */
		for (void *it = json_object_iter(object); it && *steps;
		     it = json_object_iter_next(object, it)) {
			uint64_t name = table_hash(seed, json_object_iter_key(it),
						   json_object_iter_key_len(it));
			uint64_t member =
				hash(json_object_iter_value(it), seed, steps, depth - 1);

			sum += table_mix(name ^ seed, member | 1);
		}
	}
	return table_mix(sum ^ type, UINT64_C(0xd6e8feb86659fd93));
}

struct slot {
	uint64_t hash;
	size_t index; /* plus one; 0 is free */
};

enum value_unique value_unique(const json_t *array, uint64_t seed, unsigned *steps,
			       size_t *ret_first, size_t *ret_second)
{
	size_t count = json_array_size(array), capacity = 4;

	if (count < 2)
		return VALUE_UNIQUE;
	if (count > *steps)
		return VALUE_TOO_COMPLEX;
	while (capacity < count * 2)
		capacity *= 2;

	struct slot few[32] = { { 0, 0 } };
	_cleanup_free_ struct slot *many = NULL;
	struct slot *slots = few;

	if (capacity > ARRAY_SIZE(few)) {
		slots = many = calloc(capacity, sizeof *many);
		if (!many)
			return VALUE_NO_MEMORY;
	}
	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_array_get(array, i);
		uint64_t h = hash(item, seed, steps, VALUE_DEPTH_MAX);
		size_t at = h & (capacity - 1);

		for (; slots[at].index; at = (at + 1) & (capacity - 1)) {
			size_t other = slots[at].index - 1;

			if (slots[at].hash == h &&
			    value_equal(json_array_get(array, other), item, steps)) {
				*ret_first = other;
				*ret_second = i;
				return VALUE_REPEATED;
			}
		}
		if (*steps == 0)
			return VALUE_TOO_COMPLEX;
		slots[at] = (struct slot){ h, i + 1 };
	}
	return VALUE_UNIQUE;
}
