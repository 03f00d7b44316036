/* From accounts to an index: what each is found by, and what it could be joined by. */
#include "servers/people/index_private.h"

#include <string.h>

#include "servers/people/identifier.h"
#include "servers/people/join.h"
#include "servers/people/words.h"

struct index_builder *index_builder_new(const struct index_rules *rules,
					struct error *err)
{
	struct index_builder *b = calloc(1, sizeof *b);

	if (b)
		b->index = calloc(1, sizeof *b->index);
	if (!b || !b->index) {
		free(b);
		error_oom(err);
		return NULL;
	}
	b->rules = *rules;
	return b;
}

void index_builder_free(struct index_builder *b)
{
	if (!b)
		return;
	index_free(b->index);
	for (size_t i = 0; i < CLAIM_KINDS; i++)
		free(b->claims[i].items);
	free(b->ids.items);
	free(b->words.items);
	free(b->links);
	free(b);
}

/* ---- One account -------------------------------------------------------------------- */

struct adding {
	struct index_builder *b;
	uint32_t account;
	size_t first_word;  /* of this account, among all */
	bool first_is_open; /* no nicknames are listed for it */
	struct strbuf text; /* for what is made of values */
	struct error *err;
};

static bool fail_full(struct error *err)
{
	return error_set(err, ERR_INTERNAL,
			 "out of memory, or more people than an index can hold");
}

static bool add_pair(struct adding *a, struct pairs *to, const char *text, size_t length,
		     uint32_t owner, uint32_t *ret)
{
	return (texts_add(&a->b->index->texts, text, length, ret) &&
		pairs_add(to, *ret, owner)) ||
	       fail_full(a->err);
}

static bool add_identifier(struct adding *a, enum index_kind kind, const char *value)
{
	struct people_index *x = a->b->index;
	struct error ignored = ERROR_INIT;
	uint32_t text;

	strbuf_clear(&a->text);
	/* A DN that is none is found by nothing. */
	if (!(kind == INDEX_DN ? identifier_fold_dn(&a->text, value, &ignored)
			       : identifier_fold(&a->text, value, &ignored)))
		return strbuf_ok(&a->text) || error_oom(a->err);
	if (!add_pair(a, &a->b->ids, a->text.data, a->text.length,
		      (uint32_t)kind << PAIR_KIND_SHIFT | a->account, &text))
		return false;
	if (kind == INDEX_LOGIN)
		x->accounts[a->account].label = text;
	return true;
}

static bool add_claim(struct adding *a, enum claim_kind kind, const char *text,
		      size_t length)
{
	uint32_t number;

	return add_pair(a, &a->b->claims[kind], text, length, a->account, &number);
}

/* The domain that stands for a domain. */
static const char *main_domain(const struct index_rules *rules, const char *domain)
{
	for (size_t i = 0; rules->domains && rules->domains[i]; i += 2)
		if (strcmp(rules->domains[i], domain) == 0)
			return rules->domains[i + 1];
	return domain;
}

bool mail_fold(const struct index_rules *rules, const char *mail, struct strbuf *sb,
	       struct error *err)
{
	const char *at;

	if (!identifier_fold(sb, mail, err))
		return false;
	at = strrchr(sb->data, '@');
	if (at) {
		const char *domain = main_domain(rules, at + 1);

		if (domain != at + 1) {
			strbuf_truncate(sb, (size_t)(at + 1 - sb->data));
			strbuf_add_string(sb, domain);
		}
	}
	return strbuf_ok(sb) || error_oom(err);
}

/* 'joins': it is of a mailbox, and vouched for. */
static bool add_mail(struct adding *a, enum index_kind kind, const char *mail, bool joins)
{
	const uint32_t owner = (uint32_t)kind << PAIR_KIND_SHIFT | a->account;
	struct error ignored = ERROR_INIT;
	const char *at, *plus;
	uint32_t text;

	strbuf_clear(&a->text);
	if (!mail_fold(&a->b->rules, mail, &a->text, &ignored))
		return strbuf_ok(&a->text) || error_oom(a->err);
	if (!add_pair(a, &a->b->ids, a->text.data, a->text.length, owner, &text))
		return false;
	at = strrchr(a->text.data, '@');
	if (!joins || !at || at == a->text.data)
		return true;
	plus = a->b->rules.keep_plus_tags
		       ? NULL
		       : memchr(a->text.data, '+', (size_t)(at - a->text.data));
	if (!plus || plus == a->text.data)
		return pairs_add(&a->b->claims[CLAIM_MAIL], text, a->account) ||
		       fail_full(a->err);
	_cleanup_strbuf_ struct strbuf bare = STRBUF_INIT;
	strbuf_add(&bare, a->text.data, (size_t)(plus - a->text.data));
	strbuf_add_string(&bare, at);
	return strbuf_ok(&bare) ? add_claim(a, CLAIM_MAIL, bare.data, bare.length)
				: error_oom(a->err);
}

/* ---- Words of names ----------------------------------------------------------------- */

static bool add_word(struct adding *a, enum index_mark mark, const char *word,
		     size_t length)
{
	struct pairs *words = &a->b->words;
	uint32_t text;

	strbuf_clear(&a->text);
	if (mark != INDEX_WORD)
		strbuf_add_char(&a->text, (char)mark);
	strbuf_add(&a->text, word, length);
	if (!strbuf_ok(&a->text))
		return error_oom(a->err);
	if (!texts_add(&a->b->index->texts, a->text.data, a->text.length, &text))
		return fail_full(a->err);
	/* Most accounts say each name several times. */
	for (size_t i = a->first_word; i < words->count; i++)
		if (pair_text(words->items[i]) == text)
			return true;
	return pairs_add(words, text, a->account) || fail_full(a->err);
}

static bool add_variants(struct adding *a, enum index_mark mark,
			 const struct word_variants *v)
{
	for (size_t i = 0; i < v->count; i++) {
		size_t length = mark == INDEX_INITIAL ? word_initial(v->text[i])
						      : strlen(v->text[i]);

		if (!add_word(a, mark, v->text[i], length))
			return false;
	}
	return true;
}

/* "al" INDEX_PART_BREAK "hadi", in the first way of writing each and in the last. */
static bool add_parts(struct adding *a, const struct word *w)
{
	for (int last = 0; last < 2; last++) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

		for (size_t p = 0; p < w->part_count; p++) {
			const struct word_variants *v = &w->parts[p];

			if (v->count == 0)
				return true;
			if (p > 0)
				strbuf_add_char(&sb, INDEX_PART_BREAK);
			strbuf_add_string(&sb, v->text[last ? v->count - 1 : 0]);
		}
		if (!strbuf_ok(&sb))
			return error_oom(a->err);
		if (!add_word(a, INDEX_WORD, sb.data, sb.length))
			return false;
	}
	return true;
}

/* 'first': the word that is the first name, or SIZE_MAX. */
static bool add_words(struct adding *a, const struct words *words, size_t first)
{
	for (size_t i = 0; i < words->count; i++) {
		const struct word *w = &words->items[i];

		if (!add_variants(a, INDEX_WORD, &w->whole) ||
		    (w->part_count > 1 && !add_parts(a, w)))
			return false;
		if (i != first)
			continue;
		if (!add_variants(a, INDEX_INITIAL, &w->whole) ||
		    (a->first_is_open && !add_variants(a, INDEX_FIRST_NAME, &w->whole)))
			return false;
	}
	return true;
}

static bool add_name(struct adding *a, enum account_field field, const char *name)
{
	_cleanup_(words_done) struct words words = WORDS_INIT;
	const char *comma = strchr(name, ',');
	size_t first = field == ACCOUNT_NAME || field == ACCOUNT_GIVEN ||
				       field == ACCOUNT_FORMER
			       ? 0
			       : SIZE_MAX;

	if (!words_read(&words, name, a->err))
		return false;
	/* "Stone, Peter" */
	if (first == 0 && comma) {
		_cleanup_(words_done) struct words before = WORDS_INIT;
		_cleanup_free_ char *surname = strndup(name, (size_t)(comma - name));

		if (!surname)
			return error_oom(a->err);
		if (!words_read(&before, surname, a->err))
			return false;
		first = before.count < words.count ? before.count : 0;
	}
	return add_words(a, &words, first);
}

static bool add_value(struct adding *a, enum account_field field, const char *value)
{
	struct index_account *account = &a->b->index->accounts[a->account];

	switch (field) {
	case ACCOUNT_ID:
		return add_identifier(a, INDEX_ID, value);
	case ACCOUNT_LOGIN:
		return strchr(value, '@') ? add_mail(a, INDEX_MAIL, value, false)
					  : add_identifier(a, INDEX_LOGIN, value);
	case ACCOUNT_DN:
		return add_identifier(a, INDEX_DN, value);
	case ACCOUNT_MAIL:
		return add_mail(a, INDEX_MAIL, value, true);
	case ACCOUNT_OTHER_MAIL:
		return add_mail(a, INDEX_OTHER_MAIL, value, false);
	case ACCOUNT_NAME:
	case ACCOUNT_GIVEN:
	case ACCOUNT_SURNAME:
	case ACCOUNT_NICKNAME:
	case ACCOUNT_FORMER:
	case ACCOUNT_DISPLAY:
		return add_name(a, field, value);
	case ACCOUNT_NUMBER:
		return add_claim(a, CLAIM_NUMBER, value, strlen(value));
	case ACCOUNT_CLAIM:
		strbuf_clear(&a->text);
		return (identifier_fold(&a->text, value, a->err) &&
			add_claim(a, CLAIM_LOGIN, a->text.data, a->text.length));
	case ACCOUNT_PERSON:
		return add_claim(a, CLAIM_FILE, value, strlen(value));
	case ACCOUNT_CLOSED:
		account->is_closed = true;
		return true;
	case ACCOUNT_SUSPENDED:
		account->is_suspended = true;
		return true;
	case ACCOUNT_NICKNAMES_SAID:
	case ACCOUNT_GROUP:
	case ACCOUNT_STATUS:
	case ACCOUNT_KIND:
	case ACCOUNT_FLAG:
		break;
	}
	return true;
}

bool index_add(struct index_builder *b, enum people_system system, const char *key,
	       uint32_t row, const char *fields, size_t length, struct error *err)
{
	struct people_index *x = b->index;
	struct adding a = {
		.b = b, .first_word = b->words.count, .text = STRBUF_INIT, .err = err
	};
	struct account_fields f = account_read(fields, length);
	const char *value;
	uint32_t text;
	bool ok;

	if (x->account_count == INDEX_ACCOUNTS_MAX ||
	    !index_grow((void **)&x->accounts, x->account_count, &x->account_capacity,
			sizeof *x->accounts) ||
	    !texts_add(&x->texts, key, strlen(key), &text))
		return fail_full(err);
	a.account = (uint32_t)x->account_count++;
	a.first_is_open = !account_get(fields, length, ACCOUNT_NICKNAMES_SAID);
	x->accounts[a.account] = (struct index_account){ .row = row,
							 .person = a.account,
							 .key = text,
							 .label = text,
							 .system = (uint8_t)system };
	ok = pairs_add(&b->ids, text,
		       (uint32_t)INDEX_KEY << PAIR_KIND_SHIFT | a.account) ||
	     fail_full(err);
	while (ok && (value = account_next(&f)))
		ok = add_value(&a, f.field, value);
	strbuf_done(&a.text);
	return ok;
}

bool index_link(struct index_builder *b, const struct index_link *link, struct error *err)
{
	struct stored_link l = { .system = link->system,
				 .anchor_system = link->anchor_system,
				 .is_parted = link->is_parted };
	struct texts *t = &b->index->texts;

	if (!index_grow((void **)&b->links, b->link_count, &b->link_capacity,
			sizeof *b->links) ||
	    !texts_add(t, link->key, strlen(link->key), &l.key) ||
	    !texts_add(t, link->anchor_key, strlen(link->anchor_key), &l.anchor_key) ||
	    !texts_add(t, link->evidence, strlen(link->evidence), &l.evidence))
		return fail_full(err);
	b->links[b->link_count++] = l;
	return true;
}

/* ---- The whole ---------------------------------------------------------------------- */

/* In the order of systems, then of keys: of members of one person alone. */
static bool is_before(const struct people_index *x, uint32_t a, uint32_t b)
{
	const struct index_account *p = &x->accounts[a], *q = &x->accounts[b];
	int order;

	if (p->system != q->system)
		return p->system < q->system;
	if (p->is_closed != q->is_closed)
		return q->is_closed;
	order = strcmp(texts_get(&x->texts, p->key), texts_get(&x->texts, q->key));
	return order ? order < 0 : a < b;
}

/* From representatives to numbers of people, with their accounts side by side. */
static bool number_people(struct people_index *x)
{
	const size_t n = x->account_count;
	_cleanup_free_ uint32_t *number = malloc((n + 1) * sizeof *number);

	x->members = malloc((n + 1) * sizeof *x->members);
	if (!number || !x->members)
		return false;
	for (size_t i = 0; i < n; i++)
		if (x->accounts[i].person == i)
			number[i] = (uint32_t)x->person_count++;
	x->starts = calloc(x->person_count + 2, sizeof *x->starts);
	if (!x->starts)
		return false;
	for (size_t i = 0; i < n; i++) {
		x->accounts[i].person = number[x->accounts[i].person];
		x->starts[x->accounts[i].person + 2]++;
	}
	for (size_t i = 2; i < x->person_count + 2; i++)
		x->starts[i] += x->starts[i - 1];
	for (uint32_t i = 0; i < n; i++)
		x->members[x->starts[x->accounts[i].person + 1]++] = i;
	for (size_t p = 0; p < x->person_count; p++)
		for (uint32_t i = x->starts[p] + 1; i < x->starts[p + 1]; i++)
			for (uint32_t j = i;
			     j > x->starts[p] &&
			     is_before(x, x->members[j], x->members[j - 1]);
			     j--) {
				uint32_t swap = x->members[j];

				x->members[j] = x->members[j - 1];
				x->members[j - 1] = swap;
			}
	return true;
}

/* Words of accounts become words of people, each once. */
static bool own_words(struct index_builder *b)
{
	struct people_index *x = b->index;

	for (size_t i = 0; i < b->words.count; i++) {
		const uint64_t pair = b->words.items[i];

		b->words.items[i] = (uint64_t)pair_text(pair) << 32 |
				    x->accounts[pair_owner(pair)].person;
	}
	return pairs_sort(&b->words) && lists_make(&x->words, &b->words, x->texts.count);
}

static int by_account(const void *a, const void *b)
{
	const struct conflict *x = a, *y = b;

	if (x->account != y->account)
		return x->account < y->account ? -1 : 1;
	return x->text < y->text ? -1 : x->text > y->text;
}

/* Give back what was reserved for more; where that fails it is just larger. */
static void shrink(void **items, size_t count, size_t size)
{
	void *less = count ? reallocarray(*items, count, size) : NULL;

	if (less)
		*items = less;
}

static bool build(struct index_builder *b, struct error *err)
{
	struct people_index *x = b->index;

	if (!pairs_sort(&b->ids) || !lists_make(&x->ids, &b->ids, x->texts.count))
		return fail_full(err);
	if (!join_accounts(b, err))
		return false;
	for (size_t i = 0; i < CLAIM_KINDS; i++) {
		free(b->claims[i].items);
		b->claims[i] = (struct pairs){ 0 };
	}
	if (!number_people(x) || !own_words(b))
		return fail_full(err);
	if (x->conflict_count > 1)
		qsort(x->conflicts, x->conflict_count, sizeof *x->conflicts, by_account);
	shrink((void **)&x->texts.data, x->texts.length, 1);
	shrink((void **)&x->texts.at, x->texts.count, sizeof *x->texts.at);
	shrink((void **)&x->accounts, x->account_count, sizeof *x->accounts);
	return index_make_distinct(x, err);
}

struct people_index *index_build(struct index_builder *builder, struct error *err)
{
	_cleanup_(index_builder_freep) struct index_builder *b = builder;

	return build(b, err) ? TAKE(b->index) : NULL;
}
