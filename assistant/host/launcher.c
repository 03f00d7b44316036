#include "assistant/host/launcher.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "assistant/host/host_private.h"

enum { REAP_MS = 1000, ANSWER_MS = 10 * 1000 };

enum op { OP_BEGIN = 1, OP_END };

struct request {
	int32_t op, program, pid;
};

/* With a descriptor beside it where 'pid' is one. */
struct answer {
	int32_t pid, error;
};

struct launcher {
	int fd;
	pid_t pid;
};

/* --- the launcher's own process --- */

struct launching {
	const struct host_options *o;
	const struct host_environment *env;
	int fd;
	pid_t children[LAUNCHER_CHILDREN_MAX]; /* 0: free */
};

static void reap(struct launching *l)
{
	for (size_t i = 0; i < LAUNCHER_CHILDREN_MAX; i++)
		if (l->children[i] > 0 &&
		    waitpid(l->children[i], NULL, WNOHANG) == l->children[i])
			l->children[i] = 0;
}

static pid_t *free_place(struct launching *l)
{
	for (size_t i = 0; i < LAUNCHER_CHILDREN_MAX; i++)
		if (l->children[i] == 0)
			return &l->children[i];
	return NULL;
}

static void answer(const struct launching *l, int32_t pid, int32_t error, int fd)
{
	struct answer a = { pid, error };
	struct iovec part = { &a, sizeof a };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (fd >= 0) {
		struct cmsghdr *c;

		message.msg_control = control.bytes;
		message.msg_controllen = sizeof control.bytes;
		c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof fd);
	}
	if (sendmsg(l->fd, &message, MSG_NOSIGNAL) != (ssize_t)sizeof a)
		_exit(1);
}

static void begin_program(struct launching *l, int32_t program)
{
	const struct host_options *o = l->o;
	const char *const worker[] = { o->worker, NULL };
	const char *const egress[] = { o->egress, "--dir", o->dir, NULL };
	char *const none[] = { NULL };
	const bool is_worker = program == LAUNCHER_WORKER;
	const struct child_start s = {
		.argv = is_worker ? worker : egress,
		.env = is_worker ? none : l->env->all,
		.log_path = o->log_path,
	};
	struct error err = ERROR_INIT;
	pid_t *place = free_place(l);
	int fd = -1;

	if (!place || (program != LAUNCHER_WORKER && program != LAUNCHER_EGRESS) ||
	    !child_spawn(&s, &fd, place, &err)) {
		answer(l, 0, EAGAIN, -1);
		return;
	}
	answer(l, (int32_t)*place, 0, fd);
	(void)close(fd);
}

static void end_program(struct launching *l, pid_t pid)
{
	for (size_t i = 0; i < LAUNCHER_CHILDREN_MAX; i++)
		if (pid > 0 && l->children[i] == pid) {
			(void)kill(pid, SIGKILL);
			while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
				;
			l->children[i] = 0;
		}
}

__attribute__((noreturn)) static void launch(struct launching *l)
{
	for (;;) {
		struct pollfd p = { .fd = l->fd, .events = POLLIN };
		struct request r;
		ssize_t n;

		if (poll(&p, 1, REAP_MS) < 0 && errno != EINTR)
			break;
		reap(l);
		if (!(p.revents & (POLLIN | POLLHUP)))
			continue;
		n = recv(l->fd, &r, sizeof r, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof r)
			break; /* the surface has gone, or is not what it was */
		if (r.op == OP_BEGIN)
			begin_program(l, r.program);
		else if (r.op == OP_END)
			end_program(l, r.pid);
		else
			break;
	}
	for (size_t i = 0; i < LAUNCHER_CHILDREN_MAX; i++)
		end_program(l, l->children[i]);
	_exit(0);
}

/* --- the surface's side --- */

__attribute__((noreturn)) static void become_launcher(const struct host_options *o,
						      const struct host_environment *env,
						      int fd, pid_t parent)
{
	struct launching l = { .o = o, .env = env, .fd = fd };
	sigset_t none;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM,
		     SIG_IGN); /* it ends with the surface, which finishes first */
	if (getppid() != parent)
		_exit(1);
	launch(&l);
}

struct launcher *launcher_new(const struct host_options *o, struct error *err)
{
	_cleanup_(host_environment_done) struct host_environment env = { .count = 0 };
	_cleanup_free_ struct launcher *l = calloc(1, sizeof *l);
	pid_t parent = getpid();
	int pair[2];

	if (!l) {
		error_oom(err);
		return NULL;
	}
	if (!host_environment_make(&env, o->settings, err))
		return NULL;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		error_errno(err, "cannot make a socket pair");
		return NULL;
	}
	l->pid = fork();
	if (l->pid == 0) {
		(void)close(pair[0]);
		become_launcher(o, &env, pair[1], parent);
	}
	(void)close(pair[1]);
	l->fd = pair[0];
	if (l->pid < 0) {
		(void)close(l->fd);
		error_errno(err, "cannot start the launcher");
		return NULL;
	}
	return TAKE(l);
}

void launcher_free(struct launcher *l)
{
	if (!l)
		return;
	(void)close(l->fd);
	while (waitpid(l->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(l);
}

static bool send_request(const struct launcher *l, const struct request *r,
			 struct error *err)
{
	return send(l->fd, r, sizeof *r, MSG_NOSIGNAL) == (ssize_t)sizeof *r ||
	       error_errno(err, "the launcher does not answer");
}

bool launcher_begin(struct launcher *l, enum launcher_program which, int *ret_fd,
		    pid_t *ret_pid, struct error *err)
{
	const struct request r = { OP_BEGIN, (int32_t)which, 0 };
	struct answer a = { 0, 0 };
	struct iovec part = { &a, sizeof a };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof control.bytes };
	struct pollfd p = { .fd = l->fd, .events = POLLIN };
	struct cmsghdr *c;
	ssize_t n;

	if (!send_request(l, &r, err))
		return false;
	while (poll(&p, 1, ANSWER_MS) < 0 && errno == EINTR)
		;
	n = recvmsg(l->fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	c = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	if (n != (ssize_t)sizeof a || a.pid <= 0 || !c || c->cmsg_level != SOL_SOCKET ||
	    c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int)))
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 "the launcher cannot start the program");
	memcpy(ret_fd, CMSG_DATA(c), sizeof *ret_fd);
	*ret_pid = a.pid;
	return true;
}

void launcher_end(struct launcher *l, pid_t pid)
{
	const struct request r = { OP_END, 0, (int32_t)pid };
	struct error ignored = ERROR_INIT;

	(void)send_request(l, &r, &ignored);
}
