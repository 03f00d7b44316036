/* get_account: a person's accounts, and why they are as they are. */
#include "servers/accounts/tools.h"

#include "servers/accounts/accounts.h"
#include "servers/accounts/expiry.h"
#include "servers/accounts/record.h"
#include "servers/accounts/report.h"

/* What is on record about a lock. */
struct story {
	json_t *event;        /* owned; NULL: it was not set here */
	struct expiry expiry; /* zeros: it does not end by itself */
};

static void story_done(struct story *s)
{
	json_decref(s->event);
	expiry_done(&s->expiry);
}

static bool read_story(const struct accounts *a, const char *system,
		       const struct account *account, struct story *ret,
		       struct error *err)
{
	bool found;

	return record_explain(a->records, system, account, &ret->event, err) &&
	       expiry_find(a->records, system, account, &ret->expiry, &found, err);
}

static void add_sentence(struct strbuf *sb, const char *text)
{
	if (*text && sb->length)
		strbuf_add_string(sb, "; ");
	strbuf_add_string(sb, text);
}

/* What approved calls still have to do here. */
static bool write_open(const struct accounts *a, const struct account_system *system,
		       const struct account *account, struct strbuf *detail,
		       struct error *err)
{
	json_auto_t *open = NULL;
	const json_t *approval;
	size_t i;

	if (!saga_list_open(a->records, system->backend->system, account->id, &open, err))
		return false;
	json_array_foreach(open, i, approval)
	{
		add_sentence(detail, "steps of the decision ");
		strbuf_add_format(detail, "%s are still open and tried again",
				  json_string_value(approval));
	}
	return true;
}

static bool write_detail(const struct accounts *a, const struct account_system *system,
			 const struct account *account, const struct story *story,
			 bool *ret_protected, struct strbuf *detail, struct error *err)
{
	_cleanup_strbuf_ struct strbuf why = STRBUF_INIT;

	if (!system->backend->is_protected(system->self, account, ret_protected, &why,
					   err))
		return false;
	add_sentence(detail, account->detail);
	if (*ret_protected) {
		add_sentence(detail, "protected: ");
		strbuf_add_string(detail, why.data);
	}
	if (!account->obeyed)
		add_sentence(detail, "a block would not keep the person out");
	if (story->expiry.why && *story->expiry.why) {
		add_sentence(detail, "unblocking it failed and will be tried again: ");
		strbuf_add_string(detail, story->expiry.why);
	}
	return write_open(a, system, account, detail, err) &&
	       (strbuf_ok(detail) || error_oom(err));
}

static void write_text(const struct account_system *system, const struct account *account,
		       const json_t *object, const char *detail, struct strbuf *text)
{
	strbuf_add_format(text, "\n- %s: **%s**", system->backend->system,
			  account_state_name(account->state));
	if (json_get_string(object, "since"))
		strbuf_add_format(text, " since %s", json_get_string(object, "since"));
	if (json_get_string(object, "expires_at"))
		strbuf_add_format(text, " until %s",
				  json_get_string(object, "expires_at"));
	if (json_get_string(object, "blocked_by")) {
		strbuf_add_string(text, " by ");
		report_text(text, json_get_string(object, "blocked_by"));
		strbuf_add_string(text, ": ");
		report_text(text, json_get_string(object, "reason"));
	}
	if (*detail) {
		strbuf_add_string(text, " (");
		report_text(text, detail);
		strbuf_add_char(text, ')');
	}
}

static json_t *describe(const struct accounts *a, const struct account_system *system,
			const struct account *account, struct strbuf *text,
			struct error *err)
{
	_cleanup_strbuf_ struct strbuf detail = STRBUF_INIT;
	_cleanup_(story_done) struct story story = { 0 };
	const char *name = system->backend->system;
	json_auto_t *object = NULL;
	bool is_protected = false;

	if (!read_story(a, name, account, &story, err) ||
	    !write_detail(a, system, account, &story, &is_protected, &detail, err))
		return NULL;
	object = json_pack("{s:s, s:s, s:s, s:b, s:s}", "system", name, "identifier",
			   account->identifier, "state",
			   account_state_name(account->state), "protected",
			   (int)is_protected, "detail", detail.data);
	if (!object) {
		error_oom(err);
		return NULL;
	}
	if (!report_block(object, account, story.event, story.expiry.at_ms, err))
		return NULL;
	write_text(system, account, object, detail.data, text);
	return TAKE(object);
}

/* The result as JSON, new; 'text' as words. */
static json_t *look_up(struct mcp_call *call, struct strbuf *text, struct error *err)
{
	const struct accounts *a = mcp_call_context(call);
	_cleanup_(person_done) struct person person = { 0 };
	json_auto_t *list = json_array();
	json_t *structured;

	if (!accounts_resolve(call, false, &person, err))
		return NULL;
	report_name(text, person.name, person.accounts[0].account.identifier);
	for (size_t i = 0; i < person.count; i++) {
		json_t *one = describe(a, person.accounts[i].system,
				       &person.accounts[i].account, text, err);

		if (!one)
			return NULL;
		if (json_array_append_new(list, one) != 0) {
			error_oom(err);
			return NULL;
		}
	}
	structured = json_pack("{s:o, s:O}", "person", report_person(&person), "accounts",
			       list);
	if (!structured)
		error_oom(err);
	return structured;
}

bool get_account(struct mcp_call *call, struct mcp_result *result, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_t *structured = look_up(call, &text, err);

	if (!structured)
		return false;
	mcp_result_structured(result, structured);
	report_finish(result, &text);
	return true;
}

bool read_account(struct mcp_call *call, struct mcp_contents *contents, struct error *err)
{
	_cleanup_strbuf_ struct strbuf words = STRBUF_INIT, text = STRBUF_INIT;
	json_auto_t *structured = look_up(call, &words, err);

	if (!structured || !json_write(&text, structured, err))
		return false;
	mcp_contents_text(contents, "application/json", text.data, text.length);
	return true;
}
