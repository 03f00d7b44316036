#include "base/log.h"

#include <errno.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "base/utf8.h"

/* Set once by main, before there are threads; every line needs them. */
static const char *log_program = "";
static enum log_level log_lowest = LOG_INFO;
/* The request this thread works on: passing it along would touch every function. */
static _Thread_local const char *log_request;

static const char *const level_names[] = {
	[LOG_DEBUG] = "debug",
	[LOG_INFO] = "info",
	[LOG_WARN] = "warn",
	[LOG_ERROR] = "error",
};

void log_setup(const char *program, enum log_level level)
{
	log_program = program;
	log_lowest = level;
}

bool log_level_parse(const char *text, enum log_level *ret_level)
{
	for (size_t i = 0; i < ARRAY_SIZE(level_names); i++) {
		if (strcmp(text, level_names[i]) == 0) {
			*ret_level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

void log_set_request(const char *request_id)
{
	log_request = request_id;
}

/* Characters that could steer the terminal of who reads the log, or hide text. */
static bool is_steering(uint32_t c)
{
	return (c >= 0x7F && c <= 0x9F) || (c >= 0x200B && c <= 0x200F) ||
	       (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) ||
	       c == 0xFEFF;
}

/* A JSON string of at most LOG_FIELD_MAX bytes of 'text'; bytes that are no UTF-8
 * become U+FFFD, so that the line is JSON whatever came from outside. */
static void add_text(struct strbuf *line, const char *text)
{
	size_t length = strnlen(text, LOG_FIELD_MAX + 1);
	bool cut = length > LOG_FIELD_MAX;
	size_t start = 0, size;
	uint32_t c = 0;

	if (cut)
		length = LOG_FIELD_MAX;
	strbuf_add_char(line, '"');
	for (size_t at = 0; at < length; at += size) {
		size = utf8_next(text + at, length - at, &c);
		if (size && c >= 0x20 && c != '"' && c != '\\' && !is_steering(c))
			continue;
		strbuf_add(line, text + start, at - start);
		if (!size) {
			size = 1;
			strbuf_add_string(line,
					  cut && length - at < 4 ? "" : "\xEF\xBF\xBD");
		} else if (c == '"' || c == '\\') {
			strbuf_add_char(line, '\\');
			strbuf_add_char(line, (char)c);
		} else {
			strbuf_add_format(line, "\\u%04x", c);
		}
		start = at + size;
	}
	strbuf_add(line, text + start, length - start);
	strbuf_add_string(line, cut ? "…\"" : "\"");
}

static void add_member(struct strbuf *line, const char *name, const char *text)
{
	strbuf_add_char(line, ',');
	add_text(line, name);
	strbuf_add_char(line, ':');
	if (text)
		add_text(line, text);
	else
		strbuf_add_string(line, "null");
}

static void add_field(struct strbuf *line, const struct log_field *field)
{
	if (field->type == LOG_TYPE_STR) {
		add_member(line, field->name, field->str);
		return;
	}
	strbuf_add_char(line, ',');
	add_text(line, field->name);
	strbuf_add_char(line, ':');
	if (field->type == LOG_TYPE_INT)
		strbuf_add_int64(line, field->num);
	else
		strbuf_add_string(line, field->num ? "true" : "false");
}

/* One write a line, so that lines of several threads and processes do not mix. */
static void write_line(const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t n = write(STDERR_FILENO, bytes, length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* nowhere left to complain to */
		bytes += n;
		length -= (size_t)n;
	}
}

void log_event(enum log_level level, const char *event, const struct log_field *fields,
	       size_t count)
{
	static const char no_memory[] =
		"{\"level\":\"error\",\"event\":\"log.no_memory\"}\n";
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
	char at[CLOCK_TEXT_BYTES];
	int saved = errno;

	if (level < log_lowest)
		return;
	strbuf_add_format(&line, "{\"at\":\"%s\",\"level\":\"%s\"",
			  clock_format_ms(clock_wall_ms(), at), level_names[level]);
	add_member(&line, "event", event);
	add_member(&line, "program", log_program);
	if (log_request)
		add_member(&line, "request", log_request);
	for (size_t i = 0; i < count; i++)
		add_field(&line, &fields[i]);
	strbuf_add_string(&line, "}\n");
	if (strbuf_ok(&line))
		write_line(line.data, line.length);
	else
		write_line(no_memory, sizeof no_memory - 1);
	errno = saved;
}

void log_failure(const char *event, const struct error *err)
{
	const struct log_field fields[] = {
		LOG_STR("code", error_name(err->code)),
		LOG_STR("message", err->message),
	};
	struct log_field all[ARRAY_SIZE(fields) + 2];
	size_t count = ARRAY_SIZE(fields);

	memcpy(all, fields, sizeof fields);
	if (err->hint[0])
		all[count++] = LOG_STR("hint", err->hint);
	if (err->cause[0])
		all[count++] = LOG_STR("cause", err->cause);
	log_event(err->code == ERR_INTERNAL ? LOG_ERROR : LOG_WARN, event, all, count);
}
