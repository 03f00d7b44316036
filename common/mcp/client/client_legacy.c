#include "base/clock.h"
#include "mcp/client/client_private.h"

enum { TELL_MS = 2000 };

bool client_legacy_session(struct mcp_client *c, struct client_session *ret)
{
	(void)pthread_mutex_lock(&c->lock);
	*ret = c->session;
	(void)pthread_mutex_unlock(&c->lock);
	return ret->number != 0;
}

void client_legacy_drop(struct mcp_client *c, unsigned number)
{
	(void)pthread_mutex_lock(&c->lock);
	if (c->session.number == number)
		c->session.number = 0;
	(void)pthread_mutex_unlock(&c->lock);
}

void client_legacy_send_to(struct mcp_client *c, char *endpoint)
{
	(void)pthread_mutex_lock(&c->lock);
	free(c->endpoint);
	c->endpoint = endpoint;
	(void)pthread_mutex_unlock(&c->lock);
}

/* ---- Words that nobody answers ---- */

static void post(struct mcp_client *c, const char *method, const struct strbuf *body)
{
	struct client_session s;
	_cleanup_free_ char *endpoint = NULL;
	struct http_client_header headers[6] = { { "Accept", CLIENT_ACCEPT } };
	_cleanup_(http_client_reply_done) struct http_client_reply reply =
		HTTP_CLIENT_REPLY_INIT;
	struct error ignored = ERROR_INIT;
	size_t at = 1;

	if (!client_legacy_session(c, &s))
		return;
	(void)pthread_mutex_lock(&c->lock);
	if (s.is_sse && c->endpoint)
		endpoint = strdup(c->endpoint);
	(void)pthread_mutex_unlock(&c->lock);
	if (s.is_sse && !endpoint)
		return;
	if (body)
		headers[at++] =
			(struct http_client_header){ "Content-Type", "application/json" };
	if (!s.is_sse)
		client_http_session_headers(&s, headers, at);
	_cleanup_(secret_freep) struct secret *owner = NULL;
	const char *bearer = NULL;
	if (!client_bearer(c, NULL, NULL, clock_mono_ms() + TELL_MS, &bearer, &owner,
			   &ignored))
		return;
	const struct http_client_request req = {
		.method = method,
		.url = endpoint ? endpoint : c->url,
		.headers = headers,
		.bearer = bearer,
		.body = body ? body->data : NULL,
		.body_bytes = body ? body->length : 0,
		.timeout_ms = TELL_MS,
	};
	(void)http_client_call(c->http, &req, &reply, NULL, &ignored);
}

void client_legacy_tell(struct mcp_client *c, const struct strbuf *message)
{
	struct client_request r = { .until_ms = clock_mono_ms() + TELL_MS };
	struct error ignored = ERROR_INIT;

	if (!strbuf_ok(message))
		return;
	if (c->stdio)
		(void)client_stdio_send(c, message, &r, &ignored);
	else
		post(c, "POST", message);
}

void client_legacy_tell_cancelled(struct mcp_client *c, long long id)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	strbuf_add_format(&text,
			  "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
			  "\"params\":{\"requestId\":%lld}}",
			  id);
	client_legacy_tell(c, &text);
}

void client_legacy_close(struct mcp_client *c)
{
	struct client_session s;

	if (c->url && client_legacy_session(c, &s) && !s.is_sse && *s.id)
		post(c, "DELETE", NULL);
}

/* ---- The handshake ---- */

static bool is_known_version(const char *version)
{
	return version &&
	       (strcmp(version, "2025-11-25") == 0 ||
		strcmp(version, "2025-06-18") == 0 ||
		strcmp(version, "2025-03-26") == 0 || strcmp(version, "2024-11-05") == 0);
}

/* Visible ASCII alone may become a header. */
static bool is_session_id(const char *id)
{
	for (; *id; id++)
		if (*id < 0x21 || *id > 0x7E)
			return false;
	return true;
}

static bool keep_session(struct mcp_client *c, struct client_session *s, json_t *result,
			 struct error *err)
{
	const char *version = json_get_string(result, "protocolVersion");

	if (!is_known_version(version))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the server wants a revision of MCP that is not known");
	if (!is_session_id(s->id))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the server's session id cannot be a header");
	json_t *about = json_deep_copy(result);
	json_t *versions = json_pack("[s]", version);
	if (!about || !versions ||
	    json_object_set_new(about, "supportedVersions", versions) != 0) {
		json_decref(about);
		return error_oom(err);
	}
	(void)snprintf(s->version, sizeof s->version, "%s", version);
	(void)pthread_mutex_lock(&c->lock);
	if (s->number == 0)
		s->number = ++c->session_count;
	c->session = *s;
	json_t *before = c->about;
	c->about = about;
	(void)pthread_mutex_unlock(&c->lock);
	json_decref(before);
	return true;
}

static void write_initialize(const struct mcp_client *c, struct client_request *r)
{
	client_request_text(&r->params, "protocolVersion", c->legacy_version);
	strbuf_add_format(&r->params, ",\"capabilities\":%s", c->capabilities);
	strbuf_add_string(&r->params, ",\"clientInfo\":{\"name\":");
	strbuf_add_json_string(&r->params, c->name, strlen(c->name));
	strbuf_add_string(&r->params, ",\"version\":\"" WINGMAN_VERSION "\"}");
}

/* initialize over Streamable HTTP; r->status tells of a refusal. */
static json_t *initialize_http(struct mcp_client *c, struct client_request *r,
			       struct client_session *s, struct error *err)
{
	for (;;) {
		_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
		long long id = atomic_fetch_add(&c->next_id, 1) + 1;
		json_t *result = NULL;

		if (client_write_request(c, r, MCP_ERA_LEGACY, id, &body, err) &&
		    client_http_initialize(c, r, id, &body, s->id, err))
			result = client_read_result(r, MCP_ERA_LEGACY, id, err);
		if (result || !client_authorize(c, r, err))
			return result;
		error_clear(err);
		client_request_renew(r);
	}
}

/* The old transport: the stream comes first, and initialize goes where it says. */
static json_t *initialize_sse(struct mcp_client *c, struct client_request *r,
			      struct client_session *s, struct error *err)
{
	json_t *result;

	s->is_sse = true;
	s->id[0] = '\0';
	(void)snprintf(s->version, sizeof s->version, "2024-11-05");
	c->inbound = client_inbound_start(c, s, r->until_ms, err);
	if (!c->inbound)
		return NULL;
	/* For the exchange, until the answer has told the version. */
	(void)pthread_mutex_lock(&c->lock);
	s->number = ++c->session_count;
	c->session = *s;
	(void)pthread_mutex_unlock(&c->lock);
	result = client_send_once(c, r, MCP_ERA_LEGACY, err);
	if (!result)
		client_legacy_drop(c, s->number);
	return result;
}

static json_t *initialize(struct mcp_client *c, struct client_request *r,
			  struct client_session *s, struct error *err)
{
	json_t *result;

	if (c->stdio)
		return client_send_once(c, r, MCP_ERA_LEGACY, err);
	result = initialize_http(c, r, s, err);
	if (result || (r->status != 400 && r->status != 404 && r->status != 405))
		return result;
	struct error first = *err;

	error_clear(err);
	result = initialize_sse(c, r, s, err);
	if (!result && !c->inbound)
		*err = first; /* it is not that transport either */
	return result;
}

static void end_inbound(struct mcp_client *c)
{
	client_inbound_stop(TAKE(c->inbound));
	(void)pthread_mutex_lock(&c->lock);
	free(TAKE(c->endpoint));
	(void)pthread_mutex_unlock(&c->lock);
}

static void say_initialized(struct mcp_client *c)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	strbuf_add_string(
		&text, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
	client_legacy_tell(c, &text);
}

static void set_log_level(struct mcp_client *c, const json_t *result, int64_t until_ms)
{
	_cleanup_request_ struct client_request r =
		CLIENT_REQUEST_INIT("logging/setLevel");
	struct error ignored = ERROR_INIT;

	if (!c->log_level ||
	    !json_object_get(json_object_get(result, "capabilities"), "logging"))
		return;
	r.until_ms = until_ms;
	client_request_text(&r.params, "level", c->log_level);
	json_decref(client_send_once(c, &r, MCP_ERA_LEGACY, &ignored));
}

bool client_legacy_open(struct mcp_client *c, int64_t until_ms, const atomic_bool *cancel,
			struct error *err)
{
	_cleanup_request_ struct client_request r = CLIENT_REQUEST_INIT("initialize");
	struct client_session s = { 0 };
	struct error why = ERROR_INIT;

	end_inbound(c);
	(void)pthread_mutex_lock(&c->lock);
	c->session.number = 0;
	(void)pthread_mutex_unlock(&c->lock);
	r.until_ms = until_ms;
	r.cancel = cancel;
	write_initialize(c, &r);
	json_auto_t *result = initialize(c, &r, &s, err);
	if (!result || !keep_session(c, &s, result, err)) {
		end_inbound(c);
		return false;
	}
	say_initialized(c);
	set_log_level(c, result, r.until_ms);
	/* Without a stream of its own the session is as good for what it is asked. */
	if (c->url && !s.is_sse && c->wants_get)
		c->inbound = client_inbound_start(c, &s, r.until_ms, &why);
	return true;
}
