#include "servers/people/join.h"

#include <string.h>

#include "servers/people/identifier.h"

enum { CLIQUE_MAX = 64, CONFLICT_NAMES_MAX = 8 };

/* Accounts with the same claim. */
struct clique {
	uint32_t text;
	uint32_t first, count; /* in the pool */
};

struct joining {
	struct index_builder *b;
	struct people_index *x;
	uint32_t *parent; /* what was joined so far */
	uint32_t *trial;  /* and what this step would join */
	bool *is_fixed;   /* a person said whose it is: nothing is inferred */
	struct clique *cliques;
	size_t clique_count, clique_capacity;
	uint32_t *pool;
	size_t pool_count, pool_capacity;
	/* Of each component: */
	uint8_t *systems; /* a bit each */
	bool *has_mail, *is_bad;
	struct error *err;
};

static void joining_done(struct joining *j)
{
	free(j->parent);
	free(j->trial);
	free(j->is_fixed);
	free(j->cliques);
	free(j->pool);
	free(j->systems);
	free(j->has_mail);
	free(j->is_bad);
}

static uint32_t root_of(uint32_t *parent, uint32_t i)
{
	while (parent[i] != i) {
		parent[i] = parent[parent[i]];
		i = parent[i];
	}
	return i;
}

static void unite(uint32_t *parent, uint32_t a, uint32_t b)
{
	a = root_of(parent, a);
	b = root_of(parent, b);
	if (a < b)
		parent[b] = a;
	else
		parent[a] = b;
}

static bool fail_memory(const struct joining *j)
{
	return error_oom(j->err);
}

/* ---- What people said --------------------------------------------------------------- */

/* A link to what is not there any more joins nothing. */
static void join_links(struct joining *j)
{
	for (size_t i = 0; i < j->b->link_count; i++) {
		const struct stored_link *l = &j->b->links[i];
		uint32_t account, anchor;

		if (!index_find_key(j->x, l->system, l->key, &account))
			continue;
		j->is_fixed[account] = true;
		j->x->accounts[account].evidence = l->evidence;
		if (l->is_parted) {
			j->x->accounts[account].is_parted = true;
		} else if (index_find_key(j->x, l->anchor_system, l->anchor_key,
					  &anchor)) {
			unite(j->parent, account, anchor);
			j->x->accounts[account].joined = INDEX_BY_LINK;
		}
	}
}

/* ---- Cliques ------------------------------------------------------------------------ */

static bool add_clique(struct joining *j, uint32_t text, const uint32_t *members,
		       size_t count)
{
	if (count < 2)
		return true;
	if (!index_grow((void **)&j->cliques, j->clique_count, &j->clique_capacity,
			sizeof *j->cliques))
		return fail_memory(j);
	j->cliques[j->clique_count++] = (struct clique){ .text = text,
							 .first = (uint32_t)j->pool_count,
							 .count = (uint32_t)count };
	for (size_t i = 0; i < count; i++) {
		if (!index_grow((void **)&j->pool, j->pool_count, &j->pool_capacity,
				sizeof *j->pool))
			return fail_memory(j);
		j->pool[j->pool_count++] = members[i];
	}
	return true;
}

/* "e-mail address a@b: ldap adam, ldap adam2" */
static bool report(struct joining *j, enum claim_kind kind, uint32_t claim,
		   const uint32_t *members, size_t count)
{
	static const char *const words[CLAIM_KINDS] = { "person of a file",
							"e-mail address", "account",
							"employee number" };
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	uint32_t text;

	strbuf_add_format(&sb, "%s %s is claimed by", words[kind],
			  texts_get(&j->x->texts, claim));
	for (size_t i = 0; i < count && i < CONFLICT_NAMES_MAX; i++) {
		const struct index_account *a = &j->x->accounts[members[i]];

		strbuf_add_format(&sb, "%s %s %s", i ? "," : "",
				  system_name((enum people_system)a->system),
				  texts_get(&j->x->texts, a->label));
	}
	if (count > CONFLICT_NAMES_MAX)
		strbuf_add_string(&sb, " and others");
	if (!strbuf_ok(&sb) || !texts_add(&j->x->texts, sb.data, sb.length, &text))
		return fail_memory(j);
	for (size_t i = 0; i < count; i++)
		if (!index_add_conflict(j->x, members[i], text))
			return fail_memory(j);
	return true;
}

/* Of a claim that closed accounts had and open ones have: each side by itself, and only
 * in systems where both are; whose the others are, nobody knows. */
static bool divide_passed_on(struct joining *j, enum claim_kind kind, uint32_t text,
			     const uint32_t *members, size_t count)
{
	uint32_t side[2][CLIQUE_MAX], rest[CLIQUE_MAX];
	size_t sides[2] = { 0, 0 }, rest_count = 0;
	uint8_t open = 0, closed = 0;

	for (size_t i = 0; i < count; i++) {
		const struct index_account *a = &j->x->accounts[members[i]];

		*(a->is_closed ? &closed : &open) |= (uint8_t)(1u << a->system);
	}
	for (size_t i = 0; i < count; i++) {
		const struct index_account *a = &j->x->accounts[members[i]];

		if ((open & closed) >> a->system & 1)
			side[a->is_closed][sides[a->is_closed]++] = members[i];
		else
			rest[rest_count++] = members[i];
	}
	return add_clique(j, text, side[0], sides[0]) &&
	       add_clique(j, text, side[1], sides[1]) &&
	       (rest_count == 0 || report(j, kind, text, rest, rest_count));
}

static bool is_passed_on(const struct joining *j, const uint32_t *members, size_t count)
{
	uint8_t open = 0, closed = 0;

	for (size_t i = 0; i < count; i++) {
		const struct index_account *a = &j->x->accounts[members[i]];

		*(a->is_closed ? &closed : &open) |= (uint8_t)(1u << a->system);
	}
	return open & closed;
}

/* An account with a login that others say is their person's: "github:adam". */
static bool add_login_clique(struct joining *j, uint32_t text, uint32_t *members,
			     size_t count)
{
	const char *claim = texts_get(&j->x->texts, text), *login = strchr(claim, ':');
	_cleanup_free_ char *name = login ? strndup(claim, (size_t)(login - claim))
					  : NULL;
	uint32_t target = 0, claimant = members[0];
	enum people_system system;
	const uint32_t *owners = NULL;
	size_t targets = 0, owner_count = 0;
	uint32_t number;

	if (!login || !name || !system_find(name, &system))
		return true;
	if (texts_find(&j->x->texts, login + 1, &number))
		owners = lists_get(&j->x->ids, number, &owner_count);
	for (size_t i = 0; i < owner_count; i++) {
		const uint32_t account = owners[i] & PAIR_OWNER_MASK;

		if (owners[i] >> PAIR_KIND_SHIFT != INDEX_KEY &&
		    j->x->accounts[account].system == system &&
		    !j->x->accounts[account].is_closed && !j->is_fixed[account] &&
		    !(targets && account == target)) {
			target = account;
			targets++;
		}
	}
	if (targets == 0)
		return true;
	for (size_t i = 1; i < count; i++)
		if (root_of(j->parent, members[i]) != root_of(j->parent, claimant))
			return report(j, CLAIM_LOGIN, text, members, count) &&
			       report(j, CLAIM_LOGIN, text, (const uint32_t[]){ target },
				      1);
	if (targets > 1)
		return report(j, CLAIM_LOGIN, text, members, count);
	return add_clique(j, text, (const uint32_t[]){ claimant, target }, 2);
}

static bool gather(struct joining *j, enum claim_kind kind)
{
	const struct pairs *claims = &j->b->claims[kind];

	j->clique_count = j->pool_count = 0;
	for (size_t i = 0, next; i < claims->count; i = next) {
		const uint32_t text = pair_text(claims->items[i]);
		uint32_t members[CLIQUE_MAX];
		size_t count = 0;
		bool is_full = false, ok;

		for (next = i;
		     next < claims->count && pair_text(claims->items[next]) == text;
		     next++) {
			const uint32_t account = pair_owner(claims->items[next]);

			if (j->is_fixed[account] ||
			    (count > 0 && members[count - 1] == account))
				continue;
			/* Gone, it says nothing of other accounts any more. */
			if (kind == CLAIM_LOGIN && j->x->accounts[account].is_closed)
				continue;
			if (count == CLIQUE_MAX)
				is_full = true;
			else
				members[count++] = account;
		}
		if (count == 0)
			continue;
		if (is_full)
			ok = report(j, kind, text, members, count);
		else if (kind == CLAIM_LOGIN)
			ok = add_login_clique(j, text, members, count);
		else if (kind != CLAIM_FILE && is_passed_on(j, members, count))
			ok = divide_passed_on(j, kind, text, members, count);
		else
			ok = add_clique(j, text, members, count);
		if (!ok)
			return false;
	}
	return true;
}

/* ---- One step ----------------------------------------------------------------------- */

/* Which components of the trial would make one person of two. */
static void judge(struct joining *j, enum claim_kind kind)
{
	const size_t n = j->x->account_count;

	memset(j->systems, 0, n);
	memset(j->is_bad, 0, n);
	/* First of what was joined before, each for itself ... */
	for (uint32_t i = 0; i < n; i++)
		j->systems[root_of(j->parent, i)] |=
			(uint8_t)(1u << j->x->accounts[i].system);
	if (kind == CLAIM_FILE)
		return;
	/* ... then of what comes together: its root is the lowest account, so it is met
	 * before the others. */
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t together = root_of(j->trial, i);

		if (j->parent[i] != i || together == i)
			continue;
		j->is_bad[together] |=
			(j->systems[together] & j->systems[i]) != 0 ||
			(kind >= CLAIM_LOGIN && j->has_mail[together] && j->has_mail[i]);
		j->systems[together] |= j->systems[i];
		j->has_mail[together] |= j->has_mail[i];
	}
}

/* Of each component as it is now, kept at its root. */
static void note_mails(struct joining *j)
{
	const struct pairs *mails = &j->b->claims[CLAIM_MAIL];

	memset(j->has_mail, 0, j->x->account_count);
	for (size_t i = 0; i < mails->count; i++)
		j->has_mail[root_of(j->parent, pair_owner(mails->items[i]))] = true;
}

static bool is_apart(struct joining *j, const struct clique *c)
{
	const uint32_t *members = j->pool + c->first;

	for (uint32_t i = 1; i < c->count; i++)
		if (root_of(j->parent, members[i]) != root_of(j->parent, members[0]))
			return true;
	return false;
}

static void accept(struct joining *j, enum claim_kind kind, const struct clique *c)
{
	static const uint8_t joined[CLAIM_KINDS] = { INDEX_BY_FILE, INDEX_BY_MAIL,
						     INDEX_BY_CLAIM, INDEX_BY_NUMBER };

	for (uint32_t i = 0; i < c->count; i++) {
		struct index_account *a = &j->x->accounts[j->pool[c->first + i]];

		unite(j->parent, j->pool[c->first], j->pool[c->first + i]);
		/* Of several the first as text, whatever order they came in. */
		if (a->joined == INDEX_ALONE ||
		    (a->joined == joined[kind] &&
		     strcmp(texts_get(&j->x->texts, c->text),
			    texts_get(&j->x->texts, a->evidence)) < 0)) {
			a->joined = joined[kind];
			a->evidence = c->text;
		}
	}
}

static bool step(struct joining *j, enum claim_kind kind)
{
	const size_t n = j->x->account_count;

	if (!pairs_sort(&j->b->claims[kind]))
		return fail_memory(j);
	if (!gather(j, kind))
		return false;
	note_mails(j);
	memcpy(j->trial, j->parent, n * sizeof *j->trial);
	for (size_t i = 0; i < j->clique_count; i++)
		for (uint32_t m = 1; m < j->cliques[i].count; m++)
			unite(j->trial, j->pool[j->cliques[i].first],
			      j->pool[j->cliques[i].first + m]);
	judge(j, kind);
	/* What is refused is said before anything is joined: by then it is apart. */
	for (size_t i = 0; i < j->clique_count; i++) {
		const struct clique *c = &j->cliques[i];

		if (j->is_bad[root_of(j->trial, j->pool[c->first])] && is_apart(j, c) &&
		    !report(j, kind, c->text, j->pool + c->first, c->count))
			return false;
	}
	for (size_t i = 0; i < j->clique_count; i++) {
		const struct clique *c = &j->cliques[i];

		if (!j->is_bad[root_of(j->trial, j->pool[c->first])])
			accept(j, kind, c);
	}
	return true;
}

/* ---- Afterwards --------------------------------------------------------------------- */

/* A login or id of one system that two people have, and neither is gone: said, as a
 * look-up finds both. */
static bool report_shared(struct joining *j)
{
	struct people_index *x = j->x;
	const size_t texts = x->ids.text_count;

	for (uint32_t text = 0; text < texts; text++) {
		uint32_t members[CLIQUE_MAX];
		size_t count = 0, owner_count;
		const uint32_t *owners = lists_get(&x->ids, text, &owner_count);
		bool is_shared = false;

		for (size_t i = 0; i < owner_count && owner_count > 1; i++) {
			const uint32_t account = owners[i] & PAIR_OWNER_MASK,
				       kind = owners[i] >> PAIR_KIND_SHIFT;

			if ((kind != INDEX_LOGIN && kind != INDEX_ID &&
			     kind != INDEX_DN) ||
			    x->accounts[account].is_closed || count == CLIQUE_MAX ||
			    (count > 0 && x->accounts[account].system !=
						  x->accounts[members[0]].system))
				continue;
			is_shared |= count > 0 && root_of(j->parent, account) !=
							  root_of(j->parent, members[0]);
			members[count++] = account;
		}
		if (is_shared && !report(j, CLAIM_LOGIN, text, members, count))
			return false;
	}
	return true;
}

bool join_accounts(struct index_builder *b, struct error *err)
{
	struct people_index *x = b->index;
	const size_t n = x->account_count + 1;
	_cleanup_(joining_done) struct joining j = {
		.b = b,
		.x = x,
		.parent = malloc(n * sizeof *j.parent),
		.trial = malloc(n * sizeof *j.trial),
		.is_fixed = calloc(n, sizeof *j.is_fixed),
		.systems = calloc(n, sizeof *j.systems),
		.has_mail = calloc(n, sizeof *j.has_mail),
		.is_bad = calloc(n, sizeof *j.is_bad),
		.err = err,
	};

	if (!j.parent || !j.trial || !j.is_fixed || !j.systems || !j.has_mail ||
	    !j.is_bad)
		return fail_memory(&j);
	for (uint32_t i = 0; i < x->account_count; i++)
		j.parent[i] = i;
	join_links(&j);
	for (size_t kind = 0; kind < CLAIM_KINDS; kind++)
		if (!step(&j, (enum claim_kind)kind))
			return false;
	if (!report_shared(&j))
		return false;
	for (uint32_t i = 0; i < x->account_count; i++)
		x->accounts[i].person = root_of(j.parent, i);
	return true;
}
