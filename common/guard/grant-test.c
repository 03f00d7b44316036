#include "guard/grant.h"

#include "guard/testing_keys.h"

#define D1 "1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "2222222222222222222222222222222222222222222222222222222222222222"
#define D3 "3333333333333333333333333333333333333333333333333333333333333333"
#define D4 "4444444444444444444444444444444444444444444444444444444444444444"
#define D5 "5555555555555555555555555555555555555555555555555555555555555555"

enum { NOW = 1700000000 };
static const int64_t CANONICAL_MAX = (INT64_C(1) << 53) - 1;

static struct grant write_grant(void)
{
	return (struct grant){
		.id = "a1",
		.aud = "accounts-prod",
		.server = "accounts",
		.tool = "block_account",
		.pin = D1,
		.args = D2,
		.plan = D3,
		.shown = D4,
		.requester = "alice@company.com",
		.approvers = { "bob@company.com" },
		.approver_count = 1,
		.seq = -1,
		.iat = NOW,
		.exp = NOW + GRANT_TTL_S,
	};
}

static struct grant read_grant(void)
{
	struct grant g = write_grant();

	(void)snprintf(g.tool, sizeof g.tool, "get_account");
	g.plan[0] = '\0';
	return g;
}

static struct grant_call write_call(void)
{
	return (struct grant_call){
		.aud = "accounts-prod",
		.server = "accounts",
		.tool = "block_account",
		.pin = D1,
		.args = D2,
		.plan = D3,
		.requester = "alice@company.com",
		.risk = RISK_WRITE,
		.now_ms = (int64_t)NOW * 1000,
		.epoch_ms = ((int64_t)NOW - 100) * 1000,
	};
}

/* ---- Signing and opening ---- */

static void assert_opens_alike(const struct keys *k, const struct grant *g)
{
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	struct error err = ERROR_INIT;
	struct grant got = { 0 };

	if (!grant_sign(&word, g, k->gate, &err) ||
	    !grant_open(word.data, k->ring, &got, &err))
		fail_msg("%s", err.message);
	assert_string_equal(got.id, g->id);
	assert_string_equal(got.aud, g->aud);
	assert_string_equal(got.server, g->server);
	assert_string_equal(got.tool, g->tool);
	assert_string_equal(got.pin, g->pin);
	assert_string_equal(got.args, g->args);
	assert_string_equal(got.plan, g->plan);
	assert_string_equal(got.shown, g->shown);
	assert_string_equal(got.requester, g->requester);
	assert_int_equal(got.approver_count, g->approver_count);
	for (size_t i = 0; i < g->approver_count; i++)
		assert_string_equal(got.approvers[i], g->approvers[i]);
	assert_string_equal(got.rule, g->rule);
	assert_string_equal(got.bundle, g->bundle);
	assert_int_equal(got.seq, g->seq);
	assert_int_equal(got.emergency, g->emergency);
	assert_string_equal(got.head, g->head);
	assert_string_equal(got.store, g->store);
	assert_string_equal(got.gate_store, g->gate_store);
	assert_int_equal(got.gate_epoch_ms, g->gate_epoch_ms);
	assert_string_equal(got.kid, sign_key_kid(k->gate));
	assert_int_equal(got.iat, g->iat);
	assert_int_equal(got.exp, g->exp);
}

static void test_there_and_back(void **state)
{
	const struct keys *k = *state;
	struct grant g = write_grant();

	assert_opens_alike(k, &g);
	g = read_grant();
	assert_opens_alike(k, &g);
	g.approver_count = 0;
	(void)snprintf(g.rule, sizeof g.rule, "reads are free");
	assert_opens_alike(k, &g);
}

static void test_everything_at_its_longest(void **state)
{
	const struct keys *k = *state;
	struct grant g = write_grant();

	memset(g.id, 'i', sizeof g.id - 1);
	memset(g.aud, 'a', sizeof g.aud - 1);
	memset(g.server, 's', sizeof g.server - 1);
	memset(g.tool, 't', sizeof g.tool - 1);
	memset(g.requester, 'r', sizeof g.requester - 1);
	memset(g.bundle, 'b', sizeof g.bundle - 1);
	memcpy(g.head, D5, sizeof g.head);
	memset(g.store, 'x', sizeof g.store - 1);
	memset(g.gate_store, 'y', sizeof g.gate_store - 1);
	g.gate_epoch_ms = CANONICAL_MAX;
	g.seq = GRANT_BUNDLE_MAX - 1;
	g.emergency = true;
	g.exp = NOW + GRANT_TTL_MAX_S;
	for (; g.approver_count < GRANT_APPROVERS_MAX; g.approver_count++)
		memset(g.approvers[g.approver_count], 'A' + (int)g.approver_count,
		       sizeof g.approvers[0] - 1);
	assert_opens_alike(k, &g);
	g.approver_count++;
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	struct error err = ERROR_INIT;
	assert_false(grant_sign(&word, &g, k->gate, &err));
	testing_error(&err, ERR_APPROVAL_INVALID, "too many approvers");
}

static void test_same_bytes_again(void **state)
{
	const struct keys *k = *state;
	_cleanup_strbuf_ struct strbuf one = STRBUF_INIT, two = STRBUF_INIT;
	struct grant g = write_grant();
	struct error err = ERROR_INIT;

	assert_true(grant_sign(&one, &g, k->gate, &err));
	assert_true(grant_sign(&two, &g, k->gate, &err));
	assert_string_equal(one.data, two.data);
	strbuf_done(&two);
}

static json_t *payload(const struct keys *k)
{
	return json_pack(
		"{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:[s],"
		" s:i, s:i}",
		"typ", TYP_GRANT, "v", 1, "kid", sign_key_kid(k->gate), "id", "a1", "aud",
		"accounts-prod", "server", "accounts", "tool", "block_account", "pin", D1,
		"args", D2, "plan", D3, "shown", D4, "requester", "alice@company.com",
		"approvers", "bob@company.com", "iat", NOW, "exp", NOW + GRANT_TTL_S);
}

static bool opens(const struct keys *k, const json_t *p, struct error *err)
{
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	struct grant got;

	assert_true(envelope_seal(&word, p, k->gate, err));
	return grant_open(word.data, k->ring, &got, err);
}

/* One member changed (NULL: removed), signed by the gate's own key. Steals. */
static void assert_refused_with(const struct keys *k, const char *name, json_t *value,
				const char *why)
{
	struct error err = ERROR_INIT;
	json_auto_t *p = payload(k);

	if (value)
		assert_int_equal(json_object_set_new(p, name, value), 0);
	else
		assert_int_equal(json_object_del(p, name), 0);
	if (opens(k, p, &err))
		fail_msg("accepted with another '%s'", name);
	testing_error(&err, ERR_APPROVAL_INVALID, why);
}

static void test_required_members(void **state)
{
	static const char *const names[] = { "v",         "id",        "aud",  "server",
					     "tool",      "pin",       "args", "shown",
					     "requester", "approvers", "iat",  "exp" };
	const struct keys *k = *state;
	struct error err = ERROR_INIT;
	json_auto_t *p = payload(k);

	assert_true(opens(k, p, &err)); /* as it stands it is good */
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_refused_with(k, names[i], NULL, names[i]);
		assert_refused_with(k, names[i], json_null(), names[i]);
		assert_refused_with(k, names[i], json_object(), names[i]);
	}
	assert_refused_with(k, "unknown", json_true(), "unknown");
	assert_refused_with(k, "Plan", json_string(D3), "Plan");
}

static void test_words(void **state)
{
	static const char *const digests[] = { "pin", "args", "plan", "shown", "head" };
	const struct keys *k = *state;
	static char text[200];

	for (size_t i = 0; i < ARRAY_SIZE(digests); i++) {
		assert_refused_with(k, digests[i], json_string(""), digests[i]);
		assert_refused_with(k, digests[i], json_string("abc"), digests[i]);
		assert_refused_with(k, digests[i], json_string(D1 "1"), digests[i]);
		assert_refused_with(
			k, digests[i],
			json_string("A111111111111111111111111111111111111111111111111111"
				    "111111111111"),
			digests[i]);
	}
	const struct {
		const char *name;
		size_t max;
	} words[] = { { "id", 80 },   { "aud", 128 },       { "server", 32 },
		      { "tool", 64 }, { "requester", 128 }, { "bundle", 80 },
		      { "store", 26 } };
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		memset(text, 'a', words[i].max + 1);
		assert_refused_with(k, words[i].name,
				    json_stringn(text, words[i].max + 1), words[i].name);
		assert_refused_with(k, words[i].name, json_string(""), words[i].name);
		assert_refused_with(k, words[i].name, json_string("a b"), words[i].name);
	}
	assert_refused_with(k, "rule", json_string(""), "rule");
}

static void test_stores(void **state)
{
	const struct keys *k = *state;
	struct grant g = write_grant();
	struct error err = ERROR_INIT;

	(void)snprintf(g.store, sizeof g.store, "s");
	assert_opens_alike(k, &g);
	(void)snprintf(g.gate_store, sizeof g.gate_store, "t");
	g.gate_epoch_ms = 1;
	assert_opens_alike(k, &g);
	/* Which store its gate had, and since when, come together. */
	assert_refused_with(k, "gate_store", json_string("t"), "store of its gate");
	assert_refused_with(k, "gate_epoch", json_integer(1), "store of its gate");
	assert_refused_with(k, "gate_epoch", json_integer(-1), "store of its gate");
	json_auto_t *p = payload(k);
	json_object_set_new(p, "gate_store", json_string("t"));
	json_object_set_new(p, "gate_epoch", json_integer(0));
	assert_false(opens(k, p, &err));
	testing_error(&err, ERR_APPROVAL_INVALID, "store of its gate");
	error_clear(&err);
	json_object_set_new(p, "gate_epoch", json_integer(5));
	assert_true(opens(k, p, &err));
	json_object_set_new(p, "gate_store", json_string("abcdefghijklmnopqrstuvwxyz0"));
	assert_false(opens(k, p, &err));
	testing_error(&err, ERR_APPROVAL_INVALID, "gate_store");
}

static void test_times(void **state)
{
	const struct keys *k = *state;

	assert_refused_with(k, "iat", json_real(NOW + 0.5), "iat");
	assert_refused_with(k, "exp", json_string("1700000060"), "exp");
	assert_refused_with(k, "exp", json_integer(NOW), "times");
	assert_refused_with(k, "exp", json_integer(NOW - 1), "times");
	assert_refused_with(k, "exp", json_integer(NOW + GRANT_TTL_MAX_S + 1), "times");
	assert_refused_with(k, "exp", json_integer(JSON_INTEGER_MAX), "times");
	assert_refused_with(k, "iat", json_integer(-1), "times");
	assert_refused_with(k, "iat", json_integer(-JSON_INTEGER_MAX), "times");
	assert_refused_with(k, "v", json_integer(2), "version");
	assert_refused_with(k, "v", json_integer(0), "version");
}

static void test_who_approved(void **state)
{
	const struct keys *k = *state;
	struct error err = ERROR_INIT;

	assert_refused_with(k, "approvers", json_array(), "nobody approved");
	assert_refused_with(k, "approvers", json_pack("[s, s]", "bob", "bob"), "twice");
	assert_refused_with(k, "approvers", json_pack("[i]", 1), "no person");
	assert_refused_with(k, "approvers", json_pack("[s]", ""), "no person");
	assert_refused_with(k, "approvers",
			    json_pack("[s, s, s, s, s, s, s, s, s]", "a", "b", "c", "d",
				      "e", "f", "g", "h", "i"),
			    "too many approvers");
	assert_refused_with(k, "rule", json_string("reads are free"),
			    "both a rule and approvers");

	/* A rule cannot stand in for a person where there is a plan. */
	json_auto_t *p = payload(k);
	assert_int_equal(json_object_set_new(p, "approvers", json_array()), 0);
	assert_int_equal(json_object_set_new(p, "rule", json_string("free")), 0);
	assert_false(opens(k, p, &err));
	testing_error(&err, ERR_APPROVAL_INVALID, "nothing but a read");
	assert_int_equal(json_object_del(p, "plan"), 0);
	assert_true(opens(k, p, &err));
	assert_int_equal(json_object_set_new(p, "emergency", json_true()), 0);
	assert_false(opens(k, p, &err));
	testing_error(&err, ERR_APPROVAL_INVALID, "nothing but a read");
}

static void test_bundle_and_emergency(void **state)
{
	const struct keys *k = *state;
	struct error err = ERROR_INIT;
	json_auto_t *p = payload(k);

	assert_refused_with(k, "seq", json_integer(0), "place among");
	assert_refused_with(k, "seq", json_integer(-1), "place among");
	assert_refused_with(k, "bundle", json_string("b1"), "place among");
	assert_refused_with(k, "emergency", json_false(), "emergency");
	assert_refused_with(k, "emergency", json_integer(1), "emergency");
	assert_int_equal(json_object_set_new(p, "bundle", json_string("b1")), 0);
	for (int seq = -2; seq <= GRANT_BUNDLE_MAX; seq++) {
		assert_int_equal(json_object_set_new(p, "seq", json_integer(seq)), 0);
		assert_int_equal(opens(k, p, &err), seq >= 0 && seq < GRANT_BUNDLE_MAX);
		error_clear(&err);
	}
}

static void test_sign_refuses_what_open_would(void **state)
{
	const struct keys *k = *state;
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	struct error err = ERROR_INIT;
	struct grant g = write_grant();

	g.exp = NOW + GRANT_TTL_MAX_S + 1;
	assert_false(grant_sign(&word, &g, k->gate, &err));
	testing_error(&err, ERR_APPROVAL_INVALID, "times");
	g = write_grant();
	g.iat = INT64_MIN;
	assert_false(grant_sign(&word, &g, k->gate, &err));
	testing_error(&err, ERR_APPROVAL_INVALID, "times");
	g = write_grant();
	g.approver_count = 0;
	assert_false(grant_sign(&word, &g, k->gate, &err));
	testing_error(&err, ERR_APPROVAL_INVALID, "nobody");
	g = write_grant();
	g.id[0] = '\0';
	assert_false(grant_sign(&word, &g, k->gate, &err));
	testing_error(&err, ERR_APPROVAL_INVALID, "id");
	g = write_grant();
	memcpy(g.requester, "\xff", 2);
	assert_false(grant_sign(&word, &g, k->gate, &err));
	assert_int_equal(word.length, 0);
}

static void test_a_ticket_is_no_grant(void **state)
{
	const struct keys *k = *state;
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	struct error err = ERROR_INIT;
	struct grant got;
	json_auto_t *p = payload(k);

	assert_int_equal(json_object_set_new(p, "typ", json_string(TYP_REQUESTER)), 0);
	assert_true(envelope_seal(&word, p, k->gate, &err));
	assert_false(grant_open(word.data, k->ring, &got, &err));
	testing_error(&err, ERR_APPROVAL_INVALID, "another type");
}

/* ---- Checking ---- */

static void assert_check(const struct grant *g, const struct grant_call *call,
			 enum error_code code, const char *why)
{
	struct error err = ERROR_INIT;

	assert_int_equal(grant_check(g, call, &err), code == ERR_NONE);
	testing_error(&err, code, why);
}

static void test_check_matches(void **state)
{
	struct grant g = write_grant();
	struct grant_call call = write_call();

	(void)state;
	assert_check(&g, &call, ERR_NONE, NULL);
	call.requester = NULL;
	assert_check(&g, &call, ERR_NONE, NULL);
}

static void test_check_names_the_first_mismatch(void **state)
{
	const struct grant g = write_grant();
	struct grant_call call = write_call();

	(void)state;
	/* All wrong; then put right one after the other. */
	call = (struct grant_call){ .aud = "x",
				    .server = "x",
				    .tool = "x",
				    .pin = D5,
				    .args = D5,
				    .plan = D5,
				    .requester = "x",
				    .risk = RISK_WRITE,
				    .now_ms = 0 };
	assert_check(&g, &call, ERR_APPROVAL_INVALID, "another instance");
	call.aud = "accounts-prod";
	assert_check(&g, &call, ERR_APPROVAL_INVALID, "another server");
	call.server = "accounts";
	assert_check(&g, &call, ERR_APPROVAL_INVALID, "another tool");
	call.tool = "block_account";
	assert_check(&g, &call, ERR_APPROVAL_INVALID, "definition");
	call.pin = D1;
	assert_check(&g, &call, ERR_APPROVAL_INVALID, "other arguments");
	call.args = D2;
	assert_check(&g, &call, ERR_APPROVAL_INVALID, "another requester");
	call.requester = "alice@company.com";
	assert_check(&g, &call, ERR_APPROVAL_INVALID, "future");
	call.now_ms = (int64_t)NOW * 1000;
	assert_check(&g, &call, ERR_PRECONDITION_FAILED, "has changed");
	call.plan = D3;
	assert_check(&g, &call, ERR_NONE, NULL);
}

static void test_check_times(void **state)
{
	const struct grant g = write_grant();
	struct grant_call call = write_call();
	const int64_t now_ms = call.now_ms;

	(void)state;
	call.now_ms = now_ms - GRANT_AHEAD_MAX_S * 1000;
	assert_check(&g, &call, ERR_NONE, NULL);
	call.now_ms = now_ms - (GRANT_AHEAD_MAX_S + 1) * 1000;
	assert_check(&g, &call, ERR_APPROVAL_INVALID, "future");
	call.now_ms = now_ms + GRANT_TTL_S * 1000 - 1;
	assert_check(&g, &call, ERR_NONE, NULL);
	call.now_ms = now_ms + GRANT_TTL_S * 1000;
	assert_check(&g, &call, ERR_APPROVAL_INVALID, "expired");
	struct grant lasting = g;
	lasting.exp = g.iat + GRANT_TTL_MAX_S + 1;
	call.now_ms = now_ms;
	assert_check(&lasting, &call, ERR_APPROVAL_INVALID, "times");
}

static void test_check_epoch(void **state)
{
	const struct grant g = write_grant();
	struct grant_call call = write_call();

	(void)state;
	/* A grant says its second alone, so that in which the epoch began is before it. */
	call.epoch_ms = (int64_t)NOW * 1000;
	assert_check(&g, &call, ERR_NONE, NULL);
	call.epoch_ms++;
	assert_check(&g, &call, ERR_APPROVAL_INVALID, "began anew");
	call.epoch_ms = (int64_t)NOW * 1000 + 999;
	assert_check(&g, &call, ERR_APPROVAL_INVALID, "began anew");
	call.epoch_ms++;
	assert_check(&g, &call, ERR_APPROVAL_INVALID, "began anew");
	assert_true(grant_is_older(&g, INT64_MAX));
	assert_false(grant_is_older(&g, 0));
}

static void test_check_store(void **state)
{
	struct grant g = write_grant();
	struct grant_call call = write_call();

	(void)state;
	call.store = "one";
	assert_check(&g, &call, ERR_NONE, NULL);
	(void)snprintf(g.store, sizeof g.store, "one");
	assert_check(&g, &call, ERR_NONE, NULL);
	call.store = "two";
	assert_check(&g, &call, ERR_APPROVAL_INVALID, "another store");
	g.plan[0] = '\0'; /* nor a read */
	call.plan = NULL;
	call.risk = RISK_READ;
	assert_check(&g, &call, ERR_APPROVAL_INVALID, "another store");
	call.store = "one";
	assert_check(&g, &call, ERR_NONE, NULL);
}

static void test_check_plan(void **state)
{
	struct grant g = write_grant();
	struct grant_call call = write_call();

	(void)state;
	call.plan = D4;
	assert_check(&g, &call, ERR_PRECONDITION_FAILED, "has changed");
	call.plan = NULL;
	assert_check(&g, &call, ERR_APPROVAL_INVALID, "names no plan");
	call = write_call();
	g.plan[0] = '\0';
	assert_check(&g, &call, ERR_APPROVAL_INVALID, "names no plan");
	call.risk = RISK_DESTRUCTIVE;
	assert_check(&g, &call, ERR_APPROVAL_INVALID, "names no plan");
	call.risk = RISK_READ;
	call.plan = NULL;
	assert_check(&g, &call, ERR_NONE, NULL);
	g = write_grant();
	assert_check(&g, &call, ERR_APPROVAL_INVALID, "a read has none");
	/* Not even a matching plan makes a rule enough for a write. */
	call = write_call();
	g.approver_count = 0;
	(void)snprintf(g.rule, sizeof g.rule, "free");
	assert_check(&g, &call, ERR_APPROVAL_INVALID, "nobody approved");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, keys_set_up, keys_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_there_and_back),
		TEST(test_everything_at_its_longest),
		TEST(test_same_bytes_again),
		TEST(test_required_members),
		TEST(test_words),
		TEST(test_stores),
		TEST(test_times),
		TEST(test_who_approved),
		TEST(test_bundle_and_emergency),
		TEST(test_sign_refuses_what_open_would),
		TEST(test_a_ticket_is_no_grant),
		cmocka_unit_test(test_check_matches),
		cmocka_unit_test(test_check_names_the_first_mismatch),
		cmocka_unit_test(test_check_times),
		cmocka_unit_test(test_check_epoch),
		cmocka_unit_test(test_check_store),
		cmocka_unit_test(test_check_plan),
	};

	return cmocka_run_group_tests_name("grant", tests, NULL, NULL);
}
