#include "mcp/client/client_listen.h"

#include "base/clock.h"
#include "mcp/client/client_private.h"

enum {
	SILENCE_MS = 5 * 60 * 1000, /* after which a stream counts as dead */
	PAUSE_MS = 1000,
	PAUSE_MAX_MS = 60 * 1000,
	STEP_MS = 20,
	URI_MAX = 4096,
};

/* As servers name them: in the filter, and when they change. */
static const struct {
	const char *filter, *method;
} kinds[] = {
	[MCP_CLIENT_TOOLS] = { "toolsListChanged", "notifications/tools/list_changed" },
	[MCP_CLIENT_PROMPTS] = { "promptsListChanged",
				 "notifications/prompts/list_changed" },
	[MCP_CLIENT_RESOURCES] = { "resourcesListChanged",
				   "notifications/resources/list_changed" },
	[MCP_CLIENT_RESOURCE] = { "resourceSubscriptions",
				  "notifications/resources/updated" },
};

struct mcp_client_listener {
	struct mcp_client *c;
	struct mcp_client_listen what; /* its 'uris' are not used */
	json_t *filter;                /* what is asked for */
	pthread_t thread;
	atomic_bool stop;
	/* Of the thread alone. */
	json_t *honoured; /* by the stream that is open; NULL: none is */
	bool was_open;
	unsigned failures; /* in a row */
};

/* ---- What is heard ---- */

static void tell(struct mcp_client_listener *l, enum mcp_client_change what,
		 const char *uri)
{
	client_cache_drop(l->c, kinds[what].method);
	if (!atomic_load(&l->stop))
		l->what.changed(l->what.context, what, uri);
}

/* Whatever it was that happened while nobody listened. */
static void tell_all(struct mcp_client_listener *l)
{
	const json_t *uris, *one;
	size_t i;

	for (i = 0; i < MCP_CLIENT_RESOURCE; i++)
		if (json_is_true(json_object_get(l->honoured, kinds[i].filter)))
			tell(l, (enum mcp_client_change)i, NULL);
	uris = json_object_get(l->filter, kinds[MCP_CLIENT_RESOURCE].filter);
	if (!json_object_get(l->honoured, kinds[MCP_CLIENT_RESOURCE].filter))
		return;
	json_array_foreach(uris, i, one)
	{
		tell(l, MCP_CLIENT_RESOURCE, json_string_value(one));
	}
}

static void take_acknowledgement(struct mcp_client_listener *l, const json_t *params)
{
	l->honoured = json_incref(json_object_get(params, "notifications"));
	if (!l->honoured)
		return;
	l->failures = 0;
	if (l->was_open)
		tell_all(l);
	l->was_open = true;
}

static void take_change(struct mcp_client_listener *l, const struct jsonrpc_message *m)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const char *uri = i == MCP_CLIENT_RESOURCE
					  ? json_get_string(m->params, "uri")
					  : NULL;

		/* Only what was asked for. */
		if (strcmp(m->method, kinds[i].method) == 0 &&
		    json_object_get(l->filter, kinds[i].filter) &&
		    (uri || i != MCP_CLIENT_RESOURCE))
			tell(l, (enum mcp_client_change)i, uri);
	}
}

static void hear(void *context, const struct jsonrpc_message *m, long long id)
{
	struct mcp_client_listener *l = context;
	const json_t *mark =
		json_object_get(json_object_get(m->params, "_meta"), META_SUBSCRIPTION);

	if (!json_is_integer(mark) || json_integer_value(mark) != id)
		return;
	if (strcmp(m->method, "notifications/subscriptions/acknowledged") == 0) {
		if (!l->honoured)
			take_acknowledgement(l, m->params);
	} else if (l->honoured) {
		take_change(l, m);
	}
}

/* ---- The thread ---- */

/* One stream, to its end. */
static bool listen_once(struct mcp_client_listener *l, struct error *err)
{
	_cleanup_request_ struct client_request r =
		CLIENT_REQUEST_INIT("subscriptions/listen");

	/* Long enough, and time can be added to it. */
	r.until_ms = INT64_MAX / 2;
	r.idle_ms = l->c->stdio ? 0 : SILENCE_MS; /* a pipe does not die in silence */
	r.cancel = &l->stop;
	r.heard = hear;
	r.heard_context = l;
	strbuf_add_string(&r.params, ",\"notifications\":");
	if (!json_write(&r.params, l->filter, err))
		return false;
	if (client_connect(l->c, &r, err) == MCP_ERA_LEGACY)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the server is of an older revision, and tells unasked");
	if (error_is_set(err))
		return false;
	json_auto_t *result = client_send(l->c, &r, err);
	return result != NULL;
}

/* Whether there is any use in another stream. */
static bool goes_on(struct mcp_client_listener *l, bool good, struct error *err)
{
	if (l->honoured && json_object_size(l->honoured) > 0)
		return true;
	if (good)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the server has nothing to tell of that");
	return !l->honoured &&
	       (err->code == ERR_BACKEND_UNAVAILABLE || err->code == ERR_TIMEOUT ||
		err->code == ERR_UNKNOWN_OUTCOME);
}

/* With some chance in it, so that not all clients of a server come back at once. */
static void rest(struct mcp_client_listener *l)
{
	int64_t pause_ms = PAUSE_MS << (l->failures < 6 ? l->failures : 6);
	uint8_t chance;

	digest_random(&chance, sizeof chance);
	pause_ms = (pause_ms < PAUSE_MAX_MS ? pause_ms : PAUSE_MAX_MS) * (192 + chance) /
		   320;
	l->failures++;
	for (int64_t until_ms = clock_mono_ms() + pause_ms;
	     clock_mono_ms() < until_ms && !atomic_load(&l->stop);)
		(void)usleep(STEP_MS * 1000);
}

static void *run(void *context)
{
	struct mcp_client_listener *l = context;
	struct error why = ERROR_INIT;

	for (;;) {
		bool good, more;

		error_clear(&why);
		good = listen_once(l, &why);
		more = goes_on(l, good, &why);
		json_decref(l->honoured);
		l->honoured = NULL;
		if (!more || atomic_load(&l->stop))
			break;
		rest(l);
	}
	if (!atomic_load(&l->stop) && l->what.ended)
		l->what.ended(l->what.context, &why);
	return NULL;
}

/* ---- Life ---- */

static json_t *make_filter(const struct mcp_client_listen *what)
{
	const bool wanted[] = { what->tools, what->prompts, what->resources };
	json_auto_t *filter = json_object();
	json_auto_t *uris = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		if (wanted[i] &&
		    json_object_set_new(filter, kinds[i].filter, json_true()) != 0)
			return NULL;
	for (const char *const *uri = what->uris; uri && *uri; uri++)
		if (strlen(*uri) > URI_MAX ||
		    json_array_append_new(uris, json_string(*uri)) != 0)
			return NULL;
	if (json_array_size(uris) > MCP_CLIENT_LISTEN_URIS_MAX ||
	    (json_array_size(uris) > 0 &&
	     json_object_set(filter, kinds[MCP_CLIENT_RESOURCE].filter, uris) != 0))
		return NULL;
	return json_object_size(filter) > 0 ? TAKE(filter) : NULL;
}

static void listener_free(struct mcp_client_listener *l)
{
	json_decref(l->filter);
	free(l);
}

struct mcp_client_listener *mcp_client_listen(struct mcp_client *c,
					      const struct mcp_client_listen *what,
					      struct error *err)
{
	struct mcp_client_listener *l;

	if (c->is_plain || !what->changed) {
		error_set(err, ERR_INVALID_ARGUMENT, "this client cannot listen");
		return NULL;
	}
	l = calloc(1, sizeof *l);
	if (!l) {
		error_oom(err);
		return NULL;
	}
	l->c = c;
	l->what = *what;
	l->was_open = what->again;
	l->filter = make_filter(what);
	if (!l->filter)
		error_set(err, ERR_INVALID_ARGUMENT,
			  "there is nothing, or too much, to listen to");
	else if (pthread_create(&l->thread, NULL, run, l) != 0)
		error_set(err, ERR_INTERNAL, "cannot begin a thread");
	if (error_is_set(err)) {
		listener_free(l);
		return NULL;
	}
	return l;
}

void mcp_client_unlisten(struct mcp_client_listener *l)
{
	if (!l)
		return;
	atomic_store(&l->stop, true);
	(void)pthread_join(l->thread, NULL);
	listener_free(l);
}
