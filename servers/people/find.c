#include "servers/people/find.h"

#include <string.h>

#include "servers/people/identifier.h"
#include "servers/people/join.h"
#include "servers/people/nicknames.h"
#include "servers/people/words.h"

enum {
	HITS_MAX = 512,         /* of one identifier */
	NEAR_WORD_MIN = 3,      /* letters of each word */
	NEAR_LONE_WORD_MIN = 5, /* and of one that stands alone */
	RUN_MAX = WORD_PARTS_MAX
};

void find_result_done(struct find_result *r)
{
	free(r->hits);
	*r = (struct find_result){ 0 };
}

const char *find_match_name(enum find_match match)
{
	return match == FIND_UNIQUE      ? "unique"
	       : match == FIND_AMBIGUOUS ? "ambiguous"
					 : "none";
}

const char *find_via_name(enum find_via via)
{
	switch (via) {
	case FIND_VIA_IDENTIFIER:
		return "identifier";
	case FIND_VIA_NAME:
		return "name";
	case FIND_VIA_FUZZY:
		return "fuzzy";
	case FIND_VIA_NOTHING:
		break;
	}
	return NULL;
}

int find_score(enum find_why why)
{
	static const int scores[] = { [FIND_BY_IDENTIFIER] = 100,
				      [FIND_BY_NAME] = 80,
				      [FIND_BY_NICKNAME] = 60,
				      [FIND_LIKE_NAME] = 40,
				      [FIND_LIKE_IDENTIFIER] = 30 };

	return scores[why];
}

void find_explain(const struct find_hit *hit, struct strbuf *sb)
{
	static const char *const kinds[INDEX_KINDS] = { "id",
							"id",
							"id",
							"login",
							"DN",
							"e-mail address",
							"unconfirmed e-mail address" };

	switch (hit->why) {
	case FIND_BY_IDENTIFIER:
		strbuf_add_format(sb, "%s %s", system_name(hit->system),
				  kinds[hit->kind]);
		break;
	case FIND_BY_NAME:
		strbuf_add_string(sb, "name");
		break;
	case FIND_BY_NICKNAME:
		strbuf_add_string(sb, "a usual short or long form of the name");
		break;
	case FIND_LIKE_NAME:
		strbuf_add_string(sb, "a name like it");
		break;
	case FIND_LIKE_IDENTIFIER:
		strbuf_add_string(sb, "a login like it");
		break;
	}
}

/* ---- Gathering ---------------------------------------------------------------------- */

struct finding {
	const struct people_index *x;
	const struct find_rules *rules;
	struct find_result *ret;
	size_t capacity;
	struct error *err;
};

static bool add_hit(struct finding *f, const struct find_hit *hit)
{
	struct find_result *r = f->ret;

	if (r->count == f->capacity) {
		size_t wanted = f->capacity ? f->capacity * 2 : 16;
		struct find_hit *grown = reallocarray(r->hits, wanted, sizeof *grown);

		if (!grown)
			return error_oom(f->err);
		r->hits = grown;
		f->capacity = wanted;
	}
	r->hits[r->count++] = *hit;
	return true;
}

/* Those who are not found yet: each once, for the best reason. */
static bool add_people(struct finding *f, const struct index_people *people,
		       enum find_why why)
{
	struct index_people found = { 0 };
	bool ok = true;
	size_t at = 0;

	for (size_t i = 0; i < f->ret->count; i++)
		index_people_add(&found, f->ret->hits[i].person);
	index_people_sort(&found);
	for (size_t i = 0; ok && i < people->count; i++) {
		while (at < found.count && found.items[at] < people->items[i])
			at++;
		if (at == found.count || found.items[at] != people->items[i])
			ok = add_hit(f, &(struct find_hit){ .person = people->items[i],
							    .why = why });
	}
	ok = ok && ((!people->failed && !found.failed) || error_oom(f->err));
	index_people_done(&found);
	return ok;
}

/* ---- Identifiers -------------------------------------------------------------------- */

static bool fits(const struct query *q, const struct index_account *a,
		 enum index_kind kind)
{
	if (kind == INDEX_PERSON || kind == INDEX_KEY)
		return false;
	if (!q->has_system)
		return true;
	/* A mention is an id, "github:" a login. */
	return a->system == q->system &&
	       kind == (q->system == SYSTEM_GITHUB ? INDEX_LOGIN : INDEX_ID);
}

static bool find_folded(struct finding *f, const struct query *q, const char *folded)
{
	struct index_hit hits[HITS_MAX];
	const size_t count = index_identifier(f->x, folded, hits, HITS_MAX);

	for (size_t i = 0; i < count; i++) {
		const struct index_account *a = index_account(f->x, hits[i].account);
		bool is_there = false;

		for (size_t k = 0; k < f->ret->count; k++)
			is_there |= f->ret->hits[k].person == a->person;
		if (!is_there && fits(q, a, hits[i].kind) &&
		    !add_hit(f,
			     &(struct find_hit){ .person = a->person,
						 .why = FIND_BY_IDENTIFIER,
						 .system = (enum people_system)a->system,
						 .kind = hits[i].kind }))
			return false;
	}
	return true;
}

static bool find_identifiers(struct finding *f, const struct query *q)
{
	_cleanup_strbuf_ struct strbuf folded = STRBUF_INIT;
	struct error ignored = ERROR_INIT;

	if (strchr(q->text, '@')) {
		if (!mail_fold(&f->rules->mail, q->text, &folded, f->err))
			return false;
	} else if (!q->is_dn) {
		if (!identifier_fold(&folded, q->text, f->err))
			return false;
	} else if (!identifier_fold_dn(&folded, q->text, &ignored)) {
		return strbuf_ok(&folded) || error_oom(f->err);
	}
	return find_folded(f, q, folded.data);
}

/* ---- Names -------------------------------------------------------------------------- */

/* Who has this word in one of the ways in which it is written. */
static void find_variants(const struct finding *f, const struct word_variants *v,
			  bool also_initial, struct index_people *ret)
{
	for (size_t i = 0; i < v->count; i++) {
		index_word(f->x, INDEX_WORD, v->text[i], ret);
		if (also_initial && word_initial(v->text[i]) == strlen(v->text[i]))
			index_word(f->x, INDEX_INITIAL, v->text[i], ret);
	}
}

/* Who has it under another form of it, by the table and by the configured pairs. */
static void find_nicknames(const struct finding *f, const struct word_variants *v,
			   struct index_people *ret)
{
	for (size_t i = 0; i < v->count; i++) {
		const char *other;
		size_t at = 0;

		while ((other = nickname_next(v->text[i], &at)))
			index_word(f->x, INDEX_FIRST_NAME, other, ret);
		for (const char *const *n = f->rules->nicknames; n && n[0]; n += 2) {
			if (strcmp(n[0], v->text[i]) == 0)
				index_word(f->x, INDEX_FIRST_NAME, n[1], ret);
			if (strcmp(n[1], v->text[i]) == 0)
				index_word(f->x, INDEX_FIRST_NAME, n[0], ret);
		}
	}
}

struct matching {
	const struct finding *f;
	const struct words *words;
	bool has_long_word; /* so that a single letter may be an initial */
	bool with_nicknames;
};

/* Who has the word as a whole, or all of its parts. */
static void match_word(const struct matching *m, const struct word *w,
		       struct index_people *ret)
{
	find_variants(m->f, &w->whole, m->has_long_word, ret);
	if (m->with_nicknames)
		find_nicknames(m->f, &w->whole, ret);
	if (w->part_count > 1) {
		struct index_people all = { 0 };

		find_variants(m->f, &w->parts[0], false, &all);
		index_people_sort(&all);
		for (size_t i = 1; i < w->part_count; i++) {
			struct index_people one = { 0 };

			find_variants(m->f, &w->parts[i], false, &one);
			index_people_sort(&one);
			index_people_keep(&all, &one);
			index_people_done(&one);
		}
		index_people_add_all(ret, &all);
		index_people_done(&all);
	}
	index_people_sort(ret);
}

/* Who has these words as the parts of one with hyphens: "al hadi" is Al-Hadi. */
static void match_run(const struct matching *m, size_t from, size_t length,
		      struct index_people *ret)
{
	for (int last = 0; last < 2; last++) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

		for (size_t i = 0; i < length; i++) {
			const struct word_variants *v = &m->words->items[from + i].whole;

			if (i > 0)
				strbuf_add_char(&sb, INDEX_PART_BREAK);
			strbuf_add_string(&sb, v->text[last ? v->count - 1 : 0]);
		}
		if (strbuf_ok(&sb))
			index_word(m->f->x, INDEX_WORD, sb.data, ret);
		else
			ret->failed = true;
	}
	index_people_sort(ret);
}

/* Who has all words from 'from' on. */
static void match_from(const struct matching *m, struct index_people *rest, size_t from)
{
	struct index_people *ret = &rest[from];

	match_word(m, &m->words->items[from], ret);
	if (from + 1 < m->words->count)
		index_people_keep(ret, &rest[from + 1]);
	for (size_t length = 2; length <= RUN_MAX && from + length <= m->words->count;
	     length++) {
		struct index_people run = { 0 };

		match_run(m, from, length, &run);
		if (from + length < m->words->count)
			index_people_keep(&run, &rest[from + length]);
		index_people_add_all(ret, &run);
		index_people_done(&run);
	}
	index_people_sort(ret);
}

static bool is_long(const struct word *w)
{
	return w->whole.count > 0 && word_length(w->whole.text[0]) > 1;
}

static bool find_names(struct finding *f, const struct words *words, bool with_nicknames,
		       enum find_why why)
{
	struct index_people rest[WORDS_MAX] = { { 0 } };
	struct matching m = { .f = f, .words = words, .with_nicknames = with_nicknames };
	bool ok;

	for (size_t i = 0; i < words->count; i++)
		m.has_long_word |= is_long(&words->items[i]);
	for (size_t i = words->count; i-- > 0;)
		match_from(&m, rest, i);
	ok = add_people(f, &rest[0], why);
	for (size_t i = 0; i < words->count; i++)
		index_people_done(&rest[i]);
	return ok;
}

/* ---- Likeness ----------------------------------------------------------------------- */

static bool may_be_near(const struct words *words)
{
	const size_t least = words->count > 1 ? NEAR_WORD_MIN : NEAR_LONE_WORD_MIN;

	for (size_t i = 0; i < words->count; i++)
		if (word_length(words->items[i].whole.text[0]) < least)
			return false;
	return words->count > 0;
}

static bool find_near(struct finding *f, const struct words *words)
{
	struct index_people all = { 0 };
	bool ok;

	if (!may_be_near(words))
		return true;
	for (size_t i = 0; i < words->count; i++) {
		const struct word_variants *v = &words->items[i].whole;
		struct index_people one = { 0 };

		for (size_t k = 0; k < v->count; k++)
			index_near_words(f->x, v->text[k], &one);
		index_people_sort(&one);
		if (i == 0) {
			all = one;
			continue;
		}
		index_people_keep(&all, &one);
		index_people_done(&one);
	}
	ok = add_people(f, &all, FIND_LIKE_NAME);
	index_people_done(&all);
	return ok;
}

/* A lone word may be a login with a slip. */
static bool find_near_identifier(struct finding *f, const struct query *q,
				 const struct words *words)
{
	_cleanup_strbuf_ struct strbuf folded = STRBUF_INIT;
	struct index_people near = { 0 };
	bool ok;

	if (words->count > 1 || !may_be_near(words) || strpbrk(q->text, " \t\r\n"))
		return true;
	if (!identifier_fold(&folded, q->text, f->err))
		return false;
	index_near_identifiers(f->x, folded.data, &near);
	index_people_sort(&near);
	ok = add_people(f, &near, FIND_LIKE_IDENTIFIER);
	index_people_done(&near);
	return ok;
}

/* ---- The whole ---------------------------------------------------------------------- */

static bool is_open(const struct people_index *x, uint32_t person)
{
	size_t count;
	const uint32_t *accounts = index_accounts(x, person, &count);

	for (size_t i = 0; i < count; i++)
		if (!index_account(x, accounts[i])->is_closed)
			return true;
	return false;
}

struct order {
	const struct people_index *x;
};

static int best_first(const void *a, const void *b, void *context)
{
	const struct order *o = context;
	const struct find_hit *p = a, *q = b;
	const bool p_open = is_open(o->x, p->person), q_open = is_open(o->x, q->person);

	if (p->why != q->why)
		return p->why < q->why ? -1 : 1;
	if (p_open != q_open)
		return p_open ? -1 : 1;
	return p->person < q->person ? -1 : p->person > q->person;
}

static void conclude(struct finding *f, bool is_likeness)
{
	struct find_result *r = f->ret;
	bool all_identifiers = true;

	for (size_t i = 0; i < r->count; i++)
		all_identifiers &= r->hits[i].why == FIND_BY_IDENTIFIER;
	if (r->count > 1)
		qsort_r(r->hits, r->count, sizeof *r->hits, best_first,
			&(struct order){ f->x });
	r->match = r->count == 0                   ? FIND_NONE
		   : r->count == 1 && !is_likeness ? FIND_UNIQUE
						   : FIND_AMBIGUOUS;
	r->via = r->count == 0     ? FIND_VIA_NOTHING
		 : is_likeness     ? FIND_VIA_FUZZY
		 : all_identifiers ? FIND_VIA_IDENTIFIER
				   : FIND_VIA_NAME;
}

/* Names, and where nothing else matches what is like them. */
static bool find_words(struct finding *f, const struct query *q, bool *ret_likeness)
{
	_cleanup_(words_done) struct words words = WORDS_INIT;

	if (!words_read(&words, q->text, f->err))
		return false;
	/* Nobody has that many names. */
	if (words.has_more || words.count == 0)
		return true;
	const bool is_identifier = f->ret->count > 0;
	if (!find_names(f, &words, false, FIND_BY_NAME))
		return false;
	*ret_likeness = f->ret->count == 0;
	/* Beside somebody's identifier a guess at names says nothing. */
	if (!is_identifier && !find_names(f, &words, true, FIND_BY_NICKNAME))
		return false;
	if (f->ret->count > 0)
		return true;
	return find_near(f, &words) && find_near_identifier(f, q, &words);
}

static bool find(const struct people_index *x, const struct find_rules *rules,
		 const char *text, bool may_be_name, struct find_result *ret,
		 struct error *err)
{
	_cleanup_(query_done) struct query q = { 0 };
	_cleanup_(find_result_done) struct find_result result = { 0 };
	struct finding f = { .x = x, .rules = rules, .ret = &result, .err = err };
	bool is_likeness = false;

	if (!query_read(&q, text, err))
		return false;
	result.flag = q.flag;
	if (!q.flag && !find_identifiers(&f, &q))
		return false;
	if (!q.flag && !q.is_identifier && may_be_name &&
	    !find_words(&f, &q, &is_likeness))
		return false;
	conclude(&f, is_likeness);
	*ret = result;
	result = (struct find_result){ 0 };
	return true;
}

bool find_people(const struct people_index *x, const struct find_rules *rules,
		 const char *text, struct find_result *ret, struct error *err)
{
	return find(x, rules, text, true, ret, err);
}

bool find_by_identifier(const struct people_index *x, const struct find_rules *rules,
			const char *text, struct find_result *ret, struct error *err)
{
	return find(x, rules, text, false, ret, err);
}
