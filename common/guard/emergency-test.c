/* Break-glass: which word counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "base/cleanup.h"

#include <cmocka.h>
#include <sys/stat.h>

#include "guard/emergency.h"

#define SHOWN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "0123456789abcdee0123456789abcdef0123456789abcdef0123456789abcdef"
#define NOW   INT64_C(1700000000000)

struct rig {
	char folder[64], trusted[96], key[96], stranger[96];
	struct sign_key *emergency, *other;
	struct keyring *keys;
};

static int setup(void **state)
{
	struct rig *r = calloc(1, sizeof *r);
	struct error err = ERROR_INIT;
	char pem[192];

	assert_non_null(r);
	(void)snprintf(r->folder, sizeof r->folder, "/tmp/wingman-emergency-XXXXXX");
	assert_non_null(mkdtemp(r->folder));
	(void)snprintf(r->trusted, sizeof r->trusted, "%s/trusted", r->folder);
	(void)snprintf(r->key, sizeof r->key, "%s/key", r->folder);
	(void)snprintf(r->stranger, sizeof r->stranger, "%s/stranger", r->folder);
	assert_int_equal(mkdir(r->trusted, 0700), 0);
	r->emergency = sign_key_create(r->key, &err);
	r->other = sign_key_create(r->stranger, &err);
	assert_true(r->emergency && r->other);
	(void)snprintf(pem, sizeof pem, "%s/%s.pem", r->trusted,
		       sign_key_kid(r->emergency));
	assert_true(sign_key_write_public(r->emergency, pem, &err));
	r->keys = keyring_open(r->trusted, &err);
	assert_non_null(r->keys);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;
	char pem[192];

	(void)snprintf(pem, sizeof pem, "%s/%s.pem", r->trusted,
		       sign_key_kid(r->emergency));
	(void)unlink(pem);
	(void)rmdir(r->trusted);
	(void)unlink(r->key);
	(void)unlink(r->stranger);
	(void)rmdir(r->folder);
	keyring_free(r->keys);
	sign_key_free(r->emergency);
	sign_key_free(r->other);
	free(r);
	return 0;
}

struct claim {
	const char *approval, *shown, *typed, *reason;
	int64_t at_ms;
	bool by_stranger;
};

static enum error_code judge(const struct rig *r, const struct claim *c,
			     struct emergency_word *ret)
{
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	struct error err = ERROR_INIT;

	assert_true(emergency_seal(&word, c->approval, c->shown, c->typed, c->reason,
				   c->at_ms, c->by_stranger ? r->other : r->emergency,
				   &err));
	return emergency_open(word.data, r->keys, "a1", SHOWN, NOW, ret, &err) ? ERR_NONE
									       : err.code;
}

static void test_words(void **state)
{
	const struct rig *r = *state;
	struct claim good = { "a1", SHOWN, "0123456789ab", "the bridge is burning",
			      NOW,  false };
	struct emergency_word word;
	struct error err = ERROR_INIT;
	struct claim c = good;

	assert_int_equal(judge(r, &good, &word), ERR_NONE);
	assert_string_equal(word.reason, "the bridge is burning");
	assert_string_equal(word.kid, sign_key_kid(r->emergency));
	c.by_stranger = true;
	assert_int_equal(judge(r, &c, &word), ERR_PERMISSION_DENIED);
	c = good, c.approval = "a2";
	assert_int_equal(judge(r, &c, &word), ERR_PERMISSION_DENIED);
	c = good, c.shown = OTHER;
	assert_int_equal(judge(r, &c, &word), ERR_PRECONDITION_FAILED);
	c = good, c.typed = "0123456789a";
	assert_int_equal(judge(r, &c, &word), ERR_PERMISSION_DENIED);
	c = good, c.typed = "0123456789ac";
	assert_int_equal(judge(r, &c, &word), ERR_PERMISSION_DENIED);
	c = good, c.typed = "";
	assert_int_equal(judge(r, &c, &word), ERR_PERMISSION_DENIED);
	c = good, c.reason = "too short";
	assert_int_equal(judge(r, &c, &word), ERR_INVALID_ARGUMENT);
	c = good, c.at_ms = NOW - (EMERGENCY_OLD_S + 1) * 1000;
	assert_int_equal(judge(r, &c, &word), ERR_PERMISSION_DENIED);
	c = good, c.at_ms = NOW + (EMERGENCY_AHEAD_S + 1) * 1000;
	assert_int_equal(judge(r, &c, &word), ERR_PERMISSION_DENIED);
	assert_false(emergency_open("no.word", r->keys, "a1", SHOWN, NOW, &word, &err));
	assert_int_equal(err.code, ERR_PERMISSION_DENIED);
	error_clear(&err);
	assert_false(emergency_open(NULL, r->keys, "a1", SHOWN, NOW, &word, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_words, setup, teardown),
	};

	return cmocka_run_group_tests_name("emergency", tests, NULL, NULL);
}
