/* wingman connect: how an MCP client reaches a server, and the bridge for it. */
#include "base/file.h"
#include "base/options.h"
#include "console/console.h"
#include "console/endpoint.h"
#include "mcp/bridge/stdio_bridge.h"
#include "proc/sandbox.h"

struct connect_options {
	const char *client;
	const char *token_file;
	bool http, stdio;
};

static const struct option_row rows[] = {
	OPTION_STRING("client", 'c', "NAME",
		      "generic, vscode, cursor, claude or inspector",
		      offsetof(struct connect_options, client)),
	OPTION_BOOL(
		"http", 0,
		"configuration with the URL, for clients that keep a token themselves",
		offsetof(struct connect_options, http)),
	OPTION_BOOL("stdio", 0, "be the server on stdin and stdout",
		    offsetof(struct connect_options, stdio)),
	OPTION_STRING("token-file", 0, "FILE",
		      "the token to use (default: tokens/client.token)",
		      offsetof(struct connect_options, token_file)),
	OPTION_END,
};

/* What clients call the same things. */
struct client {
	const char *name;
	const char *servers;  /* member that holds the servers */
	const char *url_type; /* "type" of a server with a URL, or NULL */
	const char *variable; /* how the client names an environment variable */
};

static const struct client clients[] = {
	{ "generic", "mcpServers", "http", "${WINGMAN_TOKEN}" },
	{ "claude", "mcpServers", "http", "${WINGMAN_TOKEN}" },
	{ "cursor", "mcpServers", NULL, "${env:WINGMAN_TOKEN}" },
	{ "inspector", "mcpServers", "streamable-http", "${WINGMAN_TOKEN}" },
	{ "vscode", "servers", "http", "${input:wingman-token}" },
};

static const struct client *find_client(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
		if (strcmp(clients[i].name, name) == 0)
			return &clients[i];
	return NULL;
}

/* The token stays in its file: the client starts us, and we read it. */
static json_t *stdio_form(const struct console *c, const struct client *client,
			  const char *server, const char *token_file)
{
	json_auto_t *form =
		json_pack("{s:s, s:[s, s, s, s, s]}", "command", c->program_path, "args",
			  "--dir", statedir_root(c->dir), "connect", server, "--stdio");
	json_t *args = json_object_get(form, "args");

	if (!form)
		return NULL;
	if (token_file &&
	    (json_array_append_new(args, json_string("--token-file")) != 0 ||
	     json_array_append_new(args, json_string(token_file)) != 0))
		return NULL;
	if (strcmp(client->name, "vscode") == 0 &&
	    json_object_set_new(form, "type", json_string("stdio")) != 0)
		return NULL;
	return TAKE(form);
}

static json_t *url_form(const struct client *client, const char *url)
{
	_cleanup_strbuf_ struct strbuf value = STRBUF_INIT;
	json_auto_t *form = NULL;

	strbuf_add_format(&value, "Bearer %s", client->variable);
	form = json_pack("{s:s, s:{s:s}}", "url", url, "headers", "Authorization",
			 value.data);
	if (!form ||
	    (client->url_type &&
	     json_object_set_new(form, "type", json_string(client->url_type)) != 0))
		return NULL;
	return TAKE(form);
}

static json_t *wrap(const struct client *client, const char *server, json_t *form,
		    bool with_input)
{
	_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;
	json_auto_t *whole = NULL;

	strbuf_add_format(&name, "wingman-%s", server);
	whole = json_pack("{s:{s:o}}", client->servers, name.data, form);
	if (whole && with_input &&
	    json_object_set_new(whole, "inputs",
				json_pack("[{s:s, s:s, s:s, s:b}]", "type",
					  "promptString", "id", "wingman-token",
					  "description", "Token of wingman", "password",
					  1)) != 0)
		return NULL;
	return TAKE(whole);
}

static void print_pretty(const json_t *value)
{
	_cleanup_free_ char *text = json_dumps(value, JSON_INDENT(2));

	if (text)
		puts(text);
}

static char *token_path(const struct console *c, const struct connect_options *o)
{
	char here[4096];

	if (!o->token_file)
		return statedir_path(c->dir, "tokens/client.token");
	if (o->token_file[0] == '/' || !getcwd(here, sizeof here))
		return strdup(o->token_file);
	/* The client will start us somewhere else. */
	return file_join(here, o->token_file);
}

static int print_configuration(const struct console *c, const struct connect_options *o,
			       const struct client *client, const char *server)
{
	struct error err = ERROR_INIT;
	_cleanup_free_ char *url = endpoint_find(c, server, &err);
	_cleanup_free_ char *token = token_path(c, o);
	bool with_input = o->http && strcmp(client->name, "vscode") == 0;
	json_auto_t *whole = NULL;

	if (!url)
		return console_fail(c, &err);
	whole = wrap(
		client, server,
		o->http ? url_form(client, url)
			: stdio_form(c, client, server, o->token_file ? token : NULL),
		with_input);
	if (!whole || !token) {
		error_oom(&err);
		return console_fail(c, &err);
	}
	if (c->json)
		console_print_json(whole);
	else
		print_pretty(whole);
	if (with_input)
		fprintf(stderr, "The token that it will ask for is in %s\n", token);
	else if (o->http)
		fprintf(stderr, "Start the client with: WINGMAN_TOKEN=\"$(cat '%s')\"\n",
			token);
	return EXIT_DONE;
}

static int be_the_server(const struct console *c, const struct connect_options *o,
			 const char *server)
{
	struct error err = ERROR_INIT;
	_cleanup_free_ char *url = endpoint_find(c, server, &err);
	_cleanup_free_ char *path = token_path(c, o);
	_cleanup_(secret_freep) struct secret *token =
		url && path ? secret_read(path, true, &err) : NULL;
	_cleanup_(http_client_freep) struct http_client *http =
		token ? endpoint_http(c, "wingman-bridge", &err) : NULL;
	_cleanup_close_ int stop_fd = http ? stdio_bridge_catch_signals(&err) : -1;
	const struct stdio_bridge_options options = {
		.url = url,
		.token = token,
		.http = http,
		.in = STDIN_FILENO,
		.out = STDOUT_FILENO,
		.stop_fd = stop_fd,
		.down_hint = "start the server with 'wingman up', then try again",
		.token_hint = "make one with 'wingman token new'",
	};

	if (stop_fd < 0 || !sandbox_basics(&err) || !stdio_bridge_run(&options, &err))
		return console_fail(c, &err);
	return EXIT_DONE;
}

static int run(struct console *c, int argc, char **argv)
{
	struct connect_options o = { .client = "generic" };
	struct error err = ERROR_INIT;
	int operands = 0;
	const struct client *client;

	if (options_parse(rows, &o, argc, argv, &operands, &err) != OPTIONS_OK)
		return console_usage(c, &command_connect, err.message);
	client = find_client(o.client);
	if (operands != 1)
		return console_usage(c, &command_connect,
				     "name one server, such as accounts");
	if (!client)
		return console_usage(
			c, &command_connect,
			"--client takes generic, vscode, cursor, claude or inspector");
	if (o.stdio && o.http)
		return console_usage(c, &command_connect,
				     "--stdio and --http exclude each other");
	if (o.stdio)
		return be_the_server(c, &o, argv[1]);
	return print_configuration(c, &o, client, argv[1]);
}

const struct command command_connect = {
	"connect",
	"connect SERVER [--client generic|vscode|cursor|claude|inspector] [--http] "
	"[--token-file FILE] | connect SERVER --stdio",
	"Print the configuration that an MCP client needs; --stdio is the bridge that it "
	"starts.",
	run
};
