#include "mcp/oauth/oauth.h"

#include "base/clock.h"
#include "mcp/oauth/oauth_cache.h"
#include "mcp/oauth/oauth_url.h"

#define WELL_KNOWN "oauth-protected-resource"

enum { SCOPES_MAX = 2 * OAUTH_NAMES_MAX + OAUTH_EXTRAS_MAX, RIGHT_BYTES = 48 };

struct issuer {
	struct jwt_rules rules;
	struct oauth_keys *keys;
};

struct oauth {
	const struct oauth_config *config;
	char read[RIGHT_BYTES], write[RIGHT_BYTES]; /* "<server>:read" ... */
	struct jwt_scope scopes[SCOPES_MAX];
	size_t scope_count;
	struct issuer issuers[OAUTH_ISSUERS_MAX];
	size_t issuer_count;
	struct http_tls *tls; /* until it starts; NULL: the system's authorities */
	struct http_client *http;
	struct oauth_cache *cache;
	char *metadata, *metadata_url;
	const char *metadata_path; /* of the URL */
};

/* ---- Making ---- */

static void add_scope(struct oauth *o, const char *name, const char *gives)
{
	o->scopes[o->scope_count++] = (struct jwt_scope){ name, gives };
}

static void make_scopes(struct oauth *o, const char *server)
{
	const struct oauth_config *c = o->config;

	(void)snprintf(o->read, sizeof o->read, "%s:read", server);
	(void)snprintf(o->write, sizeof o->write, "%s:write", server);
	for (size_t i = 0; i < c->read_count; i++)
		add_scope(o, c->read[i], o->read);
	for (size_t i = 0; i < c->write_count; i++)
		add_scope(o, c->write[i], o->write);
	if (c->read_count == 0)
		add_scope(o, o->read, o->read);
	if (c->write_count == 0)
		add_scope(o, o->write, o->write);
	for (size_t i = 0; i < c->extra_count; i++)
		add_scope(o, c->extras[i], c->extras[i]);
}

static bool add_issuer(struct oauth *o, const struct oauth_issuer_config *from,
		       struct error *err)
{
	const struct oauth_keys_config keys = {
		.issuer = from->issuer,
		.jwks_uri = from->jwks_uri,
		.max_age_ms = o->config->max_age_ms,
		.max_stale_ms = o->config->max_stale_ms,
		.refetch_ms = o->config->refetch_ms,
	};
	struct issuer *i = &o->issuers[o->issuer_count];

	i->rules = (struct jwt_rules){
		.issuer = from->issuer,
		.audience = from->audience ? from->audience : o->config->resource,
		.algs = from->algs,
		.principal_claim = from->principal_claim,
		.client_claim = from->client_claim,
		.scopes = o->scopes,
		.scope_count = o->scope_count,
	};
	i->keys = oauth_keys_new(&keys, err);
	o->issuer_count += i->keys != NULL;
	return i->keys != NULL;
}

/* The names that a client may ask an issuer for: the first of each right. */
static json_t *scopes_supported(const struct oauth *o)
{
	const struct oauth_config *c = o->config;
	json_t *list = json_pack("[s, s]", c->read_count ? c->read[0] : o->read,
				 c->write_count ? c->write[0] : o->write);

	for (size_t i = 0; list && i < c->extra_count; i++)
		(void)json_array_append_new(list, json_string(c->extras[i]));
	return list;
}

static bool make_metadata(struct oauth *o, struct error *err)
{
	const struct oauth_config *c = o->config;
	_cleanup_strbuf_ struct strbuf url = STRBUF_INIT, text = STRBUF_INIT;
	json_auto_t *issuers = json_array();

	for (size_t i = 0; i < c->issuer_count; i++)
		(void)json_array_append_new(issuers, json_string(c->issuers[i].issuer));
	json_auto_t *document = json_pack("{s:s, s:O, s:o, s:[s]}", "resource",
					  c->resource, "authorization_servers", issuers,
					  "scopes_supported", scopes_supported(o),
					  "bearer_methods_supported", "header");
	if (!document)
		return error_oom(err);
	oauth_url_well_known(&url, c->resource, WELL_KNOWN);
	if (!json_write(&text, document, err))
		return false;
	o->metadata = strbuf_take(&text);
	o->metadata_url = strbuf_take(&url);
	if (!o->metadata || !o->metadata_url)
		return error_oom(err);
	o->metadata_path = strstr(o->metadata_url, "/.well-known/");
	return true;
}

struct oauth *oauth_new(const struct oauth_config *config, const char *server,
			struct error *err)
{
	_cleanup_(oauth_freep) struct oauth *o = calloc(1, sizeof *o);

	if (!o || !(o->cache = oauth_cache_new())) {
		error_oom(err);
		return NULL;
	}
	/* While all of the system can be read. */
	if (!http_client_load(err) || !jwks_load(err))
		return NULL;
	o->config = config;
	make_scopes(o, server);
	for (size_t i = 0; i < config->issuer_count; i++)
		if (!add_issuer(o, &config->issuers[i], err))
			return NULL;
	return make_metadata(o, err) ? TAKE(o) : NULL;
}

bool oauth_trust(struct oauth *o, const char *ca_file, struct error *err)
{
	http_tls_free(o->tls);
	o->tls = http_tls_read(ca_file, NULL, NULL, err);
	return o->tls != NULL;
}

bool oauth_start(struct oauth *o, const char *user_agent, struct error *err)
{
	o->http = http_client_new(user_agent, err);
	if (!o->http)
		return false;
	http_client_use_tls(o->http, TAKE(o->tls));
	for (size_t i = 0; i < o->issuer_count; i++)
		if (!oauth_keys_start(o->issuers[i].keys, o->http, err))
			return false;
	return true;
}

void oauth_stop(struct oauth *o)
{
	for (size_t i = 0; i < o->issuer_count; i++)
		oauth_keys_stop(o->issuers[i].keys);
}

void oauth_free(struct oauth *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < o->issuer_count; i++)
		oauth_keys_free(o->issuers[i].keys);
	http_tls_free(o->tls);
	http_client_free(o->http);
	oauth_cache_free(o->cache);
	free(o->metadata);
	free(o->metadata_url);
	free(o);
}

/* ---- Tokens ---- */

static struct issuer *find_issuer(struct oauth *o, const struct jwt *t)
{
	const char *name = jwt_issuer(t);

	for (size_t i = 0; name && i < o->issuer_count; i++)
		if (strcmp(o->issuers[i].rules.issuer, name) == 0)
			return &o->issuers[i];
	return NULL;
}

static enum oauth_verdict refuse(struct error *err, const char *reason)
{
	error_set(err, ERR_PERMISSION_DENIED, "%s", reason);
	return OAUTH_REFUSED;
}

/* The claims first: what fails there costs nothing and waits for nobody. */
static enum oauth_verdict check(struct oauth *o, const struct jwt *t, int64_t now_ms,
				struct oauth_waiter *waiter, struct oauth_known *ret,
				struct error *err)
{
	struct issuer *issuer = find_issuer(o, t);

	if (!issuer)
		return refuse(err, "the token is of no issuer that is taken here");
	if (!jwt_judge(t, &issuer->rules, now_ms, &ret->caller, &ret->until_ms, err))
		return OAUTH_REFUSED;
	ret->issuer = (unsigned)(issuer - o->issuers);
	switch (oauth_keys_check(issuer->keys, t, clock_mono_ms(), waiter,
				 &ret->generation)) {
	case OAUTH_KEYS_GOOD:
		return OAUTH_GOOD;
	case OAUTH_KEYS_BAD_SIGNATURE:
		return refuse(err, "the signature does not fit the token");
	case OAUTH_KEYS_UNKNOWN:
		return refuse(err, "the issuer has no such key");
	case OAUTH_KEYS_UNAVAILABLE:
		error_set(err, ERR_BACKEND_UNAVAILABLE,
			  "the keys of %.200s cannot be had at the moment",
			  issuer->rules.issuer);
		return OAUTH_UNAVAILABLE;
	case OAUTH_KEYS_WAITING:
		return OAUTH_WAITING;
	}
	return OAUTH_UNAVAILABLE;
}

enum oauth_verdict oauth_check(struct oauth *o, const char *token, int64_t now_ms,
			       struct oauth_waiter *waiter, struct caller *ret,
			       struct error *err)
{
	struct oauth_known known;
	struct jwt t;

	if (oauth_cache_find(o->cache, token, &known) && now_ms < known.until_ms &&
	    oauth_keys_generation(o->issuers[known.issuer].keys) == known.generation) {
		*ret = known.caller;
		return OAUTH_GOOD;
	}
	if (!jwt_read(&t, token, err))
		return OAUTH_REFUSED;
	const enum oauth_verdict verdict = check(o, &t, now_ms, waiter, &known, err);
	jwt_done(&t);
	if (verdict == OAUTH_GOOD) {
		oauth_cache_put(o->cache, token, &known);
		*ret = known.caller;
	}
	return verdict;
}

/* ---- What clients are told ---- */

bool oauth_is_metadata_path(const struct oauth *o, const char *path)
{
	return strcmp(path, "/.well-known/" WELL_KNOWN) == 0 ||
	       strcmp(path, o->metadata_path) == 0;
}

const char *oauth_metadata(const struct oauth *o)
{
	return o->metadata;
}

const char *oauth_metadata_url(const struct oauth *o)
{
	return o->metadata_url;
}

static const json_t *extras_of(const struct oauth *o, const char *tool)
{
	return tool ? json_object_get(o->config->tool_scopes, tool) : NULL;
}

void oauth_add_scopes(const struct oauth *o, struct strbuf *sb, const char *right,
		      const char *tool)
{
	const struct oauth_config *c = o->config;
	const json_t *extras = extras_of(o, tool), *scope;
	size_t i;

	if (strcmp(right, "write") == 0)
		strbuf_add_string(sb, c->write_count ? c->write[0] : o->write);
	else
		strbuf_add_string(sb, c->read_count ? c->read[0] : o->read);
	json_array_foreach(extras, i, scope)
		strbuf_add_format(sb, " %s", json_string_value(scope));
}

bool oauth_may_use(const struct oauth *o, const struct caller *c, const char *tool)
{
	const json_t *extras = extras_of(o, tool), *scope;
	size_t i;

	json_array_foreach(extras, i, scope)
	{
		if (!caller_has_scope(c, json_string_value(scope) ?: ""))
			return false;
	}
	return true;
}
