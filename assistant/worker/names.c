#include "assistant/worker/names.h"

#include <string.h>

#include "assistant/worker/chat.h"
#include "base/digest.h"

enum { HASH_DIGITS = 8 };

struct names {
	json_t *tools; /* as the model sees them */
	json_t *real;  /* model's name -> ours */
	json_t *model; /* ours -> the model's */
};

void names_free(struct names *n)
{
	if (!n)
		return;
	json_decref(n->tools);
	json_decref(n->real);
	json_decref(n->model);
	free(n);
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static void make_name(const char *real, char ret[static NAMES_MAX_BYTES + 1])
{
	char hex[DIGEST_HEX_BYTES];
	size_t length = 0;
	bool odd = false;

	for (const char *c = real; *c && length <= NAMES_MAX_BYTES - 2; c++) {
		odd = odd || (!is_plain(*c) && *c != '.');
		if (*c == '.')
			ret[length++] = '_';
		ret[length++] = is_plain(*c) ? *c : '_';
	}
	ret[length] = '\0';
	if (!odd && strlen(real) + 1 == length)
		return;
	digest_sha256_hex(real, strlen(real), hex);
	if (length > NAMES_MAX_BYTES - HASH_DIGITS - 1)
		length = NAMES_MAX_BYTES - HASH_DIGITS - 1;
	(void)snprintf(ret + length, NAMES_MAX_BYTES + 1 - length, "_%.*s", HASH_DIGITS,
		       hex);
}

/* ---- the turn's tools ---- */

static bool add_tool(struct names *n, const json_t *entry, struct error *err)
{
	struct tool {
		const char *name, *description;
		json_t *schema;
	} t = { NULL, NULL, NULL };
	static const struct json_field fields[] = {
		{ "name", JSON_FIELD_STRING, offsetof(struct tool, name),
		  JSON_FIELD_REQUIRED },
		{ "description", JSON_FIELD_STRING, offsetof(struct tool, description),
		  JSON_FIELD_REQUIRED },
		{ "schema", JSON_FIELD_OBJECT, offsetof(struct tool, schema),
		  JSON_FIELD_REQUIRED },
		{ 0 },
	};
	char name[NAMES_MAX_BYTES + 1];

	if (!json_decode(entry, fields, &t, "a tool", err))
		return false;
	if (strlen(t.name) > ASSISTANT_NAME_MAX || !strchr(t.name, '.') ||
	    strlen(t.description) > ASSISTANT_TEXT_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT, "a tool that is none");
	make_name(t.name, name);
	if (json_object_get(n->real, name) || json_object_get(n->model, t.name))
		return error_set(err, ERR_INVALID_ARGUMENT, "two tools of one name");
	if (!put(n->real, name, json_string(t.name)) ||
	    !put(n->model, t.name, json_string(name)) ||
	    !append(n->tools, json_pack("{s:s, s:s, s:O}", "name", name, "description",
					t.description, "schema", t.schema)))
		return error_oom(err);
	return true;
}

/* ---- ours ---- */

static bool add_together(struct names *n)
{
	static const char text[] =
		"Propose two to eight calls for ONE decision of a person, who sees them "
		"all "
		"and says yes or no to all. Use it only for calls that belong together; "
		"they run in this order. For anything else call the tools one by one.";

	return append(
		n->tools,
		json_pack("{s:s, s:s, s:{s:s, s:{s:{s:s, s:i, s:i, s:{s:s, s:{s:{s:s},"
			  "s:{s:s}}, s:[s,s], s:b}}}, s:[s], s:b}}",
			  "name", NAMES_TOGETHER, "description", text, "schema", "type",
			  "object", "properties", "calls", "type", "array", "minItems", 2,
			  "maxItems", ASSISTANT_CALLS_MAX, "items", "type", "object",
			  "properties", "tool", "type", "string", "arguments", "type",
			  "object", "required", "tool", "arguments",
			  "additionalProperties", 0, "required", "calls",
			  "additionalProperties", 0));
}

static bool add_read(struct names *n, const char *list)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	strbuf_add_format(
		&text,
		"Read one resource by its URI. Only what policy allows is read, "
		"in the name of who asks, and people see what was read. Some "
		"that can be read:\n%s",
		list);
	return strbuf_ok(&text) &&
	       append(n->tools,
		      json_pack("{s:s, s:s, s:{s:s, s:{s:{s:s}}, s:[s], s:b}}", "name",
				NAMES_READ, "description", text.data, "schema", "type",
				"object", "properties", "uri", "type", "string",
				"required", "uri", "additionalProperties", 0));
}

static bool add_search(struct names *n, const char *list)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	strbuf_add_format(
		&text,
		"Search, by one of the templates below and a value for each of "
		"its names. Only what policy allows is found, in the name of who "
		"asks, and people see what was searched.\n%s",
		list);
	return strbuf_ok(&text) &&
	       append(n->tools,
		      json_pack("{s:s, s:s, s:{s:s, s:{s:{s:s}, s:{s:s, s:{s:s}}}, "
				"s:[s,s], s:b}}",
				"name", NAMES_SEARCH, "description", text.data, "schema",
				"type", "object", "properties", "template", "type",
				"string", "values", "type", "object",
				"additionalProperties", "type", "string", "required",
				"template", "values", "additionalProperties", 0));
}

static bool add_source(const json_t *entry, struct strbuf *uris, struct strbuf *templates,
		       struct error *err)
{
	struct source {
		const char *uri, *template, *description;
		json_t *values;
	} s = { NULL, NULL, NULL, NULL };
	static const struct json_field fields[] = {
		{ "uri", JSON_FIELD_STRING, offsetof(struct source, uri), 0 },
		{ "template", JSON_FIELD_STRING, offsetof(struct source, template), 0 },
		{ "description", JSON_FIELD_STRING, offsetof(struct source, description),
		  JSON_FIELD_REQUIRED },
		{ "values", JSON_FIELD_ARRAY, offsetof(struct source, values), 0 },
		{ 0 },
	};
	const char *at;

	if (!json_decode(entry, fields, &s, "a source", err))
		return false;
	at = s.uri ? s.uri : s.template;
	if (!s.uri == !s.template || !s.values != !s.template ||
	    strlen(at) > ASSISTANT_URI_MAX ||
	    json_array_size(s.values) > ASSISTANT_VALUES_MAX ||
	    strlen(s.description) > ASSISTANT_LABEL_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT, "a source that is none");
	strbuf_add_format(s.uri ? uris : templates, "- %s : %s\n", at, s.description);
	return true;
}

static bool add_sources(struct names *n, const json_t *sources, struct error *err)
{
	_cleanup_strbuf_ struct strbuf uris = STRBUF_INIT, templates = STRBUF_INIT;
	const json_t *entry;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)sources, i, entry)
	{
		if (!add_source(entry, &uris, &templates, err))
			return false;
	}
	if (!strbuf_ok(&uris) || !strbuf_ok(&templates))
		return error_oom(err);
	/* what a search finds names resources to read */
	if (i > 0 && !add_read(n, uris.data))
		return error_oom(err);
	return templates.length == 0 || add_search(n, templates.data) || error_oom(err);
}

struct names *names_new(const json_t *tools, const json_t *sources, struct error *err)
{
	_cleanup_(names_freep) struct names *n = calloc(1, sizeof *n);
	const json_t *entry;
	size_t i;

	if (!n || !(n->tools = json_array()) || !(n->real = json_object()) ||
	    !(n->model = json_object())) {
		error_oom(err);
		return NULL;
	}
	json_array_foreach((json_t *)(uintptr_t)tools, i, entry)
	{
		if (!add_tool(n, entry, err))
			return NULL;
	}
	if (i > 0 && !add_together(n)) {
		error_oom(err);
		return NULL;
	}
	return add_sources(n, sources, err) ? TAKE(n) : NULL;
}

json_t *names_tools(const struct names *n)
{
	return n->tools;
}

const char *names_real(const struct names *n, const char *name)
{
	const char *real = json_get_string(n->real, name);

	return real ? real : name;
}

void names_model(const struct names *n, const char *real,
		 char ret[static NAMES_MAX_BYTES + 1])
{
	const char *name = json_get_string(n->model, real);

	if (name)
		(void)snprintf(ret, NAMES_MAX_BYTES + 1, "%s", name);
	else
		make_name(real, ret);
}
