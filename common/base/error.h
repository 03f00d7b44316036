/*
 * error -- why something failed, for the layer that knows what to do about it.
 *
 * A struct error belongs to the caller, has a fixed size and never allocates.
 * Codes are those of the tool catalogue; one table gives each its name and
 * whether repeating can help. The first error wins: setting one that is set is
 * ignored, so a cleanup that fails does not hide the cause. Functions that can
 * fail return bool or a pointer and take 'struct error *err' last; 'err' may not be NULL.
 *
 * 'message' is a sentence for people (lower case, no full stop), 'hint' says
 * what to do about it, 'cause' is for logs alone and is never sent to a caller.
 * None of them may hold a secret.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/cleanup.h"

enum error_code {
	ERR_NONE = 0,
	ERR_INVALID_ARGUMENT,
	ERR_NOT_FOUND,
	ERR_AMBIGUOUS,
	ERR_PERMISSION_DENIED,
	ERR_PROTECTED,
	ERR_CONFLICT,
	ERR_PRECONDITION_FAILED,
	ERR_RATE_LIMITED,
	ERR_BACKEND_UNAVAILABLE,
	ERR_TIMEOUT,
	ERR_APPROVAL_REQUIRED,
	ERR_APPROVAL_INVALID,
	ERR_UNKNOWN_OUTCOME,
	ERR_INTERNAL, /* our own fault, or the machine's: disk, memory, configuration */
	ERR_CODE_COUNT
};

struct error {
	enum error_code code;
	char message[320];
	char hint[240];
	char cause[240];
};

#define ERROR_INIT                                                                       \
	{                                                                                \
		.code = ERR_NONE                                                         \
	}

/* Set code and message unless an error is set already. Returns false, so that
 * 'return error_set(err, ...)' reads as the failure it is. */
bool error_set(struct error *err, enum error_code code, const char *format, ...)
	_printf_(3, 4);

/* Add to the error that is set; a second hint or cause is ignored. Both return false. */
bool error_hint(struct error *err, const char *format, ...) _printf_(2, 3);
bool error_cause(struct error *err, const char *format, ...) _printf_(2, 3);

/* ERR_INTERNAL with strerror(errno) appended: "cannot open 'x': No such file...". */
bool error_errno(struct error *err, const char *format, ...) _printf_(2, 3);

/* ERR_INTERNAL "out of memory". Returns false. */
bool error_oom(struct error *err);

/* Forget what is set, to use the struct again. */
void error_clear(struct error *err);

static inline bool error_is_set(const struct error *err)
{
	return err->code != ERR_NONE;
}

/* The name on the wire ("not_found"), and back; ERR_NONE for an unknown name.
 * ERR_INTERNAL is named "internal". */
const char *error_name(enum error_code code);
enum error_code error_from_name(const char *name);

/* Whether the very same request may succeed later without anybody changing it. */
bool error_retryable(enum error_code code);

#endif
