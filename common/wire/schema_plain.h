/*
 * schema_plain -- regular expressions so plain that reading from left to right decides.
 *
 * Nearly every pattern of a schema is of this kind: "^[a-z][a-z0-9_]{0,63}$". It begins
 * with '^', has classes and characters of ASCII with quantifiers, maybe one group of
 * alternatives, and no repeated part could also take what follows
 * it, unless all of that has one length; so nothing is ever tried twice. Where a pattern is anything else this module does
 * not know it, and ICU reads it: that is the one to say what is wrong with a pattern,
 * too. ICU's engine costs milliseconds and megabytes when it is first used, which a
 * server that needs it for nothing else saves. Private to the schema files.
 */
#ifndef WIRE_SCHEMA_PLAIN_H
#define WIRE_SCHEMA_PLAIN_H

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>

struct plain;

/* NULL where the pattern is not of that kind, is wrong, or memory runs out. */
struct plain *plain_new(const char *pattern, size_t length) _must_use_;
void plain_free(struct plain *plain);
DEFINE_CLEANUP(struct plain, plain_free);

/* Whether 'text' (UTF-8) matches. Any number of threads at once. */
bool plain_matches(const struct plain *plain, const char *text, size_t length);

#endif
