/*
 * uri_template -- does a uri fit a template, and with which values?
 *
 * Of RFC 6570: literals, {name} and {+name}, at most 8 of them, each followed by a
 * literal that cannot stand in its value or by the end; and at the very end one
 * {?name}, which is "?name=value" and not left out. A value of {name} is
 * what percent-decoding makes of one or more characters without '/', '?' and '#';
 * {+name} may have '/' in it; {?name} all but '&' and '#'. No value has a NUL, a
 * control character or bad UTF-8, and but for {?name}, which names no place, none is "."
 * or "..", or has such a segment, also not when decoded: a template never leads out of
 * its place.
 */
#ifndef MCP_URI_TEMPLATE_H
#define MCP_URI_TEMPLATE_H

#include "base/json.h"

enum { URI_TEMPLATE_VARIABLES_MAX = 8, URI_BYTES_MAX = 4096 };

/* ERR_INVALID_ARGUMENT for a template that is none of those. */
bool uri_template_check(const char *text, struct error *err);
bool uri_template_is(const char *text);
/* The values by name, a new object; NULL: it does not fit. 'template' was checked. */
json_t *uri_template_match(const char *template, const char *uri) _must_use_;
/* Whether the template has this variable. */
bool uri_template_has(const char *template, const char *name);

#endif
