/*
 * resources/read, prompts/get, completion/complete: what is only looked at. It needs a
 * person's yes like a tool, and there is no grant for it: so it runs where the
 * configuration frees it by name, and nowhere else.
 */
#include "mcp/serving.h"

#include "base/canonical.h"
#include "base/clock.h"
#include "guard/ticket.h"
#include "mcp/context_result.h"
#include "mcp/uri_template.h"

/* Codes of our own stand outside of what JSON-RPC reserves; the word is in 'data'. */
enum { REFUSED = 1 };

/* ---- Refusing ---- */

static int code_of(enum error_code code)
{
	switch (code) {
	case ERR_INVALID_ARGUMENT:
	case ERR_NOT_FOUND:
		return JSONRPC_INVALID_PARAMS;
	case ERR_INTERNAL:
		return JSONRPC_INTERNAL_ERROR;
	default:
		return REFUSED;
	}
}

/* data: {uri?, error: {code, message, ...}}; 'details' is stolen. */
void context_refuse(struct exchange *x, const struct error *err, json_t *details)
{
	struct refusal refusal = { 0 };
	json_auto_t *error = mcp_error_object(err, details);

	refusal_set(&refusal, 200, code_of(err->code), "%s", err->message);
	if (x->resource && x->method == MCP_RESOURCES_READ && err->code == ERR_NOT_FOUND)
		refusal.code = REVISION_2026_NOT_FOUND;
	refusal.data = json_pack("{s:s*, s:O*}", "uri",
				 x->method == MCP_RESOURCES_READ ? x->name : NULL,
				 "error", error);
	exchange_refuse(x, &refusal);
}

static void refuse_params(struct exchange *x, const char *message)
{
	struct refusal refusal = { 0 };

	refusal_set(&refusal, 200, JSONRPC_INVALID_PARAMS, "%s", message);
	if (x->method == MCP_RESOURCES_READ && x->name)
		refusal.data = json_pack("{s:s}", "uri", x->name);
	exchange_refuse(x, &refusal);
}

/* ---- On a worker ---- */

static bool may_run(const struct exchange *x, struct error *err)
{
	struct mcp_service *s = x->service;

	if (!server_config_allows(&s->config, x->caller.principal, "read"))
		return error_set(err, ERR_PERMISSION_DENIED,
				 "%s may not read with this server, by its own "
				 "configuration",
				 x->caller.principal);
	if (!audit_is_sound(s->audit))
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 "the audit log of this server cannot be written, so "
				 "nothing is read");
	if (clock_mono_ms() >= x->deadline_ms)
		return error_set(err, ERR_TIMEOUT,
				 "the request waited too long for its turn");
	if (!s->config.audit_freed_reads)
		return true;
	/* With the line that freed reads of tools leave; a stranger's uri may be odd. */
	json_t *data = json_pack("{s:s, s:s, s:s, s:s}", "method",
				 mcp_method_name(x->method), "name", x->name, "requester",
				 x->caller.principal, "client", x->caller.client);
	return audit_append(s->audit, "call.free_read", data, NULL, err);
}

static struct mcp_call make_call(struct exchange *x)
{
	return (struct mcp_call){
		.context = x->service->context,
		.arguments = x->arguments,
		.uri = x->resource ? x->name : NULL,
		.requester = x->caller.principal,
		.approval = "",
		.approvers = "",
		.now_ms = clock_wall_ms(),
		.deadline_ms = x->deadline_ms,
		.cancelled = &x->service->is_cancelled,
		.exchange = x,
		.asking = x->method == MCP_RESOURCES_READ || x->method == MCP_PROMPTS_GET
				  ? &x->asking
				  : NULL,
	};
}

/* Writes the members of the result. */
static bool read_resource(struct exchange *x, struct mcp_call *call, struct strbuf *sb,
			  struct mcp_body *body, struct error *err)
{
	json_auto_t *list = json_array();
	struct mcp_contents contents = { .uri = x->name, .list = list };

	if (!list)
		return error_oom(err);
	if (!x->resource->row->read(call, &contents, err))
		return false;
	if (ask_is_open(&x->asking))
		return true;
	if (contents.broken)
		return error_set(err, ERR_INTERNAL,
				 "the contents could not be written (are they UTF-8?)");
	/* Never an empty list: it reads as a resource that is there. */
	if (json_array_size(list) == 0)
		return error_set(err, ERR_NOT_FOUND, "Resource not found");
	body->is_cacheable = true;
	body->ttl_ms = contents.ttl_ms;
	body->is_public = contents.is_public;
	strbuf_add_string(sb, "\"contents\":");
	return json_write(sb, list, err);
}

static bool get_prompt(struct exchange *x, struct mcp_call *call, struct strbuf *sb,
		       struct mcp_body *body, struct error *err)
{
	const char *description = json_get_string(x->prompt->declared, "description");
	json_auto_t *list = json_array();
	struct mcp_messages messages = { .list = list };

	(void)body;
	if (!list)
		return error_oom(err);
	if (!x->prompt->row->get(call, &messages, err))
		return false;
	if (ask_is_open(&x->asking))
		return true;
	if (messages.broken)
		return error_set(err, ERR_INTERNAL,
				 "the messages could not be written (are they UTF-8?)");
	if (description) {
		strbuf_add_string(sb, "\"description\":");
		strbuf_add_json_string(sb, description, strlen(description));
		strbuf_add_char(sb, ',');
	}
	strbuf_add_string(sb, "\"messages\":");
	return json_write(sb, list, err);
}

static bool complete(struct exchange *x, struct mcp_call *call, struct strbuf *sb,
		     struct mcp_body *body, struct error *err)
{
	mcp_completer *completer = x->prompt ? x->prompt->row->complete
					     : x->resource->row->complete;
	const json_t *argument = json_object_get(x->message.params, "argument");
	json_auto_t *list = json_array();
	struct mcp_values values = { .list = list };

	(void)body;
	if (!list)
		return error_oom(err);
	if (completer && !completer(call, json_get_string(argument, "name"),
				    json_get_string(argument, "value"), &values, err))
		return false;
	if (values.broken)
		return error_set(err, ERR_INTERNAL, "the values could not be written");
	strbuf_add_string(sb, "\"completion\":{\"values\":");
	if (!json_write(sb, list, err))
		return false;
	strbuf_add_format(sb, ",\"total\":%lld,\"hasMore\":%s}", (long long)values.total,
			  values.total > MCP_VALUES_MAX ? "true" : "false");
	return true;
}

static bool run(struct exchange *x, struct mcp_call *call, struct strbuf *sb,
		struct mcp_body *body, struct error *err)
{
	bool good = x->method == MCP_COMPLETE ? complete(x, call, sb, body, err)
		    : x->prompt               ? get_prompt(x, call, sb, body, err)
					      : read_resource(x, call, sb, body, err);

	if (!good && !error_is_set(err))
		error_set(err, ERR_INTERNAL, "it failed without saying why");
	return good && (strbuf_ok(sb) || error_oom(err));
}

static void answer(struct exchange *x)
{
	_cleanup_strbuf_ struct strbuf members = STRBUF_INIT;
	struct mcp_call call = make_call(x);
	struct mcp_body body = { 0 };
	struct error err = ERROR_INIT;
	struct mcp_result asked = MCP_RESULT_INIT;
	bool good = may_run(x, &err) && run(x, &call, &members, &body, &err);
	bool is_asked = good && questions_put(x, &asked, &err);
	json_t *details = TAKE(call.error_details);

	log_info("context.done", LOG_STR("method", mcp_method_name(x->method)),
		 LOG_STR("name", x->name), LOG_STR("caller", x->caller.principal),
		 LOG_STR("client", x->caller.client),
		 LOG_STR("outcome", good ? "ok" : error_name(err.code)));
	if (error_is_set(&err)) {
		mcp_result_done(&asked);
		context_refuse(x, &err, details);
		return;
	}
	json_decref(details);
	if (is_asked) {
		exchange_finish(x, &asked);
		return;
	}
	body.members = members.data;
	body.length = members.length;
	exchange_body(x, &body);
}

static void work(void *argument)
{
	struct exchange *x = argument;
	char request[32];

	(void)snprintf(request, sizeof request, "%s", x->request);
	log_set_request(request);
	answer(x);
	log_set_request(NULL);
}

/* ---- In the loop's thread ---- */

static bool is_freed(const struct exchange *x, const struct resource_entry *e)
{
	return e->is_freed &&
	       (x->frees_gate ||
		server_config_frees_for(&x->service->config, x->caller.principal));
}

static void start(struct exchange *x, bool may_start)
{
	struct mcp_service *s = x->service;
	struct error err = ERROR_INIT;

	if (x->method != MCP_COMPLETE && !questions_read(x, &err)) {
		refuse_params(x, err.message);
		return;
	}
	if (!may_start) {
		error_set(&err, ERR_APPROVAL_REQUIRED,
			  "'%.200s' needs a person's approval, which there is not for %s",
			  x->name, mcp_method_name(x->method));
		error_hint(&err, "the server's configuration can free it by name");
	} else if (x->from_gate && !x->ticket) {
		/* Whom it is for is not said: the gate is nobody who may read. */
		error_set(&err, ERR_APPROVAL_REQUIRED,
			  "the gate reads with a requester ticket alone");
	} else {
		x->deadline_ms = clock_mono_ms() + s->config.deadline_ms;
		x->is_entered = callers_enter(&s->callers, x->caller.client,
					      (unsigned)s->config.calls_per_caller, &err);
		if (x->is_entered && workers_submit(s->workers, work, x))
			return;
		error_set(&err, ERR_RATE_LIMITED,
			  "this server has too many calls waiting");
	}
	context_refuse(x, &err, NULL);
}

static bool check(struct exchange *x)
{
	/* What could not be signed is not worked with either. */
	if (error_is_set(&x->contract))
		refuse_params(x, x->contract.message);
	else
		return authorize_context(x);
	return false;
}

/* The gate reads for a conversation in the name of who asks there: by a ticket for this
 * very read, and as that person. False: the exchange has been answered. */
static bool take_ticket(struct exchange *x)
{
	const struct mcp_service *s = x->service;
	const json_t *word = json_object_get(json_object_get(x->message.params, "_meta"),
					     META_REQUESTER);
	json_auto_t *read = json_pack("{s:s}", "uri", x->name ? x->name : "");
	char args[DIGEST_HEX_BYTES], request[DIGEST_HEX_BYTES];
	struct error err = ERROR_INIT;
	struct ticket ticket;

	if (!word)
		return true;
	if (!x->from_gate)
		error_set(&err, ERR_PERMISSION_DENIED,
			  "only the gate may present a requester ticket");
	else if (!read)
		error_oom(&err);
	else if (canonical_digest(read, args, &err) &&
		 request_digest(s->server->name, mcp_method_name(MCP_RESOURCES_READ),
				args, request, &err) &&
		 ticket_check(json_is_string(word) ? json_string_value(word) : "",
			      s->config.instance, request, clock_wall_ms(), s->keys,
			      &ticket, &err)) {
		x->ticket = json_string_value(word);
		x->frees_gate = server_config_frees_for(&s->config, x->caller.principal);
		(void)snprintf(x->caller.principal, sizeof x->caller.principal, "%s",
			       ticket.requester);
		return true;
	}
	context_refuse(x, &err, NULL);
	return false;
}

void context_read(struct exchange *x)
{
	if (!check(x))
		return;
	x->name = json_get_string(x->message.params, "uri");
	if (!take_ticket(x))
		return;
	x->resource =
		x->name ? catalog_resource(&x->service->catalog, x->name, &x->arguments)
			: NULL;
	if (!x->name)
		refuse_params(x, "params.uri is missing");
	else if (!x->resource)
		refuse_params(x, "Resource not found");
	else
		start(x, is_freed(x, x->resource));
}

/* An object of strings, as prompts take them; NULL for anything else. */
static json_t *read_strings(json_t *given)
{
	const char *name;
	json_t *value;

	if (!given)
		return json_object();
	if (!json_is_object(given))
		return NULL;
	json_object_foreach(given, name, value)
	{
		if (!json_is_string(value))
			return NULL;
	}
	return json_incref(given);
}

static const char *missing_argument(const struct exchange *x)
{
	const json_t *argument;
	size_t i;

	json_array_foreach(json_object_get(x->prompt->declared, "arguments"), i, argument)
	{
		const char *name = json_get_string(argument, "name");

		if (name && json_is_true(json_object_get(argument, "required")) &&
		    !json_object_get(x->arguments, name))
			return name;
	}
	return NULL;
}

void context_prompt(struct exchange *x)
{
	const char *missing;
	char message[192];

	if (!check(x))
		return;
	x->name = json_get_string(x->message.params, "name");
	x->prompt = x->name ? catalog_prompt(&x->service->catalog, x->name) : NULL;
	if (!x->prompt) {
		refuse_params(x, x->name ? "Unknown prompt" : "params.name is missing");
		return;
	}
	x->arguments = read_strings(json_object_get(x->message.params, "arguments"));
	missing = x->arguments ? missing_argument(x) : NULL;
	if (!x->arguments) {
		refuse_params(x, "params.arguments must be an object of strings");
	} else if (missing) {
		(void)snprintf(message, sizeof message, "the argument %.128s is missing",
			       missing);
		refuse_params(x, message);
	} else {
		start(x, x->prompt->is_freed);
	}
}

static bool has_argument(const struct exchange *x, const char *name)
{
	const json_t *argument;
	size_t i;

	if (x->resource)
		return uri_template_has(x->resource->row->uri, name);
	if (!x->prompt)
		return false;
	json_array_foreach(json_object_get(x->prompt->declared, "arguments"), i, argument)
	{
		if (strcmp(json_get_string(argument, "name") ?: "", name) == 0)
			return true;
	}
	return false;
}

/* What is completed; NULL when all is well. */
static const char *read_completion(struct exchange *x)
{
	const json_t *params = x->message.params, *ref = json_object_get(params, "ref");
	const json_t *argument = json_object_get(params, "argument");
	const json_t *context = json_object_get(params, "context");
	const char *type = json_get_string(ref, "type") ?: "";
	const char *name = json_get_string(argument, "name");

	if (!name || !json_get_string(argument, "value"))
		return "params.argument must have a name and a value";
	if (strcmp(type, "ref/prompt") == 0) {
		x->name = json_get_string(ref, "name");
		x->prompt = x->name ? catalog_prompt(&x->service->catalog, x->name)
				    : NULL;
	} else if (strcmp(type, "ref/resource") == 0) {
		x->name = json_get_string(ref, "uri");
		x->resource = x->name ? catalog_declared(&x->service->catalog, x->name)
				      : NULL;
	} else {
		return "params.ref.type must be ref/prompt or ref/resource";
	}
	if (!x->prompt && !x->resource)
		return "params.ref leads nowhere";
	if (!has_argument(x, name))
		return "there is no such argument";
	x->arguments = read_strings(json_object_get(context, "arguments"));
	return x->arguments ? NULL : "params.context.arguments must be strings";
}

void context_complete(struct exchange *x)
{
	const char *fault;

	if (!check(x))
		return;
	fault = read_completion(x);
	if (fault)
		refuse_params(x, fault);
	else
		start(x, x->prompt ? x->prompt->is_freed : is_freed(x, x->resource));
}

/* ---- resources/list where templates say what there is ---- */

static bool list_template(struct exchange *x, const struct resource_entry *e,
			  json_t *list, struct error *err)
{
	struct mcp_call call = make_call(x);
	bool good = e->row->list(&call, list, err);

	mcp_call_done(&call);
	return good;
}

static void answer_list(struct exchange *x)
{
	const struct catalog *c = &x->service->catalog;
	const json_t *cursor = json_object_get(x->message.params, "cursor");
	json_auto_t *list = catalog_fixed(c);
	struct listing pages = { 0 };
	struct error err = ERROR_INIT;
	bool good = (list || error_oom(&err)) && may_run(x, &err);

	for (size_t i = 0; good && i < c->resource_count; i++)
		if (is_freed(x, &c->resources[i]) && c->resources[i].row->list)
			good = list_template(x, &c->resources[i], list, &err);
	if (good)
		good = listing_make(&pages, "resources", list,
				    (size_t)x->service->config.page_size, &err);
	const char *page = good ? listing_page(&pages, cursor) : NULL;
	if (page)
		exchange_body(x, &(struct mcp_body){ .members = page,
						     .length = strlen(page),
						     .is_cacheable = true });
	else if (good)
		refuse_params(x, "no such cursor");
	else
		context_refuse(x, &err, NULL);
	listing_done(&pages);
}

static void work_list(void *argument)
{
	answer_list(argument);
}

void context_list(struct exchange *x)
{
	struct mcp_service *s = x->service;
	struct error err = ERROR_INIT;

	if (!check(x))
		return;
	x->name = "";
	x->arguments = json_object();
	x->deadline_ms = clock_mono_ms() + s->config.deadline_ms;
	x->is_entered = callers_enter(&s->callers, x->caller.client,
				      (unsigned)s->config.calls_per_caller, &err);
	if (x->is_entered && workers_submit(s->workers, work_list, x))
		return;
	error_set(&err, ERR_RATE_LIMITED, "this server has too many calls waiting");
	context_refuse(x, &err, NULL);
}
