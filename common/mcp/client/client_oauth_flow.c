#include "mcp/client/client_oauth_private.h"

/* Among those that the server names: the one we are known at, else the one that has
 * given us something, else its first. */
static const char *choose_issuer(const struct client_oauth *o,
				 const struct oauth_resource *r)
{
	const char *wanted[] = { o->bound, o->place.issuer };

	for (size_t k = 0; k < ARRAY_SIZE(wanted); k++)
		for (size_t i = 0; i < r->issuer_count; i++)
			if (strcmp(r->issuers[i], wanted[k]) == 0)
				return r->issuers[i];
	return r->issuers[0];
}

/* What one issuer gave is nothing for another, and a token is for one resource. */
static void settle(struct client_oauth *o, const struct oauth_resource *resource,
		   const struct oauth_place *place)
{
	bool is_other = strcmp(o->place.issuer, place->issuer) != 0;

	if (is_other)
		oauth_identity_done(&o->identity);
	if (is_other || strcmp(o->resource.resource, resource->resource) != 0) {
		client_oauth_forget_tokens(o);
		client_oauth_save(o);
		o->requested[0] = '\0';
		o->fresh_ms = 0;
	}
	o->resource = *resource;
	o->place = *place;
	o->has_place = true;
}

static bool find_out(struct oauth_flow *f, const struct oauth_challenge *challenge,
		     struct error *err)
{
	struct oauth_resource resource;
	struct oauth_place place;

	if (!oauth_find_resource(f, challenge, &resource, err) ||
	    !oauth_find_place(f, choose_issuer(f->o, &resource), resource.is_guessed,
			      &place, err))
		return false;
	settle(f->o, &resource, &place);
	return oauth_identify(f, err);
}

/* True also when there is nothing to refresh with any more: then 'ret' is empty. */
static bool try_refresh(struct oauth_flow *f, struct oauth_tokens *ret, struct error *err)
{
	struct error why = ERROR_INIT;

	if (!f->o->tokens.refresh ||
	    oauth_request_by_refresh(f, f->o->tokens.refresh, ret, &why))
		return true;
	if (why.code != ERR_PERMISSION_DENIED) {
		*err = why; /* a person cannot help */
		return false;
	}
	client_oauth_forget_tokens(f->o);
	/* It may have been the registration that is gone. */
	return oauth_identify(f, err);
}

static bool ask_for(struct oauth_flow *f, const char *scope, struct oauth_tokens *ret,
		    struct error *err)
{
	_cleanup_(secret_freep) struct secret *code = NULL;
	char verifier[OAUTH_PKCE_BYTES] = "";
	bool good;

	if (f->o->options->is_unattended)
		return oauth_request_by_credentials(f, scope, ret, err);
	code = oauth_ask(f, scope, verifier, err);
	good = code && oauth_request_by_code(f, code, verifier, ret, err);
	explicit_bzero(verifier, sizeof verifier);
	return good;
}

static bool get_fresh(struct oauth_flow *f, const struct oauth_challenge *challenge,
		      struct oauth_got *ret, struct error *err)
{
	struct client_oauth *o = f->o;
	const struct oauth_scope_rules rules = {
		.challenge = challenge->scope,
		.resource = o->resource.scopes,
		.requested = o->requested,
		.is_offline = o->options->is_offline && o->place.is_offline &&
			      !o->options->is_unattended,
	};

	if (!oauth_scope_choose(&rules, ret->asked))
		return error_set(err, ERR_PERMISSION_DENIED,
				 "the server wants more scopes than can be asked for");
	if (!ask_for(f, ret->asked, &ret->tokens, err))
		return false;
	memcpy(o->requested, ret->asked, sizeof o->requested);
	ret->is_fresh = true;
	return true;
}

bool client_oauth_get(struct oauth_flow *f, const struct oauth_challenge *challenge,
		      bool is_refresh, struct oauth_got *ret, struct error *err)
{
	return find_out(f, challenge, err) &&
	       (!is_refresh || try_refresh(f, &ret->tokens, err)) &&
	       (ret->tokens.access || get_fresh(f, challenge, ret, err));
}

bool client_oauth_refresh(struct oauth_flow *f, struct oauth_tokens *ret,
			  struct error *err)
{
	const struct client_oauth *o = f->o;

	if (!o->has_place || !*o->identity.id)
		return false;
	if (o->tokens.refresh)
		return oauth_request_by_refresh(f, o->tokens.refresh, ret, err);
	return o->options->is_unattended &&
	       oauth_request_by_credentials(f, o->requested, ret, err);
}
