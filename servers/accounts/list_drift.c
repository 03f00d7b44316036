/* list_drift: who is blocked in one system and active in another, and what our own blocks
 * still have open. */
#include "servers/accounts/tools.h"

#include "base/clock.h"
#include "servers/accounts/accounts.h"
#include "servers/accounts/blocked.h"
#include "servers/accounts/people_answer.h"
#include "servers/accounts/report.h"

enum {
	PEOPLE_MAX = 500, /* blocked accounts whose other accounts are looked at */
	ROWS_MAX = 200,
	OPEN_MAX = 200,
	SAGAS_MAX = 2000, /* the latest */
};
#define GIVEN_UP_FOR_MS (INT64_C(7) * 24 * 60 * 60 * 1000)

struct drift {
	struct mcp_call *call;
	const struct accounts *a;
	json_t *seen; /* "<system>:<id>" of accounts that are told of already */
	json_t *rows, *open;
	struct strbuf text;
	size_t checked, unjoined;
	bool truncated;
};

static void drift_done(struct drift *d)
{
	json_decref(d->seen);
	json_decref(d->rows);
	json_decref(d->open);
	strbuf_done(&d->text);
}

/* ---- One person ------------------------------------------------------------------- */

/* Everything that this account's person has; false without 'err': nobody is joined to it. */
static bool join(const struct drift *d, const struct account *account, struct person *ret,
		 struct error *err)
{
	const bool wanted[SYSTEMS_MAX] = { true, true, true, true };
	const int64_t now_ms = mcp_call_now_ms(d->call);
	json_auto_t *answer = NULL, *candidates = NULL;
	const struct people_question q = { .systems = d->a->systems,
					   .count = d->a->system_count,
					   .wanted = wanted,
					   .text = account->identifier,
					   .now_ms = now_ms };
	struct error own = ERROR_INIT;
	bool good;

	if (d->a->people) {
		answer = people_peer_ask(d->a->people, account->identifier, err);
		if (!answer)
			return false;
		good = people_answer_read(&q, answer, ret, &candidates, &own);
	} else {
		good = *account->mail &&
		       resolve_person(d->a->systems, d->a->system_count, wanted,
				      account->mail, now_ms, ret, &candidates, &own);
	}
	if (good || !error_is_set(&own) || own.code == ERR_NOT_FOUND ||
	    own.code == ERR_AMBIGUOUS || own.code == ERR_PRECONDITION_FAILED)
		return good;
	*err = own;
	return false;
}

static bool is_seen(struct drift *d, const struct account_system *system,
		    const struct account *account, bool *ret, struct error *err)
{
	_cleanup_strbuf_ struct strbuf key = STRBUF_INIT;

	strbuf_add_format(&key, "%s:%s", system->backend->system, account->id);
	if (!strbuf_ok(&key))
		return error_oom(err);
	*ret = json_object_get(d->seen, key.data) != NULL;
	return *ret || json_object_set_new(d->seen, key.data, json_true()) == 0 ||
	       error_oom(err);
}

/* One that a block of ours took out of an organisation is absent there. */
static bool is_blocked(const struct drift *d, const struct account_system *system,
		       const struct account *account, bool *ret, struct error *err)
{
	json_auto_t *event = NULL;

	*ret = account->state == ACCOUNT_BLOCKED;
	if (account->state != ACCOUNT_ABSENT)
		return true;
	if (!record_explain(d->a->records, system->backend->system, account, &event, err))
		return false;
	*ret = event != NULL;
	return true;
}

static bool add_side(json_t *list, struct strbuf *text, const char *system,
		     const struct account *account, struct error *err)
{
	strbuf_add_format(text, "%s%s ", json_array_size(list) ? ", " : "", system);
	report_text(text, account->identifier);
	return json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "system", system,
						     "identifier", account->identifier,
						     "detail", account->detail)) == 0 ||
	       error_oom(err);
}

static bool add_row(struct drift *d, const struct person *p, struct error *err)
{
	_cleanup_strbuf_ struct strbuf blocked_in = STRBUF_INIT, active_in = STRBUF_INIT;
	json_auto_t *blocked = json_array(), *active = json_array();

	for (size_t i = 0; i < p->count; i++) {
		const struct account *a = &p->accounts[i].account;
		const char *system = p->accounts[i].system->backend->system;
		bool seen, is_one = false;

		if (!is_seen(d, p->accounts[i].system, a, &seen, err) ||
		    !is_blocked(d, p->accounts[i].system, a, &is_one, err))
			return false;
		if (is_one && !add_side(blocked, &blocked_in, system, a, err))
			return false;
		if (a->state == ACCOUNT_ACTIVE &&
		    !add_side(active, &active_in, system, a, err))
			return false;
	}
	if (json_array_size(blocked) == 0 || json_array_size(active) == 0)
		return true;
	if (json_array_size(d->rows) == ROWS_MAX) {
		d->truncated = true;
		return true;
	}
	strbuf_add_string(&d->text, "\n- ");
	report_name(&d->text, p->name, *p->mail ? p->mail : p->uid);
	strbuf_add_format(&d->text, ": blocked in %s, active in %s", blocked_in.data,
			  active_in.data);
	return json_array_append_new(
		       d->rows, json_pack("{s:o, s:O, s:O}", "person", report_person(p),
					  "blocked", blocked, "active", active)) == 0 ||
	       error_oom(err);
}

static bool check_account(struct drift *d, const struct account_system *system,
			  const struct account *account, struct error *err)
{
	_cleanup_(person_done) struct person person = { 0 };
	bool seen = false;

	if (!is_seen(d, system, account, &seen, err))
		return false;
	if (seen)
		return true;
	if (d->checked == PEOPLE_MAX) {
		d->truncated = true;
		return true;
	}
	d->checked++;
	if (join(d, account, &person, err))
		return add_row(d, &person, err);
	d->unjoined++;
	return !error_is_set(err);
}

static bool check_system(struct drift *d, const struct account_system *system,
			 struct error *err)
{
	_cleanup_(account_list_done) struct account_list list = ACCOUNT_LIST_INIT;

	if (!blocked_list(d->a->records, system, mcp_call_now_ms(d->call), &list, err))
		return false;
	d->truncated |= list.more;
	for (size_t i = 0; i < list.count; i++) {
		if (mcp_call_cancelled(d->call) ||
		    clock_mono_ms() >= mcp_call_deadline_ms(d->call)) {
			d->truncated = true;
			return true;
		}
		if (!check_account(d, system, &list.items[i], err))
			return false;
	}
	return true;
}

/* ---- What is open ----------------------------------------------------------------- */

static bool add_open_step(struct drift *d, const json_t *saga, const json_t *step)
{
	const json_t *account =
		json_array_get(json_object_get(saga, "accounts"),
			       (size_t)json_get_int64(step, "account", 0));
	const char *why = json_get_string(step, "message");
	const char *const texts[] = { json_get_string(saga, "approval"),
				      json_get_string(saga, "kind"),
				      json_get_string(account, "system"),
				      json_get_string(account, "identifier"),
				      json_get_string(step, "facet"),
				      json_get_string(step, "phase") };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (!texts[i])
			return true;
	strbuf_add_format(&d->text, "\n- open: %s of %s in %s, ", texts[1], texts[4],
			  texts[2]);
	report_text(&d->text, texts[3]);
	strbuf_add_format(&d->text, " (%s, approval %s)", texts[5], texts[0]);
	return json_array_append_new(d->open,
				     json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}",
					       "approval", texts[0], "kind", texts[1],
					       "system", texts[2], "identifier", texts[3],
					       "facet", texts[4], "state", texts[5],
					       "detail", why ? why : "")) == 0;
}

/* Steps that are still tried, and those of the last week that were given up; not what a
 * later decision did again. */
struct unfinished {
	struct drift *d;
	json_t *later; /* "<system>:<id>:<facet>" */
	size_t sagas;
	struct error *err;
};

static bool add_saga(void *context, const json_t *saga)
{
	struct unfinished *u = context;
	const bool is_recent = json_get_int64(saga, "at_ms", 0) >
			       mcp_call_now_ms(u->d->call) - GIVEN_UP_FOR_MS;
	const json_t *step;
	size_t i;

	u->sagas++;
	json_array_foreach(json_object_get(saga, "steps"), i, step)
	{
		_cleanup_strbuf_ struct strbuf key = STRBUF_INIT;
		const json_t *account =
			json_array_get(json_object_get(saga, "accounts"),
				       (size_t)json_get_int64(step, "account", 0));
		const char *system = json_get_string(account, "system");
		const char *id = json_get_string(account, "id");
		const char *facet = json_get_string(step, "facet");
		const char *phase = json_get_string(step, "phase");
		const bool is_open = saga_step_is_open(step);

		if (!system || !id || !facet || !phase)
			continue;
		strbuf_add_format(&key, "%s:%s:%s", system, id, facet);
		if (!strbuf_ok(&key))
			return error_oom(u->err);
		if (!is_open && json_object_get(u->later, key.data))
			continue;
		if (json_object_set_new(u->later, key.data, json_true()) != 0)
			return error_oom(u->err);
		if (!is_open && !(is_recent && strcmp(phase, "given_up") == 0))
			continue;
		if (json_array_size(u->d->open) == OPEN_MAX) {
			u->d->truncated = true;
			return false;
		}
		if (!add_open_step(u->d, saga, step))
			return error_oom(u->err);
	}
	return true;
}

static bool add_open(struct drift *d, struct error *err)
{
	json_auto_t *later = json_object();
	struct unfinished u = { .d = d, .later = later, .err = err };

	if (!later)
		return error_oom(err);
	if (!saga_each(d->a->records, SAGAS_MAX, add_saga, &u, err) || error_is_set(err))
		return false;
	d->truncated |= u.sagas == SAGAS_MAX;
	return true;
}

bool list_drift(struct mcp_call *call, struct mcp_result *result, struct error *err)
{
	_cleanup_(drift_done) struct drift d = { .call = call,
						 .a = mcp_call_context(call),
						 .seen = json_object(),
						 .rows = json_array(),
						 .open = json_array(),
						 .text = STRBUF_INIT };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_t *structured;

	for (size_t i = 0; i < d.a->system_count; i++)
		if (!check_system(&d, &d.a->systems[i], err))
			return false;
	if (!add_open(&d, err))
		return false;
	structured = json_pack("{s:O, s:O, s:I, s:I, s:b}", "drift", d.rows, "open",
			       d.open, "checked", (json_int_t)d.checked, "unjoined",
			       (json_int_t)d.unjoined, "truncated", (int)d.truncated);
	if (!structured)
		return error_oom(err);
	mcp_result_structured(result, structured);
	if (json_array_size(d.rows) == 0)
		strbuf_add_format(&text,
				  "Of %zu blocked accounts none is of somebody who is "
				  "active in another system.",
				  d.checked);
	else
		strbuf_add_format(&text,
				  "Blocked in one system and active in another: %zu of "
				  "%zu blocked accounts.",
				  json_array_size(d.rows), d.checked);
	if (d.unjoined > 0)
		strbuf_add_format(&text, " %zu are joined to nobody.", d.unjoined);
	if (d.truncated)
		strbuf_add_string(&text, " Not all could be looked at.");
	strbuf_add(&text, d.text.data, d.text.length);
	report_finish(result, &text);
	return true;
}
