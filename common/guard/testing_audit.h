/*
 * testing_audit -- for unit tests of audit: a state folder with a chain in it, and
 * hands that tamper.
 */
#ifndef GUARD_TESTING_AUDIT_H
#define GUARD_TESTING_AUDIT_H

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/testing.h"
#include "base/file.h"
#include "guard/audit.h"

enum { LINES_MAX = 512 };

struct chain {
	char folder[TESTING_PATH_BYTES];
	char path[TESTING_PATH_BYTES + 32]; /* audit/gate.jsonl */
	struct statedir *dir;
	struct audit *audit;
	struct verify_key *key;
	char *lines[LINES_MAX]; /* without newlines; after chain_read */
	size_t count;
};

static inline void chain_open(struct chain *c)
{
	struct error err = ERROR_INIT;

	c->audit = audit_open(c->dir, "gate", &err);
	testing_no_error(&err);
}

static inline void chain_close(struct chain *c)
{
	audit_close(TAKE(c->audit));
}

static inline int chain_set_up(void **state)
{
	struct chain *c = calloc(1, sizeof *c);
	struct error err = ERROR_INIT;
	char key[TESTING_PATH_BYTES + 32];

	testing_folder(c->folder);
	c->dir = statedir_new(c->folder, &err);
	testing_no_error(&err);
	assert_true(statedir_create(c->dir, &err));
	(void)snprintf(c->path, sizeof c->path, "%s/audit/gate.jsonl", c->folder);
	chain_open(c);
	(void)snprintf(key, sizeof key, "%s/audit/gate.pem", c->folder);
	c->key = verify_key_read(key, &err);
	assert_non_null(c->key);
	*state = c;
	return 0;
}

static inline void chain_forget_lines(struct chain *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->lines[i]);
	c->count = 0;
}

static inline int chain_tear_down(void **state)
{
	struct chain *c = *state;

	audit_close(c->audit);
	verify_key_free(c->key);
	statedir_free(c->dir);
	chain_forget_lines(c);
	testing_remove(c->folder);
	free(c);
	return 0;
}

/* Append {"n": n} as event "test.line"; its hash goes to 'hash' unless NULL. */
static inline void chain_append(struct chain *c, int n, char *hash)
{
	struct error err = ERROR_INIT;

	if (!audit_append(c->audit, "test.line", json_pack("{s:i}", "n", n), hash, &err))
		fail_msg("%s (%s)", err.message, err.cause);
}

static inline void chain_read(struct chain *c)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;

	chain_forget_lines(c);
	assert_true(file_read(c->path, 64 * 1024 * 1024, &text, &err));
	for (char *at = text.data, *end; (end = strchr(at, '\n')); at = end + 1) {
		assert_true(c->count < LINES_MAX);
		c->lines[c->count++] = strndup(at, (size_t)(end - at));
	}
}

/* The file anew from 'lines' and what 'tail' adds. */
static inline void chain_write(const struct chain *c, const char *tail)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < c->count; i++)
		strbuf_add_format(&text, "%s\n", c->lines[i]);
	strbuf_add_string(&text, tail);
	assert_true(file_write(c->path, text.data, text.length, 0600, &err));
}

static inline struct audit_report chain_verify(const struct chain *c,
					       const struct audit_anchor *anchors,
					       size_t count)
{
	struct audit_report report;
	struct error err = ERROR_INIT;

	if (!audit_verify_file(c->path, "gate", c->key, anchors, count, &report, &err))
		fail_msg("%s", err.message);
	assert_int_equal(report.sound, report.finding[0] == '\0');
	assert_int_equal(report.sound, report.finding_line == 0);
	if (!report.sound)
		assert_false(report.end_proven);
	return report;
}

/* All files of the chain. */
static inline struct audit_report chain_verify_all(const struct chain *c,
						   const struct audit_anchor *anchors,
						   size_t count)
{
	_cleanup_free_ char *folder = statedir_path(c->dir, "audit");
	struct audit_report r;
	struct error err = ERROR_INIT;

	if (!audit_verify(folder, "gate", c->key, anchors, count, &r, &err))
		fail_msg("%s", err.message);
	return r;
}

static inline void chain_assert_finding(const struct chain *c, int64_t line,
					const char *what)
{
	const struct audit_report report = chain_verify(c, NULL, 0);

	if (!strstr(report.finding, what) || report.finding_line != line)
		fail_msg("line %lld: '%s', not line %lld: '%s'",
			 (long long)report.finding_line, report.finding, (long long)line,
			 what);
}

/* Files that torn ends were moved to. */
static inline size_t chain_count_torn(const struct chain *c)
{
	char path[2 * TESTING_PATH_BYTES];
	size_t count = 0;
	struct dirent *entry;

	(void)snprintf(path, sizeof path, "%s/audit", c->folder);
	DIR *d = opendir(path);
	assert_non_null(d);
	while ((entry = readdir(d)))
		count += strncmp(entry->d_name, "gate.jsonl.torn-", 16) == 0;
	(void)closedir(d);
	return count;
}

/* A process that writes is killed, again and again, and afterwards what it left is a chain
 * that goes on. 'write' tells by a byte on 'ready_fd' that it has begun. */
static inline void chain_killed(struct chain *c,
				int (*write)(struct chain *c, int ready_fd), int rounds,
				int first_us, int more_us)
{
	int fds[2], status;
	char ready;

	chain_close(c);
	for (int round = 0; round < rounds; round++) {
		assert_int_equal(pipe(fds), 0);
		(void)fflush(NULL);
		const pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			_exit(write(c, fds[1]));
		assert_int_equal(read(fds[0], &ready, 1), 1);
		(void)usleep((useconds_t)(first_us + round * more_us));
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		(void)close(fds[0]);
		(void)close(fds[1]);
		chain_open(c);
		chain_append(c, round, NULL);
		chain_close(c);
		assert_true(chain_verify_all(c, NULL, 0).sound);
	}
}

#define CHAIN_TEST(name)                                                                 \
	cmocka_unit_test_setup_teardown(name, chain_set_up, chain_tear_down)

#endif
