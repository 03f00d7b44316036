/* Formats of time: RFC 3339. */
#include "wire/schema_format.h"

struct cursor {
	const char *at, *end;
};

static bool take_char(struct cursor *c, char wanted)
{
	if (c->at == c->end || *c->at != wanted)
		return false;
	c->at++;
	return true;
}

static bool take_any(struct cursor *c, const char *wanted)
{
	if (c->at == c->end || !*c->at || !strchr(wanted, *c->at))
		return false;
	c->at++;
	return true;
}

static bool take_digits(struct cursor *c, unsigned count, unsigned *ret)
{
	*ret = 0;
	for (; count; count--, c->at++) {
		if (c->at == c->end || *c->at < '0' || *c->at > '9')
			return false;
		*ret = *ret * 10 + (unsigned)(*c->at - '0');
	}
	return true;
}

static bool take_all_digits(struct cursor *c)
{
	const char *start = c->at;

	while (c->at < c->end && *c->at >= '0' && *c->at <= '9')
		c->at++;
	return c->at != start;
}

static unsigned days_of_month(unsigned year, unsigned month)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30,
					      31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

static bool take_date(struct cursor *c)
{
	unsigned year, month, day;

	return take_digits(c, 4, &year) && take_char(c, '-') &&
	       take_digits(c, 2, &month) && take_char(c, '-') &&
	       take_digits(c, 2, &day) && month >= 1 && month <= 12 && day >= 1 &&
	       day <= days_of_month(year, month);
}

/* Minutes east of Greenwich. */
static bool take_zone(struct cursor *c, int *ret)
{
	unsigned hours, minutes;

	*ret = 0;
	if (take_any(c, "Zz"))
		return true;

	bool west = take_char(c, '-');

	if (!west && !take_char(c, '+'))
		return false;
	if (!take_digits(c, 2, &hours) || !take_char(c, ':') ||
	    !take_digits(c, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*ret = (int)(hours * 60 + minutes) * (west ? -1 : 1);
	return true;
}

static bool take_time(struct cursor *c)
{
	unsigned hours, minutes, seconds;
	int zone;

	if (!take_digits(c, 2, &hours) || !take_char(c, ':') ||
	    !take_digits(c, 2, &minutes) || !take_char(c, ':') ||
	    !take_digits(c, 2, &seconds) || hours > 23 || minutes > 59 || seconds > 60)
		return false;
	if (take_char(c, '.') && !take_all_digits(c))
		return false;
	if (!take_zone(c, &zone))
		return false;
	if (seconds < 60)
		return true;
	/* Leap seconds end a day in UTC. */
	int utc = ((int)(hours * 60 + minutes) - zone + 2 * 1440) % 1440;

	return utc == 1439;
}

static struct cursor cursor_over(const char *text, size_t length)
{
	return (struct cursor){ text, text + length };
}

bool format_is_date(const char *text, size_t length)
{
	struct cursor c = cursor_over(text, length);

	return take_date(&c) && c.at == c.end;
}

bool format_is_time(const char *text, size_t length)
{
	struct cursor c = cursor_over(text, length);

	return take_time(&c) && c.at == c.end;
}

bool format_is_date_time(const char *text, size_t length)
{
	struct cursor c = cursor_over(text, length);

	return take_date(&c) && take_any(&c, "Tt") && take_time(&c) && c.at == c.end;
}

/* Numbers with these units, in this order and without a gap: "1Y2M" or "3D" of "YMD". */
static bool take_units(struct cursor *c, const char *units, bool *ret_any)
{
	const char *next = NULL;

	*ret_any = false;
	while (c->at < c->end && *c->at >= '0' && *c->at <= '9') {
		(void)take_all_digits(c);
		if (c->at == c->end || !*c->at)
			return false;

		const char *unit = strchr(next ? next : units, *c->at);

		if (!unit || (next && unit != next))
			return false;
		c->at++;
		next = unit + 1;
		*ret_any = true;
	}
	return true;
}

/* RFC 3339, appendix A: years need not months, but days after years do. */
bool format_is_duration(const char *text, size_t length)
{
	struct cursor c = cursor_over(text, length), weeks = c;
	bool days = false, time = false;

	if (take_char(&weeks, 'P') && take_all_digits(&weeks) && take_char(&weeks, 'W'))
		return weeks.at == weeks.end;
	if (!take_char(&c, 'P') || !take_units(&c, "YMD", &days))
		return false;
	if (take_char(&c, 'T') && (!take_units(&c, "HMS", &time) || !time))
		return false;
	return (days || time) && c.at == c.end;
}
