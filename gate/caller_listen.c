#include "gate/caller_listen.h"

#include "gate/messages.h"
#include "mcp/client/client_listen.h"

enum { URI_MAX = 2048 };

struct listening {
	struct loop *loop;
	const char *server;
	caller_heard *heard;
	void *context;
};

struct word {
	const struct listening *of;
	json_t *message;
};

static void on_word(void *context)
{
	struct word *w = context;

	w->of->heard(w->of->context, w->message);
	json_decref(w->message);
	free(w);
}

/* In the listener's thread. What a server calls its resource is a stranger's word. */
static void on_changed(void *context, enum mcp_client_change what, const char *uri)
{
	const struct listening *l = context;
	struct word *w;

	if (what != MCP_CLIENT_RESOURCE || !uri || strlen(uri) > URI_MAX)
		return;
	w = calloc(1, sizeof *w);
	if (!w)
		return;
	w->of = l;
	w->message = json_pack("{s:s, s:s, s:s}", "m", message_name(MSG_CHANGED),
			       "server", l->server, "uri", uri);
	if (w->message && loop_wake(l->loop, on_word, w))
		return;
	json_decref(w->message);
	free(w);
}

static void on_ended(void *context, const struct error *why)
{
	const struct listening *l = context;

	log_info("caller.not_listening", LOG_STR("server", l->server),
		 LOG_STR("why", why->message));
}

static size_t find_uris(const struct settings *s, const char *server,
			const char *uris[static MCP_CLIENT_LISTEN_URIS_MAX + 1])
{
	size_t count = 0;

	for (size_t i = 0; i < s->context.count; i++) {
		const struct context_template *t = &s->context.templates[i];

		if (count < MCP_CLIENT_LISTEN_URIS_MAX &&
		    strcmp(t->server, server) == 0 && !strchr(t->uri, '{'))
			uris[count++] = t->uri;
	}
	return count;
}

/* Calls of the gate's own client are never repeated, and so it does not listen either. */
static struct mcp_client *open_client(const struct caller_listening *how,
				      struct error *err)
{
	const struct mcp_client_options options = {
		.url = how->server->url,
		.token = how->token,
		.http = how->http,
		.name = "wingman-gate",
		.era = MCP_ERA_MODERN,
	};

	return mcp_client_open(&options, err);
}

bool caller_listen(const struct caller_listening *how, struct error *err)
{
	const struct settings *s = how->settings;
	const char *server = how->server->name;
	const char *uris[MCP_CLIENT_LISTEN_URIS_MAX + 1] = { NULL };
	struct mcp_client_listen what = {
		.uris = uris,
		.changed = on_changed,
		.ended = on_ended,
	};
	struct mcp_client *client;
	struct listening *l;

	if (!s->slack.is_on || find_uris(s, server, uris) == 0)
		return true;
	client = open_client(how, err);
	l = client ? calloc(1, sizeof *l) : NULL;
	if (!l) {
		mcp_client_free(client);
		return error_is_set(err) ? false : error_oom(err);
	}
	*l = (struct listening){ how->loop, server, how->heard, how->context };
	what.context = l;
	if (mcp_client_listen(client, &what, err))
		return true; /* both end with the process */
	mcp_client_free(client);
	free(l);
	return false;
}
