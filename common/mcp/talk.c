/*
 * Notifications of a request that runs: progress and log messages. The first one makes
 * the reply a stream of events, which the result then ends.
 */
#include "mcp/serving.h"

#include "base/clock.h"
#include "base/text.h"
#include "wire/sse.h"

enum { PROGRESS_GAP_MS = 10 }; /* more often than that nobody looks */

static const char EVENTS[] = "text/event-stream";

bool exchange_is_gone(const struct exchange *x)
{
	if (x->task_cancelled)
		return atomic_load(x->task_cancelled);
	if (x->session)
		return atomic_load(&x->is_cancelled);
	if (!x->is_ended_by_leaving)
		return false;
	if (x->is_answered)
		return true;
	if (x->stream)
		return http_stream_is_closed(x->stream);
	return x->http && http_request_is_gone(x->http);
}

bool exchange_send_event(struct exchange *x, const struct strbuf *message)
{
	_cleanup_strbuf_ struct strbuf event = STRBUF_INIT;

	sse_write(&event, "message", NULL, -1, message->data, message->length);
	_cleanup_(shared_bytes_unrefp) struct shared_bytes *bytes =
		strbuf_ok(message) ? shared_bytes_take(&event) : NULL;
	return bytes && http_stream_send(x->stream, bytes);
}

bool exchange_open_stream(struct exchange *x)
{
	if (x->stream)
		return true;
	if (!x->http ||
	    !exchange_accepts(http_request_header(x->http, "Accept"), EVENTS, "text/*"))
		return false;
	x->stream = http_reply_stream(TAKE(x->http), 200, EVENTS, NULL, NULL, NULL);
	x->is_answered = !x->stream;
	return x->stream != NULL;
}

static void notify(struct exchange *x, const char *method, json_t *params)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error ignored = ERROR_INIT;
	json_auto_t *message = json_pack("{s:s, s:s, s:o}", "jsonrpc", "2.0", "method",
					 method, "params", params);

	/* NULL is what json_pack makes of text that is not UTF-8: that is not sent. */
	if (!message || !json_write(&text, message, &ignored))
		return;
	if (x->session)
		(void)legacy_say(x, &text);
	else if (exchange_open_stream(x))
		(void)exchange_send_event(x, &text);
}

/* Whole numbers as such: "50", not "50.0". */
static json_t *number(double value)
{
	if (value >= -9e15 && value <= 9e15 && value == (double)(json_int_t)value)
		return json_integer((json_int_t)value);
	return json_real(value);
}

void mcp_call_progress(struct mcp_call *call, double progress, double total,
		       const char *message)
{
	struct exchange *x = call->exchange;
	int64_t now_ms = clock_mono_ms();
	json_t *params;

	if (!x || !x->progress_token || (x->has_progress && progress <= x->progress))
		return;
	if (x->has_progress && now_ms - x->progress_ms < PROGRESS_GAP_MS &&
	    progress < total)
		return;
	if (x->revision != LEGACY_NONE && !legacy_has_progress_text(x->revision))
		message = NULL;
	x->has_progress = true;
	x->progress = progress;
	x->progress_ms = now_ms;
	params = json_pack("{s:O, s:o, s:s*}", "progressToken", x->progress_token,
			   "progress", number(progress), "message", message);
	if (params && total > 0)
		(void)json_object_set_new(params, "total", number(total));
	notify(x, "notifications/progress", params);
}

static const char *const levels[] = {
	[MCP_DEBUG] = "debug",   [MCP_INFO] = "info",
	[MCP_NOTICE] = "notice", [MCP_WARNING] = "warning",
	[MCP_ERROR] = "error",   [MCP_CRITICAL] = "critical",
	[MCP_ALERT] = "alert",   [MCP_EMERGENCY] = "emergency",
};

bool mcp_level_parse(const char *text, enum mcp_level *ret)
{
	for (size_t i = 0; text && i < ARRAY_SIZE(levels); i++)
		if (strcmp(text, levels[i]) == 0) {
			*ret = (enum mcp_level)i;
			return true;
		}
	return false;
}

void mcp_call_log(struct mcp_call *call, enum mcp_level level, const char *logger,
		  json_t *data)
{
	struct exchange *x = call->exchange;
	json_auto_t *owned = data;

	if (!x || !x->wants_log || level < x->log_level || !x->service->server->logs)
		return;
	notify(x, "notifications/message",
	       json_pack("{s:s, s:s*, s:O}", "level", levels[level], "logger", logger,
			 "data", owned));
}

void mcp_call_hang_up(struct mcp_call *call)
{
	if (call->exchange && call->exchange->session)
		legacy_hang_up(call->exchange);
}
