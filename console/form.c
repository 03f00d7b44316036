#include "console/form.h"

#include "show/field.h"
#include "console/render.h"
#include "console/tools.h"
#include "wire/schema.h"

enum { CORRECTIONS_MAX = 100 };

struct form {
	const struct console *console;
	const json_t *schema;
	form_reader *read;
	void *context;
	json_t *given; /* what stands there already, until it is taken or refused */
	json_t *arguments;
};

/* The property on its own, with the definitions that it may refer to. */
static json_t *stand_alone(const json_t *schema, const json_t *property)
{
	json_auto_t *alone = json_is_object(property) ? json_object()
						      : json_deep_copy(property);
	json_t *definitions = json_object_get(schema, "$defs");

	if (!json_is_object(property))
		return TAKE(alone);
	if (!alone ||
	    (definitions && json_object_set(alone, "$defs", definitions) != 0) ||
	    json_object_update(alone, (json_t *)(uintptr_t)property) != 0)
		return NULL;
	return TAKE(alone);
}

static bool fits(const json_t *schema, const json_t *property, const json_t *value,
		 struct error *err)
{
	json_auto_t *alone = stand_alone(schema, property);
	struct error not_alone = ERROR_INIT;
	_cleanup_(schema_freep) struct schema *compiled = NULL;
	struct schema_fault fault;

	if (!alone)
		return error_oom(err);
	/* What cannot stand alone is judged with the whole, at the end. */
	compiled = schema_compile(NULL, alone, NULL, SCHEMA_ASSERT_FORMAT, &not_alone);
	if (compiled && !schema_validate(compiled, value, &fault))
		return error_set(err, ERR_INVALID_ARGUMENT, "%s", fault.message);
	return true;
}

json_t *form_value(const json_t *schema, const json_t *property, const char *line,
		   struct error *err)
{
	json_auto_t *value = field_read(schema, property, line, err);

	return value && fits(schema, property, value, err) ? TAKE(value) : NULL;
}

/* --- one field -------------------------------------------------------------- */

static void put_json(const json_t *value)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error ignored = ERROR_INIT;

	if (json_write(&text, value, &ignored))
		console_put_visible(text.data);
}

static void print_choices(const json_t *property)
{
	for (size_t i = 0; i < field_choice_count(property); i++) {
		const char *title;
		const json_t *choice = field_choice(property, i, &title);

		printf("  %zu) ", i + 1);
		put_json(choice);
		if (title) {
			printf(" ");
			console_put_visible(title);
		}
		printf("\n");
	}
}

static void explain(const struct form *f, const char *name, const json_t *property,
		    bool required)
{
	const json_t *resolved = field_resolve(f->schema, property);
	const char *help = json_get_string(property, "description");
	const char *hint = field_hint(resolved);
	const json_t *usual = json_object_get(property, "default");

	if (!help)
		help = json_get_string(resolved, "description");
	printf("\n%s", console_bold(f->console));
	console_put_visible(name);
	printf("%s (", console_plain(f->console));
	console_put_visible(tools_type(resolved));
	printf("%s", required ? ", required" : ", optional");
	if (usual) {
		printf(", default ");
		put_json(usual);
	}
	printf(")\n");
	if (help) {
		printf("  ");
		console_print_visible(help);
	}
	print_choices(resolved);
	if (field_allows(resolved, "array"))
		printf("  several: separate them with commas\n");
	else if (field_allows(resolved, "object"))
		printf("  a JSON object\n");
	else if (hint && (!help || field_allows(resolved, "boolean")))
		printf("  %s\n", hint);
}

static void print_given(const json_t *value, bool required)
{
	printf("  here: ");
	put_json(value);
	printf("\n  an empty line takes it%s\n", required ? "" : ", - leaves it out");
}

static void complain(const struct form *f, const char *message)
{
	printf("  %s", console_red(f->console));
	console_put_visible(message);
	printf("%s\n", console_plain(f->console));
}

/* What stands there for a field, no longer offered after this; new, or NULL: nothing, or
 * nothing that fits. */
static json_t *take_given(struct form *f, const char *name, const json_t *property)
{
	json_auto_t *value = json_incref(json_object_get(f->given, name));
	struct error err = ERROR_INIT;

	(void)json_object_del(f->given, name);
	if (!value || fits(f->schema, property, value, &err))
		return TAKE(value);
	complain(f, "what stood there does not fit:");
	complain(f, err.message);
	return NULL;
}

enum taken { TAKEN, NOT_TAKEN, OUT_OF_MEMORY };

static enum taken take_line(struct form *f, const char *name, const json_t *property,
			    const json_t *given, bool required, const char *line)
{
	struct error err = ERROR_INIT;
	json_t *value;

	if (!*line && required && !given) {
		complain(f, "this one is needed; Ctrl-C gives up");
		return NOT_TAKEN;
	}
	if ((!*line && !given) || (given && !required && strcmp(line, "-") == 0)) {
		(void)json_object_del(f->arguments, name);
		return TAKEN;
	}
	value = *line ? form_value(f->schema, property, line, &err)
		      : json_deep_copy(given);
	if (value)
		return json_object_set_new(f->arguments, name, value) == 0
			       ? TAKEN
			       : OUT_OF_MEMORY;
	if (!error_is_set(&err))
		return OUT_OF_MEMORY;
	complain(f, err.message);
	return NOT_TAKEN;
}

/* False: the person gave up. */
static bool ask_field(struct form *f, const char *name, const json_t *property,
		      bool required)
{
	_cleanup_strbuf_ struct strbuf question = STRBUF_INIT;
	json_auto_t *given = NULL;
	enum taken taken = NOT_TAKEN;

	explain(f, name, property, required);
	given = take_given(f, name, property);
	if (given)
		print_given(given, required);
	render_text(&question, name);
	strbuf_add_string(&question, "> ");
	while (taken == NOT_TAKEN) {
		_cleanup_free_ char *line = f->read(f->context, question.data);

		if (!line)
			return false;
		taken = take_line(f, name, property, given, required, line);
	}
	return taken == TAKEN;
}

/* --- the whole -------------------------------------------------------------- */

static bool ask_all(struct form *f)
{
	json_t *properties = json_object_get(f->schema, "properties");
	const char *name;
	json_t *property;

	for (int pass = 0; pass < 2; pass++) {
		json_object_foreach(properties, name, property)
		{
			bool required = tools_is_required(f->schema, name);

			if (required == (pass == 0) &&
			    !ask_field(f, name, property, required))
				return false;
		}
	}
	return true;
}

/* The property at the beginning of "/person/0", or the missing one. */
static const json_t *at_fault(const struct form *f, const struct schema_fault *fault,
			      char *ret_name, size_t size)
{
	const char *name = fault->instance[0] == '/' ? fault->instance + 1
						     : fault->member;
	size_t length = fault->instance[0] == '/' ? strcspn(name, "/") : strlen(name);

	(void)snprintf(ret_name, size, "%.*s", (int)length, name);
	return json_object_get(json_object_get(f->schema, "properties"), ret_name);
}

/* Fields that fit alone may not fit together. False: given up, or 'err'. */
static bool correct(struct form *f, struct error *err)
{
	_cleanup_(schema_freep) struct schema *whole =
		schema_compile(NULL, f->schema, NULL, SCHEMA_ASSERT_FORMAT, err);
	struct schema_fault fault;
	char name[128];

	if (!whole)
		return false;
	for (int i = 0; !schema_validate(whole, f->arguments, &fault); i++) {
		const json_t *property = at_fault(f, &fault, name, sizeof name);

		if (!property || i == CORRECTIONS_MAX)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "the arguments do not fit together: %s",
					 fault.message);
		complain(f, fault.message);
		if (!ask_field(f, name, property,
			       json_object_get(f->arguments, name) == NULL))
			return false;
	}
	return true;
}

json_t *form_ask(const struct console *c, const json_t *tool, const json_t *given,
		 form_reader *read, void *context, struct error *err)
{
	json_auto_t *arguments = json_object();
	json_auto_t *offered = given ? json_copy((json_t *)(uintptr_t)given)
				     : json_object();
	struct form f = {
		.console = c,
		.schema = json_object_get(tool, "inputSchema"),
		.read = read,
		.context = context,
		.given = offered,
		.arguments = arguments,
	};

	if (!arguments || !offered) {
		error_oom(err);
		return NULL;
	}
	return ask_all(&f) && correct(&f, err) ? TAKE(arguments) : NULL;
}
