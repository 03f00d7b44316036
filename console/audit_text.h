/*
 * audit_text -- the data of an audit line for people: names and values, digests cut
 * to the 12 digits that prompts show. What is exact is in --json.
 */
#ifndef CONSOLE_AUDIT_TEXT_H
#define CONSOLE_AUDIT_TEXT_H

#include "base/json.h"

/* "approval=01m8… tool=get_account args=0cac3388a3f4"; not yet made visible. */
void audit_text_add(struct strbuf *sb, const json_t *data);

#endif
