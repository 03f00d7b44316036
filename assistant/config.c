#include "assistant/config.h"

#include "base/config.h"
#include "base/file.h"
#include "schemas/schemas.h"
#include "wire/schema.h"

static struct schema *compile(struct error *err)
{
	const struct schema_file *file = schemas_find("config.schema.json");
	json_auto_t *document = NULL;

	if (!file) {
		error_set(err, ERR_INTERNAL, "this program was built without its schema");
		return NULL;
	}
	document = json_parse(file->text, file->length, JSON_SYNTAX, err);
	if (!document)
		return NULL;
	if (json_object_set_new(document, "$ref", json_string("#/$defs/assistant")) !=
	    0) {
		error_oom(err);
		return NULL;
	}
	return schema_compile(NULL, document, NULL, SCHEMA_ASSERT_FORMAT, err);
}

static bool judge(const struct config *c, struct assistant_settings *ret,
		  struct error *err)
{
	_cleanup_(schema_freep) struct schema *schema = compile(err);
	struct error why = ERROR_INIT;
	struct schema_fault fault;

	if (!schema)
		return false;
	if (!schema_validate(schema, config_root(c), &fault))
		return error_set(err, ERR_INVALID_ARGUMENT, "%s:%d: %s%s%s %s",
				 config_name(c), config_line(c, fault.instance),
				 fault.instance[0] ? fault.instance + 1 : "this",
				 fault.member[0] ? ", " : "", fault.member,
				 fault.message);
	if (!assistant_settings_decode(config_root(c), ret, &why))
		return error_set(err, why.code, "%s:%d: %s", config_name(c),
				 config_line(c, ""), why.message);
	return true;
}

bool assistant_config_parse(const char *name, const char *text, size_t length,
			    struct assistant_settings *ret, struct error *err)
{
	_cleanup_(config_freep) struct config *c = config_parse(name, text, length, err);

	return c && judge(c, ret, err);
}

bool assistant_config_read(const char *path, struct assistant_settings *ret,
			   bool *ret_is_there, struct error *err)
{
	_cleanup_(config_freep) struct config *c = NULL;

	if (!file_exists(path)) {
		*ret_is_there = false;
		return true;
	}
	c = config_read(path, err);
	if (!c || !judge(c, ret, err))
		return false;
	*ret_is_there = true;
	return true;
}
