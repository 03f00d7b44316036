#include "gate/keeper.h"

#include "base/clock.h"
#include "gate/sensitive.h"
#include "guard/grant.h"
#include "guard/ticket.h"

/* What a proposal becomes once its words have been checked. */
struct checked {
	const struct tool_definition *tool;
	char args[DIGEST_HEX_BYTES], request[DIGEST_HEX_BYTES],
		identity[DIGEST_HEX_BYTES];
	struct strbuf arguments; /* canonical */
};

static void checked_done(struct checked *c)
{
	strbuf_done(&c->arguments);
}

const struct tool_definition *keeper_definition(const struct keeper *k,
						const char *server, const char *tool,
						struct error *err)
{
	const struct tool_definition *d;

	if (strcmp(server, "gate") != 0)
		return pins_find(k->pins, server, tool, err);
	d = keeper_own_definition(k, tool);
	if (!d)
		error_set(err, ERR_NOT_FOUND, "there is no tool 'gate.%.64s'", tool);
	return d;
}

static bool check(const struct keeper *k, const struct proposal *p, struct checked *c,
		  struct error *err)
{
	json_auto_t *body = NULL;

	strbuf_init(&c->arguments);
	c->tool = keeper_definition(k, p->server, p->tool, err);
	if (!c->tool ||
	    !tool_definition_accept(c->tool, p->arguments, &c->arguments, c->args, err))
		return false;
	if (c->arguments.length > RECORD_ARGUMENTS_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the arguments have %zu bytes, more than the %d that "
				 "can be shown",
				 c->arguments.length, RECORD_ARGUMENTS_MAX);
	if (!request_digest(p->server, p->tool, c->args, c->request, err))
		return false;
	body = json_pack("{s:s, s:O, s:s}", "requester", p->requester, "surface",
			 p->surface, "request", c->request);
	return body ? record_identity(body, c->identity, err) : error_oom(err);
}

bool keeper_identify(struct keeper *k, const struct proposal *p,
		     char ret[static DIGEST_HEX_BYTES], struct error *err)
{
	_cleanup_(checked_done) struct checked c = { .arguments = STRBUF_INIT };

	if (!check(k, p, &c, err))
		return false;
	memcpy(ret, c.identity, sizeof c.identity);
	return true;
}

/* --- may it be asked at all? --- */

static bool check_policy(const struct keeper *k, const struct proposal *p,
			 const struct checked *c, struct error *err)
{
	struct policy_question q = { .server = p->server,
				     .tool = p->tool,
				     .risk = c->tool->risk,
				     .reversible = true,
				     .plan_approvers = 1,
				     .requester = p->requester,
				     .arguments = c->arguments.data };
	struct policy_answer a, worse;

	policy_judge(k->policy, &q, &a);
	/* The plan may find irreversible effects, which another rule may allow. */
	q.reversible = false;
	policy_judge(k->policy, &q, &worse);
	if (!a.may_call && !worse.may_call)
		return error_set(err, ERR_PERMISSION_DENIED,
				 "'%s' may not call %s.%s: %s", p->requester, p->server,
				 p->tool, a.why);
	return true;
}

static bool check_denied(struct keeper *k, const char *identity, struct error *err)
{
	char key[COORD_KEY_MAX + 1];
	_cleanup_free_ char *denied = NULL;

	(void)snprintf(key, sizeof key, "denied/%s", identity);
	if (!coord_get(k->coordination, key, &denied, err))
		return false;
	if (denied)
		return error_set(
			err, ERR_PERMISSION_DENIED,
			"the same was denied less than ten minutes ago (approval %s)",
			denied);
	return true;
}

static bool is_direct(const struct proposal *p)
{
	const char *kind = json_get_string(p->surface, "kind");

	return kind && strcmp(kind, "direct") == 0;
}

/* What a server registers in somebody's name does not use up that person's own turns. */
static bool is_by_same_way(const struct approval *a, const struct proposal *p)
{
	const char *server = json_get_string(a->body, "server");

	return keeper_is_direct(a) == is_direct(p) &&
	       (!is_direct(p) || (server && p->server && strcmp(server, p->server) == 0));
}

static bool check_open(const struct keeper *k, const struct proposal *p, int64_t more,
		       struct error *err)
{
	int64_t mine = 0, same_way = 0, all = 0;

	for (const struct approval *a = k->approvals; a; a = a->next) {
		const char *who = json_get_string(a->body, "requester");
		bool same = is_by_same_way(a, p);

		/* Of several in one decision each call counts. */
		if (a->ended || a->state > RECORD_APPROVED || keeper_is_bundle(a))
			continue;
		all++;
		same_way += same;
		mine += same && who && p->requester && strcmp(who, p->requester) == 0;
	}
	if (mine + more > k->settings->open_per_person)
		return error_set(err, ERR_RATE_LIMITED,
				 "%lld calls of '%s' wait for a decision already",
				 (long long)mine, p->requester);
	if (all + more > k->settings->open ||
	    (is_direct(p) && same_way >= (k->settings->open + 1) / 2))
		return error_set(err, ERR_RATE_LIMITED,
				 "%lld calls wait for a decision already",
				 (long long)all);
	return true;
}

/* Of a conversation, whoever takes part in it; no person's name has a space. */
static bool take_turn_in_conversation(struct keeper *k, const struct proposal *p,
				      struct error *err)
{
	const char *conversation = json_get_string(p->surface, "conversation");
	_cleanup_strbuf_ struct strbuf key = STRBUF_INIT;
	int64_t wait_ms = 0;

	if (!conversation)
		return true;
	strbuf_add_format(&key, "in %s", conversation);
	return strbuf_ok(&key) ? limiter_take(k->proposals, key.data, clock_mono_ms(),
					      &wait_ms, err)
			       : error_oom(err);
}

static bool check_limits(struct keeper *k, const struct proposal *p, struct error *err)
{
	int64_t wait_ms = 0;
	char who[192];

	(void)snprintf(who, sizeof who, "%s%s%s", is_direct(p) ? p->server : "",
		       is_direct(p) ? " for " : "", p->requester);
	return check_open(k, p, 1, err) &&
	       limiter_take(k->proposals, who, clock_mono_ms(), &wait_ms, err) &&
	       take_turn_in_conversation(k, p, err);
}

/* --- the record --- */

/* What is known of who asked, where that was in Slack. */
static bool add_slack(json_t *line, const json_t *slack)
{
	return !slack || json_object_set(line, "slack", (json_t *)(uintptr_t)slack) == 0;
}

/* Arguments as the audit log keeps them: sensitive values as keyed digests. */
static json_t *audit_arguments(struct keeper *k, const struct proposal *p,
			       const struct checked *c)
{
	json_auto_t *line = NULL;

	struct error ignored = ERROR_INIT;
	json_auto_t *arguments = json_parse(c->arguments.data, c->arguments.length,
					    JSON_CONTRACT, &ignored);
	const json_t *schema = json_object_get(c->tool->json, "inputSchema");
	const json_t *properties = json_object_get(schema, "properties");
	bool all = sensitive_is_any(schema);
	const char *name;
	json_t *value;
	void *next;

	json_object_foreach_safe(arguments, next, name, value)
	{
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, digest = STRBUF_INIT;

		if (!all && !sensitive_is(json_object_get(properties, name)))
			continue;
		if (!canonical_write(&text, value, &ignored))
			return NULL;
		audit_sensitive(k->audit, text.data, &digest);
		if (json_object_set_new(arguments, name, json_string(digest.data)) != 0)
			return NULL;
	}
	line = arguments ? json_pack("{s:O, s:s}", "arguments", arguments, "risk",
				     risk_name(c->tool->risk))
			 : NULL;
	return line && add_slack(line, p->slack) ? TAKE(line) : NULL;
}

static json_t *new_body(const struct keeper *k, const struct proposal *p,
			const struct checked *c)
{
	const struct settings_server *s = settings_find_server(k->settings, p->server);
	char id[RECORD_ID_BYTES];
	json_auto_t *body = NULL;

	record_new_id(k->now_ms, id);
	body = json_pack("{s:i, s:s, s:s, s:O, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, "
			 "s:s, s:s, s:[], "
			 "s:I, s:[{s:s, s:I}]}",
			 "v", 1, "id", id, "state", "proposed", "surface", p->surface,
			 "requester", p->requester, "server", p->server, "instance",
			 s ? s->instance : "gate", "address", s ? s->url : "this gate",
			 "tool", p->tool, "risk", risk_name(c->tool->risk), "pin",
			 c->tool->pin, "arguments", c->arguments.data, "args", c->args,
			 "request", c->request, "decisions", "created_at",
			 (json_int_t)k->now_ms, "history", "state", "proposed", "at",
			 (json_int_t)k->now_ms);
	return body && add_slack(body, p->slack) ? TAKE(body) : NULL;
}

static struct approval *make(struct keeper *k, const struct proposal *p,
			     const struct checked *c, struct error *err)
{
	json_t *audit, *body;

	if (!check_policy(k, p, c, err) || !check_denied(k, c->identity, err) ||
	    !check_limits(k, p, err))
		return NULL;
	audit = audit_arguments(k, p, c);
	body = new_body(k, p, c);
	if (!audit || !body) {
		json_decref(audit);
		json_decref(body);
		error_oom(err);
		return NULL;
	}
	return keeper_add(k, body, audit, err);
}

struct approval *keeper_propose(struct keeper *k, const struct proposal *p,
				struct error *err)
{
	_cleanup_(checked_done) struct checked c = { .arguments = STRBUF_INIT };
	struct approval *a = NULL;

	if (keeper_refresh_policy(k, err) && check(k, p, &c, err)) {
		a = keeper_find_identical(k, c.identity);
		if (a)
			return a;
		a = make(k, p, &c, err);
	}
	if (!a) {
		keeper_audit_refusal(
			k, "proposal.refused", p->requester,
			json_pack("{s:s, s:s}", "server", p->server, "tool", p->tool),
			err);
		return NULL;
	}
	keeper_advance(k, a);
	return a;
}

/* --- several in one decision --- */

struct several {
	size_t count;
	struct proposal proposals[GRANT_BUNDLE_MAX];
	struct checked checked[GRANT_BUNDLE_MAX];
	char servers[GRANT_BUNDLE_MAX][33], tools[GRANT_BUNDLE_MAX][65];
};

static void several_done(struct several *s)
{
	for (size_t i = 0; i < s->count; i++)
		checked_done(&s->checked[i]);
}

static bool in_call(size_t i, struct error *err)
{
	struct error why = *err;

	error_clear(err);
	error_set(err, why.code, "call %zu: %s", i + 1, why.message);
	return !why.hint[0] || error_hint(err, "%s", why.hint);
}

static bool read_call(struct several *s, size_t i, const json_t *call,
		      const struct proposal *of, struct error *err)
{
	const char *tool = json_get_string(call, "tool");
	const json_t *arguments = json_object_get(call, "arguments");

	if (!tool || !json_is_object(arguments) || json_object_size(call) != 2)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "it is not {tool, arguments}");
	if (!keeper_split_tool(tool, s->servers[i], s->tools[i], err) ||
	    keeper_is_for_gate(s->servers[i], tool, err))
		return false;
	s->proposals[i] = *of;
	s->proposals[i].server = s->servers[i];
	s->proposals[i].tool = s->tools[i];
	s->proposals[i].arguments = arguments;
	return true;
}

static bool check_call(struct keeper *k, struct several *s, size_t i, struct error *err)
{
	struct checked *c = &s->checked[i];

	if (!check(k, &s->proposals[i], c, err) ||
	    !check_policy(k, &s->proposals[i], c, err) ||
	    !check_denied(k, c->identity, err))
		return false;
	for (size_t j = 0; j < i; j++)
		if (strcmp(s->checked[j].request, c->request) == 0)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "it is the same as call %zu", j + 1);
	return true;
}

/* 'of' is what all calls have in common. */
static bool read_several(struct keeper *k, struct several *s, const json_t *calls,
			 const struct proposal *of, struct error *err)
{
	size_t i, bytes = 0;
	json_t *call;

	if (json_array_size(calls) < 2 || json_array_size(calls) > GRANT_BUNDLE_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "two to %d calls may be decided at once, here are %zu",
				 GRANT_BUNDLE_MAX, json_array_size(calls));
	json_array_foreach(calls, i, call)
	{
		strbuf_init(&s->checked[i].arguments);
		s->count = i + 1;
		if (!read_call(s, i, call, of, err) || !check_call(k, s, i, err)) {
			(void)in_call(i, err);
			return false;
		}
		bytes += s->checked[i].arguments.length;
	}
	if (bytes > RECORD_ARGUMENTS_MAX)
		return error_set(
			err, ERR_INVALID_ARGUMENT,
			"the arguments have %zu bytes together, more than the %d "
			"that can be shown",
			bytes, RECORD_ARGUMENTS_MAX);
	return true;
}

/* "<decision>-1" to "-8". */
static void part_id(const char *id, size_t i, char ret[static RECORD_KEY_BYTES])
{
	_Static_assert(GRANT_BUNDLE_MAX < 10, "one digit");
	(void)snprintf(ret, RECORD_KEY_BYTES, "%.*s-%c", RECORD_ID_BYTES - 1, id,
		       (char)('1' + (char)i));
}

/* The decision's own record, without its id: the calls by what they are. */
static json_t *head_body(const struct keeper *k, const struct several *s, const char *id,
			 struct error *err)
{
	json_auto_t *calls = json_array();
	json_auto_t *requests = json_array();
	json_auto_t *body = NULL;
	char digest[DIGEST_HEX_BYTES];

	for (size_t i = 0; calls && requests && i < s->count; i++) {
		char part[RECORD_KEY_BYTES];
		json_t *row;

		part_id(id, i, part);
		row = json_pack("{s:s, s:s, s:s, s:s}", "approval", part, "server",
				s->servers[i], "tool", s->tools[i], "risk",
				risk_name(s->checked[i].tool->risk));
		if (json_array_append_new(calls, row) != 0 ||
		    json_array_append_new(requests, json_string(s->checked[i].request)) !=
			    0) {
			error_oom(err);
			return NULL;
		}
	}
	if (!calls || !requests || !canonical_digest(requests, digest, err)) {
		error_oom(err);
		return NULL;
	}
	body = json_pack("{s:i, s:s, s:s, s:O, s:s, s:s, s:s, s:O, s:s, s:[], s:I, "
			 "s:[{s:s, s:I}]}",
			 "v", 1, "id", id, "state", "proposed", "surface",
			 s->proposals[0].surface, "requester", s->proposals[0].requester,
			 "server", "gate", "tool", "several", "calls", calls, "request",
			 digest, "decisions", "created_at", (json_int_t)k->now_ms,
			 "history", "state", "proposed", "at", (json_int_t)k->now_ms);
	if (body && add_slack(body, s->proposals[0].slack))
		return TAKE(body);
	error_oom(err);
	return NULL;
}

static bool add_part(struct keeper *k, const struct several *s, size_t i, const char *id,
		     struct error *err)
{
	json_t *audit = audit_arguments(k, &s->proposals[i], &s->checked[i]);
	json_t *body = new_body(k, &s->proposals[i], &s->checked[i]);
	json_t *bundle = json_pack("{s:s, s:I, s:I}", "id", id, "seq", (json_int_t)i,
				   "of", (json_int_t)s->count);
	char part[RECORD_KEY_BYTES];

	part_id(id, i, part);
	if (!audit || !body || json_object_set_new(body, "bundle", bundle) != 0 ||
	    json_object_set_new(body, "id", json_string(part)) != 0) {
		json_decref(audit);
		json_decref(body);
		return error_oom(err);
	}
	return keeper_add(k, body, audit, err) != NULL;
}

static bool take_turns(struct keeper *k, const struct several *s, struct error *err)
{
	const struct proposal *p = &s->proposals[0];
	int64_t wait_ms = 0;

	if (!check_open(k, p, (int64_t)s->count, err))
		return false;
	for (size_t i = 0; i < s->count; i++)
		if (!limiter_take(k->proposals, p->requester, clock_mono_ms(), &wait_ms,
				  err) ||
		    !take_turn_in_conversation(k, p, err))
			return false;
	return true;
}

/* The calls first: one without its decision is ended at the next start. */
static struct approval *make_several(struct keeper *k, const struct several *s,
				     struct error *err)
{
	char id[RECORD_ID_BYTES], identity[DIGEST_HEX_BYTES];
	json_auto_t *body = NULL;
	struct approval *same;

	record_new_id(k->now_ms, id);
	body = head_body(k, s, id, err);
	if (!body || !record_identity(body, identity, err))
		return NULL;
	same = keeper_find_identical(k, identity);
	if (same)
		return same;
	if (!check_denied(k, identity, err) || !take_turns(k, s, err))
		return NULL;
	for (size_t i = 0; i < s->count; i++)
		if (!add_part(k, s, i, id, err))
			return NULL;
	return keeper_add(k, TAKE(body), NULL, err);
}

struct approval *keeper_propose_several(struct keeper *k, const char *requester,
					const json_t *surface, const json_t *slack,
					const json_t *calls, struct error *err)
{
	const struct proposal of = { .requester = requester,
				     .surface = surface,
				     .slack = slack };
	_cleanup_(several_done) struct several s = { .count = 0 };
	struct approval *a = NULL;

	if (keeper_refresh_policy(k, err) && read_several(k, &s, calls, &of, err))
		a = make_several(k, &s, err);
	if (!a) {
		keeper_audit_refusal(
			k, "proposal.refused", requester,
			json_pack("{s:I}", "calls", (json_int_t)json_array_size(calls)),
			err);
		return NULL;
	}
	keeper_bundle_step(k, a);
	return a;
}
