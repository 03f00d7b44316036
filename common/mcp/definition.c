#include "mcp/definition.h"

#include <stdatomic.h>

#include "schemas/schemas.h"

enum {
	DEFINITION_BYTES_MAX =
		256 * 1024, /* canonical bytes of one tool of somebody's server */
	DEFINITION_TEXT_MAX = 16 * 1024, /* title, description */
};

static void schemas_free(struct tool_schemas *s)
{
	if (!s)
		return;
	schema_free(s->input);
	schema_free(s->output);
	free(s);
}
DEFINE_CLEANUP(struct tool_schemas, schemas_free);

void tool_definition_free(struct tool_definition *d)
{
	if (!d)
		return;
	json_decref(d->json);
	schemas_free(atomic_load(&d->schemas));
	free(d);
}

static bool check_text(const json_t *listed, const char *member, struct error *err)
{
	const json_t *text = json_object_get(listed, member);

	if (!text)
		return true;
	if (!json_is_string(text))
		return error_set(err, ERR_INVALID_ARGUMENT, "the tool's '%s' is no text",
				 member);
	if (json_string_length(text) > DEFINITION_TEXT_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the tool's '%s' has more than %d bytes", member,
				 DEFINITION_TEXT_MAX);
	return true;
}

static bool copy_name(struct tool_definition *d, const char *server, const json_t *listed,
		      struct error *err)
{
	const char *name = json_get_string(listed, "name");

	if (!name_is_server(server))
		return error_set(err, ERR_INVALID_ARGUMENT, "no name for a server");
	/* A name with a NUL in it would be cut by everyone who reads it as a string. */
	if (!name ||
	    strlen(name) != json_string_length(json_object_get(listed, "name")) ||
	    !name_is_tool(name))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a tool's name must be 1 to 64 of a-z, 0-9 and _");
	(void)snprintf(d->server, sizeof d->server, "%s", server);
	(void)snprintf(d->name, sizeof d->name, "%s", name);
	return true;
}

static bool read_risk(struct tool_definition *d, const json_t *listed, struct error *err)
{
	const char *risk = json_get_string(json_object_get(listed, "_meta"), META_RISK);

	if (!risk || !risk_parse(risk, &d->risk))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "_meta[\"%s\"] must be read, write or destructive",
				 META_RISK);
	return true;
}

static struct schema *compile(struct schema_set *set, const json_t *listed,
			      const char *member, unsigned flags, struct error *err)
{
	const json_t *document = json_object_get(listed, member);
	const char *type = json_get_string(document, "type");
	struct error why = ERROR_INIT;
	struct schema *schema;

	if (!json_is_object(document)) {
		error_set(err, ERR_INVALID_ARGUMENT, "the tool's %s is no object",
			  member);
		return NULL;
	}
	if (flags & SCHEMA_ASSERT_FORMAT && (!type || strcmp(type, "object") != 0)) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "the tool's %s is not of type object", member);
		return NULL;
	}
	/* References lead nowhere but into the document: the set has no others. */
	schema = schema_compile(set, document, NULL, flags, &why);
	if (!schema)
		error_set(err, why.code, "%s: %s", member, why.message);
	return schema;
}

static bool make_pin(const json_t *listed, char ret[static DIGEST_HEX_BYTES],
		     struct error *err)
{
	_cleanup_strbuf_ struct strbuf canonical = STRBUF_INIT;

	if (!canonical_write(&canonical, listed, err))
		return false;
	if (!strbuf_ok(&canonical))
		return error_oom(err);
	if (canonical.length > DEFINITION_BYTES_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the tool's definition has more than %d bytes",
				 DEFINITION_BYTES_MAX);
	digest_sha256_hex(canonical.data, canonical.length, ret);
	return true;
}

static struct tool_schemas *compile_both(struct schema_set *set, const json_t *listed,
					 unsigned flags, struct error *err)
{
	_cleanup_(schemas_freep) struct tool_schemas *s = calloc(1, sizeof *s);

	if (!s) {
		error_oom(err);
		return NULL;
	}
	s->input = compile(set, listed, "inputSchema", flags | SCHEMA_ASSERT_FORMAT, err);
	if (!s->input)
		return NULL;
	if (json_object_get(listed, "outputSchema")) {
		s->output = compile(set, listed, "outputSchema", flags, err);
		if (!s->output)
			return NULL;
	}
	return TAKE(s);
}

/* What both kinds share, but for schemas and pin. Keeps 'listed', which nobody changes. */
static struct tool_definition *begin(const char *server, json_t *listed,
				     struct error *err)
{
	_cleanup_(tool_definition_freep) struct tool_definition *d = calloc(1, sizeof *d);

	if (!d) {
		error_oom(err);
		return NULL;
	}
	d->json = json_incref(listed);
	if (!json_is_object(listed)) {
		error_set(err, ERR_INVALID_ARGUMENT, "a tool is an object");
		return NULL;
	}
	if (!copy_name(d, server, listed, err) || !check_text(listed, "title", err) ||
	    !check_text(listed, "description", err) || !read_risk(d, listed, err))
		return NULL;
	return TAKE(d);
}

static struct tool_definition *build(struct schema_set *set, const char *server,
				     json_t *listed, unsigned flags, struct error *err)
{
	_cleanup_(tool_definition_freep) struct tool_definition *d =
		begin(server, listed, err);

	if (!d || !make_pin(listed, d->pin, err))
		return NULL;
	struct tool_schemas *s = compile_both(set, listed, flags, err);
	if (s)
		memcpy(s->pin, d->pin, sizeof s->pin);
	atomic_store(&d->schemas, s);
	return s ? TAKE(d) : NULL;
}

struct tool_definition *tool_definition_load_with(struct schema_set *set,
						  const char *server, const char *tool,
						  struct error *err)
{
	const struct schema_file *file = NULL;
	struct error why = ERROR_INIT;
	char path[128];

	/* server.json stands beside the tools and is none. */
	if (name_is_server(server) && name_is_tool(tool) && strcmp(tool, "server") != 0) {
		(void)snprintf(path, sizeof path, "%s/%s.json", server, tool);
		file = schemas_find(path);
	}
	if (!file) {
		error_set(err, ERR_NOT_FOUND,
			  "there is no schema of a tool '%.64s' of '%.32s'", tool,
			  server);
		return NULL;
	}
	json_auto_t *listed = json_parse(file->text, file->length, JSON_CONTRACT, &why);
	struct tool_definition *d = NULL;
	if (listed)
		d = file->is_ready ? begin(server, listed, &why)
				   : build(set, server, listed,
					   file->is_proven ? SCHEMA_PROVEN : 0, &why);
	if (d)
		d->file = file;
	else
		error_set(err, ERR_INTERNAL, "schemas/%s: %s", path, why.message);
	return d;
}

const struct tool_schemas *tool_definition_schemas(const struct tool_definition *d,
						   struct error *err)
{
	struct tool_definition *own = (struct tool_definition *)(uintptr_t)d;
	struct tool_schemas *there = atomic_load(&own->schemas), *made;
	struct error why = ERROR_INIT;

	if (there)
		return there;
	/* A tree belongs to one thread, so each that comes here has its own. */
	json_auto_t *listed =
		json_parse(d->file->text, d->file->length, JSON_CONTRACT, &why);
	made = listed ? compile_both(NULL, listed, SCHEMA_PROVEN, &why) : NULL;
	if (made && !make_pin(listed, made->pin, &why))
		schemas_free(TAKE(made));
	if (!made) {
		error_set(err, ERR_INTERNAL, "schemas/%s: %s", d->file->path,
			  why.message);
		return NULL;
	}
	if (atomic_compare_exchange_strong(&own->schemas, &there, made))
		return made;
	schemas_free(made); /* another thread was faster */
	return there;
}

struct tool_definition *tool_definition_load(const char *server, const char *tool,
					     struct error *err)
{
	_cleanup_(tool_definition_freep) struct tool_definition *d =
		tool_definition_load_with(NULL, server, tool, err);

	if (!d || (!d->pin[0] && !make_pin(d->json, d->pin, err)))
		return NULL;
	return TAKE(d);
}

struct tool_definition *tool_definition_read(const char *server, const json_t *listed,
					     struct error *err)
{
	/* A copy, so that nobody changes it behind the pin. */
	json_auto_t *own = json_deep_copy(listed);

	if (!own) {
		error_oom(err);
		return NULL;
	}
	return build(NULL, server, own, 0, err);
}

/* "accounts/block_account.json" -> "block_account", in 'to' with its NUL. */
static size_t copy_stem(const char *path, char *to)
{
	const char *stem = strrchr(path, '/') + 1;
	size_t length = strlen(stem) - strlen(".json");

	memcpy(to, stem, length);
	to[length] = '\0';
	return length + 1;
}

const char **tool_definition_names(const char *server)
{
	size_t count, bytes = 0;
	const struct schema_file *files = schemas_list(server, &count);

	for (size_t i = 0; i < count; i++)
		bytes += strlen(files[i].path);
	/* One block: the pointers, and the names behind them. */
	const char **names = malloc((count + 1) * sizeof *names + bytes);
	if (!names)
		return NULL;
	char *text = (char *)(names + count + 1);
	for (size_t i = 0; i < count; i++) {
		names[i] = text;
		text += copy_stem(files[i].path, text);
	}
	names[count] = NULL;
	return names;
}

static bool say_fault(const struct schema_fault *fault, struct error *err)
{
	if (strcmp(fault->keyword, "required") == 0 && fault->member[0])
		error_set(err, ERR_INVALID_ARGUMENT, "the argument %s%s%s is missing",
			  fault->instance[0] ? fault->instance + 1 : "",
			  fault->instance[0] ? "/" : "", fault->member);
	else if (fault->instance[0])
		error_set(err, ERR_INVALID_ARGUMENT, "the argument %s %s",
			  fault->instance + 1, fault->message);
	else
		error_set(err, ERR_INVALID_ARGUMENT, "the arguments: %s", fault->message);
	return error_cause(err, "%s", fault->schema);
}

bool tool_definition_accept(const struct tool_definition *d, const json_t *arguments,
			    struct strbuf *ret_canonical,
			    char ret_digest[DIGEST_HEX_BYTES], struct error *err)
{
	_cleanup_strbuf_ struct strbuf canonical = STRBUF_INIT;
	json_auto_t *none = NULL;
	struct schema_fault fault;

	if (!arguments) {
		none = json_object();
		arguments = none;
	}
	if (!json_is_object(arguments))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the arguments are no object");
	if (!json_check_contract(arguments, err))
		return false;
	const struct tool_schemas *schemas = tool_definition_schemas(d, err);
	if (!schemas)
		return false;
	if (!schema_validate(schemas->input, arguments, &fault))
		return say_fault(&fault, err);
	if (!ret_canonical && !ret_digest)
		return true;
	if (!canonical_write(&canonical, arguments, err))
		return false;
	if (!strbuf_ok(&canonical))
		return error_oom(err);
	if (ret_digest)
		digest_sha256_hex(canonical.data, canonical.length, ret_digest);
	if (ret_canonical)
		strbuf_add(ret_canonical, canonical.data, canonical.length);
	return !ret_canonical || strbuf_ok(ret_canonical) || error_oom(err);
}
