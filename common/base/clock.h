/*
 * clock -- time as int64_t milliseconds, and its text form.
 *
 * clock_wall_ms for records, clock_mono_ms for durations; never mix them.
 * Functions elsewhere that judge by time take 'now_ms', so tests need no sleep.
 * Text is RFC 3339 in UTC ("2026-11-22T10:00:00Z", with ".123" where there are
 * milliseconds); durations are "<n>m", "<n>h", "<n>d" ("30m", "8h", "14d").
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/error.h"

enum { CLOCK_TEXT_BYTES = 32 };

int64_t clock_wall_ms(void);
int64_t clock_mono_ms(void);

/* Whole seconds: "2026-11-22T10:00:00Z". 'text' is filled and returned. */
const char *clock_format(int64_t wall_ms, char text[static CLOCK_TEXT_BYTES]);
/* With milliseconds: "2026-11-22T10:00:00.123Z". Both clamp to 1970..9999. */
const char *clock_format_ms(int64_t wall_ms, char text[static CLOCK_TEXT_BYTES]);

/* RFC 3339 with any zone; years 1970 to 9999. ERR_INVALID_ARGUMENT otherwise. */
bool clock_parse(const char *text, int64_t *ret_wall_ms, struct error *err);

/* "30m" to milliseconds; no zero, no leading zero, at most 3650 days. ERR_INVALID_ARGUMENT otherwise. */
bool clock_parse_duration(const char *text, int64_t *ret_ms, struct error *err);

/* "in 4 minutes", "3 hours ago", for people; English, one unit. */
const char *clock_relative(int64_t wall_ms, int64_t now_ms,
			   char text[static CLOCK_TEXT_BYTES]);

#endif
