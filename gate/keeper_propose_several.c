/* Two to eight calls, proposed for one decision. */
#include "gate/keeper_propose_private.h"

#include "base/clock.h"
#include "guard/grant.h"

struct several {
	size_t count;
	struct proposal proposals[GRANT_BUNDLE_MAX];
	struct checked checked[GRANT_BUNDLE_MAX];
	char servers[GRANT_BUNDLE_MAX][33], tools[GRANT_BUNDLE_MAX][65];
};

static void several_done(struct several *s)
{
	for (size_t i = 0; i < s->count; i++)
		keeper_checked_done(&s->checked[i]);
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

	if (!keeper_check_proposal(k, &s->proposals[i], c, err) ||
	    !keeper_check_policy(k, &s->proposals[i], c, err) ||
	    !keeper_check_denied(k, c->identity, err))
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
	if (body && keeper_add_slack(body, s->proposals[0].slack) &&
	    keeper_add_author(body, &s->proposals[0]))
		return TAKE(body);
	error_oom(err);
	return NULL;
}

static bool add_part(struct keeper *k, const struct several *s, size_t i, const char *id,
		     struct error *err)
{
	json_t *audit = keeper_proposal_audit(k, &s->proposals[i], &s->checked[i]);
	json_t *body = keeper_proposal_body(k, &s->proposals[i], &s->checked[i]);
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

	if (!keeper_check_open(k, p, (int64_t)s->count, err))
		return false;
	for (size_t i = 0; i < s->count; i++)
		if (!limiter_take(k->proposals, p->requester, clock_mono_ms(), &wait_ms,
				  err) ||
		    !keeper_take_conversation(k, p, err))
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
	if (!keeper_check_denied(k, identity, err) ||
	    !keeper_check_pause(k, &s->proposals[0], err) || !take_turns(k, s, err))
		return NULL;
	for (size_t i = 0; i < s->count; i++)
		if (!add_part(k, s, i, id, err))
			return NULL;
	return keeper_add(k, TAKE(body), NULL, err);
}

struct approval *keeper_propose_several(struct keeper *k, const struct proposal *of,
					const json_t *calls, struct error *err)
{
	_cleanup_(several_done) struct several s = { .count = 0 };
	struct approval *a = NULL;

	if (keeper_refresh_policy(k, err) && read_several(k, &s, calls, of, err))
		a = make_several(k, &s, err);
	if (!a) {
		keeper_audit_refusal(
			k, "proposal.refused", of->requester,
			json_pack("{s:I}", "calls", (json_int_t)json_array_size(calls)),
			err);
		return NULL;
	}
	keeper_bundle_step(k, a);
	return a;
}
