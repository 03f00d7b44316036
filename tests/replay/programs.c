#include "replay/programs.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

enum {
	READY_MS = 120 * 1000,
	LINE_MAX_BYTES = 16 * 1024,
	LOG_MAX = 4 * 1024 * 1024,
	TAIL = 200
};

static bool read_line(int fd, struct strbuf *line)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	char c;

	while (line->length < LINE_MAX_BYTES && poll(&ready, 1, READY_MS) == 1 &&
	       read(fd, &c, 1) == 1) {
		if (c == '\n')
			return strbuf_ok(line);
		strbuf_add_char(line, c);
	}
	return false;
}

/* The last of what it wrote is why. */
static void why_not(const char *program, const char *log_path, struct error *err)
{
	_cleanup_strbuf_ struct strbuf log = STRBUF_INIT;
	struct error ignored = ERROR_INIT;

	(void)file_read(log_path, LOG_MAX, &log, &ignored);
	error_set(err, ERR_INTERNAL, "%s did not start: %s", program,
		  log.length > TAIL ? log.data + log.length - TAIL : log.data);
}

static void become(const char *const *argv, int out, int log, pid_t parent)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 ||
	    dup2(log, 2) < 0)
		_exit(126);
	(void)alarm(0);
	(void)execv(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

bool program_begin(struct program *p, const char *const *argv, const char *log_path,
		   struct error *err)
{
	_cleanup_close_ int log =
		open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	pid_t parent = getpid();
	int fds[2];

	if (log < 0 || pipe2(fds, O_CLOEXEC) != 0)
		return error_errno(err, "cannot start %s", argv[0]);
	p->pid = fork();
	if (p->pid == 0)
		become(argv, fds[1], log, parent);
	(void)close(fds[1]);
	p->out = fds[0];
	if (p->pid > 0)
		return true;
	p->pid = 0;
	return error_errno(err, "cannot start %s", argv[0]);
}

json_t *program_await(struct program *p, const char *name, const char *log_path,
		      struct error *err)
{
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
	json_t *ready = read_line(p->out, &line)
				? json_parse(line.data, line.length, JSON_SYNTAX, err)
				: NULL;

	if (!ready) {
		program_kill(p);
		error_clear(err);
		why_not(name, log_path, err);
	}
	return ready;
}

void program_kill(struct program *p)
{
	if (p->pid > 0) {
		(void)kill(p->pid, SIGKILL);
		(void)waitpid(p->pid, NULL, 0);
	}
	if (p->out >= 0)
		(void)close(p->out);
	*p = (struct program)PROGRAM_NONE;
}
