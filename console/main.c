/* wingman: a table of commands. */
#include "console/console.h"

#include <locale.h>

#include "base/log.h"
#include "base/options.h"
#include "console/nearest.h"

static const struct command *const commands[] = {
	&command_up,      &command_down,      &command_console,   &command_call,
	&command_tools,   &command_docs,      &command_approvals, &command_audit,
	&command_config,  &command_policy,    &command_token,     &command_connect,
	&command_pin,     &command_keys,      &command_status,    &command_doctor,
	&command_notices, &command_emergency, &command_accounts,  &command_chat,
};

struct global_options {
	const char *dir;
	bool json;
};

static const struct option_row rows[] = {
	OPTION_STRING("dir", 'd', "DIR", "folder of the suite (default: $WINGMAN_DIR)",
		      offsetof(struct global_options, dir)),
	OPTION_BOOL("json", 'j', "machine-readable output",
		    offsetof(struct global_options, json)),
	OPTION_END,
};

static void print_help(FILE *out)
{
	options_help(
		"wingman", "[--dir DIR] [--json] COMMAND [ARGUMENTS]",
		"Tools of the security team; nothing runs before a person said yes.\n"
		"Without a command, on a terminal, it opens the console.",
		rows, out);
	fprintf(out, "\ncommands:\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-11s %s\n", commands[i]->name, commands[i]->summary);
	fprintf(out, "\n'wingman COMMAND --help' tells more. Exit status: 0 done, 1 "
		     "failed, 2 usage,\n"
		     "3 denied, 4 expired or withdrawn, 5 outcome unknown, 6 still "
		     "pending.\n");
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

/* Global options stand before the command, --dir and --json also behind it. */
static int take_globals(struct console *c, int argc, char **argv)
{
	int kept = 1;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			while (i < argc)
				argv[kept++] = argv[i++];
			break;
		}
		if (strcmp(argv[i], "--json") == 0 || strcmp(argv[i], "-j") == 0)
			c->json = true;
		else if ((strcmp(argv[i], "--dir") == 0 || strcmp(argv[i], "-d") == 0) &&
			 i + 1 < argc)
			c->dir_option = argv[++i];
		else if (strncmp(argv[i], "--dir=", 6) == 0)
			c->dir_option = argv[i] + 6;
		else
			argv[kept++] = argv[i];
	}
	argv[kept] = NULL;
	return kept;
}

/* An option where a command should be: it is none of ours, or lacks its value. */
static int unknown_option(struct console *c, char *word)
{
	struct global_options ignored = { 0 };
	struct error err = ERROR_INIT;
	char *argv[] = { word, word, NULL };
	int operands;

	(void)options_parse(rows, &ignored, 2, argv, &operands, &err);
	error_set(&err, ERR_INVALID_ARGUMENT, "options stand before a command");
	error_hint(&err, "'wingman --help' lists options and commands");
	(void)console_fail(c, &err);
	return EXIT_USAGE;
}

static int unknown_command(const struct console *c, const char *word)
{
	const char *names[ARRAY_SIZE(commands)];
	struct error err = ERROR_INIT;
	const char *near;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		names[i] = commands[i]->name;
	near = nearest_find(word, names, ARRAY_SIZE(names));
	error_set(&err, ERR_INVALID_ARGUMENT, "there is no command '%s'", word);
	if (near)
		error_hint(&err, "did you mean '%s'?", near);
	else
		error_hint(&err, "'wingman --help' lists them");
	(void)console_fail(c, &err);
	return EXIT_USAGE;
}

/* --help and --version mean the same wherever they stand before a "--". */
static bool asks_for(int argc, char **argv, const char *option, const char *letter)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], option) == 0 ||
		    (letter && strcmp(argv[i], letter) == 0))
			return true;
	return false;
}

/* Also where there is no suite; the others would only say that no gate answers. */
static bool is_for_anywhere(const struct command *command)
{
	return command == &command_up || command == &command_down ||
	       command == &command_audit || command == &command_keys ||
	       command == &command_doctor;
}

static const struct command *default_command(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) ? &command_console : NULL;
}

static int run_command(struct console *c, int argc, char **argv)
{
	const struct command *command = argc > 1 ? find_command(argv[1])
						 : default_command();
	struct error err = ERROR_INIT;

	if (asks_for(argc, argv, "--version", NULL)) {
		printf("wingman %s\n", WINGMAN_VERSION);
		return EXIT_DONE;
	}
	if (asks_for(argc, argv, "--help", "-h") ||
	    (argc > 1 && strcmp(argv[1], "help") == 0)) {
		if (argc > 1 && command)
			printf("usage: wingman %s\n%s\n", command->usage,
			       command->summary);
		else
			print_help(stdout);
		return EXIT_DONE;
	}
	if (argc > 1 && !command)
		return argv[1][0] == '-' ? unknown_option(c, argv[1])
					 : unknown_command(c, argv[1]);
	if (!command) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	c->dir = statedir_new(c->dir_option, &err);
	if (!c->dir || (!is_for_anywhere(command) && !statedir_require(c->dir, &err)))
		return console_fail(c, &err);
	return argc > 1 ? command->run(c, argc - 1, argv + 1)
			: command->run(c, argc, argv);
}

/* Letters of the terminal's character set; numbers and dates stay ours. */
static void set_locale(void)
{
	if (!setlocale(LC_CTYPE, "") || MB_CUR_MAX == 1)
		(void)setlocale(LC_CTYPE, "C.UTF-8");
}

int main(int argc, char **argv)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
	struct console c = { 0 };
	int status;

	if (n < 0)
		return EXIT_FAILED;
	path[n] = '\0';
	c.program_path = path;
	c.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	set_locale();
	log_setup("wingman", LOG_INFO);
	argc = take_globals(&c, argc, argv);
	status = run_command(&c, argc, argv);
	statedir_free(c.dir);
	/* What did not reach the disk or the pipe was not said. */
	if ((fflush(stdout) != 0 || ferror(stdout)) && status == EXIT_DONE)
		status = EXIT_FAILED;
	return status;
}
