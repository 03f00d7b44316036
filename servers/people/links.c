#include "servers/people/links.h"

#include <string.h>

#include "base/clock.h"

#define LINKS "links"

static const char *const says_names[] = { "of", "not", "forgotten" };

static bool make_id(enum people_system system, const char *key,
		    char ret[static DOCUMENT_ID_MAX + 1], struct error *err)
{
	const int length =
		snprintf(ret, DOCUMENT_ID_MAX + 1, "%s~%s", system_name(system), key);

	return (length > 0 && length <= DOCUMENT_ID_MAX) ||
	       error_set(err, ERR_INVALID_ARGUMENT, "the account's key is too long");
}

bool links_put(struct documents *d, const struct link *l, int64_t revision,
	       int64_t *ret_revision, struct error *err)
{
	char id[DOCUMENT_ID_MAX + 1];
	json_auto_t *body = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:s}", "system",
		system_name(l->system), "key", l->key, "identifier", l->identifier,
		"anchor_system", system_name(l->anchor_system), "anchor_key",
		l->anchor_key, "person", l->person, "says", says_names[l->says], "at_ms",
		(json_int_t)l->at_ms, "by", l->by, "approved_by", l->approved_by,
		"approval", l->approval, "reason", l->reason);

	if (!body)
		return error_oom(err);
	return make_id(l->system, l->key, id, err) &&
	       documents_put(d, LINKS, id, body, revision ? revision : DOCUMENT_NEW,
			     ret_revision, err);
}

static bool read_link(const json_t *body, struct link *ret)
{
	const char *system = json_get_string(body, "system"),
		   *anchor = json_get_string(body, "anchor_system"),
		   *says = json_get_string(body, "says");
	size_t i = 0;

	*ret = (struct link){
		.key = json_get_string(body, "key"),
		.identifier = json_get_string(body, "identifier"),
		.anchor_key = json_get_string(body, "anchor_key"),
		.person = json_get_string(body, "person"),
		.at_ms = json_get_int64(body, "at_ms", 0),
		.by = json_get_string(body, "by"),
		.approved_by = json_get_string(body, "approved_by"),
		.approval = json_get_string(body, "approval"),
		.reason = json_get_string(body, "reason"),
	};
	while (says && i < ARRAY_SIZE(says_names) && strcmp(says, says_names[i]) != 0)
		i++;
	ret->says = (enum link_says)i;
	return says && i < ARRAY_SIZE(says_names) && system && anchor &&
	       system_find(system, &ret->system) &&
	       system_find(anchor, &ret->anchor_system) && ret->key && ret->identifier &&
	       ret->anchor_key && ret->by && ret->approved_by && ret->reason;
}

static bool fail_damaged(const char *id, struct error *err)
{
	return error_set(err, ERR_INTERNAL, "the link '%.100s' is damaged", id);
}

bool links_get(struct documents *d, enum people_system system, const char *key,
	       struct link *ret, int64_t *ret_revision, json_t **ret_body,
	       struct error *err)
{
	char id[DOCUMENT_ID_MAX + 1];
	struct document doc = { .body = NULL };
	bool found = false;

	if (!make_id(system, key, id, err) ||
	    !documents_get(d, LINKS, id, &doc, &found, err))
		return false;
	*ret = (struct link){ 0 };
	*ret_revision = 0;
	*ret_body = NULL;
	if (!found)
		return true;
	if (!read_link(doc.body, ret)) {
		document_done(&doc);
		return fail_damaged(id, err);
	}
	*ret_revision = doc.revision;
	*ret_body = json_incref(doc.body);
	document_done(&doc);
	return true;
}

/* ---- Into an index ------------------------------------------------------------------ */

struct adding {
	struct index_builder *builder;
	struct error *err;
	bool ok;
};

static bool add_one(void *context, const struct document *doc)
{
	struct adding *a = context;
	_cleanup_strbuf_ struct strbuf evidence = STRBUF_INIT;
	char at[CLOCK_TEXT_BYTES];
	struct link l;

	if (!read_link(doc->body, &l)) {
		a->ok = fail_damaged(doc->id, a->err);
		return false;
	}
	if (l.says == LINK_FORGOTTEN)
		return true;
	strbuf_add_format(&evidence, "%s by %s, approved by %s, %s: %s",
			  l.says == LINK_NOT ? "parted" : "link", l.by, l.approved_by,
			  clock_format(l.at_ms, at), l.reason);
	const struct index_link link = { .system = l.system,
					 .key = l.key,
					 .anchor_system = l.anchor_system,
					 .anchor_key = l.anchor_key,
					 .evidence = evidence.data,
					 .is_parted = l.says == LINK_NOT };
	a->ok = (strbuf_ok(&evidence) || error_oom(a->err)) &&
		index_link(a->builder, &link, a->err);
	return a->ok;
}

bool links_add(struct documents *d, struct index_builder *b, struct error *err)
{
	struct adding a = { .builder = b, .err = err, .ok = true };

	return documents_query(d, LINKS, NULL, NULL, false, LINKS_MAX, add_one, &a,
			       err) &&
	       a.ok;
}
