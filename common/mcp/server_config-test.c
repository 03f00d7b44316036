#include "mcp/server_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guard/jwt.h"
#include "schemas/schemas.h"

static bool parse(struct server_config *c, const char *yaml, struct error *err)
{
	return server_config_parse(c, "fixture", "f.yaml", yaml, strlen(yaml), err);
}

static void defaults(void **state)
{
	struct server_config c;
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(server_config_read(&c, "fixture", "/nonexistent/fixture.yaml", &err));
	assert_string_equal(c.address, "127.0.0.1");
	assert_int_equal(c.port, 0);
	assert_string_equal(c.instance, "fixture");
	assert_null(c.gate_url);
	assert_null(c.freed_reads);
	assert_true(server_config_frees_for(&c, "anybody"));
	assert_null(c.oauth.resource);
	assert_true(c.audit_freed_reads);
	assert_int_equal(c.deadline_ms, 30000);
	assert_int_equal(c.calls_per_caller, 16);
	assert_int_equal(c.workers, 32);
	assert_false(c.allow_missing_landlock);
	assert_true(server_config_allows(&c, "anybody@example.org", "write"));
	server_config_done(&c);
}

static void everything_that_can_be_said(void **state)
{
	static const char yaml[] =
		"listen: {address: '::1', port: 65535, hosts: [a.example], origins: "
		"['https://a.example'], tls: {certificate: c.pem, key: c.key, client_ca: "
		"/ca}}\n"
		"instance: fixture-2\n"
		"gate: {url: 'http://127.0.0.1:1', token_file: /x}\n"
		"freed_reads: [a_b]\naudit_freed_reads: false\nrefuse_emergency: [c_d, "
		"e]\n"
		"freed_resources: ['x:{y}']\nfreed_prompts: [p, q]\n"
		"freed_resources_for: [service/a]\n"
		"rights: {alice: [read, write], bob: [], '*': [read]}\n"
		"limits: {calls_per_caller: 1, plans_per_minute: 2, deadline_s: 3, "
		"workers: 4, queue: 5, body_bytes: 1024, page_size: 7, "
		"streams_per_caller: 8}\n"
		"oauth: {resource: 'https://a.example/mcp', ca_file: /i, issuers: "
		"[{issuer: "
		"'https://b.example/t', jwks_uri: 'https://c.example/k?x=1', audience: "
		"'api://x', principal_claim: email, client_claim: cid, algorithms: "
		"[ES256]}, {issuer: 'http://127.0.0.2:80'}], scopes: {read: [r, s], "
		"write: [w]}, tool_scopes: {a_b: [x], c_d: [x, y]}, keys: {max_age_s: 1, "
		"max_stale_s: 2, refetch_s: 3}}\n"
		"store: {redis: {address: r.example, port: 6380, prefix: p, user: u, "
		"password_file: pw, tls: {ca: a, certificate: c, key: k}, "
		"timeout_ms: 50, assume_durable: true}}\n"
		"log_level: debug\nallow_missing_landlock: true\nallow_missing_seccomp: "
		"true\n"
		"backend: {anything: [1]}\n";
	struct server_config c;
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(parse(&c, yaml, &err));
	assert_string_equal(c.address, "::1");
	assert_int_equal(c.port, 65535);
	assert_string_equal(c.hosts[0], "a.example");
	assert_null(c.hosts[1]);
	assert_string_equal(c.origins[0], "https://a.example");
	assert_string_equal(c.tls_certificate, "c.pem");
	assert_string_equal(c.tls_key, "c.key");
	assert_string_equal(c.tls_client_ca, "/ca");
	assert_string_equal(c.instance, "fixture-2");
	assert_string_equal(c.gate_url, "http://127.0.0.1:1");
	assert_string_equal(c.gate_token_file, "/x");
	assert_int_equal(json_array_size(c.freed_reads), 1);
	assert_int_equal(json_array_size(c.refuse_emergency), 2);
	assert_int_equal(json_array_size(c.freed_resources), 1);
	assert_int_equal(json_array_size(c.freed_prompts), 2);
	assert_true(server_config_frees_for(&c, "service/a"));
	assert_false(server_config_frees_for(&c, "service/ab"));
	assert_false(c.audit_freed_reads);
	assert_int_equal(c.calls_per_caller, 1);
	assert_int_equal(c.plans_per_minute, 2);
	assert_int_equal(c.deadline_ms, 3000);
	assert_int_equal(c.workers, 4);
	assert_int_equal(c.queue, 5);
	assert_int_equal(c.body_bytes, 1024);
	assert_int_equal(c.page_size, 7);
	assert_int_equal(c.streams_per_caller, 8);
	assert_true(c.store.is_redis);
	assert_null(c.store.redis.socket);
	assert_string_equal(c.store.redis.host, "r.example");
	assert_int_equal(c.store.redis.port, 6380);
	assert_string_equal(c.store.prefix, "p");
	assert_string_equal(c.store.redis.user, "u");
	assert_string_equal(c.store.redis.password_file, "pw");
	assert_true(c.store.redis.tls && c.store.redis.assume_durable);
	assert_string_equal(c.store.redis.tls_ca, "a");
	assert_string_equal(c.store.redis.tls_certificate, "c");
	assert_string_equal(c.store.redis.tls_key, "k");
	assert_int_equal(c.store.redis.timeout_ms, 50);
	assert_int_equal(c.log_level, LOG_DEBUG);
	assert_true(c.allow_missing_landlock && c.allow_missing_seccomp);
	assert_non_null(json_object_get(c.backend, "anything"));
	assert_string_equal(c.oauth.resource, "https://a.example/mcp");
	assert_string_equal(c.oauth.ca_file, "/i");
	assert_int_equal(c.oauth.issuer_count, 2);
	assert_string_equal(c.oauth.issuers[0].issuer, "https://b.example/t");
	assert_string_equal(c.oauth.issuers[0].jwks_uri, "https://c.example/k?x=1");
	assert_string_equal(c.oauth.issuers[0].audience, "api://x");
	assert_string_equal(c.oauth.issuers[0].principal_claim, "email");
	assert_string_equal(c.oauth.issuers[0].client_claim, "cid");
	assert_int_equal(c.oauth.issuers[0].algs, JWT_ES256);
	assert_null(c.oauth.issuers[1].jwks_uri);
	assert_null(c.oauth.issuers[1].audience);
	assert_null(c.oauth.issuers[1].client_claim);
	assert_string_equal(c.oauth.issuers[1].principal_claim, "sub");
	assert_int_equal(c.oauth.issuers[1].algs, JWT_ALGS_ALL);
	assert_int_equal(c.oauth.read_count, 2);
	assert_string_equal(c.oauth.write[0], "w");
	assert_int_equal(c.oauth.extra_count, 2);
	assert_int_equal(c.oauth.max_age_ms, 1000);
	assert_int_equal(c.oauth.max_stale_ms, 2000);
	assert_int_equal(c.oauth.refetch_ms, 3000);
	/* Rights: one's own entry, else that of everybody. */
	assert_true(server_config_allows(&c, "alice", "write"));
	assert_false(server_config_allows(&c, "bob", "read"));
	assert_true(server_config_allows(&c, "carol", "read"));
	assert_false(server_config_allows(&c, "carol", "write"));
	server_config_done(&c);
}

static void faults_name_file_line_and_reason(void **state)
{
	static const struct {
		const char *yaml, *says;
	} rows[] = {
		{ "a: 1\n", "f.yaml:1: a" },
		{ "instance: x\nlisten:\n  port: 65536\n", "f.yaml:3: listen/port" },
		{ "listen: {port: -1}\n", "listen/port" },
		{ "store: {redis: {port: 1}}\n", "store/redis" },
		{ "store: {redis: {address: /s, port: 1}}\n", "store/redis" },
		{ "store: {redis: {address: /s, tls: {}}}\n", "store/redis" },
		{ "store: {redis: {address: s/t}}\n", "store/redis/address" },
		{ "store: {redis: {address: h, timeout_ms: 49}}\n", "timeout_ms" },
		{ "store: {redis: {address: h, tls: {key: k}}}\n", "store/redis/tls" },
		{ "listen: {address: localhost}\n", "listen/address" },
		{ "listen: {addres: 1.2.3.4}\n", "addres" },
		{ "gate: {}\n", "gate" },
		{ "gate: {url: 'ftp://x'}\n", "gate/url" },
		{ "rights: {a: [fly]}\n", "rights/a" },
		{ "freed_reads: [A]\n", "freed_reads/0" },
		{ "refuse_emergency: [A]\n", "refuse_emergency/0" },
		{ "freed_reads: [a, a]\n", "freed_reads" },
		{ "limits: {workers: 1}\n", "limits/workers" },
		{ "limits: {workers: 1.5}\n", "limits/workers" },
		{ "oauth: {}\n", "oauth" },
		{ "oauth:\n  resource: https://a.example/\n  issuers: [{issuer: "
		  "'https://b.example'}]\n",
		  "f.yaml:2: oauth/resource: it may not end with a slash" },
		{ "oauth:\n  resource: https://a.example\n  issuers:\n    - issuer: "
		  "https://b.example\n    - issuer: http://b.example\n",
		  "f.yaml:5: oauth/issuers/1: http:// is for loopback" },
		{ "log_level: loud\n", "log_level" },
		{ "allow_missing_landlock: 1\n", "allow_missing_landlock" },
		{ "instance: 'a b'\n", "instance" },
		{ "- a\n", "f.yaml:1" },
		{ "a: [\n", "f.yaml:" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct server_config c;
		struct error err = ERROR_INIT;

		assert_false(parse(&c, rows[i].yaml, &err));
		if (!strstr(err.message, rows[i].says))
			print_message("# %s: %s\n", rows[i].yaml, err.message);
		assert_non_null(strstr(err.message, rows[i].says));
	}
}

static void the_environment_overrides_port_and_level_alone(void **state)
{
	struct server_config c;
	struct error err = ERROR_INIT;

	(void)state;
	(void)setenv("WINGMAN_FIXTURE_PORT", "4711", 1);
	(void)setenv("WINGMAN_LOG_LEVEL", "error", 1);
	(void)setenv("WINGMAN_FIXTURE_INSTANCE", "other", 1);
	assert_true(parse(&c, "listen: {port: 1}\n", &err));
	assert_int_equal(c.port, 4711);
	assert_int_equal(c.log_level, LOG_ERROR);
	assert_string_equal(c.instance, "fixture");
	server_config_done(&c);
	static const char *const bad[] = { "", "x", "65536", "-1", " 1", "1x" };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		(void)setenv("WINGMAN_FIXTURE_PORT", bad[i], 1);
		error_clear(&err);
		assert_false(parse(&c, "{}", &err));
	}
	(void)unsetenv("WINGMAN_FIXTURE_PORT");
	(void)setenv("WINGMAN_LOG_LEVEL", "loud", 1);
	error_clear(&err);
	assert_false(parse(&c, "{}", &err));
	(void)unsetenv("WINGMAN_LOG_LEVEL");
}

/* The tables only decode: whatever the schema has, they have. A member that a table
 * lacks would be refused as unknown by 'everything_that_can_be_said', so it must be
 * complete itself. */
static void the_test_above_says_everything(void **state)
{
	const struct schema_file *file = schemas_find("config.schema.json");
	struct error err = ERROR_INIT;
	json_auto_t *schema = json_parse(file->text, file->length, JSON_SYNTAX, &err);
	static const struct {
		const char *def;
		size_t members;
	} rows[] = { { "server_common", 17 }, { "listen", 5 },
		     { "server_limits", 8 },  { "server_redis", 8 },
		     { "server_oauth", 6 },   { "oauth_issuer", 6 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const json_t *def =
			json_object_get(json_object_get(schema, "$defs"), rows[i].def);

		assert_int_equal(json_object_size(json_object_get(def, "properties")),
				 rows[i].members);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(everything_that_can_be_said),
		cmocka_unit_test(faults_name_file_line_and_reason),
		cmocka_unit_test(the_environment_overrides_port_and_level_alone),
		cmocka_unit_test(the_test_above_says_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
