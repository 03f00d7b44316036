/* A suggested call, looked at. */
#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "schemas/schemas.h"
#include "servers/playbooks/steps.h"

enum { NAME_MAX_BYTES = 128 };

static bool is_tool_name(const char *name)
{
	const char *dot = strchr(name, '.');

	if (!dot || dot == name || !dot[1] || strchr(dot + 1, '.'))
		return false;
	for (const char *c = name; *c; c++)
		if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) &&
		    *c != '_' && *c != '.')
			return false;
	return true;
}

/* The properties of a tool's arguments; new, or NULL: it is none of ours. */
static json_t *find_properties(const char *name)
{
	const char *dot = strchr(name, '.');
	char path[NAME_MAX_BYTES + 8];
	const struct schema_file *file;
	struct error ignored = ERROR_INIT;

	(void)snprintf(path, sizeof path, "%.*s/%s.json", (int)(dot - name), name,
		       dot + 1);
	file = strcmp(dot + 1, "server") == 0 ? NULL : schemas_find(path);
	json_auto_t *tool =
		file ? json_parse(file->text, file->length, JSON_SYNTAX, &ignored) : NULL;
	return json_incref(
		json_object_get(json_object_get(tool, "inputSchema"), "properties"));
}

static void judge(const json_t *arguments, const json_t *properties, char *fault,
		  size_t room)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)arguments, name, value)
	{
		if (!json_object_get(properties, name)) {
			(void)snprintf(fault, room, "the tool has no argument '%.60s'",
				       name);
			return;
		}
	}
}

static json_t *make(const char *tool, json_t *arguments, bool is_known, const char *fault)
{
	json_auto_t *made = json_pack("{s:s, s:o, s:b}", "tool", tool, "arguments",
				      arguments, "is_known", (int)is_known);

	if (made && *fault && json_object_set_new(made, "fault", json_string(fault)) != 0)
		return NULL;
	return TAKE(made);
}

json_t *steps_suggestion(const char *text, size_t length)
{
	char name[NAME_MAX_BYTES + 1], fault[200] = "";
	size_t used = 0;
	struct error err = ERROR_INIT;
	json_t *arguments = NULL;

	while (length > 0 && isspace((unsigned char)*text))
		text++, length--;
	while (used < length && used < NAME_MAX_BYTES &&
	       (isalnum((unsigned char)text[used]) || strchr("._", text[used])))
		used++;
	memcpy(name, text, used);
	name[used] = '\0';
	text += used, length -= used;
	while (length > 0 && isspace((unsigned char)*text))
		text++, length--;
	if (!is_tool_name(name))
		return make("", json_object(), false,
			    "it names no tool as 'server.tool_name'");
	json_auto_t *properties = find_properties(name);
	if (length > SUGGESTION_BYTES_MAX)
		(void)snprintf(fault, sizeof fault, "its arguments are too long");
	else if (length > 0) {
		arguments = json_parse(text, length, JSON_CONTRACT, &err);
		if (!json_is_object(arguments)) {
			json_decref(arguments);
			arguments = NULL;
			(void)snprintf(fault, sizeof fault,
				       "its arguments are no JSON object");
		}
	}
	if (!*fault && !properties)
		(void)snprintf(fault, sizeof fault, "no such tool is known here");
	if (!arguments)
		arguments = json_object();
	if (!*fault && properties)
		judge(arguments, properties, fault, sizeof fault);
	return make(name, arguments, properties != NULL, fault);
}
