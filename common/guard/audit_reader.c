#include "guard/audit_line.h"

#include <errno.h>
#include <fcntl.h>

enum { BUFFER = 4 * AUDIT_LINE_MAX, WAIT_TRIES = 10, WAIT_US = 20 * 1000 };

struct audit_reader {
	int fd;
	size_t begin, end; /* of what is in the buffer and not given out */
	char buffer[BUFFER];
};

struct audit_reader *audit_reader_open(const char *path, struct error *err)
{
	_cleanup_(audit_reader_closep) struct audit_reader *r = malloc(sizeof *r);

	if (!r) {
		error_oom(err);
		return NULL;
	}
	r->begin = r->end = 0;
	r->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (r->fd < 0 && errno == ENOENT)
		error_set(err, ERR_NOT_FOUND, "there is no audit log '%s'", path);
	else if (r->fd < 0)
		error_errno(err, "cannot open audit log '%s'", path);
	return r->fd < 0 ? NULL : TAKE(r);
}

void audit_reader_close(struct audit_reader *r)
{
	if (!r)
		return;
	cleanup_close(&r->fd);
	free(r);
}

/* More bytes behind those that are there; false with 'err' unset at the end. */
static bool fill(struct audit_reader *r, struct error *err)
{
	ssize_t n;

	memmove(r->buffer, r->buffer + r->begin, r->end - r->begin);
	r->end -= r->begin;
	r->begin = 0;
	do
		n = read(r->fd, r->buffer + r->end, BUFFER - r->end);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_errno(err, "cannot read the audit log");
	r->end += (size_t)n;
	return n > 0;
}

enum audit_read audit_reader_next(struct audit_reader *r, const char **ret_text,
				  size_t *ret_length, struct error *err)
{
	for (int waits = 0;;) {
		const char *text = r->buffer + r->begin;
		const size_t there = r->end - r->begin;
		const char *newline = memchr(text, '\n', there);
		if (newline && (size_t)(newline - text) < AUDIT_LINE_MAX) {
			*ret_text = text;
			*ret_length = (size_t)(newline - text);
			r->begin += *ret_length + 1;
			return AUDIT_READ_LINE;
		}
		if (newline || there >= AUDIT_LINE_MAX)
			return AUDIT_READ_TOO_LONG;
		if (fill(r, err))
			continue;
		if (error_is_set(err))
			return AUDIT_READ_FAILED;
		if (there == 0)
			return AUDIT_READ_END;
		if (waits++ == WAIT_TRIES)
			return AUDIT_READ_TORN;
		(void)usleep(WAIT_US);
	}
}
