/*
 * testing -- what unit tests share: cmocka, folders that go away, errors.
 *
 * For *-test.c alone. A test that cannot get its folder fails.
 */
#ifndef BASE_TESTING_H
#define BASE_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

enum { TESTING_PATH_BYTES = 256 };

/* A new private folder, its name in 'path'; ended by testing_remove. */
static inline void testing_folder(char path[static TESTING_PATH_BYTES])
{
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(path, TESTING_PATH_BYTES, "%s/wingman-test-XXXXXX",
		       tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(path));
}

static inline int testing_remove_one(const char *path, const struct stat *st, int type,
				     struct FTW *walk)
{
	(void)st, (void)type, (void)walk;
	return remove(path);
}

static inline void testing_remove(const char *path)
{
	(void)nftw(path, testing_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Write a file as it stands, with this mode whatever the umask is. */
static inline void testing_put(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

/* The error has this code, and its message contains 'part'. It is cleared. */
static inline void testing_error(struct error *err, enum error_code code,
				 const char *part)
{
	assert_string_equal(error_name(err->code), error_name(code));
	if (part && !strstr(err->message, part))
		fail_msg("'%s' is not in '%s'", part, err->message);
	error_clear(err);
}

static inline void testing_no_error(const struct error *err)
{
	if (err->code != ERR_NONE)
		fail_msg("%s: %s (%s)", error_name(err->code), err->message, err->cause);
}

#endif
