#include "mcp/client/client_oauth_private.h"

static bool has_text(const json_t *list, const char *wanted)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		if (json_is_string(one) && strcmp(json_string_value(one), wanted) == 0)
			return true;
	}
	return false;
}

static void read_methods(const json_t *document, struct oauth_place *ret)
{
	const json_t *list =
		json_object_get(document, "token_endpoint_auth_methods_supported");
	const json_t *one;
	size_t i;

	ret->has_methods = json_is_array(list);
	json_array_foreach(list, i, one)
	{
		ret->methods |= oauth_method_of(json_string_value(one));
	}
	/* RFC 8414, 2: what it means to list none. */
	if (!ret->has_methods)
		ret->methods = OAUTH_METHOD_BASIC;
}

/*
 * Whoever can write at one place of a host must not speak for another: the very
 * same text, nothing made equal first. Where nobody named an issuer (2025-03-26) the
 * server's origin was asked, and may speak for an issuer on itself.
 */
static bool is_issuer(const char *name, const char *asked, bool is_origin)
{
	size_t length = strlen(asked);

	return name && strlen(name) <= OAUTH_URL_MAX &&
	       (strcmp(name, asked) == 0 ||
		(is_origin && strncmp(name, asked, length) == 0 && name[length] == '/'));
}

static bool read_document(const struct client_oauth *o, const char *issuer,
			  bool is_origin, const json_t *document, struct oauth_place *ret,
			  struct error *err)
{
	const json_t *scopes = json_object_get(document, "scopes_supported");
	const char *name = json_get_string(document, "issuer");

	if (!is_issuer(name, issuer, is_origin))
		return error_set(
			err, ERR_PERMISSION_DENIED,
			"the authorization server's metadata names another issuer");
	memcpy(ret->issuer, name, strlen(name) + 1);
	if (!oauth_read_url(o, document, "authorization_endpoint",
			    ret->authorization_endpoint) ||
	    !oauth_read_url(o, document, "token_endpoint", ret->token_endpoint) ||
	    !oauth_read_url(o, document, "registration_endpoint",
			    ret->registration_endpoint) ||
	    !*ret->token_endpoint)
		return error_set(err, ERR_PERMISSION_DENIED,
				 "the authorization server's metadata names no endpoints "
				 "that may be used");
	read_methods(document, ret);
	ret->takes_documents = json_is_true(
		json_object_get(document, "client_id_metadata_document_supported"));
	ret->tells_issuer = json_is_true(json_object_get(
		document, "authorization_response_iss_parameter_supported"));
	ret->has_s256 = has_text(
		json_object_get(document, "code_challenge_methods_supported"), "S256");
	ret->is_offline = has_text(scopes, "offline_access");
	return true;
}

/* Revision 2025-03-26, of a server without any metadata. */
static bool guess(const char *issuer, struct oauth_place *ret, struct error *err)
{
	static const char *const paths[] = { "/authorize", "/token", "/register" };
	char *const to[] = { ret->authorization_endpoint, ret->token_endpoint,
			     ret->registration_endpoint };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if ((size_t)snprintf(to[i], OAUTH_URL_MAX + 1, "%s%s", issuer, paths[i]) >
		    OAUTH_URL_MAX)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "the server's URL is too long");
	memcpy(ret->issuer, issuer, strlen(issuer) + 1);
	ret->methods = OAUTH_METHOD_NONE | OAUTH_METHOD_BASIC | OAUTH_METHOD_POST;
	ret->has_s256 = true; /* that revision demands it of everybody */
	ret->is_guessed = true;
	return true;
}

/* PROTOCOL 6.2, 4: the places in their order; only one that has nothing leads on. */
static json_t *fetch_document(const struct oauth_flow *f, const char *issuer,
			      struct error *err)
{
	struct strbuf urls[] = { STRBUF_INIT, STRBUF_INIT, STRBUF_INIT };
	json_t *document = NULL;

	oauth_url_well_known(&urls[0], issuer, "oauth-authorization-server");
	oauth_url_well_known(&urls[1], issuer, "openid-configuration");
	oauth_url_well_known_behind(&urls[2], issuer, "openid-configuration");
	for (size_t i = 0; i < ARRAY_SIZE(urls) && !document; i++) {
		if (!strbuf_ok(&urls[i])) {
			error_clear(err);
			error_oom(err);
			break;
		}
		/* Without a path the third is the second. */
		if (i == 2 && strcmp(urls[1].data, urls[2].data) == 0)
			break;
		error_clear(err);
		document = oauth_fetch(f, urls[i].data, err);
		if (!document && err->code != ERR_NOT_FOUND)
			break;
	}
	for (size_t i = 0; i < ARRAY_SIZE(urls); i++)
		strbuf_done(&urls[i]);
	return document;
}

bool oauth_find_place(const struct oauth_flow *f, const char *issuer, bool may_guess,
		      struct oauth_place *ret, struct error *err)
{
	json_auto_t *document = fetch_document(f, issuer, err);
	struct oauth_place found = { 0 };

	if (document) {
		if (!read_document(f->o, issuer, may_guess, document, &found, err))
			return false;
	} else {
		if (err->code != ERR_NOT_FOUND || !may_guess)
			return false;
		error_clear(err);
		if (!guess(issuer, &found, err))
			return false;
	}
	*ret = found;
	return true;
}
