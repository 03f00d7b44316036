/*
 * steps -- the steps of a playbook, and the calls that they suggest.
 *
 * A step is an item of a numbered list, or an item of any list that suggests a call: code
 * that begins with "wingman:", inline or as a block of that language,
 *
 *     1. Block the account: `wingman: accounts.block_account {"person": "<person>"}`
 *
 * names one tool and, if need be, arguments as one JSON object. Whoever wrote the page
 * wrote this too: it is looked at (does the tool exist, does it know these arguments) and
 * shown, and never becomes a call by itself.
 */
#ifndef PLAYBOOKS_STEPS_H
#define PLAYBOOKS_STEPS_H

#include "base/json.h"

enum { STEPS_MAX = 2000, STEP_TEXT_MAX = 1000, SUGGESTION_BYTES_MAX = 4096 };

struct step {
	size_t at;          /* a byte of its first line in the source */
	char *text;         /* plain, visible, on one line */
	json_t *suggestion; /* {tool, arguments, is_known, fault?}; NULL: none */
};

struct steps {
	struct step *items;
	size_t count, capacity;
};

/* Of the page's text from 'start' on. Those past STEPS_MAX are left out. */
bool steps_read(const char *source, size_t start, size_t length, struct steps *ret,
		struct error *err);
void steps_done(struct steps *s);

/* What "accounts.block_account {...}" suggests; new. NULL without memory. */
json_t *steps_suggestion(const char *text, size_t length);

#endif
