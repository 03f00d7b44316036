#include "api/rest/rest_credential.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

enum {
	TOKEN_MAX = 8 * 1024,
	EARLY_MS = 5 * 60 * 1000, /* before its end it is fetched again */
	FRESH_MS = 10 * 1000,     /* one that is refused so soon would be refused again */
};

struct rest_credential {
	struct rest_auth auth;
	char *scheme;
	rest_credential_fetch *fetch; /* NULL: fixed */
	void *context;
	pthread_mutex_t lock; /* guards the rest, unless it is fixed */
	struct secret *token;
	int64_t fetched_ms, until_ms; /* clock_mono_ms */
};

void rest_credential_free(struct rest_credential *c)
{
	if (!c)
		return;
	(void)pthread_mutex_destroy(&c->lock);
	secret_free(c->token);
	free(c->scheme);
	free(c);
}

static bool is_token(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] <= ' ' || text[i] >= 0x7f)
			return false;
	return length > 0 && length <= TOKEN_MAX;
}

static void add_value(const struct rest_credential *c, struct strbuf *sb)
{
	strbuf_add_format(sb, "%s ", c->scheme);
	strbuf_add(sb, secret_bytes(c->token), secret_length(c->token));
}

/* One that lives shorter than what is kept of it would be fetched for every call. */
static int64_t early_ms(int64_t life_ms)
{
	return life_ms > 2 * (int64_t)EARLY_MS ? EARLY_MS : life_ms / 2;
}

static bool fetch_token(struct rest_credential *c, const struct rest_patience *patience,
			struct error *err)
{
	_cleanup_(strbuf_wipe) struct strbuf token = STRBUF_INIT;
	int64_t life_ms = 0;

	if (!c->fetch(c->context, patience, &token, &life_ms, err))
		return false;
	if (!strbuf_ok(&token) || !is_token(token.data, token.length) || life_ms <= 0)
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 "the access token that came is none");
	secret_free(c->token);
	c->token = secret_new(token.data, token.length);
	c->fetched_ms = clock_mono_ms();
	c->until_ms = c->fetched_ms + life_ms - early_ms(life_ms);
	return c->token || error_oom(err);
}

static bool value(void *context, const struct rest_patience *patience, struct strbuf *sb,
		  struct error *err)
{
	struct rest_credential *c = context;
	const struct timespec until = { .tv_sec = patience->until_ms / 1000,
					.tv_nsec = patience->until_ms % 1000 * 1000000 };
	bool good;

	if (!c->fetch) {
		add_value(c, sb);
		return true;
	}
	if (pthread_mutex_clocklock(&c->lock, CLOCK_MONOTONIC, &until) != 0)
		return error_set(err, ERR_TIMEOUT, "no access token came in time");
	good = (c->token && clock_mono_ms() < c->until_ms) ||
	       fetch_token(c, patience, err);
	if (good)
		add_value(c, sb);
	(void)pthread_mutex_unlock(&c->lock);
	return good;
}

static bool refused(void *context)
{
	struct rest_credential *c = context;

	if (!c->fetch)
		return false;
	(void)pthread_mutex_lock(&c->lock);
	const bool is_old = !c->token || clock_mono_ms() - c->fetched_ms > FRESH_MS;
	if (is_old) {
		secret_free(c->token);
		c->token = NULL;
	}
	(void)pthread_mutex_unlock(&c->lock);
	return is_old;
}

static struct rest_credential *make(const char *scheme, struct error *err)
{
	struct rest_credential *c = calloc(1, sizeof *c);

	if (!c || !(c->scheme = strdup(scheme))) {
		free(c);
		error_oom(err);
		return NULL;
	}
	(void)pthread_mutex_init(&c->lock, NULL);
	c->auth = (struct rest_auth){ .value = value, .refused = refused, .context = c };
	return c;
}

struct rest_credential *rest_credential_fixed(const char *scheme, struct secret *token,
					      struct error *err)
{
	_cleanup_(secret_freep) struct secret *taken = token;
	struct rest_credential *c;

	if (!is_token(secret_bytes(token), secret_length(token))) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "the token has characters that no token has");
		return NULL;
	}
	c = make(scheme, err);
	if (c)
		c->token = TAKE(taken);
	return c;
}

struct rest_credential *rest_credential_file(const char *scheme,
					     const struct statedir *dir, const char *name,
					     struct error *err)
{
	_cleanup_free_ char *path = statedir_file(dir, name);
	struct secret *token;

	if (!path) {
		error_oom(err);
		return NULL;
	}
	token = secret_read(path, true, err);
	return token ? rest_credential_fixed(scheme, token, err) : NULL;
}

struct rest_credential *rest_credential_fetched(const char *scheme,
						rest_credential_fetch *fetch,
						void *context, struct error *err)
{
	struct rest_credential *c = make(scheme, err);

	if (c) {
		c->fetch = fetch;
		c->context = context;
	}
	return c;
}

const struct rest_auth *rest_credential_auth(const struct rest_credential *c)
{
	return &c->auth;
}
