#include "assistant/budget/budget.h"

#include <string.h>
#include <time.h>

#include "base/digest.h"

#define COLLECTION "assistant_budget"

enum {
	DAY_MS = 24 * 3600 * 1000,
	DAY_BYTES = 11,                              /* "2026-01-31" */
	ID_BYTES = DAY_BYTES + 1 + 2 * DIGEST_BYTES, /* "DAY SHA-256 of the person" */
	TRIES = 8,
	PEOPLE_MAX = 256, /* who wait for an answer at once */
	SWEEP_AT_ONCE = 1000,
};

struct waiting {
	char person[ASSISTANT_NAME_MAX + 1];
	int64_t tokens;
};

struct budget {
	struct documents *documents;
	int64_t per_day, per_person;
	/* asked and not booked yet */
	int64_t waiting;
	struct waiting people[PEOPLE_MAX];
};

struct budget *budget_new(struct documents *d, int64_t per_day, int64_t per_person,
			  struct error *err)
{
	struct budget *b = calloc(1, sizeof *b);

	if (!b) {
		error_oom(err);
		return NULL;
	}
	b->documents = d;
	b->per_day = per_day;
	b->per_person = per_person;
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

static bool day_of(int64_t now_ms, char ret[static DAY_BYTES], struct error *err)
{
	const time_t at = (time_t)(now_ms / 1000);
	struct tm tm;

	if (!gmtime_r(&at, &tm) || strftime(ret, DAY_BYTES, "%Y-%m-%d", &tm) == 0)
		return error_set(err, ERR_INTERNAL, "no calendar has such a day");
	return true;
}

/* NULL: of all. Whatever a person is called, it makes an id. */
static bool id_of(const char *person, int64_t now_ms, char ret[static ID_BYTES + 1],
		  struct error *err)
{
	char day[DAY_BYTES], hex[DIGEST_HEX_BYTES];

	if (!day_of(now_ms, day, err))
		return false;
	if (person)
		digest_sha256_hex(person, strlen(person), hex);
	(void)snprintf(ret, ID_BYTES + 1, "%s %s", day, person ? hex : "all");
	return true;
}

static bool read_used(struct budget *b, const char *id, int64_t *ret_used,
		      int64_t *ret_revision, struct error *err)
{
	struct document doc = { 0 };
	bool found = false;

	if (!documents_get(b->documents, COLLECTION, id, &doc, &found, err))
		return false;
	if (!found) {
		*ret_used = 0;
		*ret_revision = DOCUMENT_NEW;
		return true;
	}
	int64_t used = json_get_int64(doc.body, "tokens", -1);
	*ret_revision = doc.revision;
	document_done(&doc);
	if (used < 0)
		return error_set(err, ERR_INTERNAL, "the record of '%s' is no budget's",
				 id);
	*ret_used = used;
	return true;
}

static bool add_used(struct budget *b, const char *person, int64_t tokens, int64_t now_ms,
		     struct error *err)
{
	char id[ID_BYTES + 1];

	if (!id_of(person, now_ms, id, err))
		return false;
	for (int i = 0; i < TRIES; i++) {
		int64_t used = 0, revision = 0, written = 0;

		if (!read_used(b, id, &used, &revision, err))
			return false;
		used = used > JSON_INTEGER_MAX - tokens ? JSON_INTEGER_MAX
							: used + tokens;
		json_auto_t *body =
			person ? json_pack("{s:I, s:s}", "tokens", (json_int_t)used,
					   "person", person)
			       : json_pack("{s:I}", "tokens", (json_int_t)used);
		if (!body)
			return error_oom(err);
		if (!documents_put(b->documents, COLLECTION, id, body, revision, &written,
				   err))
			return false;
		if (written != 0)
			return true;
	}
	return error_set(err, ERR_BACKEND_UNAVAILABLE,
			 "the budget's record changes faster than it can be written");
}

bool budget_used(struct budget *b, const char *person, int64_t now_ms, int64_t *ret_used,
		 struct error *err)
{
	char id[ID_BYTES + 1];
	int64_t revision;

	return id_of(person, now_ms, id, err) &&
	       read_used(b, id, ret_used, &revision, err);
}

/* The row of who waits for an answer; 'make' takes a free one. NULL: none. */
static struct waiting *find(struct budget *b, const char *person, bool make)
{
	struct waiting *free_one = NULL;

	for (size_t i = 0; i < PEOPLE_MAX; i++) {
		struct waiting *w = &b->people[i];

		if (w->tokens > 0 && strcmp(w->person, person) == 0)
			return w;
		if (w->tokens == 0 && !free_one)
			free_one = w;
	}
	if (make && free_one)
		(void)snprintf(free_one->person, sizeof free_one->person, "%s", person);
	return make ? free_one : NULL;
}

bool budget_ask(struct budget *b, const char *person, size_t body_bytes, int64_t now_ms,
		int64_t *ret_reserved, struct error *err)
{
	/* Half way between closest and usual packing; the booking puts it right. */
	int64_t estimate = (int64_t)(body_bytes / (BUDGET_BYTES_A_TOKEN / 2)) + 1;
	int64_t all = 0, own = 0;

	if (!*person || strlen(person) > ASSISTANT_NAME_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT, "that is nobody's name");
	if (!budget_used(b, NULL, now_ms, &all, err) ||
	    !budget_used(b, person, now_ms, &own, err))
		return false;
	const struct waiting *waits = find(b, person, false);
	if (b->per_day > 0 && all + b->waiting + estimate > b->per_day)
		return error_set(err, ERR_RATE_LIMITED,
				 "today's budget of %lld tokens is spent",
				 (long long)b->per_day);
	if (b->per_person > 0 &&
	    own + (waits ? waits->tokens : 0) + estimate > b->per_person)
		return error_set(err, ERR_RATE_LIMITED,
				 "today's budget of %lld tokens for one person is spent",
				 (long long)b->per_person);
	struct waiting *row = find(b, person, true);
	if (!row)
		return error_set(err, ERR_RATE_LIMITED,
				 "too many people wait for answers");
	row->tokens += estimate;
	b->waiting += estimate;
	*ret_reserved = estimate;
	return true;
}

bool budget_book(struct budget *b, const char *person, int64_t reserved,
		 const struct assistant_usage *usage, size_t sent_bytes,
		 size_t received_bytes, int64_t now_ms, struct error *err)
{
	int64_t cost = budget_cost(usage, sent_bytes, received_bytes);
	struct waiting *row = find(b, person, false);

	if (row)
		row->tokens -= reserved < row->tokens ? reserved : row->tokens;
	b->waiting -= reserved < b->waiting ? reserved : b->waiting;
	return cost == 0 || (add_used(b, NULL, cost, now_ms, err) &&
			     add_used(b, person, cost, now_ms, err));
}

/* ---- days gone by ---- */

struct old {
	char before[DAY_BYTES];
	char ids[SWEEP_AT_ONCE][ID_BYTES + 1];
	size_t count;
};

/* Ids begin with the day, and come in order. */
static bool collect(void *context, const struct document *doc)
{
	struct old *o = context;
	const size_t length = strlen(doc->id);

	if (strncmp(doc->id, o->before, DAY_BYTES - 1) >= 0)
		return false;
	/* a longer one is not ours */
	if (length <= ID_BYTES)
		memcpy(o->ids[o->count++], doc->id, length + 1);
	return o->count < SWEEP_AT_ONCE;
}

bool budget_sweep(struct budget *b, int64_t now_ms, struct error *err)
{
	_cleanup_free_ struct old *o = calloc(1, sizeof *o);
	bool existed;

	if (!o)
		return error_oom(err);
	if (!day_of(now_ms - (int64_t)BUDGET_KEEP_DAYS * DAY_MS, o->before, err) ||
	    !documents_query(b->documents, COLLECTION, NULL, NULL, false, SWEEP_AT_ONCE,
			     collect, o, err))
		return false;
	for (size_t i = 0; i < o->count; i++)
		if (!documents_delete(b->documents, COLLECTION, o->ids[i], &existed, err))
			return false;
	return true;
}
