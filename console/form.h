/*
 * form -- a tool's arguments asked for field by field, from its schema.
 *
 * Required fields come first, each with its type, choices, default and help; a
 * value that the schema refuses is asked for again with the reason, so nothing
 * typed before is lost. An empty line leaves an optional field out. At the end the
 * whole is held against the whole schema, and the field at fault asked for again.
 * A value that stands there already is shown; an empty line takes it, "-" leaves an optional
 * field out.
 */
#ifndef CONSOLE_FORM_H
#define CONSOLE_FORM_H

#include "console/console.h"

/* Reads a line for a question; new string, NULL gives the form up. */
typedef char *form_reader(void *context, const char *question);

/* The arguments, a new object; NULL when given up ('err' unset) or failed. 'given': what
 * stands there already, or NULL. */
json_t *form_ask(const struct console *c, const json_t *tool, const json_t *given,
		 form_reader *read, void *context, struct error *err) _must_use_;

/* One typed line as a value of this property; pure, for tests. NULL with 'err'. */
json_t *form_value(const json_t *schema, const json_t *property, const char *line,
		   struct error *err) _must_use_;

#endif
