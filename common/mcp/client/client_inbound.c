#include "base/clock.h"
#include "link/http/http_client_stream.h"
#include "mcp/client/client_private.h"
#include "mcp/settled.h"
#include "wire/sse.h"

enum {
	ENDPOINT_MS = 10000,
	EMPTY_MAX = 5, /* streams in a row that brought nothing */
	PAUSE_MS = 1000,
	PAUSE_MAX_MS = 60 * 1000,
	STEP_MS = 20,
	OPEN_MS = 30000,
	OPENING_MS = 1000, /* that the first request waits for a stream of ours */
};

struct client_inbound {
	struct mcp_client *c;
	struct client_session session;
	pthread_t thread;
	atomic_bool stop;
	struct sse_reader events;
	char last_id[SSE_ID_MAX + 1];
	bool has_events; /* of this stream */
	/* HTTP+SSE: the endpoint came, or will not come. Else: the first stream is open, or
	 * there will be none. */
	struct settled first;
};

/* ---- The endpoint of HTTP+SSE ---- */

/* Length of scheme://host:port. */
static size_t origin_length(const char *url)
{
	const char *host = strstr(url, "://");

	return host ? (size_t)(host + 3 - url) + strcspn(host + 3, "/?#") : 0;
}

/* Where to POST: on the same origin and nowhere else. NULL if it leads away. */
static char *resolve(const char *url, const char *endpoint)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	size_t origin = origin_length(url), path = strcspn(url, "?#");

	if (strlen(endpoint) > CLIENT_URL_MAX || !*endpoint || origin == 0 ||
	    strncmp(endpoint, "//", 2) == 0)
		return NULL;
	for (const char *at = endpoint; *at; at++)
		if (*at <= ' ' || *at > '~' || *at == '\\')
			return NULL;
	if (strstr(endpoint, "://") && strcspn(endpoint, "/?#") > 0 &&
	    strncmp(endpoint + strcspn(endpoint, "/?#") - 1, "://", 3) == 0) {
		if (origin_length(endpoint) != origin ||
		    strncmp(url, endpoint, origin) != 0)
			return NULL;
		return strdup(endpoint);
	}
	if (*endpoint == '/') {
		strbuf_add(&sb, url, origin);
	} else if (*endpoint == '?') {
		strbuf_add(&sb, url, path);
	} else {
		while (path > origin && url[path - 1] != '/')
			path--;
		strbuf_add(&sb, url, path);
		if (path == origin)
			strbuf_add_char(&sb, '/');
	}
	strbuf_add_string(&sb, endpoint);
	return strbuf_take(&sb);
}

static void take_endpoint(struct client_inbound *in, const struct sse_event *e)
{
	char *endpoint = strlen(e->data) == e->length ? resolve(in->c->url, e->data)
						      : NULL;
	bool is_good = endpoint != NULL;

	if (is_good) {
		client_legacy_send_to(in->c, endpoint);
		client_mail_set_broken(in->c->mail, false);
	}
	settled_tell(&in->first, is_good);
}

/* ---- Reading ---- */

static void take_event(struct client_inbound *in, const struct sse_event *e)
{
	in->has_events = true;
	(void)snprintf(in->last_id, sizeof in->last_id, "%s", e->id);
	if (in->session.is_sse && strcmp(e->type, "endpoint") == 0) {
		if (!in->first.is_settled) /* once: where to send does not change */
			take_endpoint(in, e);
	} else if (e->length > 0) {
		client_mail_take(in->c->mail, e->data, e->length);
	}
}

static void read_events(struct client_inbound *in, struct http_client_stream *s)
{
	struct error ignored = ERROR_INIT;
	struct sse_event e;
	const char *bytes;
	size_t length;

	while (http_client_stream_read(s, INT64_MAX, &bytes, &length, &ignored) ==
	       HTTP_CLIENT_DATA) {
		enum sse_got got;

		sse_reader_feed(&in->events, bytes, length);
		while ((got = sse_reader_next(&in->events, &e, &ignored)) == SSE_EVENT)
			take_event(in, &e);
		if (got == SSE_BAD)
			return;
	}
}

/* One stream, to its end. False: there is no use in asking again (C-27). */
static bool listen_once(struct client_inbound *in)
{
	struct http_client_header headers[6] = { { "Accept", "text/event-stream" } };
	_cleanup_(secret_freep) struct secret *owner = NULL;
	struct http_client_request req = {
		.method = "GET",
		.url = in->c->url,
		.headers = headers,
		.timeout_ms = in->session.is_sse ? ENDPOINT_MS : OPEN_MS,
		.cancel = &in->stop,
	};
	struct error ignored = ERROR_INIT;
	size_t at = 1;

	if (!in->session.is_sse)
		at = client_http_session_headers(&in->session, headers, at);
	if (*in->last_id)
		headers[at] = (struct http_client_header){ "Last-Event-ID", in->last_id };
	if (!client_bearer(in->c, NULL, &in->stop, clock_mono_ms() + OPEN_MS, &req.bearer,
			   &owner, &ignored))
		return true;
	_cleanup_(http_client_stream_closep) struct http_client_stream *s =
		http_client_stream_open(in->c->http, &req, NULL, &ignored);
	if (!s)
		return true;
	if (http_client_stream_status(s) != 200 ||
	    strcmp(http_client_stream_type(s), "text/event-stream") != 0)
		return http_client_stream_status(s) >= 500 ||
		       /* The next request gets a better token. */
		       (in->c->oauth && http_client_stream_status(s) == 401);
	if (!in->session.is_sse)
		settled_tell(&in->first, true);
	int64_t retry_ms = in->events.retry_ms;
	sse_reader_done(&in->events);
	sse_reader_init(&in->events, CLIENT_MESSAGE_MAX);
	in->events.retry_ms = retry_ms;
	read_events(in, s);
	return true;
}

static void rest(struct client_inbound *in, unsigned empty)
{
	int64_t pause_ms = in->events.retry_ms >= 0 ? in->events.retry_ms : PAUSE_MS;

	/* A server that ends every stream at once is not asked as often as it likes. */
	pause_ms = pause_ms < STEP_MS ? STEP_MS : pause_ms;
	pause_ms = pause_ms << empty > PAUSE_MAX_MS ? PAUSE_MAX_MS : pause_ms << empty;
	for (int64_t until_ms = clock_mono_ms() + pause_ms;
	     clock_mono_ms() < until_ms && !atomic_load(&in->stop);)
		(void)usleep(STEP_MS * 1000);
}

static void *run(void *context)
{
	struct client_inbound *in = context;
	unsigned empty = 0;

	if (in->session.is_sse) {
		(void)listen_once(in);
		settled_tell(&in->first, false);
		/* The session was the stream. */
		client_mail_set_broken(in->c->mail, true);
		client_legacy_drop(in->c, in->session.number);
		return NULL;
	}
	while (!atomic_load(&in->stop) && empty < EMPTY_MAX) {
		in->has_events = false;
		if (!listen_once(in))
			break;
		settled_tell(&in->first, true);
		empty = in->has_events ? 0 : empty + 1;
		rest(in, empty);
	}
	settled_tell(&in->first, true);
	return NULL;
}

static void inbound_free(struct client_inbound *in)
{
	sse_reader_done(&in->events);
	settled_done(&in->first);
	free(in);
}

struct client_inbound *client_inbound_start(struct mcp_client *c,
					    const struct client_session *s,
					    int64_t until_ms, struct error *err)
{
	struct client_inbound *in = calloc(1, sizeof *in);
	int64_t patience_ms = clock_mono_ms() + ENDPOINT_MS;

	if (!in) {
		error_oom(err);
		return NULL;
	}
	in->c = c;
	in->session = *s;
	/* That of HTTP+SSE is numbered right after this. */
	if (s->is_sse)
		in->session.number = c->session_count + 1;
	sse_reader_init(&in->events, CLIENT_MESSAGE_MAX);
	settled_init(&in->first);
	if (pthread_create(&in->thread, NULL, run, in) != 0) {
		inbound_free(in);
		error_set(err, ERR_INTERNAL, "cannot begin a thread");
		return NULL;
	}
	if (!s->is_sse) {
		/* What a server asks before it hears the stream is lost with some of them. */
		patience_ms += OPENING_MS - ENDPOINT_MS;
		(void)settled_await(&in->first,
				    patience_ms < until_ms ? patience_ms : until_ms);
		return in;
	}
	if (settled_await(&in->first, patience_ms < until_ms ? patience_ms : until_ms))
		return in;
	client_inbound_stop(in);
	error_set(err, ERR_INVALID_ARGUMENT,
		  "the server names no endpoint of HTTP+SSE on its origin");
	return NULL;
}

void client_inbound_stop(struct client_inbound *in)
{
	if (!in)
		return;
	atomic_store(&in->stop, true);
	(void)pthread_join(in->thread, NULL);
	inbound_free(in);
}
