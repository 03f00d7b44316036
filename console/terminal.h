/*
 * terminal -- the controlling terminal, for what a script must not answer.
 *
 * Opened as /dev/tty, whatever stdin is. What was typed before the question
 * stood there is thrown away. Ctrl-C gives the question up (no signal reaches
 * the rest of the program while a line is read).
 */
#ifndef CONSOLE_TERMINAL_H
#define CONSOLE_TERMINAL_H

#include "base/secret.h"

struct terminal;

/* NULL with ERR_NOT_FOUND when there is no controlling terminal. */
struct terminal *terminal_open(struct error *err) _must_use_;
void terminal_close(struct terminal *t);
DEFINE_CLEANUP(struct terminal, terminal_close);

/* 80 and 24 where the terminal does not know. */
size_t terminal_columns(const struct terminal *t);
size_t terminal_rows(const struct terminal *t);
void terminal_write(struct terminal *t, const char *text, size_t length);
void terminal_flush_input(struct terminal *t);
/* A line without its newline, new string; NULL at end of file or Ctrl-C. At most 4096 bytes. */
char *terminal_read_line(struct terminal *t, const char *question) _must_use_;
/* The same without echo. */
struct secret *terminal_read_secret(struct terminal *t, const char *question) _must_use_;

#endif
