/*
 * audit_file -- the file under an audit chain: opened once, grown at its end only.
 *
 * Private to guard. Locks the file against a second writer, moves a torn end out of
 * the way, keeps room allocated ahead, and writes so that a true answer means the
 * bytes are on the disk. Knows lines only by their newline. Not thread-safe, but one
 * thread may reserve while another writes.
 */
#ifndef GUARD_AUDIT_FILE_H
#define GUARD_AUDIT_FILE_H

#include <sys/types.h>

#include "base/error.h"
#include "base/strbuf.h"

struct audit_file {
	int fd;
	char *path;
	off_t size;         /* all of it synced */
	off_t reserved_end; /* up to where room is allocated */
	bool can_reserve;   /* the file system knows how */
};

/*
 * '*ret_last' gets the last whole line (no newline; "" in an empty file). A torn
 * end goes to '<path>.torn-<milliseconds>'; '*ret_torn' says how many bytes.
 * ERR_CONFLICT when another process has the file.
 */
bool audit_file_open(struct audit_file *f, const char *path, struct strbuf *ret_last,
		     size_t *ret_torn, struct error *err);
void audit_file_close(struct audit_file *f);

/* Allocate room for 'bytes' more than the file has. Takes 'ahead' more where it
 * can, so that few calls pay. True where the file system cannot reserve. */
bool audit_file_reserve(struct audit_file *f, size_t bytes, size_t ahead,
			struct error *err);

/* Append and sync; the caller then adds to 'size', under its lock. On failure the
 * file is cut back to 'size', if that is possible, and must not be written again. */
bool audit_file_write(const struct audit_file *f, const struct strbuf *bytes,
		      struct error *err);

#endif
