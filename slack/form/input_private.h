/* What drawing an input and reading it back have in common; private to input*.c. */
#ifndef SLACK_FORM_INPUT_PRIVATE_H
#define SLACK_FORM_INPUT_PRIVATE_H

#include "slack/form/input.h"

#define INPUT_ACTION "v"
/* Behind the block_id of the text beside a picker of people. */
#define INPUT_TYPED ".typed"

/* How choice 'index' reads: one text for each, whatever the choices are. */
void input_choice_words(struct strbuf *sb, const struct input *in, size_t index);

/* As plain text of Slack's; new. The hint is null where there is nothing to say. */
json_t *input_label(const struct input *in, const char *more) _must_use_;
json_t *input_hint(const struct input *in) _must_use_;

/* What a list of words holds of one line. */
const json_t *input_items(const struct input *in);

#endif
