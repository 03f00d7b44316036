#include "guard/audit_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "guard/audit_files.h"

/* How much of the end is looked at when a log is opened: more than is ever written
 * without a sync. */
enum { TAIL_MAX = 8 * 1024 * 1024 };

/* ---- Opening ---- */

static bool sync_folder_of(const char *path, struct error *err)
{
	_cleanup_free_ char *dir = strdup(path);
	char *slash = dir ? strrchr(dir, '/') : NULL;

	if (!slash)
		return error_oom(err);
	*slash = '\0';
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return (fd >= 0 && fsync(fd) == 0) ||
	       error_errno(err, "cannot sync folder '%s'", dir);
}

static bool open_it(struct audit_file *f, int flags, struct error *err)
{
	struct stat st;

	f->fd = open(f->path,
		     O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY |
			     flags,
		     0600);
	if (f->fd < 0 || fstat(f->fd, &st) != 0)
		return error_errno(err, "cannot open audit log '%s'", f->path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERR_INTERNAL, "audit log '%s' is no file", f->path);
	f->size = st.st_size;
	/* Nothing is written before the name is durable, so what holds something has one. */
	return f->size > 0 || sync_folder_of(f->path, err);
}

/* The folder of the files that follow is the lock: it stays when files are moved away. */
static bool lock_folder(const char *folder, const char *program, int *ret_fd,
			struct error *err)
{
	_cleanup_free_ char *own = file_join(folder, program);
	_cleanup_close_ int fd = -1;

	if (!own)
		return error_oom(err);
	if (!file_make_dir(own, 0700, err))
		return false;
	fd = open(own, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return error_errno(err, "cannot open audit folder '%s'", own);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			return error_set(err, ERR_CONFLICT,
					 "the audit log of '%s' is being written by "
					 "another process",
					 program);
		return error_errno(err, "cannot lock audit folder '%s'", own);
	}
	*ret_fd = TAKE_FD(fd);
	return true;
}

static bool read_tail(const struct audit_file *f, struct strbuf *tail, struct error *err)
{
	const size_t wanted = f->size > TAIL_MAX ? TAIL_MAX : (size_t)f->size;
	char *to = strbuf_reserve(tail, wanted);

	if (!to)
		return error_oom(err);
	for (size_t done = 0; done < wanted;) {
		ssize_t n = pread(f->fd, to + done, wanted - done,
				  f->size - (off_t)(wanted - done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_errno(err, "cannot read audit log '%s'", f->path);
		done += (size_t)n;
	}
	strbuf_commit(tail, wanted);
	return true;
}

/* Length of the whole lines: up to the last newline, or, since a power cut can
 * leave a hole of zeros where blocks were not written, the last before a NUL. */
static size_t whole_lines(const struct strbuf *tail)
{
	const char *hole = memchr(tail->data, '\0', tail->length);
	const size_t sound = hole ? (size_t)(hole - tail->data) : tail->length;
	const char *newline = memrchr(tail->data, '\n', sound);

	return newline ? (size_t)(newline + 1 - tail->data) : 0;
}

static bool move_torn(struct audit_file *f, const char *torn, size_t length,
		      struct error *err)
{
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT;

	strbuf_add_format(&path, "%s.torn-%lld", f->path, (long long)clock_wall_ms());
	if (!strbuf_ok(&path))
		return error_oom(err);
	if (!file_create(path.data, torn, length, 0600, err))
		return false;
	f->size -= (off_t)length;
	return (ftruncate(f->fd, f->size) == 0 && fdatasync(f->fd) == 0) ||
	       error_errno(err, "cannot cut the torn end off audit log '%s'", f->path);
}

static bool recover(struct audit_file *f, struct audit_file_end *ret, struct error *err)
{
	_cleanup_strbuf_ struct strbuf tail = STRBUF_INIT;

	if (!read_tail(f, &tail, err))
		return false;
	const size_t whole = whole_lines(&tail);
	const size_t torn = tail.length - whole;
	if (whole == 0 && f->size > TAIL_MAX)
		return error_set(err, ERR_INTERNAL,
				 "audit log '%s' has no line near its end", f->path);
	if (whole > 0) {
		const char *before = memrchr(tail.data, '\n', whole - 1);
		const size_t begin = before ? (size_t)(before + 1 - tail.data) : 0;
		strbuf_add(&ret->last, tail.data + begin, whole - 1 - begin);
		if (!strbuf_ok(&ret->last))
			return error_oom(err);
	}
	ret->torn_bytes = torn;
	return torn == 0 || move_torn(f, tail.data + whole, torn, err);
}

/* The process before us fell when it had begun the last file and written nothing there:
 * the chain ends in the file before it, which is complete. */
static bool read_end_before(const char *path, struct audit_file_end *ret,
			    struct error *err)
{
	struct audit_file before = { .fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
							      O_NOCTTY) };
	_cleanup_close_ int fd = before.fd;
	struct audit_file_end end = AUDIT_FILE_END_INIT;
	_cleanup_strbuf_ struct strbuf tail = STRBUF_INIT;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return error_errno(err, "cannot read audit log '%s'", path);
	before.path = (char *)(uintptr_t)path;
	before.size = st.st_size;
	if (!read_tail(&before, &tail, err))
		return false;
	if (tail.length == 0 || whole_lines(&tail) != tail.length)
		return error_set(err, ERR_INTERNAL,
				 "audit log '%s' does not end with a line", path);
	if (!recover(&before, &end, err))
		return false;
	ret->last = end.last;
	return true;
}

static bool open_last(struct audit_file *f, const char *folder, const char *program,
		      struct audit_file_end *ret, struct error *err)
{
	_cleanup_audit_files_ struct audit_files files = { 0 };

	if (!audit_files_list(folder, program, &files, err))
		return false;
	const struct audit_file_name *last =
		files.count > 0 ? &files.file[files.count - 1] : NULL;
	if (last)
		f->path = strdup(last->path);
	else if (asprintf(&f->path, "%s/%s.jsonl", folder, program) < 0)
		f->path = NULL;
	if (!f->path)
		return error_oom(err);
	if (!open_it(f, 0, err) || !recover(f, ret, err))
		return false;
	if (!last || !last->is_numbered || f->size > 0)
		return true;
	ret->promised_seq = last->first_seq;
	if (files.count == 1)
		return error_set(err, ERR_INTERNAL,
				 "audit log '%s' is empty, and the file before it is not "
				 "there",
				 f->path);
	return read_end_before(files.file[files.count - 2].path, ret, err);
}

bool audit_file_open(struct audit_file *f, const char *folder, const char *program,
		     int *ret_lock_fd, struct audit_file_end *ret, struct error *err)
{
	*f = (struct audit_file){ .fd = -1, .can_reserve = true };
	return lock_folder(folder, program, ret_lock_fd, err) &&
	       open_last(f, folder, program, ret, err);
}

bool audit_file_next(struct audit_file *ret, const char *folder, const char *program,
		     int64_t first_seq, size_t bytes, struct error *err)
{
	struct audit_file f = { .fd = -1, .can_reserve = true };

	if (!(f.path = audit_files_path(folder, program, first_seq)))
		return error_oom(err);
	if (open_it(&f, O_EXCL, err) && audit_file_reserve(&f, bytes, 0, err)) {
		*ret = f;
		return true;
	}
	if (f.fd >= 0)
		(void)unlink(f.path);
	audit_file_close(&f);
	return false;
}

void audit_file_close(struct audit_file *f)
{
	cleanup_close(&f->fd);
	free(f->path);
	*f = (struct audit_file){ .fd = -1 };
}

/* ---- Growing ---- */

static bool allocate(const struct audit_file *f, off_t end)
{
	int rc;

	do
		rc = fallocate(f->fd, FALLOC_FL_KEEP_SIZE, f->size, end - f->size);
	while (rc != 0 && errno == EINTR);
	return rc == 0;
}

bool audit_file_reserve(struct audit_file *f, size_t bytes, size_t ahead,
			struct error *err)
{
	const off_t least = f->size + (off_t)bytes;

	if (!f->can_reserve || f->reserved_end >= least)
		return true;
	if (allocate(f, least + (off_t)ahead)) {
		f->reserved_end = least + (off_t)ahead;
	} else if (allocate(f, least)) {
		f->reserved_end = least;
	} else if (errno == EOPNOTSUPP || errno == ENOSYS) {
		f->can_reserve = false;
	} else {
		error_errno(err, "no room is left for the audit log '%s'", f->path);
		return error_hint(err,
				  "make room on the disk that holds it, then try again");
	}
	return true;
}

static bool append(const struct audit_file *f, const char *data, size_t bytes)
{
	for (size_t done = 0; done < bytes;) {
		ssize_t n = write(f->fd, data + done, bytes - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

static bool put(const struct audit_file *f, const char *data, size_t bytes, bool syncs,
		struct error *err)
{
	if (append(f, data, bytes) && (!syncs || fdatasync(f->fd) == 0))
		return true;
	error_errno(err, "cannot write the audit log '%s'", f->path);
	error_hint(err,
		   "make room on the disk that holds it, then start the program again");
	/* What nobody was told of must not stand there half. */
	if (ftruncate(f->fd, f->size) != 0 || fdatasync(f->fd) != 0)
		error_cause(err, "its torn end cannot be cut off either");
	return false;
}

bool audit_file_write(const struct audit_file *f, const char *data, size_t bytes,
		      struct error *err)
{
	return put(f, data, bytes, true, err);
}

bool audit_file_begin(const struct audit_file *f, const char *data, size_t bytes,
		      struct error *err)
{
	return put(f, data, bytes, false, err);
}

void audit_file_complete(const struct audit_file *f)
{
	/* On its size nothing depends, so neither does anything on whether this works. */
	if (ftruncate(f->fd, f->size) != 0)
		(void)posix_fadvise(f->fd, 0, 0, POSIX_FADV_DONTNEED);
}
