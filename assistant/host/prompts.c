#include "assistant/host/prompts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

static int is_note(const struct dirent *e)
{
	size_t length = strlen(e->d_name);

	return e->d_name[0] != '.' && length > 3 &&
	       strcmp(e->d_name + length - 3, ".md") == 0;
}

/* Ours or root's, and nobody else's to write. */
static bool check_owner(int fd, const char *name, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return error_errno(err, "cannot look at prompts/%s", name);
	if (S_ISREG(st.st_mode) && (st.st_uid == 0 || st.st_uid == geteuid()) &&
	    !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return true;
	return error_set(err, ERR_INVALID_ARGUMENT,
			 "prompts/%s is not the suite's own: others can write it", name);
}

static json_t *read_note(int folder, const char *name, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool ok;

	if (fd < 0) {
		error_errno(err, "cannot open prompts/%s", name);
		return NULL;
	}
	ok = check_owner(fd, name, err) && file_read_fd(fd, PROMPTS_FILE_MAX, &text, err);
	(void)close(fd);
	if (!ok)
		return NULL;
	if (!text_is_utf8(text.data, text.length) ||
	    memchr(text.data, '\0', text.length)) {
		error_set(err, ERR_INVALID_ARGUMENT, "prompts/%s is no UTF-8", name);
		return NULL;
	}
	return json_pack("{s:s, s:o}", "name", name, "text",
			 json_stringn(text.data, text.length));
}

json_t *prompts_read(const char *folder, struct error *err)
{
	json_auto_t *notes = json_array();
	struct dirent **list = NULL;
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int count = fd >= 0 ? scandir(folder, &list, is_note, alphasort) : 0;
	bool ok = notes != NULL;

	if (fd < 0 && errno != ENOENT)
		ok = error_errno(err, "cannot read the folder '%s'", folder);
	if (count > PROMPTS_FILES_MAX)
		ok = error_set(err, ERR_INVALID_ARGUMENT,
			       "prompts/ has more than %d notes", PROMPTS_FILES_MAX);
	for (int i = 0; i < count; i++) {
		json_t *note = ok ? read_note(fd, list[i]->d_name, err) : NULL;

		ok = note && json_array_append_new(notes, note) == 0;
		free(list[i]);
	}
	free(list);
	if (fd >= 0)
		(void)close(fd);
	return ok ? TAKE(notes) : NULL;
}
