#include "wire/schema_format.h"

#include "wire/schema_regex.h"
#include "wire/schema_uri.h"

static bool is_uri(const char *text, size_t length)
{
	return uri_is_valid(text, length, URI_ABSOLUTE);
}

static bool is_uri_reference(const char *text, size_t length)
{
	return uri_is_valid(text, length, 0);
}

static bool is_iri(const char *text, size_t length)
{
	return uri_is_valid(text, length, URI_ABSOLUTE | URI_INTERNATIONAL);
}

static bool is_iri_reference(const char *text, size_t length)
{
	return uri_is_valid(text, length, URI_INTERNATIONAL);
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* RFC 4122; any version, either case. */
static bool is_uuid(const char *text, size_t length)
{
	if (length != 36)
		return false;
	for (size_t i = 0; i < length; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !is_hex(text[i]))
			return false;
	}
	return true;
}

/* RFC 6901. */
static bool is_json_pointer(const char *text, size_t length)
{
	if (length && text[0] != '/')
		return false;
	for (size_t i = 0; i < length; i++)
		if (text[i] == '~' &&
		    (i + 1 == length || (text[i + 1] != '0' && text[i + 1] != '1')))
			return false;
	return true;
}

static bool is_relative_json_pointer(const char *text, size_t length)
{
	size_t n = 0;

	while (n < length && text[n] >= '0' && text[n] <= '9')
		n++;
	if (n == 0 || (n > 1 && text[0] == '0'))
		return false;
	if (n + 1 == length && text[n] == '#')
		return true;
	return is_json_pointer(text + n, length - n);
}

/* Bytes of one character of a variable's name; an escape has three. */
static size_t variable_char(const char *text, size_t length)
{
	if (length == 0)
		return 0;
	if (text[0] == '%')
		return length >= 3 && is_hex(text[1]) && is_hex(text[2]) ? 3 : 0;
	return is_hex(text[0]) || (text[0] >= 'g' && text[0] <= 'z') ||
	       (text[0] >= 'G' && text[0] <= 'Z') || text[0] == '_';
}

/* "name", "na.me", "name*" or "name:30"; 0 when there is none. */
static size_t variable_length(const char *text, size_t length)
{
	size_t n = 0, step, digits;

	while ((step = variable_char(text + n, length - n)) != 0) {
		n += step;
		if (n + 1 < length && text[n] == '.' &&
		    variable_char(text + n + 1, length - n - 1))
			n++;
	}
	if (n == 0 || n == length)
		return n;
	if (text[n] == '*')
		return n + 1;
	if (text[n] != ':')
		return n;
	for (digits = 0; n + 1 + digits < length; digits++)
		if (text[n + 1 + digits] < '0' || text[n + 1 + digits] > '9')
			break;
	return digits && digits <= 4 && text[n + 1] != '0' ? n + 1 + digits : 0;
}

static bool is_variable_list(const char *text, size_t length)
{
	size_t at = length && text[0] && strchr("+#./;?&=,!@|", text[0]) ? 1 : 0;

	while (true) {
		size_t n = variable_length(text + at, length - at);

		at += n;
		if (n == 0 || at == length)
			return n > 0;
		if (text[at++] != ',')
			return false;
	}
}

/* RFC 6570. */
static bool is_uri_template(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '{') {
			const char *end = memchr(text + i, '}', length - i);
			size_t n = end ? (size_t)(end - text) - i - 1 : 0;

			if (!end || !is_variable_list(text + i + 1, n))
				return false;
			i += n + 1;
		} else if (c == '%') {
			if (length - i < 3 || !is_hex(text[i + 1]) ||
			    !is_hex(text[i + 2]))
				return false;
			i += 2;
		} else if (c <= ' ' || c == 0x7F || strchr("\"<>\\^`|}", c)) {
			return false;
		}
	}
	return true;
}

static bool is_regex(const char *text, size_t length)
{
	struct error err = ERROR_INIT;
	_cleanup_(regex_freep) struct regex *regex = regex_new(text, length, &err);

	return regex != NULL;
}

static const struct format formats[] = {
	{ "date", format_is_date, "a date such as 2026-11-22" },
	{ "date-time", format_is_date_time, "a time such as 2026-11-22T10:00:00Z" },
	{ "duration", format_is_duration, "a duration such as P1DT12H" },
	{ "email", format_is_email, "an e-mail address" },
	{ "hostname", format_is_hostname, "a host name" },
	{ "idn-email", format_is_idn_email, "an e-mail address" },
	{ "idn-hostname", format_is_idn_hostname, "a host name" },
	{ "ipv4", format_is_ipv4, "an IPv4 address" },
	{ "ipv6", format_is_ipv6, "an IPv6 address" },
	{ "iri", is_iri, "an IRI" },
	{ "iri-reference", is_iri_reference, "an IRI reference" },
	{ "json-pointer", is_json_pointer, "a JSON Pointer" },
	{ "regex", is_regex, "a regular expression" },
	{ "relative-json-pointer", is_relative_json_pointer, "a relative JSON Pointer" },
	{ "time", format_is_time, "a time such as 10:00:00Z" },
	{ "uri", is_uri, "a URI" },
	{ "uri-reference", is_uri_reference, "a URI reference" },
	{ "uri-template", is_uri_template, "a URI template" },
	{ "uuid", is_uuid, "a UUID" },
};

const struct format *format_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	return NULL;
}
