#include "console/audit_stream.h"

#include <fcntl.h>
#include <stdio.h>

struct audit_stream {
	char *folder, *program;
	struct audit_files files;
	size_t now, first; /* the file that is read, and the first one that was */
	FILE *file;
	char *text; /* the line last read */
	size_t size;
};

void audit_stream_close(struct audit_stream *s)
{
	if (!s)
		return;
	if (s->file)
		(void)fclose(s->file);
	audit_files_done(&s->files);
	free(s->folder);
	free(s->program);
	free(s->text);
	free(s);
}

static bool open_file(struct audit_stream *s, size_t n, struct error *err)
{
	const char *path = s->files.file[n].path;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (s->file)
		(void)fclose(s->file);
	s->file = fd < 0 ? NULL : fdopen(fd, "r");
	if (!s->file)
		return error_errno(err, "cannot read '%s'", path);
	(void)TAKE_FD(fd);
	s->now = n;
	return true;
}

struct audit_stream *audit_stream_open(const char *folder, const char *program,
				       size_t files, struct error *err)
{
	_cleanup_(audit_stream_closep) struct audit_stream *s = calloc(1, sizeof *s);

	if (!s || !(s->folder = strdup(folder)) || !(s->program = strdup(program))) {
		error_oom(err);
		return NULL;
	}
	if (!audit_files_list(folder, program, &s->files, err))
		return NULL;
	if (s->files.count == 0) {
		error_set(err, ERR_NOT_FOUND, "there is no log of '%s'", program);
		return NULL;
	}
	if (files > 0 && files < s->files.count)
		s->first = s->files.count - files;
	return open_file(s, s->first, err) ? TAKE(s) : NULL;
}

bool audit_stream_has_more(const struct audit_stream *s)
{
	return s->first > 0;
}

static const char *read_line(struct audit_stream *s)
{
	/* Without a file: the next one could not be opened, and is tried again. */
	const ssize_t n = s->file ? getline(&s->text, &s->size, s->file) : -1;

	if (!s->file)
		return NULL;
	if (n > 0 && s->text[n - 1] == '\n') {
		s->text[n - 1] = '\0';
		return s->text;
	}
	if (n > 0)
		(void)fseek(s->file, -(long)n, SEEK_CUR);
	clearerr(s->file);
	return NULL;
}

/* Files that were begun since the list was made. */
static bool look_for_more(struct audit_stream *s)
{
	struct audit_files fresh = { 0 };
	struct error ignored = ERROR_INIT;
	size_t now = 0;

	if (!audit_files_list(s->folder, s->program, &fresh, &ignored))
		return false;
	while (now < fresh.count &&
	       strcmp(fresh.file[now].path, s->files.file[s->now].path) != 0)
		now++;
	if (now + 1 >= fresh.count) {
		audit_files_done(&fresh);
		return false;
	}
	audit_files_done(&s->files);
	s->files = fresh;
	s->now = now;
	return true;
}

const char *audit_stream_next(struct audit_stream *s)
{
	struct error ignored = ERROR_INIT;
	const char *line;

	for (;;) {
		/* A file is complete before the next one exists. So once that one was
		 * seen, what is left here is all there will be. */
		const bool has_next = s->now + 1 < s->files.count;
		if ((line = read_line(s)))
			return line;
		if (has_next ? !open_file(s, s->now + 1, &ignored) : !look_for_more(s))
			return NULL;
	}
}
