#include "wire/schema_plain.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS_MAX = 32, BRANCHES_MAX = 4, REPEAT_MAX = 100000 };

/* So many characters of a set. */
struct item {
	uint64_t ascii[2];
	bool others; /* every character beyond ASCII too */
	bool fills;  /* it takes all but the last 'rest' characters of the text */
	unsigned min, max;
	unsigned rest;
};

struct plain {
	bool to_end; /* the pattern ends with '$' */
	unsigned branch_count;
	unsigned ends[BRANCHES_MAX]; /* of each alternative, in 'items' */
	struct item items[];
};

struct reader {
	const char *at, *end;
	struct item items[ITEMS_MAX];
	unsigned count;
	unsigned prefix; /* items before the group */
	unsigned ends[BRANCHES_MAX];
	unsigned branch_count;
};

static bool take(struct reader *r, char c)
{
	if (r->at >= r->end || *r->at != c)
		return false;
	r->at++;
	return true;
}

static bool next_is(const struct reader *r, char c)
{
	return r->at < r->end && *r->at == c;
}

/* ---- Sets ---- */

static void add(struct item *item, unsigned char c)
{
	item->ascii[c / 64] |= UINT64_C(1) << (c % 64);
}

static bool has(const struct item *item, unsigned char c)
{
	return c < 0x80 ? item->ascii[c / 64] >> (c % 64) & 1 : item->others;
}

static bool is_disjoint(const struct item *a, const struct item *b)
{
	return !(a->ascii[0] & b->ascii[0]) && !(a->ascii[1] & b->ascii[1]) &&
	       !(a->others && b->others);
}

/* ---- Reading ---- */

/* A visible ASCII character that stands for itself; after a backslash, punctuation. */
static bool take_char(struct reader *r, const char *special, char *ret)
{
	bool escaped = take(r, '\\');

	if (r->at >= r->end || *r->at < ' ' || *r->at > '~')
		return false;
	*ret = *r->at++;
	if (!escaped)
		return !strchr(special, *ret);
	return strchr("!\"#%&'()*+,-./:;<=>?@[\\]^`{|}~", *ret) != NULL;
}

/* After "[". */
static bool take_class(struct reader *r, struct item *item)
{
	bool negated = take(r, '^');

	if (next_is(r, ']'))
		return false;
	while (!take(r, ']')) {
		char first, last;

		if (!take_char(r, "", &first))
			return false;
		last = first;
		if (next_is(r, '-') && r->end - r->at > 1 && r->at[1] != ']') {
			r->at++;
			if (!take_char(r, "", &last) || last < first)
				return false;
		}
		for (char c = first; c <= last; c++)
			add(item, (unsigned char)c);
	}
	if (negated) {
		item->ascii[0] = ~item->ascii[0];
		item->ascii[1] = ~item->ascii[1];
		item->others = true;
	}
	return true;
}

static bool take_number(struct reader *r, unsigned *ret)
{
	const char *start = r->at;

	for (*ret = 0; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++) {
		*ret = *ret * 10 + (unsigned)(*r->at - '0');
		if (*ret > REPEAT_MAX)
			return false;
	}
	return r->at != start;
}

/* After "{". */
static bool take_interval(struct reader *r, struct item *item)
{
	if (!take_number(r, &item->min))
		return false;
	item->max = item->min;
	if (take(r, ',')) {
		item->max = UINT32_MAX;
		if (!next_is(r, '}') && !take_number(r, &item->max))
			return false;
	}
	return take(r, '}') && item->min <= item->max;
}

static bool take_quantifier(struct reader *r, struct item *item)
{
	bool good = true;

	item->min = item->max = 1;
	if (take(r, '*')) {
		item->min = 0;
		item->max = UINT32_MAX;
	} else if (take(r, '+')) {
		item->max = UINT32_MAX;
	} else if (take(r, '?')) {
		item->min = 0;
	} else if (take(r, '{')) {
		good = take_interval(r, item);
	} else {
		return true;
	}
	/* Lazy ones are read by others, and so is a second quantifier, which is an error. */
	return good && !next_is(r, '?') && !next_is(r, '*') && !next_is(r, '+') &&
	       !next_is(r, '{');
}

static bool take_item(struct reader *r)
{
	struct item *item = &r->items[r->count];
	char c;

	if (r->count == ITEMS_MAX)
		return false;
	*item = (struct item){ 0 };
	if (take(r, '[')) {
		if (!take_class(r, item))
			return false;
	} else {
		if (!take_char(r, "^$\\.*+?()[]{}|", &c))
			return false;
		add(item, (unsigned char)c);
	}
	r->count++;
	return take_quantifier(r, item);
}

/* The last item of no fixed length gets what those behind it leave. */
static void find_filling(struct item *items, unsigned from, unsigned to)
{
	unsigned rest = 0;

	for (unsigned i = to; i-- > from;) {
		if (items[i].min != items[i].max) {
			items[i].fills = true;
			items[i].rest = rest;
			return;
		}
		rest += items[i].min;
	}
}

/* What any other repeated item can take, nothing that may follow it takes: so it is
 * right to give it as much as there is. */
static bool is_decided(const struct item *items, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		if (items[i].min == items[i].max || items[i].fills)
			continue;
		for (unsigned next = i + 1; next < to; next++) {
			if (!is_disjoint(&items[i], &items[next]))
				return false;
			if (items[next].min > 0)
				break;
		}
	}
	return true;
}

static bool take_items(struct reader *r, const char *stops)
{
	while (r->at < r->end && !strchr(stops, *r->at))
		if (!take_item(r))
			return false;
	return true;
}

/* What stands before the group, each of its alternatives, what stands behind it. */
static bool take_pattern(struct reader *r, bool *ret_to_end)
{
	bool in_group;

	if (!take(r, '^') || !take_items(r, "$("))
		return false;
	r->prefix = r->count;
	in_group = take(r, '(');
	do {
		if (r->branch_count == BRANCHES_MAX || !take_items(r, "$|)"))
			return false;
		r->ends[r->branch_count++] = r->count;
	} while (in_group && take(r, '|'));
	if (in_group && (!take(r, ')') || !take_items(r, "$(")))
		return false;
	*ret_to_end = take(r, '$');
	return r->at == r->end;
}

static unsigned copy(struct plain *to, unsigned at, const struct reader *r, unsigned from,
		     unsigned end)
{
	memcpy(to->items + at, r->items + from, (end - from) * sizeof *to->items);
	return at + end - from;
}

/* Each alternative with what stands around the group; whether all are decided. */
static bool make_branches(struct plain *plain, const struct reader *r)
{
	const unsigned suffix = r->ends[r->branch_count - 1];
	bool decided = true;

	for (unsigned i = 0, n = 0; i < r->branch_count; i++) {
		const unsigned from = n;

		n = copy(plain, n, r, 0, r->prefix);
		n = copy(plain, n, r, i ? r->ends[i - 1] : r->prefix, r->ends[i]);
		n = copy(plain, n, r, suffix, r->count);
		plain->ends[plain->branch_count++] = n;
		if (plain->to_end)
			find_filling(plain->items, from, n);
		decided = decided && is_decided(plain->items, from, n);
	}
	return decided;
}

struct plain *plain_new(const char *pattern, size_t length)
{
	struct reader r = { .at = pattern, .end = pattern + length };
	_cleanup_(plain_freep) struct plain *plain = NULL;
	bool to_end;

	if (!take_pattern(&r, &to_end))
		return NULL;
	plain = calloc(1, sizeof *plain + (size_t)r.count * r.branch_count *
						  sizeof *plain->items);
	if (!plain)
		return NULL;
	plain->to_end = to_end;
	return make_branches(plain, &r) ? TAKE(plain) : NULL;
}

void plain_free(struct plain *plain)
{
	free(plain);
}

/* ---- Matching ---- */

static const char *skip_character(const char *at, const char *end)
{
	at++;
	while (at < end && ((unsigned char)*at & 0xC0) == 0x80)
		at++;
	return at;
}

static size_t count_characters(const char *at, const char *end)
{
	size_t count = 0;

	for (; at < end; at++)
		count += ((unsigned char)*at & 0xC0) != 0x80;
	return count;
}

static bool branch_matches(const struct plain *plain, unsigned from, unsigned to,
			   const char *at, const char *end)
{
	for (unsigned i = from; i < to; i++) {
		const struct item *item = &plain->items[i];
		size_t n = 0, most = item->max;

		if (item->fills) {
			size_t left = count_characters(at, end);

			if (left < item->rest)
				return false;
			if (left - item->rest < most)
				most = left - item->rest;
		}
		while (n < most && at < end && has(item, (unsigned char)*at)) {
			at = skip_character(at, end);
			n++;
		}
		if (n < item->min)
			return false;
	}
	return !plain->to_end || at == end;
}

bool plain_matches(const struct plain *plain, const char *text, size_t length)
{
	unsigned from = 0;

	for (unsigned i = 0; i < plain->branch_count; i++) {
		if (branch_matches(plain, from, plain->ends[i], text, text + length))
			return true;
		from = plain->ends[i];
	}
	return false;
}
