/*
 * Lists that servers let us keep (PROTOCOL 2.8). A client speaks with one server as one
 * principal, so all in here is that one's; what is private goes when the token does, for
 * the next may be somebody else's.
 */
#include "base/clock.h"
#include "mcp/client/client_private.h"

enum { KEPT_MAX_MS = 60 * 60 * 1000, KINDS = 4 };

static const struct {
	const char *method, *notification;
} kinds[KINDS] = {
	{ "tools/list", "notifications/tools/list_changed" },
	{ "prompts/list", "notifications/prompts/list_changed" },
	{ "resources/list", "notifications/resources/list_changed" },
	{ "resources/templates/list", "notifications/resources/list_changed" },
};

struct client_cache {
	pthread_mutex_t lock;
	uint64_t drops;
	struct entry {
		json_t *list; /* NULL: none */
		int64_t until_ms;
		bool is_public;
		uint64_t token; /* that it was got with */
	} entries[KINDS];
};

struct client_cache *client_cache_new(void)
{
	struct client_cache *k = calloc(1, sizeof *k);

	if (k)
		(void)pthread_mutex_init(&k->lock, NULL);
	return k;
}

void client_cache_free(struct client_cache *k)
{
	for (size_t i = 0; k && i < KINDS; i++)
		json_decref(k->entries[i].list);
	if (k)
		(void)pthread_mutex_destroy(&k->lock);
	free(k);
}

static uint64_t token_of(struct mcp_client *c)
{
	return c->oauth ? client_oauth_generation(c->oauth) : 0;
}

static struct entry *entry_of(struct client_cache *k, const char *method)
{
	for (size_t i = 0; i < KINDS; i++)
		if (strcmp(kinds[i].method, method) == 0)
			return &k->entries[i];
	return NULL;
}

json_t *client_cache_get(struct mcp_client *c, const char *method)
{
	const uint64_t token = token_of(c);
	struct client_cache *k = c->cache;
	json_t *copy = NULL;

	if (!k)
		return NULL;
	(void)pthread_mutex_lock(&k->lock);
	const struct entry *e = entry_of(k, method);
	if (e && e->list && clock_mono_ms() < e->until_ms &&
	    (e->is_public || e->token == token))
		copy = json_deep_copy(e->list);
	(void)pthread_mutex_unlock(&k->lock);
	return copy;
}

/* Absent or negative is 0, and so is what is no integer. */
void client_freshness_take(struct client_freshness *f, const json_t *page)
{
	const json_t *ttl = json_object_get(page, "ttlMs");
	const char *scope = json_get_string(page, "cacheScope");
	int64_t ttl_ms = json_is_integer(ttl) ? json_integer_value(ttl) : 0;
	int64_t until_ms;

	ttl_ms = ttl_ms < 0 ? 0 : ttl_ms > KEPT_MAX_MS ? KEPT_MAX_MS : ttl_ms;
	until_ms = clock_mono_ms() + ttl_ms;
	if (until_ms < f->until_ms)
		f->until_ms = until_ms;
	f->is_public = f->is_public && scope && strcmp(scope, "public") == 0;
}

/* Both only grow, so their sum tells whether either did. */
uint64_t client_cache_generation(struct mcp_client *c)
{
	uint64_t drops;

	if (!c->cache)
		return 0;
	(void)pthread_mutex_lock(&c->cache->lock);
	drops = c->cache->drops;
	(void)pthread_mutex_unlock(&c->cache->lock);
	return drops + token_of(c);
}

void client_cache_put(struct mcp_client *c, const char *method, const json_t *list,
		      const struct client_freshness *f, uint64_t generation)
{
	struct client_cache *k = c->cache;
	json_t *copy = NULL, *before = NULL;

	/* It changed while it was read: the first pages may be old. */
	if (!k || client_cache_generation(c) != generation)
		return;
	if (f->until_ms > clock_mono_ms())
		copy = json_deep_copy(list);
	const uint64_t token = token_of(c);
	(void)pthread_mutex_lock(&k->lock);
	struct entry *e = entry_of(k, method);
	if (e && k->drops + token == generation) {
		before = e->list;
		*e = (struct entry){ copy, f->until_ms, f->is_public, token };
		copy = NULL;
	}
	(void)pthread_mutex_unlock(&k->lock);
	json_decref(before);
	json_decref(copy);
}

void client_cache_drop(struct mcp_client *c, const char *notification)
{
	struct client_cache *k = c->cache;

	if (!k)
		return;
	(void)pthread_mutex_lock(&k->lock);
	for (size_t i = 0; i < KINDS; i++)
		if (strcmp(kinds[i].notification, notification) == 0) {
			json_decref(k->entries[i].list);
			k->entries[i].list = NULL;
			k->drops++;
		}
	(void)pthread_mutex_unlock(&k->lock);
}
