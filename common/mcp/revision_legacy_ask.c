/* Questions to clients, as each revision knows them (PROTOCOL 3.1, 3.8). */
#include "mcp/revision_legacy.h"

#include "base/digest.h"

/* ---- What clients can ---- */

static json_t *elicitation(enum legacy_revision r, const json_t *declared)
{
	bool has_url = json_is_object(json_object_get(declared, "url"));
	bool has_form = json_is_object(json_object_get(declared, "form"));

	if (!json_is_object(declared) || r < LEGACY_2025_06_18)
		return NULL;
	if (r < LEGACY_2025_11_25 || !has_url)
		return json_pack("{s:{}}", "form");
	return has_form ? json_pack("{s:{}, s:{}}", "form", "url")
			: json_pack("{s:{}}", "url");
}

static json_t *sampling(enum legacy_revision r, const json_t *declared)
{
	if (!json_is_object(declared))
		return NULL;
	return r >= LEGACY_2025_11_25 &&
			       json_is_object(json_object_get(declared, "tools"))
		       ? json_pack("{s:{}}", "tools")
		       : json_object();
}

json_t *legacy_capabilities(enum legacy_revision r, const json_t *declared)
{
	json_t *can = json_object();
	json_t *form = elicitation(r, json_object_get(declared, "elicitation"));
	json_t *sample = sampling(r, json_object_get(declared, "sampling"));

	/* What gets lost for want of memory cannot be asked. */
	if (form)
		(void)json_object_set_new(can, "elicitation", form);
	if (sample)
		(void)json_object_set_new(can, "sampling", sample);
	if (json_is_object(json_object_get(declared, "roots")))
		(void)json_object_set_new(can, "roots", json_object());
	return can;
}

/* ---- Forms ---- */

/* {oneOf: [{const, title}, ...]} as {enum, enumNames}; false without memory. */
static bool name_choices(json_t *field)
{
	json_t *choices = json_object_get(field, "oneOf"), *values, *names;
	const json_t *one;
	bool good = true;
	size_t i;

	if (!choices)
		return true;
	values = json_array();
	names = json_array();
	json_array_foreach(choices, i, one)
	{
		json_t *value = json_object_get(one, "const");
		json_t *title = json_object_get(one, "title");

		good = good && json_array_append(values, value) == 0 &&
		       json_array_append(names, title ? title : value) == 0;
	}
	good = good && json_object_set(field, "enum", values) == 0 &&
	       json_object_set(field, "enumNames", names) == 0;
	json_decref(values);
	json_decref(names);
	(void)json_object_del(field, "oneOf");
	return good;
}

/* 2025-06-18 has neither modes nor lists of choices. */
static bool simplify_form(json_t *params)
{
	json_t *fields =
		json_object_get(json_object_get(params, "requestedSchema"), "properties");
	const char *name, *type;
	json_t *field;

	(void)json_object_del(params, "mode");
	json_object_foreach(fields, name, field)
	{
		type = json_get_string(field, "type");
		if (!type || strcmp(type, "array") == 0 || !name_choices(field))
			return false;
	}
	return true;
}

static bool adapt_elicitation(json_t *params, enum legacy_revision r)
{
	const char *mode = json_get_string(params, "mode") ?: "form";
	char id[2 * DIGEST_ID_BYTES];

	if (strcmp(mode, "url") != 0)
		return r >= LEGACY_2025_11_25 || simplify_form(params);
	digest_random_id(id);
	return json_object_set_new(params, "elicitationId", json_string(id)) == 0;
}

/* ---- Messages for a model ---- */

static bool add_message(json_t *list, const char *role, json_t *block,
			enum legacy_revision r)
{
	const char *type = json_get_string(block, "type") ?: "";
	json_t *message;

	if (strcmp(type, "audio") == 0 && r < LEGACY_2025_03_26)
		message = json_pack("{s:s, s:{s:s, s:s}}", "role", role, "content",
				    "type", "text", "text", "(audio)");
	else
		message = json_pack("{s:s, s:O}", "role", role, "content", block);
	return message && json_array_append_new(list, message) == 0;
}

/* Several blocks of one message become several messages. */
static bool adapt_sampling(json_t *params, enum legacy_revision r)
{
	json_auto_t *list = json_array();
	const json_t *message;
	json_t *block;
	size_t i, j;

	if (r >= LEGACY_2025_11_25)
		return true;
	json_array_foreach(json_object_get(params, "messages"), i, message)
	{
		const char *role = json_get_string(message, "role") ?: "user";
		json_t *content = json_object_get(message, "content");

		if (json_is_object(content) && !add_message(list, role, content, r))
			return false;
		json_array_foreach(content, j, block)
		{
			if (!add_message(list, role, block, r))
				return false;
		}
	}
	return json_object_set(params, "messages", list) == 0;
}

json_t *legacy_question(enum legacy_revision r, const json_t *request)
{
	const char *method = json_get_string(request, "method") ?: "";
	json_auto_t *fit = json_deep_copy(request);
	json_t *params = json_object_get(fit, "params");
	bool good = fit != NULL;

	if (strcmp(method, "elicitation/create") == 0)
		good = good && adapt_elicitation(params, r);
	else if (strcmp(method, "sampling/createMessage") == 0)
		good = good && adapt_sampling(params, r);
	return good ? json_incref(fit) : NULL;
}
