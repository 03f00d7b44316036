/*
 * caller_job -- one call to a server: a message of the keeper's in, one to it out. Private to caller.
 *
 * Runs on a worker and may block. What a server answers is checked for what a frame may
 * hold, and otherwise not judged: that is the keeper's.
 */
#ifndef GATE_CALLER_JOB_H
#define GATE_CALLER_JOB_H

#include "gate/fields.h"
#include "mcp/client/client.h"

/* What a server says of a call while it runs, as a message for the keeper (stolen); called
 * in the worker's thread, now and then. */
typedef void caller_job_say(void *context, json_t *message);

/* The answer to a plan, execute or definitions message; never NULL but without memory. */
json_t *caller_job_run(struct mcp_client *client, enum message m, const struct fields *f,
		       caller_job_say *say, void *context) _must_use_;
/* The answer when it could not even be tried. */
json_t *caller_job_refuse(enum message m, const struct fields *f,
			  const struct error *err) _must_use_;

#endif
