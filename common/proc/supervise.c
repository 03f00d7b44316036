#include "proc/supervise.h"

#include <signal.h>

#include "base/clock.h"
#include "proc/spawn.h"

enum {
	BACKOFF_FIRST_MS = 200,
	BACKOFF_MAX_MS = 10 * 1000,
	SETTLED_MS = 60 * 1000, /* a life this long forgives what was before */
	READY_POLL_MS = 20,
};

struct child {
	struct supervise_child spec;
	struct supervisor *owner;
	struct spawned process;
	struct loop_source *exit_source, *restart_timer;
	int64_t started_ms, backoff_ms;
};

struct supervisor {
	struct loop *loop;
	supervise_event *event;
	void *context;
	struct child child[SUPERVISE_CHILDREN_MAX];
	size_t count;
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

static void unwatch(struct child *c)
{
	loop_remove(c->exit_source);
	loop_remove(c->restart_timer);
	c->exit_source = NULL;
	c->restart_timer = NULL;
}

void supervisor_free(struct supervisor *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++) {
		unwatch(&s->child[i]);
		spawn_kill(&s->child[i].process);
	}
	free(s);
}

/* --- falling and coming back ------------------------------------------------------ */

static void on_exit_of(void *context, int fd, unsigned events);
static void restart(void *context);

static bool begin(struct child *c, struct error *err)
{
	if (!spawn_begin(&c->process, c->spec.argv, c->spec.log_path, err))
		return false;
	c->started_ms = clock_mono_ms();
	return true;
}

static bool watch(struct child *c, struct error *err)
{
	c->exit_source = loop_add_fd(c->owner->loop, c->process.pidfd, LOOP_READ,
				     on_exit_of, c, err);
	return c->exit_source != NULL;
}

static void schedule_restart(struct child *c)
{
	struct error err = ERROR_INIT;

	c->restart_timer =
		loop_add_timer(c->owner->loop, c->backoff_ms, false, restart, c, &err);
	if (!c->restart_timer)
		tell(c, err.message, 0);
	c->backoff_ms *= 2;
	if (c->backoff_ms > BACKOFF_MAX_MS)
		c->backoff_ms = BACKOFF_MAX_MS;
}

static void restart(void *context)
{
	struct child *c = context;
	struct error err = ERROR_INIT;

	c->restart_timer = NULL;
	if (begin(c, &err) && watch(c, &err)) {
		tell(c, "restarted", 0);
		return;
	}
	spawn_kill(&c->process);
	tell(c, err.message, 0);
	schedule_restart(c);
}

static void on_exit_of(void *context, int fd, unsigned events)
{
	struct child *c = context;
	int status;

	(void)fd;
	(void)events;
	if (!spawn_ended(&c->process, &status))
		return;
	unwatch(c);
	if (clock_mono_ms() - c->started_ms > SETTLED_MS)
		c->backoff_ms = BACKOFF_FIRST_MS;
	schedule_restart(c); /* before the event: its receiver may stop us */
	tell(c, "ended", status);
}

/* --- the first start -------------------------------------------------------------- */

/* 'what' became of it, and why, in its own words. */
static bool not_ready(const struct child *c, const struct spawned *was,
		      enum error_code code, const char *what, struct error *err)
{
	const size_t name = strlen(c->spec.name);
	struct error said = ERROR_INIT;
	const char *why = said.message;

	spawn_last_words(was, c->spec.log_path, &said);
	if (strncmp(why, c->spec.name, name) == 0 && why[name] == ':')
		why += name + 1 + strspn(why + name + 1, " ");
	error_set(err, code, "%s %s%s%s", c->spec.name, what, *why ? ": " : "", why);
	if (said.hint[0])
		return error_hint(err, "%s", said.hint);
	return c->spec.log_path ? error_hint(err, "its log is %s", c->spec.log_path)
				: false;
}

static bool wait_ready(struct child *c, int64_t wait_ms, struct error *err)
{
	int64_t deadline_ms = clock_mono_ms() + wait_ms;
	struct spawned was = c->process;
	char late[64];
	int status;

	while (c->spec.ready && !c->spec.ready(c->spec.context)) {
		if (spawn_await(&c->process, clock_mono_ms() + READY_POLL_MS, &status))
			return not_ready(c, &was, ERR_INTERNAL,
					 "ended before it was ready", err);
		if (clock_mono_ms() > deadline_ms) {
			(void)snprintf(late, sizeof late, "was not ready after %lld ms",
				       (long long)wait_ms);
			return not_ready(c, &was, ERR_TIMEOUT, late, err);
		}
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
	*c = (struct child){ .spec = *child,
			     .owner = s,
			     .process = SPAWNED_NONE,
			     .backoff_ms = BACKOFF_FIRST_MS };
	if (begin(c, err) && (wait_ms <= 0 || wait_ready(c, wait_ms, err)) &&
	    watch(c, err)) {
		s->count++;
		return true;
	}
	spawn_kill(&c->process);
	return false;
}

/* --- the end ---------------------------------------------------------------------- */

static bool await_end(struct child *c, int64_t deadline_ms)
{
	int status;

	if (c->process.pid == 0)
		return true;
	if (!spawn_await(&c->process, deadline_ms, &status))
		return false;
	tell(c, "ended", status);
	return true;
}

/* Each is asked when the one after it is gone, or has taken more than its share of the
 * time; so one that hangs does not cost the others theirs. */
void supervisor_stop(struct supervisor *s, int64_t patience_ms)
{
	int64_t deadline_ms = clock_mono_ms() + patience_ms;
	int64_t share_ms = s->count ? patience_ms / 2 / (int64_t)s->count : 0;

	for (size_t i = s->count; i > 0; i--) {
		struct child *c = &s->child[i - 1];
		unwatch(c);
		if (c->process.pid != 0)
			(void)kill(c->process.pid, SIGTERM);
		(void)await_end(c, clock_mono_ms() + share_ms);
	}
	for (size_t i = s->count; i > 0; i--) {
		struct child *c = &s->child[i - 1];
		if (!await_end(c, deadline_ms)) {
			spawn_kill(&c->process);
			tell(c, "killed", SIGKILL);
		}
	}
}

pid_t supervisor_pid(const struct supervisor *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->child[i].spec.name, name) == 0)
			return s->child[i].process.pid;
	return 0;
}
