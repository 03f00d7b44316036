#include "console/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"

char *program_path(const struct console *c, const char *name)
{
	const char *slash = strrchr(c->program_path, '/');
	_cleanup_free_ char *folder =
		slash ? strndup(c->program_path, (size_t)(slash - c->program_path))
		      : NULL;
	_cleanup_free_ char *path = folder ? file_join(folder, name) : NULL;

	return path && access(path, X_OK) == 0 ? TAKE(path) : NULL;
}

static bool spawn(const char *const *argv, int output, pid_t *ret_pid, struct error *err)
{
	posix_spawn_file_actions_t actions;
	int failed = posix_spawn_file_actions_init(&actions);

	if (failed == 0) {
		failed = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO,
							  "/dev/null", O_RDONLY, 0);
		if (failed == 0)
			failed = posix_spawn_file_actions_adddup2(&actions, output,
								  STDOUT_FILENO);
		if (failed == 0)
			failed = posix_spawn_file_actions_adddup2(&actions, output,
								  STDERR_FILENO);
		if (failed == 0)
			failed = posix_spawn(ret_pid, argv[0], &actions, NULL,
					     (char *const *)(uintptr_t)argv, environ);
		(void)posix_spawn_file_actions_destroy(&actions);
	}
	errno = failed;
	return failed == 0 || error_errno(err, "cannot run '%s'", argv[0]);
}

static bool read_some(int fd, struct strbuf *output, bool *ret_end, struct error *err)
{
	char *to = strbuf_reserve(output, 4096);
	ssize_t n;

	if (!to)
		return error_oom(err);
	n = read(fd, to, 4096);
	if (n < 0 && errno == EINTR)
		return true;
	if (n < 0)
		return error_errno(err, "cannot read what the program says");
	strbuf_commit(output, (size_t)n);
	*ret_end = n == 0;
	if (output->length > PROGRAM_OUTPUT_MAX)
		return error_set(err, ERR_INTERNAL, "the program says too much");
	return true;
}

static bool read_all(int fd, struct strbuf *output, int64_t deadline, struct error *err)
{
	bool ended = false;

	while (!ended) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = deadline - clock_mono_ms();

		if (left <= 0)
			return error_set(err, ERR_TIMEOUT, "the program does not end");
		if (poll(&p, 1, (int)left) > 0 && !read_some(fd, output, &ended, err))
			return false;
	}
	return true;
}

/* Its output is closed; that it lives on is possible, but not for long. */
static int await(pid_t pid, int64_t deadline)
{
	int status = 0;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (clock_mono_ms() > deadline)
			(void)kill(pid, SIGKILL);
		(void)usleep(2000);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool program_run(const char *const *argv, struct strbuf *output, int *ret_status,
		 struct error *err)
{
	int64_t deadline = clock_mono_ms() + PROGRAM_PATIENCE_MS;
	_cleanup_close_ int from = -1, to = -1;
	int ends[2];
	pid_t pid = 0;
	bool ok;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return error_errno(err, "cannot make a pipe");
	from = ends[0];
	to = ends[1];
	if (!spawn(argv, to, &pid, err))
		return false;
	(void)close(TAKE_FD(to));
	ok = read_all(from, output, deadline, err);
	if (!ok)
		(void)kill(pid, SIGKILL);
	*ret_status = await(pid, deadline);
	return ok;
}
