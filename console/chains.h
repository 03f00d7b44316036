/*
 * chains -- the audit logs of a folder, one chain a program, and their proof.
 *
 * Each log anchors the others: verifying reads what every log remembers of its
 * peers' heads before it judges any of them.
 */
#ifndef CONSOLE_CHAINS_H
#define CONSOLE_CHAINS_H

#include "guard/audit.h"

enum { CHAINS_MAX = 64, CHAINS_NAME_BYTES = 33 };

struct chains {
	char program[CHAINS_MAX][CHAINS_NAME_BYTES]; /* sorted */
	size_t count;
};

bool chains_list(const struct statedir *dir, struct chains *ret, struct error *err);

/* 'err' is set when the log could not be read at all; 'r' is of no use then. */
typedef void chains_verdict(void *context, const char *program,
			    const struct audit_report *r, const struct error *err);
void chains_verify(const struct statedir *dir, const struct chains *chains,
		   chains_verdict *verdict, void *context);

#endif
