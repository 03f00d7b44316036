#include "mcp/listeners.h"

#include <pthread.h>
#include <sys/queue.h>

#include "mcp/server.h"
#include "wire/http_stream.h"
#include "wire/sse.h"

struct listener {
	struct listeners *all;
	LIST_ENTRY(listener) entry;
	char *id; /* JSON text */
	char principal[129], client[65];
	struct listen_filter filter;
	struct http_stream *stream; /* NULL until there is one */
	char *result;               /* the last message, made before it is needed */
	bool is_closed, is_listed;
	unsigned
		refs; /* the list's or the beginner's, and the stream's; under the lock */
};

struct listeners {
	pthread_mutex_t lock;
	LIST_HEAD(listeners_head, listener) head;
	bool is_closing;
};

struct listeners *listeners_new(void)
{
	struct listeners *all = calloc(1, sizeof *all);

	if (!all)
		return NULL;
	(void)pthread_mutex_init(&all->lock, NULL);
	LIST_INIT(&all->head);
	return all;
}

void listeners_free(struct listeners *all)
{
	if (!all)
		return;
	(void)pthread_mutex_destroy(&all->lock);
	free(all);
}

void listen_filter_done(struct listen_filter *f)
{
	json_decref(f->uris);
	json_decref(f->tasks);
	*f = (struct listen_filter){ 0 };
}

bool listen_filter_is_empty(const struct listen_filter *f)
{
	return !f->tools && !f->prompts && !f->resources &&
	       json_array_size(f->uris) == 0 && json_array_size(f->tasks) == 0;
}

static void listener_free(struct listener *l)
{
	listen_filter_done(&l->filter);
	http_stream_unref(l->stream);
	free(l->result);
	free(l->id);
	free(l);
}

/* Under the lock. */
static void unref(struct listener *l, unsigned count)
{
	l->refs -= count;
	if (l->refs == 0)
		listener_free(l);
}

/* How many references that sets free. */
static unsigned unlist(struct listener *l)
{
	if (!l->is_listed)
		return 0;
	l->is_listed = false;
	LIST_REMOVE(l, entry);
	return 1;
}

static void on_closed(void *context, enum http_stream_why why)
{
	struct listener *l = context;
	struct listeners *all = l->all;

	(void)why;
	(void)pthread_mutex_lock(&all->lock);
	l->is_closed = true;
	unref(l, 1 + unlist(l));
	(void)pthread_mutex_unlock(&all->lock);
}

/* ---- Sending ---- */

/* One message as an event; false: it could not be built or sent. */
static bool send_text(const struct listener *l, const char *text, size_t length)
{
	_cleanup_strbuf_ struct strbuf event = STRBUF_INIT;

	sse_write(&event, "message", NULL, -1, text, length);
	_cleanup_(shared_bytes_unrefp) struct shared_bytes *bytes =
		shared_bytes_take(&event);
	return bytes && http_stream_send(l->stream, bytes);
}

/* 'members' are further params, "" or beginning with a comma. */
static bool send_notification(const struct listener *l, const char *method,
			      const char *members)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	strbuf_add_format(&sb,
			  "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":{"
			  "\"_meta\":{\"" META_SUBSCRIPTION "\":%s}%s}}",
			  method, l->id, members);
	return strbuf_ok(&sb) && send_text(l, sb.data, sb.length);
}

static bool write_members(struct strbuf *sb, const char *name, const json_t *value)
{
	struct error ignored = ERROR_INIT;

	strbuf_add_format(sb, ",\"%s\":", name);
	return json_write(sb, value, &ignored) && strbuf_ok(sb);
}

static bool acknowledge(const struct listener *l)
{
	const struct listen_filter *f = &l->filter;
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	json_auto_t *honoured =
		json_pack("{s:o*, s:o*, s:o*, s:O*, s:O*}", "toolsListChanged",
			  f->tools ? json_true() : NULL, "promptsListChanged",
			  f->prompts ? json_true() : NULL, "resourcesListChanged",
			  f->resources ? json_true() : NULL, "resourceSubscriptions",
			  json_array_size(f->uris) ? f->uris : NULL, "taskIds",
			  json_array_size(f->tasks) ? f->tasks : NULL);

	return honoured && write_members(&sb, "notifications", honoured) &&
	       send_notification(l, "notifications/subscriptions/acknowledged", sb.data);
}

/* S-40: with its result, then the end. */
static void end(const struct listener *l)
{
	(void)send_text(l, l->result, strlen(l->result));
	http_stream_end(l->stream);
}

static bool wants_uri(const json_t *list, const char *text)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		if (strcmp(json_string_value(one), text) == 0)
			return true;
	}
	return false;
}

static bool wants(const struct listener *l, enum mcp_change what, const char *uri)
{
	switch (what) {
	case MCP_CHANGED_TOOLS:
		return l->filter.tools;
	case MCP_CHANGED_PROMPTS:
		return l->filter.prompts;
	case MCP_CHANGED_RESOURCES:
		return l->filter.resources;
	case MCP_CHANGED_RESOURCE:
		return uri && wants_uri(l->filter.uris, uri);
	}
	return false;
}

const char *listeners_method(enum mcp_change what)
{
	static const char *const methods[] = {
		[MCP_CHANGED_TOOLS] = "notifications/tools/list_changed",
		[MCP_CHANGED_PROMPTS] = "notifications/prompts/list_changed",
		[MCP_CHANGED_RESOURCES] = "notifications/resources/list_changed",
		[MCP_CHANGED_RESOURCE] = "notifications/resources/updated",
	};

	return methods[what];
}

void listeners_tell(struct listeners *all, enum mcp_change what, const char *uri)
{
	_cleanup_strbuf_ struct strbuf members = STRBUF_INIT;
	struct listener *l;

	if (what == MCP_CHANGED_RESOURCE && uri) {
		strbuf_add_string(&members, ",\"uri\":");
		strbuf_add_json_string(&members, uri, strlen(uri));
	}
	(void)pthread_mutex_lock(&all->lock);
	LIST_FOREACH(l, &all->head, entry)
	{
		if (wants(l, what, uri))
			(void)send_notification(l, listeners_method(what), members.data);
	}
	(void)pthread_mutex_unlock(&all->lock);
}

void listeners_tell_task(struct listeners *all, const char *principal, const char *client,
			 const char *task, const json_t *params)
{
	_cleanup_strbuf_ struct strbuf members = STRBUF_INIT;
	struct error ignored = ERROR_INIT;
	struct listener *l;

	/* {"taskId":...} without its first brace, behind the others. */
	strbuf_add_char(&members, ',');
	if (!json_write(&members, params, &ignored) || members.length < 4)
		return;
	members.data[1] = ' ';
	strbuf_truncate(&members, members.length - 1);
	(void)pthread_mutex_lock(&all->lock);
	LIST_FOREACH(l, &all->head, entry)
	{
		if (strcmp(l->principal, principal) == 0 &&
		    strcmp(l->client, client) == 0 && wants_uri(l->filter.tasks, task))
			(void)send_notification(l, "notifications/tasks", members.data);
	}
	(void)pthread_mutex_unlock(&all->lock);
}

/* ---- Beginning and ending ---- */

static struct listener *listener_new(struct listeners *all, const struct mcp_identity *me,
				     const json_t *id, const char *principal,
				     const char *client, struct listen_filter *filter)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, result = STRBUF_INIT;
	struct listener *l = calloc(1, sizeof *l);

	if (!l)
		return NULL;
	l->all = all;
	l->refs = 2;
	(void)snprintf(l->principal, sizeof l->principal, "%s", principal);
	(void)snprintf(l->client, sizeof l->client, "%s", client);
	l->filter = *filter;
	*filter = (struct listen_filter){ 0 };
	jsonrpc_write_id(&text, id);
	strbuf_add_format(&result,
			  "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"resultType\":"
			  "\"complete\",\"_meta\":{%s,\"" META_SUBSCRIPTION "\":%s}}}",
			  text.data, me->server_info, text.data);
	l->id = strbuf_take(&text);
	l->result = strbuf_take(&result);
	if (l->id && l->result)
		return l;
	listener_free(l);
	return NULL;
}

static bool has_room(struct listeners *all, const char *client, size_t max,
		     struct error *err)
{
	const struct listener *l;
	size_t count = 0;

	if (all->is_closing)
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 "the server is about to stop");
	LIST_FOREACH(l, &all->head, entry)
	{
		count += strcmp(l->client, client) == 0;
	}
	return count < max || error_set(err, ERR_RATE_LIMITED,
					"this client has %zu open streams already", max);
}

/* The stream is there: its first message, and then whatever comes. */
static void enter(struct listener *l)
{
	struct listeners *all = l->all;

	(void)pthread_mutex_lock(&all->lock);
	if (!acknowledge(l) || l->is_closed || all->is_closing ||
	    listen_filter_is_empty(&l->filter)) {
		end(l);
		unref(l, 1);
	} else {
		l->is_listed = true;
		LIST_INSERT_HEAD(&all->head, l, entry);
	}
	(void)pthread_mutex_unlock(&all->lock);
}

bool listeners_begin(struct listeners *all, const struct mcp_identity *me,
		     struct http_request *http, const json_t *id, const char *principal,
		     const char *client, size_t max, struct listen_filter *filter,
		     struct error *err)
{
	struct listener *l;

	(void)pthread_mutex_lock(&all->lock);
	bool good = has_room(all, client, max, err);
	(void)pthread_mutex_unlock(&all->lock);
	l = good ? listener_new(all, me, id, principal, client, filter) : NULL;
	listen_filter_done(filter);
	if (!l)
		return error_is_set(err) ? false : error_oom(err);
	l->stream = http_reply_stream(http, 200, "text/event-stream", NULL, on_closed, l);
	if (l->stream)
		enter(l);
	else
		listener_free(l); /* it was answered otherwise */
	return true;
}

void listeners_close(struct listeners *all)
{
	struct listener *l;

	(void)pthread_mutex_lock(&all->lock);
	all->is_closing = true;
	while ((l = LIST_FIRST(&all->head))) {
		end(l);
		unref(l, unlist(l));
	}
	(void)pthread_mutex_unlock(&all->lock);
}
