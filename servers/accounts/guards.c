#include "servers/accounts/guards.h"

#include <strings.h>

#define MOMENTS "moments"

static bool are_texts(const json_t *list)
{
	if (list && !json_is_array(list))
		return false;
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!json_is_string(json_array_get(list, i)))
			return false;
	return true;
}

bool guards_read(const json_t *config, struct guards *ret, struct error *err)
{
	const json_t *mass = json_object_get(config, "mass_action");

	*ret = (struct guards){
		.people = json_object_get(json_object_get(config, "protected"), "people"),
		.people_per_hour =
			json_get_int64(mass, "people_per_hour", GUARD_PEOPLE_PER_HOUR),
		.all_per_hour = json_get_int64(mass, "all_per_hour", GUARD_ALL_PER_HOUR),
	};
	if (!are_texts(ret->people))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "'backend.protected.people' is a list of names");
	return (ret->people_per_hour > 0 && ret->all_per_hour > 0) ||
	       error_set(err, ERR_INVALID_ARGUMENT,
			 "'backend.mass_action' holds numbers above 0");
}

/* ---- Who is left alone ------------------------------------------------------------ */

static bool is_named(const struct person *p, const char *name)
{
	if (strcasecmp(p->mail, name) == 0 || strcasecmp(p->uid, name) == 0)
		return true;
	for (size_t i = 0; i < json_array_size(p->emails); i++)
		if (strcasecmp(json_string_value(json_array_get(p->emails, i)), name) ==
		    0)
			return true;
	for (size_t i = 0; i < p->count; i++) {
		const struct account *a = &p->accounts[i].account;

		if (strcasecmp(a->identifier, name) == 0 ||
		    strcasecmp(a->uid, name) == 0 || strcasecmp(a->mail, name) == 0 ||
		    strcmp(a->id, name) == 0)
			return true;
	}
	return false;
}

static bool check_people(const struct guards *g, const struct person *p,
			 struct error *err)
{
	for (size_t i = 0; i < json_array_size(g->people); i++) {
		const char *name = json_string_value(json_array_get(g->people, i));

		if (!*name || !is_named(p, name))
			continue;
		error_set(err, ERR_PROTECTED, "'%s' is protected: on the list as %s",
			  p->name, name);
		return error_hint(
			err, "protected accounts are changed by hand, in their system");
	}
	return true;
}

static bool check_kind(const struct person *p, struct error *err)
{
	if (!p->is_service)
		return true;
	error_set(err, ERR_PROTECTED, "'%s' is protected: it is the account of a service",
		  p->name);
	return error_hint(err, "protected accounts are changed by hand, in their system");
}

static bool check_caller(const struct person *p, const char *requester, struct error *err)
{
	if (!is_named(p, requester))
		return true;
	error_set(err, ERR_PROTECTED, "'%s' is protected: it is who asks", p->name);
	return error_hint(err, "let a colleague ask for it");
}

/* ---- How many --------------------------------------------------------------------- */

struct counting {
	const char *requester;
	int64_t since_ms;
	json_t *mine, *all; /* sets of people */
	bool oom;
};

static bool count_one(void *context, const struct document *doc)
{
	struct counting *c = context;
	const char *by = json_get_string(doc->body, "by");
	const char *person = json_get_string(doc->body, "person");

	if (strtoll(doc->id, NULL, 10) <= c->since_ms)
		return false;
	if (!by || !person)
		return true;
	c->oom |= json_object_set_new(c->all, person, json_true()) != 0;
	if (strcasecmp(by, c->requester) == 0)
		c->oom |= json_object_set_new(c->mine, person, json_true()) != 0;
	return !c->oom;
}

/* What one is known by in the count: names differ by case alone for nobody. */
static void fold(const char *text, char *ret, size_t size)
{
	size_t i = 0;

	for (; text[i] && i + 1 < size; i++)
		ret[i] =
			(char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
	ret[i] = '\0';
}

static const char *person_key(const struct person *p)
{
	return *p->mail ? p->mail : p->accounts[0].account.id;
}

static bool check_many(const struct guards *g, struct documents *records,
		       const char *requester, const struct person *p, int64_t now_ms,
		       struct plan *plan, struct error *err)
{
	json_auto_t *mine = json_object(), *all = json_object();
	struct counting c = { .requester = requester,
			      .since_ms = now_ms - GUARD_WINDOW_MS,
			      .mine = mine,
			      .all = all };
	char key[512];

	fold(person_key(p), key, sizeof key);
	if (!documents_query(records, MOMENTS, NULL, NULL, true, GUARD_MOMENTS_MAX,
			     count_one, &c, err))
		return false;
	if (c.oom || json_object_set_new(mine, key, json_true()) != 0 ||
	    json_object_set_new(all, key, json_true()) != 0)
		return error_oom(err);
	if ((int64_t)json_object_size(mine) > g->people_per_hour)
		plan_requires(plan, 2, "one person acts on many people within an hour");
	else if ((int64_t)json_object_size(all) > g->all_per_hour)
		plan_requires(plan, 2, "many people are acted on within an hour");
	return true;
}

bool guards_check(const struct guards *g, struct documents *records, enum saga_kind kind,
		  const char *requester, const struct person *person, int64_t now_ms,
		  struct plan *plan, struct error *err)
{
	return check_people(g, person, err) && check_kind(person, err) &&
	       check_caller(person, requester, err) &&
	       (kind == SAGA_UNBLOCK ||
		check_many(g, records, requester, person, now_ms, plan, err));
}

bool guards_note(struct documents *records, enum saga_kind kind, const char *requester,
		 const char *approval, const char *person, int64_t now_ms,
		 struct error *err)
{
	char id[DOCUMENT_ID_MAX + 1], key[512];
	json_auto_t *body = NULL;
	int64_t revision;
	int n = snprintf(id, sizeof id, "%015lld-%s", (long long)now_ms, approval);

	if (kind == SAGA_UNBLOCK)
		return true;
	if (n <= 0 || (size_t)n >= sizeof id)
		return error_set(err, ERR_INTERNAL, "an approval's id is too long");
	fold(person, key, sizeof key);
	body = json_pack("{s:s, s:s, s:s}", "by", requester, "person", key, "kind",
			 saga_kind_name(kind));
	return body ? documents_put(records, MOMENTS, id, body, DOCUMENT_ANY, &revision,
				    err)
		    : error_oom(err);
}
