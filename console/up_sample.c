/* The private directory of the sample: filled once, then run as a child. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/secret.h"
#include "console/up.h"

enum { TEMPLATE_MAX = 1024 * 1024 };

const char up_sample_base[] = "dc=example,dc=test";

static const char slapd_path[] = "/usr/sbin/slapd";
static const char slapadd_path[] = "/usr/sbin/slapadd";

/* Where 'make install' put it, seen from the program; else where the sources are. */
char *up_sample_file(const struct suite *s, const char *name)
{
	char *path = NULL;

	if (asprintf(&path, "%s/../share/wingman/sample/%s", s->program_dir, name) < 0)
		return NULL;
	if (file_exists(path))
		return path;
	free(path);
	return file_join(WINGMAN_SOURCE_SAMPLE, name);
}

/* Append 'text' with every 'mark' replaced. */
static void fill(struct strbuf *sb, const char *text, const char *mark, const char *value)
{
	const char *at;

	while ((at = strstr(text, mark))) {
		strbuf_add(sb, text, (size_t)(at - text));
		strbuf_add_string(sb, value);
		text = at + strlen(mark);
	}
	strbuf_add_string(sb, text);
}

static bool write_slapd_config(const struct suite *s, const char *run, const char *config,
			       struct error *err)
{
	_cleanup_free_ char *template = up_sample_file(s, "slapd.conf.in");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	_cleanup_strbuf_ struct strbuf filled = STRBUF_INIT;

	if (!template || !file_read(template, TEMPLATE_MAX, &text, err))
		return error_oom(err);
	if (strpbrk(run, "\"\\\n"))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the folder %s has a quote or a backslash in its name",
				 run);
	fill(&filled, text.data, "@RUN@", run);
	return file_write(config, filled.data, filled.length, 0600, err);
}

/* People and groups in one stream, with the service account's password filled in. */
static bool read_entries(const struct suite *s, struct strbuf *ret, struct error *err)
{
	_cleanup_free_ char *people = up_sample_file(s, "people.ldif");
	_cleanup_free_ char *groups = up_sample_file(s, "groups.ldif");
	_cleanup_free_ char *password_path =
		statedir_path(s->dir, "accounts/ldap.password");
	_cleanup_(secret_freep) struct secret *password = NULL;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	_cleanup_free_ char *word = NULL;

	if (!people || !groups || !password_path)
		return error_oom(err);
	password = secret_read(password_path, true, err);
	if (!password || !file_read(people, TEMPLATE_MAX, &text, err))
		return false;
	strbuf_add_char(&text, '\n');
	if (!file_read(groups, TEMPLATE_MAX, &text, err))
		return false;
	word = strndup(secret_bytes(password), secret_length(password));
	if (!word)
		return error_oom(err);
	fill(ret, text.data, "@SERVICE_PASSWORD@", word);
	explicit_bzero(word, strlen(word));
	return strbuf_ok(ret) || error_oom(err);
}

static bool run_slapadd(const char *config, const char *log, const struct strbuf *entries,
			struct error *err)
{
	const char *argv[] = { slapadd_path, "-q",           "-f", config,
			       "-b",         up_sample_base, NULL };
	_cleanup_close_ int fd = memfd_create("entries", MFD_CLOEXEC);
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int rc, status;

	if (fd < 0 ||
	    write(fd, entries->data, entries->length) != (ssize_t)entries->length ||
	    lseek(fd, 0, SEEK_SET) != 0)
		return error_errno(err, "cannot hand the sample people to slapadd");
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO);
	(void)posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log,
					       O_WRONLY | O_CREAT | O_TRUNC, 0600);
	(void)posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
	rc = posix_spawn(&pid, slapadd_path, &actions, NULL, (char **)(uintptr_t)argv,
			 environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (rc != 0) {
		errno = rc;
		return error_errno(err, "cannot run slapadd");
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return error_errno(err, "cannot wait for slapadd");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		error_set(err, ERR_INTERNAL,
			  "slapadd could not fill the sample directory");
		return error_hint(err, "see %s", log);
	}
	return true;
}

/* What a first start left half-done is thrown away. */
static bool empty_database(const struct suite *s, struct error *err)
{
	_cleanup_free_ char *db = statedir_path(s->dir, "directory/db");
	_cleanup_free_ char *data = statedir_path(s->dir, "directory/db/data.mdb");
	_cleanup_free_ char *lock = statedir_path(s->dir, "directory/db/lock.mdb");

	if (!db || !data || !lock)
		return error_oom(err);
	(void)unlink(data);
	(void)unlink(lock);
	return file_make_dir(db, 0700, err);
}

bool up_sample_prepare(const struct suite *s, struct error *err)
{
	_cleanup_free_ char *run = statedir_path(s->dir, "directory");
	_cleanup_free_ char *config = statedir_path(s->dir, "directory/slapd.conf");
	_cleanup_free_ char *filled = statedir_path(s->dir, "directory/filled");
	_cleanup_free_ char *log = statedir_path(s->dir, "run/slapadd.log");
	_cleanup_strbuf_ struct strbuf entries = STRBUF_INIT;
	bool ok;

	if (!run || !config || !filled || !log)
		return error_oom(err);
	if (!file_exists(slapd_path)) {
		error_set(err, ERR_NOT_FOUND, "the sample directory needs %s",
			  slapd_path);
		return error_hint(err,
				  "install the packages with deploy/install-packages "
				  "deploy/packages/build.txt");
	}
	/* The folder may have moved since: its configuration is written at each start. */
	if (!write_slapd_config(s, run, config, err))
		return false;
	if (file_exists(filled))
		return true;
	fprintf(stderr, "wingman: filling the sample directory\n");
	ok = empty_database(s, err) && read_entries(s, &entries, err) &&
	     run_slapadd(config, log, &entries, err) &&
	     file_write(filled, "", 0, 0600, err);
	strbuf_wipe(&entries);
	return ok;
}

bool up_sample_child(const struct suite *s, struct up_child *ret, struct error *err)
{
	char *config = statedir_path(s->dir, "directory/slapd.conf");
	char *url = NULL;

	ret->owned[0] = config;
	if (!config ||
	    asprintf(&url, "ldap://127.0.0.1:%lld", (long long)s->directory_port) < 0)
		return error_oom(err);
	ret->owned[1] = url;
	memcpy(ret->argv,
	       (const char *[]){ slapd_path, "-f", config, "-h", url, "-d", "0", NULL },
	       sizeof ret->argv);
	return true;
}

bool up_sample_people(const struct suite *s, struct error *err)
{
	_cleanup_free_ char *from = up_sample_file(s, "people.json");
	_cleanup_free_ char *to = statedir_path(s->dir, "people/people.json");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	if (!from || !to)
		return error_oom(err);
	return file_exists(to) || (file_read(from, TEMPLATE_MAX, &text, err) &&
				   file_write(to, text.data, text.length, 0600, err));
}
