/*
 * Counts in the coordination store, which all replicas share:
 *   budget/DAY/all, budget/DAY/SHA-256 of the person      each forgets itself
 */
#include "assistant/budget/budget_private.h"

#include <string.h>

#define KEEP_MS (INT64_C(24) * 3600 * 1000 * BUDGET_KEEP_DAYS)

static bool now(struct budget *b, int64_t now_ms, int64_t *ret, struct error *err)
{
	(void)now_ms;
	return coord_now_ms(b->o.coordination, ret, err);
}

static bool add(struct budget *b, const char *id, const char *person, int64_t by,
		int64_t *ret, struct error *err)
{
	char key[BUDGET_ID_BYTES + sizeof "budget/"];

	(void)person;
	(void)snprintf(key, sizeof key, "budget/%s", id);
	char *space = strchr(key, ' '); /* between day and whose */
	if (space)
		*space = '/';
	return coord_count(b->o.coordination, key, by, KEEP_MS, ret, err);
}

static bool sweep(struct budget *b, const char *day, struct error *err)
{
	(void)b;
	(void)day;
	(void)err;
	return true;
}

const struct budget_store budget_coordination = { now, add, sweep };
