#include "guard/plan.h"

#include <stdarg.h>

#include "guard/plan_check.h"

struct plan {
	json_t *json;
	json_t *effects, *warnings; /* borrowed from 'json' */
	struct error why;           /* the first failure while building */
	char digest[DIGEST_HEX_BYTES];
};

struct plan *plan_new(void)
{
	_cleanup_(plan_freep) struct plan *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->json = json_pack("{s:i, s:[], s:[]}", "v", 1, "effects", "warnings");
	p->effects = json_object_get(p->json, "effects");
	p->warnings = json_object_get(p->json, "warnings");
	return p->effects && p->warnings ? TAKE(p) : NULL;
}

void plan_free(struct plan *p)
{
	if (!p)
		return;
	json_decref(p->json);
	free(p);
}

/* NULL, with the failure remembered, for what jansson does not take: no UTF-8, no memory. */
static json_t *text(struct plan *p, const char *value)
{
	json_t *json = value ? json_string(value) : NULL;

	if (!json)
		error_set(&p->why, ERR_INTERNAL,
			  "a text of the plan is missing or not UTF-8");
	return json;
}

_printf_(2, 0) static json_t *format_text(struct plan *p, const char *format,
					  va_list args)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	strbuf_add_vformat(&sb, format, args);
	if (!strbuf_ok(&sb)) {
		error_oom(&p->why);
		return NULL;
	}
	return text(p, sb.data);
}

/* Steals 'value'; NULL is a failure that is remembered already, or lack of memory. */
static void put(struct plan *p, json_t *object, const char *name, json_t *value)
{
	if (json_object_set_new(object, name, value) != 0)
		error_oom(&p->why);
}

static void append(struct plan *p, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) != 0)
		error_oom(&p->why);
}

void plan_summary(struct plan *p, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put(p, p->json, "summary", format_text(p, format, args));
	va_end(args);
}

void plan_effect(struct plan *p, const char *system, const char *target, const char *from,
		 const char *to, bool reversible)
{
	json_auto_t *effect = json_object();

	put(p, effect, "system", text(p, system));
	put(p, effect, "target", text(p, target));
	put(p, effect, "from", text(p, from));
	put(p, effect, "to", text(p, to));
	put(p, effect, "reversible", json_boolean(reversible));
	append(p, p->effects, TAKE(effect));
}

void plan_warning(struct plan *p, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	append(p, p->warnings, format_text(p, format, args));
	va_end(args);
}

void plan_note(struct plan *p, const char *argument, const char *format, ...)
{
	json_t *notes = json_object_get(p->json, "notes");
	va_list args;

	if (!notes) {
		put(p, p->json, "notes", json_object());
		notes = json_object_get(p->json, "notes");
	}
	va_start(args, format);
	put(p, notes, argument, format_text(p, format, args));
	va_end(args);
}

void plan_requires(struct plan *p, int64_t approvers, const char *why)
{
	json_auto_t *requires = json_object();

	put(p, requires, "approvers", json_integer(approvers));
	put(p, requires, "why", text(p, why));
	put(p, p->json, "requires", TAKE(requires));
}

void plan_state(struct plan *p, json_t *state)
{
	json_auto_t *owned = state;
	char digest[DIGEST_HEX_BYTES];

	if (!owned)
		error_set(&p->why, ERR_INTERNAL, "the plan rests on no state");
	else if (canonical_digest(owned, digest, &p->why))
		put(p, p->json, "state_digest", json_string(digest));
}

bool plan_bind(struct plan *p, const char *store, struct error *err)
{
	const char *state = json_get_string(p->json, "state_digest");
	json_auto_t *both = NULL;
	char digest[DIGEST_HEX_BYTES];

	if (!state) /* plan_finish says so */
		return true;
	both = json_pack("[s, s]", state, store);
	return both ? canonical_digest(both, digest, err) &&
			       (json_object_set_new(p->json, "state_digest",
						    json_string(digest)) == 0 ||
				error_oom(err))
		    : error_oom(err);
}

void plan_assumes(struct plan *p, int64_t call, int64_t effect)
{
	json_t *assumes = json_object_get(p->json, "assumes");

	if (!assumes) {
		put(p, p->json, "assumes", json_array());
		assumes = json_object_get(p->json, "assumes");
	}
	append(p, assumes,
	       json_pack("{s:I, s:I}", "call", (json_int_t)call, "effect",
			 (json_int_t)effect));
}

void plan_data(struct plan *p, json_t *data)
{
	put(p, p->json, "data", data);
}

/* What is digested: all but 'assumes'. New reference; NULL without memory, and then for a
 * copy that lost a member as well. */
static json_t *without_assumes(json_t *plan)
{
	json_auto_t *copy = NULL;

	if (!json_object_get(plan, "assumes"))
		return json_incref(plan);
	copy = json_copy(plan);
	if (!copy || json_object_size(copy) != json_object_size(plan) ||
	    json_object_del(copy, "assumes") != 0)
		return NULL;
	return TAKE(copy);
}

/* A finished plan with its digest, if it is one. */
static bool settle(struct plan *p, struct error *err)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	json_auto_t *digested = without_assumes(p->json);

	if (!digested)
		return error_oom(err);
	if (!plan_check(p->json, err) || !canonical_write(&bytes, digested, err))
		return false;
	if (bytes.length > PLAN_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "plan: %zu bytes, more than %d", bytes.length, PLAN_MAX);
	digest_sha256_hex(bytes.data, bytes.length, p->digest);
	return true;
}

bool plan_finish(struct plan *p, struct error *err)
{
	if (error_is_set(&p->why))
		return error_set(err, p->why.code, "plan: %s", p->why.message);
	return settle(p, err);
}

struct plan *plan_read(const json_t *json, struct error *err)
{
	_cleanup_(plan_freep) struct plan *p = calloc(1, sizeof *p);

	/* Judged first: what is too deep cannot be copied. A copy of its own, so that
	 * nobody changes it after its digest was taken. */
	if (!plan_check(json, err))
		return NULL;
	if (!p || !(p->json = json_deep_copy(json))) {
		error_oom(err);
		return NULL;
	}
	return settle(p, err) ? TAKE(p) : NULL;
}

json_t *plan_json(const struct plan *p)
{
	return p->json;
}

json_t *plan_get_data(const struct plan *p)
{
	return json_object_get(p->json, "data");
}

const char *plan_digest(const struct plan *p)
{
	return p->digest;
}

int64_t plan_approvers(const struct plan *p)
{
	return json_get_int64(json_object_get(p->json, "requires"), "approvers", 1);
}

bool plan_is_reversible(const struct plan *p)
{
	json_t *effect;
	size_t i;

	json_array_foreach(
		json_object_get(p->json, "effects"), i,
		effect) if (!json_is_true(json_object_get(effect,
							  "reversible"))) return false;
	return true;
}
