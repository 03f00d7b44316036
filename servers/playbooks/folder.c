#include "servers/playbooks/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "servers/playbooks/page.h"

struct walk {
	const struct folder_reader *reader;
	struct strbuf path;
	size_t entries;
};

static bool is_markdown(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && (strcasecmp(dot, ".md") == 0 || strcasecmp(dot, ".markdown") == 0);
}

static void skip(const struct walk *w, const char *why)
{
	w->reader->skip(w->reader->context, w->path.data, why);
}

static bool walk_file(struct walk *w, int at, const char *name, struct error *err)
{
	_cleanup_close_ int fd =
		openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct folder_file file = { .path = w->path.data };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0) {
		skip(w, errno == ELOOP ? "it is a symbolic link" : strerror(errno));
		return true;
	}
	if (!S_ISREG(st.st_mode)) {
		skip(w, "it is no regular file");
		return true;
	}
	if (st.st_size > PAGE_BYTES_MAX) {
		skip(w, "it is larger than 1 MiB");
		return true;
	}
	file.size = st.st_size;
	file.changed_ms = st.st_mtim.tv_sec * INT64_C(1000) +
			  st.st_mtim.tv_nsec / 1000000;
	(void)snprintf(file.stamp, sizeof file.stamp, "%lld %lld.%09ld %lld.%09ld %llu",
		       (long long)st.st_size, (long long)st.st_mtim.tv_sec,
		       st.st_mtim.tv_nsec, (long long)st.st_ctim.tv_sec,
		       st.st_ctim.tv_nsec, (unsigned long long)st.st_ino);
	return w->reader->file(w->reader->context, &file, fd, err);
}

static bool walk_folder(struct walk *w, int at, const char *name, int depth,
			struct error *err);

static bool walk_entry(struct walk *w, int fd, const struct dirent *entry, int depth,
		       struct error *err)
{
	const size_t length = w->path.length;
	struct stat st;
	bool ok = true;

	if (entry->d_name[0] == '.')
		return true;
	if (++w->entries > FOLDER_ENTRIES_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the folder has more than %d entries",
				 FOLDER_ENTRIES_MAX);
	strbuf_add_format(&w->path, "%s%s", length ? "/" : "", entry->d_name);
	if (!strbuf_ok(&w->path))
		return error_oom(err);
	if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		skip(w, strerror(errno));
	else if (S_ISDIR(st.st_mode))
		ok = walk_folder(w, fd, entry->d_name, depth + 1, err);
	else if (is_markdown(entry->d_name))
		ok = walk_file(w, fd, entry->d_name, err);
	else if (S_ISLNK(st.st_mode))
		skip(w, "it is a symbolic link");
	strbuf_truncate(&w->path, length);
	return ok;
}

static int compare_names(const void *left, const void *right)
{
	return strcmp((*(struct dirent *const *)left)->d_name,
		      (*(struct dirent *const *)right)->d_name);
}

static void free_entries(struct dirent **entries, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
}

static bool read_entries(DIR *d, struct dirent ***ret, size_t *ret_count,
			 struct error *err)
{
	size_t count = 0, room = 0;
	struct dirent **entries = NULL, *entry;

	while ((entry = readdir(d)) && count <= FOLDER_ENTRIES_MAX) {
		if (count == room) {
			room = 2 * room + 64;
			struct dirent **grown =
				reallocarray(entries, room, sizeof *grown);

			if (!grown) {
				free_entries(entries, count);
				return error_oom(err);
			}
			entries = grown;
		}
		const size_t bytes = offsetof(struct dirent, d_name) +
				     strlen(entry->d_name) + 1;
		entries[count] = malloc(bytes > sizeof *entry ? bytes : sizeof *entry);
		if (!entries[count]) {
			free_entries(entries, count);
			return error_oom(err);
		}
		memcpy(entries[count++], entry, bytes);
	}
	if (count > 1)
		qsort(entries, count, sizeof(struct dirent *), compare_names);
	*ret = entries;
	*ret_count = count;
	return true;
}

static bool walk_folder(struct walk *w, int at, const char *name, int depth,
			struct error *err)
{
	const int fd =
		openat(at, name,
		       O_RDONLY | O_DIRECTORY | O_CLOEXEC | (depth > 0 ? O_NOFOLLOW : 0));
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent **entries = NULL;
	size_t count = 0;
	bool ok;

	if (!d) {
		if (fd >= 0)
			(void)close(fd);
		if (depth == 0)
			return error_set(err, ERR_BACKEND_UNAVAILABLE,
					 "cannot read the folder %s: %s", name,
					 strerror(errno));
		skip(w, strerror(errno));
		return true;
	}
	if (depth > FOLDER_DEPTH_MAX) {
		skip(w, "it lies deeper than 16 folders");
		(void)closedir(d);
		return true;
	}
	ok = read_entries(d, &entries, &count, err);
	for (size_t i = 0; ok && i < count; i++)
		ok = walk_entry(w, dirfd(d), entries[i], depth, err);
	free_entries(entries, count);
	(void)closedir(d);
	return ok;
}

bool folder_walk(const char *folder, const struct folder_reader *reader,
		 struct error *err)
{
	struct walk w = { .reader = reader, .path = STRBUF_INIT };
	const bool ok = walk_folder(&w, AT_FDCWD, folder, 0, err);

	strbuf_done(&w.path);
	return ok;
}
