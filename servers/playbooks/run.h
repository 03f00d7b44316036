/*
 * run -- a playbook that is worked through: which of its steps are done.
 *
 * Kept as a document, "run-" and 26 characters, with the steps as they were when it
 * began, so that a page that changes meanwhile does not change what was done.
 */
#ifndef PLAYBOOKS_RUN_H
#define PLAYBOOKS_RUN_H

#include "servers/playbooks/playbooks.h"

/* The run, if the requester may see it; ERR_NOT_FOUND else. */
bool run_get(struct playbooks *p, const char *id, const char *requester,
	     struct document *ret, struct error *err);
/* How many of its steps are done or skipped. */
size_t run_done(const json_t *body);

#endif
