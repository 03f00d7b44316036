/*
 * host_private -- what the host's files share: turns on one side, the egress on the other.
 */
#ifndef ASSISTANT_HOST_PRIVATE_H
#define ASSISTANT_HOST_PRIVATE_H

#include <pthread.h>

#include "assistant/host/child.h"
#include "assistant/host/host.h"
#include "proc/workers.h"

struct host_turn {
	struct host_turn *next;
	struct host *host;
	struct child worker;
	struct loop_source *timer;
	json_t *message; /* the turn, until it is sent */
	struct host_hooks hooks;
	void *context;
	char person[ASSISTANT_NAME_MAX + 1];
	bool is_ready, is_stopping, is_over;
	int64_t proposals, reads, requests, text_bytes, pieces, answers; /* so far */
	uint64_t open_proposals, open_reads; /* by number, unanswered */
	bool has_request;                    /* one is under way */
	int64_t request;                     /* the worker's number for it */
	int64_t booked;                      /* tokens, of what has ended */
};

/* A request that waits for the budget's yes, or that the egress has. */
struct host_request {
	int64_t number;         /* ours; 0: free */
	struct host_turn *turn; /* NULL: nobody waits for it any more */
	char person[ASSISTANT_NAME_MAX + 1];
	char *path, *body; /* until it is sent */
	bool is_sent;
	struct budget_share share;
	size_t sent_bytes, received_bytes;
};

/* What the budget is asked, or told (host_budget.c). */
struct host_asked {
	struct host_asked *next;
	struct host *host;
	int64_t number; /* of the request */
	char person[ASSISTANT_NAME_MAX + 1];
	size_t bytes;
	int64_t asked_ms; /* mono */
	struct budget_share share;
	int64_t cost;
	bool ok;
	struct error err;
};

struct host {
	struct host_options o;
	struct child egress;
	bool egress_is_ready;
	int64_t egress_starts, egress_minute;
	struct host_request requests[HOST_TURNS_MAX];
	int64_t last_number;
	struct host_turn *turns;
	size_t turn_count;
	/* The budget's, which may wait for its store. */
	struct workers *counter;    /* one thread; NULL: there is no budget */
	int64_t store_failed_ms;    /* mono; of that thread */
	pthread_mutex_t asked_lock; /* of what follows */
	struct host_asked *asked;   /* and answered */
	int asked_fd;               /* says so to the loop */
	struct loop_source *asked_source;
};

/* Start one of the two programs, by ourselves or by the launcher. */
bool host_begin_program(struct host *h, bool is_worker, struct child *ret,
			const struct child_start *s, struct error *err);

/* What of our environment the egress gets: what programs need, and what its configuration
 * names. */
enum { HOST_ENVIRONMENT_MAX = 12 };
struct host_environment {
	char *all[HOST_ENVIRONMENT_MAX + 1];
	size_t count;
};
bool host_environment_make(struct host_environment *e, const struct assistant_settings *s,
			   struct error *err);
void host_environment_done(struct host_environment *e);

/* --- host_turn.c --- */

/* Tell the surface that it is over, once; the worker is killed. */
void host_turn_over(struct host_turn *t, enum assistant_code code, const char *why);
/* Hand something of the egress on; false: the worker does not take it. */
bool host_turn_send(struct host_turn *t, json_t *message);

/* --- host_egress.c --- */

/* Send a turn's request, once the budget allows it; on failure 'ret_code' is what its worker
 * is to be told. */
bool host_egress_ask(struct host *h, struct host_turn *t,
		     const struct assistant_fields *f, enum assistant_code *ret_code);
/* The budget's answer for a request. */
void host_egress_allowed(struct host *h, const struct host_asked *a);
/* Nobody waits for what this turn asked. */
void host_egress_drop(struct host *h, const struct host_turn *t);
void host_egress_end(struct host *h);
/* What is left of any request. */
void host_egress_forget(struct host *h);

/* --- host_budget.c --- */

bool host_budget_open(struct host *h, struct error *err);
void host_budget_close(struct host *h);
/* host_egress_allowed follows from the loop; false: it does not. */
bool host_budget_ask(struct host *h, int64_t number, const char *person, size_t bytes,
		     struct error *err);
/* Of 'share' (NULL: of none) so much was used; does not wait. */
void host_budget_book(struct host *h, const char *person,
		      const struct budget_share *share, int64_t cost);

#endif
