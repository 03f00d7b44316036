#include "base/clock.h"
#include "mcp/client/client_private.h"
#include "mcp/tasks.h"

void mcp_client_free(struct mcp_client *c)
{
	if (!c)
		return;
	client_legacy_close(c);
	client_inbound_stop(c->inbound);
	client_stdio_free(c->stdio);
	client_mail_free(c->mail);
	client_tools_free(c->tools);
	client_cache_free(c->cache);
	client_oauth_free(c->oauth);
	json_decref(c->about);
	(void)pthread_mutex_destroy(&c->opening);
	(void)pthread_mutex_destroy(&c->lock);
	free(c->endpoint);
	free(c->url);
	free(c->name);
	free(c->capabilities);
	free(c->envelope);
	free(c->log_level);
	free(c);
}

static char *make_capabilities(const struct mcp_client_hooks *h, bool takes_tasks)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	const char *comma = "";

	strbuf_add_char(&sb, '{');
	if (h->elicit_form || h->elicit_url) {
		strbuf_add_format(&sb, "\"elicitation\":{%s%s%s}",
				  h->elicit_form ? "\"form\":{}" : "",
				  h->elicit_form && h->elicit_url ? "," : "",
				  h->elicit_url ? "\"url\":{}" : "");
		comma = ",";
	}
	if (h->sample) {
		strbuf_add_format(&sb, "%s\"sampling\":{}", comma);
		comma = ",";
	}
	if (h->roots) {
		strbuf_add_format(&sb, "%s\"roots\":{}", comma);
		comma = ",";
	}
	if (takes_tasks)
		strbuf_add_format(&sb, "%s\"extensions\":{\"" TASKS_EXTENSION "\":{}}",
				  comma);
	strbuf_add_char(&sb, '}');
	return strbuf_take(&sb);
}

static char *make_envelope(const char *name, const char *capabilities)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	strbuf_add_string(&sb, "\"" META_PROTOCOL_VERSION "\":\"" REVISION_2026
			       "\",\"" META_CLIENT_CAPABILITIES "\":");
	strbuf_add_string(&sb, capabilities);
	strbuf_add_string(&sb, ",\"" META_CLIENT_INFO "\":{\"name\":");
	strbuf_add_json_string(&sb, name, strlen(name));
	strbuf_add_string(&sb, ",\"version\":\"" WINGMAN_VERSION "\"}");
	return strbuf_take(&sb);
}

static bool check(const struct mcp_client_options *o, struct error *err)
{
	if (!o->name)
		return error_set(err, ERR_INVALID_ARGUMENT, "a client has a name");
	if (o->oauth && (o->token || o->argv))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a client has one token, or gets its tokens, over HTTP");
	if (o->argv)
		return (o->argv[0] && !o->url) ||
		       error_set(err, ERR_INVALID_ARGUMENT,
				 "a server has a URL or is a program");
	if (!o->url || !*o->url || strlen(o->url) > CLIENT_URL_MAX || !o->http)
		return error_set(err, ERR_INVALID_ARGUMENT, "no URL of an MCP server");
	if (o->legacy_version && strlen(o->legacy_version) >= CLIENT_VERSION_BYTES)
		return error_set(err, ERR_INVALID_ARGUMENT, "no revision of MCP");
	return true;
}

static bool copy_texts(struct mcp_client *c, const struct mcp_client_options *o)
{
	if ((o->url && !(c->url = strdup(o->url))) || !(c->name = strdup(o->name)) ||
	    (o->log_level && !(c->log_level = strdup(o->log_level))))
		return false;
	/* The handshake knows no extensions. */
	_cleanup_free_ char *modern = make_capabilities(&o->hooks, o->takes_tasks);
	c->capabilities = make_capabilities(&o->hooks, false);
	c->envelope = modern ? make_envelope(o->name, modern) : NULL;
	return c->capabilities && c->envelope;
}

struct mcp_client *mcp_client_open(const struct mcp_client_options *o, struct error *err)
{
	_cleanup_(mcp_client_freep) struct mcp_client *c = NULL;

	if (!check(o, err))
		return NULL;
	c = calloc(1, sizeof *c);
	if (!c) {
		error_oom(err);
		return NULL;
	}
	(void)pthread_mutex_init(&c->opening, NULL);
	(void)pthread_mutex_init(&c->lock, NULL);
	(void)snprintf(c->legacy_version, sizeof c->legacy_version, "%s",
		       o->legacy_version ? o->legacy_version : "2025-11-25");
	c->token = o->token;
	c->http = o->http;
	c->hooks = o->hooks;
	c->era = o->era;
	c->era_at_ms = clock_wall_ms();
	c->is_forced = o->era != MCP_ERA_UNKNOWN;
	c->wants_get = !o->no_get_stream;
	c->takes_tasks = o->takes_tasks;
	c->probe_timeout_ms = o->probe_timeout_ms;
	if (!copy_texts(c, o)) {
		error_oom(err);
		return NULL;
	}
	if (o->oauth &&
	    !(c->oauth = client_oauth_new(o->oauth, o->url, o->name, o->http, err)))
		return NULL;
	c->cache = client_cache_new();
	if (!c->cache) {
		error_oom(err);
		return NULL;
	}
	c->mail = client_mail_new(c, err);
	if (!c->mail)
		return NULL;
	if (o->argv && !(c->stdio = client_stdio_new(c, o->argv, o->env, err)))
		return NULL;
	return TAKE(c);
}

struct mcp_client *mcp_client_new(const char *url, const struct secret *token,
				  struct http_client *http, const char *client_name,
				  struct error *err)
{
	const struct mcp_client_options options = { .url = url,
						    .token = token,
						    .http = http,
						    .name = client_name,
						    .era = MCP_ERA_MODERN };
	struct mcp_client *c = mcp_client_open(&options, err);

	if (c) {
		c->is_plain = true;
		client_cache_free(TAKE(c->cache));
	}
	return c;
}
