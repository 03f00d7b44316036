/* Calls of the interactive console: typed, asked for field by field, one or several. */
#include "console/session.h"

#include "console/call.h"
#include "console/form.h"
#include "console/nearest.h"
#include "console/tools.h"

enum { CALLS_MAX = 8 }; /* of one decision: the gate counts them too */

static char *read_field(void *context, const char *question)
{
	struct session *s = context;
	char *line = NULL;

	return editor_read(s->editor, question, &line) == EDITOR_LINE ? line : NULL;
}

json_t *session_ask_arguments(struct session *s, const char *name, const json_t *tool,
			      const json_t *given, struct error *err)
{
	const json_t *schema = json_object_get(tool, "inputSchema");
	json_t *arguments;

	if (!editor_is_terminal(s->editor)) {
		if (json_array_size(json_object_get(schema, "required")) == 0)
			return json_object();
		error_set(err, ERR_INVALID_ARGUMENT, "%s wants arguments", name);
		error_hint(err, "give them as JSON behind the tool's name");
		return NULL;
	}
	if (json_object_size(json_object_get(schema, "properties")) == 0)
		return json_object();
	printf("Ctrl-C gives up; an empty line leaves an optional field out.\n");
	arguments = form_ask(s->console, tool, given, read_field, s, err);
	if (arguments) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

		strbuf_add_format(&text, "\n%s ", name);
		if (json_write(&text, arguments, err))
			console_print_visible(text.data);
	}
	return arguments;
}

static json_t *read_arguments(const char *text, struct error *err)
{
	json_auto_t *arguments = json_parse(text, strlen(text), JSON_CONTRACT, err);

	if (!arguments)
		return NULL;
	if (!json_is_object(arguments)) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "the arguments must be a JSON object");
		return NULL;
	}
	return TAKE(arguments);
}

int session_refuse_tool(struct session *s, const char *name)
{
	_cleanup_free_ char *near = tools_nearest(s->servers, name);
	struct error err = ERROR_INIT;

	error_set(&err, ERR_NOT_FOUND, "there is no tool '%s'", name);
	if (near)
		error_hint(&err, "did you mean '%s'? /tools lists all", near);
	else
		error_hint(&err, "/tools lists all");
	return console_fail(s->console, &err);
}

/* Typed as in a shell, --args '{...}' means the same. */
static char *after_flag(char *text)
{
	static const char flag[] = "--args";
	const size_t length = sizeof flag - 1;
	size_t end;

	if (strncmp(text, flag, length) != 0 || !strchr(" =", text[length]))
		return text;
	text += length + strspn(text + length, " =");
	end = strlen(text);
	while (end > 0 && text[end - 1] == ' ')
		text[--end] = '\0';
	if (end < 2 || (*text != '\'' && *text != '"') || text[end - 1] != *text)
		return text;
	text[end - 1] = '\0';
	return text + 1;
}

/* "accounts.get_account {...}" as {tool, arguments}; asked field by field without the
 * latter. NULL without an error: the person gave up. */
static json_t *read_call(struct session *s, char *rest, int *ret_status)
{
	char *json = after_flag(session_after_word(rest));
	struct error err = ERROR_INIT;
	const char *server;
	const json_t *tool;
	_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;
	json_auto_t *arguments = NULL;
	json_t *call;

	tool = tools_find(s->servers, rest, &server);
	if (!tool) {
		*ret_status = session_refuse_tool(s, rest);
		return NULL;
	}
	strbuf_add_format(&name, "%s.%s", server, console_member(tool, "name"));
	arguments = *json ? read_arguments(json, &err)
			  : session_ask_arguments(s, name.data, tool, NULL, &err);
	call = arguments ? json_pack("{s:s, s:O}", "tool", name.data, "arguments",
				     arguments)
			 : NULL;
	*ret_status = EXIT_DONE;
	if (arguments && !call)
		error_oom(&err);
	if (error_is_set(&err))
		*ret_status = console_fail(s->console, &err);
	else if (!call)
		printf("given up; nothing was asked of anybody\n");
	return call;
}

int session_call(struct session *s, char *rest)
{
	int status = EXIT_DONE;

	if (!*rest)
		return session_complain(s, "say which tool",
					"/call TOOL [JSON]; /tools lists the tools");
	json_auto_t *call = read_call(s, rest, &status);
	return call ? call_run(s->console, s->gate, console_member(call, "tool"),
			       json_object_get(call, "arguments"), -1)
		    : status;
}

/* One more of several. False: no more. */
static bool ask_one(struct session *s, json_t *calls, bool *ret_given_up)
{
	_cleanup_free_ char *line = NULL;
	char question[32];
	int ignored;

	(void)snprintf(question, sizeof question, "call %zu> ",
		       json_array_size(calls) + 1);
	*ret_given_up = editor_read(s->editor, question, &line) != EDITOR_LINE;
	if (*ret_given_up || !line[strspn(line, " \t")])
		return false;
	json_t *call = read_call(s, line + strspn(line, " \t"), &ignored);
	/* What was refused or given up can be typed once more. */
	return !call || json_array_append_new(calls, call) == 0;
}

static json_t *ask_several(struct session *s)
{
	json_auto_t *calls = json_array();
	bool is_given_up = false;

	printf("One call after the other, as TOOL or TOOL {JSON}, in the order in which "
	       "they "
	       "run;\nan empty line ends the list, Ctrl-C gives all of it up.\n");
	while (json_array_size(calls) < CALLS_MAX && ask_one(s, calls, &is_given_up))
		continue;
	if (!is_given_up && json_array_size(calls) > 0)
		return TAKE(calls);
	printf("given up; nothing was asked of anybody\n");
	return NULL;
}

int session_several(struct session *s, char *rest)
{
	struct error err = ERROR_INIT;
	json_auto_t *calls = NULL;

	if (!*rest && !editor_is_terminal(s->editor))
		return session_complain(s, "say which calls", "/several JSON or @FILE");
	calls = *rest ? call_read_several(rest, &err) : ask_several(s);
	if (calls)
		return call_run_several(s->console, s->gate, calls, -1);
	return error_is_set(&err) ? console_fail(s->console, &err) : EXIT_DONE;
}
