/*
 * prompt_value -- one value as a person sees it: private to prompt.
 *
 * Text that says exactly this value, what is odd about it, and an escaped second
 * line where something is.
 */
#ifndef GATE_PROMPT_VALUE_H
#define GATE_PROMPT_VALUE_H

#include "base/json.h"

/* Append the text of 'value'. */
bool prompt_value_text(struct strbuf *sb, const json_t *value, struct error *err);
/* The value that such a text says; new reference. */
json_t *prompt_value_read(const char *text, struct error *err) _must_use_;

/* Names of what is odd: text_flags of every string and member name inside, "invisible" also
 * for a space that is not the usual one, and "wide-open" for what stands for nearly every
 * address or port (gate/wide_open.h). New array. */
json_t *prompt_value_flags(const json_t *value) _must_use_;

/* Set "text" and, if anything is odd, "flags" and "escaped" in 'entry'; of a string of more
 * than 200 characters also "length". */
bool prompt_value_describe(json_t *entry, const json_t *value, struct error *err);

/* The visible form of a text that is no value (a title, an effect), as a JSON string. */
json_t *prompt_visible(const char *text) _must_use_;

#endif
