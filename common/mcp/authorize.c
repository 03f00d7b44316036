/*
 * Step 2 of PROTOCOL 2.3: the bearer token, before anything else is believed; and what
 * clients are told about tokens (6.1).
 */
#include "mcp/serving.h"

#include <strings.h>

#include "base/clock.h"

/* ---- Challenges: RFC 6750, section 3 ---- */

struct challenge {
	unsigned status;
	const char *error;       /* NULL: there was no token */
	const char *description; /* ours, without quotes; NULL: none */
	const char *right;       /* "read", "write" */
	const char *tool;        /* NULL: none in particular */
};

static void add_parameter(struct strbuf *sb, const char *name, const char *value)
{
	if (value)
		strbuf_add_format(sb, "%s%s=\"%s\"",
				  sb->length == strlen("Bearer") ? " " : ", ", name,
				  value);
}

/* All scopes that this needs at once; a client that asked for less steps up with them. */
static void add_scopes(const struct exchange *x, const struct challenge *c,
		       struct strbuf *sb)
{
	_cleanup_strbuf_ struct strbuf scopes = STRBUF_INIT;

	if (x->service->oauth)
		oauth_add_scopes(x->service->oauth, &scopes, c->right, c->tool);
	else
		strbuf_add_format(&scopes, "%s:%s", x->service->server->name, c->right);
	if (!strbuf_ok(&scopes))
		sb->failed = true;
	add_parameter(sb, "scope", scopes.data);
}

static void challenge(struct exchange *x, const struct challenge *c)
{
	const struct oauth *oauth = x->service->oauth;
	_cleanup_strbuf_ struct strbuf value = STRBUF_INIT;

	strbuf_add_string(&value, "Bearer");
	add_parameter(&value, "error", c->error);
	if (oauth)
		add_parameter(&value, "error_description", c->description);
	/* Without issuers there is nobody who could be asked for a scope beforehand. */
	if (oauth || c->status == 403)
		add_scopes(x, c, &value);
	if (oauth)
		add_parameter(&value, "resource_metadata", oauth_metadata_url(oauth));
	exchange_challenge(x, c->status, strbuf_ok(&value) ? value.data : "Bearer");
}

static void refuse_token(struct exchange *x, const char *description)
{
	const struct challenge c = { 401, "invalid_token", description, "read", NULL };

	challenge(x, &c);
}

static void refuse_unchecked(struct exchange *x)
{
	struct refusal refusal = { 0 };

	refusal_set(&refusal, 503, JSONRPC_INTERNAL_ERROR,
		    "tokens cannot be checked at the moment");
	exchange_refuse(x, &refusal);
}

/* ---- Who calls ---- */

static bool may_enter(const struct exchange *x)
{
	const char *name = x->service->server->name;

	return x->from_gate || caller_may(&x->caller, name, "read") ||
	       caller_may(&x->caller, name, "write");
}

static void enter(struct exchange *x)
{
	static const struct challenge c = { 403, "insufficient_scope", NULL, "read",
					    NULL };

	if (may_enter(x))
		x->go_on(x);
	else
		challenge(x, &c);
}

static void authorize_static(struct exchange *x, const char *token)
{
	struct error err = ERROR_INIT;

	if (token_index_find(x->service->tokens, token, clock_wall_ms(), &x->caller,
			     &err)) {
		x->from_gate = caller_has_scope(&x->caller, SCOPE_GATE);
		enter(x);
	} else if (err.code == ERR_PERMISSION_DENIED) {
		refuse_token(x, NULL);
	} else {
		log_failure("tokens.unreadable", &err);
		refuse_unchecked(x);
	}
}

/* The operator must learn why an issuer's tokens do not fit; a stranger who sends many
 * shall not fill the log. */
static void log_refused(const struct exchange *x, const struct error *why)
{
	struct error ignored = ERROR_INIT;
	int64_t retry_ms;

	if (limiter_take(x->service->refusal_limiter, "oauth", clock_mono_ms(), &retry_ms,
			 &ignored))
		log_warn("token.refused", LOG_STR("why", why->message));
}

static void authorize_issued(struct exchange *x, const char *token,
			     struct oauth_waiter *waiter)
{
	struct error err = ERROR_INIT;

	switch (oauth_check(x->service->oauth, token, clock_wall_ms(), waiter, &x->caller,
			    &err)) {
	case OAUTH_GOOD:
		x->is_oauth = true;
		enter(x);
		return;
	case OAUTH_REFUSED:
		log_refused(x, &err);
		refuse_token(x, err.message);
		return;
	case OAUTH_UNAVAILABLE:
		log_refused(x, &err);
		refuse_unchecked(x);
		return;
	case OAUTH_WAITING: /* by now it may be somebody else's, or gone */
		return;
	}
}

/* ---- Reading the header ---- */

/* What stands behind "Bearer"; NULL for no header and for another scheme. */
static const char *bearer_token(const struct exchange *x)
{
	const char *header = http_request_header(x->http, "Authorization");
	const size_t length = strlen("Bearer");

	if (!header || strncasecmp(header, "Bearer", length) != 0 ||
	    (header[length] != ' ' && header[length] != '\0'))
		return NULL;
	return header + length + strspn(header + length, " ");
}

/* RFC 6750: b64token. */
static bool is_token(const char *text)
{
	const size_t length =
		strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			     "0123456789-._~+/");

	return length > 0 && text[length + strspn(text + length, "=")] == '\0';
}

static void wake(void *argument)
{
	struct exchange *x = argument;
	char request[32];

	(void)snprintf(request, sizeof request, "%s", http_request_id(x->http));
	log_set_request(request);
	authorize_issued(x, bearer_token(x), NULL);
	log_set_request(NULL);
}

/* An Authorization header of any kind is a claim, and is judged as one. */
static bool is_admitted(const struct exchange *x)
{
	return x->service->admitted.principal[0] &&
	       !http_request_header(x->http, "Authorization");
}

void authorize(struct exchange *x, void (*go_on)(struct exchange *x))
{
	static const struct challenge none = { 401, NULL, NULL, "read", NULL };
	static const struct challenge malformed = { 400, "invalid_request", NULL, "read",
						    NULL };
	const char *token = bearer_token(x);

	x->go_on = go_on;
	if (is_admitted(x)) {
		x->caller = x->service->admitted;
		enter(x);
	} else if (!token) {
		challenge(x, &none);
	} else if (x->service->oauth && !is_token(token)) {
		challenge(x, &malformed);
	} else if (x->service->oauth && jwt_is_one(token)) {
		x->waiter = (struct oauth_waiter){ .wake = wake, .argument = x };
		authorize_issued(x, token, &x->waiter);
	} else {
		authorize_static(x, token);
	}
}

/* ---- What a tool needs ---- */

bool authorize_context(struct exchange *x)
{
	static const struct challenge c = { 403, "insufficient_scope", NULL, "read",
					    NULL };

	if (x->from_gate || caller_may(&x->caller, x->service->server->name, c.right))
		return true;
	challenge(x, &c);
	return false;
}

bool authorize_tool(struct exchange *x)
{
	const struct mcp_service *s = x->service;
	const struct challenge c = {
		.status = 403,
		.error = "insufficient_scope",
		.right = x->tool->definition->risk == RISK_READ ? "read" : "write",
		.tool = x->tool->definition->name,
	};

	if (x->from_gate ||
	    (caller_may(&x->caller, s->server->name, c.right) &&
	     (!x->is_oauth || oauth_may_use(s->oauth, &x->caller, c.tool))))
		return true;
	challenge(x, &c);
	return false;
}

/* ---- RFC 9728 ---- */

bool authorize_metadata(struct mcp_service *s, struct http_request *http)
{
	static const struct http_header allow[] = { { "Allow", "GET" }, { NULL, NULL } };
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;

	if (!s->oauth || !oauth_is_metadata_path(s->oauth, http_request_path(http)))
		return false;
	if (strcmp(http_request_method(http), "GET") != 0) {
		http_reply(http, 405, NULL, allow, NULL);
		return true;
	}
	strbuf_add_string(&body, oauth_metadata(s->oauth));
	http_reply(http, strbuf_ok(&body) ? 200 : 503, "application/json", NULL, &body);
	return true;
}
