#include "servers/accounts/saga.h"

#include "servers/accounts/saga_private.h"

const char *saga_kind_name(enum saga_kind kind)
{
	static const char *const names[] = {
		[SAGA_BLOCK] = "block",
		[SAGA_UNBLOCK] = "unblock",
		[SAGA_REVOKE] = "revoke",
	};

	return names[kind];
}

const struct account_system *saga_system(const struct saga_env *env, const char *name)
{
	for (size_t i = 0; i < env->system_count; i++)
		if (strcmp(env->systems[i].backend->system, name) == 0)
			return &env->systems[i];
	return NULL;
}

void saga_point(const struct saga_env *env, const char *where)
{
	if (env->point)
		env->point(env->point_context, where);
}

/* ---- The document ----------------------------------------------------------------- */

bool saga_text_is(const json_t *object, const char *member, const char *wanted)
{
	const char *text = json_get_string(object, member);

	return text && wanted && strcmp(text, wanted) == 0;
}

bool saga_step_is_open(const json_t *step)
{
	return saga_text_is(step, "phase", "planned") ||
	       saga_text_is(step, "phase", "started") ||
	       saga_text_is(step, "phase", "requested") ||
	       saga_text_is(step, "phase", "retry");
}

bool saga_step_is_done(const json_t *step)
{
	return saga_text_is(step, "phase", "verified") ||
	       saga_text_is(step, "phase", "accepted") ||
	       saga_text_is(step, "phase", "requested");
}

const json_t *saga_account(const json_t *saga, const json_t *step)
{
	return json_array_get(json_object_get(saga, "accounts"),
			      (size_t)json_get_int64(step, "account", 0));
}

bool saga_set(json_t *object, const char *member, json_t *value, struct error *err)
{
	return json_object_set_new(object, member, value) == 0 || error_oom(err);
}

/* Work is left: a step, or what our records say of an account. */
static bool has_open(const json_t *saga)
{
	const json_t *step, *account;
	size_t i;

	json_array_foreach(json_object_get(saga, "accounts"), i, account)
	{
		if (!json_is_true(json_object_get(account, "closed")))
			return true;
	}
	json_array_foreach(json_object_get(saga, "steps"), i, step)
	{
		if (saga_step_is_open(step))
			return true;
	}
	return false;
}

bool saga_save(const struct saga_env *env, json_t *saga, struct error *err)
{
	const char *approval = json_get_string(saga, "approval");
	int64_t revision;

	saga_point(env, "before saving");
	if (!saga_set(saga, "state", json_string(has_open(saga) ? "open" : "closed"),
		      err) ||
	    !documents_put(env->records, SAGAS, approval, saga, DOCUMENT_ANY, &revision,
			   err))
		return false;
	saga_point(env, "saved");
	return true;
}

bool saga_get(struct documents *d, const char *approval, json_t **ret, struct error *err)
{
	_cleanup_(document_done) struct document doc = { 0 };
	bool found = false;

	*ret = NULL;
	if (!documents_get(d, SAGAS, approval, &doc, &found, err) || !found)
		return !error_is_set(err);
	/* A copy: it is edited, and whose the document's own is, is the store's matter. */
	*ret = json_deep_copy(doc.body);
	return *ret || error_oom(err);
}

/* ---- Those that are open ---------------------------------------------------------- */

struct listing {
	json_t *approvals;
	const char *system, *id; /* NULL: of any account */
	bool oom;
};

static bool touches(const json_t *saga, const char *system, const char *id)
{
	const json_t *step;
	size_t i;

	json_array_foreach(json_object_get(saga, "steps"), i, step)
	{
		const json_t *account = saga_account(saga, step);

		if (saga_step_is_open(step) && saga_text_is(account, "system", system) &&
		    saga_text_is(account, "id", id))
			return true;
	}
	return false;
}

static bool list_one(void *context, const struct document *doc)
{
	struct listing *l = context;

	if (!l->system || touches(doc->body, l->system, l->id))
		l->oom |= json_array_append_new(l->approvals, json_string(doc->id)) != 0;
	return !l->oom;
}

static bool list_open(struct documents *d, const char *system, const char *id,
		      json_t **ret, struct error *err)
{
	static const struct documents_filter open[] = { { "state", "open" },
							{ NULL, NULL } };
	json_auto_t *list = json_array();
	struct listing l = { .approvals = list, .system = system, .id = id };

	if (!list)
		return error_oom(err);
	if (!documents_query(d, SAGAS, open, NULL, false, SAGAS_OPEN_MAX, list_one, &l,
			     err))
		return false;
	if (l.oom)
		return error_oom(err);
	*ret = TAKE(list);
	return true;
}

bool saga_list_open(struct documents *d, const char *system, const char *id, json_t **ret,
		    struct error *err)
{
	return list_open(d, system, id, ret, err);
}

struct each {
	bool (*fn)(void *context, const json_t *saga);
	void *context;
};

static bool hand_on(void *context, const struct document *doc)
{
	const struct each *e = context;

	return e->fn(e->context, doc->body);
}

bool saga_each(struct documents *d, size_t limit,
	       bool (*fn)(void *context, const json_t *saga), void *context,
	       struct error *err)
{
	struct each e = { fn, context };

	return documents_query(d, SAGAS, NULL, NULL, true, limit, hand_on, &e, err);
}

struct forgetting {
	json_t *ids;
	int64_t before_ms;
	bool oom;
};

/* In the order of their making: behind the first that is young all are. */
static bool choose_old(void *context, const struct document *doc)
{
	struct forgetting *f = context;

	if (json_get_int64(doc->body, "at_ms", INT64_MAX) >= f->before_ms)
		return false;
	if (saga_text_is(doc->body, "state", "closed"))
		f->oom = json_array_append_new(f->ids, json_string(doc->id)) != 0;
	return !f->oom && json_array_size(f->ids) < SAGA_FORGET_MAX;
}

bool saga_forget(struct documents *d, int64_t before_ms, struct error *err)
{
	json_auto_t *ids = json_array();
	struct forgetting f = { .ids = ids, .before_ms = before_ms };
	const json_t *id;
	bool existed;
	size_t i;

	if (!ids)
		return error_oom(err);
	if (!documents_query(d, SAGAS, NULL, NULL, false, SAGAS_OPEN_MAX, choose_old, &f,
			     err))
		return false;
	if (f.oom)
		return error_oom(err);
	json_array_foreach(ids, i, id)
	{
		if (!documents_delete(d, SAGAS, json_string_value(id), &existed, err))
			return false;
	}
	return true;
}

bool saga_work_all(const struct saga_env *env, struct error *err)
{
	json_auto_t *list = NULL;
	const json_t *approval;
	bool good = true;
	size_t i;

	if (!list_open(env->records, NULL, NULL, &list, err))
		return false;
	json_array_foreach(list, i, approval)
	{
		if (env->stopping && atomic_load(env->stopping))
			break;
		if (!saga_work(env, json_string_value(approval), NULL, err))
			good = false;
	}
	return good;
}

/* ---- Beginning -------------------------------------------------------------------- */

/* Whether the new saga decides anew about what an older one's step would do. */
static bool overrules(const json_t *new, const json_t *old, const json_t *old_step)
{
	const json_t *account = saga_account(old, old_step), *step;
	bool is_new_block = saga_text_is(new, "kind", "block");
	bool is_opposite = (is_new_block && saga_text_is(old, "kind", "unblock")) ||
			   (saga_text_is(new, "kind", "unblock") &&
			    saga_text_is(old, "kind", "block"));
	const json_t *mine;
	size_t i;

	json_array_foreach(json_object_get(new, "accounts"), i, mine)
	{
		if (is_opposite &&
		    saga_text_is(account, "system", json_get_string(mine, "system")) &&
		    saga_text_is(account, "id", json_get_string(mine, "id")))
			return true;
	}
	json_array_foreach(json_object_get(new, "steps"), i, step)
	{
		mine = saga_account(new, step);
		if (saga_text_is(account, "system", json_get_string(mine, "system")) &&
		    saga_text_is(account, "id", json_get_string(mine, "id")) &&
		    saga_text_is(old_step, "facet", json_get_string(step, "facet")))
			return true;
	}
	return false;
}

static bool supersede(const struct saga_env *env, const json_t *new, const char *approval,
		      struct error *err)
{
	_cleanup_(turn_end)
		const struct turn turn = turn_take(env->sagas, SAGAS, approval);
	json_auto_t *old = NULL;
	bool changed = false;
	json_t *step;
	size_t i;

	(void)turn;
	if (!saga_get(env->records, approval, &old, err) || !old)
		return !error_is_set(err);
	json_array_foreach(json_object_get(old, "steps"), i, step)
	{
		if (!saga_step_is_open(step) || !overrules(new, old, step))
			continue;
		changed = true;
		if (!saga_set(step, "phase", json_string("superseded"), err) ||
		    !saga_set(step, "message",
			      json_sprintf("a later decision took its place: %s",
					   json_get_string(new, "approval")),
			      err))
			return false;
	}
	return !changed || saga_save(env, old, err);
}

bool saga_begin(const struct saga_env *env, json_t *body, struct error *err)
{
	json_auto_t *saga = body, *open = NULL;
	const char *approval = json_get_string(saga, "approval");
	const json_t *older;
	int64_t revision = 0;
	size_t i;

	if (!approval || !*approval ||
	    json_array_size(json_object_get(saga, "steps")) > SAGA_STEPS_MAX)
		return error_set(err, ERR_INTERNAL,
				 "a saga lacks its approval, or is long");
	if (!list_open(env->records, NULL, NULL, &open, err))
		return false;
	json_array_foreach(open, i, older)
	{
		if (strcmp(json_string_value(older), approval) != 0 &&
		    !supersede(env, saga, json_string_value(older), err))
			return false;
	}
	saga_point(env, "before beginning");
	if (!saga_set(saga, "state", json_string("open"), err) ||
	    !documents_put(env->records, SAGAS, approval, saga, DOCUMENT_NEW, &revision,
			   err))
		return false;
	saga_point(env, "begun");
	return revision != 0 ||
	       error_set(err, ERR_CONFLICT, "what was approved has begun already");
}
