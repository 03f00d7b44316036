#include "gate/caller_listen.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "gate/messages.h"
#include "mcp/client/client_listen.h"

enum {
	TICK_MS = 1000,
	URIS_MAX = MCP_CLIENT_LISTEN_URIS_MAX,
	AGAIN_MS = 5000, /* after a refusal, doubled each time ... */
	AGAIN_MAX_MS = 10 * 60 * 1000,
	DOUBLINGS_MAX = 7,
	RENEW_MS = 3000, /* between two streams, when more is to be heard */
};
_Static_assert(((int64_t)AGAIN_MS << DOUBLINGS_MAX) >= AGAIN_MAX_MS, "up to the most");

/*
 * A server may say it as often as it likes: it is told on once a second, in our words. While
 * a stream is open its thread reads 'uris'; they change while none is.
 */
struct caller_listener {
	struct caller_listening how;
	char *uris[URIS_MAX + 1];
	size_t count, fixed; /* the first ones are of the configuration */
	atomic_bool changed[URIS_MAX];
	struct mcp_client *client;
	struct mcp_client_listener *stream; /* NULL: none */
	struct loop_source *timer;
	atomic_bool has_ended, was_heard;
	bool was_open;
	unsigned refusals; /* in a row */
	int64_t next_ms;   /* mono: no other stream before */
	char *more[URIS_MAX];
	size_t more_count;
};

/* --- what is heard, in the stream's thread --- */

/* 'uri' is a stranger's word: what was asked for, or below it. */
static void on_changed(void *context, enum mcp_client_change what, const char *uri)
{
	struct caller_listener *l = context;

	atomic_store(&l->was_heard, true);
	for (size_t i = 0; what == MCP_CLIENT_RESOURCE && uri && l->uris[i]; i++)
		if (strncmp(uri, l->uris[i], strlen(l->uris[i])) == 0)
			atomic_store(&l->changed[i], true);
}

static void on_ended(void *context, const struct error *why)
{
	struct caller_listener *l = context;

	log_info("caller.not_listening", LOG_STR("server", l->how.server->name),
		 LOG_STR("why", why->message));
	atomic_store(&l->has_ended, true);
}

/* --- in the loop --- */

static void tell(struct caller_listener *l)
{
	for (size_t i = 0; i < l->count; i++) {
		json_auto_t *message = NULL;

		if (!atomic_exchange(&l->changed[i], false))
			continue;
		message = json_pack("{s:s, s:s, s:s}", "m", message_name(MSG_CHANGED),
				    "server", l->how.server->name, "uri", l->uris[i]);
		if (message)
			l->how.heard(l->how.context, message);
	}
}

static void end_stream(struct caller_listener *l)
{
	mcp_client_unlisten(l->stream);
	l->stream = NULL;
	tell(l);
}

/* It told nothing, or nothing any more. */
static void note_refusal(struct caller_listener *l)
{
	const unsigned before = l->refusals < DOUBLINGS_MAX ? l->refusals : DOUBLINGS_MAX;
	const int64_t pause_ms = (int64_t)AGAIN_MS << before;

	l->refusals++;
	l->next_ms = clock_mono_ms() +
		     (pause_ms < AGAIN_MAX_MS ? pause_ms : AGAIN_MAX_MS);
}

static void drop_oldest(struct caller_listener *l)
{
	free(l->uris[l->fixed]);
	memmove(&l->uris[l->fixed], &l->uris[l->fixed + 1],
		(l->count - l->fixed) * sizeof *l->uris);
	l->count--;
}

/* While no stream is open. */
static void take_more(struct caller_listener *l)
{
	for (size_t i = 0; i < l->more_count; i++) {
		if (l->count == URIS_MAX && l->fixed < URIS_MAX)
			drop_oldest(l);
		if (l->count < URIS_MAX)
			l->uris[l->count++] = l->more[i];
		else
			free(l->more[i]);
	}
	l->more_count = 0;
	l->uris[l->count] = NULL;
}

static void begin_stream(struct caller_listener *l)
{
	struct error err = ERROR_INIT;
	const struct mcp_client_listen what = {
		.uris = (const char *const *)l->uris,
		.again = l->was_open,
		.context = l,
		.changed = on_changed,
		.ended = on_ended,
	};

	atomic_store(&l->has_ended, false);
	atomic_store(&l->was_heard, false);
	l->stream = mcp_client_listen(l->client, &what, &err);
	l->was_open = true;
	l->next_ms = clock_mono_ms() + RENEW_MS;
	if (l->stream)
		return;
	log_failure("caller.not_listening", &err);
	note_refusal(l);
}

static void on_tick(void *context)
{
	struct caller_listener *l = context;

	tell(l);
	if (atomic_load(&l->was_heard))
		l->refusals = 0;
	if (l->stream && atomic_load(&l->has_ended)) {
		end_stream(l);
		note_refusal(l);
	}
	if (clock_mono_ms() < l->next_ms || (l->stream && l->more_count == 0))
		return;
	end_stream(l);
	take_more(l);
	begin_stream(l);
}

/* --- what is to be heard --- */

static bool find_uris(struct caller_listener *l, struct error *err)
{
	const struct settings *s = l->how.settings;

	for (size_t i = 0; i < s->context.count; i++) {
		const struct context_template *t = &s->context.templates[i];

		if (l->count == URIS_MAX || strcmp(t->server, l->how.server->name) != 0 ||
		    strchr(t->uri, '{'))
			continue;
		l->uris[l->count] = strdup(t->uri);
		if (!l->uris[l->count])
			return error_oom(err);
		l->count++;
	}
	l->fixed = l->count;
	return true;
}

static bool is_known(const struct caller_listener *l, const char *uri)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->uris[i], uri) == 0)
			return true;
	for (size_t i = 0; i < l->more_count; i++)
		if (strcmp(l->more[i], uri) == 0)
			return true;
	return false;
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

/* Once there is something to hear. */
static bool begin(struct caller_listener *l, struct error *err)
{
	if (!l->client)
		l->client = open_client(&l->how, err);
	if (l->client && !l->timer)
		l->timer = loop_add_timer(l->how.loop, TICK_MS, true, on_tick, l, err);
	return l->timer != NULL;
}

void caller_listen_to(struct caller_listener *l, const char *uri)
{
	struct error err = ERROR_INIT;
	char *copy;

	if (!l->how.settings->slack.is_on || l->more_count == URIS_MAX ||
	    is_known(l, uri))
		return;
	copy = strdup(uri);
	if (!copy)
		return;
	l->more[l->more_count++] = copy;
	if (!begin(l, &err))
		log_failure("caller.not_listening", &err);
}

struct caller_listener *caller_listen(const struct caller_listening *how,
				      struct error *err)
{
	struct caller_listener *l = calloc(1, sizeof *l);

	if (!l) {
		error_oom(err);
		return NULL;
	}
	l->how = *how;
	if (!find_uris(l, err))
		return NULL; /* the process ends */
	if (how->settings->slack.is_on && l->count > 0 && !begin(l, err))
		log_failure("caller.not_listening", err);
	return l;
}
