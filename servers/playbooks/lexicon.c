#include "servers/playbooks/lexicon.h"

#include <string.h>

enum { SLOTS_FIRST = 1024, TEXTS_FIRST = 16384 };

/* FNV-1a. What a stranger can make collide costs the building of an index time, no search. */
static uint32_t hash(const char *text)
{
	uint32_t h = 2166136261u;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 16777619u;
	return h ^ h >> 15;
}

/* The slot of a text, or the empty one where it would be. */
static uint32_t find_slot(const struct lexicon *l, const char *text)
{
	uint32_t at = hash(text) & (l->slot_count - 1);

	while (l->slots[at] && strcmp(lexicon_text(l, l->slots[at] - 1), text) != 0)
		at = (at + 1) & (l->slot_count - 1);
	return at;
}

bool lexicon_find(const struct lexicon *l, const char *text, uint32_t *ret)
{
	const uint32_t found = l->slot_count ? l->slots[find_slot(l, text)] : 0;

	if (found)
		*ret = found - 1;
	return found != 0;
}

static bool grow_slots(struct lexicon *l)
{
	const uint32_t count = l->slot_count ? 2 * l->slot_count : SLOTS_FIRST;
	uint32_t *slots = calloc(count, sizeof *slots);

	if (!slots)
		return false;
	free(l->slots);
	l->slots = slots;
	l->slot_count = count;
	for (uint32_t i = 0; i < l->count; i++)
		slots[find_slot(l, lexicon_text(l, i))] = i + 1;
	return true;
}

static bool make_room(struct lexicon *l, size_t length)
{
	if (l->count >= LEXICON_MAX)
		return false;
	if (l->used + length > l->room) {
		const size_t room = 2 * l->room + TEXTS_FIRST + length;
		char *texts = realloc(l->texts, room);

		if (!texts)
			return false;
		l->texts = texts;
		l->room = room;
	}
	if (l->count == l->capacity) {
		const uint32_t capacity = 2 * l->capacity + SLOTS_FIRST;
		uint32_t *offsets = reallocarray(l->offsets, capacity, sizeof *offsets);

		if (!offsets)
			return false;
		l->offsets = offsets;
		l->capacity = capacity;
	}
	return 2 * (l->count + 1) <= l->slot_count || grow_slots(l);
}

bool lexicon_add(struct lexicon *l, const char *text, uint32_t *ret)
{
	const size_t length = strlen(text) + 1;

	if (lexicon_find(l, text, ret))
		return true;
	if (l->used > UINT32_MAX - length || !make_room(l, length))
		return false;
	memcpy(l->texts + l->used, text, length);
	l->offsets[l->count] = (uint32_t)l->used;
	l->used += length;
	l->slots[find_slot(l, text)] = l->count + 1;
	*ret = l->count++;
	return true;
}

void lexicon_done(struct lexicon *l)
{
	free(l->texts);
	free(l->offsets);
	free(l->slots);
	*l = (struct lexicon){ 0 };
}
