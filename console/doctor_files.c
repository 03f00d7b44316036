/* The part of doctor that looks at the disk. */
#include "console/doctor.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "console/chains.h"
#include "guard/token.h"

enum { REMEDY_BYTES = 512 };

/* --- folders and secrets -------------------------------------------------------- */

static void check_folder(struct doctor *d, const char *path)
{
	char remedy[REMEDY_BYTES];
	struct stat st;

	(void)snprintf(remedy, sizeof remedy, "chmod 700 '%s'", path);
	if (stat(path, &st) != 0) {
		doctor_say(
			d, DOCTOR_FAIL, "folder",
			"make it with 'wingman up', or name the right folder with --dir",
			"%s: %s", path, strerror(errno));
		return;
	}
	if (!S_ISDIR(st.st_mode))
		doctor_say(d, DOCTOR_FAIL, "folder", NULL, "%s is no folder", path);
	else if (st.st_mode & (S_IWGRP | S_IWOTH))
		doctor_say(d, DOCTOR_FAIL, "folder", remedy,
			   "%s can be written by others", path);
	else if (st.st_mode & (S_IRWXG | S_IRWXO))
		doctor_say(d, DOCTOR_WARN, "folder", remedy,
			   "%s can be looked into by others", path);
}

static bool has_ending(const char *name, const char *ending)
{
	size_t length = strlen(name), end = strlen(ending);

	return length > end && strcmp(name + length - end, ending) == 0;
}

/* True when nothing is wrong with this secret. */
static bool check_secret(struct doctor *d, const char *path)
{
	char remedy[REMEDY_BYTES];
	struct stat st;

	/* What we may not even look at, others may not either. */
	if (lstat(path, &st) != 0)
		return true;
	(void)snprintf(remedy, sizeof remedy,
		       "chmod 600 '%s', and replace what is in it: it may have been read",
		       path);
	if (!S_ISREG(st.st_mode)) {
		doctor_say(d, DOCTOR_FAIL, "secret", NULL, "%s is no plain file", path);
		return false;
	}
	if (st.st_mode & (S_IRWXG | S_IRWXO)) {
		doctor_say(d, DOCTOR_FAIL, "secret", remedy,
			   "%s can be reached by others (mode %04o)", path,
			   (unsigned)(st.st_mode & 07777));
		return false;
	}
	return true;
}

/* Every file below 'folder' that holds a secret by its name. */
static void check_secrets_in(struct doctor *d, const char *folder, size_t *count,
			     bool *good)
{
	static const char *const endings[] = { ".key", ".token", ".password" };
	_cleanup_free_ char *path = statedir_path(d->console->dir, "%s", folder);
	DIR *dir = path ? opendir(path) : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		_cleanup_free_ char *file = file_join(path, entry->d_name);
		bool is_secret = false;

		for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
			is_secret = is_secret || has_ending(entry->d_name, endings[i]);
		if (!is_secret || !file)
			continue;
		++*count;
		*good = check_secret(d, file) && *good;
	}
	if (dir)
		(void)closedir(dir);
}

static void check_secrets(struct doctor *d)
{
	DIR *root = opendir(statedir_root(d->console->dir));
	struct dirent *entry;
	size_t count = 0;
	bool good = true;

	while (root && (entry = readdir(root)))
		if (entry->d_name[0] != '.')
			check_secrets_in(d, entry->d_name, &count, &good);
	if (root)
		(void)closedir(root);
	if (count == 0)
		doctor_say(d, DOCTOR_FAIL, "secret",
			   "'wingman up' makes them at its first start",
			   "there are no keys and tokens yet");
	else if (good)
		doctor_say(d, DOCTOR_OK, "secret", NULL,
			   "%zu keys and tokens, none open to others", count);
}

static void check_tokens(struct doctor *d)
{
	_cleanup_free_ char *index = statedir_path(d->console->dir, "callers/index.json");
	_cleanup_free_ char *client =
		statedir_path(d->console->dir, "tokens/client.token");
	struct error err = ERROR_INIT;
	json_auto_t *tokens = index ? token_list(index, &err) : NULL;

	if (!tokens)
		doctor_say(d, DOCTOR_FAIL, "tokens",
			   "'wingman up' makes it at its first start", "%s", err.message);
	else if (!client || !file_exists(client))
		doctor_say(d, DOCTOR_WARN, "tokens",
			   "wingman token new --for YOU --scopes accounts:read --file "
			   "tokens/client.token",
			   "%zu tokens, but none for 'wingman connect'",
			   json_array_size(tokens));
	else
		doctor_say(d, DOCTOR_OK, "tokens", NULL, "%zu tokens",
			   json_array_size(tokens));
}

/* Under systemd each program has a folder of its own, and this one only leads to what is root's
 * (deploy/systemd): others look in, and may not write. */
static bool is_apart(const struct doctor *d)
{
	_cleanup_free_ char *config = statedir_path(d->console->dir, "config");
	struct stat st;

	return config && lstat(config, &st) == 0 && S_ISLNK(st.st_mode) && st.st_uid == 0;
}

static void check_apart(struct doctor *d)
{
	static const char *const folders[] = { ".",       "keys",   "keys/trusted",
					       "callers", "config", "audit",
					       "run" };
	bool good = true;

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		_cleanup_free_ char *path =
			statedir_path(d->console->dir, "%s", folders[i]);
		struct stat st;

		if (!path || stat(path, &st) != 0 || !S_ISDIR(st.st_mode) ||
		    (st.st_mode & (S_IWGRP | S_IWOTH))) {
			good = false;
			doctor_say(d, DOCTOR_FAIL, "folder", "wingman-setup",
				   "%s is not there, or can be written by others", path);
		}
	}
	if (good)
		doctor_say(d, DOCTOR_OK, "folder", NULL,
			   "each program has a folder of its own");
}

void doctor_folders(struct doctor *d)
{
	static const char *const folders[] = { "keys",    "keys/trusted", "tokens",
					       "callers", "config",       "audit",
					       "run" };
	size_t before = d->count[DOCTOR_OK] + d->count[DOCTOR_WARN] +
			d->count[DOCTOR_FAIL];
	const char *root = statedir_root(d->console->dir);

	if (is_apart(d)) {
		check_apart(d);
		check_secrets(d);
		return;
	}
	check_folder(d, root);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		_cleanup_free_ char *path =
			statedir_path(d->console->dir, "%s", folders[i]);

		if (path)
			check_folder(d, path);
	}
	if (d->count[DOCTOR_OK] + d->count[DOCTOR_WARN] + d->count[DOCTOR_FAIL] == before)
		doctor_say(d, DOCTOR_OK, "folder", NULL, "%s is closed to others", root);
	check_secrets(d);
	check_tokens(d);
}

/* --- logs ----------------------------------------------------------------------- */

/* Also the folder: the next file is begun there. */
static void check_writable(struct doctor *d, const char *program)
{
	_cleanup_free_ char *folder = statedir_path(d->console->dir, "audit");
	_cleanup_audit_files_ struct audit_files files = { 0 };
	struct error ignored = ERROR_INIT;
	struct stat st;

	/* Where each program has a user of its own, ours cannot tell. */
	if (!folder || !audit_files_list(folder, program, &files, &ignored) ||
	    files.count == 0 || stat(files.file[files.count - 1].path, &st) != 0 ||
	    st.st_uid != geteuid())
		return;
	const char *path = files.file[files.count - 1].path;
	if (access(path, W_OK) != 0)
		doctor_say(d, DOCTOR_FAIL, "audit",
			   "give it back its mode: nothing executes without its log",
			   "%s cannot be written: %s", path, strerror(errno));
	if (st.st_mtime > clock_wall_ms() / 1000 + 60)
		doctor_say(d, DOCTOR_FAIL, "clock",
			   "set the clock right: approvals are judged by it",
			   "%s was written in the future", path);
	_cleanup_free_ char *own = statedir_path(d->console->dir, "audit/%s", program);
	if (own && access(own, W_OK | X_OK) != 0 && errno != ENOENT)
		doctor_say(
			d, DOCTOR_WARN, "audit",
			"give it back its mode: the log goes on there when it is large",
			"%s cannot be written: %s", own, strerror(errno));
}

static void on_verdict(void *context, const char *program, const struct audit_report *r,
		       enum chains_key key, const struct error *err)
{
	struct doctor *d = context;

	(void)key; /* who can change the folder can change the key in it as well */
	if (error_is_set(err))
		doctor_say(d, DOCTOR_FAIL, "audit", NULL, "%s: %s", program,
			   err->message);
	else if (!r->sound)
		doctor_say(d, DOCTOR_FAIL, "audit",
			   "keep a copy of the audit folder before anything else; then "
			   "'wingman audit verify'",
			   "%s: line %lld of %s: %s", program, (long long)r->finding_line,
			   r->finding_file, r->finding);
	else if (r->first_seq > 0)
		doctor_say(d, DOCTOR_OK, "audit", NULL,
			   "%s: %lld lines from seq %lld on, %s", program,
			   (long long)r->lines, (long long)r->first_seq,
			   r->end_proven ? "end proven" : "end not proven");
	else
		doctor_say(d, DOCTOR_OK, "audit", NULL, "%s: %lld lines, %s", program,
			   (long long)r->lines,
			   r->end_proven ? "end proven" : "end not proven");
	check_writable(d, program);
}

void doctor_audit(struct doctor *d)
{
	struct error err = ERROR_INIT;
	_cleanup_free_ char *folder = statedir_path(d->console->dir, "audit");
	size_t count = 0;

	if (!folder || !chains_verify(folder, NULL, on_verdict, d, &count, &err)) {
		doctor_say(d, DOCTOR_FAIL, "audit", NULL, "%s", err.message);
		return;
	}
	if (count == 0)
		doctor_say(d, DOCTOR_WARN, "audit", NULL, "there is no log yet");
}
