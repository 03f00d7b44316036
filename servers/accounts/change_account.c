/* block_account and unblock_account: the run functions. They act on the plan. */
#include "servers/accounts/tools.h"

#include "base/clock.h"
#include "servers/accounts/accounts.h"
#include "servers/accounts/change.h"
#include "servers/accounts/report.h"

/* ---- What the plan says ----------------------------------------------------------- */

static bool read_change(const struct accounts *a, const json_t *item,
			enum change_kind kind, struct change *ret, struct error *err)
{
	const char *system = json_get_string(item, "system");
	const char *expires = json_get_string(item, "expires_at");

	*ret = (struct change){
		.kind = kind,
		.system = system ? accounts_system(a, system) : NULL,
		.identifier = json_get_string(item, "identifier"),
		.id = json_get_string(item, "id"),
		.lock = json_get_string(item, "lock"),
		.act = json_is_true(json_object_get(item, "act")),
		.reschedule = json_is_true(json_object_get(item, "reschedule")),
	};
	if (expires && !clock_parse(expires, &ret->expires_ms, err))
		return false;
	if (ret->system && ret->identifier && ret->id && ret->lock)
		return true;
	error_set(err, ERR_INTERNAL, "the plan names no account of ours");
	return false;
}

static struct record_event read_event(const struct mcp_call *call, enum change_kind kind)
{
	return (struct record_event){
		.action = kind == CHANGE_BLOCK ? "blocked" : "unblocked",
		.at_ms = clock_wall_ms(),
		.by = mcp_call_requester(call),
		.approved_by = mcp_call_approvers(call),
		.approval = mcp_call_approval(call),
		.reason = mcp_call_string(call, "reason", ""),
		.incident = mcp_call_string(call, "incident", NULL),
		.ticket = mcp_call_string(call, "ticket", NULL),
	};
}

static json_t *plan_accounts(const struct mcp_call *call)
{
	return json_object_get(plan_get_data(mcp_call_plan(call)), "accounts");
}

/* ---- What came of it -------------------------------------------------------------- */

struct outcomes {
	json_t *list;
	struct strbuf text;
	size_t failed;
	bool verified;
	struct error first; /* failure */
	bool unknown;
};

static void outcomes_done(struct outcomes *o)
{
	json_decref(o->list);
	strbuf_done(&o->text);
}

static const char *not_ended(const struct account_system *system)
{
	const char *why = system->backend->notion(system->self, FACET_SESSIONS);

	return why ? why : "";
}

static const char *explain(const struct change *c, const struct change_outcome *o)
{
	if (!c->act && c->reschedule)
		return c->expires_ms ? "was blocked already; when that ends was changed"
				     : "was blocked already; it no longer ends by itself";
	if (!c->act)
		return c->kind == CHANGE_BLOCK ? "was blocked already"
					       : "was not blocked";
	if (!o->verified)
		return "the change was accepted, but reading it back did not show it";
	return c->kind == CHANGE_BLOCK ? not_ended(c->system) : "";
}

static bool add_success(struct outcomes *out, const struct change *c,
			const struct change_outcome *o, struct error *err)
{
	const char *detail = explain(c, o);
	char text[CLOCK_TEXT_BYTES];
	const char *expires = c->expires_ms ? clock_format(c->expires_ms, text) : NULL;
	json_t *item = json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:s*}", "system",
				 c->system->backend->system, "identifier", c->identifier,
				 "before", account_state_name(o->before), "after",
				 account_state_name(o->after), "changed", (int)o->changed,
				 "detail", detail, "expires_at", expires);

	out->verified = out->verified && o->verified;
	strbuf_add_format(&out->text, "\n- %s: **%s**", c->system->backend->system,
			  account_state_name(o->after));
	if (o->changed)
		strbuf_add_format(&out->text, ", was %s", account_state_name(o->before));
	if (expires)
		strbuf_add_format(&out->text, "; unblocks by itself at %s", expires);
	if (*detail)
		strbuf_add_format(&out->text, " (%s)", detail);
	return (item && json_array_append_new(out->list, item) == 0) || error_oom(err);
}

static bool add_failure(struct outcomes *out, const struct change *c,
			const struct error *why, struct error *err)
{
	json_t *item = json_pack("{s:s, s:s, s:s, s:s, s:b, s:{s:s, s:s}}", "system",
				 c->system->backend->system, "identifier", c->identifier,
				 "before", "unknown", "after", "unknown", "changed", 0,
				 "error", "code", error_name(why->code), "message",
				 why->message);

	if (out->failed++ == 0)
		out->first = *why;
	out->unknown |= why->code == ERR_UNKNOWN_OUTCOME;
	out->verified = false;
	strbuf_add_format(&out->text, "\n- %s: failed: ", c->system->backend->system);
	report_text(&out->text, why->message);
	return (item && json_array_append_new(out->list, item) == 0) || error_oom(err);
}

static bool report(struct mcp_call *call, enum change_kind kind, struct outcomes *out,
		   struct mcp_result *result, struct error *err)
{
	const json_t *data = plan_get_data(mcp_call_plan(call));
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const char *uid = json_get_string(data, "uid"),
		   *mail = json_get_string(data, "email");
	const char *name = json_get_string(data, "display_name");
	json_t *structured;

	structured = json_pack("{s:{s:s, s:s*, s:s*}, s:O}", "person", "display_name",
			       name, "uid", uid && *uid ? uid : NULL, "email",
			       mail && *mail ? mail : NULL, "outcomes", out->list);
	if (!structured)
		return error_oom(err);
	mcp_result_structured(result, structured);
	strbuf_add_string(&text, kind == CHANGE_BLOCK ? "Block of " : "Unblock of ");
	report_name(&text, name,
		    json_get_string(json_array_get(out->list, 0), "identifier"));
	strbuf_add(&text, out->text.data, out->text.length);
	report_finish(result, &text);
	mcp_result_verified(result, out->verified);
	return true;
}

/* One account of the plan, in its turn. */
static bool run_one(struct mcp_call *call, const struct change *c, struct outcomes *out,
		    struct error *err)
{
	struct accounts *a = mcp_call_context(call);
	const struct record_event event = read_event(call, c->kind);
	_cleanup_(turn_end) const struct turn turn =
		turn_take(&a->turns, c->system->backend->system, c->id);
	struct change_outcome outcome = { 0 };
	struct error why = ERROR_INIT;

	(void)turn;
	return change_account(c, a->records, &event, mcp_call_now_ms(call), &outcome,
			      &why)
		       ? add_success(out, c, &outcome, err)
		       : add_failure(out, c, &why, err);
}

static bool run_change(struct mcp_call *call, enum change_kind kind,
		       struct mcp_result *result, struct error *err)
{
	const struct accounts *a = mcp_call_context(call);
	_cleanup_(outcomes_done) struct outcomes out = { .list = json_array(),
							 .text = STRBUF_INIT,
							 .verified = true };
	const json_t *planned = plan_accounts(call);

	for (size_t i = 0; i < json_array_size(planned); i++) {
		struct change change;

		if (!read_change(a, json_array_get(planned, i), kind, &change, err) ||
		    !run_one(call, &change, &out, err))
			return false;
	}
	/* Where nothing succeeded, or nobody knows, the whole call says so. */
	if (out.unknown || out.failed == json_array_size(planned)) {
		*err = out.first;
		if (out.unknown)
			err->code = ERR_UNKNOWN_OUTCOME;
		return false;
	}
	return report(call, kind, &out, result, err);
}

bool block_account(struct mcp_call *call, struct mcp_result *result, struct error *err)
{
	return run_change(call, CHANGE_BLOCK, result, err);
}

bool unblock_account(struct mcp_call *call, struct mcp_result *result, struct error *err)
{
	return run_change(call, CHANGE_UNBLOCK, result, err);
}

/* ---- After a crash ---------------------------------------------------------------- */

bool check_accounts(struct mcp_call *call, struct strbuf *observed, struct error *err)
{
	const struct accounts *a = mcp_call_context(call);
	const json_t *planned = plan_accounts(call);

	for (size_t i = 0; i < json_array_size(planned); i++) {
		_cleanup_(account_done) struct account now = { 0 };
		struct change c;
		bool found = false;

		if (!read_change(a, json_array_get(planned, i), CHANGE_BLOCK, &c, err) ||
		    !c.system->backend->read(c.system->self, c.identifier, c.id,
					     mcp_call_now_ms(call), &now, &found, err))
			return false;
		strbuf_add_format(observed, "%s%s: %s is %s now", i ? "; " : "",
				  c.system->backend->system, c.identifier,
				  found ? account_state_name(now.state) : "gone");
	}
	return strbuf_ok(observed) || error_oom(err);
}
