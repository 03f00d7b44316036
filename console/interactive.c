/* wingman console: the interactive front-end, and scripts of its commands. */
#include "base/config.h"
#include "base/file.h"
#include "console/interrupt.h"
#include "console/render.h"
#include "console/session.h"

static void session_done(struct session *s)
{
	editor_free(s->editor);
	gate_link_close(s->gate);
	json_decref(s->servers);
}

/* --- completion -------------------------------------------------------------- */

/* Approvals are asked for as Tab is pressed: yesterday's ids help nobody. */
static json_t *pending(struct session *s)
{
	struct error ignored = ERROR_INIT;
	json_auto_t *reply = NULL;

	if (!s->gate || !gate_link_is_alive(s->gate))
		return NULL;
	reply = gate_link_ask(s->gate, MSG_LIST, json_pack("{s:s}", "state", "pending"),
			      &ignored);
	return json_incref(json_object_get(reply, "records"));
}

static void complete(void *context, const char *line, struct complete_result *ret)
{
	struct session *s = context;
	_cleanup_free_ struct complete_command *commands =
		calloc(session_command_count, sizeof *commands);
	json_auto_t *approvals = strchr(line, ' ') ? pending(s) : NULL;
	struct complete_source source = {
		.commands = commands,
		.command_count = session_command_count,
		.servers = s->servers,
		.approvals = approvals,
	};

	if (!commands)
		return;
	for (size_t i = 0; i < session_command_count; i++)
		commands[i] = (struct complete_command){ session_commands[i].word,
							 session_commands[i].completes };
	complete_line(&source, line, ret);
}

/* --- the banner --------------------------------------------------------------- */

static bool is_sample(const struct console *c)
{
	_cleanup_free_ char *path = statedir_path(c->dir, "config/suite.yaml");
	struct error ignored = ERROR_INIT;
	_cleanup_(config_freep) struct config *config =
		path && file_exists(path) ? config_read(path, &ignored) : NULL;

	return config && json_is_true(json_object_get(config_root(config), "sample"));
}

static void print_person(const struct session *s)
{
	const json_t *hello = gate_link_hello(s->gate);
	const char *person = json_get_string(hello, "principal");

	if (!person) {
		printf("You are not mapped to a person: you may look, but not ask or "
		       "approve.\n");
		return;
	}
	printf("You are ");
	console_put_visible(person);
	printf("%s\n", json_is_true(json_object_get(hello, "team"))
			       ? "."
			       : ", who is not in the team.");
}

static void print_servers(const struct session *s)
{
	size_t i;
	json_t *server;

	printf("Servers:");
	json_array_foreach(s->servers, i, server)
	{
		printf("%s ", i ? "," : "");
		console_put_visible(console_member(server, "name"));
		printf("%s", json_is_true(json_object_get(server, "up")) ? " is up"
									 : " is DOWN");
	}
	printf("%s.", json_array_size(s->servers) ? "" : " none");
}

static void print_banner(struct session *s)
{
	const struct console *c = s->console;
	struct error ignored = ERROR_INIT;
	json_auto_t *status = gate_link_ask(s->gate, MSG_STATUS, NULL, &ignored);
	int64_t waiting = json_get_int64(status, "pending", 0);

	printf("%swingman %s%s, ", console_bold(c), WINGMAN_VERSION, console_plain(c));
	console_print_visible(statedir_root(c->dir));
	print_person(s);
	print_servers(s);
	printf(" %lld approval%s pending. /help lists the commands.\n",
	       (long long)waiting, waiting == 1 ? "" : "s");
	if (is_sample(c))
		printf("%sThis is a sample on one user id: it demonstrates, it does not "
		       "protect.%s\n",
		       console_yellow(c), console_plain(c));
	(void)fflush(stdout);
}

/* --- the loop ----------------------------------------------------------------- */

static void remember(struct session *s, const char *line)
{
	_cleanup_free_ char *kept = session_history_line(s, line);

	if (kept)
		editor_remember(s->editor, kept);
}

static void read_lines(struct session *s)
{
	while (!s->ended) {
		char *line = NULL;

		switch (editor_read(s->editor, "wingman> ", &line)) {
		case EDITOR_END:
			return;
		case EDITOR_GIVEN_UP:
			break;
		case EDITOR_LINE:
			remember(s, line);
			session_run_line(s, line);
			free(line);
			break;
		}
	}
}

static int run(struct console *c, int argc, char **argv)
{
	struct error err = ERROR_INIT;
	_cleanup_(session_done) struct session s = { .console = c };
	_cleanup_free_ char *history = statedir_path(c->dir, "run/console_history");

	(void)argv;
	if (argc > 1)
		return console_usage(c, &command_console, "console takes no arguments");
	s.editor = editor_new(history, complete, &s, &err);
	if (!s.editor || !session_connect(&s, &err))
		return console_fail(c, &err);
	if (!editor_is_terminal(s.editor)) {
		read_lines(&s);
		return s.status;
	}
	interrupt_catch();
	print_banner(&s);
	read_lines(&s);
	return EXIT_DONE;
}

const struct command command_console = {
	"console", "console",
	"The interactive console; reads commands from stdin where that is no terminal.",
	run
};
