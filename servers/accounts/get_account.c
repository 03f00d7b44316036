/* get_account: a person's accounts, and why they are as they are. */
#include "servers/accounts/tools.h"

#include "servers/accounts/accounts.h"
#include "servers/accounts/record.h"
#include "servers/accounts/report.h"

static json_t *describe(const struct accounts *a, const struct account_system *system,
			const struct account *account, struct strbuf *text,
			struct error *err)
{
	_cleanup_strbuf_ struct strbuf why = STRBUF_INIT, detail = STRBUF_INIT;
	json_auto_t *object = NULL, *event = NULL;
	bool is_protected = false;

	if (!system->backend->is_protected(system->self, account, &is_protected, &why,
					   err) ||
	    !record_explain(a->records, system->backend->system, account->id, &event,
			    err))
		return NULL;
	strbuf_add_string(&detail, account->detail);
	if (is_protected)
		strbuf_add_format(&detail, "%sprotected: %s", detail.length ? "; " : "",
				  why.data);
	if (!account->obeyed)
		strbuf_add_format(&detail,
				  "%sits password policy does not obey locks, so it "
				  "cannot be blocked here",
				  detail.length ? "; " : "");
	object = json_pack("{s:s, s:s, s:s, s:b, s:s}", "system", system->backend->system,
			   "identifier", account->identifier, "state",
			   account_state_name(account->state), "protected",
			   (int)is_protected, "detail", detail.data);
	if (!object || !strbuf_ok(&detail)) {
		error_oom(err);
		return NULL;
	}
	if (!report_block(object, account, event, err))
		return NULL;
	strbuf_add_format(text, "\n- %s: **%s**", system->backend->system,
			  account_state_name(account->state));
	if (json_get_string(object, "since"))
		strbuf_add_format(text, " since %s", json_get_string(object, "since"));
	if (json_get_string(object, "blocked_by")) {
		strbuf_add_string(text, " by ");
		report_text(text, json_get_string(object, "blocked_by"));
		strbuf_add_string(text, ": ");
		report_text(text, json_get_string(object, "reason"));
	}
	if (detail.length) {
		strbuf_add_string(text, " (");
		report_text(text, detail.data);
		strbuf_add_char(text, ')');
	}
	return TAKE(object);
}

bool get_account(struct mcp_call *call, struct mcp_result *result, struct error *err)
{
	const struct accounts *a = mcp_call_context(call);
	_cleanup_(person_done) struct person person = { 0 };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_auto_t *list = json_array();
	json_t *structured;

	if (!accounts_resolve(call, &person, err))
		return false;
	report_name(&text, person.name, person.accounts[0].account.identifier);
	for (size_t i = 0; i < person.count; i++) {
		json_t *one = describe(a, person.accounts[i].system,
				       &person.accounts[i].account, &text, err);

		if (!one)
			return false;
		if (json_array_append_new(list, one) != 0)
			return error_oom(err);
	}
	structured = json_pack("{s:o, s:O}", "person", report_person(&person), "accounts",
			       list);
	if (!structured)
		return error_oom(err);
	mcp_result_structured(result, structured);
	report_finish(result, &text);
	return true;
}
