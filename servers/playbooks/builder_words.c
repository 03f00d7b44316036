#include "servers/playbooks/builder_private.h"

#include <ctype.h>
#include <string.h>

#include "servers/playbooks/bytes.h"

enum { ROOM_FIRST = 4096, POSTING_FIRST = 16 };

static bool grow(void **array, uint32_t *room, uint32_t needed, size_t size)
{
	if (needed <= *room)
		return true;
	const uint32_t bigger = needed + needed / 2 + ROOM_FIRST;
	char *grown = reallocarray(*array, bigger, size);

	if (!grown)
		return false;
	memset(grown + (size_t)*room * size, 0, (size_t)(bigger - *room) * size);
	*array = grown;
	*room = bigger;
	return true;
}

/* Two arrays that share their room. */
static bool grow_two(uint32_t **one, uint32_t **other, uint32_t *room, uint32_t needed)
{
	uint32_t same = *room;

	return grow((void **)one, &same, needed, sizeof **one) &&
	       grow((void **)other, room, needed, sizeof **other);
}

bool builder_words_start(struct builder *b)
{
	b->stamp++;
	b->count_used = 0;
	return true;
}

static bool find_stem(struct builder *b, const char *word, uint32_t *ret)
{
	const uint32_t known = b->surfaces.count;
	char stem[WORD_BYTES_MAX + 1];
	uint32_t surface;

	if (!lexicon_add(&b->surfaces, word, &surface) ||
	    !grow_two(&b->surface_stem, &b->surface_count, &b->surface_room,
		      b->surfaces.count))
		return false;
	if (surface == known) {
		stemmer_stem(b->stemmer, word, stem);
		if (!lexicon_add(&b->stems, stem, &b->surface_stem[surface]))
			return false;
	}
	b->surface_count[surface]++;
	*ret = b->surface_stem[surface];
	return grow((void **)&b->gathered, &b->gathered_room, b->stems.count,
		    sizeof *b->gathered) &&
	       grow_two(&b->stamps, &b->places, &b->stamp_room, b->stems.count);
}

static bool count(struct builder *b, const char *word, enum field field,
		  struct section_row *row)
{
	uint32_t stem;

	if (!find_stem(b, word, &stem))
		return false;
	if (b->stamps[stem] != b->stamp) {
		if (!grow((void **)&b->counts, &b->count_room, b->count_used + 1,
			  sizeof *b->counts))
			return false;
		b->stamps[stem] = b->stamp;
		b->places[stem] = b->count_used;
		b->counts[b->count_used++] = (struct count){ .stem = stem };
	}
	uint8_t *in = &b->counts[b->places[stem]].in[field];
	*in = (uint8_t)(*in + (*in < UINT8_MAX));
	if (row->lengths[field] < UINT16_MAX)
		row->lengths[field]++;
	return true;
}

/* "drive-by" is "drive", "by" and "driveby". */
static bool count_joined(struct builder *b, const char *first, const char *second,
			 enum field field, struct section_row *row)
{
	char joined[2 * WORD_BYTES_MAX + 1];

	(void)snprintf(joined, sizeof joined, "%s%s", first, second);
	return strlen(joined) > WORD_BYTES_MAX || count(b, joined, field, row);
}

bool builder_words(struct builder *b, const char *text, size_t length, enum field field,
		   struct section_row *row)
{
	struct word_reader r = { .text = text, .length = length };
	struct word word, before = { .tied = false };

	while (word_next(&r, &word)) {
		if (!word_is_stop(word.text) && !count(b, word.text, field, row))
			return false;
		if (before.tied && !count_joined(b, before.text, word.text, field, row))
			return false;
		before = word;
	}
	return true;
}

static bool add_bytes(struct gathered *g, const uint8_t *bytes, size_t length)
{
	if (g->length + length > g->room) {
		const uint32_t room = 2 * g->room + POSTING_FIRST;
		uint8_t *grown = realloc(g->bytes, room);

		if (!grown)
			return false;
		g->bytes = grown;
		g->room = room;
	}
	memcpy(g->bytes + g->length, bytes, length);
	g->length += (uint32_t)length;
	return true;
}

bool builder_words_end(struct builder *b, uint32_t section)
{
	for (uint32_t i = 0; i < b->count_used; i++) {
		const struct count *c = &b->counts[i];
		struct gathered *g = &b->gathered[c->stem];
		uint8_t posting[5 + FIELD_COUNT];
		const size_t n = bytes_put(posting, section - g->last);

		memcpy(posting + n, c->in, FIELD_COUNT);
		if (!add_bytes(g, posting, n + FIELD_COUNT))
			return false;
		g->last = section;
	}
	return true;
}

/* ---- "Business Email Compromise (BEC)" ---- */

/* Whether the initials of the words before spell the acronym; where they begin. */
static bool spell(const struct word *words, size_t count, const char *acronym,
		  size_t *ret_first)
{
	const size_t letters = strlen(acronym);

	for (size_t skip = 0; skip <= 2 && letters + skip <= count; skip++) {
		/* A word like 'of' may or may not lend its letter. */
		size_t at = count - letters - skip, matched = 0;
		*ret_first = at;
		for (; at < count && matched < letters; at++)
			if (words[at].text[0] == acronym[matched])
				matched++;
			else if (!word_is_stop(words[at].text))
				break;
		if (matched == letters && at == count &&
		    words[*ret_first].text[0] == acronym[0])
			return true;
	}
	return false;
}

static bool is_acronym(const char *text, const struct word *w)
{
	const size_t length = w->end - w->start;
	size_t capitals = 0;

	if (length < 2 || length > ACRONYM_WORDS_MAX || text[w->start - 1] != '(')
		return false;
	for (size_t i = w->start; i < w->end; i++)
		capitals += isupper((unsigned char)text[i]) != 0;
	return capitals >= 2 && capitals + 1 >= length && text[w->end] == ')';
}

static bool keep_acronym(struct builder *b, const char *acronym, const struct word *words,
			 size_t count)
{
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
	uint32_t ignored;

	strbuf_add_format(&line, "%s\t", acronym);
	for (size_t i = 0; i < count; i++)
		strbuf_add_format(&line, "%s%s", i ? " " : "", words[i].text);
	return strbuf_ok(&line) && lexicon_add(&b->acronyms, line.data, &ignored);
}

bool builder_acronyms(struct builder *b, const char *text, size_t length)
{
	enum { BEHIND = ACRONYM_WORDS_MAX + 2 };
	struct word_reader r = { .text = text, .length = length };
	struct word words[BEHIND + 1], word;
	size_t count = 0, first;

	if (!memchr(text, '(', length))
		return true;
	while (word_next(&r, &word)) {
		if (word.start > 0 && is_acronym(text, &word)) {
			if (word.text[strlen(word.text) - 1] == 's' &&
			    text[word.end - 1] == 's')
				word.text[strlen(word.text) - 1] = '\0';
			if (spell(words, count, word.text, &first) &&
			    !keep_acronym(b, word.text, words + first, count - first))
				return false;
		}
		if (count == BEHIND) {
			memmove(words, words + 1, (BEHIND - 1) * sizeof *words);
			count--;
		}
		words[count++] = word;
	}
	return true;
}
