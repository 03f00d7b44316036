#include "base/log.h"
#include "mcp/bridge/bridge_private.h"

static void tell_done(struct bridge_job *j, const struct bridge_session *session,
		      int status)
{
	const char *method = j->message.method ? j->message.method : "";

	if (status < 200 || status >= 300) {
		log_warn("bridge_not_taken", LOG_STR("method", method),
			 LOG_INT("status", status));
		return;
	}
	if (session->number && strcmp(method, "notifications/initialized") == 0)
		bridge_session_listen(j->b);
}

void bridge_tell(struct bridge_job *j)
{
	struct bridge *b = j->b;
	struct bridge_session session = { 0 };
	struct bridge_headers headers;
	_cleanup_(http_client_reply_done) struct http_client_reply reply =
		HTTP_CLIENT_REPLY_INIT;
	struct error err = ERROR_INIT;

	bridge_headers_init(&headers);
	if (j->is_modern)
		bridge_headers_modern(&headers, &j->message);
	else if (bridge_session_get(b, &session))
		bridge_headers_session(&headers, session.version, session.id);
	const struct http_client_request req = {
		.method = "POST",
		.url = b->o->url,
		.headers = headers.list,
		.bearer = bridge_bearer(b),
		.body = j->line,
		.body_bytes = j->length,
		.timeout_ms = BRIDGE_TELL_MS,
		.cancel = &j->cancel,
	};
	if (http_client_call(b->http, &req, &reply, NULL, &err))
		tell_done(j, &session, reply.status);
	else
		log_failure("bridge_not_sent", &err);
	bridge_headers_done(&headers);
	/* Told first: in older revisions a connection that closes cancels nothing. */
	if (j->message.kind == JSONRPC_NOTIFICATION && j->message.method &&
	    strcmp(j->message.method, "notifications/cancelled") == 0)
		(void)bridge_cancel(b, json_object_get(j->message.params, "requestId"),
				    false);
}
