/* What becomes of an audit chain when the disk, or the process, fails. */
#include "guard/audit.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "guard/testing_audit.h"

enum { CHILD_SKIPS = 77 };

/* In a child, because limits and mounts are the process's: how it exits is the answer. */
static int in_child(int (*fn)(struct chain *), struct chain *c)
{
	int status = 0;

	(void)fflush(NULL);
	const pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fn(c));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static bool try_append(struct audit *a, size_t bytes, bool is_outcome, struct error *err)
{
	_cleanup_free_ char *text = calloc(1, bytes + 1);

	memset(text, 'x', bytes);
	json_t *data = json_pack("{s:s}", "text", text);
	return is_outcome ? audit_append_outcome(a, "test.outcome", data, NULL, err)
			  : audit_append(a, "test.line", data, NULL, err);
}

/* ---- A write fails ---- */

static int write_fails(struct chain *c)
{
	/* Not at a line's end, so that the last write is a short one. */
	const struct rlimit limit = { 5000, 5000 };
	struct error err = ERROR_INIT;
	struct audit *a;

	(void)signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0 ||
	    !(a = audit_open(c->dir, "gate", &err)))
		return 10;
	for (int i = 0; try_append(a, 30, false, &err); i++)
		if (i == 100 || !audit_is_sound(a))
			return 11;
	if (err.code != ERR_INTERNAL || !strstr(err.message, "nothing is executed"))
		return 12;
	if (audit_is_sound(a))
		return 13;
	/* Broken for good, for outcomes too. */
	for (int i = 0; i < 3; i++) {
		error_clear(&err);
		if (try_append(a, 30, i == 1, &err) || err.code != ERR_INTERNAL)
			return 14;
	}
	audit_close(a);
	return 0;
}

static void test_write_fails(void **state)
{
	struct chain *c = *state;
	struct stat st;

	chain_close(c);
	assert_int_equal(in_child(write_fails, c), 0);
	assert_int_equal(stat(c->path, &st), 0);
	assert_in_range(st.st_size, 3000, 5000);
	/* What stands is whole, and the next process goes on from it. */
	assert_true(chain_verify(c, NULL, 0).sound);
	chain_open(c);
	chain_append(c, 1, NULL);
	assert_int_equal(chain_count_torn(c), 0);
	assert_true(chain_verify(c, NULL, 0).sound);
}

/* ---- The disk is full ---- */

enum { DISK_BYTES = 4 * AUDIT_RESERVE, LINE = 10000 };

static bool put(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* Root may mount in a name space of its own; others may be root in one, with luck. */
static bool enter_name_space(void)
{
	char users[64], groups[64];

	if (geteuid() == 0)
		return unshare(CLONE_NEWNS) == 0;
	(void)snprintf(users, sizeof users, "0 %u 1", (unsigned)geteuid());
	(void)snprintf(groups, sizeof groups, "0 %u 1", (unsigned)getegid());
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
	       put("/proc/self/setgroups", "deny") && put("/proc/self/uid_map", users) &&
	       put("/proc/self/gid_map", groups);
}

static bool mount_small_disk(const struct chain *c)
{
	char path[2 * TESTING_PATH_BYTES], options[64];

	(void)snprintf(path, sizeof path, "%s/audit", c->folder);
	(void)snprintf(options, sizeof options, "size=%d,mode=0700", DISK_BYTES);
	return enter_name_space() &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", path, "tmpfs", 0, options) == 0;
}

static int disk_full(struct chain *c)
{
	char ballast[2 * TESTING_PATH_BYTES];
	struct error err = ERROR_INIT;
	struct audit *a;
	int lines = 0, outcomes = 0;

	if (!mount_small_disk(c))
		return CHILD_SKIPS;
	if (!(a = audit_open(c->dir, "gate", &err)))
		return 10;
	/* Somebody else fills the disk. */
	(void)snprintf(ballast, sizeof ballast, "%s/audit/ballast", c->folder);
	const int fd = open(ballast, O_WRONLY | O_CREAT, 0600);
	if (fd < 0 || posix_fallocate(fd, 0, DISK_BYTES - 3 * AUDIT_RESERVE) != 0)
		return 11;
	while (try_append(a, LINE, false, &err))
		if (++lines > DISK_BYTES / LINE)
			return 12;
	if (lines == 0 || err.code != ERR_INTERNAL || !strstr(err.message, "no room"))
		return 13;
	/* Nothing new begins, and everybody can see it; what has begun can be told of. */
	if (audit_is_sound(a))
		return 14;
	for (; outcomes < AUDIT_RESERVE / (LINE + 2000); outcomes++) {
		error_clear(&err);
		if (!try_append(a, LINE, true, &err))
			return 15;
		if (try_append(a, 1, false, &err))
			return 16;
	}
	/* Room again: on it goes. */
	if (unlink(ballast) != 0 || close(fd) != 0)
		return 17;
	error_clear(&err);
	if (!try_append(a, LINE, false, &err) || !audit_is_sound(a))
		return 18;
	/* Past the reserve not even an outcome fits, and that breaks the chain. */
	while (try_append(a, LINE, true, &err))
		continue;
	if (audit_is_sound(a))
		return 19;
	audit_close(a);
	struct audit_report r;
	error_clear(&err);
	if (!audit_verify_file(c->path, "gate", NULL, NULL, 0, &r, &err) || !r.sound)
		return 20;
	return r.lines > lines + outcomes ? 0 : 21;
}

static void test_disk_full(void **state)
{
	struct chain *c = *state;
	int answer;

	chain_close(c);
	answer = in_child(disk_full, c);
	if (answer == CHILD_SKIPS) {
		puts("# skip: no small disk can be mounted here");
		skip();
	}
	assert_int_equal(answer, 0);
}

/* ---- The process dies ---- */

static int write_for_ever(struct chain *c, int ready_fd)
{
	struct error err = ERROR_INIT;
	struct audit *a = audit_open(c->dir, "gate", &err);

	if (!a || write(ready_fd, "!", 1) != 1)
		return 10;
	while (try_append(a, 200, false, &err))
		continue;
	return 11;
}

static void test_killed_while_writing(void **state)
{
	chain_killed(*state, write_for_ever, 5, 3000, 1777);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CHAIN_TEST(test_write_fails),
		CHAIN_TEST(test_disk_full),
		CHAIN_TEST(test_killed_while_writing),
	};

	return cmocka_run_group_tests_name("audit-disk", tests, NULL, NULL);
}
