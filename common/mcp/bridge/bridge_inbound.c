#include "base/clock.h"
#include "base/log.h"
#include "mcp/bridge/bridge_private.h"
#include "mcp/settled.h"

enum {
	PAUSE_MS = 1000,
	PAUSE_MAX_MS = 60 * 1000,
	DOUBLINGS_MAX = 6,
	OPEN_MS = 30 * 1000,
	OPENING_MS = 1000, /* that lines wait for the first stream */
};

struct bridge_inbound {
	struct bridge *b;
	struct bridge_session session;
	pthread_t thread;
	atomic_bool stop;
	struct sse_reader events;
	char last_id[SSE_ID_MAX + 1];
	bool has_events;      /* of this stream */
	struct settled first; /* that stream is open, or will not be soon */
};

static void take(struct bridge_inbound *in, const struct sse_event *e)
{
	/* Nothing was asked on this stream, so that answers are dropped. */
	struct bridge_asked nobody = { .is_legacy = true };
	_cleanup_strbuf_ struct strbuf lines = STRBUF_INIT;

	in->has_events = true;
	(void)snprintf(in->last_id, sizeof in->last_id, "%s", e->id);
	if (e->length == 0)
		return;
	bridge_answer_take(&nobody, e->data, e->length, &lines);
	if (strbuf_ok(&lines))
		bridge_put(in->b, &lines);
}

static void read_events(struct bridge_inbound *in, struct http_client_stream *s)
{
	struct error ignored = ERROR_INIT;
	struct sse_event e;
	const char *bytes;
	size_t length;

	while (http_client_stream_read(s, clock_mono_ms() + BRIDGE_SILENCE_MS, &bytes,
				       &length, &ignored) == HTTP_CLIENT_DATA) {
		enum sse_got got;

		sse_reader_feed(&in->events, bytes, length);
		while ((got = sse_reader_next(&in->events, &e, &ignored)) == SSE_EVENT)
			take(in, &e);
		if (got == SSE_BAD)
			return;
	}
}

/* A refusal: whether there is a use in asking again (C-27). */
static bool is_passing(int status)
{
	if (status != 405)
		log_info("bridge_no_stream", LOG_INT("status", status));
	return status >= 500;
}

/* One stream, to its end. False: there will be no other. */
static bool listen_once(struct bridge_inbound *in)
{
	struct http_client_header headers[5] = { { "Accept", "text/event-stream" },
						 { "MCP-Protocol-Version",
						   in->session.version } };
	const struct http_client_request req = {
		.method = "GET",
		.url = in->b->o->url,
		.headers = headers,
		.bearer = bridge_bearer(in->b),
		.timeout_ms = OPEN_MS,
		.cancel = &in->stop,
	};
	struct error ignored = ERROR_INIT;
	size_t at = 2;

	if (*in->session.id)
		headers[at++] =
			(struct http_client_header){ "Mcp-Session-Id", in->session.id };
	if (*in->last_id)
		headers[at] = (struct http_client_header){ "Last-Event-ID", in->last_id };
	_cleanup_(http_client_stream_closep) struct http_client_stream *s =
		http_client_stream_open(in->b->http, &req, NULL, &ignored);
	if (!s)
		return true;
	if (http_client_stream_status(s) != 200 ||
	    strcmp(http_client_stream_type(s), "text/event-stream") != 0)
		return is_passing(http_client_stream_status(s));
	settled_tell(&in->first, true);
	int64_t retry_ms = in->events.retry_ms;
	sse_reader_done(&in->events);
	sse_reader_init(&in->events, STDIO_BRIDGE_MESSAGE_MAX);
	in->events.retry_ms = retry_ms;
	read_events(in, s);
	return true;
}

/* A server that ends every stream at once is not asked as often as it likes. */
static int64_t pause_ms(const struct bridge_inbound *in, unsigned empty)
{
	int64_t ms = in->events.retry_ms >= 0 ? in->events.retry_ms : PAUSE_MS;

	if (ms < BRIDGE_STEP_MS)
		ms = BRIDGE_STEP_MS;
	ms <<= empty < DOUBLINGS_MAX ? empty : DOUBLINGS_MAX;
	return ms > PAUSE_MAX_MS ? PAUSE_MAX_MS : ms;
}

static void *run(void *context)
{
	struct bridge_inbound *in = context;
	unsigned empty = 0;

	while (!atomic_load(&in->stop)) {
		in->has_events = false;
		if (!listen_once(in))
			break;
		settled_tell(&in->first, true);
		empty = in->has_events ? 0 : empty + 1;
		bridge_pause(pause_ms(in, empty), &in->stop);
	}
	settled_tell(&in->first, true);
	return NULL;
}

static void inbound_free(struct bridge_inbound *in)
{
	sse_reader_done(&in->events);
	settled_done(&in->first);
	free(in);
}

struct bridge_inbound *bridge_inbound_start(struct bridge *b,
					    const struct bridge_session *session)
{
	struct bridge_inbound *in = calloc(1, sizeof *in);

	if (!in)
		return NULL;
	in->b = b;
	in->session = *session;
	sse_reader_init(&in->events, STDIO_BRIDGE_MESSAGE_MAX);
	settled_init(&in->first);
	if (pthread_create(&in->thread, NULL, run, in) != 0) {
		log_warn("bridge_no_stream", LOG_STR("message", "no thread"));
		inbound_free(in);
		return NULL;
	}
	/* What a server asks before it hears the stream is lost with some of them. */
	(void)settled_await(&in->first, clock_mono_ms() + OPENING_MS);
	return in;
}

void bridge_inbound_stop(struct bridge_inbound *in)
{
	if (!in)
		return;
	atomic_store(&in->stop, true);
	(void)pthread_join(in->thread, NULL);
	inbound_free(in);
}
