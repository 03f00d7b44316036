#include "proc/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"

enum { LOG_TAIL_BYTES = 4096 };

/* In the child, where other threads' locks may be held for ever: system calls alone.
 * What fails is written to 'report_fd' as an errno; exec closes that. */
static void become(const char *const *argv, pid_t parent, int log_fd, int report_fd)
{
	/* The kernel's own structure, all zeros: SIG_DFL. The C library would refuse its two
	 * private signals, which some makes hand down ignored. */
	static const unsigned long plain[8];
	sigset_t none;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int s = 1; s < NSIG; s++) /* fails for SIGKILL and SIGSTOP */
		(void)syscall(SYS_rt_sigaction, s, plain, NULL, (size_t)(NSIG - 1) / 8);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)setpgid(0, 0);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		_exit(127); /* the parent is gone already */
	if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 &&
	    (log_fd < 0 ||
	     (dup2(log_fd, STDOUT_FILENO) >= 0 && dup2(log_fd, STDERR_FILENO) >= 0)) &&
	    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
		(void)execv(argv[0], (char *const *)(uintptr_t)argv);
	int failed = errno;
	(void)!write(report_fd, &failed, sizeof failed);
	_exit(127);
}

static bool open_log(const char *path, int *ret_fd, int64_t *ret_bytes, struct error *err)
{
	struct stat st;

	*ret_bytes = 0;
	if (!path)
		return true;
	*ret_fd =
		open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*ret_fd < 0 || fstat(*ret_fd, &st) != 0)
		return error_errno(err, "cannot write '%s'", path);
	*ret_bytes = st.st_size;
	return true;
}

bool spawn_begin(struct spawned *ret, const char *const *argv, const char *log_path,
		 struct error *err)
{
	_cleanup_close_ int log_fd = -1, report_in = -1, report_out = -1;
	struct spawned c = SPAWNED_NONE;
	int report[2], failed = 0;
	pid_t parent = getpid();

	if (gettid() != parent)
		return error_set(err, ERR_INTERNAL,
				 "children must be started by the main thread");
	if (!open_log(log_path, &log_fd, &c.log_from, err))
		return false;
	if (pipe2(report, O_CLOEXEC) != 0)
		return error_errno(err, "cannot start '%s'", argv[0]);
	report_in = report[0];
	report_out = report[1];
	c.pid = fork();
	if (c.pid < 0)
		return error_errno(err, "cannot start '%s'", argv[0]);
	if (c.pid == 0)
		become(argv, parent, log_fd, report_out);
	(void)setpgid(c.pid, c.pid); /* whoever is first, of the two of us */
	(void)close(TAKE_FD(report_out));
	if (read(report_in, &failed, sizeof failed) == sizeof failed) {
		(void)waitpid(c.pid, NULL, 0);
		errno = failed;
		return error_errno(err, "cannot run '%s'", argv[0]);
	}
	c.pidfd = pidfd_open(c.pid, 0);
	if (c.pidfd < 0) {
		error_errno(err, "cannot watch '%s'", argv[0]);
		spawn_kill(&c);
		return false;
	}
	*ret = c;
	return true;
}

static void forget(struct spawned *c)
{
	if (c->pidfd >= 0)
		(void)close(c->pidfd);
	*c = (struct spawned)SPAWNED_NONE;
}

static void reap(struct spawned *c, int *ret_status)
{
	(void)kill(-c->pid,
		   SIGKILL); /* first: until it is reaped the number is its own */
	while (waitpid(c->pid, ret_status, 0) < 0 && errno == EINTR)
		;
	forget(c);
}

bool spawn_ended(struct spawned *c, int *ret_status)
{
	siginfo_t info = { 0 };

	*ret_status = 0;
	/* ECHILD: somebody else reaped it, and it will not end a second time */
	if (waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
		if (errno == ECHILD)
			forget(c);
		return c->pid == 0;
	}
	if (info.si_pid == 0)
		return false;
	reap(c, ret_status);
	return true;
}

bool spawn_await(struct spawned *c, int64_t deadline_ms, int *ret_status)
{
	while (!spawn_ended(c, ret_status)) {
		int64_t left = deadline_ms - clock_mono_ms();
		struct pollfd p = { .fd = c->pidfd, .events = POLLIN };
		if (left <= 0)
			return false;
		(void)poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left);
	}
	return true;
}

void spawn_kill(struct spawned *c)
{
	int status;

	if (c->pid == 0)
		return;
	(void)kill(c->pid, SIGKILL);
	reap(c, &status);
}

/* A line of ours that says what went wrong. */
static bool take_complaint(const char *line, size_t length, struct error *ret)
{
	struct error ignored = ERROR_INIT;
	json_auto_t *said = json_parse(line, length, JSON_SYNTAX, &ignored);
	const char *level = json_get_string(said, "level");
	const char *message = json_get_string(said, "message");
	const char *hint = json_get_string(said, "hint");

	if (!level || !message || strcmp(level, "info") == 0 ||
	    strcmp(level, "debug") == 0)
		return false;
	error_set(ret, ERR_INTERNAL, "%s", message);
	if (hint)
		error_hint(ret, "%s", hint);
	return true;
}

static void without_controls(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = ' ';
}

void spawn_last_words(const struct spawned *c, const char *log_path, struct error *ret)
{
	_cleanup_close_ int fd = log_path ? open(log_path, O_RDONLY | O_CLOEXEC) : -1;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error ignored = ERROR_INIT;
	int64_t end = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	int64_t from = end - c->log_from > LOG_TAIL_BYTES ? end - LOG_TAIL_BYTES
							  : c->log_from;
	const char *last = NULL;

	if (end <= c->log_from || lseek(fd, from, SEEK_SET) < 0 ||
	    !file_read_fd(fd, 2 * LOG_TAIL_BYTES, &text, &ignored))
		return;
	while (text.length > 0) {
		const char *before = memrchr(text.data, '\n', text.length);
		const char *line = before ? before + 1 : text.data;
		const size_t length = text.length - (size_t)(line - text.data);

		if (length > 0 && take_complaint(line, length, ret))
			break;
		if (length > 0 && !last)
			last = line;
		if (!before)
			break;
		strbuf_truncate(&text, (size_t)(before - text.data));
	}
	if (!error_is_set(ret) && last)
		error_set(ret, ERR_INTERNAL, "%s", last);
	without_controls(ret->message);
	without_controls(ret->hint);
}
