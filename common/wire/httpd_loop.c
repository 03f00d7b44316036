/*
 * A loop's thread. libmicrohttpd is driven from outside: its own epoll thread
 * stalls when one wait returns exactly 128 events, while MHD_run never blocks.
 */
#include "wire/httpd_private.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"

enum {
	WAIT_MAX_MS = 1000,
	ENDING_WAIT_MS = 10,
	SWEEP_MS = 5000,
	LAST_WORDS_MS = 500, /* for the 503s of requests that were given up */
	COMPLAIN_MS = 1000,
};

static enum MHD_Result queue(struct MHD_Connection *connection, unsigned status,
			     struct MHD_Response *response)
{
	if (!response)
		return MHD_NO;
	return MHD_queue_response(connection, status, response);
}

static enum MHD_Result queue_once(struct MHD_Connection *connection, unsigned status,
				  struct MHD_Response *response)
{
	enum MHD_Result queued = queue(connection, status, response);

	if (response)
		MHD_destroy_response(response);
	return queued;
}

static enum MHD_Result reply_refusal(struct http_request *r)
{
	struct httpd_loop *l = r->loop;

	/* a stranger must not fill the log: one line a second */
	if (r->refusal_status == MHD_HTTP_FORBIDDEN &&
	    l->now_ms - l->complained_ms >= COMPLAIN_MS) {
		l->complained_ms = l->now_ms;
		strbuf_truncate(&r->refusal, r->refusal.length - 1); /* its line feed */
		log_warn("http.refused", LOG_STR("request", r->id),
			 LOG_STR("why", r->refusal.data));
		strbuf_add_char(&r->refusal, '\n');
	}
	return queue_once(r->connection, r->refusal_status,
			  httpd_refusal(r->refusal.data));
}

static void link_suspended(struct httpd_loop *l, struct http_request *r)
{
	r->next = l->suspended;
	r->link = &l->suspended;
	if (r->next)
		r->next->link = &r->next;
	l->suspended = r;
}

static void unlink_suspended(struct http_request *r)
{
	*r->link = r->next;
	if (r->next)
		r->next->link = r->link;
	r->next = NULL;
	r->link = NULL;
}

static enum MHD_Result queue_reply(struct http_request *r)
{
	return r->stream ? httpd_flow_take(r)
			 : queue(r->connection, r->status, r->response);
}

static enum MHD_Result run_handler(struct http_request *r)
{
	struct httpd_loop *l = r->loop;
	int running = REQUEST_RUNNING;

	r->conn->since_ms = l->now_ms;
	log_set_request(r->id);
	if (!httpd_cors_preflight(r))
		l->config->handler(l->config->context, r);
	log_set_request(NULL);
	/* It may have replied by now, here or in another thread. If not, whoever does
	 * finds SUSPENDED and leaves the rest to this thread, after this callback. */
	if (!atomic_compare_exchange_strong(&r->state, &running, REQUEST_SUSPENDED))
		return queue_reply(r);
	r->conn->waiting = true;
	link_suspended(l, r);
	MHD_suspend_connection(r->connection);
	if (r->watched && !httpd_gone_watch(r))
		httpd_gone_tell(r);
	return MHD_YES;
}

static enum MHD_Result take_body(struct http_request *r, const char *bytes,
				 size_t *length)
{
	size_t body_max = r->loop->config->body_max;

	if (*length > body_max + HTTPD_DRAIN_BYTES - r->body_seen)
		return MHD_NO; /* enough: hang up */
	r->body_seen += *length;
	if (r->body_seen > body_max)
		httpd_request_refuse(r, MHD_HTTP_CONTENT_TOO_LARGE,
				     "a body of at most %zu bytes is accepted\n",
				     body_max);
	if (!r->refusal_status)
		strbuf_add(&r->body, bytes, *length);
	*length = 0;
	return MHD_YES;
}

static enum MHD_Result begin_request(struct httpd_loop *l,
				     struct MHD_Connection *connection,
				     struct httpd_conn *conn, const char *url,
				     const char *method, const char *version,
				     void **request)
{
	struct http_request *r = httpd_request_take(l);

	if (!r)
		return MHD_NO;
	r->connection = connection;
	r->conn = conn;
	*request = r;
	l->active++;
	r->http10 = strcmp(version, MHD_HTTP_VERSION_1_0) == 0;
	if (!httpd_request_begin(r, method, url))
		return MHD_NO;
	return r->refusal_status && r->refuse_now ? reply_refusal(r) : MHD_YES;
}

/* libmicrohttpd calls this for the head, for each piece of the body, at the end, and
 * again at the end after a connection was resumed. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
				  const char *url, const char *method,
				  const char *version, const char *upload,
				  size_t *upload_bytes, void **request)
{
	struct httpd_loop *l = context;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct httpd_conn *conn = info ? info->socket_context : NULL;
	struct http_request *r = *request;

	if (!conn)
		return MHD_NO;
	if (conn->abandoned)
		return queue_once(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
				  httpd_refusal("the server is ending\n"));
	if (!r)
		return begin_request(l, connection, conn, url, method, version, request);
	if (*upload_bytes > 0)
		return take_body(r, upload, upload_bytes);
	if (atomic_load(&r->state) == REQUEST_REPLIED)
		return queue_reply(r);
	if (!strbuf_ok(&r->body))
		return MHD_NO;
	return r->refusal_status ? reply_refusal(r) : run_handler(r);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **request,
			 enum MHD_RequestTerminationCode why)
{
	struct httpd_loop *l = context;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct httpd_conn *conn = info ? info->socket_context : NULL;

	(void)why;
	if (!*request)
		return;
	l->active--;
	if (conn)
		conn->since_ms = l->now_ms;
	if (!conn || !conn->abandoned) {
		struct http_request *r = *request;
		if (r->stream)
			httpd_flow_drop(r);
		httpd_request_return(l, r);
	}
	*request = NULL;
}

static void on_connection(void *context, struct MHD_Connection *connection,
			  void **socket_context, enum MHD_ConnectionNotificationCode what)
{
	struct httpd_loop *l = context;
	struct httpd_conn *conn = *socket_context;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		conn = *socket_context = calloc(1, sizeof *conn);
		if (!conn)
			return; /* its first request is cut */
		conn->fd = MHD_get_connection_info(connection,
						   MHD_CONNECTION_INFO_CONNECTION_FD)
				   ->connect_fd;
		conn->since_ms = l->now_ms;
		if (l->shared->wants_clients && !httpd_tls_require_client(connection))
			(void)shutdown(conn->fd, SHUT_RDWR);
		conn->next = l->conns;
		conn->link = &l->conns;
		if (conn->next)
			conn->next->link = &conn->next;
		l->conns = conn;
	} else if (conn) {
		httpd_gone_forget(l, conn);
		*conn->link = conn->next;
		if (conn->next)
			conn->next->link = conn->link;
		free(conn->client_name);
		free(conn);
		*socket_context = NULL;
	}
}

unsigned httpd_drop_slow(const struct httpd_conn *conns, int64_t now_ms)
{
	unsigned dropped = 0;

	for (; conns; conns = conns->next) {
		if (conns->waiting ||
		    now_ms - conns->since_ms <= INT64_C(1000) * HTTPD_REQUEST_S)
			continue;
		(void)shutdown(conns->fd, SHUT_RDWR); /* libmicrohttpd finds it closed */
		dropped++;
	}
	return dropped;
}

/* Resumed here and not in http_reply: only then is it certain that the connection
 * was suspended first, and that MHD_run, which comes next, sees it. */
static void resume(struct httpd_loop *l, struct http_request *r)
{
	unlink_suspended(r);
	r->conn->waiting = false;
	r->conn->pending = NULL;
	r->conn->since_ms = l->now_ms;
	MHD_resume_connection(r->connection);
}

static struct http_request *take_replied(struct httpd_loop *l)
{
	(void)pthread_mutex_lock(&l->lock);
	struct http_request *r = TAKE(l->replied);
	l->is_woken = l->woke_itself = false;
	(void)pthread_mutex_unlock(&l->lock);
	return r;
}

/* Until there are no more: who goes on here replies, mostly. */
static void resume_replied(struct httpd_loop *l)
{
	struct http_request *r;
	uint64_t count;

	(void)!read(l->wake_fd, &count, sizeof count);
	while ((r = take_replied(l))) {
		while (r) {
			struct http_request *next = r->next_replied;
			http_go_on *go_on = TAKE(r->go_on);

			r->next_replied = NULL;
			if (go_on)
				go_on(r->go_on_context);
			else
				resume(l, r);
			r = next;
		}
	}
}

/* The server ends and these have no reply yet: their clients get a 503, and their
 * handlers keep the requests until they reply. */
static void abandon_suspended(struct httpd_loop *l)
{
	struct http_request *next;

	for (struct http_request *r = l->suspended; r; r = r->next)
		if (r->watched)
			httpd_gone_tell(r);
	(void)pthread_mutex_lock(&l->lock);
	for (struct http_request *r = l->suspended; r; r = next) {
		struct MHD_Connection *connection = r->connection;
		int suspended = REQUEST_SUSPENDED;
		next = r->next;
		if (!atomic_compare_exchange_strong(&r->state, &suspended,
						    REQUEST_ABANDONED))
			continue; /* just replied: resume_replied has it */
		unlink_suspended(r);
		l->pins++;
		r->conn->abandoned = true;
		r->conn->waiting = false;
		r->conn->pending = NULL;
		r->conn = NULL;
		r->connection = NULL;
		MHD_resume_connection(connection);
	}
	(void)pthread_mutex_unlock(&l->lock);
}

static int wait_ms(const struct httpd_loop *l, int most_ms)
{
	MHD_UNSIGNED_LONG_LONG theirs_ms = 0;
	int ours_ms = httpd_flow_wait_ms(l), wait = -1; /* nothing to time: until woken */

	if (l->woke_itself)
		return 0;
	if (MHD_get_timeout(l->daemon, &theirs_ms) == MHD_YES)
		wait = theirs_ms > (unsigned)most_ms ? most_ms : (int)theirs_ms;
	else if (l->conns || most_ms < WAIT_MAX_MS)
		wait = most_ms;
	return ours_ms >= 0 && (wait < 0 || ours_ms < wait) ? ours_ms : wait;
}

static void turn(struct httpd_loop *l, int wait_max_ms)
{
	struct pollfd fds[] = { { .fd = l->epoll_fd, .events = POLLIN },
				{ .fd = l->wake_fd, .events = POLLIN },
				{ .fd = l->events_fd, .events = POLLIN } };

	(void)poll(fds, ARRAY_SIZE(fds), wait_ms(l, wait_max_ms));
	l->now_ms = clock_mono_ms();
	if (fds[2].revents)
		httpd_flow_events(l);
	if (fds[1].revents || l->woke_itself)
		resume_replied(l);
	(void)MHD_run(l->daemon);
	httpd_flow_run(l);
	if (l->now_ms - l->swept_ms >= SWEEP_MS) {
		l->swept_ms = l->now_ms;
		(void)httpd_drop_slow(l->conns, l->now_ms);
	}
}

static void end_gently(struct httpd_loop *l)
{
	int fd = MHD_quiesce_daemon(l->daemon);
	int64_t deadline_ms = l->now_ms + atomic_load(&l->patience_ms);

	if (fd >= 0)
		(void)close(fd);
	while ((l->active > 0 || l->stream_count > 0) && l->now_ms < deadline_ms)
		turn(l, ENDING_WAIT_MS);
	resume_replied(l);
	abandon_suspended(l);
	httpd_flow_stop(l);
	deadline_ms = l->now_ms + LAST_WORDS_MS;
	while (l->active > 0 && l->now_ms < deadline_ms) {
		resume_replied(l);
		turn(l, ENDING_WAIT_MS);
		abandon_suspended(l);
		httpd_flow_stop(l);
	}
	resume_replied(l);
}

static void *run(void *context)
{
	struct httpd_loop *l = context;

	l->self = pthread_self();
	l->now_ms = clock_mono_ms();
	while (!atomic_load_explicit(&l->stop, memory_order_relaxed))
		turn(l, WAIT_MAX_MS);
	end_gently(l);
	MHD_stop_daemon(l->daemon);
	l->daemon = NULL;
	httpd_flow_stop(l);
	return NULL;
}

static size_t keep_escapes(void *context, struct MHD_Connection *connection, char *text)
{
	(void)context;
	(void)connection;
	return strlen(text); /* httpd_request.c decodes, and refuses what cannot be */
}

static bool start_daemon(struct httpd_loop *l, const struct httpd_tls *tls, int listen_fd,
			 unsigned connection_max)
{
	struct MHD_OptionItem tls_options[HTTPD_TLS_OPTIONS];
	/* MHD_ALLOW_SUSPEND_RESUME includes a wake-up channel of its own, for those
	 * who resume from other threads; two system calls a resume that we save. */
	unsigned flags = (unsigned)MHD_USE_EPOLL |
			 (tls ? (unsigned)MHD_USE_TLS : (unsigned)MHD_USE_TURBO) |
			 ((unsigned)MHD_ALLOW_SUSPEND_RESUME & ~(unsigned)MHD_USE_ITC);

	httpd_tls_options(tls, tls_options);
	l->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, on_request, l, MHD_OPTION_LISTEN_SOCKET, listen_fd,
		MHD_OPTION_CONNECTION_LIMIT, connection_max,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTPD_MEMORY_BYTES,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTPD_IDLE_S,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, l,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, l,
		MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, tls_options,
		MHD_OPTION_END);
	const union MHD_DaemonInfo *info =
		l->daemon ? MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD)
			  : NULL;
	if (info) {
		l->epoll_fd = info->epoll_fd;
		return true;
	}
	if (l->daemon) {
		(void)MHD_quiesce_daemon(l->daemon); /* the socket stays the caller's */
		MHD_stop_daemon(l->daemon);
	}
	return false;
}

struct httpd_loop *httpd_loop_new(struct httpd_shared *shared,
				  const struct httpd_tls *tls, bool loopback,
				  int listen_fd, unsigned connection_max,
				  struct error *err)
{
	struct httpd_loop *l = calloc(1, sizeof *l);

	if (!l) {
		error_oom(err);
		return NULL;
	}
	(void)pthread_mutex_init(&l->lock, NULL);
	(void)atomic_fetch_add(&shared->refs, 1);
	l->shared = shared;
	l->config = &shared->config;
	l->loopback = loopback;
	digest_random(&l->random, sizeof l->random);
	l->events_fd = -1;
	l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->wake_fd < 0 || !httpd_flow_init(l)) {
		error_errno(err, "cannot make a wake-up descriptor");
		httpd_loop_release(l);
		return NULL;
	}
	if (!start_daemon(l, tls, listen_fd, connection_max)) {
		error_set(err, ERR_INTERNAL, "cannot start the HTTP server");
		httpd_loop_release(l);
		return NULL;
	}
	return l;
}

bool httpd_loop_start(struct httpd_loop *l, struct error *err)
{
	sigset_t all, before;

	sigfillset(&all); /* signals are the main thread's */
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	errno = pthread_create(&l->thread, NULL, run, l);
	l->started = errno == 0;
	int failed = errno;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = failed;
	return l->started || error_errno(err, "cannot start a thread of the HTTP server");
}

void httpd_loop_stop(struct httpd_loop *l, int64_t patience_ms)
{
	atomic_store(&l->patience_ms, patience_ms);
	atomic_store(&l->stop, true);
	(void)!write(l->wake_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
}

void httpd_loop_wake(struct httpd_loop *l)
{
	if (pthread_equal(pthread_self(), l->self)) {
		l->woke_itself = true;
	} else if (!l->is_woken) {
		l->is_woken = true;
		/* fails only when the counter is full, and then the loop is awake */
		(void)!write(l->wake_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
	}
}

void httpd_loop_pin(struct httpd_loop *l)
{
	(void)pthread_mutex_lock(&l->lock);
	l->pins++;
	(void)pthread_mutex_unlock(&l->lock);
}

void httpd_loop_unpin(struct httpd_loop *l)
{
	(void)pthread_mutex_lock(&l->lock);
	bool last = --l->pins == 0 && l->orphan;
	(void)pthread_mutex_unlock(&l->lock);
	if (last)
		httpd_loop_release(l);
}

void httpd_loop_release(struct httpd_loop *l)
{
	while (l->spare) {
		struct http_request *r = l->spare;
		l->spare = r->next_replied;
		httpd_request_free(r);
	}
	if (l->wake_fd >= 0)
		(void)close(l->wake_fd);
	httpd_flow_done(l);
	(void)pthread_mutex_destroy(&l->lock);
	httpd_shared_unref(l->shared);
	free(l);
}

void httpd_loop_join(struct httpd_loop *l)
{
	if (l->started)
		(void)pthread_join(l->thread, NULL);
	else
		MHD_stop_daemon(l->daemon);
	(void)pthread_mutex_lock(&l->lock);
	bool waited_for = l->pins > 0;
	l->orphan = waited_for;
	(void)pthread_mutex_unlock(&l->lock);
	if (!waited_for)
		httpd_loop_release(l);
}
