#include "gate/keeper_pick.h"

void keeper_pick_done(struct keeper_pick *p)
{
	json_decref(p->record);
	json_decref(p->arguments);
	json_decref(p->provenance);
}

static bool is_offered(const json_t *record, const json_t *choice)
{
	const json_t *error =
		json_object_get(json_object_get(record, "outcome"), "error");
	const json_t *candidates =
		json_object_get(json_object_get(error, "details"), "candidates");
	const char *code = json_get_string(error, "code");
	size_t i;
	json_t *one;

	if (!code || strcmp(code, "ambiguous") != 0)
		return false;
	json_array_foreach(candidates, i, one)
	{
		const json_t *offered = json_object_get(one, "choice");

		if (json_is_object(offered) && json_equal(offered, choice))
			return true;
	}
	return false;
}

static bool check(const json_t *record, const json_t *choice, const char *person,
		  struct error *err)
{
	const char *requester = json_get_string(record, "requester");

	if (!requester || strcmp(requester, person) != 0)
		return error_set(err, ERR_PERMISSION_DENIED,
				 "who is meant says who asked for it");
	if (json_object_get(record, "calls") || json_object_get(record, "bundle"))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "of several calls none is picked for alone");
	if (!is_offered(record, choice))
		return error_set(err, ERR_NOT_FOUND, "there is no such choice any more");
	return true;
}

/* What was picked is the word of who asked, and said to be. */
static bool add_provenance(struct keeper_pick *p, const json_t *choice, struct error *err)
{
	json_t *traced = json_object_get(p->record, "provenance");
	char from[120];
	const char *name;
	json_t *value;

	if (!traced)
		return true;
	p->provenance = json_deep_copy(traced);
	(void)snprintf(from, sizeof from,
		       "picked by who asked, of those that %.40s named", p->server);
	json_object_foreach((json_t *)(uintptr_t)choice, name, value)
	{
		if (json_object_set_new(json_object_get(p->provenance, "arguments"), name,
					json_pack("{s:[s]}", "from", from)) != 0)
			return error_oom(err);
	}
	return p->provenance || error_oom(err);
}

static bool add_arguments(struct keeper_pick *p, const json_t *choice, struct error *err)
{
	const char *text = json_get_string(p->record, "arguments");

	if (!text || !p->server || !p->tool)
		return error_set(err, ERR_INTERNAL, "the record says not what was asked");
	p->arguments = json_parse(text, strlen(text), JSON_CONTRACT, err);
	return p->arguments &&
	       (json_object_update(p->arguments, (json_t *)(uintptr_t)choice) == 0 ||
		error_oom(err));
}

static bool is_by_assistant(const json_t *record)
{
	const char *author = json_get_string(json_object_get(record, "slack"), "author");

	return json_object_get(record, "author") ||
	       (author && strcmp(author, "assistant") == 0);
}

bool keeper_pick(struct keeper *k, const char *approval, const json_t *choice,
		 const char *person, struct keeper_pick *ret, struct error *err)
{
	*ret = (struct keeper_pick){ .record = keeper_load(k, approval, err) };
	if (!ret->record || !check(ret->record, choice, person, err))
		return false;
	ret->server = json_get_string(ret->record, "server");
	ret->tool = json_get_string(ret->record, "tool");
	ret->words_from =
		json_object_get(json_object_get(ret->record, "surface"), "words_from");
	ret->is_assistants = is_by_assistant(ret->record);
	return add_arguments(ret, choice, err) && add_provenance(ret, choice, err);
}
