#include "assistant/host/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "assistant/host/launcher.h"
#include "assistant/messages.h"

/* Between fork and exec: only what a signal handler may do. */
__attribute__((noreturn)) static void become(const struct child_start *s, int fd, int log,
					     pid_t parent)
{
	sigset_t none;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	/* A terminal's ^C is for us to answer. */
	(void)setpgid(0, 0);
	if (getppid() != parent || null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0 || (log >= 0 && dup2(log, STDERR_FILENO) < 0))
		_exit(126);
	/* dup2 onto itself would leave close-on-exec set. */
	if (fd == ASSISTANT_FD ? fcntl(fd, F_SETFD, 0) < 0
			       : dup2(fd, ASSISTANT_FD) != ASSISTANT_FD)
		_exit(126);
	(void)close_range(ASSISTANT_FD + 1, ~0U, 0);
	(void)execve(s->argv[0], (char *const *)(uintptr_t)s->argv, s->env);
	_exit(127);
}

bool child_spawn(const struct child_start *s, int *ret_fd, pid_t *ret_pid,
		 struct error *err)
{
	pid_t parent = getpid(), pid;
	int pair[2], log = -1;

	if (s->log_path)
		log = open(s->log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (s->log_path && log < 0)
		return error_errno(err, "cannot write to '%s'", s->log_path);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
		if (log >= 0)
			(void)close(log);
		return error_errno(err, "cannot make a socket pair");
	}
	pid = fork();
	if (pid == 0)
		become(s, pair[1], log, parent);
	(void)close(pair[1]);
	if (log >= 0)
		(void)close(log);
	if (pid < 0) {
		(void)close(pair[0]);
		return error_errno(err, "cannot start '%s'", s->argv[0]);
	}
	*ret_fd = pair[0];
	*ret_pid = pid;
	return true;
}

bool child_adopt(struct child *ret, struct loop *l, const struct child_start *s,
		 struct launcher *launcher, int fd, pid_t pid, struct error *err)
{
	struct child c = { .pid = pid, .launcher = launcher };

	c.channel = channel_new(l, fd, s->receive, s->closed, s->context, err);
	if (!c.channel) {
		child_end(&c);
		return false;
	}
	*ret = c;
	return true;
}

bool child_begin(struct child *ret, struct loop *l, const struct child_start *s,
		 struct error *err)
{
	pid_t pid;
	int fd;

	return child_spawn(s, &fd, &pid, err) &&
	       child_adopt(ret, l, s, NULL, fd, pid, err);
}

void child_end(struct child *c)
{
	channel_free(c->channel);
	if (c->pid > 0 && c->launcher)
		launcher_end(c->launcher, c->pid);
	else if (c->pid > 0) {
		(void)kill(c->pid, SIGKILL);
		while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	*c = (struct child){ 0 };
}
