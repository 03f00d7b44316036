#include "base/error.h"

#include <errno.h>
#include <stdarg.h>

#include "base/utf8.h"

static const struct {
	const char *name;
	bool retryable;
} error_codes[ERR_CODE_COUNT] = {
	[ERR_NONE] = { "none", false },
	[ERR_INVALID_ARGUMENT] = { "invalid_argument", false },
	[ERR_NOT_FOUND] = { "not_found", false },
	[ERR_AMBIGUOUS] = { "ambiguous", false },
	[ERR_PERMISSION_DENIED] = { "permission_denied", false },
	[ERR_PROTECTED] = { "protected", false },
	[ERR_CONFLICT] = { "conflict", false },
	[ERR_PRECONDITION_FAILED] = { "precondition_failed", false },
	[ERR_RATE_LIMITED] = { "rate_limited", true },
	[ERR_BACKEND_UNAVAILABLE] = { "backend_unavailable", true },
	[ERR_TIMEOUT] = { "timeout", true },
	[ERR_APPROVAL_REQUIRED] = { "approval_required", false },
	[ERR_APPROVAL_INVALID] = { "approval_invalid", false },
	[ERR_UNKNOWN_OUTCOME] = { "unknown_outcome", false },
	[ERR_INTERNAL] = { "internal", false },
};

/*
 * Messages quote what strangers sent and are cut to fit; they end up in JSON and
 * must be UTF-8 for that. What is not becomes '?', a cut character at the end goes.
 */
static void scrub(char *text, bool cut)
{
	size_t length = strlen(text);
	uint32_t c;

	for (size_t at = 0, size; at < length; at += size) {
		size = utf8_next(text + at, length - at, &c);
		if (size)
			continue;
		size = 1;
		if (cut && length - at < 4)
			length = at;
		else
			text[at] = '?';
	}
	text[length] = '\0';
}

_printf_(3, 0) static void fill(char *text, size_t size, const char *format, va_list args)
{
	int n = vsnprintf(text, size, format, args);

	if (n < 0)
		text[0] = '\0';
	else
		scrub(text, (size_t)n >= size);
}

bool error_set(struct error *err, enum error_code code, const char *format, ...)
{
	va_list args;

	if (err->code != ERR_NONE)
		return false;
	err->code = code == ERR_NONE ? ERR_INTERNAL : code;
	err->hint[0] = err->cause[0] = '\0';
	va_start(args, format);
	fill(err->message, sizeof err->message, format, args);
	va_end(args);
	return false;
}

bool error_hint(struct error *err, const char *format, ...)
{
	va_list args;

	if (err->code == ERR_NONE || err->hint[0])
		return false;
	va_start(args, format);
	fill(err->hint, sizeof err->hint, format, args);
	va_end(args);
	return false;
}

bool error_cause(struct error *err, const char *format, ...)
{
	va_list args;

	if (err->code == ERR_NONE || err->cause[0])
		return false;
	va_start(args, format);
	fill(err->cause, sizeof err->cause, format, args);
	va_end(args);
	return false;
}

bool error_errno(struct error *err, const char *format, ...)
{
	int number = errno;
	char what[sizeof err->message];
	char reason[128];
	va_list args;

	va_start(args, format);
	fill(what, sizeof what, format, args);
	va_end(args);
	return error_set(err, ERR_INTERNAL, "%s: %s", what,
			 strerror_r(number, reason, sizeof reason));
}

bool error_oom(struct error *err)
{
	return error_set(err, ERR_INTERNAL, "out of memory");
}

void error_clear(struct error *err)
{
	err->code = ERR_NONE;
	err->message[0] = err->hint[0] = err->cause[0] = '\0';
}

const char *error_name(enum error_code code)
{
	if (code < 0 || code >= ERR_CODE_COUNT)
		return error_codes[ERR_INTERNAL].name;
	return error_codes[code].name;
}

enum error_code error_from_name(const char *name)
{
	for (int code = ERR_NONE + 1; name && code < ERR_CODE_COUNT; code++)
		if (strcmp(name, error_codes[code].name) == 0)
			return (enum error_code)code;
	return ERR_NONE;
}

bool error_retryable(enum error_code code)
{
	return code > ERR_NONE && code < ERR_CODE_COUNT && error_codes[code].retryable;
}
