#include "gate/caller_listen.h"

#include <stdatomic.h>

#include "gate/messages.h"
#include "mcp/client/client_listen.h"

enum { TELL_MS = 1000 };

/* A server may say it as often as it likes: it is told on once a second, in the words of
 * the configuration. */
struct listening {
	const char *server;
	const char *uris[MCP_CLIENT_LISTEN_URIS_MAX + 1];
	atomic_bool changed[MCP_CLIENT_LISTEN_URIS_MAX];
	caller_heard *heard;
	void *context;
};

/* In the listener's thread. 'uri' is a stranger's word: what was asked for, or below it. */
static void on_changed(void *context, enum mcp_client_change what, const char *uri)
{
	struct listening *l = context;

	for (size_t i = 0; what == MCP_CLIENT_RESOURCE && uri && l->uris[i]; i++)
		if (strncmp(uri, l->uris[i], strlen(l->uris[i])) == 0)
			atomic_store(&l->changed[i], true);
}

/* In the loop. */
static void on_tick(void *context)
{
	struct listening *l = context;

	for (size_t i = 0; l->uris[i]; i++) {
		json_auto_t *message = NULL;

		if (!atomic_exchange(&l->changed[i], false))
			continue;
		message = json_pack("{s:s, s:s, s:s}", "m", message_name(MSG_CHANGED),
				    "server", l->server, "uri", l->uris[i]);
		if (message)
			l->heard(l->context, message);
	}
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
	struct mcp_client_listen what = { .changed = on_changed, .ended = on_ended };
	struct mcp_client *client = NULL;
	struct loop_source *timer = NULL;
	struct listening *l = calloc(1, sizeof *l);

	if (!l)
		return error_oom(err);
	l->server = server;
	l->heard = how->heard;
	l->context = how->context;
	if (!s->slack.is_on || find_uris(s, server, l->uris) == 0) {
		free(l);
		return true;
	}
	what.uris = l->uris;
	what.context = l;
	client = open_client(how, err);
	timer = client ? loop_add_timer(how->loop, TELL_MS, true, on_tick, l, err) : NULL;
	if (timer && mcp_client_listen(client, &what, err))
		return true; /* all of it ends with the process */
	loop_remove(timer);
	mcp_client_free(client);
	free(l);
	return false;
}
