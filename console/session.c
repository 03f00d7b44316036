#include "console/session.h"

#include "console/interrupt.h"
#include "console/nearest.h"
#include "console/tools.h"

enum { WORDS_MAX = 8 };

/* Run a command of the shell; the words end with NULL. */
static int run_words(struct session *s, const struct command *command,
		     const char *const *words)
{
	char *kept[WORDS_MAX], *argv[WORDS_MAX + 1];
	int argc = 0, status;

	for (; argc < WORDS_MAX && words[argc]; argc++) {
		kept[argc] = argv[argc] = strdup(words[argc]);
		if (!argv[argc])
			break;
	}
	argv[argc] = NULL;
	status = command->run(s->console, argc, argv);
	for (int i = 0; i < argc; i++)
		free(kept[i]);
	return status;
}

#define RUN(s, command, ...)                                                             \
	run_words(s, &(command), (const char *const[]){ __VA_ARGS__, NULL })

char *session_after_word(char *text)
{
	char *rest = text + strcspn(text, " \t");

	if (*rest)
		*rest++ = '\0';
	return rest + strspn(rest, " \t");
}

int session_complain(const struct session *s, const char *message, const char *hint)
{
	struct error err = ERROR_INIT;

	error_set(&err, ERR_INVALID_ARGUMENT, "%s", message);
	if (hint)
		error_hint(&err, "%s", hint);
	return console_fail(s->console, &err);
}

/* --- the other commands ----------------------------------------------------- */

static int servers(struct session *s, char *rest)
{
	(void)rest;
	if (s->console->json)
		console_print_json(s->servers);
	else
		tools_print_servers(s->console, s->servers);
	return EXIT_DONE;
}

static int tools(struct session *s, char *rest)
{
	return *rest ? RUN(s, command_tools, "tools", rest)
		     : RUN(s, command_tools, "tools");
}

static int docs(struct session *s, char *rest)
{
	const char *server;
	const json_t *tool = tools_find(s->servers, rest, &server);

	if (!*rest)
		return session_complain(s, "say which tool",
					"/docs TOOL; /tools lists the tools");
	if (!tool)
		return session_refuse_tool(s, rest);
	if (s->console->json)
		console_print_json(tool);
	else
		tools_print_docs(s->console, rest, tool);
	return EXIT_DONE;
}

static int approvals(struct session *s, char *rest)
{
	(void)rest;
	return RUN(s, command_approvals, "approvals", "list");
}

/* An id is one word, and no option. */
static int with_id(struct session *s, const char *verb, char *id, const char *reason)
{
	if (!*id || *id == '-')
		return session_complain(s, "say which approval",
					"/approvals lists what waits");
	if (reason && *reason)
		return RUN(s, command_approvals, "approvals", verb, "--reason", reason,
			   "--", id);
	return RUN(s, command_approvals, "approvals", verb, "--", id);
}

static int show(struct session *s, char *rest)
{
	(void)session_after_word(rest);
	return with_id(s, "show", rest, NULL);
}

static int approve(struct session *s, char *rest)
{
	(void)session_after_word(rest);
	return with_id(s, "approve", rest, NULL);
}

static int deny(struct session *s, char *rest)
{
	char *reason = session_after_word(rest);

	return with_id(s, "deny", rest, reason);
}

static int cancel(struct session *s, char *rest)
{
	char *reason = session_after_word(rest);

	return with_id(s, "cancel", rest, reason);
}

static int audit(struct session *s, char *rest)
{
	(void)session_after_word(rest);
	return *rest ? RUN(s, command_audit, "audit", "show", "--", rest)
		     : RUN(s, command_audit, "audit", "tail");
}

static int chat(struct session *s, char *rest)
{
	if (!*rest)
		return session_complain(s, "say what to tell the assistant",
					"'wingman chat' in another terminal converses");
	return RUN(s, command_chat, "chat", "--", rest);
}

static int notices(struct session *s, char *rest)
{
	(void)rest;
	return RUN(s, command_notices, "notices");
}

static int status(struct session *s, char *rest)
{
	(void)rest;
	return RUN(s, command_status, "status");
}

static int help(struct session *s, char *rest)
{
	(void)s;
	(void)rest;
	for (size_t i = 0; i < session_command_count; i++) {
		const struct session_command *row = &session_commands[i];
		int width = printf("  %s %s", row->word, row->operands);

		printf("%*s%s\n", width < 28 ? 28 - width : 1, "", row->summary);
	}
	printf("  TOOL {JSON}               the same as /call TOOL {JSON}\n"
	       "Tab completes, Ctrl-C gives up the line or the waiting, Ctrl-D "
	       "leaves.\n");
	return EXIT_DONE;
}

static int quit(struct session *s, char *rest)
{
	(void)rest;
	s->ended = true;
	return s->status;
}

const struct session_command session_commands[] = {
	{ "/servers", "", "the servers and whether they are up", COMPLETE_NOTHING, true,
	  servers },
	{ "/tools", "[SERVER]", "the tools and their risk", COMPLETE_SERVER, true,
	  tools },
	{ "/docs", "TOOL", "what a tool does and what it wants", COMPLETE_TOOL, true,
	  docs },
	{ "/call", "TOOL [JSON]", "propose a call; without JSON it asks field by field",
	  COMPLETE_TOOL, true, session_call },
	{ "/playbook", "PAGE [N]",
	  "propose what step N of a playbook suggests; without N its steps",
	  COMPLETE_NOTHING, true, session_playbook },
	{ "/several", "[JSON|@FILE]",
	  "two to eight calls for one decision; without JSON it asks call by call",
	  COMPLETE_NOTHING, true, session_several },
	{ "/approvals", "", "what waits for a person", COMPLETE_NOTHING, true,
	  approvals },
	{ "/show", "ID", "one approval, whole", COMPLETE_ID, true, show },
	{ "/approve", "ID", "read one and say yes", COMPLETE_ID, true, approve },
	{ "/deny", "ID [REASON]", "say no", COMPLETE_ID, true, deny },
	{ "/cancel", "ID [REASON]", "take back what you asked for", COMPLETE_ID, true,
	  cancel },
	{ "/chat", "WORDS", "say something to the assistant, and decide what it proposes",
	  COMPLETE_NOTHING, true, chat },
	{ "/notices", "", "what ended while you were not looking", COMPLETE_NOTHING, true,
	  notices },
	{ "/audit", "[ID]", "the newest lines of the logs, or one approval's story",
	  COMPLETE_ID, false, audit },
	{ "/status", "", "what runs, and what waits", COMPLETE_NOTHING, true, status },
	{ "/help", "", "this list", COMPLETE_NOTHING, false, help },
	{ "/quit", "", "leave", COMPLETE_NOTHING, false, quit },
};
const size_t session_command_count = ARRAY_SIZE(session_commands);

/* --- one line --------------------------------------------------------------- */

bool session_connect(struct session *s, struct error *err)
{
	bool was_lost = s->gate && !gate_link_is_alive(s->gate);
	json_t *list;

	if (was_lost) {
		gate_link_close(s->gate);
		s->gate = NULL;
		fprintf(stderr, "wingman: the gate went away\n");
	}
	if (!s->gate) {
		s->gate = gate_link_open(s->console->dir, err);
		if (!s->gate)
			return false;
		if (s->servers)
			fprintf(stderr, "wingman: connected to the gate again\n");
	}
	list = tools_fetch(s->gate, NULL, err);
	if (!list)
		return false;
	json_decref(s->servers);
	s->servers = list;
	return true;
}

static int unknown_word(const struct session *s, const char *word)
{
	const char *words[ARRAY_SIZE(session_commands)];
	struct error err = ERROR_INIT;
	const char *near;

	for (size_t i = 0; i < session_command_count; i++)
		words[i] = session_commands[i].word;
	near = nearest_find(word, words, session_command_count);
	error_set(&err, ERR_INVALID_ARGUMENT, "there is no command '%s'", word);
	if (near)
		error_hint(&err, "did you mean '%s'?", near);
	else
		error_hint(&err, "/help lists the commands");
	return console_fail(s->console, &err);
}

static int run_command(struct session *s, const struct session_command *row, char *rest)
{
	struct error err = ERROR_INIT;

	if (row->needs_gate && !session_connect(s, &err))
		return console_fail(s->console, &err);
	return row->run(s, rest);
}

static int run_line(struct session *s, char *line)
{
	static const struct session_command bare = { "",   "",
						     "",   COMPLETE_NOTHING,
						     true, session_call };
	char *rest;

	if (*line != '/')
		return run_command(s, &bare, line);
	rest = session_after_word(line);
	for (size_t i = 0; i < session_command_count; i++)
		if (strcmp(session_commands[i].word, line) == 0)
			return run_command(s, &session_commands[i], rest);
	return unknown_word(s, line);
}

static bool takes_sensitive(const json_t *tool)
{
	json_t *properties =
		json_object_get(json_object_get(tool, "inputSchema"), "properties");
	const char *name;
	json_t *property;

	json_object_foreach(properties, name, property)
	{
		if (json_is_true(json_object_get(property, "x-wingman-sensitive")))
			return true;
	}
	return false;
}

char *session_history_line(const struct session *s, const char *line)
{
	_cleanup_free_ char *copy = strdup(line);
	_cleanup_strbuf_ struct strbuf kept = STRBUF_INIT;
	char *name = copy;
	const char *server;

	if (!copy)
		return NULL;
	/* Several calls may hold anything. */
	if (strncmp(name, "/several ", 9) == 0)
		return strdup(name[9] == '@' ? line : "/several");
	if (strncmp(name, "/call ", 6) == 0)
		name += 6;
	name += strspn(name, " \t");
	if (!*session_after_word(name) ||
	    !takes_sensitive(tools_find(s->servers, name, &server)))
		return strdup(line);
	strbuf_add_format(&kept, "/call %s", name);
	return strbuf_take(&kept);
}

void session_run_line(struct session *s, const char *line)
{
	_cleanup_free_ char *copy = strdup(line);
	char *start = copy ? copy + strspn(copy, " \t") : NULL;

	if (!start || !*start || *start == '#')
		return;
	for (size_t n = strlen(start); n > 0 && strchr(" \t", start[n - 1]); n--)
		start[n - 1] = '\0';
	interrupt_forget();
	s->status = run_line(s, start);
	(void)fflush(stdout);
}
