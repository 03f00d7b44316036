/*
 * audit_stream -- the lines of a chain, file after file.
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

/* The next whole line without its newline, valid until the next call; NULL at the end;
 * asked again when more was written, it goes on. */
const char *audit_stream_next(struct audit_stream *s);
/* Whether there are files before the first one that is read. */
bool audit_stream_has_more(const struct audit_stream *s);

#endif
