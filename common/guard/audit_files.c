#include "guard/audit_files.h"

#include <dirent.h>
#include <errno.h>

#include "base/file.h"
#include "base/strbuf.h"
#include "guard/names.h"

enum { SEQ_DIGITS = 12, SEQ_DIGITS_MAX = 18 };

static const char ending[] = ".jsonl";

/* ---- Names ---- */

/* "gate.jsonl" and "gate-000000081234.jsonl" are names; all else is not our business. */
static bool read_name(const char *name, char ret_program[static AUDIT_PROGRAM_BYTES],
		      struct audit_file_name *ret)
{
	const size_t length = strcspn(name, "-.");
	const char *at = name + length;
	size_t digits = 0;

	if (length == 0 || length >= AUDIT_PROGRAM_BYTES)
		return false;
	memcpy(ret_program, name, length);
	ret_program[length] = '\0';
	*ret = (struct audit_file_name){ .is_numbered = *at == '-' };
	if (ret->is_numbered) {
		digits = strspn(++at, "0123456789");
		/* One number has one name. */
		if (digits < SEQ_DIGITS || digits > SEQ_DIGITS_MAX ||
		    (digits > SEQ_DIGITS && *at == '0'))
			return false;
		ret->first_seq = strtoll(at, NULL, 10);
	}
	return name_is_server(ret_program) && strcmp(at + digits, ending) == 0;
}

void audit_files_read_name(char *path, struct audit_file_name *ret)
{
	const char *slash = strrchr(path, '/');
	char program[AUDIT_PROGRAM_BYTES];

	if (!read_name(slash ? slash + 1 : path, program, ret))
		*ret = (struct audit_file_name){ 0 };
	ret->path = path;
}

char *audit_files_path(const char *folder, const char *program, int64_t first_seq)
{
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT;

	strbuf_add_format(&path, "%s/%s/%s-%0*lld%s", folder, program, program,
			  SEQ_DIGITS, (long long)first_seq, ending);
	return strbuf_ok(&path) ? strbuf_take(&path) : NULL;
}

/* ---- Folders ---- */

typedef bool name_fn(void *context, const char *folder, const char *name,
		     struct error *err);

/* False also when 'fn' says so. A folder that is not there is empty if 'is_optional'. */
static bool each_name(const char *folder, bool is_optional, name_fn *fn, void *context,
		      struct error *err)
{
	DIR *d = opendir(folder);
	const struct dirent *entry;
	bool good = true;

	if (!d && is_optional && (errno == ENOENT || errno == ENOTDIR))
		return true;
	if (!d)
		return error_errno(err, "cannot read the audit folder '%s'", folder);
	while (good && (entry = readdir(d)))
		good = fn(context, folder, entry->d_name, err);
	(void)closedir(d);
	return good;
}

/* ---- The files of one ---- */

struct listing {
	const char *program;
	struct audit_file_name *file;
	size_t count, room;
};

static bool add_file(void *context, const char *folder, const char *name,
		     struct error *err)
{
	struct listing *l = context;
	char program[AUDIT_PROGRAM_BYTES];
	struct audit_file_name file;

	if (!read_name(name, program, &file) || strcmp(program, l->program) != 0)
		return true;
	if (l->count >= AUDIT_FILES_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "more than %d audit files in '%s'", AUDIT_FILES_MAX,
				 folder);
	if (l->count >= l->room) {
		const size_t room = l->room ? l->room * 2 : 16;
		struct audit_file_name *grown =
			reallocarray(l->file, room, sizeof *grown);
		if (!grown)
			return error_oom(err);
		l->file = grown;
		l->room = room;
	}
	if (!(file.path = file_join(folder, name)))
		return error_oom(err);
	l->file[l->count++] = file;
	return true;
}

static int by_place(const void *a, const void *b)
{
	const struct audit_file_name *one = a, *other = b;

	if (one->first_seq != other->first_seq)
		return one->first_seq < other->first_seq ? -1 : 1;
	if (one->is_numbered != other->is_numbered)
		return one->is_numbered ? 1 : -1;
	return strcmp(one->path, other->path);
}

void audit_files_done(struct audit_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		free(files->file[i].path);
	free(files->file);
	*files = (struct audit_files){ 0 };
}

bool audit_files_list(const char *folder, const char *program, struct audit_files *ret,
		      struct error *err)
{
	struct listing l = { .program = program };
	_cleanup_free_ char *own = file_join(folder, program);
	const bool good = own ? each_name(folder, false, add_file, &l, err) &&
					  each_name(own, true, add_file, &l, err)
			      : error_oom(err);
	struct audit_files files = { l.file, l.count };

	if (!good) {
		audit_files_done(&files);
		return false;
	}
	if (files.count > 1)
		qsort(files.file, files.count, sizeof *files.file, by_place);
	*ret = files;
	return true;
}

/* ---- All programs ---- */

static bool add_program(struct audit_programs *p, const char *name, struct error *err)
{
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->name[i], name) == 0)
			return true;
	if (p->count == AUDIT_PROGRAMS_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "more than %d programs have logs there",
				 AUDIT_PROGRAMS_MAX);
	(void)snprintf(p->name[p->count++], AUDIT_PROGRAM_BYTES, "%s", name);
	return true;
}

static bool see_file(void *context, const char *folder, const char *name,
		     struct error *err)
{
	char program[AUDIT_PROGRAM_BYTES];
	struct audit_file_name file;

	(void)folder;
	return !read_name(name, program, &file) || add_program(context, program, err);
}

/* A file, or a program's own folder with files of it. */
static bool see_name(void *context, const char *folder, const char *name,
		     struct error *err)
{
	if (!name_is_server(name))
		return see_file(context, folder, name, err);
	_cleanup_free_ char *own = file_join(folder, name);
	return own ? each_name(own, true, see_file, context, err) : error_oom(err);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

bool audit_files_programs(const char *folder, struct audit_programs *ret,
			  struct error *err)
{
	ret->count = 0;
	if (!each_name(folder, false, see_name, ret, err))
		return false;
	qsort(ret->name, ret->count, sizeof ret->name[0], by_name);
	return true;
}
