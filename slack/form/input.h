/*
 * input -- one property of a tool as an input of a modal, and what came back as its value.
 * Private to slack/form.
 *
 *   a fixed choice        a menu; of many, one that is searched
 *   several of them       a menu of several
 *   yes or no             two or, when it may be left out, three round buttons
 *   a number              a number
 *   a day, a moment       a picker; text for one that no picker can show
 *   a person, people      members of the workspace, or typed
 *   a list of words       a line each, or a JSON list
 *   text                  one line or many
 *   anything else         JSON
 *
 * A value that its element cannot show as it is (of another type, out of bounds, none of
 * the choices) is drawn as JSON to be edited; one that is too long to be edited is shown
 * shortened and kept whole, with an input for what is to stand in its place. So whatever
 * a form begins with comes back from it as it was, or as somebody changed it.
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

enum { INPUT_BLOCK_BYTES = 48, INPUT_CHOICES_SHOWN = 100 };

struct input {
	const char *name;       /* of the property; NULL for INPUT_REST */
	const json_t *schema;   /* of the tool */
	const json_t *property; /* behind its reference */
	const json_t *chooser;  /* whose choices (show/field.h) they are */
	const json_t *usual;    /* its default, or NULL */
	const char *title, *help;
	enum input_kind kind;
	bool required;
	bool mixed;    /* its choices are not all texts: those that are stand in quotes */
	size_t number; /* in its block_id */
};

/* All borrowed from 'schema'. 'property' NULL: INPUT_REST. */
struct input input_of(const json_t *schema, const char *name, const json_t *property,
		      bool required, size_t number);

/* What it holds so far; either may be NULL. */
struct input_draft {
	const json_t *value;
	const char *unread; /* what was typed there and could not be read */
};

/* Append its blocks. */
bool input_draw(const struct input *in, const struct input_draft *draft, json_t *blocks,
		struct error *err);

/* Its value out of state.values, new; '*ret' NULL: left empty. '*ret_shown' false: it is to
 * stay what it was (it is not on the page, or was kept and nothing typed in its place).
 * ERR_INVALID_ARGUMENT is for the person and reads well at the input. */
bool input_read(const struct input *in, const json_t *state, json_t **ret,
		bool *ret_shown, struct error *err);

/* What was typed there, whatever it is; borrowed. NULL: nothing that could be drawn again. */
const char *input_typed_text(const struct input *in, const json_t *state);
/* The member that was picked, as a value ("<@U1>"); new. NULL: none. */
json_t *input_picked(const struct input *in, const json_t *state);

/* "f7", by which what is of it is known. */
const char *input_block(const struct input *in, char ret[static INPUT_BLOCK_BYTES]);
/* The block of it that is on the page, where an error can be shown; NULL: none. */
const char *input_shown_block(const struct input *in, const json_t *state,
			      char ret[static INPUT_BLOCK_BYTES]);

/* {options} of the choices whose words hold 'typed'; new. */
json_t *input_options(const struct input *in, const char *typed,
		      struct error *err) _must_use_;

#endif
