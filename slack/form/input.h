/*
 * input -- one property of a tool as an input of a modal, and what came back as its value.
 * Private to slack/form.
 *
 *   a fixed choice        a menu; of many, one that is searched
 *   several of them       a menu of several
 *   yes or no             two or, when it may be left out, three round buttons
 *   a number              a number
 *   a day, a moment       a picker; text for a moment that no picker can show
 *   a person, people      members of the workspace, or typed
 *   a list of words       a line each
 *   text                  one line or many
 *   anything else         JSON
 */
#ifndef SLACK_FORM_INPUT_H
#define SLACK_FORM_INPUT_H

#include "base/json.h"

enum input_kind {
	INPUT_TEXT,
	INPUT_NUMBER,
	INPUT_CHOICE,
	INPUT_CHOICES,
	INPUT_BOOLEAN,
	INPUT_DATE,
	INPUT_MOMENT,
	INPUT_PERSON,
	INPUT_PEOPLE,
	INPUT_LINES,
	INPUT_JSON,
	INPUT_REST, /* members that have no property of their own, as a JSON object */
};

enum { INPUT_BLOCK_BYTES = 32, INPUT_CHOICES_SHOWN = 100 };

struct input {
	const char *name;       /* of the property; NULL for INPUT_REST */
	const json_t *schema;   /* of the tool */
	const json_t *property; /* behind its reference */
	const json_t *chooser;  /* whose choices (show/field.h) they are */
	const json_t *usual;    /* its default, or NULL */
	const char *title, *help;
	enum input_kind kind;
	bool required;
	size_t number; /* in its block_id */
};

/* All borrowed from 'schema'. 'property' NULL: INPUT_REST. */
struct input input_of(const json_t *schema, const char *name, const json_t *property,
		      bool required, size_t number);

/* Append its blocks, holding 'value' (NULL: empty). */
bool input_draw(const struct input *in, const json_t *value, json_t *blocks,
		struct error *err);

/* Its value out of state.values, new; '*ret' NULL: left empty, or it is not on the page
 * (a text that was too long to be edited: '*ret_shown' is false then). ERR_INVALID_ARGUMENT
 * is for the person and reads well at the input. */
bool input_read(const struct input *in, const json_t *state, json_t **ret,
		bool *ret_shown, struct error *err);

/* "f7": where an error is shown. */
const char *input_block(const struct input *in, char ret[static INPUT_BLOCK_BYTES]);

/* {options} of the choices whose words hold 'typed'; new. */
json_t *input_options(const struct input *in, const char *typed,
		      struct error *err) _must_use_;

#endif
