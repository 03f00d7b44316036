#include "base/statedir.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/secret.h"
#include "base/strbuf.h"

struct statedir {
	char *root;
};

static const char *home_folder(void)
{
	const char *home = getenv("HOME");

	if (home && *home == '/')
		return home;
	const struct passwd *entry =
		getpwuid(getuid()); /* at start, before there are threads */
	return entry ? entry->pw_dir : NULL;
}

static bool add_default(struct strbuf *path, struct error *err)
{
	const char *state = getenv("XDG_STATE_HOME");

	/* The XDG specification: relative paths are to be ignored. */
	if (state && *state == '/') {
		strbuf_add_format(path, "%s/wingman", state);
		return true;
	}
	const char *home = home_folder();
	if (!home)
		return error_set(
			err, ERR_INTERNAL,
			"no state folder: --dir, WINGMAN_DIR and HOME are not set");
	strbuf_add_format(path, "%s/.local/state/wingman", home);
	return true;
}

static bool add_absolute(struct strbuf *path, const char *given, struct error *err)
{
	if (*given != '/') {
		_cleanup_free_ char *here = getcwd(NULL, 0);
		if (!here)
			return error_errno(err, "cannot tell the current folder");
		strbuf_add_format(path, "%s/", here);
	}
	strbuf_add_string(path, given);
	return true;
}

struct statedir *statedir_new(const char *option, struct error *err)
{
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
	const char *given = option ? option : getenv("WINGMAN_DIR");

	if (option && !*option) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "the name of the state folder is empty");
		return NULL;
	}
	if (given && *given ? !add_absolute(&path, given, err) : !add_default(&path, err))
		return NULL;
	while (path.length > 1 && path.data[path.length - 1] == '/')
		strbuf_truncate(&path, path.length - 1);

	_cleanup_(statedir_freep) struct statedir *d = calloc(1, sizeof *d);
	if (!d || !(d->root = strbuf_take(&path))) {
		error_oom(err);
		return NULL;
	}
	return TAKE(d);
}

void statedir_free(struct statedir *d)
{
	if (!d)
		return;
	free(d->root);
	free(d);
}

const char *statedir_root(const struct statedir *d)
{
	return d->root;
}

bool statedir_require(const struct statedir *d, struct error *err)
{
	struct stat st;

	errno = 0;
	if (stat(d->root, &st) == 0 && S_ISDIR(st.st_mode))
		return true;
	error_set(err, ERR_NOT_FOUND, "there is no suite in '%s': %s", d->root,
		  errno == EACCES   ? "not for this user"
		  : errno == ENOENT ? "no such folder"
				    : "that is no folder");
	return error_hint(
		err, "--dir or $WINGMAN_DIR names its folder; 'wingman up' makes one");
}

char *statedir_path(const struct statedir *d, const char *format, ...)
{
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
	va_list args;

	strbuf_add_format(&path, "%s/", d->root);
	va_start(args, format);
	strbuf_add_vformat(&path, format, args);
	va_end(args);
	return strbuf_take(&path);
}

static const char credential[] = "credential:";

bool statedir_is_credential(const char *name)
{
	return strncmp(name, credential, sizeof credential - 1) == 0;
}

const char *statedir_credentials(void)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");

	return folder && *folder == '/' ? folder : NULL;
}

/* Where systemd put what "credential:NAME" names; NULL for any other name, or without it. */
static char *credential_path(const char *name)
{
	const char *folder = statedir_credentials();

	if (!folder || !statedir_is_credential(name) || strchr(name, '/'))
		return NULL;
	return file_join(folder, name + sizeof credential - 1);
}

char *statedir_file(const struct statedir *d, const char *name)
{
	char *passed = credential_path(name);

	if (passed)
		return passed;
	return *name == '/' ? strdup(name) : statedir_path(d, "%s", name);
}

struct secret *statedir_secret(const struct statedir *d, const char *name,
			       struct error *err)
{
	_cleanup_free_ char *path = NULL;

	if (statedir_is_credential(name) && !statedir_credentials()) {
		error_set(err, ERR_INTERNAL,
			  "systemd gave no credentials, '%s' among them", name);
		error_hint(err,
			   "LoadCredential= in its unit; without systemd, name a file "
			   "of the suite's folder");
		return NULL;
	}
	path = statedir_file(d, name);
	if (path)
		return secret_read(path, true, err);
	error_oom(err);
	return NULL;
}

/* What lies in these folders is believed: nobody else may put something there. */
static bool check_folder(const char *path, struct error *err)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return error_errno(err, "cannot look at '%s'", path);
	if (st.st_uid != geteuid() && st.st_uid != 0 && geteuid() != 0)
		return error_set(err, ERR_INTERNAL,
				 "folder '%s' belongs to somebody else", path);
	if (st.st_mode & (S_IWGRP | S_IWOTH)) {
		error_set(err, ERR_INTERNAL, "folder '%s' can be written by others",
			  path);
		return error_hint(err, "chmod 700 '%s'", path);
	}
	return true;
}

bool statedir_create(const struct statedir *d, struct error *err)
{
	static const char *const folders[] = { "keys",    "keys/trusted", "tokens",
					       "callers", "config",       "audit",
					       "run" };

	if (!file_make_dir(d->root, 0700, err))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		_cleanup_free_ char *path = statedir_path(d, "%s", folders[i]);
		if (!path)
			return error_oom(err);
		if (!file_make_dir(path, 0700, err) || !check_folder(path, err))
			return false;
	}
	return true;
}
