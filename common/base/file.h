/*
 * file -- whole files, read with a limit and written so that they survive.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <sys/types.h>

#include "base/error.h"
#include "base/strbuf.h"

/* Append the whole file to 'ret'; more than 'max_bytes' is ERR_INVALID_ARGUMENT, no
 * such file ERR_NOT_FOUND, all else ERR_INTERNAL. 'ret' is as before on failure. */
bool file_read(const char *path, size_t max_bytes, struct strbuf *ret, struct error *err);
/* All of a descriptor until its end. */
bool file_read_fd(int fd, size_t max_bytes, struct strbuf *ret, struct error *err);

/* Replace atomically: temporary file beside it, fsync, rename, fsync of the folder. */
bool file_write(const char *path, const void *data, size_t length, mode_t mode,
		struct error *err);
/* The same for a name that must be new: ERR_CONFLICT when it exists, which is then untouched. */
bool file_create(const char *path, const void *data, size_t length, mode_t mode,
		 struct error *err);

/* mkdir -p with this mode for what is new. */
bool file_make_dir(const char *path, mode_t mode, struct error *err);
bool file_exists(const char *path);
/* "dir/name" as a new string; NULL without memory. */
char *file_join(const char *dir, const char *name) _must_use_;
/* A name in the folder of the running program, as a new string; NULL where nobody can tell. */
char *file_beside_program(const char *name) _must_use_;
/* Take the lock file exclusively (flock) and keep it while the descriptor is
 * open; ERR_CONFLICT naming the holder's pid when somebody else has it. */
bool file_lock(const char *path, int *ret_fd, struct error *err);

#endif
