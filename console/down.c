/* wingman down: end a suite that 'wingman up' runs. */
#include <signal.h>

#include "base/clock.h"
#include "base/file.h"
#include "console/console.h"

enum { PATIENCE_MS = 20 * 1000 };

static bool read_pid(const char *path, pid_t *ret)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error ignored = ERROR_INIT;
	long pid;

	if (!file_read(path, 64, &text, &ignored))
		return false;
	pid = strtol(text.data, NULL, 10);
	if (pid <= 1)
		return false;
	*ret = (pid_t)pid;
	return true;
}

static int run(struct console *c, int argc, char **argv)
{
	struct error err = ERROR_INIT;
	_cleanup_free_ char *lock = statedir_path(c->dir, "lock");
	_cleanup_close_ int fd = -1;
	int64_t deadline = clock_mono_ms() + PATIENCE_MS;
	pid_t pid;

	(void)argv;
	if (argc > 1)
		return console_usage(c, &command_down, "down takes no arguments");
	if (!lock || !file_exists(lock) || file_lock(lock, &fd, &err)) {
		printf("nothing runs in %s\n", statedir_root(c->dir));
		return EXIT_DONE;
	}
	if (!read_pid(lock, &pid) || kill(pid, SIGTERM) != 0)
		return console_fail(c, &err);
	while (clock_mono_ms() < deadline) {
		error_clear(&err);
		if (file_lock(lock, &fd, &err)) {
			printf("stopped\n");
			return EXIT_DONE;
		}
		(void)usleep(50 * 1000);
	}
	error_clear(&err);
	error_set(&err, ERR_TIMEOUT, "process %d did not end in %d seconds", (int)pid,
		  PATIENCE_MS / 1000);
	return console_fail(c, &err);
}

const struct command command_down = { "down", "down", "Stop the suite of this folder.",
				      run };
