#include "console/editor.h"

#include <errno.h>
#include <fcntl.h>
#include <histedit.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "base/text.h"
#include "console/interrupt.h"

enum { HISTORY_LINES = 1000, HISTORY_LINE_MAX = 4096, TICK_MS = 500 };

struct editor {
	EditLine *edit; /* NULL: no terminal */
	History *history;
	char *history_path;
	const char *prompt;
	editor_complete *complete;
	void *context;
	bool given_up;
	struct winsize size;
};

static struct editor *self(EditLine *edit)
{
	struct editor *e = NULL;

	(void)el_get(edit, EL_CLIENTDATA, &e);
	return e;
}

static char *prompt_of(EditLine *edit)
{
	return (char *)(uintptr_t)self(edit)->prompt;
}

/* libedit's own way with signals sends them on to the whole process group, and with
 * that to whatever started us. Here a tick notices an end and another window size. */
static bool wait_for_key(EditLine *edit)
{
	struct editor *e = self(edit);
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	struct winsize now;

	while (!interrupt_ends()) {
		if (poll(&p, 1, TICK_MS) > 0)
			return true;
		if (ioctl(STDIN_FILENO, TIOCGWINSZ, &now) != 0 ||
		    (now.ws_col == e->size.ws_col && now.ws_row == e->size.ws_row))
			continue;
		e->size = now;
		el_resize(edit);
	}
	return false;
}

/* One character, however many bytes it has; bytes that are none are dropped. */
static int read_character(EditLine *edit, wchar_t *ret)
{
	mbstate_t state = { 0 };

	while (wait_for_key(edit)) {
		char byte;
		ssize_t n = read(STDIN_FILENO, &byte, 1);
		size_t used;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return (int)n;
		used = mbrtowc(ret, &byte, 1, &state);
		if (used == (size_t)-1)
			state = (mbstate_t){ 0 };
		else if (used != (size_t)-2)
			return 1;
	}
	return 0;
}

static unsigned char on_interrupt(EditLine *edit, int key)
{
	(void)key;
	self(edit)->given_up = true;
	return CC_EOF;
}

static void print_words(const struct complete_result *r)
{
	printf("\n");
	for (size_t i = 0; i < r->count; i++)
		printf("%s\n", r->word[i]);
	(void)fflush(stdout);
}

static unsigned char apply(EditLine *edit, const struct complete_result *r)
{
	_cleanup_strbuf_ struct strbuf more = STRBUF_INIT;

	if (r->count == 0)
		return CC_ERROR;
	strbuf_add(&more, r->word[0] + r->typed, r->common - r->typed);
	if (r->count == 1)
		strbuf_add_char(&more, ' ');
	if (more.length > 0)
		return el_insertstr(edit, more.data) == 0 ? CC_REFRESH : CC_ERROR;
	print_words(r);
	return CC_REDISPLAY;
}

static unsigned char on_tab(EditLine *edit, int key)
{
	struct editor *e = self(edit);
	const LineInfo *info = el_line(edit);
	_cleanup_free_ char *line =
		strndup(info->buffer, (size_t)(info->cursor - info->buffer));
	_cleanup_(complete_done) struct complete_result result = { 0 };

	(void)key;
	if (!line)
		return CC_ERROR;
	e->complete(e->context, line, &result);
	return apply(edit, &result);
}

/* --- history ---------------------------------------------------------------- */

/* Never through a link that somebody else put there. */
static FILE *open_history(const struct editor *e, int flags, const char *mode)
{
	int fd = e->history_path
			 ? open(e->history_path, flags | O_CLOEXEC | O_NOFOLLOW, 0600)
			 : -1;
	FILE *f = fd < 0 ? NULL : fdopen(fd, mode);

	if (fd >= 0 && !f)
		(void)close(fd);
	return f;
}

/* Write what is in memory: of a file grown long, the newest lines. */
static void shorten_history(const struct editor *e)
{
	FILE *f = open_history(e, O_WRONLY | O_CREAT | O_TRUNC, "w");
	HistEvent event;
	int more;

	if (!f)
		return;
	for (more = history(e->history, &event, H_LAST); more == 0;
	     more = history(e->history, &event, H_PREV))
		(void)fprintf(f, "%s\n", event.str);
	(void)fclose(f);
}

static void load_history(struct editor *e)
{
	FILE *f = open_history(e, O_RDONLY, "r");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	size_t lines = 0;
	ssize_t n;
	HistEvent event;

	for (; f && (n = getline(&line, &size, f)) > 0; lines++) {
		if (line[n - 1] == '\n')
			line[--n] = '\0';
		if (n > 0 && n <= HISTORY_LINE_MAX && text_is_utf8(line, (size_t)n))
			(void)history(e->history, &event, H_ENTER, line);
	}
	if (f)
		(void)fclose(f);
	if (lines > 2 * HISTORY_LINES)
		shorten_history(e);
}

static void save_line(const struct editor *e, const char *line)
{
	FILE *f = open_history(e, O_WRONLY | O_CREAT | O_APPEND, "a");

	if (!f)
		return;
	(void)fprintf(f, "%s\n", line);
	(void)fclose(f);
}

void editor_remember(struct editor *e, const char *line)
{
	HistEvent event;

	if (!e->edit || !*line || *line == ' ' || strlen(line) > HISTORY_LINE_MAX)
		return;
	/* 1: it is the line before again */
	if (history(e->history, &event, H_ENTER, line) == 0)
		return;
	save_line(e, line);
}

/* --- life ------------------------------------------------------------------- */

static bool set_up(struct editor *e, struct error *err)
{
	HistEvent event;

	e->edit = el_init("wingman", stdin, stdout, stderr);
	e->history = history_init();
	if (!e->edit || !e->history)
		return error_set(err, ERR_INTERNAL, "cannot set the line editor up");
	(void)history(e->history, &event, H_SETSIZE, HISTORY_LINES);
	(void)history(e->history, &event, H_SETUNIQUE, 1);
	(void)el_set(e->edit, EL_CLIENTDATA, e);
	(void)el_set(e->edit, EL_PROMPT, prompt_of);
	(void)el_set(e->edit, EL_EDITOR, "emacs");
	(void)el_set(e->edit, EL_SIGNAL, 0);
	(void)el_set(e->edit, EL_GETCFN, read_character);
	(void)el_set(e->edit, EL_HIST, history, e->history);
	/* Of el_set libedit would keep copies for ever. */
	(void)el_wset(e->edit, EL_ADDFN, L"wingman-complete", L"complete the word",
		      on_tab);
	(void)el_wset(e->edit, EL_ADDFN, L"wingman-give-up", L"give the line up",
		      on_interrupt);
	(void)el_set(e->edit, EL_BIND, "^I", "wingman-complete", NULL);
	/* Ctrl-C is a key here, not a signal that might come between two reads. */
	(void)el_set(e->edit, EL_SETTY, "-d", "-isig", NULL);
	(void)el_set(e->edit, EL_BIND, "^C", "wingman-give-up", NULL);
	(void)el_set(e->edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
	load_history(e);
	return true;
}

struct editor *editor_new(const char *history_path, editor_complete *complete,
			  void *context, struct error *err)
{
	_cleanup_(editor_freep) struct editor *e = calloc(1, sizeof *e);

	if (e && history_path)
		e->history_path = strdup(history_path);
	if (!e || (history_path && !e->history_path)) {
		error_oom(err);
		return NULL;
	}
	e->complete = complete;
	e->context = context;
	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !set_up(e, err))
		return NULL;
	return TAKE(e);
}

void editor_free(struct editor *e)
{
	if (!e)
		return;
	if (e->edit)
		el_end(e->edit);
	if (e->history)
		history_end(e->history);
	free(e->history_path);
	free(e);
}

bool editor_is_terminal(const struct editor *e)
{
	return e->edit != NULL;
}

/* --- reading ---------------------------------------------------------------- */

static enum editor_result hand_over(const char *text, size_t length, char **ret_line)
{
	while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
		length--;
	*ret_line = strndup(text, length);
	return *ret_line ? EDITOR_LINE : EDITOR_END;
}

static enum editor_result read_plain(char **ret_line)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	ssize_t n = getline(&line, &size, stdin);

	if (n <= 0)
		return EDITOR_END;
	return n > EDITOR_LINE_MAX ? EDITOR_GIVEN_UP
				   : hand_over(line, (size_t)n, ret_line);
}

enum editor_result editor_read(struct editor *e, const char *prompt, char **ret_line)
{
	const char *text;
	int length = 0;

	if (!e->edit)
		return read_plain(ret_line);
	e->prompt = prompt;
	e->given_up = false;
	(void)ioctl(STDIN_FILENO, TIOCGWINSZ, &e->size);
	el_resize(e->edit);
	text = el_gets(e->edit, &length);
	if (text && length > 0)
		return hand_over(text, (size_t)length, ret_line);
	printf("\n");
	(void)fflush(stdout);
	return e->given_up ? EDITOR_GIVEN_UP : EDITOR_END;
}
