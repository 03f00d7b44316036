/*
 * bridge_lines -- bytes into lines, each with a limit. Pure.
 *
 * LF ends a line. One that is too long is said once, when it is, and skipped to its
 * end; so is one for which there is no memory.
 */
#ifndef MCP_BRIDGE_LINES_H
#define MCP_BRIDGE_LINES_H

#include "base/strbuf.h"

struct bridge_lines {
	size_t max;           /* bytes of a line, without its end */
	const char *at, *end; /* borrowed, what was fed and not read yet */
	struct strbuf line;   /* what came of one */
	bool is_given;        /* 'line' was handed out */
	bool is_skipping;     /* the rest of one that was too long */
};
#define BRIDGE_LINES_INIT(limit)                                                         \
	{                                                                                \
		.max = (limit), .line = STRBUF_INIT                                      \
	}
void bridge_lines_done(struct bridge_lines *l);

enum bridge_line { BRIDGE_LINE_NONE, BRIDGE_LINE_WHOLE, BRIDGE_LINE_TOO_LONG };

/* The next piece, borrowed until bridge_lines_next has asked for more. */
void bridge_lines_feed(struct bridge_lines *l, const char *bytes, size_t length);
/* '*ret' (NUL-terminated, may hold others) is valid until the next call. */
enum bridge_line bridge_lines_next(struct bridge_lines *l, const char **ret,
				   size_t *ret_length);
/* At the end of all: a last line without its end. */
enum bridge_line bridge_lines_last(struct bridge_lines *l, const char **ret,
				   size_t *ret_length);

#endif
