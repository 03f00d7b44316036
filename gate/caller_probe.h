/*
 * caller_probe -- looks whether the surface that people usually decide on is well.
 * Private to caller. One look at a time, on a thread of its own.
 */
#ifndef GATE_CALLER_PROBE_H
#define GATE_CALLER_PROBE_H

#include "link/http/http_client.h"
#include "proc/loop.h"

enum { CALLER_PROBE_MS = 5 * 1000 };

struct caller_probe;
/* 'tell' is called on the loop: up means that a GET was answered with 200 in time. */
struct caller_probe *caller_probe_new(struct loop *loop, struct http_client *http,
				      void (*tell)(void *context, bool is_up),
				      void *context, struct error *err) _must_use_;
/* False: the last look is not done yet, and nothing is begun. */
bool caller_probe_look(struct caller_probe *p, const char *url);

#endif
