/*
 * Memory runs out at the first allocation, at the second, and so on through every
 * path of what is signed, shown and judged: once for a moment, once for good.
 *
 * Whatever happens, a function either fails and says so, or has done all of its work:
 * an effect that is missing from a prompt for lack of memory would be an effect that
 * nobody approved. What leaks is found by the sanitizers.
 */
#include "base/testing.h"

#include "base/config.h"
#include "base/file.h"
#include "base/text.h"
#include "console/render.h"
#include "gate/policy.h"
#include "gate/prompt.h"
#include "guard/audit.h"
#include "guard/audit_files.h"
#include "guard/burn.h"
#include "guard/grant.h"
#include "guard/plan.h"
#include "guard/state.h"
#include "guard/testing_keys.h"
#include "guard/ticket.h"
#include "guard/token.h"
#include "slack/markdown/stream.h"
#include "slack/render/prompt.h"
#include "slack/result/result.h"
#include "tests/chaos/faults.h"
#include "wire/jsonrpc.h"
#include "wire/schema.h"

enum {
	OUTCOME_MAX = 64 * 1024,
	POINTS_MAX = 1200, /* above, only some of the allocations fail */
	NOW_S = 1800000000,
};

#define D1 "1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "2222222222222222222222222222222222222222222222222222222222222222"
#define D3 "3333333333333333333333333333333333333333333333333333333333333333"

/* What a scenario achieved, without memory of its own. */
struct outcome {
	char text[OUTCOME_MAX];
	size_t length;
};

static void put(struct outcome *o, const char *bytes, size_t length)
{
	assert_true(o->length + length + 1 < OUTCOME_MAX);
	memcpy(o->text + o->length, bytes, length);
	o->length += length;
	o->text[o->length++] = '\n';
}

static void put_text(struct outcome *o, const char *text)
{
	put(o, text, strlen(text));
}

static const char value_text[] =
	"{\"b\":[1,2.5,-3e2,true,null,\"\\u00e9\\u20ac\"],\"a\":{\"z\":\"x\",\"aa\":{}},"
	"\"long\":"
	"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}";

static const char config_text[] = "a: 1\nb:\n  - x\n  - 'y'\nc: {d: [true, null, 1.5]}\n";

static const char schema_text[] =
	"{\"type\":\"object\",\"properties\":{\"person\":{\"type\":\"string\","
	"\"minLength\":1,\"maxLength\":64,\"pattern\":\"^[a-z.]+$\"},"
	"\"when\":{\"format\":\"date-time\"},"
	"\"systems\":{\"type\":\"array\",\"items\":{\"enum\":[\"ldap\",\"okta\"]},"
	"\"uniqueItems\":true,\"minItems\":1},\"n\":{\"$ref\":\"#/$defs/n\"}},"
	"\"required\":[\"person\"],\"unevaluatedProperties\":false,"
	"\"$defs\":{\"n\":{\"anyOf\":[{\"type\":\"integer\"},{\"const\":{\"a\":1}}]}}}";

static const char listed_text[] =
	"{\"name\":\"block_account\",\"title\":\"Block\",\"description\":\"d\","
	"\"inputSchema\":{\"type\":\"object\",\"properties\":{"
	"\"person\":{\"type\":\"string\",\"x-wingman-kind\":\"person\"},"
	"\"systems\":{\"type\":\"array\"},"
	"\"revoke_sessions\":{\"type\":\"boolean\",\"default\":true},"
	"\"reason\":{\"type\":\"string\"}}},"
	"\"_meta\":{\"org.wingman/risk\":\"destructive\"}}";

struct site {
	struct keys *keys;
	struct statedir *dir;
	char token_index[TESTING_PATH_BYTES + 16];
	struct secret *token;
	struct secret *seal_key;
	struct schema_set *schemas; /* knows the metaschemas already */
	json_t *schema, *good, *bad;
	json_t *arguments, *state, *data, *plan;
	json_t *persons, *team, *request;
	json_t *hosts, *people, *result;
	struct config *policy_file;
	struct tool_definition *tool;
	struct grant grant;
};

/* True when all of it was done; else 'err' says why not. */
typedef bool scenario(const struct site *s, struct outcome *o, struct error *err);

/* ---- Base ---- */

static bool parse_and_write(const struct site *s, struct outcome *o, struct error *err)
{
	_cleanup_strbuf_ struct strbuf canonical = STRBUF_INIT, plain = STRBUF_INIT;
	json_auto_t *value =
		json_parse(value_text, sizeof value_text - 1, JSON_CONTRACT, err);
	char digest[DIGEST_HEX_BYTES];

	(void)s;
	if (!value || !json_check_contract(value, err) ||
	    !canonical_write(&canonical, value, err) || !json_write(&plain, value, err) ||
	    !canonical_digest(value, digest, err))
		return false;
	put(o, canonical.data, canonical.length);
	put(o, plain.data, plain.length);
	put_text(o, digest);
	return true;
}

static bool read_configuration(const struct site *s, struct outcome *o, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	_cleanup_(config_freep) struct config *c = NULL;

	(void)s;
	c = config_parse("test.yaml", config_text, sizeof config_text - 1, err);
	if (!c || !json_write(&text, config_root(c), err))
		return false;
	put(o, text.data, text.length);
	(void)snprintf(o->text + o->length, 16, "%d", config_line(c, "/b/1"));
	o->length += strlen(o->text + o->length);
	return true;
}

/* These report through the strbuf. */
static bool make_text_visible(const struct site *s, struct outcome *o, struct error *err)
{
	static const char odd[] =
		"J\xd0\xbehn \xe2\x80\xae\tDoe\\ password=hunter2hunter2";
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT, back = STRBUF_INIT;

	(void)s;
	text_visible(&sb, odd, sizeof odd - 1);
	if (!strbuf_ok(&sb))
		return error_oom(err);
	if (!text_unescape(&back, sb.data, sb.length, err))
		return false;
	strbuf_add_char(&sb, '\n');
	text_escaped(&sb, odd, sizeof odd - 1);
	text_redact(&sb, odd, sizeof odd - 1);
	if (!strbuf_ok(&sb))
		return error_oom(err);
	if (!text_fold(&sb, odd, sizeof odd - 1, err))
		return false;
	put(o, sb.data, sb.length);
	put(o, back.data, back.length);
	return true;
}

static bool find_state_folder(const struct site *s, struct outcome *o, struct error *err)
{
	_cleanup_(statedir_freep) struct statedir *d = NULL;

	d = statedir_new(s->keys->folder, err);
	if (!d || !statedir_create(d, err))
		return false;
	_cleanup_free_ char *path = statedir_path(d, "config/%s.yaml", "gate");
	if (!path)
		return error_oom(err);
	put_text(o, path);
	return true;
}

/* ---- Wire ---- */

static bool compile_schema(const struct site *s, struct outcome *o, struct error *err)
{
	_cleanup_(schema_freep) struct schema *schema = NULL;
	struct schema_fault fault = { 0 };

	schema = schema_compile(s->schemas, s->schema, NULL, SCHEMA_ASSERT_FORMAT, err);
	if (!schema)
		return false;
	/* Without memory nothing is valid. */
	if (!schema_validate(schema, s->good, &fault))
		return error_set(err, ERR_INTERNAL, "%s", fault.message);
	put_text(o, "valid");
	return true;
}

static bool find_fault(const struct site *s, struct outcome *o, struct error *err)
{
	_cleanup_(schema_freep) struct schema *schema = NULL;
	struct schema_fault fault = { 0 };

	schema = schema_compile(s->schemas, s->schema, NULL, SCHEMA_ASSERT_FORMAT, err);
	if (!schema)
		return false;
	put_text(o, schema_validate(schema, s->bad, &fault) ? "valid" : "invalid");
	return true;
}

static bool read_message(const struct site *s, struct outcome *o, struct error *err)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	struct jsonrpc_message m;
	const json_t *id = NULL;

	if (!jsonrpc_read(s->request, &m, &id, err))
		return false;
	jsonrpc_write_result(&sb, m.id, "{\"ok\":true}", 11);
	jsonrpc_write_error(&sb, m.id, JSONRPC_INVALID_PARAMS, "no \"such\" tool",
			    m.params);
	if (!strbuf_ok(&sb))
		return error_oom(err);
	put(o, sb.data, sb.length);
	return true;
}

/* ---- Guard ---- */

static struct plan *build_plan(const struct site *s, struct error *err)
{
	_cleanup_(plan_freep) struct plan *p = plan_new();

	if (!p) {
		error_oom(err);
		return NULL;
	}
	plan_summary(p, "block %s", "john.doe");
	plan_effect(p, "ldap", "uid=john.doe,ou=people", "active", "locked", true);
	plan_effect(p, "okta", "00u1", "active", "suspended", true);
	plan_warning(p, "%d sessions stay open", 2);
	plan_note(p, "person", "John Doe, uid=%s", "john.doe");
	plan_requires(p, 2, "a member of 'admins'");
	plan_state(p, json_incref(s->state));
	plan_data(p, json_incref(s->data));
	return plan_finish(p, err) ? TAKE(p) : NULL;
}

static bool make_plan(const struct site *s, struct outcome *o, struct error *err)
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

static bool sign_and_check_grant(const struct site *s, struct outcome *o,
				 struct error *err)
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

static bool sign_and_check_ticket(const struct site *s, struct outcome *o,
				  struct error *err)
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

static bool seal_and_open_state(const struct site *s, struct outcome *o,
				struct error *err)
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

static bool read_keys(const struct site *s, struct outcome *o, struct error *err)
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

static bool find_caller(const struct site *s, struct outcome *o, struct error *err)
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

/* ---- Gate ---- */

static bool accept_arguments(const struct site *s, struct outcome *o, struct error *err)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	char digest[DIGEST_HEX_BYTES];

	if (!tool_definition_accept(s->tool, s->arguments, &sb, digest, err))
		return false;
	put(o, sb.data, sb.length);
	put_text(o, digest);
	return true;
}

static json_t *build_prompt(const struct site *s, char shown[static DIGEST_HEX_BYTES],
			    struct error *err)
{
	static const char *const approvers[] = { "alice@x", "bob@x", NULL };
	static const char *const warnings[] = { "look twice", NULL };
	const struct prompt_input in = {
		.approval = "01",
		.address = "http://127.0.0.1/mcp",
		.requester = "alice@x",
		.surface = "console, uid 1000",
		.outcome_to = "this terminal",
		.tool = s->tool,
		.arguments = s->arguments,
		.plan = s->plan,
		.args_digest = D1,
		.plan_digest = D2,
		.asked_at_ms = 1,
		.expires_at_ms = 600001,
		.good_for_ms = 300000,
		.approvers_needed = 1,
		.approvers = approvers,
		.warnings = warnings,
	};

	return prompt_build(&in, shown, err);
}

static bool show_prompt(const struct site *s, struct outcome *o, struct error *err)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	char shown[DIGEST_HEX_BYTES];
	json_auto_t *prompt = build_prompt(s, shown, err);

	if (!prompt || !canonical_write(&sb, prompt, err))
		return false;
	json_auto_t *back = prompt_arguments(prompt, err);
	if (!back || !canonical_write(&sb, back, err))
		return false;
	put(o, sb.data, sb.length);
	put_text(o, shown);
	return true;
}

/* What is drawn with less is not drawn: a line that is missing would not be missed. */
static bool draw_prompt(const struct site *s, struct outcome *o, struct error *err)
{
	const struct render_style style = { .columns = 80, .now_ms = 1000 };
	const struct slack_prompt_view view = { .now_ms = 1000 };
	_cleanup_strbuf_ struct strbuf page = STRBUF_INIT, text = STRBUF_INIT;
	char shown[DIGEST_HEX_BYTES];
	size_t pages = 0;
	json_auto_t *prompt = build_prompt(s, shown, err);

	if (!prompt || !render_prompt(&page, prompt, &style, err))
		return false;
	json_auto_t *message = slack_prompt_message(prompt, &view, err);
	if (!message || !json_write(&text, message, err))
		return false;
	json_auto_t *review = slack_prompt_page(prompt, 1000, 1, &pages, err);
	if (!review || !json_write(&text, review, err))
		return false;
	json_auto_t *ended = slack_prompt_ended(prompt, &view, "denied", err);
	if (!ended || !json_write(&text, ended, err))
		return false;
	put(o, page.data, page.length);
	put(o, text.data, text.length);
	return true;
}

static const char sheet_text[] =
	"# Head\nwith *style*, <@U0ANN> <@U0ANN> and [a link](https://docs.x.com/ \"t\") "
	"![i](x) &amp;\n\n- one\n  1. two\n\n> quote\n> - item\n\n```x y\ncode\n```\n\n"
	"| a | b |\n|---|---|\n| 1 | **2** | 3 |\n\n[n]: https://y.example\n\nApprove "
	"this "
	"call?\n";

/* Markdown at once and as it comes: no word of it is missed. */
static bool draw_markdown(const struct site *s, struct outcome *o, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const struct slack_markdown how = { .heading = "Written by the assistant",
					    .hosts = s->hosts,
					    .people = s->people };
	json_auto_t *messages =
		slack_markdown_messages(sheet_text, strlen(sheet_text), &how, err);
	_cleanup_(slack_stream_freep) struct slack_stream *stream = NULL;
	bool is_new = false;
	json_t *blocks;

	if (!messages || !json_write(&text, messages, err))
		return false;
	stream = slack_stream_new(&how);
	if (!stream)
		return error_oom(err);
	if (!slack_stream_add(stream, sheet_text, strlen(sheet_text), err) ||
	    !slack_stream_end(stream, err))
		return false;
	while ((blocks = slack_stream_take(stream, &is_new, err))) {
		bool ok = json_write(&text, blocks, err);

		json_decref(blocks);
		if (!ok)
			return false;
	}
	if (error_is_set(err))
		return false;
	put(o, text.data, text.length);
	return true;
}

static bool draw_result(const struct site *s, struct outcome *o, struct error *err)
{
	const struct slack_result_view view = { .id = "A1",
						.people = s->people,
						.hosts = s->hosts };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, file = STRBUF_INIT;
	_cleanup_(slack_result_done) struct slack_result r = { 0 };
	char name[SLACK_RESULT_NAME_BYTES];
	size_t pages = 0;
	json_auto_t *page = NULL;

	if (!slack_result_draw(s->result, &view, &r, err) ||
	    !json_write(&text, r.messages, err))
		return false;
	page = slack_result_page(s->result, &view, 1, &pages, err);
	if (!page || !json_write(&text, page, err) ||
	    !slack_result_file(s->result, &file, name, err))
		return false;
	put(o, text.data, text.length);
	put(o, file.data, file.length);
	return true;
}

static bool judge_by_policy(const struct site *s, struct outcome *o, struct error *err)
{
	_cleanup_(policy_freep) struct policy *p = NULL;
	const struct policy_question q = { .server = "accounts",
					   .tool = "block_account",
					   .risk = RISK_DESTRUCTIVE,
					   .plan_approvers = 1,
					   .requester = "alice@x" };
	struct policy_answer a = { 0 };

	p = policy_new(s->persons, s->team, s->policy_file, err);
	if (!p)
		return false;
	policy_judge(p, &q, &a);
	_cleanup_free_ const char **who = policy_approvers(p, &q, &a);
	if (!who)
		return error_oom(err);
	put_text(o, a.rule);
	put_text(o, a.four_eyes ? "four eyes" : "two eyes");
	put_text(o, a.may_call ? "may call" : "may not");
	for (size_t i = 0; who[i]; i++)
		put_text(o, who[i]);
	return true;
}

/* ---- The driver ---- */

static struct outcome wanted, got; /* too large for a stack */

static bool run(scenario *f, const struct site *s, struct outcome *o, unsigned long nth,
		bool onward, unsigned long *ret_count, struct error *err)
{
	o->length = 0;
	error_clear(err);
	faults_arm(nth, onward);
	bool good = f(s, o, err);
	*ret_count = faults_disarm();
	return good;
}

static bool same_outcome(void)
{
	return got.length == wanted.length &&
	       memcmp(got.text, wanted.text, got.length) == 0;
}

static void survive(const struct site *s, const char *name, scenario *f, bool onward)
{
	unsigned said[ERR_CODE_COUNT] = { 0 };
	unsigned long count, reached;
	struct error err = ERROR_INIT;

	if (!run(f, s, &wanted, 0, false, &count, &err))
		fail_msg("%s fails with memory: %s", name, err.message);
	assert_true(count > 0);
	const unsigned long step = count / POINTS_MAX + 1;
	for (unsigned long nth = 1; nth <= count; nth += step) {
		bool good = run(f, s, &got, nth, onward, &reached, &err);

		if (good && error_is_set(&err))
			fail_msg("%s: without allocation %lu it succeeds, and says '%s'",
				 name, nth, err.message);
		if (good && !same_outcome())
			fail_msg("%s: allocation %lu of %lu is missed by nobody", name,
				 nth, count);
		if (!good && !error_is_set(&err))
			fail_msg("%s: without allocation %lu it fails without a word",
				 name, nth);
		said[err.code]++;
	}
	/* And nothing of it stays. */
	if (!run(f, s, &got, 0, false, &reached, &err) || !same_outcome())
		fail_msg("%s: with memory again it is not as before: %s", name,
			 err.message);
	print_message("# %s: %lu allocations%s;", name, count,
		      step > 1 ? ", some of which failed" : "");
	for (enum error_code code = 0; code < ERR_CODE_COUNT; code++)
		if (said[code] > 0)
			print_message(" %s %u", code ? error_name(code) : "no loss",
				      said[code]);
	print_message("\n");
}

#define SCENARIO(f)                                                                      \
	static void test_##f(void **state)                                               \
	{                                                                                \
		survive(*state, #f, f, false);                                           \
		survive(*state, #f, f, true);                                            \
	}
SCENARIO(parse_and_write)
SCENARIO(read_configuration)
SCENARIO(make_text_visible)
SCENARIO(find_state_folder)
SCENARIO(compile_schema)
SCENARIO(find_fault)
SCENARIO(read_message)
SCENARIO(make_plan)
SCENARIO(sign_and_check_grant)
SCENARIO(sign_and_check_ticket)
SCENARIO(seal_and_open_state)
SCENARIO(read_keys)
SCENARIO(find_caller)
SCENARIO(accept_arguments)
SCENARIO(show_prompt)
SCENARIO(draw_prompt)
SCENARIO(draw_markdown)
SCENARIO(draw_result)
SCENARIO(judge_by_policy)

/* ---- What is durable ---- */

/* A burn that fails burnt nothing: the next one is the first. */
static void test_burn(void **state)
{
	const struct site *s = *state;
	_cleanup_free_ char *path = statedir_path(s->dir, "coordination.db");
	_cleanup_(coord_closep) struct coordination *c = NULL;
	struct error err = ERROR_INIT;
	struct grant g = s->grant;
	bool reached = true;

	c = coord_open_sqlite(path, &err);
	testing_no_error(&err);
	for (unsigned long nth = 1; reached; nth++) {
		json_t *record = NULL;
		bool first = false;

		(void)snprintf(g.id, sizeof g.id, "burn-%lu", nth);
		faults_arm(nth, true);
		bool good = burn_start(c, &g, "t", s->plan, 1000, &first, &record, &err);
		reached = faults_disarm() >= nth;
		assert_true(good || reached);
		assert_int_equal(good, !error_is_set(&err));
		assert_true(!good || first);
		error_clear(&err);
		if (!good)
			assert_true(burn_start(c, &g, "t", s->plan, 1000, &first, &record,
					       &err));
		testing_no_error(&err);
		assert_true(first);
		assert_null(record);
		/* Ending it, the same way. */
		faults_arm(nth, true);
		good = burn_finish(c, g.id, "succeeded", s->data, 2000, &err);
		reached |= faults_disarm() >= nth;
		assert_int_equal(good, !error_is_set(&err));
		error_clear(&err);
		assert_true(burn_find(c, g.id, &record, &err));
		if (good)
			assert_string_equal(json_get_string(record, "state"),
					    "succeeded");
		else
			assert_string_equal(json_get_string(record, "state"), "started");
		json_decref(record);
	}
}

/* Whatever happens to the index while others are changed, who is out stays out. */
static void test_revoked_stays_revoked(void **state)
{
	const struct site *s = *state;
	_cleanup_free_ char *path = statedir_path(s->dir, "callers/index.json");
	const int64_t now_ms = (int64_t)NOW_S * 1000;
	const char *scopes[] = { "accounts:read" };
	struct secret *out = NULL, *late = NULL;
	char out_id[65], late_id[65], id[65];
	struct error err = ERROR_INIT;
	bool reached = true;

	assert_true(token_create(path, "mallory@x", scopes, 1, 0, now_ms, &out, out_id,
				 &err));
	assert_true(token_create(path, "late@x", scopes, 1, now_ms + 1, now_ms, &late,
				 late_id, &err));
	assert_true(token_revoke(path, out_id, now_ms, &err));
	_cleanup_strbuf_ struct strbuf before = STRBUF_INIT;
	assert_true(file_read(path, 64 * 1024, &before, &err));
	for (unsigned long nth = 1; reached; nth++) {
		_cleanup_(secret_freep) struct secret *made = NULL;
		struct caller caller;

		assert_true(file_write(path, before.data, before.length, 0600, &err));
		faults_arm(nth, false);
		bool good = token_create(path, "bob@x", scopes, 1, 0, now_ms, &made, id,
					 &err);
		reached = faults_disarm() >= nth;
		assert_int_equal(good, !error_is_set(&err));
		error_clear(&err);
		_cleanup_(token_index_freep) struct token_index *index =
			token_index_open(path, &err);
		testing_no_error(&err);
		assert_false(token_index_find(index, secret_bytes(out), now_ms, &caller,
					      &err));
		testing_error(&err, ERR_PERMISSION_DENIED, NULL);
		assert_false(token_index_find(index, secret_bytes(late), now_ms + 2,
					      &caller, &err));
		testing_error(&err, ERR_PERMISSION_DENIED, NULL);
		assert_true(token_index_find(index, secret_bytes(late), now_ms, &caller,
					     &err));
	}
	secret_free(out);
	secret_free(late);
}

static int64_t count_tried(const char *folder, const char *program)
{
	_cleanup_audit_files_ struct audit_files files = { 0 };
	struct error err = ERROR_INIT;
	int64_t count = 0;

	assert_true(audit_files_list(folder, program, &files, &err));
	for (size_t i = 0; i < files.count; i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

		assert_true(file_read(files.file[i].path, 1024 * 1024, &text, &err));
		for (const char *at = text.data; at && (at = strstr(at, "chaos.tried"));
		     at++)
			count++;
	}
	return count;
}

/* The chain has exactly the lines that were acknowledged, or says that it is broken. */
static void try_audit(const struct site *s, const char *program, int64_t file_bytes)
{
	_cleanup_free_ char *folder = statedir_path(s->dir, "audit");
	struct error err = ERROR_INIT;
	struct audit_report report;
	int64_t lines = 0;
	bool reached = true;

	struct audit *a = audit_open(s->dir, program, &err);
	testing_no_error(&err);
	audit_limit_file(a, file_bytes);
	for (unsigned long nth = 1; reached; nth++) {
		json_t *data = json_pack("{s:s}", "what", "chaos");

		assert_non_null(data);
		faults_arm(nth, true);
		bool good = audit_append(a, "chaos.tried", data, NULL, &err);
		reached = faults_disarm() >= nth;
		assert_true(good || reached);
		assert_int_equal(good, !error_is_set(&err));
		error_clear(&err);
		lines += good;
		if (audit_is_sound(a))
			continue;
		/* Broken for this process, and for no other. */
		audit_close(a);
		a = audit_open(s->dir, program, &err);
		testing_no_error(&err);
		audit_limit_file(a, file_bytes);
	}
	assert_true(lines > 0);
	audit_close(a);
	assert_true(audit_verify(folder, program, NULL, NULL, 0, &report, &err));
	assert_string_equal(report.finding, "");
	assert_true(report.sound && report.lines >= lines);
	assert_int_equal(report.files > 1, file_bytes == 1);
	assert_int_equal(count_tried(folder, program), lines);
}

static void test_audit(void **state)
{
	try_audit(*state, "chaos", AUDIT_FILE_BYTES);
}

/* Each line begins a file of its own. */
static void test_audit_files(void **state)
{
	try_audit(*state, "chaosfiles", 1);
}

/* ---- The site ---- */

static json_t *parse(const char *text)
{
	struct error err = ERROR_INIT;
	json_t *value = json_parse(text, strlen(text), JSON_SYNTAX, &err);

	testing_no_error(&err);
	return value;
}

static void make_values(struct site *s)
{
	s->schema = parse(schema_text);
	s->good = parse("{\"person\":\"john.doe\",\"when\":\"2026-11-22T10:00:00Z\","
			"\"systems\":[\"ldap\",\"okta\"],\"n\":{\"a\":1}}");
	s->bad = parse("{\"person\":\"john.doe\",\"systems\":[\"ldap\",\"ldap\"]}");
	s->arguments = parse("{\"person\":\"john.doe\",\"systems\":[\"ldap\"],"
			     "\"reason\":\"phished\"}");
	s->state = parse("{\"pwdAccountLockedTime\":\"\"}");
	s->data = parse("{\"dn\":\"uid=john.doe\"}");
	s->persons = parse("[{\"id\":\"alice@x\",\"unix\":[1000]},{\"id\":\"bob@x\"}]");
	s->team = parse("[\"alice@x\",\"bob@x\"]");
	s->hosts = parse("[\"docs.x.com\"]");
	s->people = parse("{\"U0ANN\":{\"name\":\"Ann\",\"notify\":true},"
			  "\"alice@x\":{\"name\":\"Alice\"}}");
	s->result = parse("{\"id\":\"A1\",\"state\":\"failed\",\"server\":\"a\",\"tool\":"
			  "\"b\",\"result\":{"
			  "\"content\":[{\"type\":\"text\",\"text\":\"a\\u202eb "
			  "password=x\"},{\"type\":"
			  "\"image\"}],\"structuredContent\":{\"t\":\"2026-11-22T10:00:"
			  "00Z\",\"who\":"
			  "\"alice@x\",\"u\":\"https://docs.x.com/"
			  "\",\"rows\":[{\"a\":1,\"b\":[\"x\",null]}],"
			  "\"deep\":[{\"a\":{\"b\":\"c\"}}]}},\"outcome\":{\"error\":{"
			  "\"code\":\"timeout\","
			  "\"message\":\"m\",\"hint\":\"h\"},\"verified\":false},"
			  "\"parts\":[{\"state\":"
			  "\"unknown\"}]}");
	s->request = parse("{\"jsonrpc\":\"2.0\",\"id\":\"a\\\"1\",\"method\":\"tools/"
			   "call\",\"params\":{\"name\":\"x\"}}");
}

static void make_files(struct site *s)
{
	static const char policy[] =
		"groups: {leads: [bob@x]}\nrules:\n"
		"  - {name: writes, risk: [write, destructive], approvers: [group:leads],"
		" needed: 1, four_eyes: true}\n";
	const char *scopes[] = { "accounts:read", "accounts:write" };
	struct error err = ERROR_INIT;
	char id[65];

	s->dir = statedir_new(s->keys->folder, &err);
	assert_true(s->dir && statedir_create(s->dir, &err));
	(void)snprintf(s->token_index, sizeof s->token_index, "%s/index.json",
		       s->keys->folder);
	assert_true(token_create(s->token_index, "alice@x", scopes, 2, 0,
				 (int64_t)NOW_S * 1000, &s->token, id, &err));
	s->policy_file = config_parse("policy.yaml", policy, sizeof policy - 1, &err);
	testing_no_error(&err);
}

static int set_up(void **state)
{
	struct site *s = calloc(1, sizeof *s);
	struct error err = ERROR_INIT;
	void *keys = NULL;

	faults_set_up();
	assert_non_null(s);
	(void)keys_set_up(&keys);
	s->keys = keys;
	make_values(s);
	make_files(s);
	s->seal_key = secret_new("0123456789abcdef0123456789abcdef", 32);
	s->schemas = schema_set_new();
	schema_free(
		schema_compile(s->schemas, s->schema, NULL, SCHEMA_ASSERT_FORMAT, &err));
	testing_no_error(&err);
	json_auto_t *listed = parse(listed_text);
	s->tool = tool_definition_read("accounts", listed, &err);
	testing_no_error(&err);
	_cleanup_(plan_freep) struct plan *plan = build_plan(s, &err);
	testing_no_error(&err);
	s->plan = json_incref(plan_json(plan));
	s->grant = (struct grant){ .id = "a1",
				   .aud = "prod",
				   .server = "accounts",
				   .tool = "block_account",
				   .pin = D1,
				   .args = D2,
				   .plan = D3,
				   .shown = D1,
				   .requester = "alice@company.com",
				   .approvers = { "bob@company.com" },
				   .approver_count = 1,
				   .bundle = "b1",
				   .seq = 2,
				   .emergency = true,
				   .head = D2,
				   .iat = NOW_S,
				   .exp = NOW_S + GRANT_TTL_S };
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct site *s = *state;
	json_t *const values[] = { s->schema, s->good,    s->bad,   s->arguments,
				   s->state,  s->data,    s->plan,  s->persons,
				   s->team,   s->request, s->hosts, s->people,
				   s->result };
	void *keys = s->keys;

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		json_decref(values[i]);
	tool_definition_free(s->tool);
	schema_set_free(s->schemas);
	config_free(s->policy_file);
	secret_free(s->seal_key);
	secret_free(s->token);
	statedir_free(s->dir);
	(void)keys_tear_down(&keys);
	free(s);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_and_write),
		cmocka_unit_test(test_read_configuration),
		cmocka_unit_test(test_make_text_visible),
		cmocka_unit_test(test_find_state_folder),
		cmocka_unit_test(test_compile_schema),
		cmocka_unit_test(test_find_fault),
		cmocka_unit_test(test_read_message),
		cmocka_unit_test(test_make_plan),
		cmocka_unit_test(test_sign_and_check_grant),
		cmocka_unit_test(test_sign_and_check_ticket),
		cmocka_unit_test(test_seal_and_open_state),
		cmocka_unit_test(test_read_keys),
		cmocka_unit_test(test_find_caller),
		cmocka_unit_test(test_accept_arguments),
		cmocka_unit_test(test_show_prompt),
		cmocka_unit_test(test_draw_prompt),
		cmocka_unit_test(test_draw_markdown),
		cmocka_unit_test(test_draw_result),
		cmocka_unit_test(test_judge_by_policy),
		cmocka_unit_test(test_burn),
		cmocka_unit_test(test_audit),
		cmocka_unit_test(test_audit_files),
		cmocka_unit_test(test_revoked_stays_revoked),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
