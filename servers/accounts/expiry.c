#include "servers/accounts/expiry.h"

#define COLLECTION "expiries"

enum { PAGE = 500 };

static const struct json_field fields[] = {
	{ "system", JSON_FIELD_STRING, offsetof(struct expiry, system),
	  JSON_FIELD_REQUIRED },
	{ "id", JSON_FIELD_STRING, offsetof(struct expiry, id), JSON_FIELD_REQUIRED },
	{ "identifier", JSON_FIELD_STRING, offsetof(struct expiry, identifier),
	  JSON_FIELD_REQUIRED },
	{ "lock", JSON_FIELD_STRING, offsetof(struct expiry, lock), JSON_FIELD_REQUIRED },
	{ "by", JSON_FIELD_STRING, offsetof(struct expiry, by), JSON_FIELD_REQUIRED },
	{ "approved_by", JSON_FIELD_STRING, offsetof(struct expiry, approved_by),
	  JSON_FIELD_REQUIRED },
	{ "approval", JSON_FIELD_STRING, offsetof(struct expiry, approval),
	  JSON_FIELD_REQUIRED },
	{ "at_ms", JSON_FIELD_INT64, offsetof(struct expiry, at_ms),
	  JSON_FIELD_REQUIRED },
	{ "foretold", JSON_FIELD_BOOL, offsetof(struct expiry, foretold), 0 },
	{ "announced", JSON_FIELD_BOOL, offsetof(struct expiry, announced), 0 },
	{ "ending", JSON_FIELD_BOOL, offsetof(struct expiry, ending), 0 },
	{ "reported", JSON_FIELD_BOOL, offsetof(struct expiry, reported), 0 },
	{ "attempts", JSON_FIELD_INT64, offsetof(struct expiry, attempts), 0 },
	{ "retry_ms", JSON_FIELD_INT64, offsetof(struct expiry, retry_ms), 0 },
	{ "why", JSON_FIELD_STRING, offsetof(struct expiry, why), 0 },
	{ NULL, JSON_FIELD_END, 0, 0 },
};

void expiry_done(struct expiry *x)
{
	json_decref(x->body);
	*x = (struct expiry){ 0 };
}

static bool write_id(char text[static DOCUMENT_ID_MAX + 1], const char *system,
		     const char *id, struct error *err)
{
	int n = snprintf(text, DOCUMENT_ID_MAX + 1, "%s:%s", system, id);

	return (n > 0 && n <= DOCUMENT_ID_MAX) ||
	       error_set(err, ERR_INTERNAL, "an account's id is too long to be recorded");
}

bool expiry_put(struct documents *d, const struct expiry *x, struct error *err)
{
	char id[DOCUMENT_ID_MAX + 1];
	int64_t revision = 0;
	json_auto_t *body = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:b, s:b, s:b, s:b, s:I, s:I, "
		"s:s}",
		"system", x->system, "id", x->id, "identifier", x->identifier, "lock",
		x->lock, "by", x->by, "approved_by", x->approved_by, "approval",
		x->approval, "at_ms", (json_int_t)x->at_ms, "foretold", (int)x->foretold,
		"announced", (int)x->announced, "ending", (int)x->ending, "reported",
		(int)x->reported, "attempts", (json_int_t)x->attempts, "retry_ms",
		(json_int_t)x->retry_ms, "why", x->why ? x->why : "");

	if (!body)
		return error_oom(err);
	return write_id(id, x->system, x->id, err) &&
	       documents_put(d, COLLECTION, id, body, DOCUMENT_ANY, &revision, err);
}

bool expiry_remove(struct documents *d, const char *system, const char *id,
		   struct error *err)
{
	char document_id[DOCUMENT_ID_MAX + 1];
	bool existed;

	return write_id(document_id, system, id, err) &&
	       documents_delete(d, COLLECTION, document_id, &existed, err);
}

bool expiry_get(struct documents *d, const char *system, const char *id,
		struct expiry *ret, bool *ret_found, struct error *err)
{
	_cleanup_(document_done) struct document doc = { 0 };
	struct expiry x = { .why = "" };
	char document_id[DOCUMENT_ID_MAX + 1];

	*ret_found = false;
	if (!write_id(document_id, system, id, err) ||
	    !documents_get(d, COLLECTION, document_id, &doc, ret_found, err))
		return false;
	if (!*ret_found)
		return true;
	if (!json_decode(doc.body, fields, &x, "the record of a block's end", err))
		return false;
	x.body = json_incref(doc.body);
	*ret = x;
	return true;
}

bool expiry_find(struct documents *d, const char *system, const struct account *account,
		 struct expiry *ret, bool *ret_found, struct error *err)
{
	_cleanup_(expiry_done) struct expiry x = { 0 };

	if (!expiry_get(d, system, account->id, &x, ret_found, err))
		return false;
	*ret_found = *ret_found && *account->lock && strcmp(x.lock, account->lock) == 0;
	if (*ret_found) {
		*ret = x;
		x.body = NULL; /* given away */
	}
	return true;
}

/* ---- All of them ------------------------------------------------------------------ */

struct page {
	json_t *list;
	size_t count;
	char last[DOCUMENT_ID_MAX + 1];
	bool oom;
};

static bool add(void *context, const struct document *doc)
{
	struct page *p = context;
	json_t *item = json_pack("{s:O, s:O}", "system",
				 json_object_get(doc->body, "system"), "id",
				 json_object_get(doc->body, "id"));

	p->oom = !item || json_array_append_new(p->list, item) != 0;
	p->count++;
	memcpy(p->last, doc->id, sizeof p->last);
	return !p->oom;
}

bool expiry_list(struct documents *d, json_t **ret, struct error *err)
{
	json_auto_t *list = json_array();
	struct page page = { .list = list };
	char after[DOCUMENT_ID_MAX + 1];

	do {
		page.count = 0;
		memcpy(after, page.last, sizeof after);
		if (!documents_query(d, COLLECTION, NULL, *after ? after : NULL, false,
				     PAGE, add, &page, err))
			return false;
		if (!list || page.oom)
			return error_oom(err);
	} while (page.count == PAGE);
	*ret = TAKE(list);
	return true;
}
