/*
 * schema_table -- memory that ends all at once, and hash tables that live in it.
 *
 * A compiled schema is many small pieces with one end: an arena. A table maps
 * bytes to a pointer; keys are borrowed and must outlive it. Hashes are keyed
 * with a random seed, so that nobody can prepare names that collide. Private to
 * the schema files.
 */
#ifndef WIRE_SCHEMA_TABLE_H
#define WIRE_SCHEMA_TABLE_H

#include "base/cleanup.h"

struct arena_block;

struct arena {
	struct arena_block *blocks;
};

/* Zeroed and aligned for anything; NULL without memory. */
void *arena_alloc(struct arena *arena, size_t bytes) _must_use_;
char *arena_text(struct arena *arena, const char *text, size_t length) _must_use_;
void arena_done(struct arena *arena);

#define ARENA_NEW(arena, type) ((type *)arena_alloc(arena, sizeof(type)))

struct table_entry {
	const void *key; /* NULL: free */
	uint32_t length;
	uint32_t hash;
	void *value;
};

struct table {
	struct table_entry *entries; /* NULL while empty */
	uint32_t mask;
	uint32_t count;
};

uint64_t table_mix(uint64_t a, uint64_t b);
uint64_t table_hash(uint64_t seed, const void *bytes, size_t length);

/* Replaces the value of an equal key. False without memory, or past 2^31 bytes of key. */
bool table_put(struct table *table, struct arena *arena, uint64_t seed, const void *key,
	       size_t length, void *value);
/* NULL when absent. */
void *table_get(const struct table *table, uint64_t seed, const void *key, size_t length);

#endif
