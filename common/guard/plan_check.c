#include "guard/plan_check.h"

#include "guard/plan.h"

struct effect {
	const char *system, *target, *from, *to;
	bool reversible;
};

struct requires
{
	int64_t approvers;
	const char *why;
};

struct shape {
	int64_t v;
	const char *summary, *state_digest;
	json_t *effects, *warnings, *notes, *requires, *data, *assumes;
};

static bool refuse(struct error *err, const char *what, const char *rule)
{
	return error_set(err, ERR_INVALID_ARGUMENT, "plan: %s %s", what, rule);
}

static bool check_text(const char *value, bool may_be_empty, const char *what,
		       struct error *err)
{
	if (!*value && !may_be_empty)
		return refuse(err, what, "is empty");
	if (strlen(value) > PLAN_TEXT_MAX)
		return refuse(err, what, "is longer than 2000 bytes");
	return true;
}

static bool check_json_text(const json_t *value, const char *what, struct error *err)
{
	const char *text = json_string_value(value);

	if (!text)
		return refuse(err, what, "is no text");
	return check_text(text, false, what, err);
}

static bool check_effect(const json_t *json, struct error *err)
{
	static const struct json_field fields[] = {
#define REQUIRED(name, type)                                                             \
	{ #name, type, offsetof(struct effect, name), JSON_FIELD_REQUIRED }
		REQUIRED(system, JSON_FIELD_STRING),
		REQUIRED(target, JSON_FIELD_STRING),
		REQUIRED(from, JSON_FIELD_STRING),
		REQUIRED(to, JSON_FIELD_STRING),
		REQUIRED(reversible, JSON_FIELD_BOOL),
#undef REQUIRED
		{ 0 },
	};
	struct effect e = { 0 };

	return json_decode(json, fields, &e, "plan: an effect", err) &&
	       check_text(e.system, false, "'system' of an effect", err) &&
	       check_text(e.target, false, "'target' of an effect", err) &&
	       check_text(e.from, true, "'from' of an effect", err) &&
	       check_text(e.to, true, "'to' of an effect", err);
}

static bool check_requires(const json_t *json, struct error *err)
{
	static const struct json_field fields[] = {
		{ "approvers", JSON_FIELD_INT64, offsetof(struct requires, approvers),
		  JSON_FIELD_REQUIRED },
		{ "why", JSON_FIELD_STRING, offsetof(struct requires, why),
		  JSON_FIELD_REQUIRED },
		{ 0 },
	};
	struct requires r = { 0 };

	if (!json_decode(json, fields, &r, "plan: 'requires'", err))
		return false;
	if (r.approvers < 1 || r.approvers > PLAN_APPROVERS_MAX)
		return refuse(err, "'approvers' of 'requires'", "is not within 1 to 8");
	return check_text(r.why, false, "'why' of 'requires'", err);
}

static bool check_notes(json_t *notes, struct error *err)
{
	const char *argument;
	json_t *text;

	if (json_object_size(notes) > PLAN_NOTES_MAX)
		return refuse(err, "'notes'", "has more than 64 members");
	json_object_foreach(
		notes, argument,
		text) if (!check_text(argument, false, "the name of a note", err) ||
			  !check_json_text(text, "a note", err)) return false;
	return true;
}

static bool check_assumes(const json_t *assumes, struct error *err)
{
	size_t i;
	json_t *one;

	if (json_array_size(assumes) > PLAN_ASSUMES_MAX)
		return refuse(err, "'assumes'", "has more than 64 elements");
	json_array_foreach(assumes, i, one)
	{
		if (json_object_size(one) != 2 || json_get_int64(one, "call", 0) < 1 ||
		    json_get_int64(one, "effect", -1) < 0)
			return refuse(err, "an element of 'assumes'",
				      "is not {call, effect}");
	}
	return true;
}

static bool check_lists(const struct shape *s, struct error *err)
{
	const size_t effects = json_array_size(s->effects);
	const size_t warnings = json_array_size(s->warnings);

	if (effects > PLAN_EFFECTS_MAX)
		return refuse(err, "'effects'", "has more than 64 elements");
	if (warnings > PLAN_WARNINGS_MAX)
		return refuse(err, "'warnings'", "has more than 32 elements");
	if (effects + warnings == 0)
		return refuse(err, "it", "has neither an effect nor a warning");
	for (size_t i = 0; i < effects; i++)
		if (!check_effect(json_array_get(s->effects, i), err))
			return false;
	for (size_t i = 0; i < warnings; i++)
		if (!check_json_text(json_array_get(s->warnings, i), "a warning", err))
			return false;
	return true;
}

/* A number that two languages print differently has no place in what is signed.
 * The depth is that of a value json_check_contract has passed. */
static bool has_float(json_t *value)
{
	const char *name;
	json_t *member;
	size_t i;

	if (json_is_real(value))
		return true;
	json_array_foreach(value, i, member) if (has_float(member)) return true;
	json_object_foreach(value, name, member) if (has_float(member)) return true;
	return false;
}

bool plan_check(const json_t *json, struct error *err)
{
	static const struct json_field fields[] = {
		{ "v", JSON_FIELD_INT64, offsetof(struct shape, v), JSON_FIELD_REQUIRED },
		{ "summary", JSON_FIELD_STRING, offsetof(struct shape, summary),
		  JSON_FIELD_REQUIRED },
		{ "effects", JSON_FIELD_ARRAY, offsetof(struct shape, effects),
		  JSON_FIELD_REQUIRED },
		{ "warnings", JSON_FIELD_ARRAY, offsetof(struct shape, warnings),
		  JSON_FIELD_REQUIRED },
		{ "notes", JSON_FIELD_OBJECT, offsetof(struct shape, notes), 0 },
		{ "requires", JSON_FIELD_OBJECT, offsetof(struct shape, requires), 0 },
		{ "state_digest", JSON_FIELD_STRING, offsetof(struct shape, state_digest),
		  JSON_FIELD_REQUIRED },
		{ "data", JSON_FIELD_OBJECT, offsetof(struct shape, data), 0 },
		{ "assumes", JSON_FIELD_ARRAY, offsetof(struct shape, assumes), 0 },
		{ 0 },
	};
	struct shape s = { 0 };

	if (!json_check_contract(json, err) ||
	    !json_decode(json, fields, &s, "plan", err))
		return false;
	if (s.v != 1)
		return refuse(err, "'v'", "is not 1");
	if (!digest_is_hex(s.state_digest))
		return refuse(err, "'state_digest'", "is no digest");
	if (s.data && has_float(s.data))
		return refuse(err, "'data'", "holds a number with a fraction");
	return check_text(s.summary, false, "'summary'", err) && check_lists(&s, err) &&
	       (!s.notes || check_notes(s.notes, err)) &&
	       (!s.requires || check_requires(s.requires, err)) &&
	       check_assumes(s.assumes, err);
}
