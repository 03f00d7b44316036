/* subscriptions/listen: what is asked for, and what of it may be heard. */
#include "mcp/serving.h"

#include "mcp/uri_template.h"

static bool read_flag(const json_t *wanted, const char *name, bool is_offered, bool *ret,
		      struct error *err)
{
	const json_t *value = json_object_get(wanted, name);

	if (value && !json_is_boolean(value))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "params.notifications.%s must be a boolean", name);
	*ret = is_offered && json_is_true(value);
	return true;
}

/* An array of at most LISTEN_URIS_MAX strings, or nothing. */
static bool read_list(const json_t *wanted, const char *name, const json_t **ret,
		      struct error *err)
{
	const json_t *list = json_object_get(wanted, name), *one;
	size_t i;

	*ret = list;
	if (!list)
		return true;
	if (!json_is_array(list) || json_array_size(list) > LISTEN_URIS_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "params.notifications.%s must be an array of at most %d",
				 name, LISTEN_URIS_MAX);
	json_array_foreach(list, i, one)
	{
		if (!json_is_string(one))
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "params.notifications.%s must hold strings",
					 name);
	}
	return true;
}

/* What there is not is left out; what is not freed needs a yes that there is not. */
static bool add_uris(const struct exchange *x, const json_t *list,
		     struct listen_filter *filter, struct error *err)
{
	const struct mcp_service *s = x->service;
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		const char *uri = json_string_value(one);
		json_auto_t *values = NULL;
		const struct resource_entry *e =
			catalog_resource(&s->catalog, uri, &values);

		if (!e)
			continue;
		if (!e->is_freed ||
		    !server_config_frees_for(&s->config, x->caller.principal)) {
			if (x->from_gate)
				continue;
			return error_set(err, ERR_APPROVAL_REQUIRED,
					 "'%.200s' needs a person's approval, which "
					 "there is not for subscriptions",
					 uri);
		}
		if (!filter->uris)
			filter->uris = json_array();
		if (json_array_append_new(filter->uris, json_string(uri)) != 0)
			return error_oom(err);
	}
	/* The gate hears that something changed, which it reads as somebody. */
	if (!filter->uris || x->from_gate)
		return true;
	if (!server_config_allows(&s->config, x->caller.principal, "read"))
		return error_set(err, ERR_PERMISSION_DENIED,
				 "%s may not read with this server, by its own "
				 "configuration",
				 x->caller.principal);
	return true;
}

/* Its own ones; of others it hears nothing, not even that there are any. */
static bool add_tasks(const struct exchange *x, const json_t *list,
		      struct listen_filter *filter, struct error *err)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		const char *id = json_string_value(one);

		if (!tasks_has(x->service->tasks, id, x->caller.principal,
			       x->caller.client))
			continue;
		if (!filter->tasks)
			filter->tasks = json_array();
		if (json_array_append_new(filter->tasks, json_string(id)) != 0)
			return error_oom(err);
	}
	return true;
}

static bool read_filter(const struct exchange *x, struct listen_filter *filter,
			struct error *err)
{
	const json_t *wanted = json_object_get(x->message.params, "notifications"), *uris,
		     *tasks;
	unsigned can = x->service->server->changes;

	if (!json_is_object(wanted))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "params.notifications must be an object");
	return read_flag(wanted, "toolsListChanged", can & MCP_TOOLS_MAY_CHANGE,
			 &filter->tools, err) &&
	       read_flag(wanted, "promptsListChanged", can & MCP_PROMPTS_MAY_CHANGE,
			 &filter->prompts, err) &&
	       read_flag(wanted, "resourcesListChanged", can & MCP_RESOURCES_MAY_CHANGE,
			 &filter->resources, err) &&
	       read_list(wanted, "resourceSubscriptions", &uris, err) &&
	       read_list(wanted, "taskIds", &tasks, err) &&
	       (!(can & MCP_CONTENTS_MAY_CHANGE) || add_uris(x, uris, filter, err)) &&
	       (!(x->service->features & MCP_HAS_TASKS) ||
		add_tasks(x, tasks, filter, err));
}

/* A subscription tells when something is there: it leaves the line that a read leaves. */
static bool note(const struct exchange *x, const struct listen_filter *filter,
		 struct error *err)
{
	const struct mcp_service *s = x->service;

	if (!filter->uris || !s->config.audit_freed_reads)
		return true;
	json_t *data = json_pack("{s:s, s:O, s:s, s:s}", "method",
				 mcp_method_name(x->method), "uris", filter->uris,
				 "requester", x->caller.principal, "client",
				 x->caller.client);
	return audit_append(s->audit, "call.free_read", data, NULL, err);
}

static void answer(struct exchange *x)
{
	struct mcp_service *s = x->service;
	struct listen_filter filter = { 0 };
	struct error err = ERROR_INIT;

	if (read_filter(x, &filter, &err) && note(x, &filter, &err) &&
	    listeners_begin(s->listeners, &s->identity, x->http, x->message.id,
			    x->caller.principal, x->caller.client,
			    (size_t)s->config.streams_per_caller, &filter, &err))
		x->http = NULL;
	listen_filter_done(&filter);
	if (error_is_set(&err))
		context_refuse(x, &err, NULL);
	else
		exchange_send(x, 200, NULL, NULL);
}

static void work(void *argument)
{
	answer(argument);
}

void listen_begin(struct exchange *x)
{
	const json_t *wanted = json_object_get(x->message.params, "notifications");
	struct refusal refusal = { 0 };
	struct error err = ERROR_INIT;

	if (!authorize_context(x))
		return;
	if (json_object_get(wanted, "taskIds") && !x->has_tasks) {
		exchange_refuse_missing(x, tasks_capability());
		return;
	}
	if (!exchange_accepts(http_request_header(x->http, "Accept"), "text/event-stream",
			      "text/*")) {
		refusal_set(&refusal, 406, JSONRPC_INVALID_REQUEST,
			    "Accept must list text/event-stream");
		exchange_refuse(x, &refusal);
		return;
	}
	if (x->from_gate && json_object_get(wanted, "taskIds"))
		error_set(&err, ERR_APPROVAL_REQUIRED, "the gate has no tasks");
	else if (workers_submit(x->service->workers, work, x))
		return;
	else
		error_set(&err, ERR_RATE_LIMITED,
			  "this server has too many calls waiting");
	context_refuse(x, &err, NULL);
}

/* ---- For authors ---- */

struct mcp_service *mcp_call_service(const struct mcp_call *call)
{
	return call->exchange ? call->exchange->service : NULL;
}

/* To the sessions, of which each hears what its revision has. */
static void tell_sessions(struct mcp_service *s, enum mcp_change what, const char *uri)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	bool is_content = what == MCP_CHANGED_RESOURCE;

	strbuf_add_format(&sb, "{\"jsonrpc\":\"2.0\",\"method\":\"%s\"",
			  listeners_method(what));
	if (is_content) {
		strbuf_add_string(&sb, ",\"params\":{\"uri\":");
		strbuf_add_json_string(&sb, uri, strlen(uri));
		strbuf_add_char(&sb, '}');
	}
	strbuf_add_char(&sb, '}');
	if (strbuf_ok(&sb))
		sessions_tell(s->sessions, sb.data, sb.length, is_content ? uri : NULL);
}

static bool may_change(const struct mcp_service *s, enum mcp_change what)
{
	static const unsigned features[] = {
		[MCP_CHANGED_TOOLS] = MCP_HAS_TOOL_CHANGES,
		[MCP_CHANGED_PROMPTS] = MCP_HAS_PROMPT_CHANGES,
		[MCP_CHANGED_RESOURCES] = MCP_HAS_RESOURCE_CHANGES,
		[MCP_CHANGED_RESOURCE] = MCP_HAS_SUBSCRIPTIONS,
	};

	return s->features & features[what];
}

void mcp_service_changed(struct mcp_service *s, enum mcp_change what, const char *uri)
{
	if (!s || (what == MCP_CHANGED_RESOURCE && !uri))
		return;
	listeners_tell(s->listeners, what, uri);
	/* Sessions ask for no list_changed: what was not announced is not told. */
	if (may_change(s, what))
		tell_sessions(s, what, uri);
}
