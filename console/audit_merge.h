/*
 * audit_merge -- the lines of all chains of a folder in the order of time.
 *
 * Each log keeps its own order. Of one millisecond a line that names the head of another
 * chain comes behind that chain's line. Reads what is there; see audit_stream.h.
 */
#ifndef CONSOLE_AUDIT_MERGE_H
#define CONSOLE_AUDIT_MERGE_H

#include "base/json.h"

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
 * own order. What is no JSON is left out. False at the end;
 * asked again when more was written, it goes on. */
bool audit_merge_next(struct audit_merge *m, struct audit_merged *ret);

#endif
