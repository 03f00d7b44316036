/* Counts as documents ("assistant_budget", by day and person): of one machine's consoles. */
#include "assistant/budget/budget_private.h"

#include <string.h>

#define COLLECTION "assistant_budget"

enum { TRIES = 8, SWEEP_AT_ONCE = 1000 };

static bool now(struct budget *b, int64_t now_ms, int64_t *ret, struct error *err)
{
	(void)b;
	(void)err;
	*ret = now_ms;
	return true;
}

static bool read_used(struct budget *b, const char *id, int64_t *ret_used,
		      int64_t *ret_revision, struct error *err)
{
	struct document doc = { 0 };
	bool found = false;

	if (!documents_get(b->o.documents, COLLECTION, id, &doc, &found, err))
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

static int64_t sum(int64_t used, int64_t by)
{
	if (by > 0 && used > JSON_INTEGER_MAX - by)
		return JSON_INTEGER_MAX;
	return used + by > 0 ? used + by : 0;
}

static bool add(struct budget *b, const char *id, const char *person, int64_t by,
		int64_t *ret, struct error *err)
{
	for (int i = 0; i < TRIES; i++) {
		int64_t used = 0, revision = 0, written = 0;

		if (!read_used(b, id, &used, &revision, err))
			return false;
		*ret = sum(used, by);
		if (by == 0)
			return true;
		json_auto_t *body =
			person ? json_pack("{s:I, s:s}", "tokens", (json_int_t)*ret,
					   "person", person)
			       : json_pack("{s:I}", "tokens", (json_int_t)*ret);
		if (!body)
			return error_oom(err);
		if (!documents_put(b->o.documents, COLLECTION, id, body, revision,
				   &written, err))
			return false;
		if (written != 0)
			return true;
	}
	return error_set(err, ERR_BACKEND_UNAVAILABLE,
			 "the budget's record changes faster than it can be written");
}

/* ---- days gone by ---- */

struct old {
	const char *before;
	char ids[SWEEP_AT_ONCE][BUDGET_ID_BYTES];
	size_t count;
};

/* Ids begin with the day, and come in order. */
static bool collect(void *context, const struct document *doc)
{
	struct old *o = context;
	const size_t length = strlen(doc->id);

	if (strncmp(doc->id, o->before, BUDGET_DAY_BYTES - 1) >= 0)
		return false;
	/* a longer one is not ours */
	if (length < BUDGET_ID_BYTES)
		memcpy(o->ids[o->count++], doc->id, length + 1);
	return o->count < SWEEP_AT_ONCE;
}

static bool sweep(struct budget *b, const char *day, struct error *err)
{
	_cleanup_free_ struct old *o = calloc(1, sizeof *o);
	bool existed;

	if (!o)
		return error_oom(err);
	o->before = day;
	if (!documents_query(b->o.documents, COLLECTION, NULL, NULL, false, SWEEP_AT_ONCE,
			     collect, o, err))
		return false;
	for (size_t i = 0; i < o->count; i++)
		if (!documents_delete(b->o.documents, COLLECTION, o->ids[i], &existed,
				      err))
			return false;
	return true;
}

const struct budget_store budget_documents = { now, add, sweep };
