/* A press counts where its prompt stands; nowhere else. */
#include "gate/click.h"

#include "base/testing.h"

static void test_place(void **state)
{
	const struct click_place place = { "C0A", "1.2", 3 }, nowhere = { NULL, NULL, 0 };
	const struct slack_click yes = { .action = SLACK_APPROVE,
					 .channel = "C0A",
					 .message_ts = "1.2" };
	struct slack_click c = yes;
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(click_is_at(&c, &place, true, &err));
	assert_false(click_is_at(&c, &place, false, &err));
	testing_error(&err, ERR_PRECONDITION_FAILED, "press Review");
	assert_false(click_is_at(&c, &nowhere, true, &err));
	testing_error(&err, ERR_PRECONDITION_FAILED, "not the message");
	(void)snprintf(c.message_ts, sizeof c.message_ts, "1.3");
	assert_false(click_is_at(&c, &place, true, &err));
	testing_error(&err, ERR_PRECONDITION_FAILED, "not the message");
	c = yes;
	c.channel[0] = 'D';
	assert_false(click_is_at(&c, &place, true, &err));
	testing_error(&err, ERR_PRECONDITION_FAILED, "not the message");
	c = yes;
	c.action = SLACK_DENY;
	assert_true(click_is_at(&c, &place, false, &err));
	c.action = SLACK_REVIEW;
	assert_false(click_is_at(&c, &place, true, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "decides nothing");
}

static void test_review(void **state)
{
	const struct click_place place = { "C0A", "1.2", 3 }, nowhere = { NULL, NULL, 0 };
	struct slack_click c = { .action = SLACK_APPROVE, .view = "V0A", .page = 3 };
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(click_is_at(&c, &place, false, &err));
	for (c.page = 0; c.page < 5; c.page++) {
		error_clear(&err);
		assert_int_equal(click_is_at(&c, &place, true, &err), c.page == 3);
	}
	c.page = 1;
	c.action = SLACK_DENY;
	error_clear(&err);
	assert_true(click_is_at(&c, &place, false, &err));
	c.action = SLACK_APPROVE;
	c.page = 0;
	assert_false(click_is_at(&c, &nowhere, true, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_review),
	};

	return cmocka_run_group_tests_name("gate-click", tests, NULL, NULL);
}
