#include "guard/ticket.h"

#include "guard/testing_keys.h"

static const int64_t now_ms = INT64_C(1700000000) * 1000;

#define ARGS "1111111111111111111111111111111111111111111111111111111111111111"

static const char *request(void)
{
	static char hex[DIGEST_HEX_BYTES];
	struct error err = ERROR_INIT;

	assert_true(request_digest("accounts", "block_account", ARGS, hex, &err));
	return hex;
}

static void test_request_digest(void **state)
{
	static const char text[] =
		"{\"args\":\"" ARGS
		"\",\"server\":\"accounts\",\"tool\":\"block_account\"}";
	char hex[DIGEST_HEX_BYTES], other[DIGEST_HEX_BYTES];
	struct error err = ERROR_INIT;

	(void)state;
	digest_sha256_hex(text, sizeof text - 1, hex);
	assert_string_equal(request(), hex);
	assert_true(request_digest("accounts", "unblock_account", ARGS, other, &err));
	assert_string_not_equal(other, hex);
}

static void test_there_and_back(void **state)
{
	const struct keys *k = *state;
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	struct error err = ERROR_INIT;
	struct ticket ticket;

	assert_true(ticket_sign(&word, "accounts-prod", "alice@company.com", request(),
				now_ms, k->gate, &err));
	assert_true(ticket_check(word.data, "accounts-prod", request(), now_ms, k->ring,
				 &ticket, &err));
	assert_string_equal(ticket.requester, "alice@company.com");
	/* Until the last moment, and from 30 seconds before. */
	assert_true(ticket_check(word.data, "accounts-prod", request(), now_ms + 59999,
				 k->ring, &ticket, &err));
	assert_true(ticket_check(word.data, "accounts-prod", request(), now_ms - 30000,
				 k->ring, &ticket, &err));
}

static void test_other_call(void **state)
{
	const struct keys *k = *state;
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	struct error err = ERROR_INIT;
	struct ticket ticket;

	assert_true(ticket_sign(&word, "prod", "alice@company.com", request(), now_ms,
				k->gate, &err));
	assert_false(ticket_check(word.data, "test", request(), now_ms, k->ring, &ticket,
				  &err));
	testing_error(&err, ERR_APPROVAL_INVALID, "another server");
	assert_false(
		ticket_check(word.data, "prod", ARGS, now_ms, k->ring, &ticket, &err));
	testing_error(&err, ERR_APPROVAL_INVALID, "another request");
	assert_false(ticket_check(word.data, "prod", request(), now_ms + 60000, k->ring,
				  &ticket, &err));
	testing_error(&err, ERR_APPROVAL_INVALID, "expired");
	assert_false(ticket_check(word.data, "prod", request(), now_ms - 31000, k->ring,
				  &ticket, &err));
	testing_error(&err, ERR_APPROVAL_INVALID, "future");
}

static json_t *payload(const struct keys *k)
{
	return json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:I, s:I}", "typ", TYP_REQUESTER,
			 "v", 1, "kid", sign_key_kid(k->gate), "aud", "prod", "requester",
			 "alice@company.com", "request", request(), "iat",
			 (json_int_t)now_ms / 1000, "exp",
			 (json_int_t)now_ms / 1000 + 60);
}

/* A ticket with one member changed (NULL: removed) and signed by the gate. Steals. */
static void assert_refused_with(const struct keys *k, const char *name, json_t *value,
				const char *why)
{
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	struct error err = ERROR_INIT;
	struct ticket ticket;
	json_auto_t *p = payload(k);

	if (value)
		assert_int_equal(json_object_set_new(p, name, value), 0);
	else
		assert_int_equal(json_object_del(p, name), 0);
	assert_true(envelope_seal(&word, p, k->gate, &err));
	assert_false(ticket_check(word.data, "prod", request(), now_ms, k->ring, &ticket,
				  &err));
	testing_error(&err, ERR_APPROVAL_INVALID, why);
}

static void test_every_member(void **state)
{
	const struct keys *k = *state;
	const json_int_t now = now_ms / 1000;

	assert_refused_with(k, "v", json_integer(2), "version");
	assert_refused_with(k, "v", NULL, "v");
	assert_refused_with(k, "aud", NULL, "aud");
	assert_refused_with(k, "aud", json_integer(1), "aud");
	assert_refused_with(k, "requester", NULL, "requester");
	assert_refused_with(k, "requester", json_string(""), "no person");
	assert_refused_with(k, "requester", json_string("a b"), "no person");
	assert_refused_with(k, "request", NULL, "request");
	assert_refused_with(k, "request", json_string("abc"), "another request");
	assert_refused_with(k, "iat", json_real(1.5), "iat");
	assert_refused_with(k, "iat", json_string("1"), "iat");
	assert_refused_with(k, "iat", json_integer(-1), "times");
	assert_refused_with(k, "exp", json_integer(now), "times");
	assert_refused_with(k, "exp", json_integer(now + 61), "times");
	assert_refused_with(k, "exp", json_integer(JSON_INTEGER_MAX), "times");
	assert_refused_with(k, "extra", json_integer(1), "extra");
	assert_refused_with(k, "typ", json_string(TYP_GRANT), "another type");
}

static void test_incomplete_is_not_signed(void **state)
{
	const struct keys *k = *state;
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;
	struct error err = ERROR_INIT;

	assert_false(ticket_sign(&word, "", "alice", request(), now_ms, k->gate, &err));
	testing_error(&err, ERR_INTERNAL, "incomplete");
	assert_false(ticket_sign(&word, "prod", "a b", request(), now_ms, k->gate, &err));
	testing_error(&err, ERR_INTERNAL, "incomplete");
	assert_false(ticket_sign(&word, "prod", "alice", "abc", now_ms, k->gate, &err));
	testing_error(&err, ERR_INTERNAL, "incomplete");
	assert_int_equal(word.length, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, keys_set_up, keys_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_digest),
		TEST(test_there_and_back),
		TEST(test_other_call),
		TEST(test_every_member),
		TEST(test_incomplete_is_not_signed),
	};

	return cmocka_run_group_tests_name("ticket", tests, NULL, NULL);
}
