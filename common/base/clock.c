#include "base/clock.h"

#include <string.h>
#include <time.h>

enum { MS = 1000, MINUTE_S = 60, HOUR_S = 3600, DAY_S = 86400 };

/* 9999-12-31T23:59:59.999Z */
static const int64_t wall_max_ms = INT64_C(253402300799999);

static int64_t read_clock(clockid_t id)
{
	struct timespec now;

	if (clock_gettime(id, &now) != 0)
		abort(); /* impossible with these ids */
	return (int64_t)now.tv_sec * MS + now.tv_nsec / 1000000;
}

int64_t clock_wall_ms(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t clock_mono_ms(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

/*
 * Days since 1970-01-01 from and to the Gregorian calendar, by counting from a
 * March that begins a cycle of 400 years. Without gmtime_r, which takes a lock.
 */
static int64_t days_of_date(int64_t year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = y / 400;
	int64_t year_of_era = y % 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - 719468;
}

struct date {
	unsigned year, month, day;
};

static struct date date_of_days(int64_t days)
{
	int64_t z = days + 719468;
	int64_t era = z / 146097;
	int64_t doe = z % 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	int64_t month = mp < 10 ? mp + 3 : mp - 9;

	return (struct date){
		.year = (unsigned)(yoe + era * 400 + (month <= 2)),
		.month = (unsigned)month,
		.day = (unsigned)(doy - (153 * mp + 2) / 5 + 1),
	};
}

static void put_digits(char *to, int count, unsigned value)
{
	for (int i = count - 1; i >= 0; i--) {
		to[i] = (char)('0' + value % 10);
		value /= 10;
	}
}

static size_t format_seconds(int64_t wall_ms, char *text)
{
	static const char shape[] = "0000-00-00T00:00:00";
	int64_t seconds = wall_ms / MS;
	struct date date = date_of_days(seconds / DAY_S);
	unsigned second = (unsigned)(seconds % DAY_S);

	memcpy(text, shape, sizeof shape);
	put_digits(text, 4, date.year);
	put_digits(text + 5, 2, date.month);
	put_digits(text + 8, 2, date.day);
	put_digits(text + 11, 2, second / HOUR_S);
	put_digits(text + 14, 2, second / MINUTE_S % 60);
	put_digits(text + 17, 2, second % 60);
	return sizeof shape - 1;
}

static int64_t clamp(int64_t wall_ms)
{
	return wall_ms < 0 ? 0 : wall_ms > wall_max_ms ? wall_max_ms : wall_ms;
}

const char *clock_format(int64_t wall_ms, char text[static CLOCK_TEXT_BYTES])
{
	size_t at = format_seconds(clamp(wall_ms), text);

	text[at] = 'Z';
	text[at + 1] = '\0';
	return text;
}

const char *clock_format_ms(int64_t wall_ms, char text[static CLOCK_TEXT_BYTES])
{
	int64_t ms = clamp(wall_ms);
	size_t at = format_seconds(ms, text);

	text[at] = '.';
	put_digits(text + at + 1, 3, (unsigned)(ms % MS));
	text[at + 4] = 'Z';
	text[at + 5] = '\0';
	return text;
}

/* Exactly 'count' digits at *text, which is moved past them; -1 if they are not there. */
static int take_digits(const char **text, int count)
{
	int value = 0;

	for (int i = 0; i < count; i++, (*text)++) {
		if (**text < '0' || **text > '9')
			return -1;
		value = value * 10 + (**text - '0');
	}
	return value;
}

static bool take_char(const char **text, char wanted)
{
	if (**text != wanted)
		return false;
	(*text)++;
	return true;
}

static int days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

static bool take_date(const char **p, int64_t *ret_days)
{
	int year = take_digits(p, 4);
	if (year < 0 || !take_char(p, '-'))
		return false;
	int month = take_digits(p, 2);
	if (month < 1 || month > 12 || !take_char(p, '-'))
		return false;
	int day = take_digits(p, 2);
	if (day < 1 || day > days_in_month(year, month))
		return false;
	*ret_days = days_of_date(year, month, day);
	return true;
}

/* The time of day; whether a second of 60 may be is judged by who knows the zone. */
static bool take_time(const char **p, int64_t *ret_s, int64_t *ret_ms, bool *ret_leap)
{
	int hour = take_digits(p, 2);
	if (hour < 0 || hour > 23 || !take_char(p, ':'))
		return false;
	int minute = take_digits(p, 2);
	if (minute < 0 || minute > 59 || !take_char(p, ':'))
		return false;
	int second = take_digits(p, 2);
	if (second < 0 || second > 60)
		return false;
	int64_t ms = 0;
	if (take_char(p, '.')) {
		int scale = 100;
		if (**p < '0' || **p > '9')
			return false;
		for (; **p >= '0' && **p <= '9'; (*p)++, scale /= 10)
			ms += (**p - '0') * scale;
	}
	*ret_s = hour * HOUR_S + minute * MINUTE_S + second;
	*ret_ms = ms;
	*ret_leap = second == 60;
	return true;
}

static bool take_zone(const char **p, int64_t *ret_offset_s)
{
	if (take_char(p, 'Z') || take_char(p, 'z')) {
		*ret_offset_s = 0;
		return true;
	}
	int sign = take_char(p, '+') ? 1 : take_char(p, '-') ? -1 : 0;
	if (!sign)
		return false;
	int hour = take_digits(p, 2);
	if (hour < 0 || hour > 23 || !take_char(p, ':'))
		return false;
	int minute = take_digits(p, 2);
	if (minute < 0 || minute > 59)
		return false;
	*ret_offset_s = sign * (hour * HOUR_S + minute * MINUTE_S);
	return true;
}

static bool parse_rfc3339(const char *p, int64_t *ret_wall_ms)
{
	int64_t days, second_of_day, ms, offset_s;
	bool leap;

	if (!take_date(&p, &days) || !(take_char(&p, 'T') || take_char(&p, 't')) ||
	    !take_time(&p, &second_of_day, &ms, &leap))
		return false;
	if (!take_zone(&p, &offset_s) || *p)
		return false;
	/* Leap seconds end a day of UTC; they count as the first second of the next. */
	if (leap && (second_of_day - offset_s) % DAY_S != 0)
		return false;
	int64_t wall_ms = (days * DAY_S + second_of_day - offset_s) * MS + ms;
	if (wall_ms < 0 || wall_ms > wall_max_ms)
		return false;
	*ret_wall_ms = wall_ms;
	return true;
}

bool clock_parse(const char *text, int64_t *ret_wall_ms, struct error *err)
{
	if (!parse_rfc3339(text, ret_wall_ms))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "'%.40s' is no time like 2026-11-22T10:00:00Z", text);
	return true;
}

bool clock_parse_duration(const char *text, int64_t *ret_ms, struct error *err)
{
	static const int64_t duration_max_s = INT64_C(3650) * DAY_S;
	const char *p = text;
	int64_t count = 0;

	for (; *p >= '0' && *p <= '9' && count <= duration_max_s; p++)
		count = count * 10 + (*p - '0');
	int64_t unit_s = *p == 'm'   ? MINUTE_S
			 : *p == 'h' ? HOUR_S
			 : *p == 'd' ? DAY_S
				     : 0;
	if (p == text || text[0] == '0' || !unit_s || p[1])
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "'%.40s' is no duration like 30m, 8h or 14d", text);
	if (count > duration_max_s / unit_s)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "duration '%.40s' is longer than 3650 days", text);
	*ret_ms = count * unit_s * MS;
	return true;
}

const char *clock_relative(int64_t wall_ms, int64_t now_ms,
			   char text[static CLOCK_TEXT_BYTES])
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = { { DAY_S, "day" },
		      { HOUR_S, "hour" },
		      { MINUTE_S, "minute" },
		      { 1, "second" } };
	int64_t distance_ms = clamp(wall_ms) - clamp(now_ms);
	bool future = distance_ms > 0;
	/* To the nearest second, or ten minutes would read as nine a moment later. */
	int64_t left = ((future ? distance_ms : -distance_ms) + MS / 2) / MS;

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (left < units[i].seconds)
			continue;
		int count = (int)(left / units[i].seconds);
		(void)snprintf(text, CLOCK_TEXT_BYTES, "%s%d %s%s%s", future ? "in " : "",
			       count, units[i].name, count == 1 ? "" : "s",
			       future ? "" : " ago");
		return text;
	}
	memcpy(text, "now", sizeof "now");
	return text;
}
