/* Feed every file of a folder to a fuzzer, in order of names; TAP, one result a file. */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { INPUT_BYTES_MAX = 1024 * 1024 };

static int is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* False if the file cannot be read; a fuzzer that finds something does not return. */
static int replay(int folder, const char *name)
{
	/* Of exactly the right size, so that the sanitizers see a read behind the end. */
	uint8_t *whole = malloc(INPUT_BYTES_MAX), *data = NULL;
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = whole && fd >= 0 ? read(fd, whole, INPUT_BYTES_MAX) : -1;

	if (n >= 0 && (data = malloc((size_t)n + (n == 0))) != NULL) {
		memcpy(data, whole, (size_t)n);
		(void)LLVMFuzzerTestOneInput(data, (size_t)n);
	}
	if (fd >= 0)
		(void)close(fd);
	free(whole);
	free(data);
	return data != NULL;
}

int main(int argc, char **argv)
{
	struct dirent **entries = NULL;
	int folder = argc == 2 ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int count = folder >= 0 ? scandir(argv[1], &entries, is_input, alphasort) : -1;
	int failed = 0;

	if (count <= 0) {
		printf("Bail out! no corpus in '%s'\n", argc == 2 ? argv[1] : "");
		return 1;
	}
	printf("1..%d\n", count);
	for (int i = 0; i < count; i++) {
		/* Said first: when it crashes, the last line is the file. */
		printf("# %s\n", entries[i]->d_name);
		(void)fflush(stdout);
		if (!replay(folder, entries[i]->d_name)) {
			printf("not ");
			failed = 1;
		}
		printf("ok %d - %s\n", i + 1, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	(void)close(folder);
	return failed;
}
