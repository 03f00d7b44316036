#include "servers/playbooks/snippet.h"

#include <md4c.h>
#include <string.h>

#include "base/text.h"
#include "servers/playbooks/html_text.h"
#include "servers/playbooks/visible.h"

enum { WANTED_MAX = 256, AROUND = 40 };

struct place {
	size_t source_start, source_end;
	size_t text_start, text_end;
	int wanted; /* -1: does not match */
};

struct wanted {
	uint32_t stem;
	double weight;
};

struct maker {
	const struct index *x;
	const char *source;
	size_t length;
	struct strbuf text;
	struct place *places;
	size_t count;
	struct wanted wanted[WANTED_MAX];
	size_t wanted_count;
	struct html_filter html;
	bool in_heading;
};

/* ---- What is looked for ---- */

static void want(struct maker *m, uint32_t stem, double weight)
{
	for (size_t i = 0; i < m->wanted_count; i++)
		if (m->wanted[i].stem == stem) {
			if (weight > m->wanted[i].weight)
				m->wanted[i].weight = weight;
			return;
		}
	if (m->wanted_count < WANTED_MAX)
		m->wanted[m->wanted_count++] = (struct wanted){ stem, weight };
}

static void want_all(struct maker *m, const struct query *q)
{
	for (size_t i = 0; i < q->group_count; i++) {
		const struct group *g = &q->groups[i];

		for (uint8_t k = 0; k < g->count; k++)
			for (uint8_t n = 0; n < g->variants[k].count; n++) {
				const uint32_t stem = g->variants[k].stems[n];
				const double rare =
					1.0 / (1 + m->x->postings[stem].in_documents);

				want(m, stem,
				     (double)(g->weight * g->variants[k].weight) *
					     (0.2 + rare));
			}
	}
}

static int find_wanted(const struct maker *m, const char *word)
{
	uint32_t surface;

	if (!lexicon_find(&m->x->surfaces, word, &surface))
		return -1;
	for (size_t i = 0; i < m->wanted_count; i++)
		if (m->wanted[i].stem == m->x->surface_rows[surface].stem)
			return (int)i;
	return -1;
}

/* ---- Reading the section ---- */

static void add_words(struct maker *m, const char *text, size_t length, size_t at)
{
	struct word_reader r = { .text = text, .length = length };
	const size_t base = m->text.length;
	struct word word;

	strbuf_add(&m->text, text, length);
	while (m->count < SNIPPET_WORDS_MAX && word_next(&r, &word))
		m->places[m->count++] = (struct place){
			.source_start = at + word.start,
			.source_end = at + word.end,
			.text_start = base + word.start,
			.text_end = base + word.end,
			.wanted = find_wanted(m, word.text),
		};
}

static int enter_block(MD_BLOCKTYPE type, void *detail, void *context)
{
	struct maker *m = context;

	(void)detail;
	html_filter_reset(&m->html);
	if (type == MD_BLOCK_H)
		m->in_heading = true;
	if (m->text.length > 0 && (type == MD_BLOCK_LI || type == MD_BLOCK_TR))
		strbuf_add_string(&m->text, " · ");
	return 0;
}

static int leave_block(MD_BLOCKTYPE type, void *detail, void *context)
{
	struct maker *m = context;

	(void)detail;
	if (type == MD_BLOCK_H)
		m->in_heading = false;
	strbuf_add_char(&m->text, ' ');
	return 0;
}

static int ignore_span(MD_SPANTYPE type, void *detail, void *context)
{
	(void)type;
	(void)detail;
	(void)context;
	return 0;
}

static int on_text(MD_TEXTTYPE type, const MD_CHAR *text, MD_SIZE size, void *context)
{
	struct maker *m = context;
	const bool is_ours = text >= m->source && text + size <= m->source + m->length;

	if (type == MD_TEXT_HTML)
		html_filter_tag(&m->html, text, size);
	else if (html_filter_hides(&m->html) || m->in_heading)
		return 0;
	else if (type == MD_TEXT_ENTITY)
		html_entity(&m->text, text, size);
	else if (is_ours && (type == MD_TEXT_NORMAL || type == MD_TEXT_CODE))
		add_words(m, text, size, (size_t)(text - m->source));
	else
		strbuf_add_char(&m->text, ' ');
	return m->count == SNIPPET_WORDS_MAX ? -1 : 0; /* enough */
}

/* ---- Choosing ---- */

static double window_value(const struct maker *m, size_t first, size_t last)
{
	uint8_t seen[WANTED_MAX] = { 0 };
	double value = 0;

	for (size_t i = first; i <= last; i++) {
		const int w = m->places[i].wanted;

		if (w < 0)
			continue;
		value += m->wanted[w].weight * (seen[w] ? 0.1 : 1);
		seen[w] = 1;
	}
	return value;
}

/* The window of SNIPPET_BYTES with the most of what is wanted; the earliest of them. */
static void choose(const struct maker *m, size_t *ret_first, size_t *ret_last)
{
	double best = -1;

	for (size_t first = 0, last = 0; first < m->count; first++) {
		/* A window that begins well before its first match says nothing more. */
		if (first > 0 && m->places[first].wanted < 0)
			continue;
		if (last < first)
			last = first;
		while (last + 1 < m->count &&
		       m->places[last + 1].text_end - m->places[first].text_start <=
			       SNIPPET_BYTES - AROUND)
			last++;
		const double value = window_value(m, first, last);
		if (value > best) {
			best = value;
			*ret_first = first;
			*ret_last = last;
		}
	}
}

/* Some words of what stands before. */
static size_t widen(const struct maker *m, size_t first)
{
	const size_t at = m->places[first].text_start;

	while (first > 0 && at - m->places[first - 1].text_start <= AROUND)
		first--;
	return first;
}

/* ---- Writing ---- */

static void add_piece(struct snippet *s, const char *text, size_t length)
{
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;

	visible_line(&line, text, length);
	strbuf_add(&s->text, line.data, line.length);
	visible_escape(&s->marked, line.data, line.length);
}

static bool add_matched(struct snippet *s, const char *text, size_t length)
{
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	json_t *known;
	size_t i;

	visible_line(&word, text, length);

	json_array_foreach(s->matched, i, known)
	{
		if (strcasecmp(json_string_value(known), word.data) == 0)
			return true;
	}
	return strbuf_ok(&word) &&
	       json_array_append_new(s->matched, json_string(word.data)) == 0;
}

static bool write_window(const struct maker *m, size_t first, size_t last,
			 struct snippet *s)
{
	size_t at = m->places[first].text_start;

	if (first > 0) {
		strbuf_add_string(&s->text, "… ");
		strbuf_add_string(&s->marked, "… ");
	}
	for (size_t i = first; i <= last; i++) {
		const struct place *p = &m->places[i];

		if (p->wanted < 0)
			continue;
		add_piece(s, m->text.data + at, p->text_start - at);
		strbuf_add_string(&s->marked, "**");
		add_piece(s, m->text.data + p->text_start, p->text_end - p->text_start);
		strbuf_add_string(&s->marked, "**");
		at = p->text_end;
		if (!add_matched(s, m->text.data + p->text_start,
				 p->text_end - p->text_start))
			return false;
	}
	add_piece(s, m->text.data + at, m->places[last].text_end - at);
	if (last + 1 < m->count) {
		strbuf_add_string(&s->text, " …");
		strbuf_add_string(&s->marked, " …");
	}
	s->start = m->places[first].source_start;
	s->end = m->places[last].source_end;
	return strbuf_ok(&s->text) && strbuf_ok(&s->marked);
}

bool snippet_make(const struct index *x, const struct query *q, const char *source,
		  size_t start, size_t end, struct snippet *ret, struct error *err)
{
	static const MD_PARSER parser = {
		.flags = MD_DIALECT_GITHUB,
		.enter_block = enter_block,
		.leave_block = leave_block,
		.enter_span = ignore_span,
		.leave_span = ignore_span,
		.text = on_text,
	};
	_cleanup_free_ struct place *places =
		reallocarray(NULL, SNIPPET_WORDS_MAX, sizeof *places);
	struct maker m = { .x = x,
			   .source = source,
			   .length = end,
			   .text = STRBUF_INIT,
			   .places = places };
	size_t first = 0, last = 0;
	bool ok;

	*ret = (struct snippet){ .text = STRBUF_INIT,
				 .marked = STRBUF_INIT,
				 .start = start,
				 .end = start,
				 .matched = json_array() };
	want_all(&m, q);
	ok = places && ret->matched &&
	     (md_parse(source + start, (MD_SIZE)(end - start), &parser, &m) == 0 ||
	      m.count == SNIPPET_WORDS_MAX) &&
	     strbuf_ok(&m.text);
	if (ok && m.count > 0) {
		choose(&m, &first, &last);
		ok = write_window(&m, widen(&m, first), last, ret);
	}
	strbuf_done(&m.text);
	if (ok)
		return true;
	snippet_done(ret);
	return error_oom(err);
}

void snippet_done(struct snippet *s)
{
	strbuf_done(&s->text);
	strbuf_done(&s->marked);
	json_decref(s->matched);
	*s = (struct snippet){ .text = STRBUF_INIT, .marked = STRBUF_INIT };
}
