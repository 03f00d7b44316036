/*
 * conformance-client URL -- the client that the official conformance suite tests.
 *
 * Called as the suite calls clients: the scenario's name and its data come in the
 * environment, the address last. Every scenario is a row below; one that is none fails.
 * All it does goes through mcp/client/client.h, which finds the server's revision by itself.
 */
#include "authorize.h"
#include "base/canonical.h"
#include "base/log.h"
#include "mcp/client/client.h"

enum { TIMEOUT_MS = 20000 };

struct run {
	struct mcp_client *client;
	json_t *context; /* the scenario's data; NULL: none */
};

/* ---- What scenarios are made of ---- */

/* The result, a new reference, or NULL. Steals 'arguments'. */
static json_t *call(struct run *run, const char *tool, json_t *arguments,
		    struct error *err)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	json_auto_t *owned = arguments;
	bool sent;

	if (!owned || !canonical_write(&bytes, owned, err) || !strbuf_ok(&bytes)) {
		error_set(err, ERR_INTERNAL, "the arguments cannot be written");
		return NULL;
	}
	const struct mcp_client_call request = {
		.tool = tool,
		.arguments = bytes.data,
		.timeout_ms = TIMEOUT_MS,
	};
	return mcp_client_call(run->client, &request, &sent, err);
}

static bool call_only(struct run *run, const char *tool, json_t *arguments,
		      struct error *err)
{
	json_auto_t *result = call(run, tool, arguments, err);

	return result != NULL;
}

static bool list_tools(struct run *run, struct error *err)
{
	json_auto_t *tools = mcp_client_list_tools(run->client, TIMEOUT_MS, err);

	return tools != NULL;
}

static bool list_and_call(struct run *run, const char *tool, json_t *arguments,
			  struct error *err)
{
	if (list_tools(run, err))
		return call_only(run, tool, arguments, err);
	json_decref(arguments);
	return false;
}

/* ---- Scenarios ---- */

static bool add_numbers(struct run *run, struct error *err)
{
	return list_and_call(run, "add_numbers", json_pack("{s:i, s:i}", "a", 5, "b", 3),
			     err);
}

static bool fill_in_defaults(struct run *run, struct error *err)
{
	return list_and_call(run, "test_client_elicitation_defaults", json_object(), err);
}

static bool reconnect(struct run *run, struct error *err)
{
	return list_and_call(run, "test_reconnection", json_object(), err);
}

static bool echo_states(struct run *run, struct error *err)
{
	static const char *const tools[] = { "test_mrtr_echo_state", "test_mrtr_no_state",
					     "test_mrtr_unrelated",
					     "test_mrtr_no_result_type" };

	if (!list_tools(run, err))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(tools); i++)
		if (!call_only(run, tools[i], json_object(), err))
			return false;
	return true;
}

/* Every tool that is listed, with these arguments (borrowed). */
static bool call_all(struct run *run, const json_t *arguments, struct error *err)
{
	json_auto_t *tools = mcp_client_list_tools(run->client, TIMEOUT_MS, err);
	json_t *tool;
	size_t i;

	json_array_foreach(tools, i, tool)
	{
		if (!call_only(run, json_get_string(tool, "name") ?: "",
			       json_deep_copy(arguments), err))
			return false;
	}
	return tools != NULL;
}

static bool read_all(struct run *run, struct error *err)
{
	json_auto_t *resources = mcp_client_list_resources(run->client, TIMEOUT_MS, err);
	json_t *resource;
	size_t i;

	json_array_foreach(resources, i, resource)
	{
		json_auto_t *read = mcp_client_read_resource(
			run->client, json_get_string(resource, "uri") ?: "", TIMEOUT_MS,
			err);

		if (!read)
			return false;
	}
	return resources != NULL;
}

static bool get_all(struct run *run, struct error *err)
{
	json_auto_t *prompts = mcp_client_list_prompts(run->client, TIMEOUT_MS, err);
	json_t *prompt;
	size_t i;

	json_array_foreach(prompts, i, prompt)
	{
		json_auto_t *got = mcp_client_get_prompt(
			run->client, json_get_string(prompt, "name") ?: "", NULL,
			TIMEOUT_MS, err);

		if (!got)
			return false;
	}
	return prompts != NULL;
}

static bool touch_all(struct run *run, struct error *err)
{
	json_auto_t *none = json_object();

	return call_all(run, none, err) && read_all(run, err) && get_all(run, err);
}

static bool call_as_told(struct run *run, struct error *err)
{
	json_t *calls = json_object_get(run->context, "toolCalls");
	json_t *one;
	size_t i;

	if (!list_tools(run, err))
		return false;
	json_array_foreach(calls, i, one)
	{
		if (!call_only(run, json_get_string(one, "name") ?: "",
			       json_incref(json_object_get(one, "arguments")), err))
			return false;
	}
	return json_array_size(calls) > 0 ||
	       error_set(err, ERR_INVALID_ARGUMENT, "the context names no calls");
}

static bool call_what_is_left(struct run *run, struct error *err)
{
	json_auto_t *region = json_pack("{s:s}", "region", "us-west1");

	return call_all(run, region, err);
}

static bool echo_schema(struct run *run, struct error *err)
{
	json_auto_t *tools = mcp_client_list_tools(run->client, TIMEOUT_MS, err);
	json_t *tool;
	size_t i;

	json_array_foreach(tools, i, tool)
	{
		const char *name = json_get_string(tool, "name");

		if (name && strcmp(name, "json_schema_2020_12_tool") == 0)
			return call_only(run, "json_schema_echo",
					 json_pack("{s:O}", "schema",
						   json_object_get(tool, "inputSchema")),
					 err);
	}
	return error_set(err, ERR_NOT_FOUND, "there is no tool with a schema to echo");
}

static bool call_the_tool(struct run *run, struct error *err)
{
	return list_and_call(run, "test-tool", json_object(), err);
}

static const struct scenario {
	const char *name;
	bool (*play)(struct run *run, struct error *err);
} scenarios[] = {
	{ "auth/2025-03-26-oauth-endpoint-fallback", call_the_tool },
	{ "auth/2025-03-26-oauth-metadata-backcompat", call_the_tool },
	{ "auth/authorization-server-migration", call_the_tool },
	{ "auth/basic-cimd", call_the_tool },
	{ "auth/calls-of-the-context", call_as_told }, /* of tests/oauth_client_test.py */
	{ "auth/client-credentials-basic", list_tools },
	{ "auth/client-credentials-jwt", list_tools },
	{ "auth/iss-normalized", call_the_tool },
	{ "auth/iss-not-advertised", call_the_tool },
	{ "auth/iss-supported", call_the_tool },
	{ "auth/iss-supported-missing", call_the_tool },
	{ "auth/iss-unexpected", call_the_tool },
	{ "auth/iss-wrong-issuer", call_the_tool },
	{ "auth/metadata-default", call_the_tool },
	{ "auth/metadata-issuer-mismatch", call_the_tool },
	{ "auth/metadata-var1", call_the_tool },
	{ "auth/metadata-var2", call_the_tool },
	{ "auth/metadata-var3", call_the_tool },
	{ "auth/offline-access-not-supported", call_the_tool },
	{ "auth/offline-access-scope", call_the_tool },
	{ "auth/pre-registration", call_the_tool },
	{ "auth/resource-mismatch", call_the_tool },
	{ "auth/scope-from-scopes-supported", call_the_tool },
	{ "auth/scope-from-www-authenticate", call_the_tool },
	{ "auth/scope-omitted-when-undefined", call_the_tool },
	{ "auth/scope-retry-limit", call_the_tool },
	{ "auth/scope-step-up", call_the_tool },
	{ "auth/token-endpoint-auth-basic", call_the_tool },
	{ "auth/token-endpoint-auth-none", call_the_tool },
	{ "auth/token-endpoint-auth-post", call_the_tool },
	{ "elicitation-sep1034-client-defaults", fill_in_defaults },
	{ "http-custom-headers", call_as_told },
	{ "http-invalid-tool-headers", call_what_is_left },
	{ "http-standard-headers", touch_all },
	{ "initialize", list_tools },
	{ "json-schema-2020-12-preservation", echo_schema },
	{ "json-schema-ref-no-deref", list_tools },
	{ "request-metadata", list_tools },
	{ "sep-2322-client-request-state", echo_states },
	{ "sse-retry", reconnect },
	{ "tools_call", add_numbers },
};

/* ---- Playing one ---- */

/* 'confirmed' where the form has it; all else is left to defaults. */
static json_t *fill_in(void *context, const json_t *params, struct error *err)
{
	const json_t *fields =
		json_object_get(json_object_get(params, "requestedSchema"), "properties");

	(void)context;
	(void)err;
	if (json_object_get(fields, "confirmed"))
		return json_pack("{s:s, s:{s:b}}", "action", "accept", "content",
				 "confirmed", true);
	return json_pack("{s:s, s:{}}", "action", "accept", "content");
}

static json_t *sample(void *context, const json_t *params, struct error *err)
{
	(void)context;
	(void)params;
	(void)err;
	return json_pack("{s:s, s:s, s:{s:s, s:s}}", "role", "assistant", "model", "none",
			 "content", "type", "text", "text", "A word.");
}

static json_t *roots(void *context, const json_t *params, struct error *err)
{
	(void)context;
	(void)params;
	(void)err;
	return json_pack("{s:[{s:s}]}", "roots", "uri", "file:///srv/work");
}

static bool read_context(struct run *run, struct error *err)
{
	const char *text = getenv("MCP_CONFORMANCE_CONTEXT");

	if (text && *text)
		run->context = json_parse(text, strlen(text), JSON_SYNTAX, err);
	return run->context || !text || !*text;
}

static const struct scenario *find(const char *name, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++)
		if (strcmp(scenarios[i].name, name) == 0)
			return &scenarios[i];
	error_set(err, ERR_NOT_FOUND, "nothing is known of '%s'", name);
	return NULL;
}

static bool is_one_of(const struct scenario *scenario, const char *prefix)
{
	return strncmp(scenario->name, prefix, strlen(prefix)) == 0;
}

static bool play_with(const char *url, const struct scenario *scenario, struct run *run,
		      struct http_client *http, struct error *err)
{
	struct authorization a;
	struct mcp_client_options options = {
		.url = url,
		.http = http,
		.name = "conformance-client",
		.hooks = { .elicit_form = fill_in, .sample = sample, .roots = roots },
	};
	bool good = false;

	if (!authorization_begin(&a, http, run->context,
				 is_one_of(scenario, "auth/client-credentials-"), err))
		return false;
	if (is_one_of(scenario, "auth/"))
		options.oauth = &a.oauth;
	run->client = mcp_client_open(&options, err);
	if (run->client) {
		good = scenario->play(run, err);
		mcp_client_free(run->client);
	}
	authorization_done(&a);
	return good;
}

static bool play(const char *url, const char *name, struct error *err)
{
	_cleanup_(http_client_freep) struct http_client *http =
		http_client_new("conformance-client/" WINGMAN_VERSION, err);
	const struct scenario *scenario = find(name, err);
	struct run run = { 0 };
	bool good = http && scenario && read_context(&run, err) &&
		    play_with(url, scenario, &run, http, err);

	json_decref(run.context);
	return good;
}

int main(int argc, char **argv)
{
	const char *name = getenv("MCP_CONFORMANCE_SCENARIO");
	struct error err = ERROR_INIT;

	if (argc < 2 || !name) {
		(void)fprintf(stderr, "conformance-client: the suite calls this, with "
				      "MCP_CONFORMANCE_SCENARIO and an address\n");
		return 64;
	}
	log_setup("conformance-client", LOG_WARN);
	if (play(argv[argc - 1], name, &err))
		return EXIT_SUCCESS;
	(void)fprintf(stderr, "conformance-client: %s: %s\n", name, err.message);
	return EXIT_FAILURE;
}
