/*
 * schema_format -- the formats of draft 2020-12, judged to the letter.
 *
 * A row is a name, a predicate over UTF-8 text and what to tell people. Private
 * to the schema files.
 */
#ifndef WIRE_SCHEMA_FORMAT_H
#define WIRE_SCHEMA_FORMAT_H

#include "base/cleanup.h"

struct format {
	const char *name;
	bool (*is_valid)(const char *text, size_t length);
	const char *description; /* "a date such as 2026-11-22" */
};

/* NULL for a name that is not of the draft. */
const struct format *format_find(const char *name);

bool format_is_date(const char *text, size_t length);
bool format_is_time(const char *text, size_t length);
bool format_is_date_time(const char *text, size_t length);
bool format_is_duration(const char *text, size_t length);
bool format_is_hostname(const char *text, size_t length);
bool format_is_idn_hostname(const char *text, size_t length);
bool format_is_email(const char *text, size_t length);
bool format_is_idn_email(const char *text, size_t length);
bool format_is_ipv4(const char *text, size_t length);
bool format_is_ipv6(const char *text, size_t length);

#endif
