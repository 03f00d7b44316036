/*
 * audit_stream -- the lines of a chain, file after file, and of all chains of a folder
 * in the order of time. Of one millisecond a line that names the head of another chain
 * comes behind that chain's line.
 *
 * Reads what is there; whether it is true is for 'audit verify'. At its end a stream
 * waits: the next call gives what came since, the next file included. A line that is
 * being written waits for its end.
 */
#ifndef CONSOLE_AUDIT_STREAM_H
#define CONSOLE_AUDIT_STREAM_H

#include "base/json.h"
#include "guard/audit_files.h"

struct audit_stream;

/* From the last 'files' files on; 0: all of them. */
struct audit_stream *audit_stream_open(const char *folder, const char *program,
				       size_t files, struct error *err) _must_use_;
void audit_stream_close(struct audit_stream *s);
DEFINE_CLEANUP(struct audit_stream, audit_stream_close);

/* The next whole line without its newline, valid until the next call; NULL at the end,
 * for now. */
const char *audit_stream_next(struct audit_stream *s);
/* Whether there are files before the first one that is read. */
bool audit_stream_has_more(const struct audit_stream *s);

/* Of all programs, or of one alone. */
struct audit_merge;
struct audit_merge *audit_merge_open(const char *folder, const char *only,
				     struct error *err) _must_use_;
void audit_merge_close(struct audit_merge *m);
DEFINE_CLEANUP(struct audit_merge, audit_merge_close);

struct audit_merged {
	const char *text; /* as it stands in the log */
	const json_t *json;
	const char *at; /* "" if it has none */
};
/* Only lines that contain 'text'; NULL: all. Borrowed; to be set before the first. */
void audit_merge_want(struct audit_merge *m, const char *text);
/* The oldest line that was not given yet, valid until the next call; each log keeps its
 * own order. What is no JSON is left out. False at the end, for now. */
bool audit_merge_next(struct audit_merge *m, struct audit_merged *ret);

#endif
