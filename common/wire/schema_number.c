#include "wire/schema_number.h"

#include <inttypes.h>
#include <math.h>

#include "base/canonical.h"
#include "wire/schema_table.h"

__extension__ typedef unsigned __int128 wide;

/* The first double above every int64; its negative is the least int64. */
#define TWO_TO_63 9223372036854775808.0

static int compare_mixed(json_int_t integer, double real)
{
	if (real >= TWO_TO_63)
		return -1;
	if (real < -TWO_TO_63)
		return 1;

	double whole = trunc(real);
	json_int_t truncated = (json_int_t)whole;

	if (integer != truncated)
		return integer < truncated ? -1 : 1;
	return (real < whole) - (real > whole);
}

int number_compare(const json_t *a, const json_t *b)
{
	if (json_is_integer(a) && json_is_integer(b)) {
		json_int_t x = json_integer_value(a), y = json_integer_value(b);

		return (x > y) - (x < y);
	}
	if (json_is_integer(a))
		return compare_mixed(json_integer_value(a), json_real_value(b));
	if (json_is_integer(b))
		return -compare_mixed(json_integer_value(b), json_real_value(a));

	double x = json_real_value(a), y = json_real_value(b);

	return (x > y) - (x < y);
}

bool number_is_integer(const json_t *number)
{
	double real;

	if (json_is_integer(number))
		return true;
	real = json_real_value(number);
	return isfinite(real) && real == trunc(real);
}

bool number_to_size(const json_t *number, size_t *ret_size)
{
	if (!json_is_number(number) || !number_is_integer(number))
		return false;
	if (json_is_integer(number)) {
		if (json_integer_value(number) < 0)
			return false;
		*ret_size = (size_t)json_integer_value(number);
		return true;
	}
	if (json_real_value(number) < 0)
		return false;
	*ret_size = json_real_value(number) >= TWO_TO_63
			    ? SIZE_MAX
			    : (size_t)json_real_value(number);
	return true;
}

/* The shortest decimal that reads back as this double: what was written, for up to 15 digits. */
static struct decimal decimal_from_real(double real)
{
	char text[CANONICAL_NUMBER_BYTES];
	struct decimal d = { 0, 0 };
	bool fraction = false;

	canonical_number(real, text);
	for (const char *p = text; *p; p++) {
		if (*p == 'e') {
			d.exponent += (int)strtol(p + 1, NULL, 10);
			break;
		}
		if (*p == '.') {
			fraction = true;
		} else if (*p >= '0' && *p <= '9') {
			/* Up to 21 digits are written out; those past 17 are zeros. */
			if (d.digits > UINT64_MAX / 10 - 1) {
				d.exponent += fraction ? 0 : 1;
				continue;
			}
			d.digits = d.digits * 10 + (uint64_t)(*p - '0');
			d.exponent -= fraction ? 1 : 0;
		}
	}
	return d;
}

struct decimal number_decimal(const json_t *number)
{
	struct decimal d = { 0, 0 };

	if (json_is_integer(number)) {
		json_int_t value = json_integer_value(number);

		d.digits = value < 0 ? -(uint64_t)value : (uint64_t)value;
	} else if (isfinite(json_real_value(number))) {
		d = decimal_from_real(json_real_value(number));
	}
	while (d.digits && d.digits % 10 == 0) {
		d.digits /= 10;
		d.exponent++;
	}
	return d;
}

static uint64_t power_of_ten_modulo(unsigned exponent, uint64_t modulus)
{
	uint64_t power = 1 % modulus, base = 10 % modulus;

	for (; exponent; exponent >>= 1) {
		if (exponent & 1)
			power = (uint64_t)((wide)power * base % modulus);
		base = (uint64_t)((wide)base * base % modulus);
	}
	return power;
}

bool decimal_is_multiple(struct decimal number, struct decimal divisor)
{
	int shift = number.exponent - divisor.exponent;

	if (number.digits == 0)
		return true;
	if (shift >= 0) {
		uint64_t power = power_of_ten_modulo((unsigned)shift, divisor.digits);

		return (wide)(number.digits % divisor.digits) * power % divisor.digits ==
		       0;
	}
	/* 20 digits can hold no more than 19 factors of ten. */
	if (shift < -19)
		return false;

	wide scaled = divisor.digits;

	/* Below 2^64 * 10^19 < 2^128. */
	for (; shift < 0; shift++)
		scaled *= 10;
	return number.digits % scaled == 0;
}

uint64_t number_hash(const json_t *number, uint64_t seed)
{
	uint64_t bits;

	if (json_is_integer(number)) {
		bits = (uint64_t)json_integer_value(number);
	} else {
		double real = json_real_value(number);

		if (real == trunc(real) && real >= -TWO_TO_63 && real < TWO_TO_63)
			bits = (uint64_t)(json_int_t)real;
		else
			memcpy(&bits, &real, sizeof bits);
	}
	return table_mix(bits ^ seed, UINT64_C(0x9e3779b97f4a7c15));
}

const char *number_text(const json_t *number, char text[static NUMBER_TEXT_BYTES])
{
	if (json_is_integer(number))
		(void)snprintf(text, NUMBER_TEXT_BYTES, "%" PRId64,
			       (int64_t)json_integer_value(number));
	else
		canonical_number(json_real_value(number), text);
	return text;
}
