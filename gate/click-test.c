/* A press counts where its prompt stands, signed, of our app and team; nowhere else. */
#include "gate/click.h"

#include "base/testing.h"

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

enum { NOW_S = 1795370400 };

/* {"type":"block_actions",...} as a form; written out, so that nothing here encodes. */
static const char body[] =
	"payload=%7B%22type%22%3A%22block_actions%22%2C%22api_app_id%22%3A%22A0W%22%2C"
	"%22team%22%3A%7B%22id%22%3A%22T0A%22%7D%2C%22user%22%3A%7B%22id%22%3A%22U0A%22%"
	"7D%2C"
	"%22container%22%3A%7B%22type%22%3A%22message%22%2C%22message_ts%22%3A%221.2%22%"
	"2C"
	"%22channel_id%22%3A%22C0A%22%7D%2C%22channel%22%3A%7B%22id%22%3A%22C0A%22%7D%2C"
	"%22actions%22%3A%5B%7B%22type%22%3A%22button%22%2C"
	"%22action_id%22%3A%22wingman.approve%22%2C%22value%22%3A%2201k+" SHA
	"%22%7D%5D%7D";

struct fixture {
	struct secret *secret;
	const struct secret *secrets[1];
	const char *teams[2];
	struct click_trust trust;
	char signature[SLACK_SIGNATURE_CHARACTERS + 1];
	struct slack_evidence e;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	_cleanup_strbuf_ struct strbuf base = STRBUF_INIT;
	uint8_t mac[DIGEST_BYTES];

	f->secret = secret_new("s3cret", 6);
	f->secrets[0] = f->secret;
	f->teams[0] = "T0B";
	f->teams[1] = "T0A";
	f->trust = (struct click_trust){ f->secrets, 1, "A0W", f->teams, 2 };
	strbuf_add_format(&base, "v0:%d:%s", NOW_S, body);
	digest_hmac_sha256("s3cret", 6, base.data, base.length, mac);
	(void)snprintf(f->signature, sizeof f->signature, "v0=");
	digest_hex(mac, sizeof mac, f->signature + 3);
	f->e = (struct slack_evidence){ "1795370400", f->signature, body,
					sizeof body - 1 };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	secret_free(f->secret);
	free(f);
	return 0;
}

static void test_read(void **state)
{
	struct fixture *f = *state;
	struct slack_click c;
	struct error err = ERROR_INIT;

	if (!click_read(&f->e, &f->trust, NOW_S, &c, &err))
		fail_msg("%s", err.message);
	assert_string_equal(c.user, "U0A");
	assert_string_equal(c.approval, "01k");
	f->trust.team_count = 1;
	assert_false(click_read(&f->e, &f->trust, NOW_S, &c, &err));
	testing_error(&err, ERR_PERMISSION_DENIED, "another team");
	f->trust.team_count = 2;
	f->trust.app = "A0X";
	assert_false(click_read(&f->e, &f->trust, NOW_S, &c, &err));
	testing_error(&err, ERR_PERMISSION_DENIED, "another app");
	f->trust.app = "A0W";
	f->signature[10] ^= 1;
	assert_false(click_read(&f->e, &f->trust, NOW_S, &c, &err));
	testing_error(&err, ERR_PERMISSION_DENIED, "not Slack's");
}

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
		cmocka_unit_test_setup_teardown(test_read, setup, teardown),
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_review),
	};

	return cmocka_run_group_tests_name("gate-click", tests, NULL, NULL);
}
