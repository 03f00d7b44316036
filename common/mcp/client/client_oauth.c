#include "mcp/client/client_oauth.h"

#include <unistd.h>

#include "base/clock.h"
#include "mcp/client/client_oauth_private.h"

enum {
	FETCH_MS = 30 * 1000, /* of all that one try fetches */
	STEP_MS = 20,
	AGAIN_MS = 5 * 60 *
		   1000, /* after which scopes that did not help are asked for again */
};

/* ---- Life ---- */

static bool is_url_good(const char *uri)
{
	struct error ignored = ERROR_INIT;
	struct http_url url;

	return uri && oauth_url_read(uri, &url, &ignored);
}

static bool is_document_good(const char *uri)
{
	struct error ignored = ERROR_INIT;
	struct http_url url;

	return oauth_url_read(uri, &url, &ignored) && url.is_https &&
	       strlen(url.path) > 1;
}

static bool is_text(const struct secret *s)
{
	return strlen(secret_bytes(s)) == secret_length(s) && secret_length(s) > 0 &&
	       secret_length(s) <= CLIENT_OAUTH_TOKEN_MAX;
}

static bool check(const struct mcp_client_oauth *o, struct error *err)
{
	const char *why = NULL;

	if (!o->load != !o->store)
		why = "tokens that are kept are loaded and stored";
	else if (o->issuer && !is_url_good(o->issuer))
		why = "an issuer is https, or http on loopback";
	else if (o->client_id &&
		 (!*o->client_id || strlen(o->client_id) > CLIENT_OAUTH_ID_MAX))
		why = "that is no client id";
	else if (!o->client_id && (o->client_secret || o->signing_key || o->issuer))
		why = "a client with credentials has a client id";
	else if (o->client_secret && !is_text(o->client_secret))
		why = "the client's secret is no text";
	else if (o->is_unattended && !o->client_secret && !o->signing_key)
		why = "an unattended client has a secret or a key";
	else if (!o->is_unattended && !is_url_good(o->redirect_uri))
		why = "a redirect URI is https, or http on loopback";
	else if (o->metadata_url && !is_document_good(o->metadata_url))
		why = "a client's metadata is at an https URL with a path";
	return !why || error_set(err, ERR_INVALID_ARGUMENT, "%s", why);
}

void client_oauth_free(struct client_oauth *o)
{
	if (!o)
		return;
	oauth_identity_done(&o->identity);
	oauth_tokens_done(&o->tokens);
	jwt_signer_free(o->signer);
	(void)pthread_mutex_destroy(&o->flow);
	(void)pthread_mutex_destroy(&o->lock);
	free(o->server);
	free(o->name);
	free(o);
}

struct client_oauth *client_oauth_new(const struct mcp_client_oauth *options,
				      const char *url, const char *name,
				      struct http_client *http, struct error *err)
{
	struct http_url ignored;
	struct client_oauth *o;

	/* A token goes out with every request: nobody else may read them. */
	if (!check(options, err) || !oauth_url_read(url, &ignored, err))
		return NULL;
	o = calloc(1, sizeof *o);
	if (!o) {
		error_oom(err);
		return NULL;
	}
	(void)pthread_mutex_init(&o->flow, NULL);
	(void)pthread_mutex_init(&o->lock, NULL);
	o->options = options;
	o->http = http;
	o->server = strdup(url);
	o->name = strdup(name);
	if (!o->server || !o->name)
		error_oom(err);
	else if (options->signing_key)
		o->signer = jwt_signer_new(options->signing_key, options->signing_kid,
					   JWT_SIGN_ES256, err);
	if (error_is_set(err)) {
		client_oauth_free(o);
		return NULL;
	}
	(void)snprintf(o->bound, sizeof o->bound, "%s",
		       options->issuer ? options->issuer : "");
	client_oauth_load(o);
	return o;
}

/* ---- The token that goes out ---- */

/* Takes what is in 'got'. 'flow' is held. */
static void install(struct client_oauth *o, struct oauth_tokens *got)
{
	(void)pthread_mutex_lock(&o->lock);
	struct oauth_tokens before = o->tokens;
	o->tokens = *got;
	o->generation++;
	(void)pthread_mutex_unlock(&o->lock);
	*got = (struct oauth_tokens){ 0 };
	oauth_tokens_done(&before);
}

void client_oauth_forget_tokens(struct client_oauth *o)
{
	struct oauth_tokens none = { 0 };

	if (o->tokens.access || o->tokens.refresh)
		install(o, &none);
}

static bool ends_soon(const struct client_oauth *o)
{
	return o->tokens.access && o->tokens.renew_ms &&
	       clock_wall_ms() >= o->tokens.renew_ms;
}

/* Quietly: the server says what it thinks of the old one, and then there is a way. Who
 * finds somebody else at it does not wait for a person. */
static void renew(struct client_oauth *o, uint64_t generation, const atomic_bool *cancel,
		  int64_t until_ms)
{
	struct oauth_flow f = { o, cancel, clock_mono_ms() + FETCH_MS };
	struct oauth_tokens got = { 0 };
	struct error ignored = ERROR_INIT;

	if (until_ms < f.until_ms)
		f.until_ms = until_ms;
	if (pthread_mutex_trylock(&o->flow) != 0)
		return;
	if (o->generation == generation && ends_soon(o)) {
		if (client_oauth_refresh(&f, &got, &ignored)) {
			install(o, &got);
			client_oauth_save(o);
		} else {
			(void)pthread_mutex_lock(&o->lock);
			o->tokens.renew_ms = 0; /* not with every request */
			(void)pthread_mutex_unlock(&o->lock);
		}
	}
	oauth_tokens_done(&got);
	(void)pthread_mutex_unlock(&o->flow);
}

static bool copy_token(struct client_oauth *o, struct client_oauth_try *t,
		       struct secret **ret, bool *ret_ends_soon)
{
	const struct secret *s;

	(void)pthread_mutex_lock(&o->lock);
	s = o->tokens.access;
	*ret = s ? secret_new(secret_bytes(s), secret_length(s)) : NULL;
	t->generation = o->generation;
	*ret_ends_soon = ends_soon(o);
	bool good = *ret || !s;
	(void)pthread_mutex_unlock(&o->lock);
	return good;
}

bool client_oauth_token(struct client_oauth *o, struct client_oauth_try *t,
			const atomic_bool *cancel, int64_t until_ms, struct secret **ret,
			struct error *err)
{
	bool soon, good = copy_token(o, t, ret, &soon);

	if (good && soon) {
		secret_free(*ret);
		renew(o, t->generation, cancel, until_ms);
		good = copy_token(o, t, ret, &soon);
	}
	return good || error_oom(err);
}

/* ---- What was refused ---- */

void client_oauth_note(struct client_oauth *o, struct client_oauth_try *t,
		       struct http_client_stream *s)
{
	const char *field;

	atomic_store(&o->is_private, http_client_stream_is_private(s));
	t->challenge = (struct oauth_challenge){ 0 };
	for (size_t i = 0; i < OAUTH_CHALLENGES_MAX; i++) {
		field = http_client_stream_header(s, "WWW-Authenticate", i);
		if (!field)
			break;
		(void)oauth_challenge_read(&t->challenge, field);
	}
}

/* Asked for, for this request or a little while ago. A person may think otherwise of it
 * later, but is not asked with every request. */
static bool was_asked(const struct client_oauth *o, const struct client_oauth_try *t)
{
	const char *wanted = t->challenge.scope;

	return (t->is_fresh && oauth_scope_has_all(t->asked, wanted)) ||
	       (o->fresh_ms && clock_mono_ms() - o->fresh_ms < AGAIN_MS &&
		oauth_scope_has_all(o->requested, wanted));
}

/* Whether there is any use in a further token. */
static bool is_hopeless(const struct client_oauth *o, struct client_oauth_try *t,
			int status, struct error *err)
{
	if (++t->count > CLIENT_OAUTH_TRIES_MAX)
		error_set(err, ERR_PERMISSION_DENIED,
			  "the server wants one authorization after the other");
	else if (t->is_fresh && status == 401)
		error_set(err, ERR_PERMISSION_DENIED,
			  "the server does not take the token that it wanted");
	else if (status == 403 && was_asked(o, t))
		error_set(err, ERR_PERMISSION_DENIED,
			  "the scopes that the server wants were asked for and are not "
			  "enough");
	return error_is_set(err);
}

/* 'flow' is held. */
static bool get_better(struct client_oauth *o, struct client_oauth_try *t, int status,
		       const atomic_bool *cancel, int64_t until_ms, struct error *err)
{
	struct oauth_flow f = { o, cancel, clock_mono_ms() + FETCH_MS };
	struct oauth_got got = { .is_fresh = false };
	const uint64_t generation = o->generation;
	bool good;

	if (until_ms < f.until_ms)
		f.until_ms = until_ms;
	good = client_oauth_get(&f, &t->challenge, status == 401 && !t->is_refreshed,
				&got, err);
	if (good) {
		install(o, &got.tokens);
		t->is_refreshed = true;
		t->is_fresh = t->is_fresh || got.is_fresh;
		memcpy(t->asked, got.asked, sizeof t->asked);
		if (got.is_fresh)
			o->fresh_ms = clock_mono_ms();
	}
	if (o->generation != generation)
		client_oauth_save(o);
	oauth_tokens_done(&got.tokens);
	return good;
}

/* Whoever has it may be waiting for a person, longer than this request is wanted. */
static bool take_flow(struct client_oauth *o, const atomic_bool *cancel)
{
	while (pthread_mutex_trylock(&o->flow) != 0) {
		if (cancel && atomic_load(cancel))
			return false;
		(void)usleep(STEP_MS * 1000);
	}
	return true;
}

bool client_oauth_mend(struct client_oauth *o, struct client_oauth_try *t, int status,
		       const atomic_bool *cancel, int64_t until_ms, struct error *err)
{
	struct error why = ERROR_INIT;
	bool good;

	if (status != 401 &&
	    (status != 403 || strcmp(t->challenge.error, "insufficient_scope") != 0))
		return false;
	if (!take_flow(o, cancel))
		return error_set(err, ERR_TIMEOUT, "the call was given up");
	/* Somebody else may have got a better one meanwhile; it is tried first. */
	good = o->generation != t->generation && o->tokens.access &&
	       ++t->count <= CLIENT_OAUTH_TRIES_MAX;
	if (!good)
		good = !is_hopeless(o, t, status, &why) &&
		       get_better(o, t, status, cancel, until_ms, &why);
	(void)pthread_mutex_unlock(&o->flow);
	if (!good && error_is_set(&why))
		*err = why;
	return good;
}

uint64_t client_oauth_generation(struct client_oauth *o)
{
	(void)pthread_mutex_lock(&o->lock);
	uint64_t generation = o->generation;
	(void)pthread_mutex_unlock(&o->lock);
	return generation;
}

int64_t client_oauth_asked_ms(struct client_oauth *o)
{
	return atomic_load(&o->asked_ms);
}
