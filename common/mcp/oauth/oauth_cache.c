#include "mcp/oauth/oauth_cache.h"

#include <pthread.h>

#include "base/digest.h"

struct row {
	uint8_t hash[DIGEST_BYTES];
	bool is_used;
	struct oauth_known known;
};

struct oauth_cache {
	pthread_mutex_t lock;
	struct row rows[OAUTH_CACHE_ROWS];
};

struct oauth_cache *oauth_cache_new(void)
{
	struct oauth_cache *c = calloc(1, sizeof *c);

	if (c)
		(void)pthread_mutex_init(&c->lock, NULL);
	return c;
}

void oauth_cache_free(struct oauth_cache *c)
{
	if (!c)
		return;
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
}

static struct row *row_of(struct oauth_cache *c, const uint8_t hash[static DIGEST_BYTES])
{
	return &c->rows[hash[0] % OAUTH_CACHE_ROWS];
}

bool oauth_cache_find(struct oauth_cache *c, const char *token, struct oauth_known *ret)
{
	uint8_t hash[DIGEST_BYTES];

	digest_sha256(token, strlen(token), hash);
	(void)pthread_mutex_lock(&c->lock);
	const struct row *row = row_of(c, hash);
	const bool found = row->is_used &&
			   digest_equal(row->hash, sizeof row->hash, hash, sizeof hash);
	if (found)
		*ret = row->known;
	(void)pthread_mutex_unlock(&c->lock);
	return found;
}

void oauth_cache_put(struct oauth_cache *c, const char *token,
		     const struct oauth_known *known)
{
	uint8_t hash[DIGEST_BYTES];

	digest_sha256(token, strlen(token), hash);
	(void)pthread_mutex_lock(&c->lock);
	struct row *row = row_of(c, hash);
	memcpy(row->hash, hash, sizeof hash);
	row->is_used = true;
	row->known = *known;
	(void)pthread_mutex_unlock(&c->lock);
}
