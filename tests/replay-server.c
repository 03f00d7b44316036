/*
 * replay-server SERVER --dir DIR -- a real MCP server whose tools are those of a record's
 * toolset ($REPLAY_TOOLS, {server: [tool]}), with simple handlers behind their schemas. For tests/replay.
 *
 * Everything before and after a handler is what every server has: HTTP, tokens, tickets,
 * plans, grants, burns, audit, sandbox. The act is a line in DIR/SERVER/runs; the result is
 * the text in DIR/SERVER/answer, if there is one. While there is a file DIR/SERVER/hold, an
 * act that begins makes DIR/SERVER/held and waits until the first is gone. What may be read
 * is $REPLAY_RESOURCES, {server: [{uri, text}]}; a template gives the same for each address.
 */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#include "base/file.h"
#include "mcp/definition.h"
#include "mcp/server.h"
#include "mcp/uri_template.h"
#include "replay/clock_page.h"
#include "replay/schemas_given.h"

enum { TOOLS_MAX = 32, RESOURCES_MAX = 16, FILE_MAX = 16 * 1024 * 1024 };

/* A function of a row is not told which: each has one of its own. */
struct tools {
	char *server;
	char *names[TOOLS_MAX];
	struct mcp_tool rows[TOOLS_MAX];
	struct schema_file files[TOOLS_MAX], about;
	size_t count;
	json_t *readable; /* [{uri, text}] */
	struct mcp_resource resources[RESOURCES_MAX];
	size_t resource_count;
};
static struct tools tools;

static void *open_folder(const struct statedir *dir, const json_t *config,
			 struct error *err)
{
	char *folder = statedir_path(dir, "%s", tools.server);

	(void)config;
	if (!folder)
		error_oom(err);
	return folder;
}

static void close_folder(void *context)
{
	free(context);
}

/* ---- The act ---- */

static void hold(const char *folder)
{
	const struct timespec nap = { .tv_nsec = 3 * 1000 * 1000 };
	_cleanup_free_ char *wanted = file_join(folder, "hold");
	_cleanup_free_ char *here = file_join(folder, "held");
	struct error err = ERROR_INIT;

	if (!wanted || !here || !file_exists(wanted))
		return;
	(void)file_write(here, "", 0, 0600, &err);
	while (file_exists(wanted))
		(void)nanosleep(&nap, NULL);
}

static bool note_run(const char *folder, size_t which, const json_t *arguments,
		     struct error *err)
{
	_cleanup_free_ char *path = file_join(folder, "runs");
	struct clock_page *page = clock_page_own();
	FILE *f = path ? fopen(path, "ae") : NULL;
	char name[128];
	bool ok;

	(void)snprintf(name, sizeof name, "%s.%s", tools.server, tools.names[which]);
	json_auto_t *line = json_pack("{s:I, s:s, s:O}", "run",
				      (json_int_t)atomic_fetch_add(&page->runs, 1),
				      "name", name, "arguments", arguments);
	ok = f && line && json_dumpf(line, f, JSON_COMPACT | JSON_ENSURE_ASCII) == 0 &&
	     putc('\n', f) != EOF;
	if (f && fclose(f) != 0)
		ok = false;
	return ok || error_set(err, ERR_INTERNAL, "the run cannot be noted");
}

static bool run(size_t which, struct mcp_call *call, struct mcp_result *r,
		struct error *err)
{
	const char *folder = mcp_call_context(call);
	_cleanup_free_ char *path = file_join(folder, "answer");
	_cleanup_strbuf_ struct strbuf answer = STRBUF_INIT;
	struct error none = ERROR_INIT;

	hold(folder);
	if (!note_run(folder, which, mcp_call_arguments(call), err))
		return false;
	if (!path || !file_read(path, FILE_MAX, &answer, &none))
		strbuf_add_string(&answer, "done");
	mcp_result_text(r, "%s", answer.data);
	mcp_result_structured(r, json_pack("{s:s}", "answer", answer.data));
	return true;
}

/* A pure function of the call: one effect that can be undone. */
static bool plan(size_t which, struct mcp_call *call, struct plan *p, struct error *err)
{
	json_t *arguments = json_deep_copy(mcp_call_arguments(call));

	if (!arguments)
		return error_oom(err);
	plan_summary(p, "would do what the arguments say");
	plan_effect(p, tools.server, "what the arguments name", "as it is",
		    tools.names[which], true);
	plan_state(p, arguments);
	return true;
}

#define ROW(n)                                                                           \
	static bool plan_##n(struct mcp_call *c, struct plan *p, struct error *e)        \
	{                                                                                \
		return plan(n, c, p, e);                                                 \
	}                                                                                \
	static bool run_##n(struct mcp_call *c, struct mcp_result *r, struct error *e)   \
	{                                                                                \
		return run(n, c, r, e);                                                  \
	}
ROW(0)
ROW(1)
ROW(2)
ROW(3)
ROW(4)
ROW(5)
ROW(6)
ROW(7)
ROW(8)
ROW(9)
ROW(10)
ROW(11)
ROW(12)
ROW(13)
ROW(14)
ROW(15)
#undef ROW

static const struct {
	bool (*plan)(struct mcp_call *c, struct plan *p, struct error *e);
	bool (*run)(struct mcp_call *c, struct mcp_result *r, struct error *e);
} functions[] = {
	{ plan_0, run_0 },   { plan_1, run_1 },   { plan_2, run_2 },
	{ plan_3, run_3 },   { plan_4, run_4 },   { plan_5, run_5 },
	{ plan_6, run_6 },   { plan_7, run_7 },   { plan_8, run_8 },
	{ plan_9, run_9 },   { plan_10, run_10 }, { plan_11, run_11 },
	{ plan_12, run_12 }, { plan_13, run_13 }, { plan_14, run_14 },
	{ plan_15, run_15 },
};

/* ---- The table ---- */

static bool add_tool(const json_t *listed, struct error *err)
{
	const char *name = json_get_string(listed, "name");
	const char *risk = json_get_string(json_object_get(listed, "_meta"), META_RISK);
	size_t i = tools.count;
	char *path = NULL, *text;

	if (i == ARRAY_SIZE(functions) || !name || !risk)
		return error_set(err, ERR_INVALID_ARGUMENT, "a tool too many, or none");
	text = json_dumps(listed, JSON_COMPACT);
	tools.names[i] = strdup(name);
	if (asprintf(&path, "%s/%s.json", tools.server, name) < 0 || !text ||
	    !tools.names[i])
		return error_oom(err);
	tools.files[i] = (struct schema_file){ .path = path,
					       .text = text,
					       .length = strlen(text) };
	tools.rows[i] = (struct mcp_tool){
		.name = tools.names[i],
		.plan = strcmp(risk, "read") == 0 ? NULL : functions[i].plan,
		.run = functions[i].run,
	};
	tools.count++;
	return true;
}

/* What this variable names; new. */
static json_t *read_named(const char *variable, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const char *path = getenv(variable);

	if (!path) {
		error_set(err, ERR_INVALID_ARGUMENT, "$%s is not set", variable);
		return NULL;
	}
	return file_read(path, FILE_MAX, &text, err)
		       ? json_parse(text.data, text.length, JSON_SYNTAX, err)
		       : NULL;
}

static bool read_tools(struct error *err)
{
	json_auto_t *all = read_named("REPLAY_TOOLS", err);
	json_t *tool;
	size_t i;

	if (!all)
		return false;
	if (!json_is_array(json_object_get(all, tools.server)))
		return error_set(err, ERR_NOT_FOUND, "no tools of this server");
	json_array_foreach(json_object_get(all, tools.server), i, tool)
	{
		if (!add_tool(tool, err))
			return false;
	}
	return true;
}

/* ---- What may be read ---- */

static bool read_resource(struct mcp_call *call, struct mcp_contents *contents,
			  struct error *err)
{
	const char *uri = mcp_call_uri(call);
	const json_t *found = NULL, *text;
	size_t i;
	json_t *one;

	/* The templates are for what no other is. */
	json_array_foreach(tools.readable, i, one)
	{
		const char *of = json_get_string(one, "uri");
		json_auto_t *values = uri_template_is(of) ? uri_template_match(of, uri)
							  : NULL;

		if (strcmp(of, uri) == 0) {
			found = one;
			break;
		}
		if (!found && values)
			found = one;
	}
	text = json_object_get(found, "text");
	if (!text)
		return error_set(err, ERR_NOT_FOUND, "there is no such thing here");
	mcp_contents_text(contents, "text/markdown", json_string_value(text),
			  json_string_length(text));
	return true;
}

static bool add_resource(json_t *about, const char *uri, struct error *err)
{
	bool is_template = uri_template_is(uri);
	json_t *list =
		json_object_get(about, is_template ? "resourceTemplates" : "resources");

	if (tools.resource_count == RESOURCES_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT, "too many resources");
	tools.resources[tools.resource_count++] =
		(struct mcp_resource){ .uri = uri, .read = read_resource };
	return json_array_append_new(list, json_pack("{s:s, s:s}",
						     is_template ? "uriTemplate" : "uri",
						     uri, "name", uri)) == 0 ||
	       error_oom(err);
}

/* The declaration that the rows have to fit, as a server has it compiled in. */
static bool read_resources(struct error *err)
{
	json_auto_t *all = read_named("REPLAY_RESOURCES", err);
	json_auto_t *about = json_pack("{s:s, s:[], s:[]}", "name", tools.server,
				       "resources", "resourceTemplates");
	char *path = NULL, *text;
	json_t *one;
	size_t i;

	if (!all || !about)
		return false;
	tools.readable = json_incref(json_object_get(all, tools.server));
	json_array_foreach(tools.readable, i, one)
	{
		if (!add_resource(about, json_get_string(one, "uri"), err))
			return false;
	}
	if (i == 0)
		return true;
	text = json_dumps(about, JSON_COMPACT);
	if (asprintf(&path, "%s/server.json", tools.server) < 0 || !text)
		return error_oom(err);
	tools.about = (struct schema_file){ .path = path,
					    .text = text,
					    .length = strlen(text) };
	return true;
}

int main(int argc, char **argv)
{
	struct error err = ERROR_INIT;

	if (argc < 2)
		return 64;
	tools.server = argv[1];
	if (!read_tools(&err) || !read_resources(&err)) {
		(void)fprintf(stderr, "replay-server: %s\n", err.message);
		return 64;
	}
	schemas_give(tools.server, tools.files, tools.count,
		     tools.about.text ? &tools.about : NULL);
	const struct mcp_server server = {
		.name = tools.server,
		.tools = tools.rows,
		.tool_count = tools.count,
		.resources = tools.resources,
		.resource_count = tools.resource_count,
		.open = open_folder,
		.close = close_folder,
	};
	argv[1] = argv[0];
	return mcp_server_main(&server, argc - 1, argv + 1);
}
