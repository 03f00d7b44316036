#include "mcp/client/client_private.h"
#include "wire/schema.h"

enum { FIELDS_MAX = 64, ADDRESS_MAX = 2000 };

/* ---- Forms ---- */

/* The scalar types of a form, and choices among strings; nothing nests. */
static bool is_field(const json_t *field)
{
	const char *type = json_get_string(field, "type");

	if (!type || json_object_get(field, "properties"))
		return false;
	if (strcmp(type, "array") == 0) {
		const json_t *items = json_object_get(field, "items");
		const char *item = json_get_string(items, "type");

		return json_is_object(items) && (!item || strcmp(item, "string") == 0);
	}
	return strcmp(type, "string") == 0 || strcmp(type, "number") == 0 ||
	       strcmp(type, "integer") == 0 || strcmp(type, "boolean") == 0;
}

static bool check_form(const json_t *form, struct error *err)
{
	json_t *properties = json_object_get(form, "properties");
	const char *type = json_get_string(form, "type"), *name;
	const json_t *field;

	if (!type || strcmp(type, "object") != 0 || !json_is_object(properties) ||
	    json_object_size(properties) > FIELDS_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the server's form is malformed or too long");
	json_object_foreach(properties, name, field)
	{
		if (!is_field(field))
			return error_set(
				err, ERR_INVALID_ARGUMENT,
				"the server's form has a field that no form may have");
	}
	return true;
}

/* Fields that were left out get what the form says. */
static bool fill_in(const json_t *form, json_t *content)
{
	json_t *properties = json_object_get(form, "properties");
	const char *name;
	json_t *field;

	json_object_foreach(properties, name, field)
	{
		json_t *value = json_object_get(field, "default");

		if (value && !json_object_get(content, name) &&
		    json_object_set_new(content, name, json_deep_copy(value)) != 0)
			return false;
	}
	return true;
}

static bool check_content(const json_t *form, const json_t *content, struct error *err)
{
	struct schema_fault fault;
	struct error why = ERROR_INIT;
	_cleanup_(schema_freep) struct schema *schema =
		schema_compile(NULL, form, NULL, SCHEMA_ASSERT_FORMAT, &why);

	if (!schema)
		return error_set(err, ERR_INVALID_ARGUMENT, "the server's form: %s",
				 why.message);
	if (schema_validate(schema, content, &fault))
		return true;
	return error_set(err, ERR_INVALID_ARGUMENT, "the form's field %s %s",
			 fault.member[0] ? fault.member : fault.instance, fault.message);
}

static const char *action_of(const json_t *answer)
{
	const char *action = json_get_string(answer, "action");

	if (action && (strcmp(action, "accept") == 0 || strcmp(action, "decline") == 0))
		return action;
	return "cancel";
}

static json_t *answer_form(const struct mcp_client_hooks *hooks, const json_t *params,
			   struct error *err)
{
	const json_t *form = json_object_get(params, "requestedSchema");

	if (!check_form(form, err))
		return NULL;
	json_auto_t *answer = hooks->elicit_form(hooks->context, params, err);
	const char *action = action_of(answer);
	if (error_is_set(err))
		return NULL;
	if (strcmp(action, "accept") != 0)
		return json_pack("{s:s}", "action", action);
	const json_t *given = json_object_get(answer, "content");
	json_auto_t *content = json_is_object(given) ? json_deep_copy(given)
						     : json_object();
	if (!content || !fill_in(form, content)) {
		error_oom(err);
		return NULL;
	}
	if (!check_content(form, content, err))
		return NULL;
	return json_pack("{s:s, s:O}", "action", action, "content", content);
}

/* ---- Addresses ---- */

static bool begins_with_host(const char *text, const char *host)
{
	size_t length = strlen(host);

	return strncmp(text, host, length) == 0 &&
	       (text[length] == '\0' || strchr(":/?#", text[length]));
}

/* Nothing but what a person can read and judge may be opened. */
static bool is_address(const char *url)
{
	const char *host;

	if (!url || strlen(url) > ADDRESS_MAX)
		return false;
	for (const char *at = url; *at; at++)
		if (*at <= ' ' || *at > '~' || *at == '\\')
			return false;
	if (strncmp(url, "https://", 8) == 0) {
		host = url + 8;
	} else if (strncmp(url, "http://", 7) == 0) {
		host = url + 7;
		if (!begins_with_host(host, "localhost") &&
		    !begins_with_host(host, "127.0.0.1") &&
		    !begins_with_host(host, "[::1]"))
			return false;
	} else {
		return false;
	}
	size_t authority = strcspn(host, "/?#");
	return authority > 0 && !memchr(host, '@', authority);
}

static json_t *answer_url(const struct mcp_client_hooks *hooks, const json_t *params,
			  struct error *err)
{
	if (!is_address(json_get_string(params, "url"))) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "the server wants an address opened that may not be");
		return NULL;
	}
	json_auto_t *answer = hooks->elicit_url(hooks->context, params, err);
	return error_is_set(err) ? NULL : json_pack("{s:s}", "action", action_of(answer));
}

json_t *client_elicit(const struct mcp_client_hooks *hooks, const json_t *params,
		      struct error *err)
{
	const json_t *mode = json_object_get(params, "mode");
	const char *text = mode ? json_string_value(mode) : "form";

	if (text && strcmp(text, "form") == 0 && hooks->elicit_form)
		return answer_form(hooks, params, err);
	if (text && strcmp(text, "url") == 0 && hooks->elicit_url)
		return answer_url(hooks, params, err);
	error_set(err, ERR_INVALID_ARGUMENT,
		  "the server asks in a way that it was not offered");
	return NULL;
}
