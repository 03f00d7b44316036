#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/secret_private.h"

struct secret *secret_new(const void *bytes, size_t length)
{
	if (length > SECRET_MAX)
		return NULL;
	struct secret *s = malloc(sizeof *s + length + 1);
	if (!s)
		return NULL;
	s->length = length;
	if (length > 0)
		memcpy(s->bytes, bytes, length);
	s->bytes[length] = '\0';
	return s;
}

void secret_free(struct secret *s)
{
	if (!s)
		return;
	explicit_bzero(s->bytes, s->length);
	free(s);
}

const void *secret_bytes(const struct secret *s)
{
	return s->bytes;
}

size_t secret_length(const struct secret *s)
{
	return s->length;
}

/* Judged on the open descriptor: the name may mean another file a moment later. */
static bool check_private(int fd, const char *path, struct error *err)
{
	const uid_t me = geteuid();
	struct stat st;

	if (fstat(fd, &st) != 0)
		return error_errno(err, "cannot look at '%s'", path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERR_INTERNAL, "'%s' is no regular file", path);
	if (st.st_uid != me && st.st_uid != 0 && me != 0)
		return error_set(err, ERR_INTERNAL,
				 "secret '%s' belongs to somebody else", path);
	/* systemd credentials and mounted secrets belong to root, readable by our group. */
	mode_t forbidden = st.st_uid == 0 ? S_IRWXO | S_IWGRP | S_IXGRP
					  : S_IRWXO | S_IRWXG;
	if (st.st_mode & forbidden) {
		error_set(err, ERR_INTERNAL,
			  "others may read or write secret '%s' (mode %04o)", path,
			  (unsigned)(st.st_mode & 07777));
		return error_hint(err, "chmod 600 '%s'", path);
	}
	return true;
}

/* Into 'buffer' of SECRET_MAX + 1 bytes, which tells a file that is too long. */
static bool read_secret(int fd, const char *path, unsigned char *buffer,
			size_t *ret_length, struct error *err)
{
	size_t length = 0;

	while (length <= SECRET_MAX) {
		ssize_t n = read(fd, buffer + length, SECRET_MAX + 1 - length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, "cannot read '%s'", path);
		if (n == 0)
			break;
		length += (size_t)n;
	}
	if (length > SECRET_MAX)
		return error_set(err, ERR_INTERNAL, "secret '%s' is longer than %d bytes",
				 path, SECRET_MAX);
	*ret_length = length;
	return true;
}

static struct secret *secret_of_fd(int fd, const char *path, bool trim, struct error *err)
{
	unsigned char *buffer = malloc(SECRET_MAX + 1);
	struct secret *s = NULL;
	size_t length = 0;

	if (!buffer) {
		error_oom(err);
		return NULL;
	}
	if (read_secret(fd, path, buffer, &length, err)) {
		if (trim && length > 0 && buffer[length - 1] == '\n')
			length--;
		if (length == 0)
			error_set(err, ERR_INTERNAL, "secret '%s' is empty", path);
		else if (!(s = secret_new(buffer, length)))
			error_oom(err);
	}
	explicit_bzero(buffer, SECRET_MAX + 1);
	free(buffer);
	return s;
}

struct secret *secret_read(const char *path, bool trim, struct error *err)
{
	/* Without O_NONBLOCK a FIFO in the place of a key would stop the program. */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0) {
		if (errno == ENOENT)
			error_set(err, ERR_NOT_FOUND, "there is no secret '%s'", path);
		else
			error_errno(err, "cannot open secret '%s'", path);
		return NULL;
	}
	if (!check_private(fd, path, err))
		return NULL;
	return secret_of_fd(fd, path, trim, err);
}

struct secret *secret_create(const char *path, size_t length, struct error *err)
{
	if (length == 0 || length > SECRET_MAX) {
		error_set(err, ERR_INVALID_ARGUMENT, "a secret has 1 to %d bytes",
			  SECRET_MAX);
		return NULL;
	}
	unsigned char *bytes = malloc(length);
	if (!bytes) {
		error_oom(err);
		return NULL;
	}
	digest_random(bytes, length);
	bool done = file_create(path, bytes, length, 0600, err);
	explicit_bzero(bytes, length);
	free(bytes);
	return done ? secret_read(path, false, err) : NULL;
}
