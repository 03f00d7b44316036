#include "base/number.h"

#include <errno.h>
#include <float.h>
#include <math.h>

/* A double's midpoint has at most 767 significant digits: beyond them it only
 * matters whether anything but zeros follows. */
enum { SIGNIFICANT_MAX = 800, POINT_MAX = 400 };

struct decimal {
	char digits[SIGNIFICANT_MAX + 2]; /* one more for what was cut, and a NUL */
	size_t count;
	int64_t point;
	bool cut; /* digits beyond SIGNIFICANT_MAX were not all zero */
};

static void add_digit(struct decimal *d, char c)
{
	if (d->count == 0 && c == '0')
		return;
	if (d->count < SIGNIFICANT_MAX)
		d->digits[d->count] = c;
	else if (c != '0')
		d->cut = true;
	d->count++;
}

static int64_t read_exponent(const char *p, const char *end)
{
	/* More than any digits of a text can make up for, less than overflows. */
	static const int64_t limit = INT64_C(1) << 40;
	bool negative = *p == '-';
	int64_t value = 0;

	if (*p == '-' || *p == '+')
		p++;
	for (; p < end && value < limit; p++)
		value = value * 10 + (*p - '0');
	return negative ? -value : value;
}

static void normalise(struct decimal *d)
{
	if (d->count > SIGNIFICANT_MAX)
		d->count = SIGNIFICANT_MAX;
	if (d->cut)
		d->digits[d->count++] = '1';
	while (d->count > 0 && d->digits[d->count - 1] == '0')
		d->count--;
	d->digits[d->count] = '\0';
}

/* Sets the digits and returns whether the token has neither fraction nor exponent. */
static bool read_decimal(const char *p, const char *end, struct decimal *d)
{
	int64_t leading_zeros = 0, whole = 0;
	bool fraction = false, exponent = false;

	d->count = 0;
	d->cut = false;
	for (; p < end; p++) {
		if (*p == '.') {
			fraction = true;
			whole = (int64_t)d->count;
			continue;
		}
		if (*p == 'e' || *p == 'E') {
			exponent = true;
			break;
		}
		if (fraction && d->count == 0 && *p == '0')
			leading_zeros++;
		add_digit(d, *p);
	}
	d->point = fraction ? whole - leading_zeros : (int64_t)d->count;
	if (exponent)
		d->point += read_exponent(p + 1, end);
	normalise(d);
	return !fraction && !exponent;
}

/* Digits and an exponent without a decimal point read the same in every locale. */
static double nearest_double(const char *digits, size_t count, int64_t point)
{
	static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
					 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
					 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
	int64_t exponent = point - (int64_t)count;
	char text[SIGNIFICANT_MAX + 32];

	if (count == 0 || point < -POINT_MAX)
		return 0;
	if (point > POINT_MAX)
		return HUGE_VAL;
	if (count <= 15 && exponent >= -22 && exponent <= 22) {
		/* Both operands are exact, so the one operation rounds correctly. */
		double value = 0;
		for (size_t i = 0; i < count; i++)
			value = value * 10 + (digits[i] - '0');
		return exponent < 0 ? value / powers[-exponent]
				    : value * powers[exponent];
	}
	(void)snprintf(text, sizeof text, "%.*se%d", (int)count, digits, (int)exponent);
	return strtod(text, NULL);
}

static bool is_shortest(const struct decimal *d, double value)
{
	char digits[NUMBER_DIGITS_MAX + 1];
	int point;

	if (d->count == 0)
		return true;
	if (value == 0 || isinf(value) || d->count > NUMBER_DIGITS_MAX)
		return false;
	/* DBL_DIG digits survive the way to a normal double and back. */
	if (d->count <= DBL_DIG && value >= DBL_MIN)
		return true;
	size_t count = number_shortest(value, digits, &point);
	return count == d->count && point == d->point &&
	       memcmp(digits, d->digits, count) == 0;
}

static bool read_int64(const char *p, const char *end, bool negative, int64_t *ret)
{
	uint64_t value = 0;

	for (; p < end; p++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			return false;
	}
	if (value > (uint64_t)INT64_MAX + negative)
		return false;
	*ret = negative ? (int64_t)(0 - value) : (int64_t)value;
	return true;
}

/* Short plain integers, nearly all there are, need no decimal. */
static bool read_short_integer(const char *p, const char *end, bool negative,
			       struct number *n)
{
	int64_t value = 0;

	if (end - p > 15)
		return false;
	for (; p < end; p++) {
		if (*p < '0' || *p > '9')
			return false;
		value = value * 10 + (*p - '0');
	}
	n->integer = negative ? -value : value;
	n->value = (double)n->integer;
	n->is_integer = n->is_int64 = n->is_exact = true;
	return true;
}

struct number number_read(const char *token, size_t length)
{
	const char *end = token + length;
	bool negative = *token == '-';
	const char *p = token + negative;
	struct number n = { 0 };
	struct decimal d;

	if (read_short_integer(p, end, negative, &n))
		return n;
	n.is_integer = read_decimal(p, end, &d);
	if (n.is_integer)
		n.is_int64 = read_int64(p, end, negative, &n.integer);
	double magnitude = nearest_double(d.digits, d.count, d.point);
	n.is_exact = is_shortest(&d, magnitude);
	n.value = negative ? -magnitude : magnitude;
	return n;
}

/* 'digits' gets the 'count' digits nearest to 'value', without zeros at the end. */
static size_t round_digits(double value, int count, char *digits, int *ret_point)
{
	char text[NUMBER_DIGITS_MAX + 16];
	size_t n = 0;
	const char *p;

	(void)snprintf(text, sizeof text, "%.*e", count - 1, value);
	for (p = text; *p != 'e'; p++)
		if (*p >= '0' && *p <= '9')
			digits[n++] = *p;
	*ret_point = (int)strtol(p + 1, NULL, 10) + 1;
	while (n > 1 && digits[n - 1] == '0')
		n--;
	digits[n] = '\0';
	return n;
}

static bool reads_back(double value, const char *digits, size_t count, int point)
{
	return nearest_double(digits, count, point) == value;
}

/*
 * Just above a power of two the doubles lie twice as far apart as below it. There
 * the nearest 16 digits may lie too far below and not read back, while the next
 * ones above, which are farther, do. A '9' at the end would carry into 15 digits,
 * which were tried before.
 */
static bool next_above(char *digits, size_t count, double value, int point)
{
	for (; count < 16; count++)
		digits[count] = '0';
	if (digits[15] == '9')
		return false;
	digits[15]++;
	digits[16] = '\0';
	return reads_back(value, digits, 16, point);
}

size_t number_shortest(double value, char digits[static NUMBER_DIGITS_MAX + 1],
		       int *ret_point)
{
	/* In a normal double 15 digits always are the nearest; below, count up. */
	int first = value < DBL_MIN ? 1 : DBL_DIG;
	int point = 0;

	for (int count = first; count < NUMBER_DIGITS_MAX; count++) {
		size_t n = round_digits(value, count, digits, &point);
		*ret_point = point;
		if (reads_back(value, digits, n, point))
			return n;
		if (count == 16 && next_above(digits, n, value, point))
			return 16;
	}
	return round_digits(value, NUMBER_DIGITS_MAX, digits, ret_point);
}
