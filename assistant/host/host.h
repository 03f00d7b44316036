/*
 * host -- what a surface starts for conversations: a worker for each turn, and one egress.
 *
 * The surface's own loop drives it, in the main thread. It trusts neither child: every
 * message is decoded strictly, counted and bounded (assistant/messages.h); what is
 * malformed, early, or more than the limits of the turn ends the worker and the turn. A
 * request goes to the egress only if the budget allows it. The egress is started when it
 * is first needed, and again after it fell. Nothing that a worker says does anything: it is
 * handed to the hooks, as text, as a wish to propose or to read.
 */
#ifndef ASSISTANT_HOST_H
#define ASSISTANT_HOST_H

#include "assistant/budget/budget.h"
#include "assistant/fields.h"
#include "assistant/settings.h"
#include "proc/loop.h"

enum {
	HOST_TURNS_MAX = 32,         /* at once */
	HOST_GRACE_MS = 5000,        /* that a turn may be over its time */
	HOST_STOP_MS = 2000,         /* that a worker has to stop when it is told to */
	HOST_ANSWERS_MAX = 32,       /* of a turn: each is a message to people */
	HOST_PIECES_MAX = 64 * 1024, /* of all of them */
	HOST_EGRESS_STARTS_PER_MINUTE = 6,
};

struct host;
struct host_turn;

struct host_options {
	struct loop *loop;
	const struct assistant_settings *settings; /* borrowed, as all of this */
	const char *worker, *egress;               /* paths of the programs */
	const char *dir;                           /* of the suite, for the egress */
	const char *log_path;                      /* of both; NULL: our stderr */
	struct budget *budget;                     /* NULL: nothing is counted */
	/* For a surface that may not run programs itself (launcher.h); NULL: we run them. */
	struct launcher *launcher;
	/* Or systemd runs them, under users of their own, for whoever connects to these sockets;
	 * then none of the above but 'settings' and 'budget' counts. NULL: not so. */
	const char *worker_socket, *egress_socket;
};

/* Called from the loop, never from within a function below; any may free the turn. */
struct host_hooks {
	void (*say)(void *context, const char *text, bool final);
	/* 'calls' as in messages.h, borrowed; answered by host_turn_result. */
	void (*propose)(void *context, int64_t proposal, const json_t *calls,
			bool together);
	/* 'uri', or 'pattern' with 'values'; answered by host_turn_content. */
	void (*read)(void *context, int64_t read, const char *uri, const char *pattern,
		     const json_t *values);
	/* Once, and last. ASSISTANT_OK: 'why' is "end", "cut" or "filtered"; else NULL. */
	void (*ended)(void *context, enum assistant_code code, const char *why);
};

struct host *host_new(const struct host_options *o, struct error *err) _must_use_;
/* Ends all turns, without a word to them. */
void host_free(struct host *h);
DEFINE_CLEANUP(struct host, host_free);

struct loop *host_loop(const struct host *h);

/* 'turn' is the message (assistant/host/context.h), stolen. 'person' pays for it.
 * ERR_RATE_LIMITED: too many at once. */
struct host_turn *host_turn_new(struct host *h, const char *person, json_t *turn,
				const struct host_hooks *hooks, void *context,
				struct error *err) _must_use_;
/* Kill its worker; no hook is called any more. */
void host_turn_free(struct host_turn *t);
DEFINE_CLEANUP(struct host_turn, host_turn_free);

/* Of a proposal that was asked and not answered yet; others are ignored. Steals 'results'. */
void host_turn_result(struct host_turn *t, int64_t proposal, json_t *results);
/* What a read gave, masked; or with 'text' NULL the code of why it gave nothing. */
void host_turn_content(struct host_turn *t, int64_t read, const char *label,
		       const char *text, bool is_cut, const char *code);
/* Have the worker stop; 'ended' follows, at once or when it was killed. Nothing else does. */
void host_turn_stop(struct host_turn *t);

#endif
