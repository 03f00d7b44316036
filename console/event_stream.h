/*
 * event_stream -- server-sent events out of a body that is there whole.
 *
 * Lines end in CR, LF or CRLF; a leading BOM, comments and unknown fields are
 * dropped; several data lines are joined by LF; events without data and a last
 * event without its blank line are none. Source: PROTOCOL 2.5.
 */
#ifndef CONSOLE_EVENT_STREAM_H
#define CONSOLE_EVENT_STREAM_H

#include "base/strbuf.h"

struct event_stream {
	const char *at, *end;
};

/* Borrows 'body'. */
void event_stream_init(struct event_stream *s, const char *body, size_t length);
/* The data of the next event replaces what 'ret' holds; false at the end. */
bool event_stream_next(struct event_stream *s, struct strbuf *ret);

#endif
