/* What gate and servers agree on: plans, grants, tickets, sealed state, keys, tokens. */
#include "tests/chaos/site.h"

#include "base/canonical.h"
#include "guard/state.h"
#include "guard/ticket.h"
#include "guard/token.h"

bool make_plan(const struct site *s, struct outcome *o, struct error *err)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	_cleanup_(plan_freep) struct plan *p = build_plan(s, err);

	if (!p || !canonical_write(&sb, plan_json(p), err))
		return false;
	_cleanup_(plan_freep) struct plan *again = plan_read(plan_json(p), err);
	if (!again)
		return false;
	put(o, sb.data, sb.length);
	put_text(o, plan_digest(p));
	put_text(o, plan_digest(again));
	put_text(o, plan_is_reversible(again) ? "reversible" : "irreversible");
	return true;
}

bool sign_and_check_grant(const struct site *s, struct outcome *o, struct error *err)
{
	const struct grant_call call = {
		.aud = "prod",
		.server = "accounts",
		.tool = "block_account",
		.pin = D1,
		.args = D2,
		.plan = D3,
		.requester = "alice@company.com",
		.risk = RISK_WRITE,
		.now_ms = (int64_t)NOW_S * 1000,
	};
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	struct grant got = { 0 };

	if (!grant_sign(&word, &s->grant, s->keys->gate, err) ||
	    !grant_open(word.data, s->keys->ring, &got, err) ||
	    !grant_check(&got, &call, err))
		return false;
	put(o, word.data, word.length);
	put_text(o, got.id);
	put_text(o, got.approvers[0]);
	put_text(o, got.bundle);
	put_text(o, got.head);
	put_text(o, got.emergency ? "emergency" : "");
	return true;
}

bool sign_and_check_ticket(const struct site *s, struct outcome *o, struct error *err)
{
	const int64_t now_ms = (int64_t)NOW_S * 1000;
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	char request[DIGEST_HEX_BYTES];
	struct ticket got = { 0 };

	if (!request_digest("accounts", "block_account", D2, request, err) ||
	    !ticket_sign(&word, "prod", "alice@company.com", request, now_ms,
			 s->keys->gate, err) ||
	    !ticket_check(word.data, "prod", request, now_ms, s->keys->ring, &got, err))
		return false;
	put(o, word.data, word.length);
	put_text(o, got.requester);
	return true;
}

bool seal_and_open_state(const struct site *s, struct outcome *o, struct error *err)
{
	const struct request_state sealed = {
		.principal = "alice@company.com",
		.server = "accounts",
		.tool = "block_account",
		.args = D2,
		.plan = D3,
		.store = "0123456789abcdef0123456789",
		.planned_at_ms = 1000,
		.expires_ms = 5000,
	};
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	struct request_state got = { 0 };

	if (!state_seal(&word, &sealed, s->seal_key, err) ||
	    !state_open(word.data, s->seal_key, 2000, &got, err))
		return false;
	put_text(o, got.principal);
	put_text(o, got.plan);
	return true;
}

bool read_keys(const struct site *s, struct outcome *o, struct error *err)
{
	_cleanup_(keyring_freep) struct keyring *ring = NULL;

	ring = keyring_open(s->keys->trusted, err);
	if (!ring)
		return false;
	/* A key for which there was no memory is not trusted, and looked for again. */
	if (keyring_count(ring) == 0)
		return error_oom(err);
	put_text(o, keyring_count(ring) == 1 ? "one key" : "more keys");
	return true;
}

bool find_caller(const struct site *s, struct outcome *o, struct error *err)
{
	_cleanup_(token_index_freep) struct token_index *index = NULL;
	struct caller caller = { 0 };

	index = token_index_open(s->token_index, err);
	if (!index || !token_index_find(index, secret_bytes(s->token),
					(int64_t)NOW_S * 1000, &caller, err))
		return false;
	put_text(o, caller.principal);
	put_text(o, caller.scopes);
	return true;
}
