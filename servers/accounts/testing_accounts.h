/*
 * testing_accounts -- for tests: one decision about a person from its plan to the saga
 * that has worked once, as the tools do it, without MCP.
 */
#ifndef ACCOUNTS_TESTING_ACCOUNTS_H
#define ACCOUNTS_TESTING_ACCOUNTS_H

#include "servers/accounts/intent.h"

struct testing_asked {
	enum saga_kind kind;
	const char *person, *approval;
	int64_t expires_ms;
	bool keeps_sessions;
};

static inline struct plan *testing_plan(const struct saga_env *env,
					const struct testing_asked *asked,
					struct error *err)
{
	const struct intent intent = { .kind = asked->kind,
				       .sessions = !asked->keeps_sessions,
				       .expires_ms = asked->expires_ms,
				       .now_ms = env->now_ms };
	_cleanup_(person_done) struct person person = { 0 };
	_cleanup_(plan_freep) struct plan *plan = plan_new();
	const bool wanted[SYSTEMS_MAX] = { true, true, true, true };
	json_auto_t *candidates = NULL;

	if (!resolve_person(env->systems, env->system_count, wanted, asked->person,
			    env->now_ms, &person, &candidates, err))
		return NULL;
	plan_summary(plan, "test");
	return intent_plan(env->records, &intent, &person, plan, err) &&
			       plan_finish(plan, err)
		       ? TAKE(plan)
		       : NULL;
}

/* What was planned is done; '*ret' may be NULL. */
static inline bool testing_carry_out(const struct saga_env *env, const struct plan *plan,
				     const char *approval, json_t **ret,
				     struct error *err)
{
	const struct record_event event = { .at_ms = env->now_ms,
					    .by = "alice@example.test",
					    .approved_by = "bob@example.test",
					    .approval = approval,
					    .reason = "laptop stolen",
					    .incident = "INC-1" };
	const json_t *data = plan_get_data(plan);

	return intent_check_end(data, env->now_ms, err) &&
	       saga_begin(env, intent_saga(data, &event), err) &&
	       saga_work(env, approval, ret, err);
}

static inline bool testing_decide(const struct saga_env *env,
				  const struct testing_asked *asked, json_t **ret,
				  struct error *err)
{
	_cleanup_(plan_freep) struct plan *plan = testing_plan(env, asked, err);

	return plan && testing_carry_out(env, plan, asked->approval, ret, err);
}

/* The phase of the saga's step of this system and facet; "" for none. */
static inline const char *testing_phase(const json_t *saga, const char *system,
					const char *facet)
{
	const json_t *step;
	size_t i;

	json_array_foreach(json_object_get(saga, "steps"), i, step)
	{
		const json_t *account =
			json_array_get(json_object_get(saga, "accounts"),
				       (size_t)json_get_int64(step, "account", 0));

		if (strcmp(json_get_string(account, "system"), system) == 0 &&
		    strcmp(json_get_string(step, "facet"), facet) == 0)
			return json_get_string(step, "phase");
	}
	return "";
}

#endif
