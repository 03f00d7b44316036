#include "wire/schema_table.h"

#include <limits.h>
#include <stdalign.h>

enum { BLOCK_BYTES = 8192 };

struct arena_block {
	struct arena_block *next;
	size_t used;
	size_t size;
	alignas(max_align_t) char bytes[];
};

void *arena_alloc(struct arena *arena, size_t bytes)
{
	struct arena_block *block = arena->blocks;
	size_t align = alignof(max_align_t);

	if (bytes > SIZE_MAX / 2)
		return NULL;
	bytes = (bytes + align - 1) / align * align;
	if (!block || block->size - block->used < bytes) {
		size_t size = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;

		block = calloc(1, sizeof *block + size);
		if (!block)
			return NULL;
		block->size = size;
		block->next = arena->blocks;
		arena->blocks = block;
	}

	void *p = block->bytes + block->used;

	block->used += bytes;
	return p;
}

char *arena_text(struct arena *arena, const char *text, size_t length)
{
	char *copy = arena_alloc(arena, length + 1);

	if (copy)
		memcpy(copy, text, length);
	return copy;
}

void arena_done(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *next = arena->blocks->next;

		free(arena->blocks);
		arena->blocks = next;
	}
}

uint64_t table_mix(uint64_t a, uint64_t b)
{
	__extension__ typedef unsigned __int128 wide;
	wide product = (wide)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t table_hash(uint64_t seed, const void *bytes, size_t length)
{
	const char *p = bytes;
	uint64_t hash = seed ^ (length * UINT64_C(0x9e3779b97f4a7c15));
	uint64_t word;

	for (; length >= sizeof word; length -= sizeof word, p += sizeof word) {
		memcpy(&word, p, sizeof word);
		hash = table_mix(hash ^ word, seed | 1);
	}
	word = 0;
	for (size_t i = 0; i < length; i++)
		word = word << 8 | (unsigned char)p[i];
	return table_mix(hash ^ word, UINT64_C(0xd6e8feb86659fd93));
}

static struct table_entry *find(const struct table *table, uint32_t hash, const void *key,
				size_t length)
{
	for (uint32_t i = hash & table->mask;; i = (i + 1) & table->mask) {
		struct table_entry *e = &table->entries[i];

		if (!e->key || (e->hash == hash && e->length == length &&
				!memcmp(e->key, key, length)))
			return e;
	}
}

static bool grow(struct table *table, struct arena *arena)
{
	uint32_t capacity = table->entries ? (table->mask + 1) * 2 : 8;
	struct table bigger = { .mask = capacity - 1, .count = table->count };

	bigger.entries = arena_alloc(arena, capacity * sizeof *bigger.entries);
	if (!bigger.entries)
		return false;
	for (uint32_t i = 0; table->entries && i <= table->mask; i++) {
		const struct table_entry *e = &table->entries[i];

		if (e->key)
			*find(&bigger, e->hash, e->key, e->length) = *e;
	}
	*table = bigger;
	return true;
}

bool table_put(struct table *table, struct arena *arena, uint64_t seed, const void *key,
	       size_t length, void *value)
{
	if (length > INT32_MAX || table->count >= UINT32_C(1) << 24)
		return false;
	/* At most half full: a miss is then short. */
	if ((!table->entries || table->count * 2 > table->mask) && !grow(table, arena))
		return false;

	uint32_t hash = (uint32_t)table_hash(seed, key, length);
	struct table_entry *e = find(table, hash, key, length);

	if (!e->key)
		table->count++;
	*e = (struct table_entry){ key, (uint32_t)length, hash, value };
	return true;
}

void *table_get(const struct table *table, uint64_t seed, const void *key, size_t length)
{
	if (!table->entries || length > INT32_MAX)
		return NULL;
	return find(table, (uint32_t)table_hash(seed, key, length), key, length)->value;
}
