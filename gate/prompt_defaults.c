#include "gate/prompt_defaults.h"

struct walk {
	const json_t *root;
	prompt_default_function *fn;
	void *context;
	struct error *err;
	int depth;
};

static bool visit(struct walk *w, const json_t *schema, const json_t *value,
		  const char *path);

/* What a schema refers to in its own file; itself if it refers to nothing. */
static const json_t *follow(const struct walk *w, const json_t *schema)
{
	static const char prefix[] = "#/$defs/";

	for (int i = 0; i < PROMPT_DEFAULTS_DEPTH_MAX; i++) {
		const char *ref = json_get_string(schema, "$ref");

		if (!ref || strncmp(ref, prefix, sizeof prefix - 1) != 0)
			return schema;
		schema = json_object_get(json_object_get(w->root, "$defs"),
					 ref + sizeof prefix - 1);
	}
	return NULL;
}

static bool visit_member(struct walk *w, const json_t *given, const char *name,
			 const json_t *property, const char *path)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	json_t *fallback = json_object_get(property, "default");
	const json_t *value = json_object_get(given, name);

	if (!fallback)
		fallback = json_object_get(follow(w, property), "default");
	strbuf_add_format(&sb, "%s%s%s", path, *path ? "." : "", name);
	if (!strbuf_ok(&sb))
		return error_oom(w->err);
	if (value)
		return visit(w, property, value, sb.data);
	return !fallback || w->fn(w->context, sb.data, fallback, property, w->err);
}

static bool visit_object(struct walk *w, const json_t *schema, const json_t *value,
			 const char *path)
{
	json_t *properties = json_object_get(schema, "properties");
	const char *name;
	json_t *property;

	json_object_foreach(properties, name, property)
	{
		if (!visit_member(w, value, name, property, path))
			return false;
	}
	return true;
}

static bool visit_array(struct walk *w, const json_t *schema, const json_t *value,
			const char *path)
{
	const json_t *items = json_object_get(schema, "items");
	size_t i;
	json_t *item;

	json_array_foreach(value, i, item)
	{
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

		strbuf_add_format(&sb, "%s[%zu]", path, i);
		if (!strbuf_ok(&sb))
			return error_oom(w->err);
		if (!visit(w, items, item, sb.data))
			return false;
	}
	return true;
}

static bool visit(struct walk *w, const json_t *schema, const json_t *value,
		  const char *path)
{
	bool ok = true;

	schema = follow(w, schema);
	if (!json_is_object(schema))
		return true;
	if (++w->depth > PROMPT_DEFAULTS_DEPTH_MAX)
		return error_set(w->err, ERR_INVALID_ARGUMENT,
				 "the arguments nest too deeply to show every default");
	if (json_is_object(value))
		ok = visit_object(w, schema, value, path);
	else if (json_is_array(value))
		ok = visit_array(w, schema, value, path);
	w->depth--;
	return ok;
}

bool prompt_defaults(const json_t *input_schema, const json_t *arguments,
		     prompt_default_function *fn, void *context, struct error *err)
{
	struct walk w = {
		.root = input_schema, .fn = fn, .context = context, .err = err
	};

	return visit(&w, input_schema, arguments, "");
}
