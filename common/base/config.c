#include "base/config.h"

#include <math.h>
#include <yaml.h>

#include "base/file.h"
#include "base/number.h"

struct config {
	char *name;
	json_t *root;
	json_t *lines; /* JSON Pointer -> line */
};

struct reader {
	yaml_parser_t *yaml;
	struct config *config;
	struct strbuf pointer; /* of the value that is being read */
	struct error *err;
};

static bool complain(const struct reader *r, size_t line, const char *reason)
{
	return error_set(r->err, ERR_INVALID_ARGUMENT, "%s:%zu: %s", r->config->name,
			 line, reason);
}

static size_t line_of(const yaml_event_t *event)
{
	return event->start_mark.line + 1;
}

static bool yaml_fault(const struct reader *r)
{
	const char *problem = r->yaml->problem ? r->yaml->problem : "no YAML";

	if (r->yaml->error == YAML_MEMORY_ERROR)
		return error_oom(r->err);
	if (r->yaml->error != YAML_READER_ERROR)
		return complain(r, r->yaml->problem_mark.line + 1, problem);
	/* The reader knows the byte alone, and decodes ahead of the line it is on. */
	return error_set(r->err, ERR_INVALID_ARGUMENT, "%s:%zu: %s at byte %zu",
			 r->config->name, r->yaml->mark.line + 1, problem,
			 r->yaml->problem_offset + 1);
}

static bool next_event(const struct reader *r, yaml_event_t *event)
{
	return yaml_parser_parse(r->yaml, event) ? true : yaml_fault(r);
}

/* What YAML has and we do not want: the same text must mean the same to everybody. */
static bool refuse_extras(const struct reader *r, const yaml_event_t *event)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;

	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return complain(r, line_of(event), "aliases are not allowed");
	case YAML_SCALAR_EVENT:
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
		break;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		break;
	}
	if (anchor)
		return complain(r, line_of(event), "anchors are not allowed");
	if (tag)
		return complain(r, line_of(event), "tags are not allowed");
	return true;
}

static bool is_one_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(text, *words) == 0)
			return true;
	return false;
}

static bool is_null(const char *text)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL", NULL };

	return is_one_of(text, words);
}

static bool is_true(const char *text)
{
	static const char *const words[] = { "true", "True", "TRUE", NULL };

	return is_one_of(text, words);
}

static bool is_false(const char *text)
{
	static const char *const words[] = { "false", "False", "FALSE", NULL };

	return is_one_of(text, words);
}

static bool is_infinite_or_nan(const char *text)
{
	static const char *const words[] = { ".inf", ".Inf", ".INF", ".nan",
					     ".NaN", ".NAN", NULL };

	return is_one_of(text + (*text == '-' || *text == '+'), words);
}

/* [0-9]+ or float of the core schema, after the sign. */
static bool is_decimal(const char *p)
{
	size_t whole = strspn(p, "0123456789"), fraction = 0;

	p += whole;
	if (*p == '.') {
		fraction = strspn(p + 1, "0123456789");
		p += 1 + fraction;
	}
	if (whole + fraction == 0)
		return false;
	if (*p == 'e' || *p == 'E') {
		p++;
		p += *p == '-' || *p == '+';
		size_t digits = strspn(p, "0123456789");
		if (digits == 0)
			return false;
		p += digits;
	}
	return *p == '\0';
}

static json_t *too_large(const struct reader *r, size_t line)
{
	complain(r, line, "the number is too large");
	return NULL;
}

static json_t *no_memory(const struct reader *r)
{
	error_oom(r->err);
	return NULL;
}

static json_t *read_decimal(const struct reader *r, const char *text, size_t line)
{
	bool negative = *text == '-';
	const char *digits = text + (*text == '-' || *text == '+');
	struct number n = number_read(digits, strlen(digits));

	/* To YAML 1.1 it was octal, to 1.2 it is decimal: nobody knows what was meant. */
	if (n.is_integer && digits[0] == '0' && digits[1]) {
		complain(r, line,
			 "a number with a leading zero; quote it, or write 0o...");
		return NULL;
	}
	if (n.is_integer ? !n.is_int64 || n.integer > JSON_INTEGER_MAX : isinf(n.value))
		return too_large(r, line);
	json_t *value = n.is_integer ? json_integer(negative ? -n.integer : n.integer)
				     : json_real(negative ? -n.value : n.value);
	return value ? value : no_memory(r);
}

static bool is_based(const char *text)
{
	if (text[0] != '0' || (text[1] != 'o' && text[1] != 'x') || !text[2])
		return false;
	const char *allowed = text[1] == 'o' ? "01234567" : "0123456789abcdefABCDEF";
	return text[2 + strspn(text + 2, allowed)] == '\0';
}

static json_t *read_based(const struct reader *r, const char *text, size_t line)
{
	long long number = strtoll(text + 2, NULL, text[1] == 'o' ? 8 : 16);

	if (number > JSON_INTEGER_MAX)
		return too_large(r, line);
	json_t *value = json_integer(number);
	return value ? value : no_memory(r);
}

/* Plain scalars by YAML 1.2's core schema: 'yes', 'on' and dates are strings. */
static json_t *read_plain(const struct reader *r, const char *text, size_t line)
{
	if (is_null(text))
		return json_null();
	if (is_true(text))
		return json_true();
	if (is_false(text))
		return json_false();
	if (is_based(text))
		return read_based(r, text, line);
	if (is_decimal(text + (*text == '-' || *text == '+')))
		return read_decimal(r, text, line);
	if (is_infinite_or_nan(text)) {
		complain(r, line, "infinity and not-a-number are not allowed");
		return NULL;
	}
	json_t *value = json_string(text);
	return value ? value : no_memory(r);
}

static json_t *read_scalar(const struct reader *r, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t length = event->data.scalar.length;

	if (memchr(text, '\0', length)) {
		complain(r, line_of(event), "a string holds a NUL");
		return NULL;
	}
	if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		return read_plain(r, text, line_of(event));
	json_t *value = json_stringn(text, length);
	return value ? value : no_memory(r);
}

/* RFC 6901: '~' and '/' are written "~0" and "~1". */
static void push_name(struct strbuf *pointer, const char *name)
{
	strbuf_add_char(pointer, '/');
	for (; *name; name++) {
		if (*name == '~')
			strbuf_add_string(pointer, "~0");
		else if (*name == '/')
			strbuf_add_string(pointer, "~1");
		else
			strbuf_add_char(pointer, *name);
	}
}

static json_t *read_value(struct reader *r, yaml_event_t *event, int depth);

static bool read_items(struct reader *r, json_t *array, int depth)
{
	const size_t parent = r->pointer.length;

	for (;;) {
		yaml_event_t event;
		if (!next_event(r, &event))
			return false;
		if (event.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&event);
			return true;
		}
		strbuf_add_format(&r->pointer, "/%zu", json_array_size(array));
		json_t *item = read_value(r, &event, depth);
		yaml_event_delete(&event);
		strbuf_truncate(&r->pointer, parent);
		if (!item)
			return false;
		if (json_array_append_new(array, item) != 0)
			return error_oom(r->err);
	}
}

/* A member's name must be a scalar; its text is the name, whatever it looks like. */
static bool check_name(const struct reader *r, const yaml_event_t *event,
		       const json_t *object)
{
	if (event->type != YAML_SCALAR_EVENT && event->type != YAML_ALIAS_EVENT)
		return complain(r, line_of(event), "a name must be plain text");
	if (!refuse_extras(r, event))
		return false;
	const char *name = (const char *)event->data.scalar.value;
	if (memchr(name, '\0', event->data.scalar.length))
		return complain(r, line_of(event), "a name holds a NUL");
	if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	    strcmp(name, "<<") == 0)
		return complain(r, line_of(event), "merge keys are not allowed");
	if (json_object_get(object, name))
		return error_set(r->err, ERR_INVALID_ARGUMENT,
				 "%s:%zu: '%.64s' was there before", r->config->name,
				 line_of(event), name);
	return true;
}

static bool read_member(struct reader *r, const yaml_event_t *name_event, json_t *object,
			int depth)
{
	const size_t parent = r->pointer.length;
	const char *name = (const char *)name_event->data.scalar.value;
	yaml_event_t event;

	if (!check_name(r, name_event, object) || !next_event(r, &event))
		return false;
	push_name(&r->pointer, name);
	json_t *value = read_value(r, &event, depth);
	yaml_event_delete(&event);
	strbuf_truncate(&r->pointer, parent);
	if (!value)
		return false;
	if (json_object_set_new(object, name, value) != 0)
		return error_oom(r->err);
	return true;
}

static bool read_members(struct reader *r, json_t *object, int depth)
{
	for (;;) {
		yaml_event_t event;
		if (!next_event(r, &event))
			return false;
		bool ended = event.type == YAML_MAPPING_END_EVENT;
		bool done = ended || read_member(r, &event, object, depth);
		yaml_event_delete(&event);
		if (ended || !done)
			return done;
	}
}

static bool note_line(struct reader *r, size_t line)
{
	if (!strbuf_ok(&r->pointer) ||
	    json_object_set_new(r->config->lines, r->pointer.data,
				json_integer((json_int_t)line)) != 0)
		return error_oom(r->err);
	return true;
}

static json_t *read_value(struct reader *r, yaml_event_t *event, int depth)
{
	if (!refuse_extras(r, event) || !note_line(r, line_of(event)))
		return NULL;
	if (event->type == YAML_SCALAR_EVENT)
		return read_scalar(r, event);
	if (depth >= CONFIG_DEPTH_MAX) {
		complain(r, line_of(event), "nested too deep");
		return NULL;
	}
	bool is_list = event->type == YAML_SEQUENCE_START_EVENT;
	json_auto_t *value = is_list ? json_array() : json_object();
	if (!value)
		return no_memory(r);
	if (is_list ? !read_items(r, value, depth + 1)
		    : !read_members(r, value, depth + 1))
		return NULL;
	return TAKE(value);
}

static bool read_document(struct reader *r, const yaml_event_t *start)
{
	yaml_event_t event;

	if (start->data.document_start.tag_directives.start !=
	    start->data.document_start.tag_directives.end)
		return complain(r, line_of(start), "tags are not allowed");
	if (r->config->root)
		return complain(r, line_of(start), "a second document is not allowed");
	if (!next_event(r, &event))
		return false;
	r->config->root = read_value(r, &event, 0);
	yaml_event_delete(&event);
	return r->config->root != NULL;
}

static bool read_stream(struct reader *r)
{
	for (;;) {
		yaml_event_t event;
		if (!next_event(r, &event))
			return false;
		yaml_event_type_t type = event.type;
		bool done = type != YAML_DOCUMENT_START_EVENT || read_document(r, &event);
		yaml_event_delete(&event);
		if (!done || type == YAML_STREAM_END_EVENT)
			return done;
	}
}

static bool parse(struct config *c, const char *text, size_t length, struct error *err)
{
	yaml_parser_t yaml;
	struct reader r = { &yaml, c, STRBUF_INIT, err };

	if (!yaml_parser_initialize(&yaml))
		return error_oom(err);
	yaml_parser_set_encoding(&yaml, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&yaml, (const unsigned char *)text, length);
	bool done = read_stream(&r);
	yaml_parser_delete(&yaml);
	strbuf_done(&r.pointer);
	/* A file of comments alone sets nothing. */
	if (done && !c->root && !(c->root = json_object()))
		return error_oom(err);
	return done;
}

struct config *config_parse(const char *name, const char *text, size_t length,
			    struct error *err)
{
	_cleanup_(config_freep) struct config *c = calloc(1, sizeof *c);

	if (!c || !(c->name = strdup(name)) || !(c->lines = json_object())) {
		error_oom(err);
		return NULL;
	}
	if (length > CONFIG_BYTES_MAX) {
		error_set(err, ERR_INVALID_ARGUMENT, "%s:1: longer than %d bytes", name,
			  CONFIG_BYTES_MAX);
		return NULL;
	}
	return parse(c, text, length, err) ? TAKE(c) : NULL;
}

struct config *config_read(const char *path, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	if (!file_read(path, CONFIG_BYTES_MAX, &text, err))
		return NULL;
	return config_parse(path, text.data, text.length, err);
}

void config_free(struct config *c)
{
	if (!c)
		return;
	json_decref(c->root);
	json_decref(c->lines);
	free(c->name);
	free(c);
}

json_t *config_root(const struct config *c)
{
	return c->root;
}

const char *config_name(const struct config *c)
{
	return c->name;
}

int config_line(const struct config *c, const char *pointer)
{
	size_t length = strlen(pointer);

	for (;;) {
		const json_t *line = json_object_getn(c->lines, pointer, length);
		if (line)
			return (int)json_integer_value(line);
		while (length > 0 && pointer[length - 1] != '/')
			length--;
		if (length == 0)
			return 1;
		length--;
	}
}
