/* Step 2 of PROTOCOL 2.3: the bearer token, before anything else is believed. */
#include "mcp/serving.h"

#include <strings.h>

#include "base/clock.h"

void exchange_forbid(struct exchange *x, const char *scope)
{
	char value[160];

	(void)snprintf(value, sizeof value,
		       "Bearer error=\"insufficient_scope\", scope=\"%s\"", scope);
	exchange_challenge(x, 403, value);
}

/* The token behind "Bearer "; NULL for another scheme. */
static const char *bearer_token(const char *header)
{
	if (strncasecmp(header, "Bearer ", strlen("Bearer ")) != 0)
		return NULL;
	header += strlen("Bearer ");
	return header + strspn(header, " ");
}

static bool may_enter(const struct exchange *x)
{
	const char *name = x->service->server->name;

	return x->from_gate || caller_may(&x->caller, name, "read") ||
	       caller_may(&x->caller, name, "write");
}

static void refuse_unreadable(struct exchange *x, const struct error *why)
{
	struct refusal refusal = { 0 };

	log_failure("tokens.unreadable", why);
	refusal_set(&refusal, 503, JSONRPC_INTERNAL_ERROR,
		    "tokens cannot be checked at the moment");
	exchange_refuse(x, &refusal);
}

void authorize(struct exchange *x, void (*go_on)(struct exchange *x))
{
	const char *header = http_request_header(x->http, "Authorization");
	const char *token = header ? bearer_token(header) : NULL;
	struct error err = ERROR_INIT;
	char scope[64];

	if (!token) {
		exchange_challenge(x, 401, "Bearer");
		return;
	}
	if (!token_index_find(x->service->tokens, token, clock_wall_ms(), &x->caller,
			      &err)) {
		if (err.code == ERR_PERMISSION_DENIED)
			exchange_challenge(x, 401, "Bearer error=\"invalid_token\"");
		else
			refuse_unreadable(x, &err);
		return;
	}
	x->from_gate = caller_has_scope(&x->caller, SCOPE_GATE);
	if (may_enter(x)) {
		go_on(x);
		return;
	}
	(void)snprintf(scope, sizeof scope, "%s:read", x->service->server->name);
	exchange_forbid(x, scope);
}
