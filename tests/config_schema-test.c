/*
 * schemas/config.schema.json and policy.schema.json against the code that decodes: a
 * configuration in which every documented member is set is taken, and a member that
 * nobody knows is refused wherever it stands, with file and line.
 *
 * The schemas themselves say where members are: a member that is added there and not
 * to the texts below fails here.
 */
#include "base/testing.h"

#include "assistant/config.h"
#include "base/file.h"
#include "gate/settings.h"
#include "mcp/server_config.h"
#include "schemas/schemas.h"
#include "slack/process/settings.h"

#define SERVER_MEMBERS                                                                   \
	"'listen': {'address': '::1', 'port': 4711, 'hosts': ['a.example'],"             \
	" 'origins': ['https://a.example'], 'tls': {'certificate': '/c',"                \
	"  'key': '/k', 'client_ca': '/a'}},"                                            \
	"'instance': 'prod', 'gate': {'url': 'http://127.0.0.1:1', 'token_file': '/x'}," \
	"'freed_reads': ['get_it'], 'audit_freed_reads': false,"                         \
	"'refuse_emergency': ['get_it'],"                                                \
	"'freed_resources': ['x:/{y}'], 'freed_resources_for': ['service/a'],"           \
	"'freed_prompts': ['p'],"                                                        \
	"'rights': {'alice': ['read']}, 'limits': {'calls_per_caller': 1,"               \
	" 'plans_per_minute': 2, 'deadline_s': 3, 'workers': 4, 'queue': 5,"             \
	" 'body_bytes': 1024, 'page_size': 7, 'streams_per_caller': 8},"                 \
	"'oauth': {'resource': 'https://a.example/mcp', 'ca_file': '/i', 'issuers': ["   \
	"  {'issuer': 'https://i.example', 'jwks_uri': 'https://i.example/keys',"        \
	"   'audience': 'prod', 'principal_claim': 'email', 'client_claim': 'azp',"      \
	"   'algorithms': ['ES256']}],"                                                  \
	" 'scopes': {'read': ['r'], 'write': ['w']},"                                    \
	" 'tool_scopes': {'get_account': ['x']},"                                        \
	" 'keys': {'max_age_s': 1, 'max_stale_s': 2, 'refetch_s': 3}},"                  \
	"'store': {'redis': {'address': 'r.example', 'port': 6380, 'prefix': 'p',"       \
	" 'user': 'u', 'password_file': '/p', 'timeout_ms': 100,"                        \
	" 'assume_durable': true,"                                                       \
	" 'tls': {'ca': '/a', 'certificate': '/c', 'key': '/k'}}},"                      \
	"'log_level': 'debug', 'allow_missing_landlock': true,"                          \
	"'allow_missing_seccomp': true"

static const char server_text[] = "{" SERVER_MEMBERS ", 'backend': {}}";

static const char accounts_text[] =
	"{" SERVER_MEMBERS ", 'backend': {"
	" 'ldap': {'dialect': 'auto', 'uri': 'ldap://127.0.0.1:1', 'bind_dn': 'cn=x',"
	"  'password_file': 'tokens/ldap', 'people_base': 'dc=x',"
	"  'default_policy': 'cn=p', 'start_tls': true, 'ca_file': '/x',"
	"  'timeout_ms': 100, 'connections': 2},"
	" 'okta': {'api': {'url': 'https://o.example', 'client_id': 'c',"
	"   'key_file': 'k', 'key_id': 'i', 'scopes': ['okta.users.manage'],"
	"   'ca_file': 'c', 'timeout_ms': 100},"
	"  'protected_groups': ['00g1'], 'protect_administrators': false},"
	" 'github': {'api': {'organization': 'o', 'url': 'https://g.example',"
	"   'token_file': 't', 'ca_file': 'c', 'timeout_ms': 100},"
	"  'credentials': true, 'protected_teams': ['break-glass']},"
	" 'slack': {'api': {'token_file': 't', 'admin_token_file': 'a',"
	"   'url': 'https://s.example', 'scim_url': 'https://s.example',"
	"   'team': 'T1', 'ca_file': 'c', 'timeout_ms': 100},"
	"  'deactivate': true, 'reset_sessions': true},"
	" 'protected': {'subtrees': ['ou=x'], 'groups': ['cn=g'], 'uids': ['root'],"
	"  'administrators': ['cn=a'], 'people': ['root@example.test']},"
	" 'people': {'url': 'http://127.0.0.1:1/mcp', 'token_file': 'tokens/p',"
	"  'ca_file': '/x', 'max_age_s': 60, 'timeout_ms': 1000},"
	" 'mass_action': {'people_per_hour': 2, 'all_per_hour': 9}}}";

static const char people_text[] =
	"{" SERVER_MEMBERS ", 'backend': {"
	" 'sources': {'file': {'path': 'people.json'},"
	"  'ldap': {'uri': 'ldap://127.0.0.1:1', 'bind_dn': 'cn=x',"
	"   'password_file': 'p', 'people_base': 'dc=x', 'filter': '(uid=*)',"
	"   'start_tls': true, 'ca_file': '/x', 'timeout_ms': 100, 'claims': "
	"   {'ldap': 'a', 'okta': 'b', 'github': 'c', 'slack': 'd'},"
	"   'employee_number': 'e', 'kinds': {'attribute': 'f',"
	"   'contractor': ['g'], 'service': ['h']},"
	"   'service_subtrees': ['ou=s'], 'left_subtrees': ['ou=l']},"
	"  'okta': {'api': {'url': 'https://o.example', 'client_id': 'c',"
	"   'key_file': 'k', 'key_id': 'i', 'scopes': ['okta.users.read'],"
	"   'ca_file': 'c', 'timeout_ms': 100}, 'groups': true,"
	"   'claims': {'ldap': 'a', 'okta': 'b', 'github': 'c', 'slack': 'd'},"
	"   'employee_number': 'e', 'kinds': {'attribute': 'f',"
	"   'contractor': ['g'], 'service': ['h']}},"
	"  'github': {'api': {'organization': 'o', 'url': 'https://g.example',"
	"   'app_id': 1, 'installation_id': 2, 'key_file': 'k', 'ca_file': 'c',"
	"   'timeout_ms': 100}, 'identities': false},"
	"  'slack': {'api': {'token_file': 't', 'admin_token_file': 'a',"
	"   'url': 'https://s.example', 'scim_url': 'https://s.example',"
	"   'team': 'T1', 'ca_file': 'c', 'timeout_ms': 100},"
	"   'believe_email': true}},"
	" 'refresh_s': 60, 'sweep_s': 600, 'max_age_s': 900,"
	" 'domain_aliases': {'a.example': 'b.example'}, 'ignore_plus_tags': true,"
	" 'nicknames': {'robert': ['bob']}}}";

static const char playbooks_text[] =
	"{" SERVER_MEMBERS ", 'backend': {'rescan_s': 5, 'link_hosts': ['a.example'],"
	" 'embeddings': {'url': 'https://e.example/v1', 'model': 'm', 'token_file': 't',"
	"  'ca_file': '/c'},"
	" 'sources': [{'name': 'handbook', 'folder': '/srv/playbooks',"
	"  'tags': ['own']}, {'name': 'wiki', 'confluence': {"
	"  'url': 'https://a.example/wiki', 'user': 'u@a.example', 'token_file': 't',"
	"  'spaces': ['SEC'], 'labels': ['runbook'], 'people': {'1:2': 'alice@x'},"
	"  'groups': {'g': ['alice@x']}, 'everybody': ['e'],"
	"  'fallback_groups': ['g'], 'every_s': 60, 'ca_file': '/c',"
	"  'timeout_ms': 100}}]}}";

static const char gate_text[] =
	"{'persons': [{'id': 'alice@x', 'unix': [1000],"
	"  'tokens': ['t1'], 'oauth': ['https://i a1'], 'slack': ['U0ALICE']}], 'team': "
	"['alice@x'],"
	" 'servers': [{'name': 'accounts', 'url': 'http://127.0.0.1:1/mcp',"
	"  'instance': 'prod'}],"
	" 'listen': {'address': '::1', 'port': 4700, 'url': 'https://g.example'},"
	" 'tls': {'ca': '/a', 'certificate': '/c', 'key': 'k'},"
	" 'policy': 'config/other.yaml',"
	" 'limits': {'proposals_at_once': 2, 'proposals_per_minute': 3,"
	"  'open_per_person': 4, 'open': 5, 'denials': 6},"
	" 'store': {'redis': {'address': '/s', 'prefix': 'p', 'user': 'u',"
	"  'password_file': '/p', 'timeout_ms': 100, 'assume_durable': true}},"
	" 'yes_by_console': false, 'emergency': {'probe': 'http://127.0.0.1:1/readyz'},"
	" 'context': {'templates': [{'server': 'accounts', 'uri': 'account://{p}',"
	"  'description': 'd'}], 'reads_per_turn': 3},"
	" 'slack': {'unix': 1000, 'allow_shared_uid': true, 'app': 'A0WING',"
	"  'teams': ['T0ACME', 'T0B'], 'signing_secrets': ['keys/slack', 'credential:s'],"
	"  'socket_mode': true, 'channels': ['C0OPS'], 'approvals_channel': 'C0OPS',"
	"  'approvers_only': true, 'check_shown': false,"
	"  'membership': {'usergroup': 'S0SEC', 'token_file': 'tokens/slack-gate',"
	"   'url': 'https://slack.example/api', 'ca_file': '/ca'}},"
	" 'log_level': 'debug', 'allow_missing_landlock': true,"
	" 'allow_missing_seccomp': true}";

static const char membership_text[] =
	"{'every_s': 5, 'ldap': {'uri': 'ldaps://a.example ldaps://b.example',"
	" 'bind_dn': 'cn=x', 'password_file': 'tokens/ldap', 'start_tls': false,"
	" 'ca_file': '/ca', 'timeout_ms': 100, 'people_base': 'ou=people',"
	" 'filter': '(uid=*)', 'mail_attribute': 'mail', 'group': 'cn=team',"
	" 'member_attribute': 'member', 'nested_base': 'ou=groups'}}";

static const char membership_okta_text[] =
	"{'group': '00gteam', 'api': {'url': 'https://o.example', 'client_id': 'c',"
	" 'key_file': 'k', 'key_id': 'i', 'scopes': ['okta.users.read'],"
	" 'ca_file': 'c', 'timeout_ms': 100}}";

static const char membership_slack_text[] =
	"{'usergroup': 'S0SEC', 'token_file': 'tokens/slack-gate',"
	" 'url': 'https://slack.example/api', 'ca_file': '/ca'}";

static const char assistant_text[] =
	"{'provider': 'bedrock', 'model': 'm', 'url': 'https://b.example',"
	" 'ca_file': '/c', 'key': 'keys/model', 'region': 'eu-central-1',"
	" 'access_key_id': 'env:ID', 'session_token': 'credential:token',"
	" 'stream': false, 'cache': false, 'old_max_tokens': true,"
	" 'max_output_tokens': 100, 'turn': {'seconds': 1, 'requests': 2,"
	"  'proposals': 3, 'reads': 4, 'text_bytes': 5, 'tokens': 6},"
	" 'budget': {'tokens_per_day': 7, 'tokens_per_person_per_day': 8},"
	" 'memory': {'hours': 8, 'conversations': 9},"
	" 'egress': {'requests_per_minute': 9, 'at_once': 10, 'tries': 2,"
	"  'first_byte_s': 11, 'idle_s': 12, 'whole_s': 13},"
	" 'log_level': 'debug', 'allow_missing_landlock': true,"
	" 'allow_missing_seccomp': true}";

static const char policy_text[] =
	"{'groups': {'leads': ['alice@x']}, 'rules': [{'name': 'all of it',"
	" 'server': 'accounts', 'tool': 'block_account', 'risk': ['write'],"
	" 'arguments': {'person': {'is': ['ceo@x']}},"
	" 'rate': {'calls': 1, 'per': '1h'},"
	" 'reversible': true, 'callers': 'team', 'approvers': ['group:leads'],"
	" 'needed': 1, 'four_eyes': false, 'free': false, 'refuse': false,"
	" 'expires_in': '5m', 'good_for': '1m'}]}";

static const char slack_text[] =
	"{'app': 'A0WING', 'teams': ['T0ACME', 'T0B'], 'api': {'token_file': 't',"
	"  'admin_token_file': 'a', 'url': 'https://s.example',"
	"  'scim_url': 'https://s.example', 'team': 'T1', 'ca_file': 'c',"
	"  'timeout_ms': 100},"
	" 'listen': {'address': '::1', 'port': 4800, 'hosts': ['s.example']},"
	" 'socket': {'token_file': 'x', 'connections': 3},"
	" 'signing_secrets': ['keys/slack', 'keys/older'], 'command': '/wing',"
	" 'thread_history': true, 'link_hosts': ['*.s.example'], 'usergroup': 'S0SEC', "
	"'tell_approvers': "
	"'direct',"
	" 'shortcuts': {'block': {'tool': 'accounts.block_account', 'text': 'reason',"
	"  'author': 'person', 'link': 'ticket'}},"
	" 'panels': [{'title': 'Open incidents', 'server': 'incidents', 'uri': "
	"'i://open'}],"
	" 'store': {'redis': {'address': 'r.example', 'port': 6380, 'prefix': 'p',"
	"  'user': 'u', 'password_file': '/p', 'timeout_ms': 100,"
	"  'assume_durable': true,"
	"  'tls': {'ca': '/a', 'certificate': '/c', 'key': '/k'}}},"
	" 'log_level': 'debug', 'allow_missing_landlock': true,"
	" 'allow_missing_seccomp': true}";

struct fixture {
	char folder[TESTING_PATH_BYTES];
	struct statedir *dir;
	struct settings_reader *reader;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct error err = ERROR_INIT;

	assert_non_null(f);
	testing_folder(f->folder);
	f->dir = statedir_new(f->folder, &err);
	assert_true(f->dir && statedir_create(f->dir, &err));
	f->reader = settings_reader_new(f->dir, &err);
	testing_no_error(&err);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	settings_reader_free(f->reader);
	statedir_free(f->dir);
	testing_remove(f->folder);
	free(f);
	return 0;
}

static void put(const struct fixture *f, const char *path, const char *text)
{
	_cleanup_free_ char *whole = statedir_path(f->dir, "%s", path);

	testing_put(whole, text, 0600);
}

/* JSON that is pleasant to write here. */
static json_t *parse(const char *quoted)
{
	_cleanup_free_ char *text = strdup(quoted);
	struct error err = ERROR_INIT;

	for (char *c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	json_t *value = json_parse(text, strlen(text), JSON_SYNTAX, &err);
	testing_no_error(&err);
	return value;
}

/* ---- The readers ---- */

static bool read_server(const struct fixture *f, const char *text, struct error *err)
{
	struct server_config c;

	(void)f;
	/* One that has no schema of its own. */
	if (!server_config_parse(&c, "oncall", "test.yaml", text, strlen(text), err))
		return false;
	server_config_done(&c);
	return true;
}

static bool read_people(const struct fixture *f, const char *text, struct error *err)
{
	struct server_config c;

	(void)f;
	if (!server_config_parse(&c, "people", "test.yaml", text, strlen(text), err))
		return false;
	server_config_done(&c);
	return true;
}

static bool read_accounts(const struct fixture *f, const char *text, struct error *err)
{
	struct server_config c;

	(void)f;
	if (!server_config_parse(&c, "accounts", "test.yaml", text, strlen(text), err))
		return false;
	server_config_done(&c);
	return true;
}

static bool read_playbooks(const struct fixture *f, const char *text, struct error *err)
{
	struct server_config c;

	(void)f;
	if (!server_config_parse(&c, "playbooks", "test.yaml", text, strlen(text), err))
		return false;
	server_config_done(&c);
	return true;
}

static bool read_gate(const struct fixture *f, const char *text, struct error *err)
{
	put(f, "config/gate.yaml", text);
	put(f, "config/other.yaml", "rules: [{name: none, refuse: true}]");
	_cleanup_(settings_freep) struct settings *s = settings_read(f->reader, err);
	return s != NULL;
}

/* With 'before' and 'after' it is a gate's; its lines stay where they are. */
static bool read_within(const struct fixture *f, const char *before, const char *text,
			const char *after, struct error *err)
{
	_cleanup_strbuf_ struct strbuf whole = STRBUF_INIT;

	strbuf_add_format(
		&whole,
		"{\"membership\": %s%s%s, \"persons\": [], \"team\": [],"
		" \"policy\": \"config/other.yaml\","
		" \"slack\": {\"unix\": 1, \"app\": \"A0W\", \"teams\": [\"T0A\"],"
		" \"signing_secrets\": [\"keys/s\"]}}",
		before, text, after);
	return read_gate(f, whole.data, err);
}

static bool read_membership(const struct fixture *f, const char *text, struct error *err)
{
	return read_within(f, "", text, "", err);
}

static bool read_membership_okta(const struct fixture *f, const char *text,
				 struct error *err)
{
	return read_within(f, "{\"okta\": ", text, "}", err);
}

static bool read_membership_slack(const struct fixture *f, const char *text,
				  struct error *err)
{
	return read_within(f, "{\"slack\": ", text, "}", err);
}

static bool read_assistant(const struct fixture *f, const char *text, struct error *err)
{
	struct assistant_settings s;

	(void)f;
	return assistant_config_parse("test.yaml", text, strlen(text), &s, err);
}

static bool read_policy(const struct fixture *f, const char *text, struct error *err)
{
	put(f, "config/gate.yaml",
	    "persons: [{id: alice@x}]\nteam: [alice@x]\npolicy: config/policy.yaml\n");
	put(f, "config/policy.yaml", text);
	_cleanup_(settings_freep) struct settings *s = settings_read(f->reader, err);
	return s != NULL;
}

static bool read_slack(const struct fixture *f, const char *text, struct error *err)
{
	struct front_settings s = { .file = NULL };
	bool ok;

	put(f, "config/slack.yaml", text);
	put(f, "keys/slack", "secret");
	ok = front_settings_read(&s, f->dir, "slack", err);
	front_settings_done(&s);
	return ok;
}

static const struct {
	const char *file, *def; /* NULL: the whole document */
	const char *text;
	bool (*read)(const struct fixture *f, const char *text, struct error *err);
	size_t closed; /* objects in which nothing unknown may stand, at least */
} rows[] = {
	{ "config.schema.json", "server", server_text, read_server, 4 },
	{ "config.schema.json", "accounts", accounts_text, read_accounts, 15 },
	{ "config.schema.json", "people", people_text, read_people, 6 },
	{ "config.schema.json", "playbooks", playbooks_text, read_playbooks, 7 },
	{ "config.schema.json", "gate", gate_text, read_gate, 7 },
	{ "config.schema.json", "membership", membership_text, read_membership, 2 },
	{ "config.schema.json", "membership_okta", membership_okta_text,
	  read_membership_okta, 2 },
	{ "config.schema.json", "membership_slack", membership_slack_text,
	  read_membership_slack, 1 },
	{ "config.schema.json", "assistant", assistant_text, read_assistant, 4 },
	{ "config.schema.json", "slack", slack_text, read_slack, 7 },
	{ "policy.schema.json", NULL, policy_text, read_policy, 2 },
};

static void test_everything_is_taken(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_auto_t *value = parse(rows[i].text);
		_cleanup_free_ char *text = json_dumps(value, 0);
		struct error err = ERROR_INIT;

		if (!rows[i].read(*state, text, &err))
			fail_msg("%s: %s", rows[i].def ? rows[i].def : rows[i].file,
				 err.message);
	}
}

/* ---- A walk along schema and value ---- */

struct walk {
	const struct fixture *fixture;
	size_t row;
	const json_t *document; /* the schema */
	json_t *root;           /* the configuration; changed and put right again */
	size_t closed;
};

/* 1-based, of the first line that has 'part'. */
static int line_of(const char *text, const char *part)
{
	const char *at = strstr(text, part);
	int line = 1;

	assert_non_null(at);
	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

/* 'object', at 'where', with a member that nobody knows. */
static void assert_is_closed(struct walk *w, json_t *object, const char *where)
{
	struct error err = ERROR_INIT;
	char place[32];

	assert_int_equal(json_object_set_new(object, "surprise", json_integer(1)), 0);
	_cleanup_free_ char *text = json_dumps(w->root, JSON_INDENT(1));
	if (rows[w->row].read(w->fixture, text, &err))
		fail_msg("%s takes an unknown member", where);
	(void)snprintf(place, sizeof place, ".yaml:%d: ", line_of(text, "surprise"));
	if (!strstr(err.message, place) || !strstr(err.message, "surprise"))
		fail_msg("%s: '%s' does not name 'surprise' in line%s", where,
			 err.message, place);
	assert_int_equal(json_object_del(object, "surprise"), 0);
	w->closed++;
}

static const json_t *follow(const struct walk *w, const char *ref)
{
	const char *name = strrchr(ref, '/');

	assert_non_null(name);
	const json_t *def =
		json_object_get(json_object_get(w->document, "$defs"), name + 1);
	assert_non_null(def);
	return def;
}

/* Of members that exclude each other only some can be set. */
static bool is_alternative(const json_t *schema, const char *name)
{
	const json_t *branch, *one;
	size_t i, k;

	json_array_foreach(json_object_get(schema, "oneOf"), i, branch)
	{
		json_array_foreach(json_object_get(branch, "required"), k, one)
		{
			if (strcmp(json_string_value(one), name) == 0)
				return true;
		}
	}
	return false;
}

/* Excludes another member that is set; it has a row of its own. */
static bool is_elsewhere(const char *path)
{
	return strcmp(path, "gate/membership") == 0;
}

static void visit(struct walk *w, const json_t *schema, json_t *value, const char *where)
{
	const json_t *properties = json_object_get(schema, "properties");
	const char *ref = json_get_string(schema, "$ref"), *name;
	char path[200];
	json_t *member;

	if (ref)
		visit(w, follow(w, ref), value, where);
	/* What extends another by $ref closes itself, for both. */
	if (json_is_false(json_object_get(schema, "additionalProperties")) ||
	    json_is_false(json_object_get(schema, "unevaluatedProperties")))
		assert_is_closed(w, value, where);
	json_object_foreach((json_t *)(uintptr_t)properties, name, member)
	{
		json_t *inner = json_object_get(value, name);

		(void)snprintf(path, sizeof path, "%s/%s", where, name);
		if (!inner && (is_alternative(schema, name) || is_elsewhere(path)))
			continue;
		if (!inner)
			fail_msg("%s is documented, and not set in this test", path);
		visit(w, member, inner, path);
	}
	if (json_is_array(value) && json_object_get(schema, "items")) {
		(void)snprintf(path, sizeof path, "%s/0", where);
		visit(w, json_object_get(schema, "items"), json_array_get(value, 0),
		      path);
	}
}

static void test_nothing_unknown_is_taken(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct schema_file *file = schemas_find(rows[i].file);
		struct error err = ERROR_INIT;

		assert_non_null(file);
		json_auto_t *document =
			json_parse(file->text, file->length, JSON_SYNTAX, &err);
		testing_no_error(&err);
		json_auto_t *root = parse(rows[i].text);
		struct walk w = {
			.fixture = *state, .row = i, .document = document, .root = root
		};
		const json_t *schema =
			rows[i].def ? json_object_get(json_object_get(document, "$defs"),
						      rows[i].def)
				    : document;
		assert_non_null(schema);
		visit(&w, schema, root, rows[i].def ? rows[i].def : rows[i].file);
		assert_true(w.closed >= rows[i].closed);
	}
}

/* ---- And it arrives (a server's: server_config-test.c) ---- */

static void test_the_gates_arrive(void **state)
{
	const struct fixture *f = *state;
	struct error err = ERROR_INIT;
	json_auto_t *value = parse(gate_text);
	_cleanup_free_ char *text = json_dumps(value, 0);

	assert_true(read_gate(f, text, &err));
	_cleanup_(settings_freep) struct settings *s = settings_read(f->reader, &err);
	assert_non_null(s);
	assert_int_equal(s->server_count, 1);
	assert_string_equal(s->servers[0].name, "accounts");
	assert_string_equal(s->servers[0].url, "http://127.0.0.1:1/mcp");
	assert_string_equal(s->servers[0].instance, "prod");
	assert_string_equal(s->listen_address, "::1");
	assert_int_equal(s->listen_port, 4700);
	assert_string_equal(s->page_url, "https://g.example");
	assert_string_equal(s->tls_ca, "/a");
	assert_string_equal(s->tls_certificate, "/c");
	assert_string_equal(s->tls_key, "k");
	assert_int_equal(s->proposals_at_once, 2);
	assert_int_equal(s->proposals_per_minute, 3);
	assert_int_equal(s->open_per_person, 4);
	assert_int_equal(s->open, 5);
	assert_int_equal(s->denials, 6);
	assert_true(s->store.is_redis && s->store.redis.assume_durable);
	assert_string_equal(s->store.redis.socket, "/s");
	assert_string_equal(s->store.prefix, "p");
	assert_int_equal(s->log_level, LOG_DEBUG);
	assert_true(s->no_yes_by_console);
	assert_int_equal(s->context.count, 1);
	assert_int_equal(s->context.per_turn, 3);
	assert_string_equal(s->context.templates[0].uri, "account://{p}");
	assert_string_equal(s->context.templates[0].description, "d");
	assert_string_equal(s->emergency_probe, "http://127.0.0.1:1/readyz");
	assert_true(s->allow_missing_landlock && s->allow_missing_seccomp);
	assert_true(policy_in_team(s->policy, "alice@x"));
	assert_string_equal(policy_person_of_slack(s->policy, "U0ALICE"), "alice@x");
	assert_true(s->slack.is_on && s->slack.socket_mode && s->slack.approvers_only);
	assert_true(s->slack.allow_shared_uid && s->slack.any_look);
	assert_int_equal(s->slack.uid, 1000);
	assert_string_equal(s->slack.app, "A0WING");
	assert_int_equal(s->slack.team_count, 2);
	assert_string_equal(s->slack.teams[1], "T0B");
	assert_int_equal(s->slack.secret_count, 2);
	assert_string_equal(s->slack.secrets[0], "keys/slack");
	assert_true(slack_settings_has_channel(&s->slack, "C0OPS"));
	assert_false(slack_settings_has_channel(&s->slack, "C0OTHER"));
	assert_string_equal(s->slack.approvals_channel, "C0OPS");
	assert_int_equal(s->membership.kind, MEMBERSHIP_SLACK);
	assert_string_equal(s->slack.usergroup, "S0SEC");
	assert_string_equal(s->slack.membership_token, "tokens/slack-gate");
	assert_string_equal(s->slack.membership_url, "https://slack.example/api");
	assert_string_equal(s->slack.membership_ca, "/ca");
}

static struct settings *membership(const struct fixture *f, const char *quoted,
				   bool (*read)(const struct fixture *f, const char *text,
						struct error *err))
{
	struct error err = ERROR_INIT;
	json_auto_t *value = parse(quoted);
	_cleanup_free_ char *text = json_dumps(value, 0);

	if (!read(f, text, &err))
		fail_msg("%s", err.message);
	struct settings *s = settings_read(f->reader, &err);
	testing_no_error(&err);
	return s;
}

static void test_memberships_arrive(void **state)
{
	_cleanup_(settings_freep) struct settings *ldap =
		membership(*state, membership_text, read_membership);
	_cleanup_(settings_freep) struct settings *okta =
		membership(*state, membership_okta_text, read_membership_okta);
	_cleanup_(settings_freep) struct settings *slack =
		membership(*state, membership_slack_text, read_membership_slack);

	assert_int_equal(ldap->membership.kind, MEMBERSHIP_LDAP);
	assert_int_equal(ldap->membership.every_ms, 5000);
	assert_string_equal(json_get_string(ldap->membership.config, "group"), "cn=team");
	assert_int_equal(okta->membership.kind, MEMBERSHIP_OKTA);
	assert_int_equal(okta->membership.every_ms, MEMBERSHIP_EVERY_MS);
	assert_string_equal(json_get_string(okta->membership.config, "group"), "00gteam");
	assert_int_equal(slack->membership.kind, MEMBERSHIP_SLACK);
	assert_string_equal(slack->slack.usergroup, "S0SEC");
	assert_string_equal(slack->slack.membership_token, "tokens/slack-gate");
	assert_true(membership_has_door(&ldap->membership) &&
		    membership_has_door(&okta->membership));
	assert_false(membership_has_door(&slack->membership));
}

static void test_slacks_arrive(void **state)
{
	const struct fixture *f = *state;
	struct error err = ERROR_INIT;
	json_auto_t *value = parse(slack_text);
	_cleanup_free_ char *text = json_dumps(value, 0);
	_cleanup_(front_settings_done) struct front_settings s = { .file = NULL };

	assert_true(read_slack(f, text, &err));
	assert_true(front_settings_read(&s, f->dir, "slack", &err));
	assert_string_equal(s.app, "A0WING");
	assert_int_equal(s.team_count, 2);
	assert_string_equal(s.teams[1], "T0B");
	assert_string_equal(json_get_string(s.api, "token_file"), "t");
	assert_true(s.listens);
	assert_string_equal(s.address, "::1");
	assert_int_equal(s.port, 4800);
	assert_string_equal(s.hosts[0], "s.example");
	assert_null(s.hosts[1]);
	assert_string_equal(s.app_token_file, "x");
	assert_int_equal(s.connections, 3);
	/* The one whose file is not there may come or go. */
	assert_int_equal(s.secret_count, 1);
	assert_string_equal(s.command, "/wing");
	assert_int_equal(json_array_size(s.link_hosts), 1);
	assert_true(s.thread_history);
	assert_string_equal(s.usergroup, "S0SEC");
	assert_int_equal(s.telling, FRONT_TELL_DIRECT);
	assert_string_equal(
		json_get_string(json_object_get(s.shortcuts, "block"), "tool"),
		"accounts.block_account");
	assert_string_equal(json_get_string(json_array_get(s.panels, 0), "uri"),
			    "i://open");
	assert_true(s.store.is_redis);
	assert_int_equal(s.log_level, LOG_DEBUG);
	assert_true(s.allow_missing_landlock && s.allow_missing_seccomp);
}

static void test_slack_to_which_nothing_comes(void **state)
{
	const struct fixture *f = *state;
	struct error err = ERROR_INIT;
	_cleanup_(front_settings_done) struct front_settings s = { .file = NULL };

	put(f, "config/slack.yaml", "{app: A0W, teams: [T0A], api: {token_file: t}}");
	assert_false(front_settings_read(&s, f->dir, "slack", &err));
	assert_non_null(strstr(err.message, "'socket'"));
	error_clear(&err);
	front_settings_done(&s);
	put(f, "config/slack.yaml",
	    "{app: A0W, teams: [T0A], api: {token_file: t}, socket: {token_file: x}}");
	assert_true(front_settings_read(&s, f->dir, "slack", &err));
	assert_false(s.listens);
	assert_int_equal(s.connections, 0);
}

static void test_slack_without_its_secret(void **state)
{
	const struct fixture *f = *state;
	struct error err = ERROR_INIT;
	_cleanup_(front_settings_done) struct front_settings s = { .file = NULL };

	put(f, "config/slack.yaml",
	    "{app: A0W, teams: [T0A], api: {token_file: t}, listen: {},"
	    " signing_secrets: [keys/none]}");
	assert_false(front_settings_read(&s, f->dir, "slack", &err));
	assert_non_null(strstr(err.message, "signing secret"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_is_taken),
		cmocka_unit_test(test_nothing_unknown_is_taken),
		cmocka_unit_test(test_the_gates_arrive),
		cmocka_unit_test(test_memberships_arrive),
		cmocka_unit_test(test_slacks_arrive),
		cmocka_unit_test(test_slack_to_which_nothing_comes),
		cmocka_unit_test(test_slack_without_its_secret),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
