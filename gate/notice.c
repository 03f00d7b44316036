#include "gate/notice.h"

static json_t *unconst(const json_t *value)
{
	return (json_t *)(uintptr_t)value;
}

static bool has(const json_t *list, const char *person)
{
	size_t i;
	json_t *one;

	json_array_foreach(list, i, one)
	{
		if (json_is_string(one) && strcmp(json_string_value(one), person) == 0)
			return true;
	}
	return false;
}

/* Each once, and not whoever did it. */
static bool add(json_t *to, const char *person, const char *by)
{
	if (!person || (by && strcmp(person, by) == 0) || has(to, person))
		return true;
	return json_array_append_new(to, json_string(person)) == 0;
}

/* Its prompt was before people, and they need not decide it any more. */
static bool is_dead_prompt(const json_t *body, enum record_state to)
{
	return json_object_get(body, "prompt") &&
	       (to == RECORD_DENIED || to == RECORD_EXPIRED || to == RECORD_SUPERSEDED ||
		to == RECORD_CANCELLED || to == RECORD_REVOKED || to == RECORD_LAPSED);
}

static json_t *people_concerned(const json_t *body, enum record_state to, const char *by)
{
	const json_t *policy = json_object_get(body, "policy");
	json_auto_t *who = json_array();
	size_t i;
	json_t *one;

	if (!who || !add(who, json_get_string(body, "requester"), by))
		return NULL;
	json_array_foreach(json_object_get(body, "decisions"), i, one)
	{
		if (!add(who, json_get_string(one, "by"), by))
			return NULL;
	}
	if (!is_dead_prompt(body, to))
		return TAKE(who);
	json_array_foreach(json_object_get(policy, "approvers"), i, one)
	{
		if (!add(who, json_string_value(one), by))
			return NULL;
	}
	return TAKE(who);
}

static bool is_free(const json_t *body)
{
	return json_is_true(json_object_get(json_object_get(body, "policy"), "free"));
}

/* Of one call of several the decision tells; of a freed read nobody but who shows it. */
static json_t *concerned(const json_t *body, enum record_state to, const char *surface,
			 const char *by)
{
	json_auto_t *who = json_object_get(body, "bundle") || is_free(body)
				   ? json_array()
				   : people_concerned(body, to, by);

	if (!who ||
	    (!json_object_get(body, "bundle") && surface && !add(who, surface, NULL)))
		return NULL;
	return TAKE(who);
}

static bool set_text(json_t *notice, const char *name, const char *text)
{
	return !text || json_object_set_new(notice, name, json_string(text)) == 0;
}

/* Code and sentence; details are for who asked, in the record. */
static bool set_error(json_t *notice, const json_t *error)
{
	const char *code = json_get_string(error, "code");
	const char *message = json_get_string(error, "message");

	return !code ||
	       json_object_set_new(notice, "error",
				   json_pack("{s:s, s:s}", "code", code, "message",
					     message ? message : "")) == 0;
}

json_t *notice_make(const json_t *body, enum record_state to, const char *surface,
		    int64_t now_ms, const char *by, const char *why)
{
	json_auto_t *who = concerned(body, to, surface, by);
	json_auto_t *notice = NULL;

	if (!who)
		return NULL;
	if (json_array_size(who) == 0)
		return json_null();
	notice = json_pack(
		"{s:i, s:O, s:O, s:s, s:O, s:O, s:O, s:I, s:O}", "v", 1, "id",
		json_object_get(body, "id"), "approval", json_object_get(body, "id"),
		"state", record_state_name(to), "server", json_object_get(body, "server"),
		"tool", json_object_get(body, "tool"), "requester",
		json_object_get(body, "requester"), "at", (json_int_t)now_ms, "to", who);
	if (notice && json_object_get(body, "calls") &&
	    json_object_set(notice, "calls", json_object_get(body, "calls")) != 0)
		return NULL;
	if (!notice || !set_text(notice, "by", by) || !set_text(notice, "why", why) ||
	    !set_error(notice,
		       json_object_get(json_object_get(body, "outcome"), "error")))
		return NULL;
	return TAKE(notice);
}

json_t *notice_news(const json_t *body, const json_t *decision, const char *surface,
		    int64_t now_ms, const char *key, const char *text)
{
	json_auto_t *who = people_concerned(decision, RECORD_SUCCEEDED, NULL);
	const char *approval = json_get_string(body, "id");
	char id[RECORD_KEY_BYTES + 80];

	if (!who || !approval || (surface && !add(who, surface, NULL)))
		return NULL;
	if (json_array_size(who) == 0)
		return json_null();
	(void)snprintf(id, sizeof id, "%s.%s", approval, key);
	return json_pack(
		"{s:i, s:s, s:s, s:O, s:O, s:O, s:O, s:I, s:s, s:O}", "v", 1, "id", id,
		"approval", approval, "state", json_object_get(body, "state"), "server",
		json_object_get(body, "server"), "tool", json_object_get(body, "tool"),
		"requester", json_object_get(decision, "requester"), "at",
		(json_int_t)now_ms, "news", text, "to", who);
}

bool notice_is_for(const json_t *notice, const char *person)
{
	return has(json_object_get(notice, "to"), person);
}

json_t *notice_for_reading(const json_t *notice)
{
	json_t *shown = json_copy(unconst(notice));

	(void)json_object_del(shown, "to");
	return shown;
}

json_t *notice_without(const json_t *notice, const char *person)
{
	json_auto_t *rest = json_copy(unconst(notice));
	json_auto_t *to = json_array();
	size_t i;
	json_t *one;

	json_array_foreach(json_object_get(notice, "to"), i, one)
	{
		if (strcmp(json_string_value(one), person) != 0 &&
		    json_array_append(to, one) != 0)
			return NULL;
	}
	return rest && to && json_object_set(rest, "to", to) == 0 ? TAKE(rest) : NULL;
}
