#include "mcp/callers.h"

struct callers_row {
	char client[65];
	unsigned busy;
};

void callers_init(struct callers *c)
{
	*c = (struct callers){ 0 };
	pthread_mutex_init(&c->lock, NULL);
}

void callers_done(struct callers *c)
{
	free(c->rows);
	pthread_mutex_destroy(&c->lock);
}

static struct callers_row *find(const struct callers *c, const char *client)
{
	for (size_t i = 0; i < c->count; i++)
		if (strcmp(c->rows[i].client, client) == 0)
			return &c->rows[i];
	return NULL;
}

static struct callers_row *add(struct callers *c, const char *client)
{
	if (c->count == c->capacity) {
		size_t capacity = c->capacity ? 2 * c->capacity : 16;
		struct callers_row *rows = reallocarray(c->rows, capacity, sizeof *rows);

		if (!rows)
			return NULL;
		c->rows = rows;
		c->capacity = capacity;
	}
	struct callers_row *row = &c->rows[c->count++];
	*row = (struct callers_row){ 0 };
	(void)snprintf(row->client, sizeof row->client, "%s", client);
	return row;
}

bool callers_enter(struct callers *c, const char *client, unsigned max, struct error *err)
{
	bool good = false;

	pthread_mutex_lock(&c->lock);
	struct callers_row *row = find(c, client);
	if (!row)
		row = add(c, client);
	if (!row)
		error_oom(err);
	else if (row->busy >= max)
		error_set(err, ERR_RATE_LIMITED,
			  "%u calls of this client are under way already", max);
	else
		good = ++row->busy > 0;
	pthread_mutex_unlock(&c->lock);
	return good;
}

void callers_leave(struct callers *c, const char *client)
{
	pthread_mutex_lock(&c->lock);
	struct callers_row *row = find(c, client);
	if (row && --row->busy == 0)
		*row = c->rows[--c->count];
	pthread_mutex_unlock(&c->lock);
}
