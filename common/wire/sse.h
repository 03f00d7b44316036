/*
 * sse -- server-sent events, written and read.
 *
 * Writing makes one event a call, compact, its data on one line. Reading is strict and
 * takes a stream in whatever pieces it arrives: lines end in CR, LF or CRLF, a leading
 * BOM is dropped, comments, unknown fields, ids with a NUL and retries that are not all
 * digits are ignored, several data lines are joined by LF, an event without its blank
 * line is none. Whoever sends more than the reader's limit is refused, and then for
 * good. Bytes are not checked to be UTF-8: the reader of the data does that. Source:
 * PROTOCOL 2.5, which is the WHATWG's text. Knows nothing of HTTP or MCP.
 */
#ifndef WIRE_SSE_H
#define WIRE_SSE_H

#include "base/error.h"
#include "base/strbuf.h"

enum {
	SSE_ID_MAX = 1024,
	SSE_TYPE_MAX = 256,
	SSE_LINE_EXTRA = 64, /* of a line, beyond the limit on data: name, colon, space */
	SSE_RETRY_MAX_MS = 24 * 3600 * 1000,
};

/* ---- Writing ---- */

/* 'type' and 'id' may be NULL, 'retry_ms' negative: then there is no such line. Data
 * may be empty (priming events are). Line ends within data make further data lines.
 * A line end or NUL in 'type' or 'id' marks 'sb' as failed. */
void sse_write(struct strbuf *sb, const char *type, const char *id, int64_t retry_ms,
	       const char *data, size_t length);

/* ---- Reading ---- */

struct sse_event {
	const char *type; /* "message" if it said nothing */
	const char *id;   /* the last that was seen, as a client remembers; "" if none */
	const char *data; /* NUL-terminated; may be empty, and then is to be skipped */
	size_t length;
};

struct sse_reader {
	size_t data_max;
	const char *at, *end; /* borrowed, what was fed and not read yet */
	struct strbuf line;   /* its beginning, when a line was cut */
	struct strbuf data, type, id, last_id;
	int64_t retry_ms; /* the last that was seen; -1: none */
	bool has_data;
	bool is_begun;     /* behind the BOM, or where it would be */
	bool is_behind;    /* a CR, so that an LF is part of it */
	bool is_line_used; /* 'line' was whole, and is done with */
	bool is_told;      /* 'data' was given out */
	bool is_bad;
};
#define _cleanup_sse_reader_ _cleanup_(sse_reader_done)

enum sse_got { SSE_MORE, SSE_EVENT, SSE_BAD };

/* 'data_max' bytes of data in an event, and a little more in a line. */
void sse_reader_init(struct sse_reader *r, size_t data_max);
void sse_reader_done(struct sse_reader *r);
/* Give it the next piece, borrowed until sse_reader_next has asked for more. */
void sse_reader_feed(struct sse_reader *r, const char *bytes, size_t length);
/* SSE_EVENT fills 'ret', which is valid until the next call; SSE_MORE: all of the piece
 * is read; SSE_BAD: a limit was passed, or no memory. Call until SSE_MORE. */
enum sse_got sse_reader_next(struct sse_reader *r, struct sse_event *ret,
			     struct error *err);

#endif
