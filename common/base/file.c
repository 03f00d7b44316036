#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

bool file_read(const char *path, size_t max_bytes, struct strbuf *ret, struct error *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct error why = ERROR_INIT;

	if (fd < 0) {
		int reason = errno;
		if (reason == ENOENT)
			return error_set(err, ERR_NOT_FOUND, "there is no file '%s'",
					 path);
		return error_errno(err, "cannot open '%s'", path);
	}
	if (file_read_fd(fd, max_bytes, ret, &why))
		return true;
	return error_set(err, why.code, "cannot read '%s': %s", path, why.message);
}

bool file_read_fd(int fd, size_t max_bytes, struct strbuf *ret, struct error *err)
{
	const size_t before = ret->length;
	struct stat st;
	size_t step = 64 * 1024;

	/* The size is a hint that saves growing; pipes and /proc have none. */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
	    (uintmax_t)st.st_size <= max_bytes)
		step = (size_t)st.st_size + 1;
	for (;;) {
		char *to = strbuf_reserve(ret, step);
		if (!to) {
			strbuf_truncate(ret, before);
			return error_oom(err);
		}
		ssize_t n = read(fd, to, step);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			error_errno(err, "read failed");
			strbuf_truncate(ret, before);
			return false;
		}
		if (n == 0)
			return true;
		strbuf_commit(ret, (size_t)n);
		if (ret->length - before > max_bytes) {
			strbuf_truncate(ret, before);
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "longer than %zu bytes", max_bytes);
		}
		step = 64 * 1024;
	}
}

static bool write_all(int fd, const void *data, size_t length)
{
	const char *p = data;

	while (length > 0) {
		ssize_t n = write(fd, p, length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		p += n;
		length -= (size_t)n;
	}
	return true;
}

/* A rename survives a power cut only once its folder is on the disk. */
static bool sync_folder_of(const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *dir = slash == path ? strdup("/")
				   : slash       ? strndup(path, (size_t)(slash - path))
						 : strdup(".");
	if (!dir)
		return error_oom(err);
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0)
		return error_errno(err, "cannot sync folder '%s'", dir);
	return true;
}

static bool fill_temporary(int fd, const char *path, const void *data, size_t length,
			   mode_t mode, struct error *err)
{
	if (fchmod(fd, mode) != 0 || !write_all(fd, data, length) || fsync(fd) != 0)
		return error_errno(err, "cannot write '%s'", path);
	return true;
}

/* link() instead of RENAME_NOREPLACE: it does not replace on any file system. */
static bool give_name(const char *temporary, const char *path, bool must_be_new,
		      struct error *err)
{
	if (!must_be_new) {
		if (rename(temporary, path) != 0)
			return error_errno(err, "cannot rename to '%s'", path);
		return true;
	}
	if (link(temporary, path) != 0) {
		if (errno == EEXIST)
			return error_set(err, ERR_CONFLICT, "'%s' exists already", path);
		return error_errno(err, "cannot create '%s'", path);
	}
	(void)unlink(temporary);
	return true;
}

static bool put_file(const char *path, const void *data, size_t length, mode_t mode,
		     bool must_be_new, struct error *err)
{
	_cleanup_strbuf_ struct strbuf temporary = STRBUF_INIT;

	strbuf_add_format(&temporary, "%s.new-XXXXXX", path);
	if (!strbuf_ok(&temporary))
		return error_oom(err);
	_cleanup_close_ int fd = mkostemp(temporary.data, O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "cannot create '%s'", path);
	if (!fill_temporary(fd, path, data, length, mode, err) ||
	    !give_name(temporary.data, path, must_be_new, err)) {
		(void)unlink(temporary.data);
		return false;
	}
	return sync_folder_of(path, err);
}

bool file_write(const char *path, const void *data, size_t length, mode_t mode,
		struct error *err)
{
	return put_file(path, data, length, mode, false, err);
}

bool file_create(const char *path, const void *data, size_t length, mode_t mode,
		 struct error *err)
{
	return put_file(path, data, length, mode, true, err);
}

static bool make_one_dir(const char *path, mode_t mode, struct error *err)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return true;
	int reason = errno;
	if (stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return true;
		return error_set(err, ERR_INTERNAL, "'%s' is no folder", path);
	}
	errno = reason;
	return error_errno(err, "cannot create folder '%s'", path);
}

bool file_make_dir(const char *path, mode_t mode, struct error *err)
{
	struct stat st;

	if (!*path)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the name of a folder is empty");
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return true;
	_cleanup_free_ char *part = strdup(path);
	if (!part)
		return error_oom(err);
	for (char *p = part + 1; *p; p++) {
		if (*p != '/' || p[-1] == '/')
			continue;
		*p = '\0';
		if (!make_one_dir(part, mode, err))
			return false;
		*p = '/';
	}
	return make_one_dir(part, mode, err);
}

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

char *file_join(const char *dir, const char *name)
{
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
	size_t length = strlen(dir);

	strbuf_add(&path, dir, length);
	if (length > 0 && dir[length - 1] != '/')
		strbuf_add_char(&path, '/');
	strbuf_add_string(&path, name);
	return strbuf_take(&path);
}

char *file_beside_program(const char *name)
{
	char own[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", own, sizeof own);

	/* One that just fits may have been cut. */
	if (length <= 0 || length == sizeof own)
		return NULL;
	own[length] = '\0';
	char *slash = strrchr(own, '/');
	if (!slash)
		return NULL;
	*slash = '\0';
	return file_join(own, name);
}

static bool lock_is_held(int fd, const char *path, struct error *err)
{
	char pid[16];
	ssize_t n = pread(fd, pid, sizeof pid - 1, 0);

	pid[n > 0 ? n : 0] = '\0';
	pid[strspn(pid, "0123456789")] = '\0';
	error_set(err, ERR_CONFLICT, "'%s' is held by process %s", path,
		  *pid ? pid : "(unknown)");
	return error_hint(err,
			  "end that one first: two of one program never share a folder");
}

bool file_lock(const char *path, int *ret_fd, struct error *err)
{
	_cleanup_close_ int fd =
		open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat st;
	char pid[24];

	if (fd < 0)
		return error_errno(err, "cannot open lock '%s'", path);
	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			return lock_is_held(fd, path, err);
		if (errno != EINTR)
			return error_errno(err, "cannot lock '%s'", path);
	}
	int length = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
	/* Over what is there: an empty file would have the disk give its block back and
	 * take one again. Who reads stops at the end of the line. */
	if (pwrite(fd, pid, (size_t)length, 0) != length || fstat(fd, &st) != 0 ||
	    (st.st_size > length && ftruncate(fd, length) != 0))
		return error_errno(err, "cannot write lock '%s'", path);
	*ret_fd = TAKE_FD(fd);
	return true;
}
