#include "console/form.h"

#include "console/render.h"
#include "console/tools.h"
#include "wire/schema.h"

/* The property on its own, with the definitions that it may refer to. */
static json_t *stand_alone(const json_t *schema, const json_t *property)
{
	json_t *alone = json_copy((json_t *)(uintptr_t)property);
	json_t *definitions = json_object_get(schema, "$defs");

	if (alone && json_is_object(alone) && definitions)
		(void)json_object_set(alone, "$defs", definitions);
	return alone;
}

static bool is_type(const json_t *property, const char *type)
{
	const char *own = json_get_string(property, "type");

	return own && strcmp(own, type) == 0;
}

/* Choices may be typed in full or by their number. */
static json_t *choose(const json_t *choices, const char *line)
{
	char *end;
	long number = strtol(line, &end, 10);
	size_t i;
	json_t *choice;

	json_array_foreach(choices, i, choice)
		if (json_is_string(choice) && strcmp(json_string_value(choice), line) == 0)
			return json_incref(choice);
	if (*line && !*end && number >= 1 && (size_t)number <= json_array_size(choices))
		return json_incref(json_array_get(choices, (size_t)number - 1));
	return NULL;
}

static json_t *read_scalar(const json_t *property, const char *line, struct error *err)
{
	const json_t *choices = json_object_get(property, "enum");
	json_t *chosen = choices ? choose(choices, line) : NULL;

	if (chosen)
		return chosen;
	if (is_type(property, "boolean")) {
		if (strcasecmp(line, "y") == 0 || strcasecmp(line, "yes") == 0 || strcmp(line, "true") == 0)
			return json_true();
		if (strcasecmp(line, "n") == 0 || strcasecmp(line, "no") == 0 || strcmp(line, "false") == 0)
			return json_false();
		error_set(err, ERR_INVALID_ARGUMENT, "answer yes or no");
		return NULL;
	}
	if (is_type(property, "string"))
		return json_string(line);
	return json_parse(line, strlen(line), JSON_CONTRACT, err);
}

static json_t *read_list(const json_t *property, const char *line, struct error *err)
{
	const json_t *items = json_object_get(property, "items");
	json_auto_t *list = json_array();
	_cleanup_free_ char *copy = strdup(line);
	char *rest = copy;

	if (line[0] == '[')
		return json_parse(line, strlen(line), JSON_CONTRACT, err);
	for (char *part; copy && (part = strsep(&rest, ","));) {
		json_t *value;

		part += strspn(part, " \t");
		for (size_t n = strlen(part); n > 0 && (part[n - 1] == ' ' || part[n - 1] == '\t'); n--)
			part[n - 1] = '\0';
		value = read_scalar(items, part, err);
		if (!value || json_array_append_new(list, value) != 0)
			return NULL;
	}
	return TAKE(list);
}

json_t *form_value(const json_t *schema, const json_t *property, const char *line, struct error *err)
{
	json_auto_t *value = is_type(property, "array") ? read_list(property, line, err)
							: read_scalar(property, line, err);
	json_auto_t *alone = stand_alone(schema, property);
	_cleanup_(schema_freep) struct schema *compiled = NULL;
	struct schema_fault fault;

	if (!value)
		return NULL;
	compiled = schema_compile(NULL, alone, NULL, SCHEMA_ASSERT_FORMAT, err);
	if (!compiled)
		return NULL;
	if (!schema_validate(compiled, value, &fault)) {
		error_set(err, ERR_INVALID_ARGUMENT, "%s", fault.message);
		return NULL;
	}
	return TAKE(value);
}

static void explain(const struct console *c, const json_t *property, const char *name, bool required)
{
	const char *help = json_get_string(property, "description");
	const json_t *choices = json_object_get(property, "enum");
	const json_t *usual = json_object_get(property, "default");
	struct error ignored = ERROR_INIT;
	size_t i;
	json_t *choice;

	if (!choices)
		choices = json_object_get(json_object_get(property, "items"), "enum");
	printf("\n%s%s%s (%s%s", console_bold(c), name, console_plain(c), tools_type(property),
	       required ? ", required" : ", optional");
	if (usual) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

		(void)json_write(&text, usual, &ignored);
		printf(", default %s", text.data);
	}
	printf(")\n");
	if (help) {
		printf("  ");
		console_print_visible(help);
	}
	json_array_foreach(choices, i, choice) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

		(void)json_write(&text, choice, &ignored);
		printf("  %zu) ", i + 1);
		console_print_visible(text.data);
	}
	if (is_type(property, "array"))
		printf("  several: separate them with commas\n");
}

/* False: the person gave up. */
static bool ask_field(const struct console *c, const json_t *schema, const char *name,
		      const json_t *property, form_reader *read, void *context, json_t *arguments)
{
	bool required = tools_is_required(schema, name);
	_cleanup_strbuf_ struct strbuf question = STRBUF_INIT;

	explain(c, property, name, required);
	strbuf_add_format(&question, "%s> ", name);
	for (;;) {
		struct error err = ERROR_INIT;
		_cleanup_free_ char *line = read(context, question.data);
		json_t *value;

		if (!line)
			return false;
		if (!*line) {
			if (!required)
				return true;
			printf("  this one is needed; Ctrl-D gives up\n");
			continue;
		}
		value = form_value(schema, property, line, &err);
		if (value)
			return json_object_set_new(arguments, name, value) == 0;
		printf("  %s", console_red(c));
		console_print_visible(err.message);
		printf("%s", console_plain(c));
	}
}

json_t *form_ask(const struct console *c, const json_t *tool, form_reader *read, void *context,
		 struct error *err)
{
	const json_t *schema = json_object_get(tool, "inputSchema");
	json_auto_t *arguments = json_object();
	const char *name;
	json_t *property;

	if (!arguments) {
		error_oom(err);
		return NULL;
	}
	for (int pass = 0; pass < 2; pass++) {
		json_object_foreach(json_object_get(schema, "properties"), name, property) {
			if (tools_is_required(schema, name) != (pass == 0))
				continue;
			if (!ask_field(c, schema, name, property, read, context, arguments))
				return NULL;
		}
	}
	return TAKE(arguments);
}
