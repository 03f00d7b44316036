#include "proc/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include "base/clock.h"

enum { EVENTS_PER_TURN = 64, WAIT_MAX_MS = 3600 * 1000 };

enum source_kind { SOURCE_FD, SOURCE_TIMER, SOURCE_SIGNAL };

struct loop_source {
	struct loop *loop;
	struct loop_source *next, **link; /* 'link' is what points at us */
	enum source_kind kind;
	bool removed;
	int fd; /* of a signal: ours; else handed in */
	int64_t due_ms, every_ms;
	uint64_t turn; /* of a timer: when it was added */
	void *context;
	union {
		loop_fd_callback *on_fd;
		loop_callback *on_timer;
		loop_signal_callback *on_signal;
	};
};

struct wake {
	struct wake *next;
	loop_callback *fn;
	void *context;
};

struct loop {
	int epoll_fd, wake_fd;
	struct loop_source *sources; /* descriptors and signals */
	struct loop_source *timers;  /* by 'due_ms', equal ones in order of arrival */
	struct loop_source *removed; /* freed when no callback can be using them */
	bool dispatching;
	uint64_t turn;
	atomic_bool stop;
	pthread_mutex_t lock; /* of the two below, which any thread may touch */
	struct wake *wakes;
	struct wake **wakes_end;
};

static void link_source(struct loop_source **at, struct loop_source *s)
{
	s->next = *at;
	s->link = at;
	if (s->next)
		s->next->link = &s->next;
	*at = s;
}

static void unlink_source(struct loop_source *s)
{
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	s->next = NULL;
	s->link = NULL;
}

static void link_timer(struct loop *l, struct loop_source *s)
{
	struct loop_source **at = &l->timers;

	while (*at && (*at)->due_ms <= s->due_ms)
		at = &(*at)->next;
	link_source(at, s);
}

static void free_list(struct loop_source **list)
{
	while (*list) {
		struct loop_source *s = *list;
		unlink_source(s);
		if (s->kind == SOURCE_SIGNAL)
			(void)close(s->fd);
		free(s);
	}
}

struct loop *loop_new(struct error *err)
{
	_cleanup_(loop_freep) struct loop *l = calloc(1, sizeof *l);

	if (!l) {
		error_oom(err);
		return NULL;
	}
	l->wakes_end = &l->wakes;
	l->wake_fd = -1;
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	(void)pthread_mutex_init(&l->lock, NULL);
	if (l->epoll_fd < 0) {
		error_errno(err, "cannot make an event loop");
		return NULL;
	}
	l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	/* data.ptr NULL stands for the wake-up descriptor */
	struct epoll_event ev = { .events = EPOLLIN };
	if (l->wake_fd < 0 ||
	    epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, l->wake_fd, &ev) != 0) {
		error_errno(err, "cannot make an event loop");
		return NULL;
	}
	return TAKE(l);
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	free_list(&l->sources);
	free_list(&l->timers);
	free_list(&l->removed);
	while (l->wakes) {
		struct wake *w = l->wakes;
		l->wakes = w->next;
		free(w);
	}
	if (l->wake_fd >= 0)
		(void)close(l->wake_fd);
	if (l->epoll_fd >= 0)
		(void)close(l->epoll_fd);
	(void)pthread_mutex_destroy(&l->lock);
	free(l);
}

static uint32_t epoll_events(unsigned events)
{
	return (events & LOOP_READ ? (uint32_t)EPOLLIN : 0) |
	       (events & LOOP_WRITE ? (uint32_t)EPOLLOUT : 0) | (uint32_t)EPOLLRDHUP;
}

static struct loop_source *source_new(struct loop *l, enum source_kind kind,
				      void *context, struct error *err)
{
	struct loop_source *s = calloc(1, sizeof *s);

	if (!s) {
		error_oom(err);
		return NULL;
	}
	s->loop = l;
	s->kind = kind;
	s->fd = -1;
	s->context = context;
	return s;
}

static bool watch(struct loop_source *s, int op, unsigned events, struct error *err)
{
	struct epoll_event ev = { .events = epoll_events(events), .data.ptr = s };

	if (epoll_ctl(s->loop->epoll_fd, op, s->fd, &ev) != 0)
		return error_errno(err, "cannot watch descriptor %d", s->fd);
	return true;
}

struct loop_source *loop_add_fd(struct loop *l, int fd, unsigned events,
				loop_fd_callback *fn, void *context, struct error *err)
{
	_cleanup_free_ struct loop_source *s = source_new(l, SOURCE_FD, context, err);

	if (!s)
		return NULL;
	s->fd = fd;
	s->on_fd = fn;
	if (!watch(s, EPOLL_CTL_ADD, events, err))
		return NULL;
	link_source(&l->sources, s);
	return TAKE(s);
}

bool loop_set_events(struct loop_source *s, unsigned events, struct error *err)
{
	return watch(s, EPOLL_CTL_MOD, events, err);
}

struct loop_source *loop_add_timer(struct loop *l, int64_t delay_ms, bool repeat,
				   loop_callback *fn, void *context, struct error *err)
{
	struct loop_source *s = source_new(l, SOURCE_TIMER, context, err);

	if (!s)
		return NULL;
	if (delay_ms < 0)
		delay_ms = 0;
	s->on_timer = fn;
	s->due_ms = clock_mono_ms() + delay_ms;
	s->every_ms = !repeat ? 0 : delay_ms > 0 ? delay_ms : 1;
	s->turn = l->turn;
	link_timer(l, s);
	return s;
}

struct loop_source *loop_add_signal(struct loop *l, int signal_number,
				    loop_signal_callback *fn, void *context,
				    struct error *err)
{
	_cleanup_free_ struct loop_source *s = source_new(l, SOURCE_SIGNAL, context, err);
	_cleanup_close_ int fd = -1;
	sigset_t set;

	if (!s)
		return NULL;
	sigemptyset(&set);
	if (sigaddset(&set, signal_number) != 0 ||
	    pthread_sigmask(SIG_BLOCK, &set, NULL) != 0 ||
	    (fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0) {
		error_errno(err, "cannot receive signal %d", signal_number);
		return NULL;
	}
	s->fd = fd;
	s->on_signal = fn;
	if (!watch(s, EPOLL_CTL_ADD, LOOP_READ, err))
		return NULL;
	TAKE_FD(fd);
	link_source(&l->sources, s);
	return TAKE(s);
}

void loop_remove(struct loop_source *s)
{
	if (!s || s->removed)
		return;
	struct loop *l = s->loop;
	if (s->kind != SOURCE_TIMER) {
		/* fails when the caller closed the descriptor first; then it is gone anyhow */
		(void)epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, s->fd, NULL);
	}
	s->removed = true;
	unlink_source(s);
	link_source(&l->removed, s);
	if (!l->dispatching)
		free_list(&l->removed);
}

static void kick(struct loop *l)
{
	/* fails only when the counter is full, and then the loop is awake */
	(void)!write(l->wake_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
}

bool loop_wake(struct loop *l, loop_callback *fn, void *context)
{
	struct wake *w = malloc(sizeof *w);

	if (!w)
		return false;
	*w = (struct wake){ .fn = fn, .context = context };
	(void)pthread_mutex_lock(&l->lock);
	bool first = !l->wakes;
	*l->wakes_end = w;
	l->wakes_end = &w->next;
	if (first)
		kick(l); /* inside the lock: once 'fn' can run, the loop may be freed */
	(void)pthread_mutex_unlock(&l->lock);
	return true;
}

void loop_stop(struct loop *l)
{
	atomic_store(&l->stop, true);
	kick(l);
}

static void run_wakes(struct loop *l)
{
	uint64_t count;

	(void)!read(l->wake_fd, &count, sizeof count);
	(void)pthread_mutex_lock(&l->lock);
	struct wake *w = l->wakes;
	l->wakes = NULL;
	l->wakes_end = &l->wakes;
	(void)pthread_mutex_unlock(&l->lock);
	while (w) {
		struct wake *next = w->next;
		w->fn(w->context);
		free(w);
		w = next;
	}
}

static void run_signal(struct loop_source *s)
{
	struct signalfd_siginfo info;

	while (!s->removed && read(s->fd, &info, sizeof info) == sizeof info)
		s->on_signal(s->context, (int)info.ssi_signo);
}

static void run_source(struct loop_source *s, uint32_t got)
{
	unsigned events = (got & EPOLLIN ? LOOP_READ : 0U) |
			  (got & EPOLLOUT ? LOOP_WRITE : 0U) |
			  (got & (EPOLLHUP | EPOLLERR | EPOLLRDHUP) ? LOOP_HANGUP : 0U);

	if (s->removed) /* by a callback of this turn */
		return;
	if (s->kind == SOURCE_SIGNAL)
		run_signal(s);
	else
		s->on_fd(s->context, s->fd, events);
}

static void run_timer(struct loop *l, struct loop_source *s, int64_t now_ms)
{
	s->turn = l->turn;
	if (s->every_ms > 0) {
		unlink_source(s);
		s->due_ms += s->every_ms;
		if (s->due_ms <= now_ms) /* late: skip the missed ones */
			s->due_ms = now_ms + s->every_ms;
		link_timer(l, s);
	}
	s->on_timer(s->context);
	if (s->every_ms == 0)
		loop_remove(s);
}

/* Timers added meanwhile wait for the next turn, or one that adds itself would hold us here. */
static void run_timers(struct loop *l)
{
	int64_t now_ms = clock_mono_ms();

	for (;;) {
		struct loop_source *s = l->timers;
		while (s && s->due_ms <= now_ms && s->turn == l->turn)
			s = s->next;
		if (!s || s->due_ms > now_ms)
			return;
		run_timer(l, s, now_ms);
	}
}

static int wait_ms(const struct loop *l)
{
	if (!l->timers)
		return -1;
	int64_t left = l->timers->due_ms - clock_mono_ms();
	return left <= 0 ? 0 : left > WAIT_MAX_MS ? WAIT_MAX_MS : (int)left;
}

bool loop_run(struct loop *l, struct error *err)
{
	struct epoll_event got[EVENTS_PER_TURN];

	while (!atomic_load(&l->stop)) {
		int n = epoll_wait(l->epoll_fd, got, EVENTS_PER_TURN, wait_ms(l));
		if (n < 0 && errno != EINTR)
			return error_errno(err, "cannot wait for events");
		l->turn++;
		l->dispatching = true;
		run_timers(l);
		for (int i = 0; i < n; i++) {
			if (got[i].data.ptr)
				run_source(got[i].data.ptr, got[i].events);
			else
				run_wakes(l);
		}
		l->dispatching = false;
		free_list(&l->removed);
	}
	atomic_store(&l->stop, false);
	return true;
}
