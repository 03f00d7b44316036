#include <strings.h>

#include "mcp/client/client_oauth_private.h"

#define WELL_KNOWN "oauth-protected-resource"

/* Of a path: without its query and one slash at its end. */
static size_t path_bytes(const char *path)
{
	size_t length = strcspn(path, "?");

	return length > 0 && path[length - 1] == '/' ? length - 1 : length;
}

bool oauth_resource_covers(const char *resource, const char *server)
{
	struct error ignored = ERROR_INIT;
	struct http_url theirs, ours;

	if (strcmp(resource, server) == 0)
		return true;
	if (!oauth_url_read(resource, &theirs, &ignored) ||
	    !oauth_url_read(server, &ours, &ignored) || theirs.has_query ||
	    theirs.origin_bytes != ours.origin_bytes ||
	    strncasecmp(resource, server, ours.origin_bytes) != 0)
		return false;
	size_t length = path_bytes(theirs.path), whole = path_bytes(ours.path);
	return length <= whole && memcmp(theirs.path, ours.path, length) == 0 &&
	       (length == whole || ours.path[length] == '/');
}

static bool read_issuers(const struct client_oauth *o, const json_t *list,
			 struct oauth_resource *ret)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		const char *issuer = json_string_value(one);

		if (ret->issuer_count < CLIENT_OAUTH_ISSUERS_MAX && issuer &&
		    strlen(issuer) == json_string_length(one) &&
		    oauth_may_fetch(o, issuer) && !strchr(issuer, '?'))
			memcpy(ret->issuers[ret->issuer_count++], issuer,
			       strlen(issuer) + 1);
	}
	return ret->issuer_count > 0;
}

static bool read_document(const struct client_oauth *o, const json_t *document,
			  struct oauth_resource *ret, struct error *err)
{
	const char *resource = json_get_string(document, "resource");

	/* Tokens for another resource are nothing to ask for in this one's name. */
	if (!resource || strlen(resource) > OAUTH_URL_MAX ||
	    !oauth_resource_covers(resource, o->server))
		return error_set(
			err, ERR_PERMISSION_DENIED,
			"the server's metadata is about another resource than the "
			"server");
	memcpy(ret->resource, resource, strlen(resource) + 1);
	if (!read_issuers(o, json_object_get(document, "authorization_servers"), ret))
		return error_set(
			err, ERR_PERMISSION_DENIED,
			"the server's metadata names no authorization server that "
			"may be used");
	/* A list that is none tells nothing. */
	(void)oauth_scope_add_list(ret->scopes,
				   json_object_get(document, "scopes_supported"));
	return true;
}

/* What revision 2025-03-26 knows: the server's origin issues tokens. */
static bool guess(const struct client_oauth *o, struct oauth_resource *ret,
		  struct error *err)
{
	struct http_url url;

	if (!oauth_url_read(o->server, &url, err))
		return false;
	memcpy(ret->issuers[0], o->server, url.origin_bytes);
	ret->issuers[0][url.origin_bytes] = '\0';
	ret->issuer_count = 1;
	ret->is_guessed = true;
	(void)snprintf(ret->resource, sizeof ret->resource, "%.*s",
		       (int)strcspn(o->server, "?"), o->server);
	return true;
}

/* PROTOCOL 6.2, 2: with the path in it, then the root's. */
static json_t *fetch_well_known(const struct oauth_flow *f, struct error *err)
{
	_cleanup_strbuf_ struct strbuf server = STRBUF_INIT, first = STRBUF_INIT,
				       second = STRBUF_INIT;
	json_t *document;
	struct http_url url;

	strbuf_add(&server, f->o->server, strcspn(f->o->server, "?"));
	if (!oauth_url_read(f->o->server, &url, err))
		return NULL;
	oauth_url_well_known(&first, server.data, WELL_KNOWN);
	strbuf_add(&second, f->o->server, url.origin_bytes);
	strbuf_add_string(&second, "/.well-known/" WELL_KNOWN);
	if (!strbuf_ok(&server) || !strbuf_ok(&first) || !strbuf_ok(&second)) {
		error_oom(err);
		return NULL;
	}
	document = oauth_fetch(f, first.data, err);
	if (document || err->code != ERR_NOT_FOUND ||
	    strcmp(first.data, second.data) == 0)
		return document;
	error_clear(err);
	return oauth_fetch(f, second.data, err);
}

bool oauth_find_resource(const struct oauth_flow *f,
			 const struct oauth_challenge *challenge,
			 struct oauth_resource *ret, struct error *err)
{
	struct oauth_resource found = { 0 };
	json_auto_t *document = NULL;
	bool good;

	if (challenge->is_bad_metadata ||
	    (*challenge->metadata && !oauth_may_fetch(f->o, challenge->metadata)))
		return error_set(err, ERR_PERMISSION_DENIED,
				 "the server names metadata that may not be fetched");
	document = *challenge->metadata ? oauth_fetch(f, challenge->metadata, err)
					: fetch_well_known(f, err);
	if (document) {
		good = read_document(f->o, document, &found, err);
	} else if (err->code == ERR_NOT_FOUND && !*challenge->metadata) {
		error_clear(err);
		good = guess(f->o, &found, err);
	} else {
		good = false;
	}
	if (good)
		*ret = found;
	return good;
}
