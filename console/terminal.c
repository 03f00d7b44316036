#include "console/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "console/interrupt.h"

enum {
	LINE_MAX_BYTES = 4096,
	COLUMNS_DEFAULT = 80,
	ROWS_DEFAULT = 24,
	ROWS_MIN = 4,
	TICK_MS = 500
};

struct terminal {
	int fd;
};

struct terminal *terminal_open(struct error *err)
{
	_cleanup_(terminal_closep) struct terminal *t = calloc(1, sizeof *t);

	if (!t) {
		error_oom(err);
		return NULL;
	}
	t->fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (t->fd < 0) {
		error_set(err, ERR_NOT_FOUND, "there is no terminal to ask on");
		error_hint(err, "say it again in a terminal: this asks a person");
		return NULL;
	}
	return TAKE(t);
}

void terminal_close(struct terminal *t)
{
	if (!t)
		return;
	if (t->fd >= 0)
		(void)close(t->fd);
	free(t);
}

size_t terminal_columns(const struct terminal *t)
{
	struct winsize size;

	if (ioctl(t->fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return COLUMNS_DEFAULT;
	return size.ws_col;
}

size_t terminal_rows(const struct terminal *t)
{
	struct winsize size;

	if (ioctl(t->fd, TIOCGWINSZ, &size) != 0 || size.ws_row < ROWS_MIN)
		return ROWS_DEFAULT;
	return size.ws_row;
}

void terminal_write(struct terminal *t, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t n = write(t->fd, text, length);

		if (n < 0 && errno != EINTR)
			return;
		if (n > 0) {
			text += n;
			length -= (size_t)n;
		}
	}
}

void terminal_flush_input(struct terminal *t)
{
	(void)tcflush(t->fd, TCIFLUSH);
}

/* A tick, because the signal may come just before the waiting. */
static bool wait_readable(const struct terminal *t)
{
	struct pollfd p = { .fd = t->fd, .events = POLLIN };

	while (!interrupt_ends())
		if (poll(&p, 1, TICK_MS) > 0)
			return true;
	return false;
}

/* Reads bytes until newline; signals from the keyboard are read as bytes, so that
 * Ctrl-C gives up this question and nothing else: from the moment on that it can be seen. */
static bool read_line(struct terminal *t, const char *question, bool echo, char *line,
		      size_t size)
{
	struct termios before, during;
	size_t length = 0;
	bool complete = false;

	if (tcgetattr(t->fd, &before) != 0)
		return false;
	during = before;
	during.c_lflag &= ~(tcflag_t)ISIG;
	if (!echo) {
		during.c_lflag &= ~(tcflag_t)ECHO;
		during.c_lflag |= ECHONL;
	}
	during.c_cc[VEOL] = 3; /* Ctrl-C ends the line, and is then seen at its end */
	(void)tcsetattr(t->fd, TCSADRAIN, &during);
	terminal_write(t, question, strlen(question));
	while (length + 1 < size && wait_readable(t)) {
		ssize_t n = read(t->fd, line + length, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || line[length] == 3)
			break;
		if (line[length] == '\n') {
			complete = true;
			break;
		}
		length++;
	}
	line[length] = '\0';
	(void)tcsetattr(t->fd, TCSADRAIN, &before);
	if (!complete)
		terminal_write(t, "\n", 1);
	return complete;
}

char *terminal_read_line(struct terminal *t, const char *question)
{
	char line[LINE_MAX_BYTES];

	return read_line(t, question, true, line, sizeof line) ? strdup(line) : NULL;
}

struct secret *terminal_read_secret(struct terminal *t, const char *question)
{
	char line[LINE_MAX_BYTES];
	struct secret *s = NULL;

	if (read_line(t, question, false, line, sizeof line))
		s = secret_new(line, strlen(line));
	explicit_bzero(line, sizeof line);
	return s;
}
