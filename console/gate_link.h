/*
 * gate_link -- a conversation with the gate over run/gate.sock.
 *
 * One request, one reply (gate/messages.h). A refusal of the gate becomes 'err'
 * with its code, message and hint; its details stay readable until the next ask.
 */
#ifndef CONSOLE_GATE_LINK_H
#define CONSOLE_GATE_LINK_H

#include "base/json.h"
#include "base/statedir.h"
#include "gate/messages.h"

struct gate_link;

/* Connects and says hello. ERR_BACKEND_UNAVAILABLE with the hint to start the suite. */
struct gate_link *gate_link_open(const struct statedir *dir,
				 struct error *err) _must_use_;
void gate_link_close(struct gate_link *g);
DEFINE_CLEANUP(struct gate_link, gate_link_close);

/* The reply to hello: who we are to the gate. Borrowed. */
const json_t *gate_link_hello(const struct gate_link *g);

/* 'members' (an object, stolen; may be NULL) with "m" and "id" added. New reference. */
json_t *gate_link_ask(struct gate_link *g, enum message m, json_t *members,
		      struct error *err) _must_use_;
/* The same, for what may take long: given up with ERR_TIMEOUT once 'gives_up' says so. The
 * reply is dropped when it comes. */
json_t *gate_link_ask_unless(struct gate_link *g, enum message m, json_t *members,
			     bool (*gives_up)(void), struct error *err) _must_use_;
/* Details of the last refusal, borrowed, or NULL. */
const json_t *gate_link_details(const struct gate_link *g);
/* Whether the gate is still at the other end. */
bool gate_link_is_alive(const struct gate_link *g);
/* Drop what earlier watches may have left. */
void gate_link_forget_events(struct gate_link *g);
/* The next event of a watch, or a notice after MSG_NOTICES; ERR_TIMEOUT after 'timeout_ms' or a signal. */
json_t *gate_link_event(struct gate_link *g, int timeout_ms,
			struct error *err) _must_use_;

#endif
