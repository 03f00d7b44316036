/*
 * form -- a tool's arguments asked for in modals, drawn from its JSON Schema. Pure.
 *
 * One property is one input, the required ones first; a schema with more than fit one
 * view has several pages. What is sent in is held against the schema, and every fault
 * goes to its input; nothing that was typed is lost. A property whose text is too long
 * to be edited here (from a message shortcut) is shown and kept as it is, unless something
 * is typed in its place. Submitting
 * leads to a prompt and never further: the form decides nothing.
 *
 * A view is data for views.open, push and update. Its inputs have a block_id of ours,
 * "f<number>", so that an error can be sent to it and an update keeps what is typed.
 */
#ifndef SLACK_FORM_H
#define SLACK_FORM_H

#include "base/json.h"

enum {
	SLACK_FORM_INPUTS_MAX = 12,      /* on a page */
	SLACK_FORM_PROPERTIES_MAX = 300, /* of one tool */
	SLACK_FORM_PAGE_BYTES_MAX = 225 *
				    1000, /* of its inputs, whatever is typed there */
	SLACK_FORM_TEXT_MAX = 3000,       /* units of what one input holds; Slack's */
	SLACK_FORM_CHOICES_MAX = 100,     /* in one menu; Slack's. More are searched */
};

#define SLACK_FORM_CALLBACK    "wingman.form"
#define SLACK_FORM_ACTION_BACK "wingman.form.back"

struct slack_form;

/* 'tool' {name: "server.tool", title?, description?, inputSchema} is kept (a reference).
 * ERR_INVALID_ARGUMENT: its schema is not sound, or has too many properties. */
struct slack_form *slack_form_new(const json_t *tool, struct error *err) _must_use_;
void slack_form_free(struct slack_form *f);
DEFINE_CLEANUP(struct slack_form, slack_form_free);

size_t slack_form_pages(const struct slack_form *f); /* at least 1 */

struct slack_form_view {
	size_t page;          /* from 1 */
	const json_t *values; /* the arguments so far; NULL: none */
	const json_t *unread; /* as slack_form_keep leaves it; NULL: nothing */
	const json_t *faults; /* {property: words}, each above its input; NULL: none */
	const char *
		note; /* where its values are from, said above the inputs; NULL: nothing */
	const char *metadata; /* comes back with what is submitted; no secret */
};
/* New. ERR_NOT_FOUND: there is no such page. */
json_t *slack_form_view(const struct slack_form *f, const struct slack_form_view *view,
			struct error *err) _must_use_;

/* What came of a page that was submitted. The first that is not NULL counts. */
struct slack_form_result {
	json_t *errors; /* {block_id: words}: the response_action "errors" */
	json_t *faults; /* {property: words}: show page 'page' with these */
	size_t page;    /* show this page; 0: 'values' are whole, and conform */
};
void slack_form_result_done(struct slack_form_result *r);

/*
 * 'state' is state.values of the submission. 'values' has the arguments so far and gets
 * those of this page, whole or not at all: with 'errors' it is as it was. What 'unread' (an
 * object) held of the page goes with it. ERR_INVALID_ARGUMENT: this is not what such a page sends.
 */
bool slack_form_submit(const struct slack_form *f, size_t page, const json_t *state,
		       json_t *values, json_t *unread, struct slack_form_result *ret,
		       struct error *err);

/* Somebody goes back from a page: what can be read of it is kept in 'values', what cannot
 * as it was typed in 'unread', and the page shows it again. */
bool slack_form_keep(const struct slack_form *f, size_t page, const json_t *state,
		     json_t *values, json_t *unread, struct error *err);

/* What somebody else says of these arguments, as {property: words} for the form to show: at
 * the one that it names, or whose value it quotes; at "" where there is no such one. '*ret_page'
 * is the page it stands on. New. */
json_t *slack_form_fault_of(const struct slack_form *f, const json_t *values,
			    const char *message, size_t *ret_page) _must_use_;

/* {options: []} for what was typed into the menu of a block that has too many choices.
 * ERR_NOT_FOUND: there is no such menu. New. */
json_t *slack_form_options(const struct slack_form *f, const char *block,
			   const char *typed, struct error *err) _must_use_;

#endif
