/* link_identity and unlink_identity: what people say about who is who. */
#include <string.h>

#include "base/clock.h"
#include "servers/people/identifier.h"
#include "servers/people/links.h"
#include "servers/people/people.h"
#include "servers/people/record.h"
#include "servers/people/report.h"
#include "servers/people/tools.h"

/* What a call is about, of one snapshot. */
struct subject {
	struct snapshot *snapshot;
	uint32_t person, account;
	enum people_system system;
	json_t *owner, *wanted; /* the records of whose it is, and whose it shall be */
	struct link kept;       /* said of the account before */
	json_t *kept_body;
	int64_t kept_revision;
};

static void subject_done(struct people *p, struct subject *s)
{
	if (s->snapshot)
		people_snapshot_give(p, s->snapshot);
	json_decref(s->owner);
	json_decref(s->wanted);
	json_decref(s->kept_body);
}

/* ---- Whose and which ---------------------------------------------------------------- */

static bool find_whose(struct people *p, struct subject *s, const char *text,
		       struct error *err)
{
	_cleanup_(find_result_done) struct find_result r = { 0 };

	if (index_by_id(s->snapshot->index, text, &s->person))
		return true;
	if (!find_by_identifier(s->snapshot->index, &p->settings.rules, text, &r, err))
		return false;
	if (r.match == FIND_NONE)
		return error_set(err, ERR_NOT_FOUND,
				 "nobody has the id or identifier '%.200s'", text);
	if (r.match != FIND_UNIQUE) {
		error_set(err, ERR_AMBIGUOUS, "%zu people have the identifier '%.200s'",
			  r.count, text);
		return error_hint(err, "say which one by id; find_person lists them");
	}
	s->person = r.hits[0].person;
	return true;
}

/* The one account of the system that has the identifier whole. */
static bool find_account(struct people *p, struct subject *s, const char *identifier,
			 struct error *err)
{
	enum { HITS_MAX = 16 };
	const struct people_index *x = s->snapshot->index;
	_cleanup_(query_done) struct query q = { 0 };
	_cleanup_strbuf_ struct strbuf folded = STRBUF_INIT;
	struct index_hit hits[HITS_MAX];
	size_t count = 0, found = 0;

	(void)p;
	if (!query_read(&q, identifier, err))
		return false;
	if (!q.flag) {
		if (!(q.is_dn ? identifier_fold_dn(&folded, q.text, err)
			      : identifier_fold(&folded, q.text, err)))
			return false;
		count = index_identifier(x, folded.data, hits, HITS_MAX);
	}
	for (size_t i = 0; i < count; i++) {
		if (index_account(x, hits[i].account)->system != s->system ||
		    hits[i].kind == INDEX_PERSON)
			continue;
		if (found > 0 && hits[i].account == s->account)
			continue;
		s->account = hits[i].account;
		found++;
	}
	if (found == 1)
		return true;
	return found == 0
		       ? error_set(err, ERR_NOT_FOUND, "no account in %s is '%.200s'",
				   system_name(s->system), identifier)
		       : error_set(err, ERR_AMBIGUOUS,
				   "%zu accounts in %s are '%.200s': their ids tell them "
				   "apart",
				   found, system_name(s->system), identifier);
}

static json_t *record_of(struct people *p, const struct subject *s, uint32_t person,
			 int64_t now_ms, struct error *err)
{
	struct freshness f;
	int64_t moved = 0;
	json_t *record;

	people_freshness(p, now_ms, &f);
	record = record_make(p, s->snapshot, person, &f, &moved, err);
	if (!record && !error_is_set(err))
		error_set(err, ERR_CONFLICT, "the sources changed just now; try again");
	return record;
}

static bool read_subject(struct mcp_call *call, struct subject *s, struct error *err)
{
	struct people *p = mcp_call_context(call);
	const struct index_account *a;

	if (!system_find(mcp_call_string(call, "system", ""), &s->system))
		return error_set(err, ERR_INVALID_ARGUMENT, "there is no such system");
	s->snapshot = people_snapshot(p, err);
	if (!s->snapshot || !find_whose(p, s, mcp_call_string(call, "person", ""), err) ||
	    !find_account(p, s, mcp_call_string(call, "identifier", ""), err))
		return false;
	a = index_account(s->snapshot->index, s->account);
	s->owner = record_of(p, s, a->person, mcp_call_now_ms(call), err);
	s->wanted = s->owner ? record_of(p, s, s->person, mcp_call_now_ms(call), err)
			     : NULL;
	return s->wanted &&
	       links_get(p->links, s->system, index_text(s->snapshot->index, a->key),
			 &s->kept, &s->kept_revision, &s->kept_body, err);
}

/* ---- Plans -------------------------------------------------------------------------- */

static const char *id_of(const json_t *record)
{
	return json_get_string(record, "id");
}

static const char *name_of(const json_t *record)
{
	return json_get_string(record, "display_name");
}

/* "github mstone-co (id github~17)" */
static void name_account(const struct subject *s, struct strbuf *sb)
{
	const struct people_index *x = s->snapshot->index;
	const struct index_account *a = index_account(x, s->account);

	strbuf_add_format(sb, "%s %s (%s~%s)", system_name(s->system),
			  index_text(x, a->label), system_name(s->system),
			  index_text(x, a->key));
}

/* The account that the person hangs on, never the one that is about to move; NULL: there
 * is no other. */
static const struct index_account *find_anchor(const struct subject *s)
{
	size_t count;
	const uint32_t *members = index_accounts(s->snapshot->index, s->person, &count);

	for (size_t i = 0; i < count; i++)
		if (members[i] != s->account)
			return index_account(s->snapshot->index, members[i]);
	return NULL;
}

static bool fill(struct mcp_call *call, const struct subject *s,
		 const struct index_account *anchor, enum link_says says,
		 struct plan *plan)
{
	const struct people_index *x = s->snapshot->index;
	const struct index_account *a = index_account(x, s->account);
	struct freshness f;

	people_freshness(mcp_call_context(call), mcp_call_now_ms(call), &f);
	if (f.is_stale)
		plan_warning(plan,
			     "a source does not answer: who is who may have changed");
	plan_state(plan,
		   json_pack("{s:I, s:s, s:s}", "kept", (json_int_t)s->kept_revision,
			     "owner", id_of(s->owner), "person", id_of(s->wanted)));
	plan_data(plan,
		  json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:I}", "system",
			    system_name(s->system), "key", index_text(x, a->key),
			    "identifier", index_text(x, a->label), "anchor_system",
			    system_name((enum people_system)anchor->system), "anchor_key",
			    index_text(x, anchor->key), "person", id_of(s->wanted),
			    "says", (int)says, "kept", (json_int_t)s->kept_revision));
	return true;
}

/* Whoever asks about a person's accounts may be that person. */
static void warn_of_self(struct mcp_call *call, const json_t *record, struct plan *plan)
{
	const char *requester = mcp_call_requester(call);
	json_t *mail;
	size_t i;

	json_array_foreach(json_object_get(record, "emails"), i, mail)
	{
		if (strcasecmp(json_string_value(mail), requester) == 0)
			plan_warning(plan, "this is about the person who asks");
	}
}

static void warn_of_losses(const struct subject *s, struct plan *plan)
{
	const json_t *systems = json_object_get(s->wanted, "systems");

	if (strcmp(id_of(s->owner), id_of(s->wanted)) != 0 &&
	    json_array_size(json_object_get(s->owner, "evidence")) > 1)
		plan_warning(plan, "the account is taken away from %s (%s)",
			     name_of(s->owner), id_of(s->owner));
	if (json_object_get(systems, system_name(s->system)) && id_of(s->owner) &&
	    strcmp(id_of(s->owner), id_of(s->wanted)) != 0)
		plan_warning(plan, "%s has another account in %s already",
			     name_of(s->wanted), system_name(s->system));
	if (s->kept.key)
		plan_warning(plan, "%s said of this account before: %s", s->kept.by,
			     s->kept.reason);
}

bool plan_link_identity(struct mcp_call *call, struct plan *plan, struct error *err)
{
	struct people *p = mcp_call_context(call);
	_cleanup_strbuf_ struct strbuf account = STRBUF_INIT;
	const struct index_account *anchor = NULL;
	struct subject s = { 0 };
	bool ok = read_subject(call, &s, err);

	if (ok && !(anchor = find_anchor(&s)))
		ok = error_set(err, ERR_CONFLICT,
			       "that account is all there is of %s: name the person by "
			       "another one",
			       id_of(s.wanted));
	if (ok && anchor) {
		name_account(&s, &account);
		plan_summary(plan, "Say that %s belongs to %s", account.data,
			     name_of(s.wanted));
		plan_note(plan, "person", "%s, %s", name_of(s.wanted), id_of(s.wanted));
		plan_effect(plan, "people", account.data, id_of(s.owner), id_of(s.wanted),
			    true);
		warn_of_losses(&s, plan);
		warn_of_self(call, s.wanted, plan);
		ok = fill(call, &s, anchor, LINK_OF, plan);
	}
	subject_done(p, &s);
	return ok;
}

bool plan_unlink_identity(struct mcp_call *call, struct plan *plan, struct error *err)
{
	struct people *p = mcp_call_context(call);
	_cleanup_strbuf_ struct strbuf account = STRBUF_INIT;
	const struct index_account *anchor = NULL;
	struct subject s = { 0 };
	bool ok = read_subject(call, &s, err);

	if (ok && index_account(s.snapshot->index, s.account)->person != s.person)
		ok = error_set(err, ERR_PRECONDITION_FAILED,
			       "that account is not one of %s's, but of %s",
			       name_of(s.wanted), id_of(s.owner));
	if (ok && !(anchor = find_anchor(&s)))
		ok = error_set(err, ERR_CONFLICT, "that account is all there is of %s",
			       id_of(s.wanted));
	if (ok && anchor) {
		const bool is_link =
			index_account(s.snapshot->index, s.account)->joined ==
			INDEX_BY_LINK;

		name_account(&s, &account);
		plan_summary(plan, "Say that %s does not belong to %s", account.data,
			     name_of(s.wanted));
		plan_note(plan, "person", "%s, %s", name_of(s.wanted), id_of(s.wanted));
		plan_effect(plan, "people", account.data, id_of(s.wanted),
			    is_link ? "whose the sources say that it is"
				    : "nobody else's, until it is linked",
			    true);
		if (s.kept.key)
			plan_warning(plan, "%s said of this account before: %s",
				     s.kept.by, s.kept.reason);
		warn_of_self(call, s.wanted, plan);
		ok = fill(call, &s, anchor, is_link ? LINK_FORGOTTEN : LINK_NOT, plan);
	}
	subject_done(p, &s);
	return ok;
}

/* ---- Acting ------------------------------------------------------------------------- */

static bool read_plan(struct mcp_call *call, struct link *ret, int64_t *ret_revision,
		      struct error *err)
{
	const json_t *data = plan_get_data(mcp_call_plan(call));
	const char *system = json_get_string(data, "system"),
		   *anchor = json_get_string(data, "anchor_system");

	*ret = (struct link){
		.key = json_get_string(data, "key"),
		.identifier = json_get_string(data, "identifier"),
		.anchor_key = json_get_string(data, "anchor_key"),
		.person = json_get_string(data, "person"),
		.at_ms = mcp_call_now_ms(call),
		.by = mcp_call_requester(call),
		.approved_by = mcp_call_approvers(call),
		.approval = mcp_call_approval(call),
		.reason = mcp_call_string(call, "reason", ""),
	};
	*ret_revision = json_get_int64(data, "kept", 0);
	const int64_t says = json_get_int64(data, "says", -1);
	ret->says = says == LINK_FORGOTTEN ? LINK_FORGOTTEN
		    : says == LINK_NOT     ? LINK_NOT
					   : LINK_OF;
	if (says >= LINK_OF && says <= LINK_FORGOTTEN && system && anchor &&
	    system_find(system, &ret->system) &&
	    system_find(anchor, &ret->anchor_system) && ret->key && ret->identifier &&
	    ret->anchor_key && ret->person)
		return true;
	return error_set(err, ERR_INTERNAL, "the plan names no account of ours");
}

/* Whether it is so by the index as it is now, and who the person is; what the sources say
 * of a link that was taken back is theirs. */
static bool is_as_said(const struct people_index *x, const struct link *l,
		       uint32_t *ret_person)
{
	_cleanup_strbuf_ struct strbuf account = STRBUF_INIT, anchor = STRBUF_INIT;
	uint32_t owner;

	strbuf_add_format(&account, "%s~%s", system_name(l->system), l->key);
	if (l->anchor_system != SYSTEM_FILE)
		strbuf_add_format(&anchor, "%s~", system_name(l->anchor_system));
	strbuf_add_string(&anchor, l->anchor_key);
	return strbuf_ok(&account) && strbuf_ok(&anchor) &&
	       index_by_id(x, anchor.data, ret_person) &&
	       index_by_id(x, account.data, &owner) &&
	       (l->says == LINK_FORGOTTEN ||
		(owner == *ret_person) == (l->says == LINK_OF));
}

static bool run_link(struct mcp_call *call, struct mcp_result *result, struct error *err)
{
	struct people *p = mcp_call_context(call);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct subject s = { 0 };
	int64_t kept, revision = 0;
	struct link l;
	json_t *record;
	bool is_so;

	if (!read_plan(call, &l, &kept, err) ||
	    !links_put(p->links, &l, kept, &revision, err))
		return false;
	if (revision == 0)
		return error_set(
			err, ERR_PRECONDITION_FAILED,
			"somebody else said something of this account meanwhile");
	if (!people_rebuild(p, err) || !(s.snapshot = people_snapshot(p, err)))
		return false;
	is_so = is_as_said(s.snapshot->index, &l, &s.person);
	record = is_so ? record_of(p, &s, s.person, mcp_call_now_ms(call), err) : NULL;
	subject_done(p, &s);
	if (!record) {
		error_clear(err);
		return error_set(err, ERR_UNKNOWN_OUTCOME,
				 "it was kept, but the account could not be read back");
	}
	mcp_result_verified(result, true);
	strbuf_add_format(&text, "%s: ", l.says == LINK_OF ? "Linked" : "Unlinked");
	report_person(&text, record);
	mcp_result_structured(result, record);
	report_finish(result, &text);
	return true;
}

bool link_identity(struct mcp_call *call, struct mcp_result *result, struct error *err)
{
	return run_link(call, result, err);
}

bool unlink_identity(struct mcp_call *call, struct mcp_result *result, struct error *err)
{
	return run_link(call, result, err);
}

bool check_identity(struct mcp_call *call, struct strbuf *observed, struct error *err)
{
	struct people *p = mcp_call_context(call);
	json_t *body = NULL;
	struct link l, kept;
	int64_t revision;

	if (!read_plan(call, &l, &revision, err) ||
	    !links_get(p->links, l.system, l.key, &kept, &revision, &body, err))
		return false;
	if (!kept.key)
		strbuf_add_format(observed, "nobody said anything of %s %s",
				  system_name(l.system), l.identifier);
	else
		strbuf_add_format(observed, "of %s %s it is kept that it is %s %s",
				  system_name(l.system), l.identifier,
				  kept.says == LINK_OF    ? "of"
				  : kept.says == LINK_NOT ? "not of"
							  : "no longer linked to",
				  kept.person ? kept.person : "?");
	json_decref(body);
	return strbuf_ok(observed) || error_oom(err);
}
