#include "replay/form.h"

enum {
	TEXT = 1, /* without NUL */
	OBJECT = 2,
	ARRAY = 4,
	TRUTH = 8,
	NOTHING = 16, /* null */
	COUNT = 32,   /* an integer from 0 to COUNT_MAX */
	NUMBER = 64,  /* any from 0 to COUNT_MAX */
	TEXTS = 128,  /* an array of texts */
	OBJECTS = 256,
	NEEDED = 512,
	OFFSET = 2048, /* an integer, to either side */
	BYTES = 1024,  /* text that may have anything in it */
	COUNT_MAX = 1000 * 1000 * 1000,
};

struct member {
	const char *name;
	unsigned kinds;
};

static const struct member of_record[] = {
	{ "name", TEXT | NEEDED },
	{ "class", TEXT },
	{ "setup", OBJECT | NEEDED },
	{ "model_output", OBJECT | NEEDED },
	{ "then", OBJECTS },
	{ "expect", OBJECT | NEEDED },
	{ NULL, 0 },
};
static const struct member of_setup[] = {
	{ "requester", TEXT }, { "channel", TEXT },         { "toolset", TEXT },
	{ "now", TEXT },       { "approval_ttl_s", COUNT }, { "resources", OBJECTS },
	{ NULL, 0 },
};
static const struct member of_turn[] = {
	{ "text", BYTES | NOTHING },
	{ "tool_calls", OBJECTS | NOTHING },
	{ "next", OBJECT },
	{ "asked", TEXT },
	{ NULL, 0 },
};
static const struct member of_resource[] = {
	{ "server", TEXT | NEEDED },
	{ "uri", TEXT | NEEDED },
	{ "text", BYTES | NEEDED },
	{ NULL, 0 },
};
static const struct member of_call[] = {
	{ "id", TEXT },
	{ "arguments_raw", BYTES },
	{ NULL, 0 },
};
static const struct member of_event[] = {
	{ "event", TEXT | NEEDED },
	{ "user", TEXT },
	{ "call", TEXT },
	{ "action", TEXT },
	{ "signature", TEXT },
	{ "payload", OBJECT },
	{ "delay_ms", COUNT },
	{ "timestamp_age_s", OFFSET },
	{ "team", TEXT },
	{ "channel", TEXT },
	{ "message_ts", TEXT },
	{ "crash", TEXT },
	{ "server", TEXT },
	{ "tool", TEXT },
	{ "change", TEXT },
	{ "seconds", NUMBER },
	{ NULL, 0 },
};
static const struct member of_expect[] = {
	{ "executed", OBJECTS | NEEDED },
	{ "alternatively_executed", OBJECTS },
	{ "prompts", COUNT | OBJECT },
	{ "refused_calls", TEXTS },
	{ "must_show", TEXTS },
	{ "must_not_render", TEXTS },
	{ "must_flag", TEXTS },
	{ "must_warn", TEXTS },
	{ "read", TEXTS },
	{ "told", TEXTS },
	{ "not_told", TEXTS },
	{ "text_and_button_in_separate_messages", TRUTH },
	{ NULL, 0 },
};
static const struct member of_prompts[] = { { "max", COUNT | NEEDED }, { NULL, 0 } };

static bool are_all(const json_t *array, json_type type)
{
	size_t i;
	json_t *one;

	if (!json_is_array(array))
		return false;
	json_array_foreach(array, i, one)
	{
		if (json_typeof(one) != type)
			return false;
	}
	return true;
}

static bool is_kind(const json_t *v, unsigned kinds)
{
	const double number = json_number_value(v);
	const bool is_in = number >= 0 && number <= COUNT_MAX;

	return (kinds & BYTES && json_is_string(v)) ||
	       (kinds & TEXT && json_is_string(v) &&
		strlen(json_string_value(v)) == json_string_length(v)) ||
	       (kinds & OBJECT && json_is_object(v)) ||
	       (kinds & ARRAY && json_is_array(v)) ||
	       (kinds & TRUTH && json_is_boolean(v)) ||
	       (kinds & NOTHING && json_is_null(v)) ||
	       (kinds & COUNT && json_is_integer(v) && is_in) ||
	       (kinds & OFFSET && json_is_integer(v) && number >= -COUNT_MAX &&
		number <= COUNT_MAX) ||
	       (kinds & NUMBER && json_is_number(v) && is_in) ||
	       (kinds & TEXTS && are_all(v, JSON_STRING)) ||
	       (kinds & OBJECTS && are_all(v, JSON_OBJECT));
}

static bool check(const json_t *object, const char *where, const struct member *members,
		  char *why, size_t size)
{
	for (const struct member *m = members; m->name; m++) {
		const json_t *v = json_object_get(object, m->name);

		if (v ? is_kind(v, m->kinds) : !(m->kinds & NEEDED))
			continue;
		(void)snprintf(why, size,
			       v ? "no such record: '%s' of %s is of another kind"
				 : "no such record: '%s' of %s is missing",
			       m->name, where);
		return false;
	}
	return true;
}

static bool check_turn(const json_t *turn, char *why, size_t size)
{
	size_t i;
	json_t *call;

	if (!check(turn, "a model's turn", of_turn, why, size))
		return false;
	json_array_foreach(json_object_get(turn, "tool_calls"), i, call)
	{
		if (!check(call, "a tool call", of_call, why, size))
			return false;
	}
	return !json_object_get(turn, "next") ||
	       check_turn(json_object_get(turn, "next"), why, size);
}

static bool check_resources(const json_t *resources, char *why, size_t size)
{
	size_t i;
	json_t *one;

	json_array_foreach(resources, i, one)
	{
		if (!check(one, "a resource", of_resource, why, size))
			return false;
	}
	return true;
}

static bool check_events(const json_t *then, char *why, size_t size)
{
	size_t i;
	json_t *event;

	json_array_foreach(then, i, event)
	{
		if (!check(event, "an event", of_event, why, size) ||
		    (strcmp(json_get_string(event, "event"), "model_output") == 0 &&
		     !check_turn(event, why, size)))
			return false;
	}
	return true;
}

bool form_check(const json_t *record, char *why, size_t size)
{
	const json_t *expect = json_object_get(record, "expect");
	const json_t *prompts = json_object_get(expect, "prompts");

	if (!json_is_object(record)) {
		(void)snprintf(why, size, "no such record: it is no object");
		return false;
	}
	return check(record, "the record", of_record, why, size) &&
	       check(json_object_get(record, "setup"), "setup", of_setup, why, size) &&
	       check_resources(
		       json_object_get(json_object_get(record, "setup"), "resources"),
		       why, size) &&
	       check_turn(json_object_get(record, "model_output"), why, size) &&
	       check_events(json_object_get(record, "then"), why, size) &&
	       check(expect, "expect", of_expect, why, size) &&
	       (!json_is_object(prompts) ||
		check(prompts, "expect.prompts", of_prompts, why, size));
}
