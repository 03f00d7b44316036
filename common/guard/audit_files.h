/*
 * audit_files -- the files that one chain is written in, oldest first.
 *
 *   audit/gate.jsonl                     from seq 0 on
 *   audit/gate/gate-000000081234.jsonl   from seq 81234 on
 *
 * The last one is being written; all others are complete, end with a checkpoint, and
 * may be moved elsewhere, the oldest first. In a folder that was put together for an
 * inspection they may also lie side by side. The name promises the first 'seq';
 * whether it is kept is for audit_verify.c to judge. Knows names, not lines.
 */
#ifndef GUARD_AUDIT_FILES_H
#define GUARD_AUDIT_FILES_H

#include "base/error.h"

enum { AUDIT_PROGRAMS_MAX = 64, AUDIT_PROGRAM_BYTES = 33, AUDIT_FILES_MAX = 100 * 1000 };

struct audit_file_name {
	char *path;
	int64_t first_seq; /* that the name promises */
	bool is_numbered;  /* false: "<program>.jsonl", which begins with 0 */
};
struct audit_files {
	struct audit_file_name *file;
	size_t count;
};

/* Those of 'program' in 'folder'; none is no failure. */
bool audit_files_list(const char *folder, const char *program, struct audit_files *ret,
		      struct error *err);
void audit_files_done(struct audit_files *files);
#define _cleanup_audit_files_ _cleanup_(audit_files_done)

/* What the last part of 'path' promises; of any other name no more than seq 0. 'ret'
 * borrows the path. */
void audit_files_read_name(char *path, struct audit_file_name *ret);

/* "<folder>/<program>/<program>-<first seq>.jsonl"; new, NULL without memory. */
char *audit_files_path(const char *folder, const char *program,
		       int64_t first_seq) _must_use_;

struct audit_programs {
	char name[AUDIT_PROGRAMS_MAX][AUDIT_PROGRAM_BYTES]; /* sorted */
	size_t count;
};
/* Whose chains lie in 'folder'. ERR_INVALID_ARGUMENT for more than AUDIT_PROGRAMS_MAX. */
bool audit_files_programs(const char *folder, struct audit_programs *ret,
			  struct error *err);

#endif
