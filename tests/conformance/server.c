/*
 * conformance-server --port N -- the server that the official conformance suite tests.
 *
 * A service like every other, out of the public headers of mcp: its folder is a
 * temporary one, its tools are reads that its configuration frees by name, and who
 * comes without a token may read, for the suite has none. Serves on 127.0.0.1 until
 * SIGTERM or SIGINT.
 */
#include <ftw.h>
#include <signal.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/options.h"
#include "conformance/rows.h"
#include "guard/keyring.h"
#include "guard/token.h"
#include "mcp/service.h"

enum { STOP_PATIENCE_MS = 500 };

static const struct mcp_tool tools[] = {
	{ .name = "confirm_delete", .run = confirm_as_task },
	{ .name = "failing_job", .run = fail_as_task },
	{ .name = "greet", .run = greet },
	{ .name = "json_schema_2020_12_tool", .run = say_arguments },
	{ .name = "multi_input", .run = ask_twice_as_task },
	{ .name = "protocol_error_job", .run = break_as_task },
	{ .name = "slow_compute", .run = compute_slowly },
	{ .name = "test_audio_content", .run = audio_content },
	{ .name = "test_elicitation", .run = elicit },
	{ .name = "test_elicitation_sep1034_defaults", .run = elicit_defaults },
	{ .name = "test_elicitation_sep1330_enums", .run = elicit_enums },
	{ .name = "test_embedded_resource", .run = embedded_resource },
	{ .name = "test_error_handling", .run = error_handling },
	{ .name = "test_image_content", .run = image_content },
	{ .name = "test_input_required_result_capabilities",
	  .run = ask_what_is_possible },
	{ .name = "test_input_required_result_elicitation", .run = ask_name },
	{ .name = "test_input_required_result_list_roots", .run = ask_roots },
	{ .name = "test_input_required_result_multi_round", .run = ask_in_rounds },
	{ .name = "test_input_required_result_multiple_inputs",
	  .run = ask_three_at_once },
	{ .name = "test_input_required_result_request_state", .run = ask_with_state },
	{ .name = "test_input_required_result_sampling", .run = ask_model },
	{ .name = "test_input_required_result_tampered_state", .run = ask_with_state },
	{ .name = "test_logging_tool", .run = tell_log },
	{ .name = "test_missing_capability", .run = ask_model_at_all_costs },
	{ .name = "test_multiple_content_types", .run = mixed_content },
	{ .name = "test_reconnection", .run = come_back },
	{ .name = "test_sampling", .run = sample_prompt },
	{ .name = "test_simple_text", .run = simple_text, .quick = true },
	{ .name = "test_streaming_elicitation", .run = ask_name },
	{ .name = "test_tool_with_logging", .run = tell_log },
	{ .name = "test_tool_with_progress", .run = tell_progress },
	{ .name = "test_tool_with_task", .run = ask_then_task },
	{ .name = "test_trigger_prompt_change", .run = change_prompts },
	{ .name = "test_trigger_tool_change", .run = change_tools },
	{ .name = "test_x_mcp_header", .run = say_arguments },
};

static const struct mcp_resource resources[] = {
	{ .uri = "test://static-text", .read = static_text },
	{ .uri = "test://static-binary", .read = static_binary },
	{ .uri = "test://watched-resource", .read = static_text },
	{ .uri = "test://template/{id}/data", .read = template_data },
};

static const struct mcp_prompt prompts[] = {
	{ .name = "test_simple_prompt", .get = simple_prompt },
	{ .name = "test_prompt_with_arguments",
	  .get = prompt_arguments,
	  .complete = complete_argument },
	{ .name = "test_prompt_with_embedded_resource", .get = prompt_resource },
	{ .name = "test_prompt_with_image", .get = prompt_image },
	{ .name = "test_input_required_result_prompt", .get = prompt_asks },
};

static const struct mcp_server server = {
	.name = "conformance",
	.tools = tools,
	.tool_count = ARRAY_SIZE(tools),
	.resources = resources,
	.resource_count = ARRAY_SIZE(resources),
	.prompts = prompts,
	.prompt_count = ARRAY_SIZE(prompts),
	.changes = MCP_TOOLS_MAY_CHANGE | MCP_PROMPTS_MAY_CHANGE |
		   MCP_CONTENTS_MAY_CHANGE,
	.tasks = true,
	.logs = true,
};

struct arguments {
	int64_t port;
};

static const struct option_row options[] = {
	OPTION_INT64("port", 'p', "N", "port on 127.0.0.1; 0, the default: any free one",
		     offsetof(struct arguments, port)),
	OPTION_END,
};

/* ---- The folder ---- */

static bool write_config(const struct statedir *dir, int64_t port, struct error *err)
{
	_cleanup_free_ char *path = statedir_path(dir, "config/%s.yaml", server.name);
	_cleanup_strbuf_ struct strbuf yaml = STRBUF_INIT;

	strbuf_add_format(&yaml, "listen: { port: %lld }\nlog_level: warn\n",
			  (long long)port);
	strbuf_add_string(&yaml, "freed_reads:\n");
	for (size_t i = 0; i < server.tool_count; i++)
		strbuf_add_format(&yaml, "  - %s\n", server.tools[i].name);
	strbuf_add_string(&yaml, "freed_resources:\n");
	for (size_t i = 0; i < server.resource_count; i++)
		strbuf_add_format(&yaml, "  - '%s'\n", server.resources[i].uri);
	strbuf_add_string(&yaml, "freed_prompts:\n");
	for (size_t i = 0; i < server.prompt_count; i++)
		strbuf_add_format(&yaml, "  - %s\n", server.prompts[i].name);
	if (!path || !strbuf_ok(&yaml))
		return error_oom(err);
	return file_write(path, yaml.data, yaml.length, 0600, err);
}

/* A key that nobody has the other half of: nothing here is granted. */
static bool write_key(const struct statedir *dir, struct error *err)
{
	_cleanup_free_ char *private = statedir_path(dir, "keys/gate.key");
	_cleanup_(sign_key_freep) struct sign_key *key =
		private ? sign_key_create(private, err) : NULL;

	if (!key)
		return error_set(err, ERR_INTERNAL, "cannot make a key");
	_cleanup_free_ char *public =
		statedir_path(dir, "keys/trusted/%s.pem", sign_key_kid(key));
	return public ? sign_key_write_public(key, public, err) : error_oom(err);
}

/* Nor does anybody have the token: an index without any row cannot be made. */
static bool write_index(const struct statedir *dir, struct error *err)
{
	_cleanup_free_ char *path = statedir_path(dir, "callers/index.json");
	const char *scopes[] = { "conformance:read" };
	struct secret *token = NULL;
	char id[65];

	if (!path)
		return error_oom(err);
	bool good = token_create(path, "nobody@example.org", scopes, 1, 0,
				 clock_wall_ms(), &token, id, err);
	secret_free(token);
	return good;
}

static int remove_entry(const char *path, const struct stat *st, int kind,
			struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

/* ---- Serving ---- */

static bool serve(const struct statedir *dir, const sigset_t *wanted, struct error *err)
{
	_cleanup_(mcp_service_freep) struct mcp_service *s =
		mcp_service_prepare(&server, dir, err);
	int number;

	if (!s || !mcp_service_admit(s, "suite@example.org", err))
		return false;
	log_setup("conformance-server", mcp_service_config(s)->log_level);
	if (!mcp_service_start(s, err))
		return false;
	(void)printf("{\"ready\":true,\"url\":\"http://127.0.0.1:%u/mcp\"}\n",
		     mcp_service_port(s));
	(void)fflush(stdout);
	while (sigwait(wanted, &number) != 0)
		continue;
	mcp_service_stop(s, STOP_PATIENCE_MS);
	return true;
}

static bool run(int64_t port, const sigset_t *wanted, struct error *err)
{
	char root[] = "/tmp/conformance-server-XXXXXX";

	if (!mkdtemp(root))
		return error_errno(err, "cannot make a folder in /tmp");
	_cleanup_(statedir_freep) struct statedir *dir = statedir_new(root, err);
	bool good = dir && statedir_create(dir, err) && write_key(dir, err) &&
		    write_index(dir, err) && write_config(dir, port, err) &&
		    serve(dir, wanted, err);
	(void)nftw(root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	return good;
}

int main(int argc, char **argv)
{
	struct arguments args = { 0 };
	struct error err = ERROR_INIT;
	int operands = 0;
	sigset_t wanted;

	enum options_result read =
		options_parse(options, &args, argc, argv, &operands, &err);
	if (read == OPTIONS_HELP) {
		options_help(argv[0], "[--port N]",
			     "What the official conformance suite tests.", options,
			     stdout);
		return EXIT_SUCCESS;
	}
	if (read != OPTIONS_OK || operands > 0) {
		(void)fprintf(stderr, "%s: %s\n", argv[0],
			      read == OPTIONS_BAD ? err.message : "see --help");
		return 64;
	}
	/* Blocked before any thread starts, so that all of them inherit it. */
	(void)sigemptyset(&wanted);
	(void)sigaddset(&wanted, SIGTERM);
	(void)sigaddset(&wanted, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &wanted, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	if (run(args.port, &wanted, &err))
		return EXIT_SUCCESS;
	(void)fprintf(stderr, "%s: %s\n", argv[0], err.message);
	return EXIT_FAILURE;
}
