/* What is left of today, asked by a thread of its own: the loop waits for no store. */
#include "assistant/host/host_private.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum { WAITING_MAX = 4 * HOST_TURNS_MAX, BOOKINGS_MAX = 1024 };

static void asked_free(struct host_asked *a)
{
	free(a);
}
DEFINE_CLEANUP(struct host_asked, asked_free);

/* --- the thread --- */

static void done(struct host_asked *a)
{
	struct host *h = a->host;
	const uint64_t one = 1;

	(void)pthread_mutex_lock(&h->asked_lock);
	a->next = h->asked;
	h->asked = a;
	(void)pthread_mutex_unlock(&h->asked_lock);
	(void)!write(h->asked_fd, &one, sizeof one);
}

/* Who waited while the store was found to be down hears the same, and does not wait in turn. */
static void ask(void *argument)
{
	struct host_asked *a = argument;
	struct host *h = a->host;

	if (a->asked_ms <= h->store_failed_ms)
		a->ok = error_set(&a->err, ERR_BACKEND_UNAVAILABLE,
				  "the budget's store is down");
	else
		a->ok = budget_ask(h->o.budget, a->person, a->bytes, clock_wall_ms(),
				   &a->share, &a->err);
	if (!a->ok && a->err.code == ERR_BACKEND_UNAVAILABLE)
		h->store_failed_ms = clock_mono_ms();
	done(a);
}

static void write_down(const struct host_asked *a)
{
	struct error err = ERROR_INIT;

	if (!budget_book(a->host->o.budget, a->person, &a->share, a->cost,
			 clock_wall_ms(), &err))
		log_failure("assistant.budget", &err);
}

static void book(void *argument)
{
	_cleanup_(asked_freep) struct host_asked *a = argument;

	write_down(a);
}

/* --- the loop --- */

static struct host_asked *take_done(struct host *h)
{
	struct host_asked *list;

	(void)pthread_mutex_lock(&h->asked_lock);
	list = h->asked;
	h->asked = NULL;
	(void)pthread_mutex_unlock(&h->asked_lock);
	return list;
}

static void on_done(void *context, int fd, unsigned events)
{
	struct host *h = context;
	uint64_t count;

	(void)events;
	(void)!read(fd, &count, sizeof count);
	for (struct host_asked *a = take_done(h), *next; a; a = next) {
		next = a->next;
		host_egress_allowed(h, a);
		asked_free(a);
	}
}

bool host_budget_ask(struct host *h, int64_t number, const char *person, size_t bytes,
		     struct error *err)
{
	_cleanup_(asked_freep) struct host_asked *a = calloc(1, sizeof *a);

	if (!a)
		return error_oom(err);
	a->host = h;
	a->number = number;
	a->bytes = bytes;
	a->asked_ms = clock_mono_ms();
	(void)snprintf(a->person, sizeof a->person, "%s", person);
	if (workers_busy(h->counter) >= WAITING_MAX ||
	    !workers_submit(h->counter, ask, a))
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 "the budget's store is slow");
	(void)TAKE(a);
	return true;
}

void host_budget_book(struct host *h, const char *person,
		      const struct budget_share *share, int64_t cost)
{
	_cleanup_(asked_freep) struct host_asked *a = NULL;

	if (!h->counter)
		return;
	a = calloc(1, sizeof *a);
	if (a) {
		a->host = h;
		a->cost = cost;
		if (share)
			a->share = *share;
		(void)snprintf(a->person, sizeof a->person, "%s", person);
	}
	if (a && workers_submit(h->counter, book, a))
		(void)TAKE(a);
	else
		log_warn("assistant.budget",
			 LOG_STR("why", "too much waits to be booked"));
}

/* --- life --- */

bool host_budget_open(struct host *h, struct error *err)
{
	h->asked_fd = -1;
	(void)pthread_mutex_init(&h->asked_lock, NULL);
	if (!h->o.budget)
		return true;
	h->asked_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (h->asked_fd < 0)
		return error_errno(err, "cannot make an eventfd");
	/* One: what is asked and booked comes in its order. */
	h->counter = workers_new(1, BOOKINGS_MAX, err);
	if (!h->counter)
		return false;
	h->asked_source = loop_add_fd(h->o.loop, h->asked_fd, LOOP_READ, on_done, h, err);
	return h->asked_source != NULL;
}

/* What was allowed and never sent is given back, as far as the store takes it. */
void host_budget_close(struct host *h)
{
	loop_remove(h->asked_source);
	workers_free(h->counter);
	h->counter = NULL;
	for (struct host_asked *a = take_done(h), *next; a; a = next) {
		next = a->next;
		if (a->ok)
			write_down(a);
		asked_free(a);
	}
	if (h->asked_fd >= 0)
		(void)close(h->asked_fd);
	(void)pthread_mutex_destroy(&h->asked_lock);
}
