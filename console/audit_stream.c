#include "console/audit_stream.h"

#include <stdio.h>

/* ---- One chain ---- */

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
	FILE *file = fopen(path, "re");

	if (!file)
		return error_errno(err, "cannot read '%s'", path);
	if (s->file)
		(void)fclose(s->file);
	s->file = file;
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
	const ssize_t n = getline(&s->text, &s->size, s->file);

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

/* ---- All of them ---- */

struct source {
	struct audit_stream *stream;
	char *text; /* the line that waits; NULL: none */
	json_t *json;
};

struct audit_merge {
	struct source sources[AUDIT_PROGRAMS_MAX];
	size_t count;
	struct source given; /* what was given last */
	const char *wanted;
};

static void forget(struct source *s)
{
	free(s->text);
	json_decref(s->json);
	s->text = NULL;
	s->json = NULL;
}

void audit_merge_close(struct audit_merge *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->count; i++) {
		forget(&m->sources[i]);
		audit_stream_close(m->sources[i].stream);
	}
	forget(&m->given);
	free(m);
}

struct audit_merge *audit_merge_open(const char *folder, const char *only,
				     struct error *err)
{
	_cleanup_(audit_merge_closep) struct audit_merge *m = calloc(1, sizeof *m);
	struct audit_programs programs;

	if (!m) {
		error_oom(err);
		return NULL;
	}
	if (!audit_files_programs(folder, &programs, err))
		return NULL;
	for (size_t i = 0; i < programs.count; i++) {
		if (only && strcmp(only, programs.name[i]) != 0)
			continue;
		m->sources[m->count].stream =
			audit_stream_open(folder, programs.name[i], 0, err);
		if (!m->sources[m->count++].stream)
			return NULL;
	}
	if (only && m->count == 0) {
		error_set(err, ERR_NOT_FOUND, "there is no log of '%s'", only);
		return NULL;
	}
	return TAKE(m);
}

void audit_merge_want(struct audit_merge *m, const char *text)
{
	m->wanted = text;
}

static void refill(const struct audit_merge *m, struct source *s)
{
	struct error no_json = ERROR_INIT;
	const char *line;

	while (!s->json && (line = audit_stream_next(s->stream))) {
		if (m->wanted && !strstr(line, m->wanted))
			continue;
		error_clear(&no_json);
		forget(s);
		s->json = json_parse(line, strlen(line), JSON_SYNTAX, &no_json);
		if (s->json && !(s->text = strdup(line)))
			forget(s);
	}
}

static const char *at_of(const struct source *s)
{
	const char *at = json_get_string(s->json, "at");

	return at ? at : "";
}

bool audit_merge_next(struct audit_merge *m, struct audit_merged *ret)
{
	struct source *oldest = NULL;

	forget(&m->given);
	for (size_t i = 0; i < m->count; i++) {
		struct source *s = &m->sources[i];

		refill(m, s);
		/* The sources are in the order of their names: of the same moment the
		 * first one is first. */
		if (s->json && (!oldest || strcmp(at_of(s), at_of(oldest)) < 0))
			oldest = s;
	}
	if (!oldest)
		return false;
	m->given = (struct source){ NULL, oldest->text, oldest->json };
	oldest->text = NULL;
	oldest->json = NULL;
	*ret = (struct audit_merged){ m->given.text, m->given.json, at_of(&m->given) };
	return true;
}
