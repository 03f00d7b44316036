#include "base/log.h"
#include "mcp/bridge/bridge_private.h"

bool bridge_session_get(struct bridge *b, struct bridge_session *ret)
{
	(void)pthread_mutex_lock(&b->lock);
	*ret = b->session;
	(void)pthread_mutex_unlock(&b->lock);
	return ret->number != 0;
}

static void set(struct bridge *b, const struct bridge_session *session)
{
	(void)pthread_mutex_lock(&b->lock);
	b->session = *session;
	(void)pthread_mutex_unlock(&b->lock);
}

/* Visible ASCII alone may become a header. */
static bool is_session_id(const char *id)
{
	for (size_t i = 0; id[i]; i++)
		if (id[i] < 0x21 || id[i] > 0x7E || i == BRIDGE_SESSION_ID_MAX)
			return false;
	return true;
}

bool bridge_session_begin(struct bridge *b, const char *id, const char *version)
{
	struct bridge_session session = { .number = ++b->session_count };

	if (id && !is_session_id(id))
		return false;
	(void)snprintf(session.id, sizeof session.id, "%s", id ? id : "");
	(void)snprintf(session.version, sizeof session.version, "%s", version);
	set(b, &session);
	return true;
}

/* A POST or DELETE of the session itself; what is said to it does not matter. */
static void call(struct bridge *b, const struct bridge_session *session,
		 const char *method, const char *body, int64_t timeout_ms)
{
	_cleanup_(http_client_reply_done) struct http_client_reply reply =
		HTTP_CLIENT_REPLY_INIT;
	struct bridge_headers headers;
	struct error err = ERROR_INIT;

	bridge_headers_init(&headers);
	bridge_headers_session(&headers, session->version, session->id);
	const struct http_client_request req = {
		.method = method,
		.url = b->o->url,
		.headers = headers.list,
		.bearer = bridge_bearer(b),
		.body = body,
		.body_bytes = body ? strlen(body) : 0,
		.timeout_ms = timeout_ms,
		.cancel = body ? &b->stopping : NULL,
	};
	if (!http_client_call(b->http, &req, &reply, NULL, &err))
		log_failure("bridge_session", &err);
	bridge_headers_done(&headers);
}

/* 'renewing' is held. */
static void end(struct bridge *b)
{
	const struct bridge_session none = { 0 };
	struct bridge_session session;

	bridge_inbound_stop(TAKE(b->inbound));
	if (bridge_session_get(b, &session) && *session.id)
		call(b, &session, "DELETE", NULL, BRIDGE_END_MS);
	set(b, &none);
}

void bridge_session_prepare(struct bridge *b)
{
	(void)pthread_mutex_lock(&b->renewing);
	end(b);
}

void bridge_session_release(struct bridge *b)
{
	(void)pthread_mutex_unlock(&b->renewing);
}

void bridge_session_end(struct bridge *b)
{
	bridge_session_prepare(b);
	bridge_session_release(b);
}

void bridge_session_listen(struct bridge *b)
{
	struct bridge_session session;

	(void)pthread_mutex_lock(&b->renewing);
	if (bridge_session_get(b, &session) && !b->inbound && !atomic_load(&b->stopping))
		b->inbound = bridge_inbound_start(b, &session);
	(void)pthread_mutex_unlock(&b->renewing);
}

static bool renew(struct bridge *b, const struct bridge_session *before)
{
	static const char initialized[] =
		"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}";
	const struct bridge_session none = { 0 };
	bool listened = b->inbound != NULL;
	struct bridge_session session;

	bridge_inbound_stop(TAKE(b->inbound));
	set(b, &none);
	if (!bridge_ask_again(b) || !bridge_session_get(b, &session)) {
		/* Whoever is refused next tries again. */
		set(b, before);
		return false;
	}
	if (strcmp(session.version, before->version) != 0) {
		/* The client was told another one. */
		end(b);
		return false;
	}
	call(b, &session, "POST", initialized, BRIDGE_TELL_MS);
	if (listened && !atomic_load(&b->stopping))
		b->inbound = bridge_inbound_start(b, &session);
	return true;
}

bool bridge_session_renew(struct bridge *b, unsigned number)
{
	struct bridge_session now;
	bool good;

	(void)pthread_mutex_lock(&b->renewing);
	(void)bridge_session_get(b, &now);
	good = now.number == number ? renew(b, &now) : now.number > number;
	(void)pthread_mutex_unlock(&b->renewing);
	return good;
}
