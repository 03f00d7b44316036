#include "servers/people/index.h"

#include "servers/people/index_private.h"

#include <ctype.h>
#include <string.h>

/* ---- Sorted texts ------------------------------------------------------------------- */

bool index_grow(void **items, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return true;
	size_t wanted = *capacity ? *capacity + *capacity / 2 : 64;
	void *grown = reallocarray(*items, wanted, size);

	if (!grown)
		return false;
	*items = grown;
	*capacity = wanted;
	return true;
}

uint64_t entry_prefix(const char *text)
{
	uint64_t prefix = 0;
	size_t i = 0;

	for (; i < 8 && text[i]; i++)
		prefix = prefix << 8 | (unsigned char)text[i];
	return i == 0 ? 0 : prefix << 8 * (8 - i);
}

bool entries_add(struct entries *e, uint32_t text, const char *string, uint32_t owner)
{
	if (!index_grow((void **)&e->items, e->count, &e->capacity, sizeof *e->items))
		return false;
	e->items[e->count++] = (struct entry){ .prefix = entry_prefix(string),
					       .text = text,
					       .owner = owner };
	return true;
}

static int compare(const void *a, const void *b, void *text)
{
	const struct entry *x = a, *y = b;
	int order = 0;

	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	if (x->text != y->text && (x->prefix & 0xFF))
		order = strcmp((const char *)text + x->text,
			       (const char *)text + y->text);
	if (order == 0)
		order = x->owner < y->owner ? -1 : x->owner > y->owner;
	return order;
}

void entries_sort(struct entries *e, const char *text)
{
	if (e->count > 1)
		qsort_r(e->items, e->count, sizeof *e->items, compare,
			(void *)(uintptr_t)text);
}

size_t entries_find(const struct entries *e, const char *text, const char *string)
{
	const uint64_t prefix = entry_prefix(string);
	size_t low = 0, high = e->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct entry *at = &e->items[middle];

		if (at->prefix < prefix ||
		    (at->prefix == prefix && strcmp(text + at->text, string) < 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* ---- Life --------------------------------------------------------------------------- */

bool index_add_text(struct people_index *x, const char *text, size_t length,
		    uint32_t *ret)
{
	if (length >= INDEX_TEXT_MAX - x->text_length)
		return false;
	if (x->text_capacity - x->text_length <= length) {
		size_t wanted = x->text_capacity + x->text_capacity / 2 + length + 4096;
		char *grown = realloc(x->text, wanted);

		if (!grown)
			return false;
		x->text = grown;
		x->text_capacity = wanted;
	}
	*ret = (uint32_t)x->text_length;
	memcpy(x->text + x->text_length, text, length);
	x->text[x->text_length + length] = '\0';
	x->text_length += length + 1;
	return true;
}

bool index_add_conflict(struct people_index *x, uint32_t account, uint32_t text)
{
	if (!index_grow((void **)&x->conflicts, x->conflict_count, &x->conflict_capacity,
			sizeof *x->conflicts))
		return false;
	x->conflicts[x->conflict_count++] = (struct conflict){ account, text };
	return true;
}

void index_free(struct people_index *x)
{
	if (!x)
		return;
	free(x->text);
	free(x->accounts);
	free(x->ids.items);
	free(x->words.items);
	free(x->near_ids.forward);
	free(x->near_ids.backward);
	free(x->near_words.forward);
	free(x->near_words.backward);
	free(x->members);
	free(x->starts);
	free(x->conflicts);
	free(x);
}

/* ---- People ------------------------------------------------------------------------- */

size_t index_person_count(const struct people_index *x)
{
	return x->person_count;
}

size_t index_account_count(const struct people_index *x)
{
	return x->account_count;
}

const uint32_t *index_accounts(const struct people_index *x, uint32_t person,
			       size_t *ret_count)
{
	*ret_count = x->starts[person + 1] - x->starts[person];
	return x->members + x->starts[person];
}

const struct index_account *index_account(const struct people_index *x, uint32_t account)
{
	return &x->accounts[account];
}

const char *index_text(const struct people_index *x, uint32_t text)
{
	return x->text + text;
}

void index_person_id(const struct people_index *x, uint32_t person, struct strbuf *sb)
{
	const struct index_account *first = &x->accounts[x->members[x->starts[person]]];

	/* An entry of a file has the person's id for its key. */
	if (first->system != SYSTEM_FILE)
		strbuf_add_format(sb, "%s~",
				  system_name((enum people_system)first->system));
	strbuf_add_string(sb, x->text + first->key);
}

bool index_by_id(const struct people_index *x, const char *id, uint32_t *ret_person)
{
	const char *divider = strchr(id, '~');
	enum people_system system = SYSTEM_FILE;
	const char *key = id;
	char name[8];

	if (divider && (size_t)(divider - id) < sizeof name) {
		memcpy(name, id, (size_t)(divider - id));
		name[divider - id] = '\0';
		if (system_find(name, &system) && system != SYSTEM_FILE)
			key = divider + 1;
		else
			system = SYSTEM_FILE;
	}
	for (size_t i = entries_find(&x->ids, x->text, key);
	     i < x->ids.count && strcmp(x->text + x->ids.items[i].text, key) == 0; i++) {
		const uint32_t account = x->ids.items[i].owner & ENTRY_OWNER_MASK;

		if (x->ids.items[i].owner >> ENTRY_KIND_SHIFT == INDEX_KEY &&
		    x->accounts[account].system == system) {
			*ret_person = x->accounts[account].person;
			return true;
		}
	}
	return false;
}

bool index_conflict(const struct people_index *x, uint32_t account, size_t *at,
		    const char **ret_text)
{
	size_t low = 0, high = x->conflict_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (x->conflicts[middle].account < account)
			low = middle + 1;
		else
			high = middle;
	}
	low += (*at)++;
	if (low >= x->conflict_count || x->conflicts[low].account != account)
		return false;
	*ret_text = x->text + x->conflicts[low].text;
	return true;
}

size_t index_conflict_count(const struct people_index *x)
{
	return x->conflict_count;
}
