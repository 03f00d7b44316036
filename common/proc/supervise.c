#include "proc/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"

enum {
	BACKOFF_FIRST_MS = 200,
	BACKOFF_MAX_MS = 10 * 1000,
	SETTLED_MS = 60 * 1000, /* a life this long forgives what was before */
	POLL_MS = 20,
	LOG_TAIL_BYTES = 600,
};

struct child {
	struct supervise_child spec;
	struct supervisor *owner;
	pid_t pid; /* 0: down */
	int pidfd; /* -1: down */
	struct loop_source *exit_source, *restart_timer;
	int64_t started_ms, backoff_ms;
};

struct supervisor {
	struct loop *loop;
	supervise_event *event;
	void *context;
	struct child child[SUPERVISE_CHILDREN_MAX];
	size_t count;
	bool stopping;
};

static void tell(const struct child *c, const char *what, int status)
{
	if (c->owner->event)
		c->owner->event(c->owner->context, c->spec.name, what, status);
}

struct supervisor *supervisor_new(struct loop *l, supervise_event *event, void *context,
				  struct error *err)
{
	struct supervisor *s = calloc(1, sizeof *s);

	if (!s) {
		error_oom(err);
		return NULL;
	}
	s->loop = l;
	s->event = event;
	s->context = context;
	return s;
}

static void forget(struct child *c)
{
	loop_remove(c->exit_source);
	c->exit_source = NULL;
	if (c->pidfd >= 0)
		(void)close(c->pidfd);
	c->pidfd = -1;
	c->pid = 0;
}

static void disarm(struct child *c)
{
	loop_remove(c->restart_timer);
	c->restart_timer = NULL;
}

void supervisor_free(struct supervisor *s)
{
	if (!s)
		return;
	supervisor_stop(s, 0);
	free(s);
}

/* --- one life --------------------------------------------------------------------- */

static void exec_failed(const struct child *c)
{
	dprintf(STDERR_FILENO, "cannot run %s: %s\n", c->spec.argv[0], strerror(errno));
	_exit(127);
}

/* In the new process. A group of its own keeps the terminal's Ctrl-C away. */
static void become(const struct child *c, pid_t parent, int log_fd)
{
	sigset_t none;
	int null = open("/dev/null", O_RDWR);

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)setpgid(0, 0);
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent)
		_exit(127); /* the parent is gone already */
	if (null >= 0)
		(void)dup2(null, STDIN_FILENO);
	if (log_fd >= 0) {
		(void)dup2(log_fd, STDOUT_FILENO);
		(void)dup2(log_fd, STDERR_FILENO);
	}
	(void)close_range(3, ~0U, 0);
	(void)execv(c->spec.argv[0], (char *const *)(uintptr_t)c->spec.argv);
	exec_failed(c);
}

static bool open_log(const struct child *c, int *ret_fd, struct error *err)
{
	if (!c->spec.log_path)
		return true;
	*ret_fd = open(c->spec.log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	return *ret_fd >= 0 || error_errno(err, "cannot write %s", c->spec.log_path);
}

static bool spawn(struct child *c, struct error *err)
{
	_cleanup_close_ int log_fd = -1;
	pid_t parent = getpid(), pid;

	if (!open_log(c, &log_fd, err))
		return false;
	pid = fork();
	if (pid < 0)
		return error_errno(err, "cannot start %s", c->spec.name);
	if (pid == 0)
		become(c, parent, log_fd);
	c->pid = pid;
	c->started_ms = clock_mono_ms();
	c->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (c->pidfd < 0)
		return error_errno(err, "cannot watch %s", c->spec.name);
	return true;
}

/* Whether it has ended; then it is reaped and '*ret_status' says how. */
static bool has_ended(const struct child *c, int *ret_status)
{
	return c->pid > 0 && waitpid(c->pid, ret_status, WNOHANG) == c->pid;
}

/* --- fall and return ---------------------------------------------------------------- */

static bool watch(struct child *c, struct error *err);

static void schedule_restart(struct child *c);

static void restart(void *context)
{
	struct child *c = context;
	struct error err = ERROR_INIT;

	c->restart_timer = NULL;
	if (c->owner->stopping)
		return;
	if (spawn(c, &err) && watch(c, &err)) {
		tell(c, "restarted", 0);
		return;
	}
	tell(c, err.message, 0);
	if (c->pid > 0) {
		(void)kill(c->pid, SIGKILL);
		(void)waitpid(c->pid, NULL, 0);
	}
	forget(c);
	schedule_restart(c);
}

static void schedule_restart(struct child *c)
{
	struct error err = ERROR_INIT;

	c->restart_timer =
		loop_add_timer(c->owner->loop, c->backoff_ms, false, restart, c, &err);
	if (!c->restart_timer)
		tell(c, err.message, 0);
	c->backoff_ms = c->backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS
							   : c->backoff_ms * 2;
}

static void on_exit_of(void *context, int fd, unsigned events)
{
	struct child *c = context;
	int status = 0;

	(void)fd;
	(void)events;
	if (!has_ended(c, &status))
		return;
	if (clock_mono_ms() - c->started_ms > SETTLED_MS)
		c->backoff_ms = BACKOFF_FIRST_MS;
	tell(c, "ended", status);
	forget(c);
	if (!c->owner->stopping)
		schedule_restart(c);
}

static bool watch(struct child *c, struct error *err)
{
	c->exit_source =
		loop_add_fd(c->owner->loop, c->pidfd, LOOP_READ, on_exit_of, c, err);
	return c->exit_source != NULL;
}

/* --- first start --------------------------------------------------------------------- */

static void sleep_ms(int64_t ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000 };

	(void)nanosleep(&ts, NULL);
}

/* The last lines it wrote are why it ended. */
static void hint_from_log(const struct child *c, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	_cleanup_close_ int fd =
		c->spec.log_path ? open(c->spec.log_path, O_RDONLY | O_CLOEXEC) : -1;
	struct error ignored = ERROR_INIT;
	const char *last;

	if (fd < 0 || lseek(fd, 0, SEEK_END) < 0)
		return;
	if (lseek(fd, -LOG_TAIL_BYTES, SEEK_END) < 0)
		(void)lseek(fd, 0, SEEK_SET);
	if (!file_read_fd(fd, LOG_TAIL_BYTES, &text, &ignored))
		return;
	while (text.length > 0 && text.data[text.length - 1] == '\n')
		strbuf_truncate(&text, text.length - 1);
	last = strrchr(text.data, '\n');
	error_hint(err, "see %s; it ends with: %s", c->spec.log_path,
		   last ? last + 1 : text.data);
}

static bool wait_ready(struct child *c, int64_t wait_ms, struct error *err)
{
	int64_t deadline = clock_mono_ms() + wait_ms;
	int status;

	while (c->spec.ready && !c->spec.ready(c->spec.context)) {
		if (has_ended(c, &status)) {
			forget(c);
			error_set(err, ERR_INTERNAL, "%s ended before it was ready",
				  c->spec.name);
			hint_from_log(c, err);
			return false;
		}
		if (clock_mono_ms() > deadline) {
			error_set(err, ERR_TIMEOUT, "%s was not ready after %lld s",
				  c->spec.name, (long long)(wait_ms / 1000));
			hint_from_log(c, err);
			return false;
		}
		sleep_ms(POLL_MS);
	}
	return true;
}

bool supervisor_start(struct supervisor *s, const struct supervise_child *child,
		      int64_t wait_ms, struct error *err)
{
	struct child *c = &s->child[s->count];

	if (s->count == SUPERVISE_CHILDREN_MAX)
		return error_set(err, ERR_INTERNAL, "more than %d children",
				 SUPERVISE_CHILDREN_MAX);
	*c = (struct child){
		.spec = *child, .owner = s, .pidfd = -1, .backoff_ms = BACKOFF_FIRST_MS
	};
	s->count++;
	return spawn(c, err) && (wait_ms <= 0 || wait_ready(c, wait_ms, err)) &&
	       watch(c, err);
}

/* --- the end ------------------------------------------------------------------------- */

/* True when it is gone by 'deadline_ms'. */
static bool await_end(struct child *c, int64_t deadline_ms)
{
	int status;

	while (!has_ended(c, &status)) {
		if (clock_mono_ms() >= deadline_ms)
			return false;
		sleep_ms(POLL_MS / 4);
	}
	tell(c, "ended", status);
	return true;
}

void supervisor_stop(struct supervisor *s, int64_t patience_ms)
{
	int64_t deadline = clock_mono_ms() + patience_ms;

	s->stopping = true;
	for (size_t i = s->count; i > 0; i--) {
		struct child *c = &s->child[i - 1];

		disarm(c);
		if (c->pid <= 0)
			continue;
		(void)kill(c->pid, SIGTERM);
		if (!await_end(c, deadline)) {
			(void)kill(c->pid, SIGKILL);
			(void)waitpid(c->pid, NULL, 0);
			tell(c, "killed", SIGKILL);
		}
		forget(c);
	}
}

pid_t supervisor_pid(const struct supervisor *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->child[i].spec.name, name) == 0)
			return s->child[i].pid;
	return 0;
}
