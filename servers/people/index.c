#include "servers/people/index.h"

#include "servers/people/index_private.h"

#include <string.h>

#include "base/digest.h"

bool index_grow(void **items, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return true;
	size_t wanted = *capacity + *capacity / 4 + 64;
	void *grown = reallocarray(*items, wanted, size);

	if (!grown)
		return false;
	*items = grown;
	*capacity = wanted;
	return true;
}

/* ---- Texts -------------------------------------------------------------------------- */

/* With a seed that nobody knows who writes into a directory. */
static uint64_t hash(const struct texts *t, const char *text, size_t length)
{
	uint64_t h = t->seed;

	for (size_t i = 0; i < length; i++) {
		h = (h ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
		h ^= h >> 29;
	}
	h = (h ^ length) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

/* The slot of a text, or the free one where it would be. */
static size_t find_slot(const struct texts *t, const char *text, size_t length)
{
	size_t slot = (size_t)hash(t, text, length) & (t->slot_count - 1);

	while (t->slots[slot]) {
		const char *have = texts_get(t, t->slots[slot] - 1);

		if (strncmp(have, text, length) == 0 && have[length] == '\0')
			break;
		slot = (slot + 1) & (t->slot_count - 1);
	}
	return slot;
}

static bool grow_slots(struct texts *t)
{
	if (t->slot_count && t->count < t->slot_count / 8 * 5)
		return true;
	const size_t wanted = t->slot_count ? t->slot_count * 2 : 1024;
	uint32_t *slots = calloc(wanted, sizeof *slots);

	if (!slots)
		return false;
	if (!t->slot_count)
		digest_random(&t->seed, sizeof t->seed);
	free(t->slots);
	t->slots = slots;
	t->slot_count = wanted;
	for (uint32_t i = 0; i < t->count; i++) {
		const char *text = texts_get(t, i);

		t->slots[find_slot(t, text, strlen(text))] = i + 1;
	}
	return true;
}

static bool append(struct texts *t, const char *text, size_t length)
{
	if (length >= INDEX_TEXT_MAX - t->length)
		return false;
	if (t->capacity - t->length <= length) {
		size_t wanted = t->capacity + t->capacity / 4 + length + 4096;
		char *grown = realloc(t->data, wanted);

		if (!grown)
			return false;
		t->data = grown;
		t->capacity = wanted;
	}
	if (!index_grow((void **)&t->at, t->count, &t->at_capacity, sizeof *t->at))
		return false;
	t->at[t->count++] = (uint32_t)t->length;
	memcpy(t->data + t->length, text, length);
	t->data[t->length + length] = '\0';
	t->length += length + 1;
	return true;
}

bool texts_add(struct texts *t, const char *text, size_t length, uint32_t *ret)
{
	size_t slot;

	if (!grow_slots(t))
		return false;
	slot = find_slot(t, text, length);
	if (!t->slots[slot]) {
		if (!append(t, text, length))
			return false;
		t->slots[slot] = (uint32_t)t->count;
	}
	*ret = t->slots[slot] - 1;
	return true;
}

bool texts_find(const struct texts *t, const char *text, uint32_t *ret)
{
	size_t slot;

	if (!t->slot_count)
		return false;
	slot = find_slot(t, text, strlen(text));
	if (!t->slots[slot])
		return false;
	*ret = t->slots[slot] - 1;
	return true;
}

/* ---- Pairs and lists ---------------------------------------------------------------- */

bool pairs_add(struct pairs *p, uint32_t text, uint32_t owner)
{
	if (!index_grow((void **)&p->items, p->count, &p->capacity, sizeof *p->items))
		return false;
	p->items[p->count++] = (uint64_t)text << 32 | owner;
	return true;
}

/* By one digit of sixteen bits, from the lowest; '*ret_same': all have the same. */
static void sort_digit(const uint64_t *from, uint64_t *to, size_t count, unsigned shift,
		       size_t counts[static 1 << 16], bool *ret_same)
{
	size_t sum = 0;

	memset(counts, 0, (1 << 16) * sizeof *counts);
	for (size_t i = 0; i < count; i++)
		counts[from[i] >> shift & 0xFFFF]++;
	*ret_same = counts[from[0] >> shift & 0xFFFF] == count;
	if (*ret_same)
		return;
	for (size_t i = 0; i < 1 << 16; i++) {
		size_t here = counts[i];

		counts[i] = sum;
		sum += here;
	}
	for (size_t i = 0; i < count; i++)
		to[counts[from[i] >> shift & 0xFFFF]++] = from[i];
}

bool pairs_sort(struct pairs *p)
{
	_cleanup_free_ uint64_t *other = malloc((p->count + 1) * sizeof *other);
	_cleanup_free_ size_t *counts = malloc((1 << 16) * sizeof *counts);

	if (!other || !counts)
		return false;
	for (unsigned shift = 0; shift < 64 && p->count > 1; shift += 16) {
		bool same;

		sort_digit(p->items, other, p->count, shift, counts, &same);
		if (!same) {
			uint64_t *swap = p->items;

			p->items = other;
			other = swap;
			p->capacity = p->count + 1;
		}
	}
	return true;
}

bool lists_make(struct lists *l, struct pairs *p, size_t text_count)
{
	size_t kept = 0, at = 0;

	l->starts = malloc((text_count + 1) * sizeof *l->starts);
	if (!l->starts)
		return false;
	l->text_count = text_count;
	for (size_t i = 0; i < p->count; i++)
		if (kept == 0 || p->items[kept - 1] != p->items[i])
			p->items[kept++] = p->items[i];
	l->owners = malloc((kept + 1) * sizeof *l->owners);
	if (!l->owners)
		return false;
	for (size_t text = 0; text <= text_count; text++) {
		l->starts[text] = (uint32_t)at;
		for (; at < kept && pair_text(p->items[at]) == text; at++)
			l->owners[at] = pair_owner(p->items[at]);
	}
	free(p->items);
	*p = (struct pairs){ 0 };
	return true;
}

void lists_done(struct lists *l)
{
	free(l->starts);
	free(l->owners);
	*l = (struct lists){ 0 };
}

/* ---- Life --------------------------------------------------------------------------- */

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
	free(x->texts.data);
	free(x->texts.at);
	free(x->texts.slots);
	free(x->accounts);
	lists_done(&x->ids);
	lists_done(&x->words);
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
	return texts_get(&x->texts, text);
}

void index_person_id(const struct people_index *x, uint32_t person, struct strbuf *sb)
{
	const struct index_account *first = &x->accounts[x->members[x->starts[person]]];

	/* An entry of a file has the person's id for its key. */
	if (first->system != SYSTEM_FILE)
		strbuf_add_format(sb, "%s~",
				  system_name((enum people_system)first->system));
	strbuf_add_string(sb, texts_get(&x->texts, first->key));
}

bool index_find_key(const struct people_index *x, enum people_system system,
		    uint32_t text, uint32_t *ret)
{
	size_t count;
	const uint32_t *owners = lists_get(&x->ids, text, &count);

	for (size_t i = 0; i < count; i++) {
		const uint32_t account = owners[i] & PAIR_OWNER_MASK;

		if (owners[i] >> PAIR_KIND_SHIFT == INDEX_KEY &&
		    x->accounts[account].system == system) {
			*ret = account;
			return true;
		}
	}
	return false;
}

bool index_by_id(const struct people_index *x, const char *id, uint32_t *ret_person)
{
	const char *divider = strchr(id, '~');
	enum people_system system = SYSTEM_FILE;
	const char *key = id;
	uint32_t text, account;
	char name[8];

	if (divider && (size_t)(divider - id) < sizeof name) {
		memcpy(name, id, (size_t)(divider - id));
		name[divider - id] = '\0';
		if (system_find(name, &system) && system != SYSTEM_FILE)
			key = divider + 1;
		else
			system = SYSTEM_FILE;
	}
	if (!texts_find(&x->texts, key, &text) ||
	    !index_find_key(x, system, text, &account))
		return false;
	*ret_person = x->accounts[account].person;
	return true;
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
	*ret_text = texts_get(&x->texts, x->conflicts[low].text);
	return true;
}

size_t index_conflict_count(const struct people_index *x)
{
	return x->conflict_count;
}
