/*
 * uri -- a resource's template filled in: {name}, {+name} and {?name,other} of RFC 6570.
 */
#ifndef ASSISTANT_HOST_URI_H
#define ASSISTANT_HOST_URI_H

#include "base/json.h"
#include "base/strbuf.h"

/* 'values': {name: text}. False, and nothing said: another expression, or a value of the
 * first two kinds is missing. What a template does not name is left out. */
bool uri_expand(struct strbuf *sb, const char *pattern, const json_t *values);

#endif
