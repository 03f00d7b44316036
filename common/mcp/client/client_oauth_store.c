/* What was kept is believed no more than what comes over the network, but that it was
 * ours: it is for one server, and says which. */
#include "mcp/client/client_oauth_private.h"

enum { FORMAT = 1 };

/* ---- Out ---- */

static bool set(json_t *object, const char *name, json_t *value)
{
	return json_object_set_new(object, name, value) == 0;
}

static bool set_secret(json_t *object, const char *name, const struct secret *s)
{
	return !s || set(object, name, json_stringn(secret_bytes(s), secret_length(s)));
}

static bool set_identity(json_t *object, const struct client_oauth *o)
{
	const struct oauth_identity *i = &o->identity;

	return !i->is_registered ||
	       (set(object, "redirect_uri", json_string(o->options->redirect_uri)) &&
		set(object, "client_id", json_string(i->id)) &&
		set(object, "client_method", json_integer(i->method)) &&
		set(object, "client_secret_until_ms", json_integer(i->secret_until_ms)) &&
		set_secret(object, "client_secret", i->secret));
}

static json_t *make(const struct client_oauth *o)
{
	json_t *object = json_pack(
		"{s:i, s:s, s:s, s:s, s:s, s:I}", "format", FORMAT, "server", o->server,
		"issuer", o->place.issuer, "resource", o->resource.resource, "requested",
		o->requested, "renew_ms", (json_int_t)o->tokens.renew_ms);

	if (object && set_identity(object, o) &&
	    set_secret(object, "access_token", o->tokens.access) &&
	    set_secret(object, "refresh_token", o->tokens.refresh))
		return object;
	json_decref(object);
	return NULL;
}

void client_oauth_save(struct client_oauth *o)
{
	const struct mcp_client_oauth *options = o->options;
	_cleanup_(secret_freep) struct secret *value = NULL;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error ignored = ERROR_INIT;

	if (!options->store)
		return;
	if (o->tokens.access || o->identity.is_registered) {
		json_auto_t *object = make(o);

		if (object && json_write(&text, object, &ignored) && strbuf_ok(&text))
			value = secret_new(text.data, text.length);
	}
	/* What cannot be kept is not kept half, and what was is out of date. */
	options->store(options->context, o->server, value);
	strbuf_wipe(&text);
}

/* ---- In ---- */

static bool get_secret(const json_t *object, const char *name, struct secret **ret)
{
	const char *text = json_get_string(object, name);
	size_t length = text ? strlen(text) : 0;

	if (!json_object_get(object, name))
		return true;
	if (length == 0 || length > CLIENT_OAUTH_TOKEN_MAX)
		return false;
	for (size_t i = 0; i < length; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	*ret = secret_new(text, length);
	return *ret != NULL;
}

static bool get_identity(const struct client_oauth *o, const json_t *object,
			 struct oauth_identity *ret)
{
	const char *redirect_uri = json_get_string(object, "redirect_uri");
	const char *id = json_get_string(object, "client_id");
	int64_t method = json_get_int64(object, "client_method", 0);

	if (!json_object_get(object, "client_id"))
		return true;
	/* One that was registered for another redirect is of no use. */
	if (!redirect_uri || !o->options->redirect_uri ||
	    strcmp(redirect_uri, o->options->redirect_uri) != 0)
		return false;
	if (!id || !*id || strlen(id) > CLIENT_OAUTH_ID_MAX ||
	    (method != OAUTH_METHOD_NONE && method != OAUTH_METHOD_BASIC &&
	     method != OAUTH_METHOD_POST) ||
	    !get_secret(object, "client_secret", &ret->secret) ||
	    (method != OAUTH_METHOD_NONE && !ret->secret))
		return false;
	memcpy(ret->id, id, strlen(id) + 1);
	ret->method = (enum oauth_method)method;
	ret->is_registered = true;
	ret->secret_until_ms = json_get_int64(object, "client_secret_until_ms", 0);
	return true;
}

static bool get_tokens(const json_t *object, struct oauth_tokens *ret)
{
	ret->renew_ms = json_get_int64(object, "renew_ms", 0);
	return get_secret(object, "access_token", &ret->access) &&
	       get_secret(object, "refresh_token", &ret->refresh);
}

/* The URLs and scopes. */
static bool get_place(const struct client_oauth *o, const json_t *object,
		      struct oauth_place *place, struct oauth_resource *resource,
		      char requested[static OAUTH_SCOPE_MAX + 1])
{
	const char *server = json_get_string(object, "server");

	return json_get_int64(object, "format", 0) == FORMAT && server &&
	       strcmp(server, o->server) == 0 &&
	       oauth_read_url(o, object, "issuer", place->issuer) && *place->issuer &&
	       oauth_read_url(o, object, "resource", resource->resource) &&
	       oauth_resource_covers(resource->resource, o->server) &&
	       oauth_scope_add(requested, json_get_string(object, "requested"));
}

void client_oauth_load(struct client_oauth *o)
{
	const struct mcp_client_oauth *options = o->options;
	_cleanup_(secret_freep) struct secret *value =
		options->load ? options->load(options->context, o->server) : NULL;
	struct oauth_identity identity = { 0 };
	struct oauth_tokens tokens = { 0 };
	struct oauth_resource resource = { 0 };
	struct oauth_place place = { 0 };
	char requested[OAUTH_SCOPE_MAX + 1] = "";
	struct error ignored = ERROR_INIT;

	if (!value)
		return;
	json_auto_t *object = json_parse(secret_bytes(value), secret_length(value),
					 JSON_SYNTAX, &ignored);
	if (json_is_object(object) &&
	    get_place(o, object, &place, &resource, requested) &&
	    (!*o->bound || strcmp(o->bound, place.issuer) == 0) &&
	    get_identity(o, object, &identity) && get_tokens(object, &tokens)) {
		o->identity = identity;
		o->tokens = tokens;
		o->resource = resource;
		o->place = place;
		memcpy(o->requested, requested, sizeof requested);
		if (options->client_id && !identity.is_registered)
			memcpy(o->bound, place.issuer, sizeof o->bound);
		return;
	}
	oauth_identity_done(&identity);
	oauth_tokens_done(&tokens);
}
