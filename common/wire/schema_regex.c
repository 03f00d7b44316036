#include "wire/schema_regex.h"

#include <stdatomic.h>

#include <unicode/uregex.h>
#include <unicode/ustring.h>

#include "wire/schema.h"
#include "wire/schema_pattern.h"
#include "wire/schema_plain.h"

enum {
	IDLE_MAX = 4,
	TIME_LIMIT = 400,              /* engine units of 10,000 steps: some 50 ms */
	STACK_LIMIT = 8 * 1024 * 1024, /* bytes for backtracking */
	KEEP_TEXT_MAX = 16 * 1024, /* a longer text may have left a big stack behind */
	SHORT_TEXT = 256,
};

struct regex {
	struct plain *plain;          /* or NULL, and then: */
	URegularExpression *original; /* is only cloned */
	/* Exchanged, never locked: whoever finds a slot empty makes a clone. */
	_Atomic(URegularExpression *) *idle;
};

static UChar *to_utf16(const char *text, size_t length, UChar *few, int32_t few_count,
		       int32_t *ret_length)
{
	UErrorCode status = U_ZERO_ERROR;
	UChar *units = few;

	/* As many UTF-16 units as UTF-8 bytes always suffice; ICU wants no NUL then. */
	if (!few || length > (size_t)few_count) {
		units = malloc((length + 1) * sizeof *units);
		if (!units)
			return NULL;
		few_count = (int32_t)length + 1;
	}
	u_strFromUTF8(units, few_count, ret_length, text, (int32_t)length, &status);
	if (U_FAILURE(status)) {
		if (units != few)
			free(units);
		return NULL;
	}
	return units;
}

static URegularExpression *open_pattern(const struct strbuf *translated,
					struct error *err)
{
	UErrorCode status = U_ZERO_ERROR;
	UParseError where;
	URegularExpression *re = NULL;
	int32_t count;
	UChar *units = to_utf16(translated->data, translated->length, NULL, 0, &count);

	if (!units) {
		error_oom(err);
		return NULL;
	}
	re = uregex_open(units, count, UREGEX_ERROR_ON_UNKNOWN_ESCAPES, &where, &status);
	free(units);
	if (U_SUCCESS(status)) {
		uregex_setTimeLimit(re, TIME_LIMIT, &status);
		uregex_setStackLimit(re, STACK_LIMIT, &status);
	}
	if (U_FAILURE(status)) {
		error_set(err, ERR_INVALID_ARGUMENT, "is no regular expression: %s",
			  u_errorName(status));
		if (re)
			uregex_close(re);
		return NULL;
	}
	return re;
}

struct regex *regex_new(const char *pattern, size_t length, struct error *err)
{
	_cleanup_strbuf_ struct strbuf translated = STRBUF_INIT;
	_cleanup_(regex_freep) struct regex *regex = NULL;
	struct error why = ERROR_INIT;

	if (length > SCHEMA_PATTERN_MAX) {
		error_set(err, ERR_INVALID_ARGUMENT, "is longer than %d bytes",
			  SCHEMA_PATTERN_MAX);
		return NULL;
	}
	regex = calloc(1, sizeof *regex);
	if (!regex) {
		error_oom(err);
		return NULL;
	}
	regex->plain = plain_new(pattern, length);
	if (regex->plain)
		return TAKE(regex);
	if (!pattern_translate(&translated, pattern, length, &why)) {
		error_set(err, why.code, "is no regular expression: %s", why.message);
		return NULL;
	}
	regex->idle = calloc(IDLE_MAX, sizeof *regex->idle);
	if (!regex->idle) {
		error_oom(err);
		return NULL;
	}
	regex->original = open_pattern(&translated, err);
	return regex->original ? TAKE(regex) : NULL;
}

void regex_free(struct regex *regex)
{
	if (!regex)
		return;
	for (size_t i = 0; regex->idle && i < IDLE_MAX; i++) {
		URegularExpression *re = atomic_load(&regex->idle[i]);

		if (re)
			uregex_close(re);
	}
	if (regex->original)
		uregex_close(regex->original);
	plain_free(regex->plain);
	free(regex->idle);
	free(regex);
}

bool regex_needs_icu(const struct regex *regex)
{
	return !regex->plain;
}

static URegularExpression *borrow(const struct regex *regex)
{
	UErrorCode status = U_ZERO_ERROR;
	URegularExpression *re;

	for (size_t i = 0; i < IDLE_MAX; i++) {
		re = atomic_exchange(&regex->idle[i], NULL);
		if (re)
			return re;
	}
	re = uregex_clone(regex->original, &status);
	if (U_FAILURE(status))
		return NULL;
	/* A clone takes the limits of the default, not of the original. */
	uregex_setTimeLimit(re, TIME_LIMIT, &status);
	uregex_setStackLimit(re, STACK_LIMIT, &status);
	return re;
}

static void give_back(const struct regex *regex, URegularExpression *re)
{
	for (size_t i = 0; i < IDLE_MAX; i++) {
		URegularExpression *none = NULL;

		if (atomic_compare_exchange_strong(&regex->idle[i], &none, re))
			return;
	}
	uregex_close(re);
}

static enum regex_result search(URegularExpression *re, const UChar *text, int32_t length)
{
	UErrorCode status = U_ZERO_ERROR;
	UBool found;

	uregex_setText(re, text, length, &status);
	found = uregex_find(re, 0, &status);
	if (status == U_MEMORY_ALLOCATION_ERROR)
		return REGEX_NO_MEMORY;
	if (U_FAILURE(status))
		return REGEX_TOO_COMPLEX;
	return found ? REGEX_FOUND : REGEX_NOT_FOUND;
}

enum regex_result regex_search(const struct regex *regex, const char *text, size_t length)
{
	UChar few[SHORT_TEXT];
	int32_t count;

	if (length > SCHEMA_PATTERN_TEXT_MAX)
		return REGEX_TOO_COMPLEX;
	if (regex->plain)
		return plain_matches(regex->plain, text, length) ? REGEX_FOUND
								 : REGEX_NOT_FOUND;

	UChar *units = to_utf16(text, length, few, SHORT_TEXT, &count);
	URegularExpression *re = units ? borrow(regex) : NULL;
	enum regex_result result = REGEX_NO_MEMORY;

	if (re)
		result = search(re, units, count);
	if (re && result <= REGEX_NOT_FOUND && length <= KEEP_TEXT_MAX)
		give_back(regex, re);
	else if (re)
		uregex_close(re);
	if (units != few)
		free(units);
	return result;
}
