/*
 * call_bench -- tools/call of a trivial freed read on our server (token, every check of
 * the protocol, arguments and result held against their schemas), without and with a
 * durable line in the audit log for each call, against what libmicrohttpd and jansson
 * alone can do (ceiling.h).
 *
 * Each server is a process on one core; the load generator, 64 keep-alive connections
 * that compare every reply, sits on another.
 */
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "bench/ceiling.h"
#include "bench/load.h"
#include "bench/measure.h"
#include "guard/token.h"
#include "mcp/service.h"

enum { CONNECTIONS = 64, WARM_MS = 300, ROUND_MS = 2000 };

/* ---- Our server ---- */

static bool echo_text(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	const char *text = mcp_call_string(call, "text", "");

	(void)err;
	mcp_result_text(r, "%s", text);
	mcp_result_structured(r, json_pack("{s:s}", "text", text));
	return true;
}

static const struct mcp_tool tools[] = {
	{ .name = "echo_text", .run = echo_text, .quick = true },
};
static const struct mcp_server server = {
	.name = "bench",
	.tools = tools,
	.tool_count = ARRAY_SIZE(tools),
};

/* A state folder of its own for each variant, with the same tokens in it. */
static struct statedir *make_site(const char *folder, const char *variant,
				  bool is_audited)
{
	_cleanup_free_ char *root = measure_path(folder, variant);
	struct error err = ERROR_INIT;
	char yaml[160];

	struct statedir *dir = statedir_new(root, &err);
	if (!dir || !statedir_create(dir, &err))
		measure_fail_error("state folder", &err);
	(void)snprintf(
		yaml, sizeof yaml,
		"freed_reads: [echo_text]\naudit_freed_reads: %s\nlog_level: error\n"
		"limits: {calls_per_caller: 256}\n",
		is_audited ? "true" : "false");
	_cleanup_free_ char *path = statedir_path(dir, "config/bench.yaml");
	if (!path || !file_write(path, yaml, strlen(yaml), 0600, &err))
		measure_fail_error("configuration", &err);
	return dir;
}

static struct secret *make_token(const struct statedir *dir)
{
	_cleanup_free_ char *index = statedir_path(dir, "callers/index.json");
	const char *scopes[] = { "bench:read" };
	struct error err = ERROR_INIT;
	struct secret *token = NULL;
	char id[65];

	if (!token_create(index, "bench@example.org", scopes, 1, 0, clock_wall_ms(),
			  &token, id, &err))
		measure_fail_error("token", &err);
	return token;
}

/* ---- Servers as processes ---- */

static void stay_on(int core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)core, &set);
	(void)sched_setaffinity(0, sizeof set, &set);
}

static _Noreturn void serve_ceiling(int out)
{
	struct error err = ERROR_INIT;
	uint16_t port = 0;
	struct MHD_Daemon *daemon = ceiling_start(&port, &err);

	if (daemon && write(out, &port, sizeof port) == sizeof port)
		ceiling_serve(daemon);
	_exit(1);
}

static _Noreturn void serve_ours(const struct statedir *dir, int out)
{
	struct error err = ERROR_INIT;

	log_setup("bench", LOG_ERROR);
	struct mcp_service *s = mcp_service_prepare(&server, dir, &err);
	if (!s || !mcp_service_start(s, &err))
		measure_fail_error("server", &err);
	uint16_t port = mcp_service_port(s);
	if (write(out, &port, sizeof port) == sizeof port)
		for (;;)
			(void)pause();
	_exit(1);
}

/* 'dir' NULL: the ceiling. */
static pid_t start(const struct statedir *dir, uint16_t *ret_port)
{
	int ends[2];
	pid_t pid = pipe(ends) == 0 ? fork() : -1;

	if (pid < 0)
		measure_fail("cannot start a server");
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		stay_on(0);
		if (dir)
			serve_ours(dir, ends[1]);
		serve_ceiling(ends[1]);
	}
	(void)close(ends[1]);
	if (read(ends[0], ret_port, sizeof *ret_port) != sizeof *ret_port)
		measure_fail("a server did not start");
	(void)close(ends[0]);
	return pid;
}

/* ---- Measuring ---- */

static char *make_request(const struct secret *token)
{
	static const char body[] =
		"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{"
		"\"name\":\"echo_text\",\"arguments\":{\"text\":\"hello "
		"there\"},\"_meta\":{"
		"\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
		"\"io.modelcontextprotocol/"
		"clientInfo\":{\"name\":\"bench\",\"version\":\"1\"},"
		"\"io.modelcontextprotocol/clientCapabilities\":{}}}}";
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	strbuf_add_format(&sb,
			  "POST /mcp HTTP/1.1\r\nHost: localhost\r\n"
			  "Authorization: Bearer %s\r\n"
			  "Content-Type: application/json\r\n"
			  "Accept: application/json, text/event-stream\r\n"
			  "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\n"
			  "Mcp-Name: echo_text\r\nContent-Length: %zu\r\n\r\n%s",
			  (const char *)secret_bytes(token), sizeof body - 1, body);
	return strbuf_take(&sb);
}

static void measure(const char *variant, const struct statedir *dir, const char *request)
{
	struct load load = {
		.connections = CONNECTIONS,
		.request = request,
		.expect = "\"structuredContent\":{\"text\":\"hello there\"}",
		.duration_ms = WARM_MS,
	};
	struct error err = ERROR_INIT;
	uint64_t count = 0;
	double seconds = 0;
	pid_t pid = start(dir, &load.port);
	bool good = load_run(&load, &count, &seconds, &err);

	load.duration_ms = ROUND_MS;
	good = good && load_run(&load, &count, &seconds, &err);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	if (!good)
		measure_fail_error(variant, &err);
	measure_print(&(struct measure){ variant, count, (int64_t)(seconds * 1e9) });
}

int main(int argc, char **argv)
{
	if (argc != 2)
		measure_fail("usage: bench-call FOLDER");
	_cleanup_(statedir_freep) struct statedir *plain =
		make_site(argv[1], "call", false);
	_cleanup_(statedir_freep) struct statedir *audited =
		make_site(argv[1], "audited", true);
	_cleanup_(secret_freep) struct secret *token = make_token(plain);
	_cleanup_free_ char *from = statedir_path(plain, "callers/index.json");
	_cleanup_free_ char *to = statedir_path(audited, "callers/index.json");
	_cleanup_strbuf_ struct strbuf index = STRBUF_INIT;
	_cleanup_free_ char *request = make_request(token);
	struct error err = ERROR_INIT;

	if (!file_read(from, 65536, &index, &err) ||
	    !file_write(to, index.data, index.length, 0600, &err))
		measure_fail_error("tokens", &err);
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
		stay_on(1);
	measure("ceiling", NULL, request);
	measure("call", plain, request);
	measure("audited", audited, request);
	return EXIT_SUCCESS;
}
