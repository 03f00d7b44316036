#include "mcp/param_headers.h"

#include <strings.h>

#include "mcp/header_value.h"

static const char ANNOTATION[] = "x-mcp-header";
enum { NAME_MAX_BYTES = 64 };

struct param_header {
	char name[sizeof "Mcp-Param-" + NAME_MAX_BYTES];
	char *path[PARAM_HEADERS_DEPTH_MAX]; /* names of properties from the root on */
	size_t depth;
};

struct param_headers {
	struct param_header rows[PARAM_HEADERS_MAX];
	size_t count;
};

/* Where a walk through a schema is. */
struct walk {
	struct param_headers *found;
	const char *path[PARAM_HEADERS_DEPTH_MAX];
	size_t depth;
	bool is_reachable; /* through 'properties' alone */
	struct error *err;
};

void param_headers_free(struct param_headers *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->count; i++)
		for (size_t k = 0; k < p->rows[i].depth; k++)
			free(p->rows[i].path[k]);
	free(p);
}

size_t param_headers_count(const struct param_headers *p)
{
	return p->count;
}

static bool is_token(const char *text)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	for (; *text; text++)
		if (!((*text >= '0' && *text <= '9') || (*text >= 'A' && *text <= 'Z') ||
		      (*text >= 'a' && *text <= 'z') || strchr(others, *text)))
			return false;
	return true;
}

static bool check_name(const struct walk *w, const json_t *annotation)
{
	const char *name = json_string_value(annotation);

	if (!name || !*name || strlen(name) != json_string_length(annotation) ||
	    strlen(name) > NAME_MAX_BYTES || !is_token(name))
		return error_set(w->err, ERR_INVALID_ARGUMENT,
				 "%s must be 1 to %d characters of an HTTP token",
				 ANNOTATION, NAME_MAX_BYTES);
	for (size_t i = 0; i < w->found->count; i++)
		if (strcasecmp(w->found->rows[i].name + strlen("Mcp-Param-"), name) == 0)
			return error_set(w->err, ERR_INVALID_ARGUMENT,
					 "%s '%s' stands twice", ANNOTATION, name);
	return true;
}

static bool check_place(const struct walk *w, const json_t *schema)
{
	const char *type = json_get_string(schema, "type");

	if (!w->is_reachable || w->depth == 0)
		return error_set(w->err, ERR_INVALID_ARGUMENT,
				 "%s stands where only 'properties' may lead to",
				 ANNOTATION);
	if (!type || (strcmp(type, "string") != 0 && strcmp(type, "integer") != 0 &&
		      strcmp(type, "boolean") != 0))
		return error_set(w->err, ERR_INVALID_ARGUMENT,
				 "%s is for type string, integer or boolean", ANNOTATION);
	if (w->found->count == PARAM_HEADERS_MAX)
		return error_set(w->err, ERR_INVALID_ARGUMENT, "more than %d of %s",
				 PARAM_HEADERS_MAX, ANNOTATION);
	return true;
}

static bool add(struct walk *w, const json_t *schema)
{
	const json_t *annotation = json_object_get(schema, ANNOTATION);

	if (!annotation)
		return true;
	if (!check_name(w, annotation) || !check_place(w, schema))
		return false;
	struct param_header *row = &w->found->rows[w->found->count++];
	(void)snprintf(row->name, sizeof row->name, "Mcp-Param-%s",
		       json_string_value(annotation));
	for (; row->depth < w->depth; row->depth++) {
		row->path[row->depth] = strdup(w->path[row->depth]);
		if (!row->path[row->depth])
			return error_oom(w->err);
	}
	return true;
}

static bool walk_schema(struct walk *w, const json_t *schema);

static bool walk_properties(struct walk *w, json_t *properties)
{
	const char *name;
	json_t *schema;

	json_object_foreach(properties, name, schema)
	{
		if (w->depth == PARAM_HEADERS_DEPTH_MAX) {
			/* Too deep to be mirrored; an annotation down there is refused. */
			bool was_reachable = w->is_reachable;

			w->is_reachable = false;
			if (!walk_schema(w, schema))
				return false;
			w->is_reachable = was_reachable;
			continue;
		}
		w->path[w->depth++] = name;
		bool good = walk_schema(w, schema);
		w->depth--;
		if (!good)
			return false;
	}
	return true;
}

/* Everything else that a schema holds, where no annotation may stand. */
static bool walk_other(struct walk *w, json_t *value)
{
	const char *name;
	json_t *member;
	size_t i;

	json_array_foreach(value, i, member)
	{
		if (!walk_schema(w, member))
			return false;
	}
	if (!json_is_object(value))
		return true;
	json_object_foreach(value, name, member)
	{
		if (!walk_schema(w, member))
			return false;
	}
	return true;
}

/* Keywords whose values are data, not schemas. */
static bool is_data(const char *keyword)
{
	return strcmp(keyword, "const") == 0 || strcmp(keyword, "enum") == 0 ||
	       strcmp(keyword, "default") == 0 || strcmp(keyword, "examples") == 0;
}

static bool walk_keyword(struct walk *w, const char *name, json_t *value)
{
	bool was_reachable = w->is_reachable, good;

	if (is_data(name))
		return true;
	if (strcmp(name, "properties") == 0 && json_is_object(value))
		return walk_properties(w, value);
	w->is_reachable = false;
	/* The value may be a schema itself, or hold schemas. */
	good = json_is_object(value) && strcmp(name, "$defs") != 0 ? walk_schema(w, value)
								   : walk_other(w, value);
	w->is_reachable = was_reachable;
	return good;
}

static bool walk_schema(struct walk *w, const json_t *schema)
{
	const char *name;
	json_t *value;
	/* jansson's iterators want a writable object although they do not write. */
	union {
		const json_t *in;
		json_t *out;
	} borrowed = { .in = schema };

	if (json_is_array(schema))
		return walk_other(w, borrowed.out);
	if (!json_is_object(schema))
		return true;
	if (!add(w, schema))
		return false;
	json_object_foreach(borrowed.out, name, value)
	{
		if (!walk_keyword(w, name, value))
			return false;
	}
	return true;
}

struct param_headers *param_headers_new(const json_t *input_schema, struct error *err)
{
	_cleanup_(param_headers_freep) struct param_headers *p = calloc(1, sizeof *p);

	if (!p) {
		error_oom(err);
		return NULL;
	}
	struct walk w = { .found = p, .is_reachable = true, .err = err };

	return walk_schema(&w, input_schema) ? TAKE(p) : NULL;
}

static const json_t *find(const struct param_header *row, const json_t *arguments)
{
	const json_t *value = arguments;

	for (size_t i = 0; i < row->depth; i++)
		value = json_object_get(value, row->path[i]);
	return json_is_null(value) ? NULL : value;
}

static void write_value(struct strbuf *sb, const json_t *value)
{
	if (json_is_string(value))
		header_value_encode(sb, json_string_value(value),
				    json_string_length(value));
	else if (json_is_boolean(value))
		strbuf_add_string(sb, json_is_true(value) ? "true" : "false");
	else if (json_is_integer(value))
		strbuf_add_int64(sb, json_integer_value(value));
	else
		strbuf_add_format(sb, "%.0f", json_number_value(value));
}

/* What fits no annotated type travels in the body alone: the server refuses it there. */
static bool is_mirrored(const json_t *value)
{
	double number = json_number_value(value);

	return json_is_string(value) || json_is_boolean(value) ||
	       (json_is_number(value) && number >= -(double)JSON_INTEGER_MAX &&
		number <= (double)JSON_INTEGER_MAX && number == (double)(int64_t)number);
}

void param_headers_write(const struct param_headers *p, const json_t *arguments,
			 struct strbuf *sb)
{
	for (size_t i = 0; i < p->count; i++) {
		const json_t *value = find(&p->rows[i], arguments);

		if (!is_mirrored(value))
			continue;
		strbuf_add(sb, p->rows[i].name, strlen(p->rows[i].name) + 1);
		write_value(sb, value);
		strbuf_add_char(sb, '\0');
	}
}

/* "42" and "42.0" are the same; integers of the contract are exact as doubles. */
static bool is_number(const char *text, double wanted)
{
	struct error why = ERROR_INIT;
	json_auto_t *value = json_parse(text, strlen(text), JSON_CONTRACT, &why);

	return json_is_number(value) && json_number_value(value) == wanted;
}

static bool is_equal(const json_t *value, const char *header)
{
	_cleanup_strbuf_ struct strbuf meant = STRBUF_INIT;

	if (!header_value_decode(header, &meant))
		return false;
	if (json_is_string(value))
		return meant.length == json_string_length(value) &&
		       memcmp(meant.data, json_string_value(value), meant.length) == 0;
	if (strlen(meant.data) != meant.length)
		return false;
	if (json_is_number(value))
		return is_number(meant.data, json_number_value(value));
	if (json_is_boolean(value))
		return strcmp(meant.data, json_is_true(value) ? "true" : "false") == 0;
	return false;
}

bool param_headers_check(const struct param_headers *p, const json_t *arguments,
			 const char *(*header)(void *context, const char *name),
			 void *context, struct error *err)
{
	for (size_t i = 0; i < p->count; i++) {
		const json_t *value = find(&p->rows[i], arguments);
		const char *sent = header(context, p->rows[i].name);

		if (!value && !sent)
			continue;
		if (!value || !sent)
			return error_set(err, ERR_INVALID_ARGUMENT, "header %s is %s",
					 p->rows[i].name,
					 sent ? "not in the body" : "missing");
		if (!is_equal(value, sent))
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "header %s differs from the body",
					 p->rows[i].name);
	}
	return true;
}
