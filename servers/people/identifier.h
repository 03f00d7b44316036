/*
 * identifier -- identifiers in the form in which they are compared: whole, without
 * regard to case, never by a part, accents kept. Of DNs also the spelling does not
 * matter (spaces, escapes, case of names; RFC 4514).
 */
#ifndef PEOPLE_IDENTIFIER_H
#define PEOPLE_IDENTIFIER_H

#include "base/error.h"
#include "base/strbuf.h"

/* Append it. Text that is no UTF-8, or a DN that is none, is ERR_INVALID_ARGUMENT. */
bool identifier_fold(struct strbuf *sb, const char *text, struct error *err);
bool identifier_fold_dn(struct strbuf *sb, const char *text, struct error *err);

/* Whether text has the form of ...: these are looked up among identifiers alone. */
bool identifier_is_dn(const char *text);
bool identifier_is_slack_id(const char *text);
bool identifier_is_okta_id(const char *text);

#endif
