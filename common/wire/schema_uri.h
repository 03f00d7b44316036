/*
 * schema_uri -- URI references: resolved (RFC 3986, section 5) and checked.
 *
 * Works on text alone; nothing is ever opened or fetched. Private to the schema files.
 */
#ifndef WIRE_SCHEMA_URI_H
#define WIRE_SCHEMA_URI_H

#include "base/strbuf.h"

/* Append the absolute form of 'reference' against 'base', both without fragment; an
 * empty or relative base is taken as it stands. */
void uri_resolve(struct strbuf *sb, const char *base, const char *reference,
		 size_t length);

/* Percent-decoded 'text', appended. False for a broken escape or a NUL. */
bool uri_decode(struct strbuf *sb, const char *text, size_t length);

enum uri_rule {
	URI_ABSOLUTE = 1,      /* wants a scheme */
	URI_INTERNATIONAL = 2, /* RFC 3987: characters beyond ASCII too */
};

/* Whether 'text' is a URI reference to the letter; 'rules' of enum uri_rule. */
bool uri_is_valid(const char *text, size_t length, unsigned rules);

#endif
