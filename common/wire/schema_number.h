/*
 * schema_number -- numbers compared as numbers, whichever way they are held.
 *
 * jansson holds a number as int64 or as double; JSON knows one kind. Everything
 * here is exact: 2^53+1 is not 2^53, 1 is 1.0, and 'multiple of' is asked of
 * the decimal that was written, so that 0.0075 is a multiple of 0.0001. Private
 * to the schema files.
 */
#ifndef WIRE_SCHEMA_NUMBER_H
#define WIRE_SCHEMA_NUMBER_H

#include <jansson.h>

#include "base/cleanup.h"

enum { NUMBER_TEXT_BYTES = 32 };

/* Less than, equal to or greater than 0, as strcmp. */
int number_compare(const json_t *a, const json_t *b);

/* Whether there is no fraction; 1.0 and 1e300 have none. */
bool number_is_integer(const json_t *number);

/* As a count of things: no fraction, not negative; beyond SIZE_MAX becomes SIZE_MAX. */
bool number_to_size(const json_t *number, size_t *ret_size);

/* digits * 10^exponent; the sign is dropped. */
struct decimal {
	uint64_t digits;
	int exponent;
};

struct decimal number_decimal(const json_t *number);
/* 'divisor' is not zero. */
bool decimal_is_multiple(struct decimal number, struct decimal divisor);

/* Equal numbers have equal hashes. */
uint64_t number_hash(const json_t *number, uint64_t seed);

/* "3", "0.01", "1e+30"; for messages. Returns 'text'. */
const char *number_text(const json_t *number, char text[static NUMBER_TEXT_BYTES]);

#endif
