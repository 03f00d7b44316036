/* A form, laid out; private to form*.c. */
#ifndef SLACK_FORM_PRIVATE_H
#define SLACK_FORM_PRIVATE_H

#include "slack/form/form.h"
#include "slack/form/input.h"
#include "wire/schema.h"

enum {
	FORM_ERROR_UNITS = 150,
	FORM_FAULT_UNITS = 600,
	FORM_FAULTS_SHOWN = 8, /* of those that belong to no input */
};

struct slack_form {
	json_t *tool;         /* a copy: trees are not shared between threads */
	const json_t *schema; /* in it */
	struct schema *compiled;
	struct input *inputs;
	size_t *page_of; /* of each input, from 1 */
	size_t count, pages;
};

/* Of the arguments, those that have no property of their own. New. */
json_t *form_rest(const struct slack_form *f, const json_t *values) _must_use_;

#endif
