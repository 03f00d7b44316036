/*
 * task -- one task, and the table of them; private to tasks.c, task_run.c, task_wire.c.
 *
 * Everything that outlives the process is in 'record', which is also what the store has:
 * {v:1, id, principal, client, subject, scopes, tool, arguments: <canonical text>, capabilities,
 * approval?, status, message?, created, updated, result?, error?, requests?, answers?,
 * memory?}. Times are wall milliseconds.
 */
#ifndef MCP_TASK_H
#define MCP_TASK_H

#include <pthread.h>
#include <stdatomic.h>

#include "mcp/serving.h"

struct task {
	json_t *record;           /* owned; under the lock of the table */
	const char *id;           /* in 'record' */
	atomic_bool is_cancelled; /* its function shall give up */
	bool is_running;          /* a worker has it */
	int64_t due_ms;           /* monotonic: when the gate is asked again */
	struct task *next;
};

struct tasks {
	struct mcp_service *service;
	pthread_mutex_t lock;
	pthread_cond_t woken;
	pthread_t thread;
	bool is_watched; /* by a thread, as soon as there is a task */
	bool is_started, is_stopping;
	struct task *first;
	size_t count;
};

/* --- tasks.c; all under the lock --- */

struct task *task_find(struct tasks *t, const char *id, const char *principal,
		       const char *client);
const char *task_text(const struct task *k, const char *name);
bool task_is(const struct task *k, const char *status);
bool task_is_over(const struct task *k);
/* Change its status, keep it, tell who listens. 'value' (stolen) is stored as 'name'. */
void task_move(struct tasks *t, struct task *k, const char *status, const char *name,
	       json_t *value);
/* Write it down as it is. */
bool task_keep(struct tasks *t, const struct task *k, struct error *err);

/* --- task_wire.c --- */

/* As tasks/get shows it, new. */
json_t *task_json(const struct task *k) _must_use_;

/* --- task_run.c --- */

/* Hand it to a worker if one is free; under the lock. */
bool task_submit(struct tasks *t, struct task *k);

#endif
