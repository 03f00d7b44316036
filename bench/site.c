#include "bench/site.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "bench/measure.h"
#include "guard/grant.h"
#include "guard/token.h"
#include "mcp/definition.h"
#include "mcp/service.h"

static const char ARGUMENTS[] = "{\"text\":\"hello there\"}";
static const char PERSON[] = "bench@example.org";

/* ---- The server ---- */

static bool echo_text(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	const char *text = mcp_call_string(call, "text", "");

	(void)err;
	mcp_result_text(r, "%s", text);
	mcp_result_structured(r, json_pack("{s:s}", "text", text));
	return true;
}

static bool tell_all(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	(void)err;
	mcp_service_changed(mcp_call_service(call), MCP_CHANGED_TOOLS, NULL);
	mcp_result_text(r, "told");
	return true;
}

#define ECHO(n)                                                                          \
	{                                                                                \
		.name = (n), .run = echo_text, .quick = true                             \
	}
static const struct mcp_tool tools[] = {
	ECHO("echo_text"), ECHO("echo_any"),
	ECHO("tool_01"),   ECHO("tool_02"),
	ECHO("tool_03"),   ECHO("tool_04"),
	ECHO("tool_05"),   ECHO("tool_06"),
	ECHO("tool_07"),   ECHO("tool_08"),
	ECHO("tool_09"),   ECHO("tool_10"),
	ECHO("tool_11"),   ECHO("tool_12"),
	ECHO("tool_13"),   ECHO("tool_14"),
	ECHO("tool_15"),   ECHO("tool_16"),
	ECHO("tool_17"),   ECHO("tool_18"),
	ECHO("tool_19"),   { .name = "tell_all", .run = tell_all },
};
static const struct mcp_server server = {
	.name = "bench",
	.tools = tools,
	.tool_count = ARRAY_SIZE(tools),
	.changes = MCP_TOOLS_MAY_CHANGE,
};

const struct mcp_server *site_server(void)
{
	return &server;
}

_Noreturn void site_serve(const struct site *s, enum site_kind kind, int out)
{
	struct error err = ERROR_INIT;

	log_setup("bench", LOG_ERROR);
	struct mcp_service *service = mcp_service_prepare(&server, s->dir, &err);
	if (!service ||
	    (kind == SITE_OPEN && !mcp_service_admit(service, PERSON, &err)) ||
	    !mcp_service_start(service, &err))
		measure_fail_error("server", &err);
	uint16_t port = mcp_service_port(service);
	if (write(out, &port, sizeof port) == sizeof port)
		for (;;)
			(void)pause();
	_exit(1);
}

/* ---- Its folder ---- */

static void write_config(const struct statedir *dir, enum site_kind kind)
{
	_cleanup_free_ char *path = statedir_path(dir, "config/bench.yaml");
	struct error err = ERROR_INIT;
	char yaml[320];

	(void)snprintf(yaml, sizeof yaml,
		       "freed_reads: [%s]\naudit_freed_reads: %s\nlog_level: error\n"
		       "limits: {calls_per_caller: 256, streams_per_caller: 20000}\n",
		       kind == SITE_GRANTED ? "" : "echo_text, echo_any, tell_all",
		       kind == SITE_AUDITED ? "true" : "false");
	if (!path || !file_write(path, yaml, strlen(yaml), 0600, &err))
		measure_fail_error("configuration", &err);
}

void site_make(struct site *s, const char *folder, const char *name, enum site_kind kind)
{
	_cleanup_free_ char *root = measure_path(folder, name);
	const char *scopes[] = { kind == SITE_GRANTED ? SCOPE_GATE : "bench:read" };
	struct error err = ERROR_INIT;
	char id[65];

	*s = (struct site){ .dir = statedir_new(root, &err) };
	if (!s->dir || !statedir_create(s->dir, &err))
		measure_fail_error("state folder", &err);
	write_config(s->dir, kind);
	_cleanup_free_ char *index = statedir_path(s->dir, "callers/index.json");
	_cleanup_free_ char *private = statedir_path(s->dir, "keys/gate.key");
	if (!index || !private ||
	    !token_create(index, PERSON, scopes, 1, 0, clock_wall_ms(), &s->token, id,
			  &err))
		measure_fail_error("token", &err);
	s->key = sign_key_create(private, &err);
	_cleanup_free_ char *public = s->key ? statedir_path(s->dir,
							     "keys/trusted/%s.pem",
							     sign_key_kid(s->key))
					     : NULL;
	if (!public || !sign_key_write_public(s->key, public, &err))
		measure_fail_error("key", &err);
}

void site_done(struct site *s)
{
	statedir_free(s->dir);
	secret_free(s->token);
	sign_key_free(s->key);
}

/* ---- Requests ---- */

char *site_request(const struct secret *token, const char *tool, const char *meta)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT, body = STRBUF_INIT;

	strbuf_add_format(
		&body,
		"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{"
		"\"name\":\"%s\",\"arguments\":%s,\"_meta\":{"
		"\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
		"\"io.modelcontextprotocol/clientInfo\":{\"name\":\"bench\","
		"\"version\":\"1\"},"
		"\"io.modelcontextprotocol/clientCapabilities\":{}%s}}}",
		tool, ARGUMENTS, meta);
	strbuf_add_string(&sb, "POST /mcp HTTP/1.1\r\nHost: localhost\r\n");
	if (token)
		strbuf_add_format(&sb, "Authorization: Bearer %s\r\n",
				  (const char *)secret_bytes(token));
	strbuf_add_format(&sb,
			  "Content-Type: application/json\r\n"
			  "Accept: application/json, text/event-stream\r\n"
			  "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\n"
			  "Mcp-Name: %s\r\nContent-Length: %zu\r\n\r\n%s",
			  tool, body.length, body.data);
	if (!strbuf_ok(&body) || !strbuf_ok(&sb))
		measure_fail("out of memory");
	return strbuf_take(&sb);
}

static char *granted_request(const struct site *s, const char *pin)
{
	struct grant g = { .seq = -1, .approver_count = 1 };
	_cleanup_strbuf_ struct strbuf meta = STRBUF_INIT;
	struct error err = ERROR_INIT;

	digest_random_id(g.id);
	(void)snprintf(g.aud, sizeof g.aud, "bench");
	(void)snprintf(g.server, sizeof g.server, "bench");
	(void)snprintf(g.tool, sizeof g.tool, "echo_text");
	(void)snprintf(g.pin, sizeof g.pin, "%s", pin);
	(void)snprintf(g.requester, sizeof g.requester, "%s", PERSON);
	(void)snprintf(g.approvers[0], sizeof g.approvers[0], "%s", PERSON);
	digest_sha256_hex(ARGUMENTS, strlen(ARGUMENTS), g.args);
	digest_sha256_hex("prompt", 6, g.shown);
	/* Later than the second in which the server's store began. */
	g.iat = clock_wall_ms() / 1000 + 1;
	g.exp = g.iat + GRANT_TTL_S;
	strbuf_add_string(&meta, ",\"" META_GRANT "\":\"");
	if (!grant_sign(&meta, &g, s->key, &err))
		measure_fail_error("grant", &err);
	strbuf_add_char(&meta, '"');
	return site_request(s->token, "echo_text", meta.data);
}

char **site_granted(const struct site *s, size_t count)
{
	char **requests = calloc(count + 1, sizeof *requests);
	struct error err = ERROR_INIT;
	struct tool_definition *d = tool_definition_load("bench", "echo_text", &err);

	if (!d || !requests)
		measure_fail_error("tool", &err);
	for (size_t i = 0; i < count; i++)
		requests[i] = granted_request(s, d->pin);
	tool_definition_free(d);
	return requests;
}

void site_granted_free(char **requests)
{
	for (size_t i = 0; requests && requests[i]; i++)
		free(requests[i]);
	free(requests);
}
