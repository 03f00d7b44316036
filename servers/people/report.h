/*
 * report -- people as Markdown. Text from a directory is never taken for markup.
 */
#ifndef PEOPLE_REPORT_H
#define PEOPLE_REPORT_H

#include "base/json.h"
#include "mcp/tool.h"

/* Append text of others with everything escaped that Markdown might take for markup. */
void report_text(struct strbuf *sb, const char *text);
/* "**John Doe** (ldap uid john.doe, okta john@x): active employee" of a record. */
void report_person(struct strbuf *sb, const json_t *record);
/* The strbuf's text as the result's text. */
void report_finish(struct mcp_result *result, const struct strbuf *sb);

#endif
