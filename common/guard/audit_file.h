/*
 * audit_file -- the file at the end of an audit chain: opened once, grown at its end,
 * and followed by the next one when it is large enough.
 *
 * Private to guard. Locks a chain's folder against a second writer, moves a torn end out
 * of the way, keeps room allocated ahead, and writes so that a true answer means the
 * bytes are on the disk. Knows lines only by their newline, and files by their names
 * (audit_files.h). Not thread-safe, but one thread may reserve while another writes.
 */
#ifndef GUARD_AUDIT_FILE_H
#define GUARD_AUDIT_FILE_H

#include <sys/types.h>

#include "base/error.h"
#include "base/strbuf.h"

struct audit_file {
	int fd;
	char *path;
	off_t size;         /* all of it synced, once audit_file_write was true */
	off_t reserved_end; /* up to where room is allocated */
	bool can_reserve;   /* the file system knows how */
};

/* What was found at open. */
struct audit_file_end {
	struct strbuf last;   /* the last whole line (no newline); "" in an empty chain */
	size_t torn_bytes;    /* moved to '<path>.torn-<milliseconds>' */
	int64_t promised_seq; /* of a file that was begun and has no line yet; else -1 */
};
#define AUDIT_FILE_END_INIT                                                              \
	{                                                                                \
		STRBUF_INIT, 0, -1                                                       \
	}

/*
 * Take the lock ('*ret_lock_fd', to be closed last) and open the last file of the chain
 * of 'program' in 'folder', or begin it. ERR_CONFLICT when another process has it.
 */
bool audit_file_open(struct audit_file *f, const char *folder, const char *program,
		     int *ret_lock_fd, struct audit_file_end *ret, struct error *err);
void audit_file_close(struct audit_file *f);

/* Begin the file that 'first_seq' will stand in, with room for 'bytes': it is there,
 * empty, when this returns true, and is not there when it returns false. */
bool audit_file_next(struct audit_file *ret, const char *folder, const char *program,
		     int64_t first_seq, size_t bytes, struct error *err);

/* Allocate room for 'bytes' more than the file has. Takes 'ahead' more where it
 * can, so that few calls pay. True where the file system cannot reserve. */
bool audit_file_reserve(struct audit_file *f, size_t bytes, size_t ahead,
			struct error *err);

/* Append and sync; the caller then adds to 'size', under its lock. On failure the
 * file is cut back to 'size', if that is possible, and must not be written again. */
bool audit_file_write(const struct audit_file *f, const char *data, size_t bytes,
		      struct error *err);

/* The same without waiting for the disk: what is written next takes it along. */
bool audit_file_begin(const struct audit_file *f, const char *data, size_t bytes,
		      struct error *err);

/* Give room that is not needed any more back: the file is complete. */
void audit_file_complete(const struct audit_file *f);

#endif
