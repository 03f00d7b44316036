#include "assistant/budget/budget.h"

#include <string.h>
#include <time.h>

#include "assistant/budget/budget_private.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)

struct budget *budget_new(const struct budget_options *o, struct error *err)
{
	struct budget *b = calloc(1, sizeof *b);

	if (!b) {
		error_oom(err);
		return NULL;
	}
	b->o = *o;
	b->store = o->coordination ? &budget_coordination : &budget_documents;
	return b;
}

void budget_free(struct budget *b)
{
	free(b);
}

int64_t budget_cost(const struct assistant_usage *usage, size_t sent_bytes,
		    size_t received_bytes)
{
	/* What is streamed is mostly frames around the text: only sent bytes say much. */
	int64_t least = (int64_t)(sent_bytes / BUDGET_BYTES_A_TOKEN +
				  received_bytes / (BUDGET_BYTES_A_TOKEN * 16));
	int64_t said = 0, cached = 0;

	if (usage) {
		cached = usage->cache_read / BUDGET_CACHE_DIVISOR;
		said = usage->input + usage->output + usage->cache_write + cached;
		/* the cache makes it cheaper than its bytes, by its tenth and not below */
		if (usage->cache_read > 0)
			least /= BUDGET_CACHE_DIVISOR;
	}
	return said > least ? said : least;
}

/* --- days and names --- */

static bool day_of(int64_t now_ms, char ret[static BUDGET_DAY_BYTES], struct error *err)
{
	const time_t at = (time_t)(now_ms / 1000);
	struct tm tm;

	if (!gmtime_r(&at, &tm) || strftime(ret, BUDGET_DAY_BYTES, "%Y-%m-%d", &tm) == 0)
		return error_set(err, ERR_INTERNAL, "no calendar has such a day");
	return true;
}

static bool today(struct budget *b, int64_t now_ms, char ret[static BUDGET_DAY_BYTES],
		  struct error *err)
{
	int64_t at_ms;

	return b->store->now(b, now_ms, &at_ms, err) && day_of(at_ms, ret, err);
}

/* NULL: of all. Whatever a person is called, it makes an id. */
static void id_of(const char *day, const char *person, char ret[static BUDGET_ID_BYTES])
{
	char hex[DIGEST_HEX_BYTES];

	if (person)
		digest_sha256_hex(person, strlen(person), hex);
	(void)snprintf(ret, BUDGET_ID_BYTES, "%s %s", day, person ? hex : "all");
}

/* --- what the store did not take --- */

static void owe(struct budget *b, const char *id, const char *person, int64_t tokens)
{
	struct budget_owed *row = NULL;

	for (size_t i = 0; i < BUDGET_OWED_MAX; i++) {
		struct budget_owed *o = &b->owed[i];

		if (o->tokens > 0 && strcmp(o->id, id) == 0)
			row = o;
		if (!row && o->tokens == 0)
			row = o;
	}
	/* As many as there may be requests under way, and none more is begun meanwhile. */
	if (!row)
		return;
	if (row->tokens == 0) {
		(void)snprintf(row->id, sizeof row->id, "%s", id);
		(void)snprintf(row->person, sizeof row->person, "%s",
			       person ? person : "");
	}
	row->tokens += tokens;
}

static bool pay(struct budget *b, struct error *err)
{
	for (size_t i = 0; i < BUDGET_OWED_MAX; i++) {
		struct budget_owed *o = &b->owed[i];
		int64_t total;

		if (o->tokens == 0)
			continue;
		if (!b->store->add(b, o->id, *o->person ? o->person : NULL, o->tokens,
				   &total, err))
			return false;
		o->tokens = 0;
	}
	return true;
}

/* --- asking and booking --- */

struct scope {
	int64_t limit;
	const char *person; /* NULL: all */
	const char *whose;
};

enum { SCOPES = 2 };

static void scopes_of(const struct budget *b, const char *person,
		      struct scope ret[static SCOPES])
{
	ret[0] = (struct scope){ b->o.per_day, NULL, "" };
	ret[1] = (struct scope){ b->o.per_person, person, " for one person" };
}

static bool add(struct budget *b, const char *day, const struct scope *s, int64_t by,
		int64_t *ret_total, struct error *err)
{
	char id[BUDGET_ID_BYTES];

	*ret_total = 0;
	if (s->limit == 0 || by == 0)
		return true;
	id_of(day, s->person, id);
	return b->store->add(b, id, s->person, by, ret_total, err);
}

static void give_back(struct budget *b, const struct budget_share *share,
		      const struct scope *scopes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct error ignored = ERROR_INIT;
		int64_t total;

		(void)add(b, share->day, &scopes[i], -share->tokens, &total, &ignored);
	}
}

bool budget_ask(struct budget *b, const char *person, size_t body_bytes, int64_t now_ms,
		struct budget_share *ret, struct error *err)
{
	/* Half way between closest and usual packing; the booking puts it right. */
	struct budget_share share = {
		.tokens = (int64_t)(body_bytes / (BUDGET_BYTES_A_TOKEN / 2)) + 1
	};
	struct scope scopes[SCOPES];

	if (!*person || strlen(person) > ASSISTANT_NAME_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT, "that is nobody's name");
	scopes_of(b, person, scopes);
	if (b->o.per_day == 0 && b->o.per_person == 0) {
		*ret = (struct budget_share){ .tokens = 0 };
		return true;
	}
	if (!pay(b, err) || !today(b, now_ms, share.day, err))
		return false;
	for (size_t i = 0; i < SCOPES; i++) {
		int64_t total = 0;

		if (!add(b, share.day, &scopes[i], share.tokens, &total, err)) {
			give_back(b, &share, scopes, i);
			return false;
		}
		if (total <= scopes[i].limit)
			continue;
		give_back(b, &share, scopes, i + 1);
		return error_set(err, ERR_RATE_LIMITED,
				 "today's budget of %lld tokens%s is spent",
				 (long long)scopes[i].limit, scopes[i].whose);
	}
	*ret = share;
	return true;
}

/* The day that 'share' is of, or today; by our own clock where the store does not say, so
 * that what was used is owed under some day. False: the store did not. */
static bool day_to_book(struct budget *b, const struct budget_share *share,
			int64_t now_ms, char ret[static BUDGET_DAY_BYTES],
			struct error *err)
{
	struct error ignored = ERROR_INIT;

	if (share && *share->day) {
		memcpy(ret, share->day, BUDGET_DAY_BYTES);
		return true;
	}
	if (today(b, now_ms, ret, err))
		return true;
	(void)day_of(now_ms, ret, &ignored);
	return false;
}

bool budget_book(struct budget *b, const char *person, const struct budget_share *share,
		 int64_t cost, int64_t now_ms, struct error *err)
{
	char day[BUDGET_DAY_BYTES] = "", id[BUDGET_ID_BYTES];
	int64_t more = cost - (share ? share->tokens : 0), total;
	struct scope scopes[SCOPES];
	bool ok;

	if (b->o.per_day == 0 && b->o.per_person == 0)
		return true;
	scopes_of(b, person, scopes);
	ok = day_to_book(b, share, now_ms, day, err);
	for (size_t i = 0; i < SCOPES; i++) {
		/* Behind a failure the rest is not tried: each try may wait long. */
		ok = ok && add(b, day, &scopes[i], more, &total, err);
		if (ok || scopes[i].limit == 0 || more <= 0)
			continue;
		id_of(day, scopes[i].person, id);
		owe(b, id, scopes[i].person, more);
	}
	return ok;
}

bool budget_used(struct budget *b, const char *person, int64_t now_ms, int64_t *ret_used,
		 struct error *err)
{
	char day[BUDGET_DAY_BYTES], id[BUDGET_ID_BYTES];

	if (!today(b, now_ms, day, err))
		return false;
	id_of(day, person, id);
	return b->store->add(b, id, person, 0, ret_used, err);
}

bool budget_sweep(struct budget *b, int64_t now_ms, struct error *err)
{
	char day[BUDGET_DAY_BYTES];

	return day_of(now_ms - BUDGET_KEEP_DAYS * DAY_MS, day, err) &&
	       b->store->sweep(b, day, err);
}
