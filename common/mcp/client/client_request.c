#include "base/clock.h"
#include "mcp/client/client_private.h"

void client_request_done(struct client_request *r)
{
	json_decref(r->answer);
	strbuf_done(&r->params);
	strbuf_done(&r->mirror);
	strbuf_wipe(&r->meta); /* a grant may have been in it */
}

void client_request_renew(struct client_request *r)
{
	json_decref(r->answer);
	r->answer = NULL;
	r->sent = false;
	r->status = 0;
	r->code = 0;
	r->why[0] = '\0';
}

void client_request_text(struct strbuf *sb, const char *name, const char *text)
{
	if (!text)
		return;
	strbuf_add_format(sb, ",\"%s\":", name);
	strbuf_add_json_string(sb, text, strlen(text));
}

/* What belongs to this sending and not to the request. */
static void add_meta(const struct mcp_client *c, struct client_request *r,
		     enum mcp_era era, long long id)
{
	if (r->traceparent)
		client_request_text(&r->meta, "traceparent", r->traceparent);
	if ((c->hooks.notification || r->wants_progress) &&
	    strcmp(r->method, "initialize") != 0)
		strbuf_add_format(&r->meta, ",\"progressToken\":%lld", id);
	if (era == MCP_ERA_MODERN && c->log_level)
		client_request_text(&r->meta, META_LOG_LEVEL, c->log_level);
}

/* ---- Authorization ---- */

bool client_bearer(struct mcp_client *c, struct client_oauth_try *t,
		   const atomic_bool *cancel, int64_t until_ms, const char **ret_bearer,
		   struct secret **ret_owner, struct error *err)
{
	struct client_oauth_try none;

	if (c->oauth && !client_oauth_token(c->oauth, t ? t : &none, cancel, until_ms,
					    ret_owner, err))
		return false;
	*ret_bearer = *ret_owner ? secret_bytes(*ret_owner)
		      : c->token ? secret_bytes(c->token)
				 : NULL;
	return true;
}

int64_t client_asked_ms(struct mcp_client *c)
{
	return c->oauth ? client_oauth_asked_ms(c->oauth) : 0;
}

bool client_authorize(struct mcp_client *c, struct client_request *r, struct error *err)
{
	bool good;

	if (!c->oauth || (r->status != 401 && r->status != 403))
		return false;
	const int64_t before_ms = client_asked_ms(c);
	good = client_oauth_mend(c->oauth, &r->authorization, r->status, r->cancel,
				 r->until_ms, err);
	r->until_ms += client_asked_ms(c) - before_ms;
	return good;
}

/* ---- One sending ---- */

static bool send_post(struct mcp_client *c, const struct strbuf *message,
		      struct client_request *r, struct error *err)
{
	_cleanup_free_ char *url = NULL;
	_cleanup_(secret_freep) struct secret *owner = NULL;
	const char *bearer = NULL;
	static const struct http_client_header headers[] = {
		{ "Content-Type", "application/json" }, { 0 }
	};
	_cleanup_(http_client_reply_done) struct http_client_reply reply =
		HTTP_CLIENT_REPLY_INIT;

	if (!client_bearer(c, &r->authorization, r->cancel, r->until_ms, &bearer, &owner,
			   err))
		return false;
	int64_t left_ms = r->until_ms - clock_mono_ms();
	(void)pthread_mutex_lock(&c->lock);
	url = c->endpoint ? strdup(c->endpoint) : NULL;
	(void)pthread_mutex_unlock(&c->lock);
	if (!url)
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 "the stream of the server has ended");
	const struct http_client_request req = {
		.method = "POST",
		.url = url,
		.headers = headers,
		.bearer = bearer,
		.body = message->data,
		.body_bytes = message->length,
		.timeout_ms = left_ms > 0 ? left_ms : 1,
		.cancel = r->cancel,
	};
	if (!http_client_call(c->http, &req, &reply, &r->sent, err))
		return false;
	r->status = reply.status;
	return true;
}

static bool exchange(struct mcp_client *c, struct client_request *r, enum mcp_era era,
		     long long id, const struct strbuf *body, struct error *err)
{
	struct client_session s;

	if (c->stdio)
		return client_mail_exchange(c->mail, r, id, body, client_stdio_send, err);
	if (era == MCP_ERA_LEGACY && client_legacy_session(c, &s) && s.is_sse)
		return client_mail_exchange(c->mail, r, id, body, send_post, err);
	return client_http_exchange(c, r, era, id, body, err);
}

static bool is_abandoned(const struct client_request *r)
{
	return (r->cancel && atomic_load(r->cancel)) || clock_mono_ms() >= r->until_ms;
}

static json_t *send_as_it_is(struct mcp_client *c, struct client_request *r,
			     enum mcp_era era, struct error *err)
{
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
	long long id = atomic_fetch_add(&c->next_id, 1) + 1;
	size_t meta_length = r->meta.length;
	json_t *result = NULL;

	client_request_renew(r);
	add_meta(c, r, era, id);
	if (client_write_request(c, r, era, id, &body, err)) {
		if (exchange(c, r, era, id, &body, err))
			result = client_read_result(r, era, id, err);
		else if (r->sent && is_abandoned(r) &&
			 (era == MCP_ERA_LEGACY || c->stdio) &&
			 strcmp(r->method, "initialize") != 0)
			client_legacy_tell_cancelled(c, id);
	}
	strbuf_truncate(&r->meta, meta_length);
	strbuf_wipe(&body);
	return result;
}

/* A refusal for want of a better token came before anything began. */
json_t *client_send_once(struct mcp_client *c, struct client_request *r, enum mcp_era era,
			 struct error *err)
{
	for (;;) {
		json_t *result = send_as_it_is(c, r, era, err);

		if (result || !client_authorize(c, r, err))
			return result;
		error_clear(err);
	}
}

/* Whether it was refused in a way that a second try mends. */
static bool is_mended(struct mcp_client *c, const struct client_request *r,
		      enum mcp_era era, unsigned session)
{
	if (era == MCP_ERA_LEGACY) {
		/* The session is gone, by a restart or by age (C-24). */
		if (r->status != 404 || session == 0)
			return false;
		client_legacy_drop(c, session);
		return true;
	}
	if (r->code == JSONRPC_UNSUPPORTED_VERSION) {
		client_forget_era(c);
		return true;
	}
	if (client_looks_legacy(r))
		client_forget_era(c); /* for the next one */
	return false;
}

json_t *client_send(struct mcp_client *c, struct client_request *r, struct error *err)
{
	if (c->is_plain)
		return client_send_once(c, r, MCP_ERA_MODERN, err);
	for (int attempt = 0;; attempt++) {
		struct client_session s = { 0 };
		enum mcp_era era = client_connect(c, r, err);

		if (era == MCP_ERA_UNKNOWN)
			return NULL;
		if (era == MCP_ERA_LEGACY)
			(void)client_legacy_session(c, &s);
		json_t *result = client_send_once(c, r, era, err);
		if (result || !is_mended(c, r, era, *s.id ? s.number : 0) || attempt > 0)
			return result;
		error_clear(err);
	}
}
