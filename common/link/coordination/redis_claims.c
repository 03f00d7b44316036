/*
 * Claims whose answer was lost. The caller was told that the claim failed and did
 * nothing; if it stands it is ours nevertheless, and claiming once more finds that out
 * by the token that went with it. A token is handed out once, so of two threads that
 * ask again one gets the claim.
 */
#include "link/coordination/redis_private.h"

#include "base/digest.h"

void redis_claims_init(struct redis_claims *c)
{
	(void)pthread_mutex_init(&c->lock, NULL);
}

void redis_claims_done(struct redis_claims *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(c->list); i++)
		free(c->list[i].key);
	(void)pthread_mutex_destroy(&c->lock);
}

bool redis_claims_token(struct redis_claims *c, const char *key,
			char ret[static REDIS_TOKEN_BYTES])
{
	bool was_lost = false;
	uint8_t random[REDIS_TOKEN_BYTES / 2];

	digest_random(random, sizeof random);
	digest_hex(random, sizeof random, ret);
	(void)pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < ARRAY_SIZE(c->list); i++) {
		if (!c->list[i].key || strcmp(c->list[i].key, key) != 0)
			continue;
		memcpy(ret, c->list[i].token, REDIS_TOKEN_BYTES);
		free(TAKE(c->list[i].key));
		was_lost = true;
		break;
	}
	(void)pthread_mutex_unlock(&c->lock);
	return was_lost;
}

/* The oldest goes when there is no room: its claim is then nobody's. */
void redis_claims_lost(struct redis_claims *c, const char *key,
		       const char token[static REDIS_TOKEN_BYTES])
{
	char *copy = strdup(key);

	(void)pthread_mutex_lock(&c->lock);
	free(c->list[c->next].key);
	c->list[c->next].key = copy;
	memcpy(c->list[c->next].token, token, REDIS_TOKEN_BYTES);
	c->next = (c->next + 1) % ARRAY_SIZE(c->list);
	(void)pthread_mutex_unlock(&c->lock);
}
