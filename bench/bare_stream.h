/*
 * bare_stream -- event streams with libmicrohttpd alone, as one would write them: a
 * content reader a stream, suspended while there is nothing to say and resumed when
 * there is, in an own loop over the daemon's epoll descriptor.
 */
#ifndef BENCH_BARE_STREAM_H
#define BENCH_BARE_STREAM_H

#include "base/error.h"

/* Write the port to 'out', then tell 'event' to all streams once for each byte that comes
 * from 'in'; leaves the process when that ends. */
_Noreturn void bare_stream_serve(const char *event, size_t length, int in, int out);

#endif
