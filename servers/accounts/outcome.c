#include "servers/accounts/outcome.h"

#include "base/clock.h"
#include "servers/accounts/report.h"

struct report {
	const struct saga_env *env;
	const json_t *saga;
	json_t *list;
	struct strbuf text;
	size_t done, failed,
		open; /* steps; accounts whose end alone changed count as done */
	bool verified, unknown;
	const json_t *first; /* step that failed */
};

static void report_done(struct report *r)
{
	json_decref(r->list);
	strbuf_done(&r->text);
}

static bool is_kind(const struct report *r, enum saga_kind kind)
{
	const char *text = json_get_string(r->saga, "kind");

	return text && strcmp(text, saga_kind_name(kind)) == 0;
}

static bool phase_is(const json_t *step, const char *phase)
{
	const char *text = json_get_string(step, "phase");

	return text && strcmp(text, phase) == 0;
}

static bool is_sent(const json_t *step)
{
	return json_is_true(json_object_get(step, "sent"));
}

/* As a caller reads it. */
static const char *state_of(const json_t *step)
{
	if (saga_step_is_done(step))
		return json_get_string(step, "phase");
	if (phase_is(step, "superseded"))
		return "superseded";
	if (is_sent(step))
		return "unknown";
	return saga_step_is_open(step) ? "retrying" : "failed";
}

static void count_step(struct report *r, const json_t *step)
{
	r->verified = r->verified && phase_is(step, "verified");
	if (saga_step_is_done(step)) {
		r->done++;
		return;
	}
	r->failed++;
	r->open += saga_step_is_open(step);
	r->unknown |= is_sent(step);
	if (!r->first)
		r->first = step;
}

/* The account's first step of this facet; NULL: none was planned. */
static const json_t *find_step(const struct report *r, size_t account,
			       enum account_facet facet)
{
	const json_t *step;
	size_t i;

	json_array_foreach(json_object_get(r->saga, "steps"), i, step)
	{
		const char *name = json_get_string(step, "facet");

		if (json_get_int64(step, "account", -1) == (json_int_t)account && name &&
		    strcmp(name, account_facet_name(facet)) == 0)
			return step;
	}
	return NULL;
}

static bool is_asked(const struct report *r, enum account_facet facet)
{
	return !is_kind(r, SAGA_REVOKE) || facet == FACET_SESSIONS ||
	       facet == FACET_TOKENS;
}

static json_t *facet_json(const struct account_system *system, const json_t *step,
			  enum account_facet facet)
{
	const char *none = system ? system->backend->notion(system->self, facet) : NULL;
	const char *why = step ? json_get_string(step, "message") : none;
	const char *state = step ? state_of(step) : none ? "none" : "unchanged";
	json_auto_t *object = json_pack("{s:s, s:s}", "facet", account_facet_name(facet),
					"state", state);

	if (!object ||
	    (why && json_object_set_new(object, "detail", json_string(why)) != 0))
		return NULL;
	if (step && json_object_get(step, "count") &&
	    json_object_set(object, "count", json_object_get(step, "count")) != 0)
		return NULL;
	return TAKE(object);
}

static void facet_text(struct report *r, const json_t *facet)
{
	const char *why = json_get_string(facet, "detail");

	strbuf_add_format(&r->text, "\n  - %s: %s", json_get_string(facet, "facet"),
			  json_get_string(facet, "state"));
	if (json_object_get(facet, "count"))
		strbuf_add_format(&r->text, ", %lld",
				  (long long)json_get_int64(facet, "count", 0));
	if (why) {
		strbuf_add_string(&r->text, ": ");
		report_text(&r->text, why);
	}
}

static const char *state_now(const struct report *r, const struct account_system *system,
			     const json_t *account)
{
	_cleanup_(account_done) struct account now = { 0 };
	struct error ignored = ERROR_INIT;
	bool found = false;

	if (!system ||
	    !system->backend->read(system->self, json_get_string(account, "identifier"),
				   json_get_string(account, "id"), r->env->now_ms, &now,
				   &found, &ignored))
		return account_state_name(ACCOUNT_UNKNOWN);
	return account_state_name(found ? now.state : ACCOUNT_ABSENT);
}

/* What a person should know of it, in a sentence; "" for nothing. */
static const char *explain(const struct report *r, const json_t *account, bool has_step)
{
	if (!has_step && json_is_true(json_object_get(account, "reschedule")))
		return json_get_int64(account, "expires_ms", 0) != 0
			       ? "was blocked already; when that ends was changed"
			       : "was blocked already; it no longer ends by itself";
	if (has_step)
		return "";
	if (is_kind(r, SAGA_BLOCK))
		return "was blocked already";
	return is_kind(r, SAGA_UNBLOCK) ? "was not blocked" : "has no sessions here";
}

static bool set_text(json_t *object, const char *member, const char *text)
{
	return !text || !*text ||
	       json_object_set_new(object, member, json_string(text)) == 0;
}

/* How many were ended in this system, where it says. */
static bool set_count(json_t *item, const json_t *facets)
{
	int64_t count = 0;
	const json_t *facet;
	bool any = false;
	size_t i;

	json_array_foreach(facets, i, facet)
	{
		any |= json_object_get(facet, "count") != NULL;
		count += json_get_int64(facet, "count", 0);
	}
	return !any || json_object_set_new(item, "count", json_integer(count)) == 0;
}

static bool set_error(json_t *object, const json_t *step)
{
	const char *code = json_get_string(step, "code");
	const char *message = json_get_string(step, "message");

	if (!step)
		return true;
	if (is_sent(step) || !code)
		code = is_sent(step) ? "unknown_outcome" : "internal";
	return json_object_set_new(object, "error",
				   json_pack("{s:s, s:s}", "code", code, "message",
					     message ? message : "it did not happen")) ==
	       0;
}

/* Facets of one account into 'list'; '*ret_failed' the first that failed. */
static bool add_facets(struct report *r, size_t index,
		       const struct account_system *system, json_t *list,
		       const json_t **ret_failed, size_t *ret_steps, size_t *ret_done)
{
	for (size_t f = 0; f < FACET_COUNT; f++) {
		const enum account_facet facet = (enum account_facet)f;
		const json_t *step = find_step(r, index, facet);

		if (!is_asked(r, facet))
			continue;
		if (json_array_append_new(list, facet_json(system, step, facet)) != 0)
			return false;
		if (!step)
			continue;
		count_step(r, step);
		*ret_steps += 1;
		*ret_done += saga_step_is_done(step);
		if (!*ret_failed && !saga_step_is_done(step))
			*ret_failed = step;
	}
	return true;
}

static void account_text(struct report *r, const json_t *item, const char *detail)
{
	const char *expires = json_get_string(item, "expires_at");
	const json_t *error = json_object_get(item, "error"), *facet;
	size_t i;

	strbuf_add_format(&r->text, "\n- %s: **%s**", json_get_string(item, "system"),
			  json_get_string(item, "after"));
	if (json_is_true(json_object_get(item, "changed")))
		strbuf_add_format(&r->text, ", was %s", json_get_string(item, "before"));
	if (expires)
		strbuf_add_format(&r->text, "; unblocks by itself at %s", expires);
	if (error) {
		strbuf_add_string(&r->text, "; failed: ");
		report_text(&r->text, json_get_string(error, "message"));
	}
	if (*detail)
		strbuf_add_format(&r->text, " (%s)", detail);
	json_array_foreach(json_object_get(item, "facets"), i, facet)
	{
		const char *state = json_get_string(facet, "state");

		/* What a system has no notion of matters to a block. */
		if (strcmp(state, "unchanged") != 0 &&
		    !(strcmp(state, "none") == 0 && is_kind(r, SAGA_UNBLOCK)))
			facet_text(r, facet);
	}
}

static bool add_account(struct report *r, size_t index, const json_t *account,
			struct error *err)
{
	const char *name = json_get_string(account, "system");
	const struct account_system *system = saga_system(r->env, name);
	const int64_t expires_ms = json_get_int64(account, "expires_ms", 0);
	const bool reschedule = json_is_true(json_object_get(account, "reschedule"));
	json_auto_t *facets = json_array();
	json_auto_t *item = NULL;
	const json_t *failed = NULL;
	size_t steps = 0, done = 0;
	char at[CLOCK_TEXT_BYTES];
	const char *detail;

	if (!facets || !add_facets(r, index, system, facets, &failed, &steps, &done))
		return error_oom(err);
	if (steps == 0 && reschedule)
		r->done++;
	item = json_pack("{s:s, s:s, s:s, s:s, s:b, s:O}", "system", name, "identifier",
			 json_get_string(account, "identifier"), "before",
			 json_get_string(account, "state"), "after",
			 state_now(r, system, account), "changed",
			 (int)(done > 0 || (steps == 0 && reschedule)), "facets", facets);
	detail = explain(r, account, steps > 0);
	if (!item ||
	    (expires_ms != 0 &&
	     !set_text(item, "expires_at", clock_format(expires_ms, at))) ||
	    !set_text(item, "detail", detail) || !set_error(item, failed) ||
	    (is_kind(r, SAGA_REVOKE) && !set_count(item, facets)))
		return error_oom(err);
	account_text(r, item, detail);
	return json_array_append(r->list, item) == 0 || error_oom(err);
}

/* ---- The whole -------------------------------------------------------------------- */

static json_t *person_json(const json_t *person)
{
	json_auto_t *object = json_pack("{s:s}", "display_name",
					json_get_string(person, "display_name"));

	if (!object || !set_text(object, "uid", json_get_string(person, "uid")) ||
	    !set_text(object, "email", json_get_string(person, "email")))
		return NULL;
	return TAKE(object);
}

/* What takes it back: a call that somebody can make as it stands, but for a reason. */
static json_t *undo_json(const struct report *r, const char **ret_person)
{
	const char *mail = json_get_string(json_object_get(r->saga, "person"), "email");
	json_auto_t *systems = json_array();
	const json_t *account;
	size_t i;

	*ret_person = mail;
	json_array_foreach(json_object_get(r->saga, "accounts"), i, account)
	{
		if (!mail || !*mail)
			*ret_person = mail = json_get_string(account, "identifier");
		if (json_array_append(systems, json_object_get(account, "system")) != 0)
			return NULL;
	}
	return json_pack("{s:s, s:{s:s, s:O}}", "tool", "unblock_account", "arguments",
			 "person", *ret_person, "systems", systems);
}

static bool add_undo(struct report *r, json_t *structured, struct error *err)
{
	const char *person = NULL;
	json_t *undo;

	if (!is_kind(r, SAGA_BLOCK) || r->done == 0)
		return true;
	undo = undo_json(r, &person);
	if (!undo || json_object_set_new(structured, "undo", undo) != 0)
		return error_oom(err);
	strbuf_add_string(&r->text, "\n\nTo undo it: `unblock_account` for ");
	report_text(&r->text, person);
	return true;
}

static bool add_open(struct report *r, json_t *structured, struct error *err)
{
	char at[CLOCK_TEXT_BYTES];

	if (r->open == 0)
		return true;
	(void)clock_format(json_get_int64(r->saga, "retry_until_ms", 0), at);
	if (!set_text(structured, "retry_until", at))
		return error_oom(err);
	strbuf_add_format(&r->text, "\n\nWhat is open is tried again by itself until %s.",
			  at);
	return true;
}

static bool fail_all(const struct report *r, struct error *err)
{
	const char *code = json_get_string(r->first, "code");
	const char *message = json_get_string(r->first, "message");
	char at[CLOCK_TEXT_BYTES];

	error_set(err,
		  r->unknown ? ERR_UNKNOWN_OUTCOME
		  : code     ? error_from_name(code)
			     : ERR_BACKEND_UNAVAILABLE,
		  "%s", message ? message : "nothing was done in time");
	if (r->open > 0)
		return error_hint(
			err,
			"it is tried again by itself until %s; "
			"get_account tells what came of it",
			clock_format(json_get_int64(r->saga, "retry_until_ms", 0), at));
	return error_hint(err, "ask again: the new plan shows how it is now");
}

static const char *heading(const struct report *r)
{
	if (is_kind(r, SAGA_BLOCK))
		return "Block of ";
	return is_kind(r, SAGA_UNBLOCK) ? "Unblock of " : "Sessions of ";
}

static bool finish(struct report *r, struct mcp_result *result, struct error *err)
{
	const json_t *person = json_object_get(r->saga, "person");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_auto_t *structured = json_pack("{s:o, s:O}", "person", person_json(person),
					    "outcomes", r->list);

	if (!structured || !add_open(r, structured, err) || !add_undo(r, structured, err))
		return error_oom(err);
	mcp_result_structured(result, json_incref(structured));
	strbuf_add_string(&text, heading(r));
	report_name(&text, json_get_string(person, "display_name"),
		    json_get_string(json_array_get(r->list, 0), "identifier"));
	strbuf_add(&text, r->text.data, r->text.length);
	report_finish(result, &text);
	mcp_result_verified(result, r->verified);
	return true;
}

bool outcome_report(const struct saga_env *env, const json_t *saga,
		    struct mcp_result *result, struct error *err)
{
	_cleanup_(report_done) struct report r = {
		.env = env,
		.saga = saga,
		.list = json_array(),
		.text = STRBUF_INIT,
		.verified = true,
	};
	const json_t *account;
	size_t i;

	json_array_foreach(json_object_get(saga, "accounts"), i, account)
	{
		if (!add_account(&r, i, account, err))
			return false;
	}
	/* Where nothing succeeded, the whole call says so. */
	return r.failed > 0 && r.done == 0 ? fail_all(&r, err) : finish(&r, result, err);
}
