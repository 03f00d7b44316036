#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "mcp/client/client_private.h"

enum {
	ARGUMENTS_MAX = 64,
	ENVIRONMENT_MAX = 64,
	READ_BYTES = 64 * 1024,
	EXIT_MS = 2000, /* for each step of ending it */
	WAIT_STEP_MS = 10,
	POLL_MS = 100,
};

/* What a child needs of our environment; the rest may hold secrets of ours. */
static const char *const inherited[] = { "PATH", "HOME", "USER",   "LOGNAME",
					 "LANG", "TERM", "TMPDIR", "SHELL" };

struct client_stdio {
	struct mcp_client *c;
	char *argv[ARGUMENTS_MAX + 1];
	char *env[ENVIRONMENT_MAX + 1];
	/* The child; begun and ended under mcp_client.opening. */
	pid_t pid; /* 0: none */
	int in, out, log;
	pthread_t reader;
	bool has_reader;
	atomic_bool is_gone; /* its stdout ended */
	atomic_bool stop;
	pthread_mutex_t writing; /* guards 'in' too */
	struct strbuf line;      /* the reader's: what came of one */
	bool is_skipping;        /* the rest of one that is too long */
};

/* ---- Reading ---- */

static void end_line(struct client_stdio *s)
{
	size_t length = s->line.length;

	while (length > 0 && strchr(" \t\r", s->line.data[length - 1]))
		length--;
	if (!s->is_skipping && strbuf_ok(&s->line) && length > 0)
		client_mail_take(s->c->mail, s->line.data, length);
	strbuf_clear(&s->line);
	s->is_skipping = false;
}

static void take_bytes(struct client_stdio *s, const char *bytes, size_t length)
{
	while (length > 0) {
		const char *newline = memchr(bytes, '\n', length);
		size_t part = newline ? (size_t)(newline - bytes) : length;

		if (part > CLIENT_MESSAGE_MAX - s->line.length)
			s->is_skipping = true;
		if (!s->is_skipping)
			strbuf_add(&s->line, bytes, part);
		if (!newline)
			return;
		end_line(s);
		bytes += part + 1;
		length -= part + 1;
	}
}

/* False at the end. */
static bool drain(struct client_stdio *s, int fd, char *buffer, bool is_log)
{
	ssize_t n = read(fd, buffer, READ_BYTES);

	if (n > 0 && !is_log)
		take_bytes(s, buffer, (size_t)n);
	return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

/* stderr must be read too, or the child blocks; what it says there is nobody's. */
static void *read_all(void *context)
{
	struct client_stdio *s = context;
	char *buffer = malloc(READ_BYTES);
	struct pollfd fds[2] = { { .fd = s->out, .events = POLLIN },
				 { .fd = s->log, .events = POLLIN } };

	while (buffer && fds[0].fd >= 0 && !atomic_load(&s->stop)) {
		if (poll(fds, 2, POLL_MS) <= 0)
			continue;
		if (fds[0].revents && !drain(s, s->out, buffer, false))
			fds[0].fd = -1;
		if (fds[1].revents && !drain(s, s->log, buffer, true))
			fds[1].fd = -1;
	}
	free(buffer);
	atomic_store(&s->is_gone, true);
	client_mail_set_broken(s->c->mail, true);
	return NULL;
}

/* ---- Writing ---- */

/* SIGPIPE goes by thread here: it is blocked, and taken if this write raised it. */
static ssize_t write_quietly(int fd, const char *bytes, size_t length)
{
	const struct timespec now = { 0 };
	sigset_t pipe_only, before, pending;

	(void)sigemptyset(&pipe_only);
	(void)sigaddset(&pipe_only, SIGPIPE);
	(void)sigpending(&pending);
	(void)pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
	ssize_t n = write(fd, bytes, length);
	int error = errno;
	if (n < 0 && error == EPIPE && !sigismember(&pending, SIGPIPE))
		(void)sigtimedwait(&pipe_only, NULL, &now);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return n;
}

static bool is_cancelled(const struct client_request *r)
{
	return r->cancel && atomic_load_explicit(r->cancel, memory_order_relaxed);
}

static bool write_all(struct client_stdio *s, const char *bytes, size_t length,
		      struct client_request *r, struct error *err)
{
	while (length > 0) {
		struct pollfd fd = { .fd = s->in, .events = POLLOUT };
		ssize_t n = write_quietly(s->in, bytes, length);

		if (n > 0) {
			r->sent = true;
			bytes += n;
			length -= (size_t)n;
		} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
			return error_set(err,
					 r->sent ? ERR_UNKNOWN_OUTCOME
						 : ERR_BACKEND_UNAVAILABLE,
					 "the server's program has ended");
		} else if (clock_mono_ms() >= r->until_ms || is_cancelled(r)) {
			/* A line that was begun must not be followed by another. */
			if (r->sent)
				atomic_store(&s->stop, true);
			return error_set(err, ERR_TIMEOUT,
					 "the server's program does not read");
		} else {
			(void)poll(&fd, 1, WAIT_STEP_MS);
		}
	}
	return true;
}

bool client_stdio_send(struct mcp_client *c, const struct strbuf *message,
		       struct client_request *r, struct error *err)
{
	struct client_stdio *s = c->stdio;
	_cleanup_(strbuf_wipe) struct strbuf line = STRBUF_INIT;
	bool good;

	strbuf_add(&line, message->data, message->length);
	strbuf_add_char(&line, '\n');
	if (!strbuf_ok(&line))
		return error_oom(err);
	/* One line is one message, so the arguments of a caller must not break it. */
	for (size_t i = 0; i + 1 < line.length; i++)
		if (line.data[i] == '\n' || line.data[i] == '\r')
			line.data[i] = ' ';
	(void)pthread_mutex_lock(&s->writing);
	good = s->in >= 0 ? write_all(s, line.data, line.length, r, err)
			  : error_set(err, ERR_BACKEND_UNAVAILABLE,
				      "the server's program does not run");
	(void)pthread_mutex_unlock(&s->writing);
	return good;
}

/* ---- The child ---- */

struct pipes {
	int fd[6]; /* stdin, stdout, stderr of the child; of each, read and write end */
};

static void close_pipes(struct pipes *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(p->fd); i++)
		if (p->fd[i] >= 0)
			(void)close(p->fd[i]);
}

static bool open_pipes(struct pipes *p, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(p->fd); i++)
		p->fd[i] = -1;
	for (size_t i = 0; i < ARRAY_SIZE(p->fd); i += 2)
		if (pipe2(&p->fd[i], O_CLOEXEC) != 0)
			return error_errno(err, "cannot make a pipe");
	/* Only our ends: a child expects its own to block. */
	if (fcntl(p->fd[1], F_SETFL, O_NONBLOCK) != 0 ||
	    fcntl(p->fd[2], F_SETFL, O_NONBLOCK) != 0 ||
	    fcntl(p->fd[4], F_SETFL, O_NONBLOCK) != 0)
		return error_errno(err, "cannot prepare a pipe");
	return true;
}

static int spawn(struct client_stdio *s, const struct pipes *p)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, all;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	(void)posix_spawn_file_actions_init(&files);
	(void)posix_spawnattr_init(&attributes);
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP |
							    POSIX_SPAWN_SETSIGMASK |
							    POSIX_SPAWN_SETSIGDEF);
	(void)posix_spawnattr_setpgroup(&attributes, 0);
	(void)posix_spawnattr_setsigmask(&attributes, &none);
	(void)posix_spawnattr_setsigdefault(&attributes, &all);
	int error = posix_spawn_file_actions_adddup2(&files, p->fd[0], 0);
	error = error ? error : posix_spawn_file_actions_adddup2(&files, p->fd[3], 1);
	error = error ? error : posix_spawn_file_actions_adddup2(&files, p->fd[5], 2);
	error = error ? error : posix_spawn_file_actions_addclosefrom_np(&files, 3);
	error = error ? error
		      : posix_spawnp(&s->pid, s->argv[0], &files, &attributes, s->argv,
				     s->env);
	(void)posix_spawn_file_actions_destroy(&files);
	(void)posix_spawnattr_destroy(&attributes);
	return error;
}

static bool begin(struct client_stdio *s, struct error *err)
{
	struct pipes p;
	int error;

	if (!open_pipes(&p, err)) {
		close_pipes(&p);
		return false;
	}
	error = spawn(s, &p);
	if (error) {
		s->pid = 0;
		close_pipes(&p);
		errno = error;
		return error_errno(err, "cannot run '%.100s'", s->argv[0]);
	}
	(void)pthread_mutex_lock(&s->writing);
	s->in = TAKE_FD(p.fd[1]);
	(void)pthread_mutex_unlock(&s->writing);
	s->out = TAKE_FD(p.fd[2]);
	s->log = TAKE_FD(p.fd[4]);
	close_pipes(&p);
	atomic_store(&s->is_gone, false);
	atomic_store(&s->stop, false);
	strbuf_clear(&s->line);
	s->is_skipping = false;
	client_mail_set_broken(s->c->mail, false);
	s->has_reader = pthread_create(&s->reader, NULL, read_all, s) == 0;
	return s->has_reader || error_set(err, ERR_INTERNAL, "cannot begin a thread");
}

static bool await_exit(struct client_stdio *s)
{
	int64_t until_ms = clock_mono_ms() + EXIT_MS;

	do {
		siginfo_t info = { 0 };

		/* Seen, and left unreaped, so that the group's id stays its own. */
		if (waitid(P_PID, (id_t)s->pid, &info, WEXITED | WNOHANG | WNOWAIT) !=
			    0 ||
		    info.si_pid != 0)
			return true;
		(void)usleep(WAIT_STEP_MS * 1000);
	} while (clock_mono_ms() < until_ms);
	return false;
}

/* Its input ends; then SIGTERM, then SIGKILL for all that it started (PROTOCOL 5). */
static void end(struct client_stdio *s)
{
	if (s->pid == 0)
		return;
	(void)pthread_mutex_lock(&s->writing);
	if (s->in >= 0)
		(void)close(TAKE_FD(s->in));
	(void)pthread_mutex_unlock(&s->writing);
	if (!await_exit(s)) {
		(void)kill(-s->pid, SIGTERM);
		(void)await_exit(s);
	}
	(void)kill(-s->pid, SIGKILL);
	(void)waitpid(s->pid, NULL, 0);
	s->pid = 0;
	atomic_store(&s->stop, true);
	if (s->has_reader)
		(void)pthread_join(s->reader, NULL);
	s->has_reader = false;
	(void)close(TAKE_FD(s->out));
	(void)close(TAKE_FD(s->log));
}

bool client_stdio_runs(struct client_stdio *s)
{
	return !atomic_load(&s->is_gone);
}

bool client_stdio_start(struct client_stdio *s, bool fresh, struct error *err)
{
	if (s->pid != 0 && !fresh && client_stdio_runs(s))
		return true;
	end(s);
	return begin(s, err);
}

/* ---- Making one ---- */

static bool copy_environment(struct client_stdio *s, const char *const *env)
{
	size_t at = 0;

	for (size_t i = 0; i < ARRAY_SIZE(inherited); i++) {
		const char *value = getenv(inherited[i]);

		if (value && asprintf(&s->env[at], "%s=%s", inherited[i], value) < 0)
			return false;
		at += value != NULL;
	}
	for (; env && *env && at < ENVIRONMENT_MAX; env++)
		if (!(s->env[at++] = strdup(*env)))
			return false;
	return !env || !*env;
}

static bool copy_arguments(struct client_stdio *s, const char *const *argv)
{
	for (size_t i = 0; argv[i]; i++)
		if (i == ARGUMENTS_MAX || !(s->argv[i] = strdup(argv[i])))
			return false;
	return s->argv[0] != NULL;
}

struct client_stdio *client_stdio_new(struct mcp_client *c, const char *const *argv,
				      const char *const *env, struct error *err)
{
	struct client_stdio *s = calloc(1, sizeof *s);

	if (!s) {
		error_oom(err);
		return NULL;
	}
	s->c = c;
	s->in = s->out = s->log = -1;
	atomic_init(&s->is_gone, true);
	strbuf_init(&s->line);
	(void)pthread_mutex_init(&s->writing, NULL);
	if (copy_arguments(s, argv) && copy_environment(s, env))
		return s;
	client_stdio_free(s);
	error_set(err, ERR_INVALID_ARGUMENT,
		  "a program has 1 to %d arguments and at most %d variables",
		  ARGUMENTS_MAX, ENVIRONMENT_MAX);
	return NULL;
}

void client_stdio_free(struct client_stdio *s)
{
	if (!s)
		return;
	end(s);
	for (size_t i = 0; i < ARGUMENTS_MAX; i++)
		free(s->argv[i]);
	for (size_t i = 0; i < ENVIRONMENT_MAX; i++)
		free(s->env[i]);
	strbuf_done(&s->line);
	(void)pthread_mutex_destroy(&s->writing);
	free(s);
}
