#include "mcp/service.h"
#include "mcp/serving.h"

#include "base/file.h"

enum {
	STATE_KEY_BYTES = 32,
	REFUSALS_BURST = 20,
	REFUSALS_PER_MINUTE = 30,
	PLANS_BURST = 20,
};

const struct server_config *mcp_service_config(const struct mcp_service *s)
{
	return &s->config;
}

uint16_t mcp_service_port(const struct mcp_service *s)
{
	return httpd_port(s->httpd);
}

/* ---- Prepare: no threads ---- */

static bool read_config(struct mcp_service *s, struct error *err)
{
	_cleanup_free_ char *path =
		statedir_path(s->dir, "config/%s.yaml", s->server->name);

	return path ? server_config_read(&s->config, s->server->name, path, err)
		    : error_oom(err);
}

/* A freed name that is none is the configuration's fault, all else ours. */
static bool blame(const struct mcp_service *s, const struct error *why, struct error *err)
{
	const char *member = strncmp(why->message, "freed_resources", 15) == 0
				     ? "/freed_resources"
			     : strncmp(why->message, "freed_prompts", 13) == 0
				     ? "/freed_prompts"
				     : "/freed_reads";

	if (why->code != ERR_INVALID_ARGUMENT)
		return error_set(err, why->code, "%s", why->message);
	return error_set(err, why->code, "%s:%d: %s", config_name(s->config.file),
			 config_line(s->config.file, member), why->message);
}

static bool build_tables(struct mcp_service *s, struct error *err)
{
	const struct mcp_server *server = s->server;
	const struct server_config *config = &s->config;
	const struct catalog_rows rows = {
		.resources = server->resources,
		.resource_count = server->resource_count,
		.prompts = server->prompts,
		.prompt_count = server->prompt_count,
		.freed_resources = config->freed_resources,
		.freed_prompts = config->freed_prompts,
		.page_size = (size_t)config->page_size,
	};
	struct error why = ERROR_INIT;

	if (!tool_table_build(&s->tools, server->name, server->tools, server->tool_count,
			      config->freed_reads, &why) ||
	    !tool_table_refuse_emergency(&s->tools, config->refuse_emergency, &why) ||
	    !catalog_build(&s->catalog, server->name, &rows, &why))
		return blame(s, &why, err);
	static const struct {
		unsigned change, feature;
	} changes[] = {
		{ MCP_TOOLS_MAY_CHANGE, MCP_HAS_TOOL_CHANGES },
		{ MCP_PROMPTS_MAY_CHANGE, MCP_HAS_PROMPT_CHANGES },
		{ MCP_RESOURCES_MAY_CHANGE, MCP_HAS_RESOURCE_CHANGES },
		{ MCP_CONTENTS_MAY_CHANGE, MCP_HAS_SUBSCRIPTIONS },
	};

	s->features = (s->catalog.resource_count ? MCP_HAS_RESOURCES : 0U) |
		      (s->catalog.prompt_count ? MCP_HAS_PROMPTS : 0U) |
		      (s->catalog.has_completion ? MCP_HAS_COMPLETION : 0U) |
		      (server->logs ? MCP_HAS_LOGGING : 0U) |
		      (server->tasks || config->gate_url ? MCP_HAS_TASKS : 0U);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
		if (server->changes & changes[i].change)
			s->features |= changes[i].feature | MCP_HAS_CHANGES;
	if (s->features & MCP_HAS_TASKS)
		s->features |= MCP_HAS_CHANGES; /* of tasks */
	return true;
}

static bool make_replies(struct mcp_service *s, struct error *err)
{
	json_auto_t *list = tool_table_list(&s->tools);

	if (!mcp_identity_read(&s->identity, s->server->name, err))
		return false;
	s->discover_members = revision_2026_discover(&s->identity, s->features);
	return (list && s->discover_members)
		       ? listing_make(&s->tool_pages, "tools", list,
				      (size_t)s->config.page_size, err)
		       : error_oom(err);
}

/* Scopes for a tool that is not there would guard nothing. */
static bool make_oauth(struct mcp_service *s, struct error *err)
{
	const struct server_config *c = &s->config;
	const char *tool;
	json_t *scopes;

	if (!c->oauth.resource)
		return true;
	json_object_foreach(c->oauth.tool_scopes, tool, scopes)
	{
		if (!tool_table_find(&s->tools, tool))
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "%s:%d: oauth/tool_scopes names '%.64s', which "
					 "is no tool of this server",
					 config_name(c->file),
					 config_line(c->file, "/oauth/tool_scopes"),
					 tool);
	}
	s->oauth = oauth_new(&c->oauth, s->server->name, err);
	if (!s->oauth || !c->oauth.ca_file)
		return s->oauth != NULL;
	_cleanup_free_ char *ca = statedir_file(s->dir, c->oauth.ca_file);
	return ca ? oauth_trust(s->oauth, ca, err) : error_oom(err);
}

/* Towards the issuers, whose threads are started here: behind the sandbox. */
static bool start_oauth(struct mcp_service *s, struct error *err)
{
	char agent[96];

	(void)snprintf(agent, sizeof agent, "wingman-%s/%s", s->server->name,
		       WINGMAN_VERSION);
	return !s->oauth || oauth_start(s->oauth, agent, err);
}

/* <server>/state.key, made at the first start. */
static bool read_state_key(struct mcp_service *s, struct error *err)
{
	_cleanup_free_ char *folder = statedir_path(s->dir, "%s", s->server->name);
	_cleanup_free_ char *path =
		statedir_path(s->dir, "%s/state.key", s->server->name);

	if (!folder || !path)
		return error_oom(err);
	if (!file_make_dir(folder, 0700, err))
		return false;
	s->state_key = file_exists(path) ? secret_read(path, false, err)
					 : secret_create(path, STATE_KEY_BYTES, err);
	if (s->state_key && secret_length(s->state_key) != STATE_KEY_BYTES)
		return error_set(err, ERR_INTERNAL, "%s: a key has %d bytes", path,
				 STATE_KEY_BYTES);
	return s->state_key != NULL;
}

static bool read_gate_token(struct mcp_service *s, struct error *err)
{
	const char *file = s->config.gate_token_file;
	_cleanup_free_ char *path =
		file ? statedir_file(s->dir, file)
		     : statedir_path(s->dir, "tokens/%s.token", s->server->name);

	if (!s->config.gate_url)
		return true;
	if (!path)
		return error_oom(err);
	/* What calls the gate, too: both are out of reach later. */
	s->gate_token = http_client_load(err) ? secret_read(path, true, err) : NULL;
	return s->gate_token != NULL;
}

/* Before the sandbox closes: afterwards the key is out of reach. */
static bool read_tls(struct mcp_service *s, struct error *err)
{
	const struct server_config *c = &s->config;

	if (!c->tls_certificate)
		return true;
	_cleanup_free_ char *cert = statedir_file(s->dir, c->tls_certificate);
	_cleanup_free_ char *key = statedir_file(s->dir, c->tls_key);
	_cleanup_free_ char *ca =
		c->tls_client_ca ? statedir_file(s->dir, c->tls_client_ca) : NULL;
	if (!cert || !key || (c->tls_client_ca && !ca))
		return error_oom(err);
	s->tls = httpd_tls_read(cert, key, ca, err);
	return s->tls != NULL;
}

static bool open_shared(struct mcp_service *s, struct error *err)
{
	_cleanup_free_ char *trusted = statedir_path(s->dir, "keys/trusted");
	_cleanup_free_ char *tokens = statedir_path(s->dir, "callers/index.json");

	if (!trusted || !tokens)
		return error_oom(err);
	s->keys = keyring_open(trusted, err);
	s->tokens = s->keys ? token_index_open(tokens, err) : NULL;
	return s->tokens != NULL;
}

static bool open_backend(struct mcp_service *s, struct error *err)
{
	if (!s->server->open)
		return true;
	s->context = s->server->open(s->dir, s->config.backend, err);
	s->is_open = s->context != NULL;
	return s->is_open || error_set(err, ERR_INTERNAL, "the backend cannot be opened");
}

struct mcp_service *mcp_service_prepare(const struct mcp_server *server,
					const struct statedir *dir, struct error *err)
{
	_cleanup_(mcp_service_freep) struct mcp_service *s = calloc(1, sizeof *s);

	if (!s) {
		error_oom(err);
		return NULL;
	}
	s->server = server;
	s->dir = dir;
	callers_init(&s->callers);
	readiness_init(&s->readiness);
	free_reads_init(&s->free_reads);
	joining_init(&s->joining);
	s->listeners = listeners_new();
	s->sessions = sessions_new();
	if (!s->listeners || !s->sessions) {
		error_oom(err);
		return NULL;
	}
	if (!read_config(s, err) || !build_tables(s, err) || !make_oauth(s, err) ||
	    !make_replies(s, err) || !read_state_key(s, err) ||
	    !read_gate_token(s, err) || !read_tls(s, err) || !open_shared(s, err) ||
	    !coord_config_read(&s->config.store, s->dir, &s->store_access, err) ||
	    !open_backend(s, err))
		return NULL;
	/* Already here, so that the sandbox can keep this process from every other log. */
	s->audit = audit_open(dir, server->name, err);
	if (!s->audit)
		return NULL;
	return TAKE(s);
}

/* ---- Without a token ---- */

static bool is_loopback(const char *address)
{
	return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

bool mcp_service_admit(struct mcp_service *s, const char *principal, struct error *err)
{
	struct caller *c = &s->admitted;

	if (s->oauth || !is_loopback(s->config.address))
		return error_set(
			err, ERR_INVALID_ARGUMENT,
			"callers without a token are admitted on loopback alone, "
			"and not beside issuers");
	if (!*principal || strlen(principal) >= sizeof c->principal)
		return error_set(err, ERR_INVALID_ARGUMENT, "no name for a principal");
	(void)snprintf(c->principal, sizeof c->principal, "%s", principal);
	(void)snprintf(c->client, sizeof c->client, "everybody");
	(void)snprintf(c->scopes, sizeof c->scopes, " %s:read ", s->server->name);
	return true;
}

/* ---- Start ---- */

static bool start_limiters(struct mcp_service *s, struct error *err)
{
	s->plan_limiter = limiter_new(PLANS_BURST, (unsigned)s->config.plans_per_minute);
	s->refusal_limiter = limiter_new(REFUSALS_BURST, REFUSALS_PER_MINUTE);
	return (s->plan_limiter && s->refusal_limiter) || error_oom(err);
}

static bool start_gate_client(struct mcp_service *s, struct error *err)
{
	char agent[96];

	if (!s->config.gate_url)
		return true;
	(void)snprintf(agent, sizeof agent, "wingman-%s/%s", s->server->name,
		       WINGMAN_VERSION);
	s->http = http_client_new(agent, err);
	return s->http != NULL;
}

static bool start_store(struct mcp_service *s, struct error *err)
{
	_cleanup_free_ char *path =
		statedir_path(s->dir, "%s/coordination.db", s->server->name);

	if (!path)
		return error_oom(err);
	s->store = coord_config_open(&s->config.store, &s->store_access, s->server->name,
				     s->config.instance, path, err);
	return s->store != NULL;
}

/* PROTOCOL 8: for pages of the origins that the configuration names. */
static const char *const cors_headers[] = {
	"Content-Type",         "Accept",        "Authorization",
	"MCP-Protocol-Version", "Mcp-Method",    "Mcp-Name",
	"Mcp-Session-Id",       "Last-Event-ID", NULL,
};
static const struct httpd_cors cors = {
	.methods = "GET, POST, DELETE",
	.headers = cors_headers,
	.prefix = "Mcp-Param-",
	.expose = "Mcp-Session-Id, WWW-Authenticate",
};

static bool start_listening(struct mcp_service *s, struct error *err)
{
	const struct httpd_config config = {
		.address = s->config.address,
		.port = (uint16_t)s->config.port,
		.body_max = (size_t)s->config.body_bytes,
		.allowed_hosts = s->config.hosts,
		.allowed_origins = s->config.origins,
		.tls = s->tls,
		.cors = &cors,
		.handler = dispatch_request,
		.context = s,
	};

	s->httpd = httpd_start(&config, err);
	httpd_tls_free(TAKE(s->tls)); /* its own copies are left */
	return s->httpd != NULL;
}

bool mcp_service_start(struct mcp_service *s, struct error *err)
{
	if (!start_limiters(s, err) || !start_gate_client(s, err) ||
	    !start_store(s, err) || !joining_start(s, err))
		return false;
	s->workers =
		workers_new((unsigned)s->config.workers, (unsigned)s->config.queue, err);
	s->tasks = s->workers ? tasks_new(s, err) : NULL;
	if (!s->tasks || !recover_started(s, err) || !start_oauth(s, err) ||
	    !tasks_start(s->tasks, err))
		return false;
	sessions_start(s->sessions);
	return start_listening(s, err) && ticker_start(s, err);
}

/* ---- Stop ---- */

void mcp_service_stop(struct mcp_service *s, int64_t patience_ms)
{
	if (atomic_exchange(&s->is_stopping, true))
		return;
	if (s->oauth)
		oauth_stop(s->oauth); /* who waits for keys is answered */
	ticker_wake(s);
	if (s->sessions)
		sessions_close(s->sessions); /* the standing ones last for ever */
	if (s->listeners)
		listeners_close(s->listeners);
	/* What still runs afterwards has lost its connection, but ends properly: a
	 * write is finished and recorded, reads and plans are told to give up. */
	if (s->httpd)
		httpd_stop(TAKE(s->httpd), patience_ms);
	if (s->tasks)
		tasks_stop(s->tasks);
	atomic_store(&s->is_cancelled, true);
	workers_free(TAKE(s->workers));
	ticker_end(s);
}

void mcp_service_free(struct mcp_service *s)
{
	if (!s)
		return;
	mcp_service_stop(s, 0);
	if (s->is_open && s->server->close)
		s->server->close(s->context);
	tasks_free(s->tasks);
	audit_close(s->audit);
	coord_close(s->store);
	coord_redis_access_free(s->store_access);
	http_client_free(s->http);
	limiter_free(s->plan_limiter);
	limiter_free(s->refusal_limiter);
	oauth_free(s->oauth);
	token_index_free(s->tokens);
	keyring_free(s->keys);
	secret_free(s->gate_token);
	httpd_tls_free(s->tls);
	secret_free(s->state_key);
	free(s->discover_members);
	listing_done(&s->tool_pages);
	catalog_done(&s->catalog);
	tool_table_done(&s->tools);
	mcp_identity_done(&s->identity);
	server_config_done(&s->config);
	listeners_free(s->listeners);
	callers_done(&s->callers);
	sessions_free(s->sessions);
	readiness_done(&s->readiness);
	free_reads_done(&s->free_reads);
	joining_done(&s->joining);
	free(s);
}
