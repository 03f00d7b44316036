#include "mcp/bridge/stdio_bridge.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include "base/clock.h"
#include "base/log.h"
#include "mcp/bridge/bridge_lines.h"
#include "mcp/bridge/bridge_private.h"
#include "mcp/revision.h"

enum { READ_BYTES = 64 * 1024 };

/* ---- Lines ---- */

static bool is_blank(const char *line, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
			return false;
	return true;
}

static bool speaks_batches(struct bridge *b)
{
	struct bridge_session session;

	return bridge_session_get(b, &session) &&
	       strcmp(session.version, "2025-03-26") == 0;
}

/* The ids in an array; NULL, or what is wrong with it. */
static const char *read_batch(struct bridge_job *j)
{
	struct error ignored = ERROR_INIT;
	struct jsonrpc_message m;
	const json_t *id;
	json_t *one;
	size_t i;

	if (!speaks_batches(j->b))
		return "batches are for revision 2025-03-26 alone";
	if (json_array_size(j->body) == 0 ||
	    json_array_size(j->body) > STDIO_BRIDGE_BATCH_MAX)
		return "a batch has 1 to 128 messages";
	json_array_foreach(j->body, i, one)
	{
		/* What is wrong within it is the server's to say. */
		if (jsonrpc_read(one, &m, &id, &ignored) && m.kind == JSONRPC_REQUEST &&
		    !bridge_asked_add(&j->asked, m.id))
			return "out of memory";
		error_clear(&ignored);
	}
	j->asked.is_legacy = true;
	return NULL;
}

static const char *read_message(struct bridge_job *j, const json_t **ret_id,
				struct error *err)
{
	struct jsonrpc_message *m = &j->message;

	if (json_is_array(j->body))
		return read_batch(j);
	if (!jsonrpc_read(j->body, m, ret_id, err))
		return err->message;
	j->is_modern = m->method && revision_2026_is_claimed(m);
	j->asked.is_legacy = !j->is_modern;
	if (m->kind != JSONRPC_REQUEST || !m->method)
		return NULL;
	j->is_initialize = !j->is_modern && strcmp(m->method, "initialize") == 0;
	j->asked.is_initialize = j->is_initialize;
	j->asked.is_listen = strcmp(m->method, "subscriptions/listen") == 0;
	return bridge_asked_add(&j->asked, m->id) ? NULL : "out of memory";
}

/* A cancellation that no POST tells of: of a modern request, or with nobody to tell. */
static bool take_cancel(struct bridge *b, const struct jsonrpc_message *m)
{
	struct bridge_session session;

	return m->kind == JSONRPC_NOTIFICATION && m->method &&
	       strcmp(m->method, "notifications/cancelled") == 0 &&
	       (bridge_cancel(b, json_object_get(m->params, "requestId"), true) ||
		!bridge_session_get(b, &session));
}

static struct bridge_job *job_new(struct bridge *b, const char *line, size_t length)
{
	_cleanup_(bridge_job_freep) struct bridge_job *j = calloc(1, sizeof *j);

	if (!j || !(j->line = malloc(length + 1)))
		return NULL;
	memcpy(j->line, line, length);
	j->line[length] = '\0';
	j->length = length;
	j->b = b;
	return TAKE(j);
}

static void take_line(struct bridge *b, const char *line, size_t length)
{
	_cleanup_(bridge_job_freep) struct bridge_job *j = NULL;
	struct error err = ERROR_INIT;
	const json_t *id = NULL;
	const char *fault;

	if (is_blank(line, length))
		return;
	j = job_new(b, line, length);
	if (!j) {
		bridge_put_error(b, NULL, JSONRPC_INTERNAL_ERROR, "out of memory");
		return;
	}
	j->body = json_parse(line, length, JSON_SYNTAX, &err);
	if (!j->body) {
		bridge_put_error(b, NULL, JSONRPC_PARSE_ERROR, err.message);
		return;
	}
	fault = read_message(j, &id, &err);
	if (fault) {
		bridge_put_error(b, id, JSONRPC_INVALID_REQUEST, fault);
		return;
	}
	if (!json_is_array(j->body) && take_cancel(b, &j->message))
		return;
	j->is_held = j->is_initialize || !bridge_asked_is_open(&j->asked);
	if (bridge_job_begin(b, j)) {
		(void)TAKE(j);
		return;
	}
	if (!bridge_asked_is_open(&j->asked))
		log_warn("bridge_not_sent", LOG_STR("message", "no thread"));
	for (size_t i = 0; i < json_array_size(j->asked.open); i++)
		bridge_put_error(b, json_array_get(j->asked.open, i),
				 JSONRPC_INTERNAL_ERROR,
				 "too many requests at once; try again when some "
				 "are answered");
}

static void say_too_long(struct bridge *b)
{
	char message[64];

	(void)snprintf(message, sizeof message, "a line has more than %d bytes",
		       STDIO_BRIDGE_LINE_MAX);
	bridge_put_error(b, NULL, JSONRPC_PARSE_ERROR, message);
}

/* ---- Reading ---- */

struct reader {
	struct bridge *b;
	struct bridge_lines lines;
	char *buffer;
	bool at_end;  /* of stdin */
	bool is_done; /* and of all its lines */
	bool is_stopped;
};

/* Lines that are here, up to one that the rest must wait for. */
static void take_lines(struct reader *r)
{
	const char *line;
	size_t length;
	bool held = false;

	while (!r->is_done && !held) {
		enum bridge_line got = bridge_lines_next(&r->lines, &line, &length);

		if (got == BRIDGE_LINE_NONE && r->at_end) {
			got = bridge_lines_last(&r->lines, &line, &length);
			r->is_done = true;
		}
		if (got == BRIDGE_LINE_NONE)
			return;
		if (got == BRIDGE_LINE_WHOLE)
			take_line(r->b, line, length);
		else
			say_too_long(r->b);
		(void)bridge_jobs_reap(r->b, &held);
	}
}

static void read_more(struct reader *r)
{
	ssize_t n = read(r->b->o->in, r->buffer, READ_BYTES);

	if (n > 0)
		bridge_lines_feed(&r->lines, r->buffer, (size_t)n);
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		r->at_end = true;
}

/* Wait until something happens; read if 'may_read'. */
static void wait_for_more(struct reader *r, bool may_read, int64_t timeout_ms)
{
	struct bridge *b = r->b;
	struct pollfd fds[] = {
		{ .fd = b->wake, .events = POLLIN },
		{ .fd = r->is_stopped ? -1 : b->o->stop_fd, .events = POLLIN },
		{ .fd = may_read ? b->o->in : -1, .events = POLLIN },
	};
	uint64_t ignored;

	if (poll(fds, ARRAY_SIZE(fds), (int)timeout_ms) <= 0)
		return;
	if (fds[0].revents)
		(void)!read(b->wake, &ignored, sizeof ignored);
	if (fds[1].revents)
		r->is_stopped = true;
	else if (fds[2].revents)
		read_more(r);
}

static bool goes_on(const struct reader *r)
{
	return !r->is_stopped && !atomic_load(&r->b->out_gone);
}

static void serve(struct reader *r)
{
	bool held;

	while (goes_on(r) && !r->is_done) {
		(void)bridge_jobs_reap(r->b, &held);
		if (!held)
			take_lines(r);
		(void)bridge_jobs_reap(r->b, &held);
		if (!r->is_done)
			wait_for_more(r, !held && !r->at_end,
				      r->at_end && !held ? 0 : -1);
	}
}

/* Wait for what runs, so long as somebody waits for what it will say. */
static void give_time(struct reader *r, int64_t patience_ms)
{
	int64_t until_ms = clock_mono_ms() + patience_ms, left_ms;
	bool held;

	while (goes_on(r) && bridge_jobs_reap(r->b, &held) > 0 &&
	       (left_ms = until_ms - clock_mono_ms()) > 0)
		wait_for_more(r, false, left_ms);
}

/* Let end what runs, and end what does not. */
static void finish(struct reader *r)
{
	struct bridge *b = r->b;
	bool held;

	bridge_cancel_all(b, true);
	give_time(r, b->o->drain_ms ? b->o->drain_ms : STDIO_BRIDGE_DRAIN_MS);
	if (goes_on(r)) {
		/* For the errors that this makes; who does not read them has had his time. */
		bridge_cancel_all(b, false);
		give_time(r, BRIDGE_END_MS);
	}
	atomic_store(&b->stopping, true);
	bridge_cancel_all(b, false);
	while (bridge_jobs_reap(b, &held) > 0)
		wait_for_more(r, false, -1);
	bridge_session_end(b);
}

/* A token leaves this machine only under TLS; what stands before an '@' is no host. */
static bool is_private(const char *url)
{
	static const char *const hosts[] = { "http://127.0.0.1", "http://[::1]",
					     "http://localhost" };

	if (strchr(url, '@'))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		size_t length = strlen(hosts[i]);

		if (strncmp(url, hosts[i], length) == 0 &&
		    (url[length] == ':' || url[length] == '/'))
			return true;
	}
	return strncmp(url, "https://", 8) == 0;
}

static bool prepare(struct bridge *b, struct reader *r, struct error *err)
{
	b->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (b->wake < 0)
		return error_errno(err, "cannot make an eventfd");
	r->buffer = malloc(READ_BYTES);
	if (!r->buffer)
		return error_oom(err);
	b->http = b->o->http ? b->o->http : http_client_new("wingman-bridge", err);
	return b->http != NULL;
}

bool stdio_bridge_run(const struct stdio_bridge_options *options, struct error *err)
{
	struct bridge b = { .o = options,
			    .wake = -1,
			    .writing = PTHREAD_MUTEX_INITIALIZER,
			    .renewing = PTHREAD_MUTEX_INITIALIZER,
			    .lock = PTHREAD_MUTEX_INITIALIZER,
			    .initialize = STRBUF_INIT };
	struct reader r = { .b = &b, .lines = BRIDGE_LINES_INIT(STDIO_BRIDGE_LINE_MAX) };
	bool good;

	if (!is_private(options->url))
		return error_set(err, ERR_PERMISSION_DENIED,
				 "no token is sent without TLS to '%.200s'",
				 options->url);
	good = prepare(&b, &r, err);
	if (good) {
		serve(&r);
		finish(&r);
		if (atomic_load(&b.out_gone) && !r.is_stopped)
			good = error_set(err, ERR_BACKEND_UNAVAILABLE,
					 "nobody reads stdout any more");
	}
	if (!options->http)
		http_client_free(b.http);
	bridge_tools_free(b.tools);
	bridge_lines_done(&r.lines);
	strbuf_done(&b.initialize);
	free(r.buffer);
	if (b.wake >= 0)
		(void)close(b.wake);
	(void)pthread_mutex_destroy(&b.writing);
	(void)pthread_mutex_destroy(&b.renewing);
	(void)pthread_mutex_destroy(&b.lock);
	return good;
}

int stdio_bridge_catch_signals(struct error *err)
{
	sigset_t ending;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&ending);
	(void)sigaddset(&ending, SIGTERM);
	(void)sigaddset(&ending, SIGINT);
	(void)sigaddset(&ending, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, &ending, NULL);
	int fd = signalfd(-1, &ending, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		error_errno(err, "cannot receive signals");
	return fd;
}
