/*
 * log -- an event with fields, one line of JSON on standard error.
 *
 *   log_info("tool.done", LOG_STR("tool", tool->name), LOG_INT("took_ms", took_ms));
 *
 * Text from outside is a field, never a format. There is no field type for
 * secrets. Lines carry "at", "level", "event" and the program's name, and, when
 * the thread has one, the request id ("request"). Only mains, dispatchers and
 * process loops log; libraries return errors. A field is cut at LOG_FIELD_MAX
 * bytes. Level and program name are two of the few globals: set once by main.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/error.h"

enum { LOG_FIELD_MAX = 2048 };
enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_type { LOG_TYPE_STR, LOG_TYPE_INT, LOG_TYPE_BOOL };

struct log_field {
	const char *name;
	enum log_type type;
	const char *str;
	int64_t num;
};

#define LOG_STR(n, v)                                                                    \
	((struct log_field){ .name = (n), .type = LOG_TYPE_STR, .str = (v) })
#define LOG_INT(n, v)                                                                    \
	((struct log_field){ .name = (n), .type = LOG_TYPE_INT, .num = (v) })
#define LOG_BOOL(n, v)                                                                   \
	((struct log_field){ .name = (n), .type = LOG_TYPE_BOOL, .num = (v) })

/* Program name and lowest level to print; 'program' is borrowed for ever. */
void log_setup(const char *program, enum log_level level);
bool log_level_parse(const char *text, enum log_level *ret_level);

/* The request that this thread works on, printed with each of its lines; borrowed; NULL for none. */
void log_set_request(const char *request_id);

void log_event(enum log_level level, const char *event, const struct log_field *fields,
	       size_t count);

/* The error's code, message and cause as fields of one event. */
void log_failure(const char *event, const struct error *err);

#define LOG_FIELDS_(...) ((const struct log_field[]){ { 0 }, ##__VA_ARGS__ })
#define log_at_(level, event, ...)                                                       \
	log_event(level, event, LOG_FIELDS_(__VA_ARGS__) + 1,                            \
		  ARRAY_SIZE(LOG_FIELDS_(__VA_ARGS__)) - 1)
#define log_debug(event, ...) log_at_(LOG_DEBUG, event, ##__VA_ARGS__)
#define log_info(event, ...)  log_at_(LOG_INFO, event, ##__VA_ARGS__)
#define log_warn(event, ...)  log_at_(LOG_WARN, event, ##__VA_ARGS__)
#define log_error(event, ...) log_at_(LOG_ERROR, event, ##__VA_ARGS__)

#endif
