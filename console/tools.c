/* wingman tools, wingman docs: what there is, and how each is used. */
#include "console/tools.h"

#include "console/complete.h"
#include "console/gate_link.h"
#include "console/nearest.h"
#include "console/render.h"

enum { NAME_COLUMNS = 34 };

json_t *tools_fetch(struct gate_link *g, const char *server, struct error *err)
{
	json_t *ask = json_object();
	json_auto_t *reply = NULL;

	if (ask && server)
		(void)json_object_set_new(ask, "server", json_string(server));
	reply = gate_link_ask(g, MSG_TOOLS, ask, err);
	return reply ? json_incref(json_object_get(reply, "servers")) : NULL;
}

const json_t *tools_find(const json_t *servers, const char *full_name,
			 const char **ret_server)
{
	const char *dot = strchr(full_name, '.');
	size_t i, k;
	json_t *server, *tool;

	json_array_foreach(servers, i, server)
	{
		const char *name = json_get_string(server, "name");

		if (!name || (dot && (strlen(name) != (size_t)(dot - full_name) ||
				      strncmp(name, full_name, strlen(name)) != 0)))
			continue;
		json_array_foreach(json_object_get(server, "tools"), k, tool)
		{
			const char *tool_name = json_get_string(tool, "name");

			if (tool_name &&
			    strcmp(tool_name, dot ? dot + 1 : full_name) == 0) {
				*ret_server = name;
				return tool;
			}
		}
	}
	return NULL;
}

char *tools_nearest(const json_t *servers, const char *name)
{
	struct complete_source source = { .servers = servers };
	_cleanup_(complete_done) struct complete_result all = { 0 };
	const char *shorts[COMPLETE_MAX], *near;

	complete_line(&source, "", &all); /* nothing typed yet: every tool */
	for (size_t i = 0; i < all.count; i++)
		shorts[i] = strchr(name, '.') ? all.word[i]
					      : strchr(all.word[i], '.') + 1;
	near = nearest_find(name, shorts, all.count);
	/* "get_acount" is near to "accounts.get_account". */
	for (size_t i = 0; near && i < all.count; i++)
		if (shorts[i] == near)
			return strdup(all.word[i]);
	return NULL;
}

void tools_hint(struct gate_link *g, const char *name, struct error *err)
{
	struct error ignored = ERROR_INIT;
	json_auto_t *servers = NULL;
	_cleanup_free_ char *near = NULL;
	const char *server;

	if (err->hint[0] ||
	    (err->code != ERR_NOT_FOUND && err->code != ERR_INVALID_ARGUMENT))
		return;
	servers = tools_fetch(g, NULL, &ignored);
	if (!servers)
		return;
	if (tools_find(servers, name, &server)) {
		if (err->code == ERR_INVALID_ARGUMENT)
			error_hint(err, "'wingman docs %s' says what it takes", name);
		return;
	}
	near = tools_nearest(servers, name);
	if (near)
		error_hint(err, "did you mean '%s'? 'wingman tools' lists all", near);
	else
		error_hint(err, "'wingman tools' lists them");
}

void tools_hint_server(struct gate_link *g, struct error *err)
{
	struct error ignored = ERROR_INIT;
	json_auto_t *servers = NULL;
	_cleanup_strbuf_ struct strbuf names = STRBUF_INIT;
	size_t i;
	json_t *server;

	if (err->hint[0] || err->code != ERR_NOT_FOUND)
		return;
	servers = tools_fetch(g, NULL, &ignored);
	json_array_foreach(servers, i, server)
	{
		strbuf_add_format(&names, " %s", console_member(server, "name"));
	}
	if (strbuf_ok(&names))
		error_hint(err, "there are:%s", names.length ? names.data : " none");
}

const char *tools_risk(const json_t *tool)
{
	const char *risk =
		json_get_string(json_object_get(tool, "_meta"), "org.wingman/risk");

	return risk ? risk : "?";
}

void tools_print_servers(const struct console *c, const json_t *servers)
{
	size_t i;
	json_t *server;

	json_array_foreach(servers, i, server)
	{
		_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
		bool up = json_is_true(json_object_get(server, "up"));

		strbuf_add_format(&line, "%-12s %s, %zu tools, %s",
				  console_member(server, "name"), up ? "up" : "DOWN",
				  json_array_size(json_object_get(server, "tools")),
				  console_member(server, "url"));
		if (json_is_false(json_object_get(server, "pinned")))
			strbuf_add_format(&line, ", CHANGED since pinned: wingman pin %s",
					  console_member(server, "name"));
		printf("%s", up ? "" : console_red(c));
		console_print_visible(line.data);
		printf("%s", up ? "" : console_plain(c));
	}
}

void tools_print_list(const struct console *c, const json_t *servers)
{
	size_t i, k;
	json_t *server, *tool;

	json_array_foreach(servers, i, server)
	{
		json_array_foreach(json_object_get(server, "tools"), k, tool)
		{
			_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
			_cleanup_strbuf_ struct strbuf rest = STRBUF_INIT;
			const char *title = json_get_string(tool, "title");

			strbuf_add_format(&line, "%s.%s", console_member(server, "name"),
					  console_member(tool, "name"));
			strbuf_add_format(&rest, "%*s %-12s %s",
					  line.length < NAME_COLUMNS
						  ? NAME_COLUMNS - (int)line.length
						  : 0,
					  "", tools_risk(tool), title ? title : "");
			printf("%s", console_bold(c));
			console_put_visible(line.data);
			printf("%s", console_plain(c));
			console_print_visible(rest.data);
		}
	}
}

static void print_default(const json_t *property)
{
	const json_t *value = json_object_get(property, "default");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error ignored = ERROR_INIT;

	if (value && json_write(&text, value, &ignored)) {
		printf("      default: ");
		console_print_visible(text.data);
	}
}

static void print_choices(const json_t *property)
{
	const json_t *choices = json_object_get(property, "enum");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error ignored = ERROR_INIT;

	if (!choices)
		choices = json_object_get(json_object_get(property, "items"), "enum");
	if (choices && json_write(&text, choices, &ignored)) {
		printf("      one of: ");
		console_print_visible(text.data);
	}
}

const char *tools_type(const json_t *property)
{
	const char *kind = json_get_string(property, "x-wingman-kind");
	const char *type = json_get_string(property, "type");

	return kind ? kind : type ? type : "any value";
}

bool tools_is_required(const json_t *schema, const char *name)
{
	size_t i;
	json_t *required;

	json_array_foreach(json_object_get(schema, "required"), i,
			   required) if (json_is_string(required) &&
					 strcmp(json_string_value(required), name) ==
						 0) return true;
	return false;
}

static void print_property(const struct console *c, const json_t *schema,
			   const char *name, const json_t *property)
{
	const char *help = json_get_string(property, "description");

	printf("  %s", console_bold(c));
	console_put_visible(name);
	printf("%s  ", console_plain(c));
	console_put_visible(tools_type(property));
	printf("%s\n", tools_is_required(schema, name) ? ", required" : "");
	if (help) {
		printf("      ");
		console_print_visible(help);
	}
	print_choices(property);
	print_default(property);
}

void tools_print_docs(const struct console *c, const char *full_name, const json_t *tool)
{
	const json_t *schema = json_object_get(tool, "inputSchema");
	const char *title = json_get_string(tool, "title");
	const char *description = json_get_string(tool, "description");
	const char *name;
	json_t *property;

	printf("%s", console_bold(c));
	console_put_visible(full_name);
	printf("%s  (", console_plain(c));
	console_put_visible(tools_risk(tool));
	printf(")\n");
	console_print_visible(title ? title : "");
	printf("\n");
	console_print_visible(description ? description : "");
	printf("\narguments:\n");
	json_object_foreach(json_object_get(schema, "properties"), name, property)
	{
		print_property(c, schema, name, property);
	}
	printf("\nrun it:  wingman call ");
	console_put_visible(full_name);
	printf(" --args '{…}'   or, in the console:  /call ");
	console_print_visible(full_name);
}

static int run_tools(struct console *c, int argc, char **argv)
{
	struct error err = ERROR_INIT;
	_cleanup_(gate_link_closep) struct gate_link *g = NULL;
	json_auto_t *servers = NULL;

	if (argc > 2 || (argc == 2 && argv[1][0] == '-'))
		return console_usage(c, &command_tools, "name one server at most");
	g = gate_link_open(c->dir, &err);
	servers = g ? tools_fetch(g, argc > 1 ? argv[1] : NULL, &err) : NULL;
	if (!servers) {
		if (g)
			tools_hint_server(g, &err);
		return console_fail(c, &err);
	}
	if (c->json)
		console_print_json(servers);
	else
		tools_print_list(c, servers);
	return EXIT_DONE;
}

static int run_docs(struct console *c, int argc, char **argv)
{
	struct error err = ERROR_INIT;
	_cleanup_(gate_link_closep) struct gate_link *g = NULL;
	json_auto_t *servers = NULL;
	const json_t *tool;
	const char *server;

	if (argc != 2 || argv[1][0] == '-')
		return console_usage(c, &command_docs,
				     "name one tool, such as accounts.block_account");
	g = gate_link_open(c->dir, &err);
	servers = g ? tools_fetch(g, NULL, &err) : NULL;
	if (!servers)
		return console_fail(c, &err);
	tool = tools_find(servers, argv[1], &server);
	if (!tool) {
		error_set(&err, ERR_NOT_FOUND, "there is no tool '%s'", argv[1]);
		tools_hint(g, argv[1], &err);
		return console_fail(c, &err);
	}
	if (c->json)
		console_print_json(tool);
	else
		tools_print_docs(c, argv[1], tool);
	return EXIT_DONE;
}

const struct command command_tools = { "tools", "tools [SERVER]",
				       "List the tools and their risk.", run_tools };
const struct command command_docs = { "docs", "docs TOOL",
				      "What a tool does and what it wants.", run_docs };
