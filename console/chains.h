/*
 * chains -- the audit logs of a folder, one chain a program, and their proof.
 *
 * Each log anchors the others: verifying reads what every log remembers of its
 * peers' heads before it judges any of them. A key that lies beside the log is as
 * trustworthy as whoever can write there; keys and anchors that are given count for more.
 */
#ifndef CONSOLE_CHAINS_H
#define CONSOLE_CHAINS_H

#include "guard/audit.h"
#include "guard/audit_files.h"

enum chains_key { CHAINS_KEY_NONE, CHAINS_KEY_BESIDE, CHAINS_KEY_GIVEN };

struct chains_known {
	struct {
		char program[AUDIT_PROGRAM_BYTES];
		struct verify_key *key;
	} keys[AUDIT_PROGRAMS_MAX];
	size_t key_count;
	struct audit_anchor *anchors;
	size_t anchor_count;
};
void chains_known_done(struct chains_known *known);

/* "PROGRAM=FILE", a public key. */
bool chains_add_key(struct chains_known *known, const char *text, struct error *err);
/* "PROGRAM:SEQ:HASH", a line as somebody remembers it. */
bool chains_add_anchor(struct chains_known *known, const char *text, struct error *err);

/* 'err' is set when the log could not be read at all; 'r' is of no use then. */
typedef void chains_verdict(void *context, const char *program,
			    const struct audit_report *r, enum chains_key key,
			    const struct error *err);
/*
 * Every chain in 'folder', and every one that 'known' speaks of and that is not there.
 * 'known' may be NULL. 'ret_count': how many verdicts.
 */
bool chains_verify(const char *folder, const struct chains_known *known,
		   chains_verdict *verdict, void *context, size_t *ret_count,
		   struct error *err);

#endif
