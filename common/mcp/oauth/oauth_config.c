#include "mcp/oauth/oauth_config.h"

#include "guard/jwt.h"
#include "mcp/oauth/oauth_url.h"

/* The members in the shape of the file. */
struct raw {
	const char *resource, *ca_file;
	json_t *issuers, *scopes, *tool_scopes, *keys;
};

static const struct json_field root_fields[] = {
	{ "resource", JSON_FIELD_STRING, offsetof(struct raw, resource),
	  JSON_FIELD_REQUIRED },
	{ "issuers", JSON_FIELD_ARRAY, offsetof(struct raw, issuers),
	  JSON_FIELD_REQUIRED },
	{ "ca_file", JSON_FIELD_STRING, offsetof(struct raw, ca_file), 0 },
	{ "scopes", JSON_FIELD_OBJECT, offsetof(struct raw, scopes), 0 },
	{ "tool_scopes", JSON_FIELD_OBJECT, offsetof(struct raw, tool_scopes), 0 },
	{ "keys", JSON_FIELD_OBJECT, offsetof(struct raw, keys), 0 },
	{ 0 },
};

struct raw_issuer {
	struct oauth_issuer_config config;
	json_t *algorithms;
};

static const struct json_field issuer_fields[] = {
	{ "issuer", JSON_FIELD_STRING, offsetof(struct raw_issuer, config.issuer),
	  JSON_FIELD_REQUIRED },
	{ "jwks_uri", JSON_FIELD_STRING, offsetof(struct raw_issuer, config.jwks_uri),
	  0 },
	{ "audience", JSON_FIELD_STRING, offsetof(struct raw_issuer, config.audience),
	  0 },
	{ "principal_claim", JSON_FIELD_STRING,
	  offsetof(struct raw_issuer, config.principal_claim), 0 },
	{ "client_claim", JSON_FIELD_STRING,
	  offsetof(struct raw_issuer, config.client_claim), 0 },
	{ "algorithms", JSON_FIELD_ARRAY, offsetof(struct raw_issuer, algorithms), 0 },
	{ 0 },
};

struct raw_scopes {
	json_t *read, *write;
};

static const struct json_field scope_fields[] = {
	{ "read", JSON_FIELD_ARRAY, offsetof(struct raw_scopes, read), 0 },
	{ "write", JSON_FIELD_ARRAY, offsetof(struct raw_scopes, write), 0 },
	{ 0 },
};

/* Seconds land in the members for milliseconds and are multiplied there. */
static const struct json_field key_fields[] = {
	{ "max_age_s", JSON_FIELD_INT64, offsetof(struct oauth_config, max_age_ms), 0 },
	{ "max_stale_s", JSON_FIELD_INT64, offsetof(struct oauth_config, max_stale_ms),
	  0 },
	{ "refetch_s", JSON_FIELD_INT64, offsetof(struct oauth_config, refetch_ms), 0 },
	{ 0 },
};

static bool complain(const struct config *file, const char *pointer, const char *why,
		     struct error *err)
{
	return error_set(err, ERR_INVALID_ARGUMENT, "%s:%d: %s: %s", config_name(file),
			 config_line(file, pointer), pointer + 1, why);
}

static bool check_url(const struct config *file, const char *pointer, const char *url,
		      bool may_have_query, struct http_url *ret, struct error *err)
{
	struct error why = ERROR_INIT;

	if (!oauth_url_read(url, ret, &why))
		return complain(file, pointer, why.message, err);
	return may_have_query || !ret->has_query ||
	       complain(file, pointer, "the URL may not have a query", err);
}

/* ---- Issuers ---- */

static bool is_there_twice(const struct oauth_config *c, const char *issuer)
{
	for (size_t i = 0; i < c->issuer_count; i++)
		if (strcmp(c->issuers[i].issuer, issuer) == 0)
			return true;
	return false;
}

static bool decode_issuer(struct oauth_config *c, const struct config *file,
			  const json_t *issuer, struct error *err)
{
	struct raw_issuer raw = { .config.principal_claim = "sub" };
	struct http_url url, keys;
	const json_t *name;
	enum jwt_alg alg;
	char at[64], keys_at[80];
	size_t i;

	(void)snprintf(at, sizeof at, "/oauth/issuers/%zu", c->issuer_count);
	(void)snprintf(keys_at, sizeof keys_at, "%s/jwks_uri", at);
	if (!json_decode(issuer, issuer_fields, &raw, "issuer", err) ||
	    !check_url(file, at, raw.config.issuer, false, &url, err))
		return false;
	if (is_there_twice(c, raw.config.issuer))
		return complain(file, at, "this issuer is there twice", err);
	if (raw.config.jwks_uri &&
	    !check_url(file, keys_at, raw.config.jwks_uri, true, &keys, err))
		return false;
	if (raw.config.jwks_uri && url.is_https && !keys.is_https)
		return complain(file, keys_at, "keys of an https issuer come over https",
				err);
	json_array_foreach(raw.algorithms, i, name)
	{
		if (jwt_alg_parse(json_string_value(name) ?: "", &alg))
			raw.config.algs |= alg;
	}
	if (!raw.algorithms)
		raw.config.algs = JWT_ALGS_ALL;
	c->issuers[c->issuer_count++] = raw.config;
	return true;
}

/* ---- Scopes ---- */

static size_t copy_names(const json_t *names, const char *to[static OAUTH_NAMES_MAX])
{
	const json_t *name;
	size_t i, count = 0;

	json_array_foreach(names, i, name)
	{
		if (count < OAUTH_NAMES_MAX)
			to[count++] = json_string_value(name);
	}
	return count;
}

static bool add_extra(struct oauth_config *c, const char *scope)
{
	for (size_t i = 0; i < c->extra_count; i++)
		if (strcmp(c->extras[i], scope) == 0)
			return true;
	if (c->extra_count == OAUTH_EXTRAS_MAX)
		return false;
	c->extras[c->extra_count++] = scope;
	return true;
}

static bool decode_tool_scopes(struct oauth_config *c, const struct config *file,
			       json_t *tools, struct error *err)
{
	const char *tool;
	json_t *scopes;
	const json_t *scope;
	size_t i;

	c->tool_scopes = tools;
	json_object_foreach(tools, tool, scopes)
	{
		json_array_foreach(scopes, i, scope)
		{
			if (!add_extra(c, json_string_value(scope) ?: ""))
				return complain(file, "/oauth/tool_scopes",
						"more than 16 different scopes", err);
		}
	}
	return true;
}

/* ---- All of it ---- */

static bool check_resource(const struct config *file, const char *resource,
			   struct error *err)
{
	struct http_url url;

	if (!check_url(file, "/oauth/resource", resource, false, &url, err))
		return false;
	/* Clients compare it as text, with what people type. */
	return resource[strlen(resource) - 1] != '/' ||
	       complain(file, "/oauth/resource", "it may not end with a slash", err);
}

bool oauth_config_decode(struct oauth_config *ret, const struct config *file,
			 const json_t *oauth, struct error *err)
{
	struct oauth_config made = { .max_age_ms = 600,
				     .max_stale_ms = 24 * 3600,
				     .refetch_ms = 30 };
	struct raw_scopes scopes = { 0 };
	struct raw raw = { 0 };
	const json_t *issuer;
	size_t i;

	if (!json_decode(oauth, root_fields, &raw, "oauth", err) ||
	    !check_resource(file, raw.resource, err) ||
	    (raw.scopes &&
	     !json_decode(raw.scopes, scope_fields, &scopes, "oauth/scopes", err)) ||
	    (raw.keys && !json_decode(raw.keys, key_fields, &made, "oauth/keys", err)))
		return false;
	json_array_foreach(raw.issuers, i, issuer)
	{
		if (i < OAUTH_ISSUERS_MAX && !decode_issuer(&made, file, issuer, err))
			return false;
	}
	made.resource = raw.resource;
	made.ca_file = raw.ca_file;
	made.max_age_ms *= 1000;
	made.max_stale_ms *= 1000;
	made.refetch_ms *= 1000;
	made.read_count = copy_names(scopes.read, made.read);
	made.write_count = copy_names(scopes.write, made.write);
	if (!decode_tool_scopes(&made, file, raw.tool_scopes, err))
		return false;
	*ret = made;
	return true;
}
