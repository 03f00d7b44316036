/*
 * canonical -- the one byte form of a JSON value: RFC 8785 (JCS).
 *
 * What is shown, digested, signed, sent and parsed again by a handler is these
 * bytes. Members are ordered by UTF-16 code units, numbers are written as
 * ECMAScript does (shortest form that reads back the same), no white space.
 */
#ifndef BASE_CANONICAL_H
#define BASE_CANONICAL_H

#include "base/digest.h"
#include "base/json.h"

/* Append the canonical bytes of 'value'. json_integers beyond +-(2^53-1), NaN,
 * infinities and too much depth are ERR_INVALID_ARGUMENT, and 'sb' is as before. */
bool canonical_write(struct strbuf *sb, const json_t *value, struct error *err);

/* ECMAScript's text of a finite double, at most CANONICAL_NUMBER_BYTES with the NUL. */
enum { CANONICAL_NUMBER_BYTES = 32 };
size_t canonical_number(double value, char text[static CANONICAL_NUMBER_BYTES]);

/* SHA-256 of the canonical bytes, as 64 lower-case hex digits. */
bool canonical_digest(const json_t *value, char ret_hex[static DIGEST_HEX_BYTES],
		      struct error *err);

/* Whether 'text' is a JSON_CONTRACT value written canonically, to the byte. */
bool canonical_is(const char *text, size_t length);

#endif
