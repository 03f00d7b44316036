#include "servers/accounts/turns.h"

void turns_init(struct turns *t)
{
	for (size_t i = 0; i < TURNS; i++)
		(void)pthread_mutex_init(&t->of[i], NULL);
}

void turns_done(struct turns *t)
{
	for (size_t i = 0; i < TURNS; i++)
		(void)pthread_mutex_destroy(&t->of[i]);
}

/* FNV-1a: spreads, no more is asked of it. */
static uint32_t mix(uint32_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT32_C(16777619);
	return hash;
}

struct turn turn_take(struct turns *t, const char *system, const char *id)
{
	uint32_t hash = mix(mix(UINT32_C(2166136261), system), id);
	struct turn turn = { .held = &t->of[hash % TURNS] };

	(void)pthread_mutex_lock(turn.held);
	return turn;
}

void turn_end(const struct turn *turn)
{
	(void)pthread_mutex_unlock(turn->held);
}
