/*
 * session -- what the commands of the interactive console share.
 *
 * A command is a row: word, what it takes, a sentence, a function. The gate may go
 * away and come back meanwhile; a command that needs it is run only on a live link.
 */
#ifndef CONSOLE_SESSION_H
#define CONSOLE_SESSION_H

#include "console/console.h"
#include "console/editor.h"
#include "console/gate_link.h"

struct session {
	struct console *console;
	struct gate_link *gate; /* NULL while it is away */
	struct editor *editor;
	json_t *servers; /* as last listed, for completion */
	bool ended;
	int status; /* of the last command */
};

struct session_command {
	const char *word;     /* "/call" */
	const char *operands; /* "TOOL [JSON]" */
	const char *summary;
	enum complete_kind completes;
	bool needs_gate;
	/* 'rest' is what follows the word, without spaces around it; it may be changed. */
	int (*run)(struct session *s, char *rest);
};

extern const struct session_command session_commands[];
extern const size_t session_command_count;

/* Run one line: a command, or a tool and its arguments. */
void session_run_line(struct session *s, const char *line);
/* What of a line may be kept in a file: arguments of a tool that takes sensitive ones may
 * not. A new string, NULL: nothing. */
char *session_history_line(const struct session *s, const char *line) _must_use_;
/* Make sure of the gate; says so when it had gone away. */
bool session_connect(struct session *s, struct error *err);
/* Cut the first word off; the rest without leading spaces. */
char *session_after_word(char *text);
/* Say that what was typed is not right; the exit status. */
int session_complain(const struct session *s, const char *message, const char *hint);
/* There is no such tool; one that is near is named. */
int session_refuse_tool(struct session *s, const char *name);

/* --- session_call.c --- */

/* "accounts.get_account {...}": called as /call does. */
int session_call(struct session *s, char *rest);
/* Several calls for one decision: as JSON, "@FILE", or asked for one by one. */
int session_several(struct session *s, char *rest);
/* The arguments of a tool, asked for field by field where there is a terminal; 'given' as
 * form_ask() has it. NULL without 'err': given up. */
json_t *session_ask_arguments(struct session *s, const char *name, const json_t *tool,
			      const json_t *given, struct error *err) _must_use_;

/* --- session_playbook.c --- */

/* "phishing.md 4": what that step suggests, as a form and then a proposal; without a number
 * the playbook's steps. */
int session_playbook(struct session *s, char *rest);

#endif
