#include "console/bridge.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "console/bridge_answer.h"
#include "console/bridge_headers.h"
#include "proc/sandbox.h"
#include "proc/workers.h"

enum { READ_BYTES = 64 * 1024 };

struct job;

struct bridge {
	const char *url;
	const struct secret *token;
	struct http_client *http;
	struct workers *workers;
	pthread_mutex_t lock; /* stdout, and the list */
	struct job *jobs;
	atomic_bool stdout_gone;
};

/* A message on its way. */
struct job {
	struct bridge *bridge;
	struct job *next;
	char *line;
	size_t length;
	json_t *body;
	struct jsonrpc_message message; /* borrows from 'body' */
	atomic_bool cancel;
};

/* --- stdout ------------------------------------------------------------------- */

static void put_lines(struct bridge *b, const struct strbuf *lines)
{
	size_t sent = 0;

	(void)pthread_mutex_lock(&b->lock);
	while (sent < lines->length && !atomic_load(&b->stdout_gone)) {
		ssize_t n =
			write(STDOUT_FILENO, lines->data + sent, lines->length - sent);

		if (n > 0)
			sent += (size_t)n;
		else if (n < 0 && errno != EINTR)
			atomic_store(&b->stdout_gone, true);
	}
	(void)pthread_mutex_unlock(&b->lock);
}

static void put_error(struct bridge *b, const json_t *id, int code, const char *message)
{
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;

	bridge_error(&line, id, code, message);
	put_lines(b, &line);
}

/* --- jobs ---------------------------------------------------------------------- */

static void job_free(struct job *j)
{
	if (!j)
		return;
	json_decref(j->body);
	free(j->line);
	free(j);
}
DEFINE_CLEANUP(struct job, job_free);

static void list_add(struct bridge *b, struct job *j)
{
	(void)pthread_mutex_lock(&b->lock);
	j->next = b->jobs;
	b->jobs = j;
	(void)pthread_mutex_unlock(&b->lock);
}

static void list_remove(struct bridge *b, struct job *j)
{
	(void)pthread_mutex_lock(&b->lock);
	for (struct job **at = &b->jobs; *at; at = &(*at)->next)
		if (*at == j) {
			*at = j->next;
			break;
		}
	(void)pthread_mutex_unlock(&b->lock);
}

static void cancel_id(struct bridge *b, const json_t *id)
{
	(void)pthread_mutex_lock(&b->lock);
	for (struct job *j = b->jobs; j; j = j->next)
		if (j->message.id && id && json_equal(j->message.id, id))
			atomic_store(&j->cancel, true);
	(void)pthread_mutex_unlock(&b->lock);
}

static void cancel_all(struct bridge *b)
{
	(void)pthread_mutex_lock(&b->lock);
	for (struct job *j = b->jobs; j; j = j->next)
		atomic_store(&j->cancel, true);
	(void)pthread_mutex_unlock(&b->lock);
}

static void explain_failure(struct strbuf *lines, const json_t *id,
			    const struct error *err, bool sent)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	strbuf_add_string(&text, err->message);
	if (sent)
		strbuf_add_string(&text, "; the server may have received the request");
	if (err->hint[0])
		strbuf_add_format(&text, " (%s)", err->hint);
	bridge_error(lines, id, JSONRPC_INTERNAL_ERROR, text.data);
}

static void post(struct job *j)
{
	struct bridge *b = j->bridge;
	struct bridge_headers headers;
	struct http_client_request request = {
		.method = "POST",
		.url = b->url,
		.bearer = secret_bytes(b->token),
		.body = j->line,
		.body_bytes = j->length,
		.timeout_ms = BRIDGE_TIMEOUT_MS,
		.cancel = &j->cancel,
	};
	_cleanup_(http_client_reply_done) struct http_client_reply reply =
		HTTP_CLIENT_REPLY_INIT;
	_cleanup_strbuf_ struct strbuf lines = STRBUF_INIT;
	struct error err = ERROR_INIT;
	bool sent = false, came;

	bridge_headers_init(&headers, &j->message);
	request.headers = headers.list;
	came = http_client_call(b->http, &request, &reply, &sent, &err);
	bridge_headers_done(&headers);
	/* What was cancelled, and what was no question, is not answered. */
	if (!j->message.id || atomic_load(&j->cancel))
		return;
	if (came)
		bridge_answer(&lines, j->message.id, &reply);
	else
		explain_failure(&lines, j->message.id, &err, sent);
	put_lines(b, &lines);
}

static void work(void *argument)
{
	struct job *j = argument;

	if (!atomic_load(&j->cancel))
		post(j);
	list_remove(j->bridge, j);
	job_free(j);
}

static void submit(struct bridge *b, struct job *j)
{
	list_add(b, j);
	if (workers_submit(b->workers, work, j))
		return;
	list_remove(b, j);
	if (j->message.id)
		put_error(b, j->message.id, JSONRPC_INTERNAL_ERROR,
			  "too many requests at once; try again when some are answered");
	job_free(j);
}

/* --- lines ----------------------------------------------------------------------- */

static bool is_blank(const char *line, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!strchr(" \t\r", line[i]) || !line[i])
			return false;
	return true;
}

/* Over HTTP a request is cancelled by closing its connection. */
static bool take_cancel(struct bridge *b, const struct jsonrpc_message *m)
{
	if (m->kind != JSONRPC_NOTIFICATION ||
	    strcmp(m->method, "notifications/cancelled") != 0)
		return false;
	cancel_id(b, json_object_get(m->params, "requestId"));
	return true;
}

static void take_line(struct bridge *b, const char *line, size_t length)
{
	_cleanup_(job_freep) struct job *j = NULL;
	struct error err = ERROR_INIT;
	const json_t *id = NULL;

	if (is_blank(line, length))
		return;
	j = calloc(1, sizeof *j);
	if (!j || !(j->line = malloc(length + 1))) {
		put_error(b, NULL, JSONRPC_INTERNAL_ERROR, "out of memory");
		return;
	}
	memcpy(j->line, line, length);
	j->length = length;
	j->bridge = b;
	j->body = json_parse(line, length, JSON_SYNTAX, &err);
	if (!j->body) {
		put_error(b, NULL, JSONRPC_PARSE_ERROR, err.message);
		return;
	}
	if (!jsonrpc_read(j->body, &j->message, &id, &err)) {
		put_error(b, id, JSONRPC_INVALID_REQUEST, err.message);
		return;
	}
	/* A client has nothing to answer: this server never asks. */
	if (j->message.kind == JSONRPC_RESULT || j->message.kind == JSONRPC_ERROR ||
	    take_cancel(b, &j->message))
		return;
	submit(b, TAKE(j));
}

struct reader {
	struct strbuf pending;
	bool skipping; /* the rest of a line that was too long */
};

static void too_long(struct bridge *b, struct reader *r)
{
	char message[64];

	(void)snprintf(message, sizeof message, "a line has more than %d bytes",
		       BRIDGE_LINE_MAX);
	put_error(b, NULL, JSONRPC_PARSE_ERROR, message);
	strbuf_clear(&r->pending);
	r->skipping = true;
}

/* Add bytes of a line that goes on. */
static void take_part(struct bridge *b, struct reader *r, const char *bytes,
		      size_t length)
{
	if (r->skipping)
		return;
	if (r->pending.length + length > BRIDGE_LINE_MAX) {
		too_long(b, r);
		return;
	}
	strbuf_add(&r->pending, bytes, length);
}

static void end_line(struct bridge *b, struct reader *r)
{
	if (!r->skipping && strbuf_ok(&r->pending))
		take_line(b, r->pending.data, r->pending.length);
	strbuf_clear(&r->pending);
	r->skipping = false;
}

static void take_bytes(struct bridge *b, struct reader *r, const char *bytes,
		       size_t length)
{
	while (length > 0) {
		const char *newline = memchr(bytes, '\n', length);
		size_t part = newline ? (size_t)(newline - bytes) : length;

		take_part(b, r, bytes, part);
		if (!newline)
			return;
		end_line(b, r);
		bytes += part + 1;
		length -= part + 1;
	}
}

static void serve(struct bridge *b)
{
	struct reader r = { .pending = STRBUF_INIT };
	_cleanup_free_ char *buffer = malloc(READ_BYTES);

	while (buffer && !atomic_load(&b->stdout_gone)) {
		ssize_t n = read(STDIN_FILENO, buffer, READ_BYTES);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		take_bytes(b, &r, buffer, (size_t)n);
	}
	end_line(b, &r);
	strbuf_done(&r.pending);
}

/* A token leaves this machine only under TLS. */
static bool is_private(const char *url)
{
	static const char *const hosts[] = { "http://127.0.0.1", "http://[::1]",
					     "http://localhost" };

	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		size_t length = strlen(hosts[i]);

		if (strncmp(url, hosts[i], length) == 0 &&
		    (url[length] == ':' || url[length] == '/'))
			return true;
	}
	return strncmp(url, "https://", 8) == 0;
}

bool bridge_run(const char *url, const struct secret *token, struct error *err)
{
	struct bridge b = { .url = url,
			    .token = token,
			    .lock = PTHREAD_MUTEX_INITIALIZER };
	bool ok = false;

	if (!is_private(url))
		return error_set(err, ERR_PERMISSION_DENIED,
				 "no token is sent without TLS to '%s'", url);
	(void)signal(SIGPIPE, SIG_IGN);
	if (!sandbox_basics(err))
		return false;
	b.http = http_client_new("wingman-bridge", err);
	b.workers = b.http ? workers_new(BRIDGE_THREADS, BRIDGE_QUEUE_MAX, err) : NULL;
	if (b.workers) {
		serve(&b);
		if (atomic_load(&b.stdout_gone))
			cancel_all(&b);
		workers_free(b.workers);
		ok = !atomic_load(&b.stdout_gone);
		if (!ok)
			error_set(err, ERR_BACKEND_UNAVAILABLE,
				  "nobody reads stdout any more");
	}
	http_client_free(b.http);
	(void)pthread_mutex_destroy(&b.lock);
	return ok;
}
