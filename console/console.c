#include "console/console.h"

#include "base/utf8.h"
#include "console/render.h"

int console_fail(const struct console *c, const struct error *err)
{
	if (c->json) {
		json_auto_t *e = json_pack("{s:{s:s, s:s, s:b}}", "error", "code",
					   error_name(err->code), "message", err->message,
					   "retryable", error_retryable(err->code));

		if (e && err->hint[0])
			(void)json_object_set_new(json_object_get(e, "error"), "hint",
						  json_string(err->hint));
		if (e)
			console_print_json(e);
	} else {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

		render_text(&text, err->message);
		if (err->hint[0]) {
			strbuf_add_string(&text, "\nhint: ");
			render_text(&text, err->hint);
		}
		fprintf(stderr, "wingman: %s\n", text.data);
	}
	switch (err->code) {
	case ERR_INVALID_ARGUMENT:
	case ERR_NOT_FOUND:
	case ERR_AMBIGUOUS:
		return EXIT_USAGE;
	case ERR_PERMISSION_DENIED:
	case ERR_PROTECTED:
		return EXIT_DENIED;
	case ERR_UNKNOWN_OUTCOME:
		return EXIT_UNKNOWN;
	case ERR_NONE:
	case ERR_CONFLICT:
	case ERR_PRECONDITION_FAILED:
	case ERR_RATE_LIMITED:
	case ERR_BACKEND_UNAVAILABLE:
	case ERR_TIMEOUT:
	case ERR_APPROVAL_REQUIRED:
	case ERR_APPROVAL_INVALID:
	case ERR_INTERNAL:
	case ERR_CODE_COUNT:
		break;
	}
	return EXIT_FAILED;
}

int console_usage(const struct console *c, const struct command *command,
		  const char *complaint)
{
	struct error err = ERROR_INIT;

	error_set(&err, ERR_INVALID_ARGUMENT, "%s", complaint);
	error_hint(&err, "usage: wingman %s", command->usage);
	(void)console_fail(c, &err);
	return EXIT_USAGE;
}

/* A terminal may obey characters beyond ASCII too; escapes say the same. */
static void add_ascii(struct strbuf *sb, const char *json, size_t length)
{
	uint32_t c = 0;

	for (size_t at = 0, size; at < length; at += size) {
		size = utf8_next(json + at, length - at, &c);
		if (size == 0)
			return;
		if (c < 0x7F)
			strbuf_add_char(sb, (char)c);
		else if (c < 0x10000)
			strbuf_add_format(sb, "\\u%04x", c);
		else
			strbuf_add_format(sb, "\\u%04x\\u%04x",
					  0xD800 + ((c - 0x10000) >> 10),
					  0xDC00 + ((c - 0x10000) & 0x3FF));
	}
}

void console_print_json(const json_t *value)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, ascii = STRBUF_INIT;
	struct error err = ERROR_INIT;

	if (!json_write(&text, value, &err))
		return;
	add_ascii(&ascii, text.data, text.length);
	puts(ascii.data);
	(void)fflush(stdout);
}

void console_put_visible(const char *text)
{
	_cleanup_strbuf_ struct strbuf shown = STRBUF_INIT;

	render_text(&shown, text);
	(void)fputs(shown.data, stdout);
}

void console_print_visible(const char *text)
{
	do {
		size_t length = strcspn(text, "\n");
		_cleanup_free_ char *line = strndup(text, length);

		if (!line)
			return;
		console_put_visible(line);
		(void)putchar('\n');
		text += length;
		text += *text == '\n';
	} while (*text);
	(void)fflush(stdout);
}

const char *console_member(const json_t *object, const char *name)
{
	const char *text = json_get_string(object, name);

	return text ? text : "?";
}

static const char *code(const struct console *c, const char *text)
{
	return c->colour ? text : "";
}

const char *console_bold(const struct console *c)
{
	return code(c, "\033[1m");
}

const char *console_red(const struct console *c)
{
	return code(c, "\033[31m");
}

const char *console_green(const struct console *c)
{
	return code(c, "\033[32m");
}

const char *console_yellow(const struct console *c)
{
	return code(c, "\033[33m");
}

const char *console_dim(const struct console *c)
{
	return code(c, "\033[2m");
}

const char *console_plain(const struct console *c)
{
	return code(c, "\033[0m");
}
