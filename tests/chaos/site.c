#include "tests/chaos/site.h"

#include "guard/token.h"
#include "tests/chaos/faults.h"

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

void put(struct outcome *o, const char *bytes, size_t length)
{
	assert_true(o->length + length + 1 < OUTCOME_MAX);
	memcpy(o->text + o->length, bytes, length);
	o->length += length;
	o->text[o->length++] = '\n';
}

void put_text(struct outcome *o, const char *text)
{
	put(o, text, strlen(text));
}

struct plan *build_plan(const struct site *s, struct error *err)
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

int site_set_up(void **state)
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

int site_tear_down(void **state)
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
