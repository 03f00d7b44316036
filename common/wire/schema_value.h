/*
 * schema_value -- JSON values equal in the sense of JSON Schema.
 *
 * 1 equals 1.0, false is not 0, the order of members does not matter. Every
 * value looked at is charged to 'steps'; when none are left the answer is
 * "no" and 'steps' is 0, which the caller takes as "too complex". Private to
 * the schema files.
 */
#ifndef WIRE_SCHEMA_VALUE_H
#define WIRE_SCHEMA_VALUE_H

#include <jansson.h>

#include "base/cleanup.h"

bool value_equal(const json_t *a, const json_t *b, unsigned *steps);

/* A copy that shares nothing, member names with NULs included (jansson's own cuts these).
 * NULL: no memory, or nested too deep. */
json_t *value_copy(const json_t *value) _must_use_;

enum value_unique { VALUE_UNIQUE, VALUE_REPEATED, VALUE_TOO_COMPLEX, VALUE_NO_MEMORY };

/* Whether no two items are equal; if two are, which. Linear in the size of the array. */
enum value_unique value_unique(const json_t *array, uint64_t seed, unsigned *steps,
			       size_t *ret_first, size_t *ret_second);

#endif
