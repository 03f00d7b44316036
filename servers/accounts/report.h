/*
 * report -- how accounts are written into results: JSON for programs, Markdown for
 * people. Text from a directory is never taken for markup.
 */
#ifndef ACCOUNTS_REPORT_H
#define ACCOUNTS_REPORT_H

#include "servers/accounts/accounts.h"

/* {display_name, uid?, email?}; new reference. */
json_t *report_person(const struct person *p) _must_use_;

/* Members about why an account is blocked, out of record_explain's event (may be
 * NULL), and since and until when, set in 'object'; 'expires_ms' (0: not) is when it
 * is unblocked by itself. */
bool report_block(json_t *object, const struct account *a, const json_t *event,
		  int64_t expires_ms, struct error *err);
/* Since when it is blocked: our record's time for a block made here. 0: not known. */
int64_t report_since_ms(const struct account *a, const json_t *event);

/* Append text of others with everything escaped that Markdown might take for markup. */
void report_text(struct strbuf *sb, const char *text);
/* "**John Doe** (uid=john.doe,...)". */
void report_name(struct strbuf *sb, const char *name, const char *identifier);

/* The strbuf's text as the result's text. */
void report_finish(struct mcp_result *result, const struct strbuf *sb);

#endif
