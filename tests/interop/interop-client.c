/*
 * interop-client -- our MCP client on the command line, for tests against other servers.
 *
 *   interop-client http://127.0.0.1:PORT/mcp STEP...
 *   interop-client -- PROGRAM [ARGUMENT...] -- STEP...
 *
 * Steps: about, era, tools, resources, templates, prompts, call NAME ARGUMENTS,
 * read URI, prompt NAME ARGUMENTS. Each prints one line of JSON: what came, or
 * {"error":...}. Notifications are counted, and told at the end as {"notified":N}.
 * INTEROP_LEGACY=VERSION: no probe, but initialize with this version.
 */
#include <stdatomic.h>
#include <stdio.h>

#include "mcp/client/client.h"

enum { PATIENCE_MS = 30000 };

static atomic_uint notified;

static void on_notification(void *context, const char *method, const json_t *params)
{
	(void)context, (void)method, (void)params;
	atomic_fetch_add(&notified, 1);
}

static json_t *accept_form(void *context, const json_t *params, struct error *err)
{
	(void)context, (void)params, (void)err;
	return json_pack("{s:s, s:{s:s, s:s}}", "action", "accept", "content", "name",
			 "Ada", "firstLine", "one");
}

static json_t *sample(void *context, const json_t *params, struct error *err)
{
	(void)context, (void)params, (void)err;
	return json_pack("{s:s, s:{s:s, s:s}, s:s}", "role", "assistant", "content",
			 "type", "text", "text", "sampled", "model", "none");
}

static json_t *roots(void *context, const json_t *params, struct error *err)
{
	(void)context, (void)params, (void)err;
	return json_pack("{s:[{s:s}]}", "roots", "uri", "file:///tmp");
}

static json_t *call(struct mcp_client *c, const char *tool, const char *arguments,
		    struct error *err)
{
	const struct mcp_client_call call = { .tool = tool,
					      .arguments = arguments,
					      .timeout_ms = PATIENCE_MS };

	return mcp_client_call(c, &call, NULL, err);
}

static json_t *prompt(struct mcp_client *c, const char *name, const char *arguments,
		      struct error *err)
{
	json_auto_t *values = json_parse(arguments, strlen(arguments), JSON_SYNTAX, err);

	return values ? mcp_client_get_prompt(c, name, values, PATIENCE_MS, err) : NULL;
}

/* Returns the number of arguments that the step took. */
static int step(struct mcp_client *c, char **argv, json_t **ret, struct error *err)
{
	const char *what = argv[0], *a = argv[1], *b = a ? argv[2] : NULL;

	if (strcmp(what, "about") == 0)
		*ret = mcp_client_discover(c, PATIENCE_MS, err);
	else if (strcmp(what, "era") == 0)
		*ret = json_integer(mcp_client_era(c, NULL));
	else if (strcmp(what, "tools") == 0)
		*ret = mcp_client_list_tools(c, PATIENCE_MS, err);
	else if (strcmp(what, "resources") == 0)
		*ret = mcp_client_list_resources(c, PATIENCE_MS, err);
	else if (strcmp(what, "templates") == 0)
		*ret = mcp_client_list_templates(c, PATIENCE_MS, err);
	else if (strcmp(what, "prompts") == 0)
		*ret = mcp_client_list_prompts(c, PATIENCE_MS, err);
	else if (strcmp(what, "read") == 0 && a) {
		*ret = mcp_client_read_resource(c, a, PATIENCE_MS, err);
		return 2;
	} else if (strcmp(what, "call") == 0 && b) {
		*ret = call(c, a, b, err);
		return 3;
	} else if (strcmp(what, "prompt") == 0 && b) {
		*ret = prompt(c, a, b, err);
		return 3;
	} else {
		error_set(err, ERR_INVALID_ARGUMENT, "no such step: %s", what);
	}
	return 1;
}

static void print(const json_t *value, const struct error *why)
{
	json_auto_t *error = NULL;
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
	struct error err = ERROR_INIT;

	if (!value)
		value = error = json_pack("{s:s, s:s}", "error", why->message, "cause",
					  why->cause);
	if (json_write(&line, value, &err))
		(void)printf("%s\n", line.data);
	(void)fflush(stdout);
}

int main(int argc, char **argv)
{
	const char *program[64] = { 0 };
	struct error err = ERROR_INIT;
	int at = 2;
	struct http_client *http = http_client_new("interop-client", &err);
	struct mcp_client_options options = {
		.http = http,
		.name = "interop-client",
		.log_level = "debug",
		.legacy_version = getenv("INTEROP_LEGACY"),
		.hooks = { .notification = on_notification,
			   .elicit_form = accept_form,
			   .sample = sample,
			   .roots = roots },
	};

	if (argc < 3 || !http)
		return 2;
	if (options.legacy_version)
		options.era = MCP_ERA_LEGACY;
	if (strcmp(argv[1], "--") == 0) {
		for (size_t i = 0; argv[at] && strcmp(argv[at], "--") != 0 && i < 63; i++)
			program[i] = argv[at++];
		at += argv[at] != NULL;
		options.argv = program;
		options.http = NULL;
	} else {
		options.url = argv[1];
	}
	struct mcp_client *c = mcp_client_open(&options, &err);
	if (!c)
		print(NULL, &err);
	while (c && at < argc) {
		json_auto_t *result = NULL;

		error_clear(&err);
		at += step(c, argv + at, &result, &err);
		print(result, &err);
	}
	(void)printf("{\"notified\":%u}\n", atomic_load(&notified));
	mcp_client_free(c);
	http_client_free(http);
	return c ? 0 : 1;
}
