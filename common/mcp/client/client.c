#include "mcp/client/client.h"

#include "base/clock.h"
#include "guard/names.h"
#include "mcp/client/client_private.h"

enum { PAGES_MAX = 100, LISTED_MAX = 2000 };

/* ---- What the server says of itself ---- */

static json_t *about_legacy(struct mcp_client *c, struct client_request *r,
			    struct error *err)
{
	json_t *about = NULL;

	if (client_connect(c, r, err) != MCP_ERA_LEGACY)
		return NULL;
	(void)pthread_mutex_lock(&c->lock);
	about = json_deep_copy(c->about);
	(void)pthread_mutex_unlock(&c->lock);
	if (!about)
		error_oom(err);
	return about;
}

json_t *mcp_client_discover(struct mcp_client *c, int64_t timeout_ms, struct error *err)
{
	_cleanup_request_ struct client_request r =
		CLIENT_REQUEST_INIT("server/discover");
	json_t *result;

	r.until_ms = clock_mono_ms() + timeout_ms;
	if (!c->is_plain) {
		enum mcp_era era = client_connect(c, &r, err);

		if (era == MCP_ERA_UNKNOWN)
			return NULL;
		if (era == MCP_ERA_LEGACY)
			return about_legacy(c, &r, err);
	}
	result = client_send(c, &r, err);
	if (result && !json_is_array(json_object_get(result, "supportedVersions"))) {
		json_decref(result);
		error_set(err, ERR_INVALID_ARGUMENT,
			  "the server names no supported versions");
		return NULL;
	}
	return result;
}

/* ---- Lists ---- */

/* One page; '*cursor' is that of the next, NULL after the last. '*until_ms' becomes later
 * by what a person took. */
static json_t *list_page(struct mcp_client *c, const char *method, json_t **cursor,
			 int64_t *until_ms, struct error *err)
{
	_cleanup_request_ struct client_request r = CLIENT_REQUEST_INIT(method);

	r.until_ms = *until_ms;
	if (*cursor) {
		strbuf_add_string(&r.params, ",\"cursor\":");
		strbuf_add_json_string(&r.params, json_string_value(*cursor),
				       json_string_length(*cursor));
	}
	json_t *result = client_send(c, &r, err);
	*until_ms = r.until_ms;
	json_decref(*cursor);
	*cursor = json_incref(json_object_get(result, "nextCursor"));
	return result;
}

static json_t *list_until(struct mcp_client *c, const char *method, const char *member,
			  int64_t until_ms, struct error *err)
{
	struct client_freshness freshness = CLIENT_FRESHNESS_INIT;
	uint64_t generation = client_cache_generation(c);
	json_auto_t *all = json_array();
	json_auto_t *cursor = NULL;

	for (int page = 0; all && page < PAGES_MAX; page++) {
		json_auto_t *result = list_page(c, method, &cursor, &until_ms, err);

		if (!result)
			return NULL;
		json_t *some = json_object_get(result, member);
		if (!json_is_array(some) || (cursor && !json_is_string(cursor)) ||
		    json_array_size(all) + json_array_size(some) > LISTED_MAX) {
			error_set(err, ERR_INVALID_ARGUMENT,
				  "the server's list of %s is malformed or too long",
				  member);
			return NULL;
		}
		if (json_array_extend(all, some) != 0)
			break;
		client_freshness_take(&freshness, result);
		if (cursor)
			continue;
		client_cache_put(c, method, all, &freshness, generation);
		return TAKE(all);
	}
	error_set(err, ERR_INVALID_ARGUMENT, "the server's list of %s has no end",
		  member);
	return NULL;
}

static json_t *list(struct mcp_client *c, const char *method, const char *member,
		    int64_t timeout_ms, struct error *err)
{
	json_t *kept = client_cache_get(c, method);

	return kept ? kept
		    : list_until(c, method, member, clock_mono_ms() + timeout_ms, err);
}

/* From the server, whatever is kept: for who has doubts. */
static json_t *list_tools_until(struct mcp_client *c, int64_t until_ms, struct error *err)
{
	json_auto_t *tools = list_until(c, "tools/list", "tools", until_ms, err);

	return tools && client_tools_learn(c, tools, err) ? TAKE(tools) : NULL;
}

json_t *mcp_client_list_tools(struct mcp_client *c, int64_t timeout_ms, struct error *err)
{
	json_auto_t *tools = list(c, "tools/list", "tools", timeout_ms, err);

	return tools && client_tools_learn(c, tools, err) ? TAKE(tools) : NULL;
}

json_t *mcp_client_list_resources(struct mcp_client *c, int64_t timeout_ms,
				  struct error *err)
{
	return list(c, "resources/list", "resources", timeout_ms, err);
}

json_t *mcp_client_list_templates(struct mcp_client *c, int64_t timeout_ms,
				  struct error *err)
{
	return list(c, "resources/templates/list", "resourceTemplates", timeout_ms, err);
}

json_t *mcp_client_list_prompts(struct mcp_client *c, int64_t timeout_ms,
				struct error *err)
{
	return list(c, "prompts/list", "prompts", timeout_ms, err);
}

/* ---- Resources, prompts, completion ---- */

static void add_json(struct client_request *r, const char *name, const json_t *value)
{
	struct error ignored = ERROR_INIT;

	if (!value)
		return;
	strbuf_add_format(&r->params, ",\"%s\":", name);
	if (!json_write(&r->params, value, &ignored))
		r->params.failed = true;
}

json_t *mcp_client_read_for(struct mcp_client *c, const char *uri, const char *ticket,
			    int64_t timeout_ms, struct error *err)
{
	_cleanup_request_ struct client_request r = CLIENT_REQUEST_INIT("resources/read");

	r.until_ms = clock_mono_ms() + timeout_ms;
	r.name = uri;
	client_request_text(&r.params, "uri", uri);
	client_request_text(&r.meta, META_REQUESTER, ticket);
	return client_rounds(c, &r, err);
}

json_t *mcp_client_read_resource(struct mcp_client *c, const char *uri,
				 int64_t timeout_ms, struct error *err)
{
	return mcp_client_read_for(c, uri, NULL, timeout_ms, err);
}

json_t *mcp_client_get_prompt(struct mcp_client *c, const char *name,
			      const json_t *arguments, int64_t timeout_ms,
			      struct error *err)
{
	_cleanup_request_ struct client_request r = CLIENT_REQUEST_INIT("prompts/get");

	r.until_ms = clock_mono_ms() + timeout_ms;
	r.name = name;
	client_request_text(&r.params, "name", name);
	add_json(&r, "arguments", arguments);
	return client_rounds(c, &r, err);
}

json_t *mcp_client_complete(struct mcp_client *c, const json_t *ref, const char *argument,
			    const char *value, int64_t timeout_ms, struct error *err)
{
	_cleanup_request_ struct client_request r =
		CLIENT_REQUEST_INIT("completion/complete");

	r.until_ms = clock_mono_ms() + timeout_ms;
	add_json(&r, "ref", ref);
	strbuf_add_string(&r.params, ",\"argument\":{\"name\":");
	strbuf_add_json_string(&r.params, argument, strlen(argument));
	client_request_text(&r.params, "value", value);
	strbuf_add_char(&r.params, '}');
	json_auto_t *result = client_send(c, &r, err);
	if (!result)
		return NULL;
	json_t *completion = json_object_get(result, "completion");
	if (!json_is_array(json_object_get(completion, "values"))) {
		error_set(err, ERR_INVALID_ARGUMENT, "the server completes nothing");
		return NULL;
	}
	return json_incref(completion);
}

/* ---- Calls ---- */

/* A definition that changed since somebody judged it is another tool. */
static bool check_pin(struct mcp_client *c, const struct mcp_client_call *call,
		      int64_t until_ms, struct error *err)
{
	char pin[DIGEST_HEX_BYTES];

	if (!call->pin)
		return true;
	if (!mcp_client_pin(c, call->tool, pin)) {
		json_auto_t *tools = list_tools_until(c, until_ms, err);

		if (!tools)
			return false;
		if (!mcp_client_pin(c, call->tool, pin))
			return error_set(err, ERR_NOT_FOUND,
					 "the server does not list the tool");
	}
	if (strcmp(pin, call->pin) == 0)
		return true;
	return error_set(err, ERR_PRECONDITION_FAILED,
			 "the server's definition of the tool has changed");
}

static void mirror(struct mcp_client *c, const struct mcp_client_call *call,
		   struct client_request *r)
{
	strbuf_clear(&r->mirror);
	if (c->url)
		client_tools_mirror(c, call->tool, call->arguments, &r->mirror);
}

/* Headers that do not fit the body were refused before anything began: it is the
 * definition that is old (C-08). */
static bool is_mended(struct mcp_client *c, const struct mcp_client_call *call,
		      struct client_request *r)
{
	struct error ignored = ERROR_INIT;
	json_auto_t *tools = NULL;

	if (c->is_plain || r->code != JSONRPC_HEADER_MISMATCH || r->status != 400)
		return false;
	tools = list_tools_until(c, r->until_ms, &ignored);
	return tools && check_pin(c, call, r->until_ms, &ignored);
}

static json_t *call_once_or_twice(struct mcp_client *c,
				  const struct mcp_client_call *call,
				  struct client_request *r, struct error *err)
{
	mirror(c, call, r);
	size_t length = r->params.length;
	json_t *result = client_rounds(c, r, err);

	if (result || !is_mended(c, call, r))
		return result;
	error_clear(err);
	strbuf_truncate(&r->params, length);
	mirror(c, call, r);
	return client_rounds(c, r, err);
}

/* ---- How far it is ---- */

struct hearing {
	struct mcp_client *c;
	const struct mcp_client_call *call;
	double done; /* that was told last */
	bool has_told;
};

/* Whatever else the server says meanwhile goes where it always goes. */
static void on_heard(void *context, const struct jsonrpc_message *m, long long id)
{
	struct hearing *h = context;
	const json_t *token = json_object_get(m->params, "progressToken");
	const json_t *done = json_object_get(m->params, "progress");
	const json_t *total = json_object_get(m->params, "total");

	if (strcmp(m->method, "notifications/progress") != 0) {
		client_notified(h->c, m);
		return;
	}
	if (!json_is_integer(token) || json_integer_value(token) != id ||
	    !json_is_number(done) || (h->has_told && json_number_value(done) <= h->done))
		return;
	h->done = json_number_value(done);
	h->has_told = true;
	h->call->progressed(h->call->progress_context, h->done,
			    json_is_number(total) ? json_number_value(total) : 0,
			    json_get_string(m->params, "message"));
}

json_t *mcp_client_call(struct mcp_client *c, const struct mcp_client_call *call,
			bool *ret_sent, struct error *err)
{
	struct hearing hearing = { .c = c, .call = call };
	_cleanup_request_ struct client_request r = CLIENT_REQUEST_INIT("tools/call");
	json_t *result = NULL;

	r.until_ms = clock_mono_ms() + call->timeout_ms;
	r.idle_ms = call->idle_ms;
	r.cancel = call->cancel;
	r.name = call->tool;
	r.traceparent = call->traceparent;
	client_request_text(&r.params, "name", call->tool);
	strbuf_add_string(&r.params, ",\"arguments\":");
	strbuf_add_string(&r.params, call->arguments ? call->arguments : "{}");
	client_request_text(&r.params, "requestState", call->request_state);
	client_request_text(&r.meta, META_GRANT, call->grant);
	client_request_text(&r.meta, META_REQUESTER, call->ticket);
	if (call->is_look)
		strbuf_add_string(&r.meta, ",\"" META_LOOK "\":true");
	if (call->is_revoked)
		strbuf_add_string(&r.meta, ",\"" META_REVOKE "\":true");
	if (call->assumes) {
		strbuf_add_string(&r.meta, ",\"" META_ASSUMES "\":");
		if (!json_write(&r.meta, call->assumes, err))
			return NULL;
	}
	const int64_t asked_ms = client_asked_ms(c);
	bool is_pinned = check_pin(c, call, r.until_ms, err);
	r.until_ms += client_asked_ms(c) - asked_ms;
	r.may_be_task = c->takes_tasks;
	if (call->progressed) {
		r.wants_progress = true;
		r.heard = on_heard;
		r.heard_context = &hearing;
	}
	if (is_pinned)
		result = call_once_or_twice(c, call, &r, err);
	if (client_is_task(result)) {
		json_auto_t *task = result;

		result = client_await_task(c, task, r.until_ms, call->cancel, err);
	}
	if (result && !client_check_output(c, call->tool, result, err)) {
		json_decref(result);
		result = NULL;
	}
	if (ret_sent)
		*ret_sent = r.sent;
	if (call->ret_refused)
		*call->ret_refused = !result && r.status >= 400 && r.status < 500;
	return result;
}
