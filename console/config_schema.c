#include "console/config_schema.h"

#include "base/config.h"
#include "schemas/schemas.h"
#include "wire/schema.h"

static bool add_fault(json_t *faults, const char *text)
{
	json_t *fault = json_string(text);

	(void)json_array_append_new(
		faults, fault ? fault : json_string("a fault that is no text"));
	return false;
}

static const char *definition(const json_t *document, const char *name)
{
	bool has_own = json_object_get(json_object_get(document, "$defs"), name) != NULL;

	return has_own ? name : "server";
}

static struct schema *compile(const char *name, struct error *err)
{
	bool is_policy = strcmp(name, "policy") == 0;
	const struct schema_file *file =
		schemas_find(is_policy ? "policy.schema.json" : "config.schema.json");
	json_auto_t *document =
		file ? json_parse(file->text, file->length, JSON_SYNTAX, err) : NULL;
	_cleanup_strbuf_ struct strbuf reference = STRBUF_INIT;

	if (!document) {
		error_set(err, ERR_INTERNAL,
			  "this program was built without the schema of %s.yaml", name);
		return NULL;
	}
	if (!is_policy) {
		strbuf_add_format(&reference, "#/$defs/%s", definition(document, name));
		if (json_object_set_new(document, "$ref", json_string(reference.data)) !=
		    0) {
			error_oom(err);
			return NULL;
		}
	}
	return schema_compile(NULL, document, NULL, SCHEMA_ASSERT_FORMAT, err);
}

/* "FILE:12: listen/port must be at most 65535" */
static void describe(struct strbuf *sb, const struct config *config,
		     const struct schema_fault *f)
{
	strbuf_add_format(sb, "%s:%d: ", config_name(config),
			  config_line(config, f->instance));
	if (f->instance[0])
		strbuf_add_format(sb, "%s ", f->instance + 1);
	strbuf_add_string(sb, f->message);
}

bool config_schema_check(const char *path, const char *name, json_t *faults)
{
	struct error err = ERROR_INIT;
	_cleanup_(config_freep) struct config *config = config_read(path, &err);
	_cleanup_(schema_freep) struct schema *schema = config ? compile(name, &err)
							       : NULL;
	_cleanup_free_ struct schema_fault *found =
		calloc(CONFIG_FAULTS_MAX, sizeof *found);
	size_t count;

	if (!schema)
		return add_fault(faults, err.message);
	if (!found)
		return add_fault(faults, "out of memory");
	count = schema_validate_all(schema, config_root(config), found,
				    CONFIG_FAULTS_MAX);
	for (size_t i = 0; i < count; i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

		describe(&text, config, &found[i]);
		(void)add_fault(faults, text.data);
	}
	return count == 0;
}
