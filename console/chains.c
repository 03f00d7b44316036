#include "console/chains.h"

#include <dirent.h>

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

bool chains_list(const struct statedir *dir, struct chains *ret, struct error *err)
{
	static const char ending[] = ".jsonl";
	_cleanup_free_ char *path = statedir_path(dir, "audit");
	DIR *folder = path ? opendir(path) : NULL;
	struct dirent *entry;

	ret->count = 0;
	if (!folder)
		return error_errno(err, "cannot read the audit folder %s",
				   path ? path : "");
	while ((entry = readdir(folder)) && ret->count < CHAINS_MAX) {
		size_t length = strlen(entry->d_name), end = strlen(ending);

		if (length <= end || length - end >= CHAINS_NAME_BYTES ||
		    strcmp(entry->d_name + length - end, ending) != 0)
			continue;
		(void)snprintf(ret->program[ret->count++], CHAINS_NAME_BYTES, "%.*s",
			       (int)(length - end), entry->d_name);
	}
	(void)closedir(folder);
	qsort(ret->program, ret->count, sizeof ret->program[0], by_name);
	return true;
}

static void verify_one(const struct statedir *dir, const char *program,
		       const struct audit_anchor *anchors, size_t anchor_count,
		       chains_verdict *verdict, void *context)
{
	_cleanup_free_ char *path = statedir_path(dir, "audit/%s.jsonl", program);
	_cleanup_free_ char *key_path = statedir_path(dir, "audit/%s.pem", program);
	struct error err = ERROR_INIT, no_key = ERROR_INIT;
	struct audit_report report = { 0 };
	_cleanup_(verify_key_freep) struct verify_key *key =
		key_path ? verify_key_read(key_path, &no_key) : NULL;

	if (!path)
		error_oom(&err);
	else
		(void)audit_verify_file(path, program, key, anchors, anchor_count,
					&report, &err);
	verdict(context, program, &report, &err);
}

void chains_verify(const struct statedir *dir, const struct chains *chains,
		   chains_verdict *verdict, void *context)
{
	_cleanup_free_ struct audit_anchor *anchors = NULL;
	size_t anchor_count = 0;

	for (size_t i = 0; i < chains->count; i++) {
		_cleanup_free_ char *path =
			statedir_path(dir, "audit/%s.jsonl", chains->program[i]);
		struct error skipped = ERROR_INIT;

		/* A log that cannot be read for anchors is judged below. */
		if (path)
			(void)audit_collect_anchors(path, &anchors, &anchor_count,
						    &skipped);
	}
	for (size_t i = 0; i < chains->count; i++)
		verify_one(dir, chains->program[i], anchors, anchor_count, verdict,
			   context);
}
