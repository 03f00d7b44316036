/* wingman: a table of commands. */
#include "console/console.h"

#include "base/log.h"
#include "base/options.h"
#include "console/render.h"

static const struct command *const commands[] = {
	&command_up,	   &command_down,   &command_console, &command_call,   &command_tools,
	&command_docs,	   &command_approvals, &command_audit, &command_config, &command_policy,
	&command_token,	   &command_connect, &command_pin,    &command_keys,   &command_status,
	&command_doctor,
};

struct global_options {
	const char *dir;
	bool json;
};

static const struct option_row rows[] = {
	OPTION_STRING("dir", 'd', "DIR", "folder of the suite (default: $WINGMAN_DIR)",
		      offsetof(struct global_options, dir)),
	OPTION_BOOL("json", 'j', "machine-readable output", offsetof(struct global_options, json)),
	OPTION_END,
};

static void print_help(FILE *out)
{
	options_help("wingman", "[--dir DIR] [--json] COMMAND [ARGUMENTS]",
		     "Tools of the security team; nothing runs before a person said yes.\n"
		     "Without a command, on a terminal, it opens the console.",
		     rows, out);
	fprintf(out, "\ncommands:\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-11s %s\n", commands[i]->name, commands[i]->summary);
	fprintf(out, "\n'wingman COMMAND --help' tells more. Exit status: 0 done, 1 failed, 2 usage,\n"
		     "3 denied, 4 expired or withdrawn, 5 outcome unknown, 6 still pending.\n");
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
		else if ((strcmp(argv[i], "--dir") == 0 || strcmp(argv[i], "-d") == 0) && i + 1 < argc)
			c->dir_option = argv[++i];
		else if (strncmp(argv[i], "--dir=", 6) == 0)
			c->dir_option = argv[i] + 6;
		else
			argv[kept++] = argv[i];
	}
	argv[kept] = NULL;
	return kept;
}

static int run_command(struct console *c, int argc, char **argv)
{
	const struct command *command;
	struct error err = ERROR_INIT;

	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
			 strcmp(argv[1], "help") == 0)) {
		print_help(stdout);
		return EXIT_DONE;
	}
	if (argc > 1 && strcmp(argv[1], "--version") == 0) {
		printf("wingman %s\n", WINGMAN_VERSION);
		return EXIT_DONE;
	}
	if (argc < 2) {
		if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
			print_help(stderr);
			return EXIT_USAGE;
		}
		command = &command_console;
	} else {
		command = find_command(argv[1]);
		if (!command) {
			error_set(&err, ERR_INVALID_ARGUMENT, "there is no command '%s'", argv[1]);
			error_hint(&err, "'wingman --help' lists them");
			console_fail(c, &err);
			return EXIT_USAGE;
		}
		argc--;
		argv++;
	}
	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		printf("usage: wingman %s\n%s\n", command->usage, command->summary);
		return EXIT_DONE;
	}
	c->dir = statedir_new(c->dir_option, &err);
	if (!c->dir)
		return console_fail(c, &err);
	return command->run(c, argc, argv);
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
	log_setup("wingman", LOG_INFO);
	argc = take_globals(&c, argc, argv);
	status = run_command(&c, argc, argv);
	statedir_free(c.dir);
	return status;
}
