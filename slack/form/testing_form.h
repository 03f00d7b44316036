/* testing_form -- a form as somebody goes through it, for tests: what Slack would take of it
 * (its limits are asserted of every view that is drawn) and what it would send back. */
#ifndef SLACK_TESTING_FORM_H
#define SLACK_TESTING_FORM_H

#include "slack/form/form.h"

json_t *try_json(const char *text);
struct slack_form *try_form(const char *tool_text);
/* A tool with 'count' properties of this schema: p0, p1, ... New. */
char *try_tool(int count, const char *property);

/* A page, within Slack's limits. */
json_t *try_draw(const struct slack_form *f, size_t page, const json_t *values);
/* state.values of a view that nobody touched. */
json_t *try_state(const json_t *view);
/* The block with this label, and what it says becomes 'value'. */
void try_fill(const json_t *view, json_t *state, const char *label, const char *member,
	      json_t *value);

/* Draws every page with 'wanted' in it, sends it in untouched, and gets 'wanted'. */
void try_kept(const char *tool, const char *wanted);

/* A first page filled in: what comes of it goes to 'result'. */
struct
try {
	struct slack_form *form;
	json_t *values, *unread, *view, *state;
	struct slack_form_result result;
};
struct try try_new(const char *tool);
void try_done(struct try *t);
void try_submit(struct try *t, size_t page);
void try_value(const json_t *values, const char *name, const char *wanted);
/* It is said at an input that is there. */
void try_error(const struct try *t, const char *words);

#endif
