/* What drawing an input and reading it back have in common; private to input*.c. */
#ifndef SLACK_FORM_INPUT_PRIVATE_H
#define SLACK_FORM_INPUT_PRIVATE_H

#include "slack/form/input.h"

#define INPUT_ACTION "v"
/* Behind the block_id of the text beside a picker of people; of a value that is drawn as
 * JSON because its element could not show it; of what is to replace a long one. */
#define INPUT_TYPED   ".typed"
#define INPUT_AS_JSON ".json"
#define INPUT_INSTEAD ".instead"

/* How choice 'index' reads: one text for each, whatever the choices are. */
void input_choice_words(struct strbuf *sb, const struct input *in, size_t index);

/* As plain text of Slack's; new. The hint is null where there is nothing to say. */
json_t *input_label(const struct input *in, const char *more) _must_use_;
json_t *input_hint(const struct input *in) _must_use_;

/* What a list of words holds of one line. */
const json_t *input_items(const struct input *in);
/* Text alone, no other type but null. */
bool input_is_text_alone(const json_t *property);

/* --- input_typed.c: values as they are typed --- */
/* Append the value as it would be typed. For lists of lines, all of them. */
bool input_typed_write(struct strbuf *sb, const struct input *in, const json_t *value);
/* What somebody typed, as a value; new. '*ret' NULL: nothing. Pickers and menus have none:
 * theirs is JSON. */
bool input_typed_read(const struct input *in, const char *text, json_t **ret,
		      struct error *err);
/* JSON, whatever the input is. New. */
bool input_json_read(const struct input *in, const char *text, json_t **ret,
		     struct error *err);

/* --- input_element.c --- */
/* The input's own element with this value in it (NULL: empty); '*ret' NULL: it cannot show
 * it as it is. New. */
bool input_element(const struct input *in, const json_t *value, json_t **ret,
		   struct error *err);
/* A text of one or more lines; 'text' NULL: empty. */
json_t *input_text_element(const char *text, bool lines) _must_use_;
json_t *input_new_element(const char *type) _must_use_;
bool input_takes_lines(const struct input *in);
json_t *input_choice_option(const struct input *in, size_t index) _must_use_;

#endif
