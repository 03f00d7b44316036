/*
 * ceiling -- what libmicrohttpd and jansson alone can do: parse the request, look at
 * one argument, json_pack and json_dumps the reply. No check of anything.
 */
#ifndef BENCH_CEILING_H
#define BENCH_CEILING_H

#include "base/error.h"

struct MHD_Daemon;

/* On a free loopback port, which goes to 'ret_port'. */
struct MHD_Daemon *ceiling_start(uint16_t *ret_port, struct error *err) _must_use_;
/* Serves for ever in this thread; returns when epoll fails. */
void ceiling_serve(struct MHD_Daemon *daemon);

#endif
