/*
 * editor -- lines from a person: edited where stdin is a terminal, read as they
 * come where it is not.
 *
 * On libedit. Ctrl-C gives the line up, Ctrl-D on an empty line is the end, Tab
 * completes. The history is a file of mode 0600; lines that begin with a space are
 * not kept. Without a terminal nothing is printed and nothing is kept.
 */
#ifndef CONSOLE_EDITOR_H
#define CONSOLE_EDITOR_H

#include "base/error.h"
#include "console/complete.h"

enum { EDITOR_LINE_MAX = 1024 * 1024 };

enum editor_result { EDITOR_LINE, EDITOR_GIVEN_UP, EDITOR_END };

/* What may stand at the end of 'line'; fills 'ret', which the editor frees. */
typedef void editor_complete(void *context, const char *line,
			     struct complete_result *ret);

struct editor;

/* 'history_path' may be NULL: nothing is kept. */
struct editor *editor_new(const char *history_path, editor_complete *complete,
			  void *context, struct error *err) _must_use_;
void editor_free(struct editor *e); /* the terminal as it was */
DEFINE_CLEANUP(struct editor, editor_free);

bool editor_is_terminal(const struct editor *e);
/* A line without its newline goes to 'ret_line' (new string) when the result is EDITOR_LINE. */
enum editor_result editor_read(struct editor *e, const char *prompt, char **ret_line);
/* Keep a line in the history, now and on the disk. */
void editor_remember(struct editor *e, const char *line);

#endif
