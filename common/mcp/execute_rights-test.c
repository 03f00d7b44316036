/* A grant as it should be, at a server whose own configuration or memory says no. */
#include "mcp/testing_execute.h"

static void who_has_no_rights_gets_nothing(void **state)
{
	struct plan_case *c = *state;

	c->grant = rig_grant(&c->rig, "get_route", "{}");
	(void)snprintf(c->grant.requester, sizeof c->grant.requester,
		       "mallory@example.org");
	assert_refused(c, rig_present(&c->rig, &c->grant, c->rig.key, "{}", NULL),
		       "permission_denied");
	c->grant = rig_grant(&c->rig, "get_route", "{}");
	_cleanup_answer_ struct answer a =
		rig_present(&c->rig, &c->grant, c->rig.key, "{}", NULL);
	assert_string_equal(answer_state(&a), "succeeded");
}

static void an_emergency_that_is_refused(void **state)
{
	struct plan_case *c = *state;

	plan(c);
	c->grant.emergency = true;
	assert_refused(c, present(c), "approval_invalid");
	/* By tool: of another one it is taken. */
	c->grant = rig_grant(&c->rig, "get_route", "{}");
	c->grant.emergency = true;
	_cleanup_answer_ struct answer a =
		rig_present(&c->rig, &c->grant, c->rig.key, "{}", NULL);
	assert_string_equal(answer_state(&a), "succeeded");
}

/* Two gates that share the key and no store: the first one counts. */
static void a_gate_of_another_store(void **state)
{
	struct plan_case *c = *state;

	c->grant = rig_grant(&c->rig, "get_route", "{}");
	(void)snprintf(c->grant.gate_store, sizeof c->grant.gate_store, "first");
	c->grant.gate_epoch_ms = 1000;
	_cleanup_answer_ struct answer a =
		rig_present(&c->rig, &c->grant, c->rig.key, "{}", NULL);
	assert_string_equal(answer_state(&a), "succeeded");
	plan(c);
	(void)snprintf(c->grant.gate_store, sizeof c->grant.gate_store, "second");
	c->grant.gate_epoch_ms = 1000;
	assert_refused(c, present(c), "approval_invalid");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_CASE(who_has_no_rights_gets_nothing),
		WITH_CASE(an_emergency_that_is_refused),
		WITH_CASE(a_gate_of_another_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
