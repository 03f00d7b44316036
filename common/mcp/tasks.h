/*
 * tasks -- calls that take longer than a request: io.modelcontextprotocol/tasks.
 *
 * A call that waits for a person, and one that a function goes on with
 * (mcp_call_as_task), becomes a task when the client declared the extension. It is in
 * the store before its creation is answered, is its creator's alone (principal and
 * client), and stays readable for TASK_TTL_MS. A task that waits for a person lives
 * through restarts; one whose function ran when the process ended has failed, and says
 * so. A thread of its own looks after those that wait; what blocks is done by workers.
 * Source: PROTOCOL 7.
 */
#ifndef MCP_TASKS_H
#define MCP_TASKS_H

#include "base/error.h"
#include "base/json.h"

#define TASKS_EXTENSION "io.modelcontextprotocol/tasks"

enum {
	TASK_TTL_MS = 3 * 60 * 60 * 1000,
	TASK_POLL_MS = 1000, /* what clients are told, and how often the gate is asked */
	TASKS_PER_CALLER_MAX = 64,       /* that go on */
	TASKS_KEPT_PER_CALLER_MAX = 512, /* and those that can still be read */
	TASKS_MAX = 4096,
};

struct exchange;
struct mcp_result;
struct mcp_service;
struct tasks;

/* Reads what the store has; no thread yet. NULL with 'err'. */
struct tasks *tasks_new(struct mcp_service *s, struct error *err) _must_use_;
/* Looks after those that there are, on a thread that begins with the first. */
bool tasks_start(struct tasks *t, struct error *err);
/* Nothing begins any more; what runs is told. To be called before the workers end. */
void tasks_stop(struct tasks *t);
void tasks_free(struct tasks *t); /* after the workers have ended */
DEFINE_CLEANUP(struct tasks, tasks_free);

/* Make a task of this call, which waits as 'approval' (NULL: its function goes on).
 * The new task, as its creation is answered, in '*ret'. */
bool tasks_create(struct exchange *x, const char *approval, json_t **ret,
		  struct error *err);

/* The three methods; each replies now or later. */
void tasks_get(struct exchange *x);
void tasks_update(struct exchange *x);
void tasks_cancel(struct exchange *x);

/* Whether this caller has such a task. */
bool tasks_has(struct tasks *t, const char *id, const char *principal,
	       const char *client);
/* {"extensions": {...}} for -32021, new. */
json_t *tasks_capability(void) _must_use_;

#endif
