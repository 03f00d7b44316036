/* resources/subscribe, which is judged, refused and counted as a read, and its end. */
#include "mcp/serving.h"

static void reply_empty(struct exchange *x)
{
	const struct mcp_body nothing = { .members = "" };

	exchange_body(x, &nothing);
}

/* On a worker: a subscription leaves the line in the audit log that a read leaves. */
static void work(void *argument)
{
	struct exchange *x = argument;
	struct mcp_service *s = x->service;
	struct error err = ERROR_INIT;
	bool good = true;

	if (s->config.audit_freed_reads)
		good = audit_append(s->audit, "call.free_read",
				    json_pack("{s:s, s:[s], s:s, s:s}", "method",
					      "resources/subscribe", "uris", x->name,
					      "requester", x->caller.principal, "client",
					      x->caller.client),
				    NULL, &err);
	if (good && session_subscribe(x->session, x->name, &err))
		reply_empty(x);
	else
		context_refuse(x, &err, NULL);
}

static bool may_subscribe(const struct exchange *x, struct error *err)
{
	const struct mcp_service *s = x->service;

	if (!x->resource)
		return error_set(err, ERR_NOT_FOUND, "Resource not found");
	if (!x->resource->is_freed ||
	    !server_config_frees_for(&s->config, x->caller.principal))
		return error_set(err, ERR_APPROVAL_REQUIRED,
				 "'%.200s' needs a person's approval, which there is not "
				 "for subscriptions",
				 x->name);
	return server_config_allows(&s->config, x->caller.principal, "read") ||
	       error_set(err, ERR_PERMISSION_DENIED,
			 "%s may not read with this server, by its own configuration",
			 x->caller.principal);
}

static bool enter(struct exchange *x, struct error *err)
{
	struct mcp_service *s = x->service;

	x->is_entered = callers_enter(&s->callers, x->caller.client,
				      (unsigned)s->config.calls_per_caller, err);
	return x->is_entered;
}

static bool read_uri(struct exchange *x, struct error *err)
{
	if (error_is_set(&x->contract))
		return error_set(err, ERR_INVALID_ARGUMENT, "%s", x->contract.message);
	x->name = json_get_string(x->message.params, "uri");
	return x->name || error_set(err, ERR_INVALID_ARGUMENT, "params.uri is missing");
}

void legacy_subscribe(struct exchange *x)
{
	struct error err = ERROR_INIT;

	x->method = MCP_RESOURCES_READ;
	if (!authorize_context(x))
		return;
	if (read_uri(x, &err))
		x->resource =
			catalog_resource(&x->service->catalog, x->name, &x->arguments);
	if (!error_is_set(&err) && may_subscribe(x, &err) && enter(x, &err) &&
	    workers_submit(x->service->workers, work, x))
		return;
	error_set(&err, ERR_RATE_LIMITED, "this server has too many calls waiting");
	context_refuse(x, &err, NULL);
}

void legacy_unsubscribe(struct exchange *x)
{
	struct error err = ERROR_INIT;

	if (!read_uri(x, &err)) {
		context_refuse(x, &err, NULL);
		return;
	}
	session_unsubscribe(x->session, x->name);
	reply_empty(x);
}
