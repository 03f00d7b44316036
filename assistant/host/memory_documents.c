/* Conversations as documents: of one person's console. */
#include "assistant/host/memory_private.h"

#include <string.h>

#include "base/clock.h"

enum { SWEEP_MAX = 200 };

static const char collection[] = "conversations";

static bool is_young(const json_t *body, int64_t now_ms)
{
	return conversation_is_body(body) &&
	       json_get_int64(body, "expires_at", 0) > now_ms;
}

static bool get(struct memory *m, const char *id, json_t **ret, struct error *err)
{
	struct document doc = { .body = NULL };
	bool found = false;

	*ret = NULL;
	if (!documents_get(m->o.documents, collection, id, &doc, &found, err))
		return false;
	if (found && is_young(doc.body, clock_wall_ms()))
		*ret = json_deep_copy(doc.body);
	if (found)
		document_done(&doc);
	return true;
}

static bool put(struct memory *m, const char *id, const json_t *body, struct error *err)
{
	json_auto_t *kept = json_copy((json_t *)(uintptr_t)body);
	int64_t expires_at = clock_wall_ms() + m->o.keep_ms, revision;

	if (!kept ||
	    json_object_set_new(kept, "expires_at", json_integer(expires_at)) != 0)
		return error_oom(err);
	return documents_put(m->o.documents, collection, id, kept, DOCUMENT_ANY,
			     &revision, err);
}

/* Two terminals of one person in the same instant: the later wins. */
static bool lock(struct memory *m, const char *id, int64_t *ret_fence, struct error *err)
{
	(void)m;
	(void)id;
	(void)err;
	*ret_fence = 0;
	return true;
}

static void unlock(struct memory *m, const char *id, int64_t fence)
{
	(void)m;
	(void)id;
	(void)fence;
}

struct looking {
	const char *prefix;
	json_t *ids;
	int64_t now_ms;
	bool old;
};

static bool collect(void *context, const struct document *doc)
{
	struct looking *l = context;

	if (is_young(doc->body, l->now_ms) == l->old ||
	    strncmp(doc->id, l->prefix, strlen(l->prefix)) != 0)
		return true;
	return json_array_append_new(l->ids, json_string(doc->id)) == 0;
}

static bool list(struct memory *m, const char *prefix, json_t *ids, struct error *err)
{
	struct looking l = { prefix, ids, clock_wall_ms(), false };

	return documents_query(m->o.documents, collection, NULL, NULL, false, SWEEP_MAX,
			       collect, &l, err);
}

static bool sweep(struct memory *m, struct error *err)
{
	json_auto_t *ids = json_array();
	struct looking l = { "", ids, clock_wall_ms(), true };
	size_t i;
	json_t *id;
	bool existed;

	if (!ids)
		return error_oom(err);
	if (!documents_query(m->o.documents, collection, NULL, NULL, false, SWEEP_MAX,
			     collect, &l, err))
		return false;
	json_array_foreach(ids, i, id)
	{
		if (!documents_delete(m->o.documents, collection, json_string_value(id),
				      &existed, err))
			return false;
	}
	return true;
}

const struct memory_store memory_documents = { get, put, lock, unlock, list, sweep };
