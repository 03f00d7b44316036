/*
 * schema_pattern -- regular expressions of ECMA-262, said in ICU's words.
 *
 * JSON Schema means ECMA-262 with the "u" flag. ICU reads nearly the same
 * language and means other things by it: its '$' matches before a final line
 * feed, its \d \w \s are Unicode's, its sets nest and have operators. Here every
 * construct is read by ECMA's grammar and written out so that ICU means the same;
 * what ECMA does not know (possessive quantifiers, inline flags, \A \z \Q) is refused.
 * One difference stays: a reference to a group that took no part matches nothing,
 * where ECMA matches the empty text. Private to the schema files.
 */
#ifndef WIRE_SCHEMA_PATTERN_H
#define WIRE_SCHEMA_PATTERN_H

#include "base/error.h"
#include "base/strbuf.h"

/* Append the ICU form of 'pattern', which is valid UTF-8. */
bool pattern_translate(struct strbuf *sb, const char *pattern, size_t length,
		       struct error *err);

#endif
