/*
 * The tools of this server, called as the dispatcher calls them, against a real
 * directory; run by accounts_tools_test.py. Every result is held against its outputSchema.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/testing.h"
#include "link/ldap/ldap_link.h"
#include "mcp/call.h"
#include "mcp/definition.h"
#include "mcp/result.h"
#include "servers/accounts/accounts.h"
#include "servers/accounts/fake_backend.h"
#include "servers/accounts/ppolicy.h"
#include "servers/accounts/tools.h"
#include "tests/live/slapd_control.h"

#define SUFFIX "dc=example,dc=test"

static char dir[TESTING_PATH_BYTES];
static struct accounts *accounts;
static struct audit *audit;
static int approvals;

static const struct mcp_tool tools[] = {
	{ .name = "get_account", .run = get_account },
	{ .name = "list_blocked_accounts", .run = list_blocked_accounts },
	{ .name = "list_drift", .run = list_drift },
	{ .name = "block_account",
	  .plan = plan_block_account,
	  .run = block_account,
	  .check = check_accounts },
	{ .name = "unblock_account",
	  .plan = plan_unblock_account,
	  .run = unblock_account,
	  .check = check_accounts },
	{ .name = "revoke_sessions",
	  .plan = plan_revoke_sessions,
	  .run = revoke_sessions,
	  .check = check_accounts },
};

static const struct mcp_tool *tool_named(const char *name)
{
	size_t i = 0;

	while (strcmp(tools[i].name, name) != 0)
		i++;
	return &tools[i];
}

/* One call, from its arguments to its result. */
struct run {
	struct mcp_call call;
	struct plan *plan;
	struct mcp_result result;
	struct error err;
	json_t *arguments;
	char approval[32];
};

static void run_done(struct run *r)
{
	mcp_call_done(&r->call);
	mcp_result_done(&r->result);
	plan_free(r->plan);
	json_decref(r->arguments);
}

static void check_schema(const struct tool_definition *d, const json_t *structured)
{
	struct schema_fault fault = { 0 };
	struct error err = ERROR_INIT;
	const struct tool_schemas *schemas = tool_definition_schemas(d, &err);

	assert_non_null(schemas);
	if (!structured || !schema_validate(schemas->output, structured, &fault)) {
		_cleanup_free_ char *text = json_dumps(structured, JSON_ENCODE_ANY);

		fail_msg("%s: result is not as declared: %s", d->name,
			 text ? text : "none");
	}
}

/* Steals 'arguments'. False: r->err. */
static bool start(struct run *r, const char *name, json_t *arguments)
{
	_cleanup_(tool_definition_freep) struct tool_definition *d = NULL;
	const struct mcp_tool *tool = tool_named(name);

	*r = (struct run){ .result = MCP_RESULT_INIT, .arguments = arguments };
	(void)snprintf(r->approval, sizeof r->approval, "ap-%04d", ++approvals);
	d = tool_definition_load("accounts", name, &r->err);
	if (!d || !arguments)
		fail_msg("%s", r->err.message);
	if (!tool_definition_accept(d, arguments, NULL, (char[DIGEST_HEX_BYTES]){ 0 },
				    &r->err))
		return false;
	r->call = (struct mcp_call){
		.context = accounts,
		.arguments = arguments,
		.requester = "alice@example.test",
		.approval = r->approval,
		.approvers = "bob@example.test, carol@example.test",
		.now_ms = clock_wall_ms(),
		.deadline_ms = clock_mono_ms() + 10000,
	};
	if (!tool->plan)
		return true;
	r->plan = plan_new();
	if (!tool->plan(&r->call, r->plan, &r->err) || !plan_finish(r->plan, &r->err))
		return false;
	r->call.plan = r->plan;
	return true;
}

static bool finish(struct run *r, const char *name)
{
	_cleanup_(tool_definition_freep) struct tool_definition *d = NULL;

	if (!tool_named(name)->run(&r->call, &r->result, &r->err))
		return false;
	d = tool_definition_load("accounts", name, &r->err);
	assert_non_null(d);
	check_schema(d, r->result.structured);
	assert_true(r->result.text.length > 0);
	return true;
}

static bool run(struct run *r, const char *name, json_t *arguments)
{
	return start(r, name, arguments) && finish(r, name);
}

static void must(struct run *r, const char *name, json_t *arguments)
{
	if (!run(r, name, arguments))
		fail_msg("%s: %s: %s (%s)", name, error_name(r->err.code), r->err.message,
			 r->err.cause);
}

static void refused(const char *name, json_t *arguments, enum error_code code)
{
	_cleanup_(run_done) struct run r;

	if (run(&r, name, arguments) || r.err.code != code)
		fail_msg("%s: %s instead of %s: %s", name, error_name(r.err.code),
			 error_name(code), r.err.message);
	assert_true(*r.err.message);
}

static json_t *whom(const char *person)
{
	return json_pack("{s:s, s:s}", "person", person, "reason",
			 "laptop *stolen* at the airport");
}

static const json_t *first(const struct run *r, const char *list)
{
	return json_array_get(json_object_get(r->result.structured, list), 0);
}

static json_t *effects(const struct run *r)
{
	return json_object_get(plan_json(r->plan), "effects");
}

static bool binds(const char *uid)
{
	char dn[128], password[64];
	const struct ldap_link_config config = { .uri = slapd_env("SLAPD_URI"),
						 .timeout_ms = 2000 };
	struct error err = ERROR_INIT;
	bool ok = false;

	snprintf(dn, sizeof dn, "uid=%s,ou=people," SUFFIX, uid);
	snprintf(password, sizeof password, "pw-%s", uid);
	if (!ldap_link_try_bind(&config, dn, password, &ok, &err))
		fail_msg("%s", err.message);
	return ok;
}

static void test_block_get_unblock(void **state)
{
	_cleanup_(run_done) struct run block, get, again, unblock, after;
	const json_t *item;

	(void)state;
	assert_true(binds("john.doe"));
	must(&block, "block_account", whom("John Doe"));
	/* And until when it is tried. */
	assert_int_equal(json_array_size(effects(&block)), 2);
	assert_non_null(
		strstr(json_get_string(json_array_get(effects(&block), 0), "target"),
		       "uid=john.doe,ou=people," SUFFIX));
	assert_string_equal(json_get_string(json_array_get(effects(&block), 0), "from"),
			    "active");
	assert_true(plan_is_reversible(block.plan));
	item = first(&block, "outcomes");
	assert_string_equal(json_get_string(item, "before"), "active");
	assert_string_equal(json_get_string(item, "after"), "blocked");
	assert_true(json_is_true(json_object_get(item, "changed")));
	assert_int_equal(block.result.verified, MCP_VERIFIED_YES);
	assert_false(binds("john.doe"));
	assert_string_equal(
		json_get_string(json_array_get(json_object_get(item, "facets"), 0),
				"state"),
		"verified");
	assert_string_equal(
		json_get_string(json_array_get(json_object_get(item, "facets"), 1),
				"state"),
		"none");
	/* It offers its undo, as a call and in words. */
	item = json_object_get(json_object_get(block.result.structured, "undo"),
			       "arguments");
	assert_string_equal(json_get_string(item, "person"), "john.doe@example.test");
	assert_non_null(strstr(block.result.text.data, "To undo it"));

	must(&get, "get_account", json_pack("{s:s}", "person", "@john.doe"));
	item = first(&get, "accounts");
	assert_string_equal(json_get_string(item, "state"), "blocked");
	assert_string_equal(json_get_string(item, "blocked_by"), "alice@example.test");
	assert_string_equal(json_get_string(item, "approved_by"),
			    "bob@example.test, carol@example.test");
	assert_non_null(json_get_string(item, "since"));
	/* A reason is no markup. */
	assert_non_null(strstr(get.result.text.data, "laptop \\*stolen\\*"));

	must(&again, "block_account", whom("john.doe"));
	assert_int_equal(json_array_size(effects(&again)), 0);
	item = first(&again, "outcomes");
	assert_false(json_is_true(json_object_get(item, "changed")));
	assert_string_equal(json_get_string(item, "before"), "blocked");

	must(&unblock, "unblock_account", whom("john.doe@example.test"));
	assert_true(binds("john.doe"));
	must(&after, "unblock_account", whom("john.doe@example.test"));
	item = first(&after, "outcomes");
	assert_false(json_is_true(json_object_get(item, "changed")));
	assert_string_equal(json_get_string(item, "after"), "active");
}

/* Two plans of one state, carried out one after the other: the second finds it changed. */
static void test_two_plans(void **state)
{
	_cleanup_(run_done) struct run one, two, undo;
	_cleanup_strbuf_ struct strbuf observed = STRBUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(start(&one, "block_account", whom("tomas.berg")));
	assert_true(start(&two, "block_account", whom("tomas.berg")));
	assert_string_equal(json_get_string(plan_json(one.plan), "state_digest"),
			    json_get_string(plan_json(two.plan), "state_digest"));
	assert_true(finish(&one, "block_account"));
	assert_false(finish(&two, "block_account"));
	assert_int_equal(two.err.code, ERR_PRECONDITION_FAILED);
	assert_true(check_accounts(&one.call, &observed, &err));
	assert_non_null(strstr(observed.data, "is blocked now"));
	must(&undo, "unblock_account", whom("tomas.berg"));
}

static void test_refusals(void **state)
{
	_cleanup_(run_done) struct run r;
	static const struct {
		const char *person;
		enum error_code code;
	} cases[] = {
		{ "nobody.at.all", ERR_NOT_FOUND },        { "Alex Kim", ERR_AMBIGUOUS },
		{ "breakglass-1", ERR_PROTECTED },         { "ci.runner", ERR_PROTECTED },
		{ "nora.quinn", ERR_PRECONDITION_FAILED }, { "", ERR_INVALID_ARGUMENT },
		{ "a=b=c", ERR_INVALID_ARGUMENT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		refused("block_account", whom(cases[i].person), cases[i].code);
	refused("unblock_account", whom("breakglass-1"), ERR_PROTECTED);
	/* A directory has none, and says so before anybody is asked. */
	refused("revoke_sessions", whom("john.doe"), ERR_PRECONDITION_FAILED);
	refused("block_account", json_pack("{s:s}", "person", "john.doe"),
		ERR_INVALID_ARGUMENT);
	refused("block_account",
		json_pack("{s:s, s:s}", "person", "john.doe", "reason", "no"),
		ERR_INVALID_ARGUMENT);
	refused("block_account",
		json_pack("{s:s, s:s, s:b}", "person", "john.doe", "reason", "because",
			  "force", 1),
		ERR_INVALID_ARGUMENT);
	refused("get_account",
		json_pack("{s:s, s:[s]}", "person", "john.doe", "systems", "okta"),
		ERR_INVALID_ARGUMENT);
	refused("get_account",
		json_pack("{s:s, s:[s]}", "person", "john.doe", "systems", "mail"),
		ERR_INVALID_ARGUMENT);
	refused("list_blocked_accounts", json_pack("{s:s}", "system", "slack"),
		ERR_INVALID_ARGUMENT);
	refused("list_blocked_accounts", json_pack("{s:s}", "since", "yesterday"),
		ERR_INVALID_ARGUMENT);
	refused("list_blocked_accounts", json_pack("{s:s}", "cursor", "nonsense"),
		ERR_INVALID_ARGUMENT);
	refused("list_blocked_accounts", json_pack("{s:i}", "limit", 0),
		ERR_INVALID_ARGUMENT);
	refused("list_blocked_accounts", json_pack("{s:i}", "limit", 201),
		ERR_INVALID_ARGUMENT);

	assert_false(start(&r, "block_account", whom("Alex Kim")));
	assert_int_equal(
		json_array_size(json_object_get(r.call.error_details, "candidates")), 2);
}

static void test_pages_of_blocked(void **state)
{
	static const char *const uids[] = { "jane.roe", "alex.kim", "omar.haddad" };
	_cleanup_(run_done) struct run all, none;
	char cursor[128] = "";
	json_auto_t *seen = json_object();
	size_t pages = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(uids); i++) {
		_cleanup_(run_done) struct run r;

		must(&r, "block_account", whom(uids[i]));
	}
	/* And one that somebody blocked without us. */
	must(&all, "list_blocked_accounts", json_object());
	assert_int_equal(json_get_int64(all.result.structured, "total", 0), 4);
	assert_string_equal(
		json_get_string(
			json_array_get(json_object_get(all.result.structured, "accounts"),
				       3),
			"uid"),
		"blocked.elsewhere");
	assert_null(json_get_string(
		json_array_get(json_object_get(all.result.structured, "accounts"), 3),
		"blocked_by"));
	do {
		_cleanup_(run_done) struct run r;
		const char *next;

		must(&r, "list_blocked_accounts",
		     json_pack("{s:i, s:s*}", "limit", 1, "cursor",
			       *cursor ? cursor : NULL));
		assert_int_equal(
			json_array_size(json_object_get(r.result.structured, "accounts")),
			1);
		json_object_set_new(seen, json_get_string(first(&r, "accounts"), "uid"),
				    json_true());
		next = json_get_string(r.result.structured, "next_cursor");
		snprintf(cursor, sizeof cursor, "%s", next ? next : "");
		pages++;
	} while (*cursor && pages < 10);
	assert_int_equal(pages, 4);
	assert_int_equal(json_object_size(seen), 4);
	must(&none, "list_blocked_accounts",
	     json_pack("{s:s}", "since", "2999-01-01T00:00:00Z"));
	assert_int_equal(json_get_int64(none.result.structured, "total", -1), 0);
	for (size_t i = 0; i < ARRAY_SIZE(uids); i++) {
		_cleanup_(run_done) struct run r;

		must(&r, "unblock_account", whom(uids[i]));
	}
}

/* What the server's own thread would do then. */
static void tick_in(int64_t seconds)
{
	const struct mcp_tick tick = { .now_ms = clock_wall_ms() + seconds * 1000,
				       .audit = audit };

	accounts_tick(accounts, &tick);
}

/* Lines of the audit log with this text. */
static size_t said(const char *text)
{
	_cleanup_strbuf_ struct strbuf log = STRBUF_INIT;
	char path[TESTING_PATH_BYTES + 32];
	struct error err = ERROR_INIT;
	size_t count = 0;

	(void)snprintf(path, sizeof path, "%s/audit/accounts.jsonl", dir);
	assert_true(file_read(path, 1 << 20, &log, &err));
	for (const char *at = log.data; (at = strstr(at, text)); at++)
		count++;
	return count;
}

static void test_down(void **state)
{
	_cleanup_(run_done) struct run planned, undo;
	const size_t settled = said("account.step_settled");
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(start(&planned, "block_account", whom("jane.roe")));
	slapd_control("stop");
	refused("get_account", json_pack("{s:s}", "person", "john.doe"),
		ERR_BACKEND_UNAVAILABLE);
	refused("list_blocked_accounts", json_object(), ERR_BACKEND_UNAVAILABLE);
	refused("block_account", whom("john.doe"), ERR_BACKEND_UNAVAILABLE);
	assert_false(finish(&planned, "block_account"));
	assert_int_equal(planned.err.code, ERR_BACKEND_UNAVAILABLE);
	assert_non_null(strstr(planned.err.message, slapd_env("SLAPD_URI")));
	assert_false(accounts_ready(accounts, &err));
	slapd_control("start");
	assert_true(binds("jane.roe"));
	/* It was approved, and is tried again. */
	tick_in(5);
	assert_false(binds("jane.roe"));
	assert_int_equal(said("account.step_settled"), settled + 1);
	must(&undo, "unblock_account", whom("jane.roe"));
	assert_true(binds("jane.roe"));
}

/* ---- Blocks that end by themselves ------------------------------------------------ */

static json_t *for_a_time(const char *person, const char *expires_in)
{
	return json_pack("{s:s, s:s, s:s}", "person", person, "reason",
			 "laptop stolen at the airport", "expires_in", expires_in);
}

static const char *effect(const struct run *r, size_t index, const char *member)
{
	return json_get_string(json_array_get(effects(r), index), member);
}

static void test_expiry(void **state)
{
	_cleanup_(run_done) struct run block, get, list, again;
	const char *expires;
	char to[96];

	(void)state;
	must(&block, "block_account", for_a_time("john.doe", "1m"));
	assert_false(binds("john.doe"));
	expires = json_get_string(first(&block, "outcomes"), "expires_at");
	assert_non_null(expires);
	(void)snprintf(to, sizeof to, "active, at %s by itself", expires);
	assert_int_equal(json_array_size(effects(&block)), 3);
	assert_string_equal(effect(&block, 0, "to"), "blocked");
	assert_string_equal(effect(&block, 1, "from"), "blocked");
	assert_string_equal(effect(&block, 1, "to"), to);
	assert_string_equal(effect(&block, 1, "target"), effect(&block, 0, "target"));
	assert_true(plan_is_reversible(block.plan));
	must(&get, "get_account", json_pack("{s:s}", "person", "john.doe"));
	assert_string_equal(json_get_string(first(&get, "accounts"), "expires_at"),
			    expires);
	must(&list, "list_blocked_accounts", json_object());
	assert_string_equal(json_get_string(first(&list, "accounts"), "expires_at"),
			    expires);
	tick_in(55);
	assert_false(binds("john.doe"));
	/* A second one moves the end, and says from where to where. */
	must(&again, "block_account", for_a_time("john.doe", "2m"));
	assert_int_equal(json_array_size(effects(&again)), 1);
	assert_non_null(strstr(effect(&again, 0, "from"), expires));
	assert_true(json_is_true(json_object_get(first(&again, "outcomes"), "changed")));
	tick_in(61);
	assert_false(binds("john.doe"));
	tick_in(121);
	assert_true(binds("john.doe"));
	assert_int_equal(said("account.unblocked"), 1);
	assert_int_equal(said("\"verified\":true"), 1);
}

static void test_expiry_cancelled(void **state)
{
	_cleanup_(run_done) struct run block, unblock, again, never, undo;

	(void)state;
	must(&block, "block_account", for_a_time("jane.roe", "1m"));
	must(&unblock, "unblock_account", whom("jane.roe"));
	assert_non_null(strstr(effect(&unblock, 0, "from"), "blocked until 2"));
	must(&again, "block_account", for_a_time("jane.roe", "1m"));
	/* Blocked for good: the end goes, and the plan says so. */
	must(&never, "block_account", whom("jane.roe"));
	assert_string_equal(effect(&never, 0, "to"),
			    "blocked, until somebody unblocks it");
	tick_in(61);
	assert_false(binds("jane.roe"));
	must(&undo, "unblock_account", whom("jane.roe"));
	tick_in(61);
	assert_true(binds("jane.roe"));
}

/* Past our own plans: the directory alone. */
static bool set_lock(const struct account_system *s, const char *dn, const char *id,
		     const char *expect, const char *set, struct error *err)
{
	json_auto_t *change = json_pack("{s:s, s:s}", "expect", expect, "set", set);
	struct facet_applied applied = { 0 };

	return s->backend->apply(s->self, FACET_SIGN_IN, dn, id, change, &applied, err);
}

static void test_expiry_of_anothers_lock(void **state)
{
	_cleanup_(run_done) struct run elsewhere, block, get, undo;
	const struct account_system *ldap = accounts_system(accounts, "ldap");
	struct error err = ERROR_INIT;
	const char *dn, *id;
	json_t *item;

	(void)state;
	must(&elsewhere, "block_account", for_a_time("blocked.elsewhere", "1m"));
	assert_int_equal(json_array_size(effects(&elsewhere)), 0);
	assert_null(json_get_string(first(&elsewhere, "outcomes"), "expires_at"));
	/* Ours is taken away by hand, that is seen, and a lock is set by hand. */
	must(&block, "block_account", for_a_time("jane.roe", "1m"));
	item = json_array_get(json_object_get(plan_get_data(block.plan), "accounts"), 0);
	dn = json_get_string(item, "identifier");
	id = json_get_string(item, "id");
	assert_true(set_lock(ldap, dn, id, PPOLICY_LOCKED_FOR_EVER, "", &err));
	accounts->watched_ms = 0;
	tick_in(0);
	assert_int_equal(said("account.unblock_dropped"), 1);
	assert_true(set_lock(ldap, dn, id, "", PPOLICY_LOCKED_FOR_EVER, &err));
	tick_in(61);
	assert_false(binds("jane.roe"));
	must(&get, "get_account", json_pack("{s:s}", "person", "jane.roe"));
	assert_null(json_get_string(first(&get, "accounts"), "blocked_by"));
	assert_null(json_get_string(first(&get, "accounts"), "expires_at"));
	must(&undo, "unblock_account", whom("jane.roe"));
}

static void test_expiry_while_down(void **state)
{
	_cleanup_(run_done) struct run block, get;
	size_t before = said("account.unblocked");

	(void)state;
	must(&block, "block_account", for_a_time("jane.roe", "1m"));
	slapd_control("stop");
	tick_in(61);
	tick_in(70);
	slapd_control("start");
	assert_int_equal(said("account.unblock_failed"), 1);
	assert_false(binds("jane.roe"));
	must(&get, "get_account", json_pack("{s:s}", "person", "jane.roe"));
	assert_non_null(strstr(json_get_string(first(&get, "accounts"), "detail"),
			       "will be tried again"));
	tick_in(120);
	assert_true(binds("jane.roe"));
	assert_int_equal(said("account.unblocked"), before + 1);
}

static void test_expiry_refusals(void **state)
{
	static const char *const bad[] = { "",    "0m",      "1",        "1s",   "1w",
					   "01m", "-1m",     "1.5h",     "366d", "8761h",
					   "1 m", "525601m", "9999999m", "P1D",  "1M" };
	static const char *const good[] = { "365d", "8760h", "525600m", "1m" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		refused("block_account", for_a_time("john.doe", bad[i]),
			ERR_INVALID_ARGUMENT);
	refused("unblock_account", for_a_time("john.doe", "1m"), ERR_INVALID_ARGUMENT);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		_cleanup_(run_done) struct run r;

		assert_true(start(&r, "block_account", for_a_time("john.doe", good[i])));
	}
	assert_true(binds("john.doe"));
}

/* ---- A second system -------------------------------------------------------------- */

static struct fake_account users[2];
static struct fake_system okta;

static void connect_okta(void)
{
	users[0] = (struct fake_account){ .id = "00u1",
					  .identifier = "jane@okta",
					  .uid = "jane",
					  .name = "Jane Roe",
					  .mail = "jane.roe@example.test",
					  .sessions = 2,
					  .tokens = 1 };
	okta = (struct fake_system){
		.accounts = users, .facets = 1u << FACET_SESSIONS | 1u << FACET_TOKENS
	};
	accounts->systems[1] = (struct account_system){ .backend = &fake_okta,
							.self = &okta,
							.records = accounts->records };
	accounts->system_count = 2;
}

static const json_t *outcome_of(const struct run *r, size_t index)
{
	return json_array_get(json_object_get(r->result.structured, "outcomes"), index);
}

static size_t listed(const struct run *r, const char *list)
{
	return json_array_size(json_object_get(r->result.structured, list));
}

static void test_drift(void **state)
{
	_cleanup_(run_done) struct run one, drift, both, none, undo;

	(void)state;
	connect_okta();
	must(&one, "block_account",
	     json_pack("{s:s, s:s, s:[s]}", "person", "jane.roe", "reason", "lost laptop",
		       "systems", "ldap"));
	must(&drift, "list_drift", json_object());
	assert_int_equal(listed(&drift, "drift"), 1);
	assert_non_null(strstr(drift.result.text.data, "active in okta"));
	must(&both, "block_account", whom("jane.roe"));
	assert_string_equal(users[0].lock, "locked");
	assert_int_equal(users[0].sessions, 0);
	must(&none, "list_drift", json_object());
	assert_int_equal(listed(&none, "drift"), 0);
	must(&undo, "unblock_account", whom("jane.roe"));
	assert_string_equal(users[0].lock, "");
	assert_true(binds("jane.roe"));
}

static void test_sessions(void **state)
{
	_cleanup_(run_done) struct run revoke;

	(void)state;
	connect_okta();
	must(&revoke, "revoke_sessions", whom("jane.roe"));
	assert_int_equal(json_get_int64(outcome_of(&revoke, 1), "count", 0), 3);
	assert_true(binds("jane.roe"));
	assert_string_equal(users[0].lock, "");
}

/* One system fails: the other is blocked, what is open is said, and tried again. */
static void test_partial(void **state)
{
	_cleanup_(run_done) struct run block, drift, get, undo, late, given_up, done,
		none, end;
	const json_t *failed;

	(void)state;
	connect_okta();
	okta.change_fails = ERR_RATE_LIMITED;
	must(&block, "block_account", whom("jane.roe"));
	assert_false(binds("jane.roe"));
	failed = outcome_of(&block, 1);
	assert_string_equal(json_get_string(failed, "after"), "active");
	assert_string_equal(json_get_string(json_object_get(failed, "error"), "code"),
			    "rate_limited");
	assert_non_null(json_get_string(block.result.structured, "retry_until"));
	assert_int_not_equal(block.result.verified, MCP_VERIFIED_YES);
	must(&drift, "list_drift", json_object());
	assert_int_equal(listed(&drift, "open"), 1);
	must(&get, "get_account", json_pack("{s:s}", "person", "jane.roe"));
	assert_non_null(strstr(get.result.text.data, "still open and tried again"));
	tick_in(6);
	assert_string_equal(users[0].lock, "locked");
	must(&undo, "unblock_account", whom("jane.roe"));
	assert_true(binds("jane.roe"));
	/* One that nothing came of in time stays on the list, until it is done. */
	okta.change_fails = ERR_TIMEOUT;
	must(&late, "block_account", whom("jane.roe"));
	tick_in(3601);
	must(&given_up, "list_drift", json_object());
	assert_string_equal(json_get_string(first(&given_up, "open"), "state"),
			    "given_up");
	must(&done, "block_account", whom("jane.roe"));
	must(&none, "list_drift", json_object());
	assert_int_equal(listed(&none, "open"), 0);
	must(&end, "unblock_account", whom("jane.roe"));
	accounts->system_count = 1;
}

static int open_accounts(void **state)
{
	struct error err = ERROR_INIT;
	struct statedir *folder;
	json_auto_t *config = json_pack(
		"{s:{s:s, s:s, s:s, s:s, s:s, s:i}, s:{s:[s], s:[s]}}", "ldap", "uri",
		slapd_env("SLAPD_URI"), "bind_dn", slapd_env("SLAPD_SERVICE_DN"),
		"password_file", slapd_env("SLAPD_PASSWORD_FILE"), "people_base", SUFFIX,
		"default_policy", "cn=default,ou=policies," SUFFIX, "timeout_ms", 1000,
		"protected", "subtrees", "ou=breakglass," SUFFIX, "groups",
		"cn=service-accounts,ou=groups," SUFFIX);

	(void)state;
	testing_folder(dir);
	folder = statedir_new(dir, &err);
	if (folder && statedir_create(folder, &err))
		accounts = accounts_open(folder, config, &err);
	if (accounts)
		audit = audit_open(folder, "accounts", &err);
	statedir_free(folder);
	if (!audit)
		fprintf(stderr, "%s\n", err.message);
	return audit ? 0 : -1;
}

static int close_accounts(void **state)
{
	(void)state;
	accounts_close(accounts);
	audit_close(audit);
	testing_remove(dir);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_block_get_unblock),
		cmocka_unit_test(test_two_plans),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_pages_of_blocked),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_expiry_cancelled),
		cmocka_unit_test(test_expiry_of_anothers_lock),
		cmocka_unit_test(test_expiry_while_down),
		cmocka_unit_test(test_expiry_refusals),
		cmocka_unit_test(test_drift),
		cmocka_unit_test(test_sessions),
		cmocka_unit_test(test_partial),
		cmocka_unit_test(test_down),
	};

	return cmocka_run_group_tests_name("accounts_tools", tests, open_accounts,
					   close_accounts);
}
