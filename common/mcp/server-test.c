/* The server as a program: command line, start, sandbox, tokens that come and go. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "fixture/fixture.h"
#include "fixture/rig.h"
#include "guard/token.h"
#include "mcp/service.h"
#include "mcp/tool_table.h"

static int set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof *rig);

	rig_open(rig);
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	rig_close(*state);
	free(*state);
	return 0;
}

/* Run the program with one argument; its exit status, and what it printed. */
static int run(const struct rig *rig, const char *argument, struct strbuf *ret)
{
	char program[512], dir[128];
	struct error err = ERROR_INIT;
	int ends[2], status;

	(void)snprintf(program, sizeof program, "%s/tests/fixture-server",
		       getenv("WINGMAN_BUILD"));
	(void)snprintf(dir, sizeof dir, "--dir=%s", rig->root);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)dup2(ends[1], 1);
		(void)dup2(ends[1], 2);
		(void)execl(program, "fixture-server", dir, argument, (char *)NULL);
		_exit(127);
	}
	(void)close(ends[1]);
	assert_true(file_read_fd(ends[0], 65536, ret, &err));
	(void)close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void the_command_line(void **state)
{
	const struct rig *rig = *state;
	static const struct {
		const char *argument, *says;
		int status;
	} rows[] = {
		{ "--help", "--check-config", 0 },
		{ "--version", "wingman-fixture ", 0 },
		{ "--check-config", "fixture.yaml: good", 0 },
		{ "--colour", "--colour", 2 },
		{ "extra", "extra", 2 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_strbuf_ struct strbuf said = STRBUF_INIT;

		assert_int_equal(run(rig, rows[i].argument, &said), rows[i].status);
		assert_non_null(strstr(said.data, rows[i].says));
	}
}

static void a_bad_configuration_is_told_with_its_line(void **state)
{
	struct rig *rig = *state;
	static const struct {
		const char *yaml, *says;
	} rows[] = {
		{ "log_level: info\nlisten: {port: 65536}\n",
		  "fixture.yaml:2: listen/port must be" },
		{ "\n\ncolour: red\n", "fixture.yaml:3: colour" },
		{ "freed_reads:\n  - put_value\n", "freed_reads names 'put_value'" },
		{ "freed_reads: [fly_away]\n", "freed_reads names 'fly_away'" },
		{ "gate: {url: 'http://127.0.0.1:1'}\n", "tokens/fixture.token" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_strbuf_ struct strbuf said = STRBUF_INIT;

		rig_config(rig, rows[i].yaml);
		assert_int_equal(run(rig, NULL, &said), 78);
		if (!strstr(said.data, rows[i].says))
			print_message("# %s\n", said.data);
		assert_non_null(strstr(said.data, rows[i].says));
	}
}

static void a_key_that_others_can_read_is_refused(void **state)
{
	struct rig *rig = *state;
	_cleanup_strbuf_ struct strbuf said = STRBUF_INIT;
	_cleanup_free_ char *folder = statedir_path(rig->dir, "fixture");
	_cleanup_free_ char *key = statedir_path(rig->dir, "fixture/state.key");
	struct error err = ERROR_INIT;

	assert_true(file_make_dir(folder, 0700, &err));
	assert_true(file_write(key, "01234567890123456789012345678901", 32, 0644, &err));
	assert_int_equal(run(rig, NULL, &said), 78);
	assert_non_null(strstr(said.data, "state.key"));
}

/* In the sandbox, whose rules name files that are replaced while it runs. */
static void tokens_come_and_go_while_it_runs(void **state)
{
	struct rig *rig = *state;
	_cleanup_free_ char *index = statedir_path(rig->dir, "callers/index.json");
	const char *scopes[] = { "fixture:read" };
	struct secret *token = NULL;
	struct error err = ERROR_INIT;
	char id[65];

	rig_config(rig, "freed_reads: [echo_text]\n");
	assert_true(rig_spawn(rig));
	assert_true(token_create(index, "dave@example.org", scopes, 1, 0, clock_wall_ms(),
				 &token, id, &err));
	(void)usleep(1100 * 1000);
	_cleanup_answer_ struct answer known =
		rig_call(rig, token, "echo_text", "{\"text\":\"x\"}", NULL, NULL);
	assert_int_equal(known.status, 200);
	assert_true(token_revoke(index, id, clock_wall_ms(), &err));
	(void)usleep(1100 * 1000);
	_cleanup_answer_ struct answer revoked =
		rig_call(rig, token, "echo_text", "{\"text\":\"x\"}", NULL, NULL);
	assert_int_equal(revoked.status, 401);
	secret_free(token);
}

/* A new key of the gate is trusted without a restart, and an old one no more. */
static void keys_rotate_while_it_runs(void **state)
{
	struct rig *rig = *state;
	_cleanup_free_ char *private = statedir_path(rig->dir, "keys/next.key");
	struct error err = ERROR_INIT;

	assert_true(rig_spawn(rig));
	_cleanup_(sign_key_freep) struct sign_key *next = sign_key_create(private, &err);
	_cleanup_free_ char *public =
		statedir_path(rig->dir, "keys/trusted/%s.pem", sign_key_kid(next));
	struct grant g = rig_grant(rig, "get_route", "{}");
	_cleanup_answer_ struct answer before = rig_present(rig, &g, next, "{}", NULL);
	assert_string_equal(answer_code(&before), "approval_invalid");
	assert_true(sign_key_write_public(next, public, &err));
	(void)usleep(1100 * 1000);
	_cleanup_answer_ struct answer after = rig_present(rig, &g, next, "{}", NULL);
	assert_string_equal(answer_state(&after), "succeeded");
	/* Taken away: what it signed is not believed any longer. */
	assert_int_equal(unlink(public), 0);
	(void)usleep(1100 * 1000);
	struct grant late = rig_grant(rig, "get_route", "{}");
	_cleanup_answer_ struct answer gone = rig_present(rig, &late, next, "{}", NULL);
	assert_string_equal(answer_code(&gone), "approval_invalid");
}

static void assert_confined(pid_t pid, const char *task)
{
	_cleanup_strbuf_ struct strbuf status = STRBUF_INIT;
	struct error err = ERROR_INIT;
	char path[64];

	(void)snprintf(path, sizeof path, "/proc/%d/task/%s/status", pid, task);
	assert_true(file_read(path, 65536, &status, &err));
	assert_non_null(strstr(status.data, "NoNewPrivs:\t1"));
	assert_non_null(strstr(status.data, "Seccomp:\t2"));
}

/* Entered before any thread was started, it is inherited by all. */
static void the_sandbox_holds_for_every_thread(void **state)
{
	struct rig *rig = *state;
	char path[64];
	unsigned count = 0;

	assert_true(rig_spawn(rig));
	(void)snprintf(path, sizeof path, "/proc/%d/task", rig->pid);
	DIR *tasks = opendir(path);
	assert_non_null(tasks);
	for (struct dirent *e = readdir(tasks); e; e = readdir(tasks)) {
		if (e->d_name[0] == '.')
			continue;
		assert_confined(rig->pid, e->d_name);
		count++;
	}
	(void)closedir(tasks);
	assert_true(count > 1); /* loops; what else there will be is begun by these */
}

static const struct mcp_tool *row(const char *name)
{
	for (size_t i = 0; i < fixture_server.tool_count; i++)
		if (strcmp(fixture_server.tools[i].name, name) == 0)
			return &fixture_server.tools[i];
	return NULL;
}

static void rows_and_schemas_belong_together(void **state)
{
	struct tool_table t = { 0 };
	struct error err = ERROR_INIT;
	struct mcp_tool rows[16];
	size_t count = fixture_server.tool_count;

	(void)state;
	memcpy(rows, fixture_server.tools, count * sizeof *rows);
	assert_false(tool_table_build(&t, "fixture", rows, count - 1, NULL, &err));
	assert_non_null(strstr(err.message, "put_value.json has no row"));
	error_clear(&err);
	rows[count] =
		(struct mcp_tool){ .name = "fly_away", .run = row("echo_text")->run };
	assert_false(tool_table_build(&t, "fixture", rows, count + 1, NULL, &err));
	assert_non_null(strstr(err.message, "'fly_away' has a row but no schema"));
	error_clear(&err);
	rows[count] = rows[0];
	assert_false(tool_table_build(&t, "fixture", rows, count + 1, NULL, &err));
	assert_non_null(strstr(err.message, "two rows"));
	error_clear(&err);
	/* A write without plan function, a read with one, a row without run. */
	rows[count - 1].plan = NULL; /* put_value */
	assert_false(tool_table_build(&t, "fixture", rows, count, NULL, &err));
	error_clear(&err);
	rows[count - 1] = fixture_server.tools[count - 1];
	rows[0].plan = row("put_value")->plan;
	assert_false(tool_table_build(&t, "fixture", rows, count, NULL, &err));
	error_clear(&err);
	rows[0] = fixture_server.tools[0];
	rows[0].run = NULL;
	assert_false(tool_table_build(&t, "fixture", rows, count, NULL, &err));
}

/* ---- Without a token ---- */

static int status_of(struct rig *rig, const char *headers, const char *tool,
		     const char **ret_code)
{
	static const char format[] =
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":"
		"{\"name\":\"%s\",\"arguments\":%s,\"_meta\":{"
		"\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
		"\"io.modelcontextprotocol/clientCapabilities\":{}}}}";
	static char code[64];
	char body[512], head[256];

	(void)snprintf(body, sizeof body, format, tool,
		       strcmp(tool, "put_value") == 0 ? "{\"key\":\"k\",\"value\":\"v\"}"
		       : strcmp(tool, "echo_text") == 0 ? "{\"text\":\"t\"}"
							: "{}");
	(void)snprintf(head, sizeof head,
		       "Content-Type: application/json\r\n"
		       "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\n"
		       "Mcp-Name: %s\r\n%s",
		       tool, headers);
	_cleanup_answer_ struct answer a = rig_post(rig, NULL, head, body);
	(void)snprintf(code, sizeof code, "%s", a.status == 200 ? answer_code(&a) : "");
	*ret_code = code;
	return a.status;
}

static void prepare(struct rig *rig, const char *yaml)
{
	struct error err = ERROR_INIT;

	rig_config(rig, yaml);
	rig->service = mcp_service_prepare(&fixture_server, rig->dir, &err);
	assert_non_null(rig->service);
}

static void who_is_admitted_without_token_may_read(void **state)
{
	struct error err = ERROR_INIT;
	struct rig *rig = *state;
	const char *code;

	prepare(rig, "freed_reads: [echo_text]\n");
	assert_true(mcp_service_admit(rig->service, "everybody@example.org", &err));
	assert_true(mcp_service_start(rig->service, &err));
	rig->port = mcp_service_port(rig->service);
	assert_int_equal(status_of(rig, "", "echo_text", &code), 200);
	assert_string_equal(code, "");
	/* A read that is not freed wants its person; a write is not even asked for. */
	assert_int_equal(status_of(rig, "", "get_route", &code), 200);
	assert_string_equal(code, "backend_unavailable"); /* there is no gate */
	assert_int_equal(status_of(rig, "", "put_value", &code), 403);
	/* Who claims to be somebody is judged by that. */
	assert_int_equal(
		status_of(rig, "Authorization: Bearer wm_x\r\n", "echo_text", &code),
		401);
	assert_int_equal(
		status_of(rig, "Authorization: Basic eDp5\r\n", "echo_text", &code), 401);
	rig_stop(rig);
	prepare(rig, "freed_reads: [echo_text]\n");
	assert_true(mcp_service_start(rig->service, &err));
	rig->port = mcp_service_port(rig->service);
	assert_int_equal(status_of(rig, "", "echo_text", &code), 401);
}

static void nobody_is_admitted_from_elsewhere(void **state)
{
	static const char *const yamls[] = {
		"listen: { address: 0.0.0.0 }\n",
		"listen: { address: '::' }\n",
		"listen: { address: 192.0.2.1 }\n",
		("oauth: {resource: 'http://127.0.0.1/mcp',"
		 " issuers: [{issuer: 'https://x.org'}]}\n"),
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < ARRAY_SIZE(yamls); i++) {
		struct error err = ERROR_INIT;

		prepare(rig, yamls[i]);
		assert_false(
			mcp_service_admit(rig->service, "everybody@example.org", &err));
		rig_stop(rig);
	}
	struct error err = ERROR_INIT;
	prepare(rig, "");
	assert_false(mcp_service_admit(rig->service, "", &err));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_command_line),
		TEST(a_bad_configuration_is_told_with_its_line),
		TEST(a_key_that_others_can_read_is_refused),
		TEST(tokens_come_and_go_while_it_runs),
		TEST(keys_rotate_while_it_runs),
		TEST(the_sandbox_holds_for_every_thread),
		TEST(rows_and_schemas_belong_together),
		TEST(who_is_admitted_without_token_may_read),
		TEST(nobody_is_admitted_from_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
