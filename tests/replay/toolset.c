#include "replay/toolset.h"

#include <ctype.h>

#include "mcp/definition.h"

enum { FIRST_UID = 10001 };

#define ID_PATTERN "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
#define OCTET      "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
#define CIDR_PATTERN                                                                     \
	"^(" OCTET "(\\\\." OCTET                                                        \
	"){3}(/(3[0-2]|[12]?[0-9]))?|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*"                       \
	"(/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?)$"

/* What an argument of this name is, by the conventions of the catalogue. */
static const struct {
	const char *name, *schema;
} conventions[] = {
	{ "reason", "{\"type\":\"string\",\"minLength\":3,\"maxLength\":500}" },
	{ "incident", "{\"type\":\"string\",\"pattern\":\"" ID_PATTERN "\"}" },
	{ "ticket", "{\"type\":\"string\",\"pattern\":\"" ID_PATTERN "\"}" },
	{ "person", "{\"type\":\"string\",\"minLength\":1,\"maxLength\":512,"
		    "\"x-wingman-kind\":\"person\"}" },
	{ "owner", "{\"type\":\"string\",\"minLength\":1,\"maxLength\":512,"
		   "\"x-wingman-kind\":\"person\"}" },
	{ "limit",
	  "{\"type\":\"integer\",\"minimum\":1,\"maximum\":200,\"default\":20}" },
	{ "top", "{\"type\":\"integer\",\"minimum\":1,\"maximum\":200}" },
	{ "expected_version", "{\"type\":\"integer\",\"minimum\":1}" },
	{ "cursor", "{\"type\":\"string\",\"minLength\":1,\"maxLength\":1000}" },
	{ "systems",
	  "{\"type\":\"array\",\"minItems\":1,\"maxItems\":4,\"uniqueItems\":true,"
	  "\"items\":{\"enum\":[\"ldap\",\"okta\",\"github\",\"slack\"]}}" },
	{ "revoke_sessions", "{\"type\":\"boolean\",\"default\":true}" },
	{ "expires_in", "{\"type\":\"string\",\"pattern\":\"^[1-9][0-9]{0,5}[mhd]$\"}" },
	{ "source[]", "{\"type\":\"array\",\"minItems\":1,\"maxItems\":64,\"items\":"
		      "{\"type\":\"string\",\"pattern\":\"" CIDR_PATTERN "\"}}" },
	{ "destination[]", "{\"type\":\"array\",\"minItems\":1,\"maxItems\":64,\"items\":"
			   "{\"type\":\"string\",\"pattern\":\"" CIDR_PATTERN "\"}}" },
	{ "ports[]", "{\"type\":\"array\",\"minItems\":1,\"maxItems\":64,\"items\":"
		     "{\"anyOf\":[{\"type\":\"integer\",\"minimum\":1,\"maximum\":65535},"
		     "{\"type\":\"string\",\"pattern\":\"^[0-9]{1,5}-[0-9]{1,5}$\"}]}}" },
	{ "port", "{\"type\":\"integer\",\"minimum\":1,\"maximum\":65535}" },
	{ "protocol", "{\"enum\":[\"tcp\",\"udp\",\"icmp\",\"any\"]}" },
	{ "direction", "{\"enum\":[\"inbound\",\"outbound\"]}" },
	{ "backend", "{\"enum\":[\"nftables\",\"edl\",\"aws\"]}" },
	{ "order", "{\"enum\":[\"newest\",\"oldest\"]}" },
	{ "severity", "{\"enum\":[\"sev1\",\"sev2\",\"sev3\",\"sev4\",\"low\",\"medium\","
		      "\"high\",\"critical\"]}" },
	{ "audience", "{\"enum\":[\"responders\",\"stakeholders\",\"company\"]}" },
	{ "from", "{\"type\":\"string\",\"format\":\"date-time\"}" },
	{ "to", "{\"type\":\"string\",\"format\":\"date-time\"}" },
	{ "at", "{\"type\":\"string\",\"format\":\"date-time\"}" },
	{ "since", "{\"type\":\"string\",\"format\":\"date-time\"}" },
	{ "until", "{\"type\":\"string\",\"format\":\"date-time\"}" },
	{ "due_at", "{\"type\":\"string\",\"format\":\"date-time\"}" },
	{ "text", "{\"type\":\"string\",\"minLength\":1,\"maxLength\":20000,"
		  "\"x-wingman-kind\":\"markdown\"}" },
	{ "fields", "{\"type\":\"array\",\"maxItems\":100,\"items\":"
		    "{\"type\":\"string\",\"minLength\":1,\"maxLength\":200}}" },
	{ "tags", "{\"type\":\"array\",\"maxItems\":50,\"items\":"
		  "{\"type\":\"string\",\"minLength\":1,\"maxLength\":200}}" },
};

static const char any_text[] =
	"{\"type\":\"string\",\"minLength\":1,\"maxLength\":20000}";
static const char any_list[] =
	"{\"type\":\"array\",\"maxItems\":200,\"items\":"
	"{\"type\":\"string\",\"minLength\":1,\"maxLength\":4000}}";

static json_t *schema_of(const char *name, struct error *err)
{
	const char *text = strstr(name, "[]") ? any_list : any_text;

	for (size_t i = 0; i < ARRAY_SIZE(conventions); i++)
		if (strcmp(conventions[i].name, name) == 0)
			text = conventions[i].schema;
	return json_parse(text, strlen(text), JSON_SYNTAX, err);
}

/* Of "a|b|c" exactly these words; spaces around them are none of theirs. */
static json_t *choice_of(const char *words)
{
	static const char between[] = "| \t";
	json_auto_t *choice = json_array();

	for (words += strspn(words, between); *words; words += strspn(words, between)) {
		size_t length = strcspn(words, between);

		if (json_array_append_new(choice, json_stringn(words, length)) != 0)
			return NULL;
		words += length;
	}
	return json_pack("{s:O}", "enum", choice);
}

/* "name", "name?", "name[]", "name: a|b", "name: bool", "name: int": one of the input
 * line. */
static bool add_argument(const char *word, size_t length, json_t *properties,
			 json_t *required, struct error *err)
{
	char text[128], *type;
	json_t *schema;
	bool is_optional;

	while (length > 0 && isspace((unsigned char)*word))
		word++, length--;
	while (length > 0 && isspace((unsigned char)word[length - 1]))
		length--;
	if (length == 0 || length >= sizeof text)
		return length == 0 || error_set(err, ERR_INVALID_ARGUMENT,
						"an argument of %zu letters", length);
	memcpy(text, word, length);
	text[length] = '\0';
	type = strchr(text, ':');
	if (type)
		*type++ = '\0';
	is_optional = strchr(text, '?') != NULL;
	text[strcspn(text, "?")] = '\0';
	if (type && strchr(type, '|'))
		schema = choice_of(type);
	else if (type && strstr(type, "bool"))
		schema = json_pack("{s:s}", "type", "boolean");
	else if (type && strstr(type, "int"))
		schema = json_pack("{s:s}", "type", "integer");
	else
		schema = schema_of(text, err);
	if (!schema)
		return false;
	/* Every list may be read page by page, whatever its line says. */
	is_optional = is_optional || strcmp(text, "limit") == 0 ||
		      strcmp(text, "cursor") == 0;
	text[strcspn(text, "[")] = '\0';
	return (json_object_set_new(properties, text, schema) == 0 &&
		(is_optional ||
		 json_array_append_new(required, json_string(text)) == 0)) ||
	       error_oom(err);
}

static json_t *input_of(const char *line, struct error *err)
{
	json_auto_t *properties = json_object();
	json_auto_t *required = json_array();

	while (*line) {
		size_t length = strcspn(line, ",");

		if (!add_argument(line, length, properties, required, err))
			return NULL;
		line += length + (line[length] == ',');
	}
	return json_pack("{s:s, s:O, s:O, s:b}", "type", "object", "properties",
			 properties, "required", required, "additionalProperties", 0);
}

static json_t *make_tool(const char *server, const char *tool, const json_t *said,
			 struct error *err)
{
	const char *risk = json_get_string(said, "risk");
	const char *line = json_get_string(said, "input");
	struct error unknown = ERROR_INIT;
	_cleanup_(tool_definition_freep) struct tool_definition *d =
		tool_definition_load(server, tool, &unknown);
	json_t *input;

	/* Its answers are the record's, whatever the real one would declare of them. */
	if (d) {
		json_t *own = json_deep_copy(d->json);

		(void)json_object_del(own, "outputSchema");
		return own;
	}
	input = input_of(line ? line : "", err);
	if (!input)
		return NULL;
	return json_pack("{s:s, s:s, s:s, s:o, s:{s:b, s:b}, s:{s:s}}", "name", tool,
			 "title", tool, "description", "Stands in.", "inputSchema", input,
			 "annotations", "readOnlyHint", risk && strcmp(risk, "read") == 0,
			 "destructiveHint", risk && strcmp(risk, "destructive") == 0,
			 "_meta", META_RISK, risk ? risk : "destructive");
}

static bool read_server(const char *server, json_t *said, json_t *to, struct error *err)
{
	json_auto_t *tools = json_array();
	const char *tool;
	json_t *one;

	json_object_foreach(said, tool, one)
	{
		json_t *made = make_tool(server, tool, one, err);

		if (!made || json_array_append_new(tools, made) != 0)
			return error_oom(err);
	}
	return json_object_set(to, server, tools) == 0 || error_oom(err);
}

static bool says_any(const char *words, const char *const *parts)
{
	for (size_t i = 0; parts[i]; i++)
		if (strstr(words, parts[i]))
			return true;
	return false;
}

/* "dana, security team"; whoever is 'not in' it, or is a guest there, is not. */
static void read_person(const char *slack, const char *words, struct toolset_person *p)
{
	static const char *const outside[] = { "not in",   "not a member",
					       "former",   "guest",
					       "external", "deactivated",
					       "partner",  NULL };
	static const char *const no_approver[] = { "not an approver", "no approver",
						   "not approve", "cannot approve",
						   NULL };
	size_t name = strcspn(words, " ,");

	(void)snprintf(p->slack, sizeof p->slack, "%s", slack);
	(void)snprintf(p->principal, sizeof p->principal, "%.*s@company.com",
		       (int)(name < 60 ? name : 60), words);
	p->in_team = strstr(words, "security team") && !says_any(words, outside);
	p->may_approve = p->in_team && !says_any(words, no_approver);
}

bool toolset_read(const json_t *json, struct toolset *ret, struct error *err)
{
	json_t *servers = json_object_get(json, "servers");
	json_t *people = json_object_get(json, "people");
	const char *name;
	json_t *member;

	const char *rules = json_get_string(json, "rules");

	*ret = (struct toolset){ .servers = json_object(),
				 .four_eyes = rules && strstr(rules, "four_eyes is on") };
	json_object_foreach(servers, name, member)
	{
		if (!read_server(name, member, ret->servers, err))
			return false;
	}
	json_object_foreach(people, name, member)
	{
		struct toolset_person *p = &ret->people[ret->people_count];

		if (!json_is_string(member) || ret->people_count == TOOLSET_PEOPLE_MAX)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "a person that is none, or too many");
		read_person(name, json_string_value(member), p);
		p->uid = FIRST_UID + (int)ret->people_count++;
	}
	return ret->servers != NULL || error_oom(err);
}

void toolset_done(struct toolset *t)
{
	json_decref(t->servers);
	json_decref(t->wanted);
	t->servers = t->wanted = NULL;
}

struct toolset_person *toolset_find(struct toolset *t, const char *slack)
{
	for (size_t i = 0; slack && i < t->people_count; i++)
		if (strcmp(t->people[i].slack, slack) == 0)
			return &t->people[i];
	return NULL;
}
