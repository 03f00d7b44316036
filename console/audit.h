/*
 * audit -- what the verbs of 'wingman audit' are given; private to console/audit*.c.
 */
#ifndef CONSOLE_AUDIT_H
#define CONSOLE_AUDIT_H

#include "base/clock.h"
#include "base/options.h"
#include "console/console.h"

struct audit_options {
	int64_t lines;
	bool follow;
	const char *since, *program, *syslog;
	struct option_list keys, anchors;
};

/* Where the logs lie: 'given', or the suite's. New, or NULL and 'err'. */
char *audit_folder(const struct console *c, const char *given, struct error *err);

/* Prove the chains in 'folder' (NULL: the suite's), with what is known of them. */
int audit_verify_command(struct console *c, const struct audit_options *o,
			 const char *folder);
/* From proposal to read-back, over all logs. */
int audit_story(struct console *c, const char *approval, const char *folder);
/* Lines of all logs in the order of time, as they are, to stdout or syslog. */
int audit_export(struct console *c, const struct audit_options *o, const char *folder);
/* How long each person took to say yes, and every yes that came in under two seconds. */
int audit_review(struct console *c, const struct audit_options *o, const char *folder);
/* "2026-11-22T10:00:00Z", or "2h" for so long ago, as the logs write times. */
bool audit_read_since(const char *text, char ret[static CLOCK_TEXT_BYTES],
		      struct error *err);

#endif
