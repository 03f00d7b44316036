#include "slack/socket/socket.h"

#include <signal.h>

#include "base/clock.h"
#include "slack/socket/socket_private.h"
#include "slack/socket/websockets_late.h"

/* --- life --- */

static bool copy_options(struct slack_socket *s, const struct slack_socket_options *o,
			 struct error *err)
{
	s->dir = o->dir;
	s->take = o->take;
	s->context = o->context;
	s->api = json_deep_copy(o->api);
	if (!s->api || (o->app && !(s->app = strdup(o->app))))
		return error_oom(err);
	return true;
}

/* libwebsockets would go on without authorities, and find nobody good. */
static bool open_wire(struct slack_socket *s, struct error *err)
{
	const char *name = json_get_string(s->api, "ca_file");
	_cleanup_free_ char *ca_file = name ? statedir_file(s->dir, name) : NULL;

	if (name && !ca_file)
		return error_oom(err);
	if (ca_file && access(ca_file, R_OK) != 0)
		return error_errno(err, "cannot read '%s'", ca_file);
	s->lws = websockets_need(err) ? socket_wire_new(s, ca_file, err) : NULL;
	return s->lws != NULL;
}

struct slack_socket *slack_socket_new(const struct slack_socket_options *options,
				      struct error *err)
{
	_cleanup_(slack_socket_freep) struct slack_socket *s = calloc(1, sizeof *s);
	const unsigned connections = options->connections ? options->connections
							  : LINKS_SLOTS;
	uint64_t seed;

	if (!s) {
		error_oom(err);
		return NULL;
	}
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_cond_init(&s->wanted, NULL);
	s->mail_end = &s->mail;
	s->asked_end = &s->asked;
	if (connections > LINKS_SLOTS_MAX) {
		error_set(err, ERR_INVALID_ARGUMENT, "at most %d connections to Slack",
			  LINKS_SLOTS_MAX);
		return NULL;
	}
	digest_random(&seed, sizeof seed);
	links_init(&s->links, options->times, connections, seed, clock_mono_ms());
	if (!copy_options(s, options, err) ||
	    !(s->slack = slack_open(s->dir, s->api, err)) || !open_wire(s, err))
		return NULL;
	return TAKE(s);
}

static bool start_thread(pthread_t *thread, void *(*fn)(void *), struct slack_socket *s,
			 struct error *err)
{
	sigset_t all, before;
	int code;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	code = pthread_create(thread, NULL, fn, s);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (code == 0)
		return true;
	errno = code;
	return error_errno(err, "cannot start a thread for Socket Mode");
}

bool slack_socket_start(struct slack_socket *s, struct error *err)
{
	s->workers = workers_new(SOCKET_THREADS, SOCKET_QUEUE_MAX, err);
	if (!s->workers)
		return false;
	s->opener_runs = start_thread(&s->opener, socket_opener, s, err);
	if (!s->opener_runs)
		return false;
	s->runner_runs = start_thread(&s->runner, socket_runner, s, err);
	return s->runner_runs;
}

void slack_socket_stop(struct slack_socket *s)
{
	atomic_store(&s->is_cancelled, true);
	(void)pthread_mutex_lock(&s->lock);
	s->stop_asked = true;
	(void)pthread_cond_broadcast(&s->wanted);
	(void)pthread_mutex_unlock(&s->lock);
	if (s->runner_runs) {
		lws_cancel_service(s->lws);
		(void)pthread_join(s->runner, NULL);
	}
	s->runner_runs = false;
	/* It may be waiting for a name. */
	if (s->opener_runs)
		(void)pthread_join(s->opener, NULL);
	s->opener_runs = false;
	workers_free(TAKE(s->workers));
}

static void mails_free(struct socket_mail *m)
{
	while (m) {
		struct socket_mail *next = m->next;

		socket_mail_free(m);
		m = next;
	}
}

void slack_socket_free(struct slack_socket *s)
{
	if (!s)
		return;
	slack_socket_stop(s);
	if (s->lws)
		lws_context_destroy(s->lws);
	for (size_t i = 0; i < SOCKET_LINKS_MAX; i++)
		socket_connection_free(s->connections[i]);
	mails_free(s->mail);
	mails_free(s->asked);
	slack_close(s->slack);
	json_decref(s->api);
	free(s->app);
	(void)pthread_cond_destroy(&s->wanted);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

struct slack_socket_state slack_socket_state(const struct slack_socket *s)
{
	return (struct slack_socket_state){
		.up = atomic_load(&s->up),
		.wanted = (unsigned)s->links.slot_count,
		.taken = atomic_load(&s->taken),
		.left = atomic_load(&s->left),
	};
}

/* --- mail --- */

void socket_mail_free(struct socket_mail *m)
{
	if (!m)
		return;
	strbuf_wipe(&m->text);
	free(m);
}

void socket_post(struct slack_socket *s, struct socket_mail *m)
{
	m->next = NULL;
	(void)pthread_mutex_lock(&s->lock);
	*s->mail_end = m;
	s->mail_end = &m->next;
	(void)pthread_mutex_unlock(&s->lock);
	lws_cancel_service(s->lws);
}
