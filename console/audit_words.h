/*
 * audit_words -- what an audit line says, as a sentence for a person.
 *
 * A table of events; of one that it does not know, names and values. Pure. Text from
 * outside stands in it as it is: make it visible before it is printed.
 */
#ifndef CONSOLE_AUDIT_WORDS_H
#define CONSOLE_AUDIT_WORDS_H

#include "base/json.h"

/* "alice@company.com asked for accounts.block_account". Appended. */
void audit_words_add(struct strbuf *sb, const json_t *line);

/* "1.4 s", "2 min 5 s", "1 h 3 min". Appended. */
void audit_words_duration(struct strbuf *sb, int64_t ms);

/* How an approval ended as far as this line tells ("it succeeded"); NULL: it tells nothing. */
const char *audit_words_end(const json_t *line);

#endif
