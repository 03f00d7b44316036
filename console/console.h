/*
 * console -- what every command of 'wingman' is given, and how it reports.
 *
 * A command is a row: name, usage, a sentence, a function. It writes what was
 * asked for to stdout (JSON with --json), everything else to stderr, and returns
 * an exit status of the list below; these are fixed, scripts rely on them.
 */
#ifndef CONSOLE_CONSOLE_H
#define CONSOLE_CONSOLE_H

#include "base/json.h"
#include "base/statedir.h"

enum exit_status {
	EXIT_DONE = 0,   /* ran and succeeded */
	EXIT_FAILED = 1, /* ran and failed, or the command itself failed */
	EXIT_USAGE = 2,  /* wrong words; nothing was asked of anybody */
	EXIT_DENIED = 3, /* a person or the policy said no */
	EXIT_EXPIRED =
		4, /* expired, lapsed, cancelled, revoked or superseded: nothing ran */
	EXIT_UNKNOWN = 5, /* it may or may not have happened */
	EXIT_PENDING = 6, /* still waiting for a person when the command ended */
};

struct console {
	const char *dir_option; /* --dir, or NULL */
	struct statedir *dir;
	bool json;                /* --json */
	bool colour;              /* stdout is a terminal and NO_COLOR is not set */
	const char *program_path; /* this executable */
};

struct command {
	const char *name;
	const char *usage;
	const char *summary;
	/* argv[0] is the command's name. */
	int (*run)(struct console *c, int argc, char **argv);
};

extern const struct command command_call, command_approvals, command_audit,
	command_config, command_policy, command_token, command_connect, command_pin,
	command_keys, command_status, command_doctor, command_up, command_down,
	command_console, command_tools, command_docs, command_notices, command_emergency,
	command_accounts, command_chat;

/* "wingman: message" and the hint on stderr (or {"error":…} on stdout with
 * --json). Returns the exit status that fits the code. */
int console_fail(const struct console *c, const struct error *err);
int console_usage(const struct console *c, const struct command *command,
		  const char *complaint);
/* Print a JSON value on a line of stdout, in ASCII. */
void console_print_json(const json_t *value);
/* Text of strangers made visible, on stdout, each of its lines on one. */
void console_print_visible(const char *text);
/* The same without a newline: what is no plain text stands there as escapes. */
void console_put_visible(const char *text);
/* The text member of an object, borrowed; "?" when there is none. */
const char *console_member(const json_t *object, const char *name);

/* Terminal colour codes, "" where colour is off. */
const char *console_bold(const struct console *c);
const char *console_red(const struct console *c);
const char *console_green(const struct console *c);
const char *console_yellow(const struct console *c);
const char *console_dim(const struct console *c);
const char *console_plain(const struct console *c);

#endif
