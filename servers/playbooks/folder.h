/*
 * folder -- the Markdown pages of a folder, which may be a git checkout.
 *
 * Files ending in .md or .markdown, at any depth, in the order of their names. Symbolic
 * links, devices and whatever begins with a dot are passed over, so that nothing outside
 * of the folder is read. Folders deeper than FOLDER_DEPTH_MAX and files larger than
 * PAGE_BYTES_MAX are told to 'skip' by name.
 */
#ifndef PLAYBOOKS_FOLDER_H
#define PLAYBOOKS_FOLDER_H

#include "base/error.h"
#include "base/strbuf.h"

enum { FOLDER_DEPTH_MAX = 16, FOLDER_ENTRIES_MAX = 200 * 1000 };

struct folder_file {
	const char *path; /* below the folder */
	int64_t size, changed_ms;
	char stamp[96]; /* differs when the file may have changed */
};

struct folder_reader {
	/* Of each file in turn; false ends the walk with 'err' as it is. */
	bool (*file)(void *context, const struct folder_file *file, int fd,
		     struct error *err);
	/* What was passed over, and why. */
	void (*skip)(void *context, const char *path, const char *why);
	void *context;
};

bool folder_walk(const char *folder, const struct folder_reader *reader,
		 struct error *err);

#endif
