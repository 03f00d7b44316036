/*
 * schema_regex -- a compiled pattern that many threads search with.
 *
 * What schema_plain.h knows is matched by it, all else by ICU. ICU's matchers are for
 * one thread each; this keeps a few idle clones beside the original. Its search has a
 * limit of time (in steps of the engine, so it is the same on every machine) and of
 * memory. Private to the schema files.
 */
#ifndef WIRE_SCHEMA_REGEX_H
#define WIRE_SCHEMA_REGEX_H

#include "base/error.h"

struct regex;

/* 'pattern' is ECMA-262's, in UTF-8. ERR_INVALID_ARGUMENT: "is no regular expression: ...". */
struct regex *regex_new(const char *pattern, size_t length, struct error *err) _must_use_;
void regex_free(struct regex *regex);
DEFINE_CLEANUP(struct regex, regex_free);

/* Whether it is one that only ICU can search for. */
bool regex_needs_icu(const struct regex *regex);

enum regex_result { REGEX_FOUND, REGEX_NOT_FOUND, REGEX_TOO_COMPLEX, REGEX_NO_MEMORY };

/* Whether some part of 'text' (UTF-8) matches. */
enum regex_result regex_search(const struct regex *regex, const char *text,
			       size_t length);

#endif
