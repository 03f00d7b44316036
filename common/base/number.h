/*
 * number -- decimal text and doubles, exactly and without the locale.
 *
 * Private to base: json reads numbers with it, canonical writes them. A decimal
 * is 0.DIGITS * 10^point with digits that neither begin nor end with '0'; zero
 * has no digits.
 */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include "base/cleanup.h"

enum { NUMBER_DIGITS_MAX = 17 }; /* that a double ever needs */

struct number {
	double value;    /* nearest double; +-HUGE_VAL when it overflows */
	int64_t integer; /* its value where 'is_int64' */
	bool is_integer; /* written without fraction and exponent */
	bool is_int64;   /* is_integer, and fits */
	bool is_exact;   /* the shortest text of 'value' has the same decimal value */
};

/* Judge a number token that follows RFC 8259's grammar. Linear in its length. */
struct number number_read(const char *token, size_t length);

/* The fewest digits that read back as 'value' (finite, above zero), and among
 * those the nearest; returns how many, with the decimal point at 'ret_point'. */
size_t number_shortest(double value, char digits[static NUMBER_DIGITS_MAX + 1],
		       int *ret_point);

#endif
