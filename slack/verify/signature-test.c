/* Slack's published example, each way to be wrong, and the vectors beside the project. */
#include "slack/verify/signature.h"

#include "base/file.h"
#include "base/json.h"
#include "base/testing.h"

enum { NOW_S = 1531420620 };

static const char secret_text[] = "8f742231b10e8888abcd99yyyzzz85a5";
static const char example_body[] =
	"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
	"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
	"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
	"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
	"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
static const char example_signature[] =
	"v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

static const struct slack_evidence example = { .timestamp = "1531420618",
					       .signature = example_signature,
					       .body = example_body,
					       .length = sizeof example_body - 1 };

static bool check(const struct slack_evidence *e, const char *key, int64_t now_s,
		  struct error *err)
{
	_cleanup_(secret_freep) struct secret *secret = secret_new(key, strlen(key));
	const struct secret *secrets[] = { secret };

	return slack_signature_check(e, secrets, 1, now_s, err);
}

static void test_example(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(check(&example, secret_text, NOW_S, &err));
	testing_no_error(&err);
}

static void test_window(void **state)
{
	static const struct {
		int64_t away_s;
		bool ok;
	} cases[] = { { 300, true }, { 301, false }, { -300, true }, { -301, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_INIT;

		assert_int_equal(
			check(&example, secret_text, 1531420618 + cases[i].away_s, &err),
			cases[i].ok);
	}
}

/* One change anywhere, and it is not Slack's. */
static void test_every_byte_counts(void **state)
{
	char body[sizeof example_body], signature[sizeof example_signature];

	(void)state;
	for (size_t i = 0; i < sizeof example_body - 1; i++) {
		struct slack_evidence e = example;
		struct error err = ERROR_INIT;

		memcpy(body, example_body, sizeof body);
		body[i] ^= 1;
		e.body = body;
		assert_false(check(&e, secret_text, NOW_S, &err));
		testing_error(&err, ERR_PERMISSION_DENIED, "not Slack's");
	}
	for (size_t i = 0; i < sizeof example_signature - 1; i++) {
		struct slack_evidence e = example;
		struct error err = ERROR_INIT;

		memcpy(signature, example_signature, sizeof signature);
		signature[i] ^= 1;
		e.signature = signature;
		assert_false(check(&e, secret_text, NOW_S, &err));
		testing_error(&err, ERR_PERMISSION_DENIED, "not Slack's");
	}
}

static void test_forms(void **state)
{
	static const char *const timestamps[] = {
		"",      " 1531420618",   "1531420618 ",
		"-1",    "+1531420618",   "0x5b47f08a",
		"1.5e9", "1234567890123", "99999999999999999999999"
	};
	static const char *const signatures[] = {
		"",
		"v0=",
		"a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
		"v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b5",
		"v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b50300",
		"v0=A2114D57B48EAC39B9AD189DD8316235A7B4A8D21A10BD27519666489C69B503",
		"v1=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(timestamps); i++) {
		struct slack_evidence e = example;
		struct error err = ERROR_INIT;

		e.timestamp = timestamps[i];
		assert_false(check(&e, secret_text, NOW_S, &err));
		testing_error(&err, ERR_PERMISSION_DENIED, "timestamp");
	}
	for (size_t i = 0; i < ARRAY_SIZE(signatures); i++) {
		struct slack_evidence e = example;
		struct error err = ERROR_INIT;

		e.signature = signatures[i];
		assert_false(check(&e, secret_text, NOW_S, &err));
		testing_error(&err, ERR_PERMISSION_DENIED, "signature");
		/* What it should have been is told to nobody. */
		assert_null(strstr(err.cause, "a2114"));
	}
}

static void test_missing(void **state)
{
	struct slack_evidence e = example;
	struct error err = ERROR_INIT;

	(void)state;
	e.signature = NULL;
	assert_false(check(&e, secret_text, NOW_S, &err));
	testing_error(&err, ERR_PERMISSION_DENIED, "not signed");
	e = example;
	e.timestamp = NULL;
	assert_false(check(&e, secret_text, NOW_S, &err));
	testing_error(&err, ERR_PERMISSION_DENIED, "not signed");
}

static void test_fields(void **state)
{
	static const struct slack_field good[] = {
		{ "Host", "x" },
		{ "x-slack-request-timestamp", "1531420618" },
		{ "X-SLACK-SIGNATURE", example_signature },
	};
	static const struct slack_field twice[] = {
		{ "X-Slack-Request-Timestamp", "1531420618" },
		{ "X-Slack-Signature", example_signature },
		{ "x-slack-signature", "v0=" },
	};
	struct slack_field many[SLACK_FIELDS_MAX + 1];
	struct slack_evidence e = example;
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(slack_evidence_read(good, ARRAY_SIZE(good), &e, &err));
	assert_true(check(&e, secret_text, NOW_S, &err));
	assert_false(slack_evidence_read(good, 2, &e, &err));
	testing_error(&err, ERR_PERMISSION_DENIED, "X-Slack-Signature is missing");
	assert_false(slack_evidence_read(good, 0, &e, &err));
	testing_error(&err, ERR_PERMISSION_DENIED, "Timestamp is missing");
	assert_false(slack_evidence_read(twice, ARRAY_SIZE(twice), &e, &err));
	testing_error(&err, ERR_PERMISSION_DENIED, "twice");
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = i < 3 ? good[i] : (struct slack_field){ "A", "b" };
	assert_true(slack_evidence_read(many, SLACK_FIELDS_MAX, &e, &err));
	assert_false(slack_evidence_read(many, SLACK_FIELDS_MAX + 1, &e, &err));
	testing_error(&err, ERR_PERMISSION_DENIED, "too many");
}

static void test_secrets(void **state)
{
	_cleanup_(secret_freep) struct secret *right = secret_new(secret_text, 32);
	_cleanup_(secret_freep) struct secret *wrong = secret_new("other", 5);
	_cleanup_(secret_freep) struct secret *empty = secret_new("", 0);
	const struct secret *first[] = { right, wrong }, *second[] = { wrong, right };
	const struct secret *neither[] = { wrong, wrong }, *none[] = { empty };
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(slack_signature_check(&example, first, 2, NOW_S, &err));
	assert_true(slack_signature_check(&example, second, 2, NOW_S, &err));
	assert_false(slack_signature_check(&example, neither, 2, NOW_S, &err));
	testing_error(&err, ERR_PERMISSION_DENIED, NULL);
	assert_false(slack_signature_check(&example, first, 0, NOW_S, &err));
	testing_error(&err, ERR_INTERNAL, NULL);
	assert_false(slack_signature_check(&example, first, 3, NOW_S, &err));
	testing_error(&err, ERR_INTERNAL, NULL);
	assert_false(slack_signature_check(&example, none, 1, NOW_S, &err));
	testing_error(&err, ERR_INTERNAL, NULL);
}

static void test_long_body(void **state)
{
	_cleanup_free_ char *body = calloc(1, SLACK_BODY_MAX + 1);
	struct slack_evidence e = example;
	struct error err = ERROR_INIT;

	(void)state;
	e.body = body;
	e.length = SLACK_BODY_MAX;
	assert_false(check(&e, secret_text, NOW_S, &err));
	testing_error(&err, ERR_PERMISSION_DENIED, "not Slack's");
	e.length++;
	assert_false(check(&e, secret_text, NOW_S, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "too long");
}

/* --- the vectors --- */

static char folder[512];

static void read_body(const json_t *vector, struct strbuf *ret)
{
	const char *file = json_get_string(vector, "body_file");
	const char *base64 = json_get_string(vector, "body_base64");
	const json_t *plain = json_object_get(vector, "body");
	struct error err = ERROR_INIT;
	char path[1024];

	if (file) {
		(void)snprintf(path, sizeof path, "%s/%s", folder, file);
		assert_true(file_read(path, SLACK_BODY_MAX, ret, &err));
	} else if (base64) {
		assert_true(digest_base64_decode(base64, strlen(base64), ret, &err));
	} else {
		assert_true(json_is_string(plain));
		strbuf_add(ret, json_string_value(plain), json_string_length(plain));
	}
}

static void test_vectors(void **state)
{
	const char *source = getenv("WINGMAN_SOURCE");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;
	char path[1024];
	size_t i;
	json_t *vector;

	(void)state;
	(void)snprintf(folder, sizeof folder, "%s/../shared/slack/fixtures",
		       source ? source : ".");
	(void)snprintf(path, sizeof path, "%s/signature_vectors.json", folder);
	if (!file_exists(path)) {
		print_message("# no %s: its vectors are not asked\n", path);
		skip();
	}
	assert_true(file_read(path, SLACK_BODY_MAX, &text, &err));
	json_auto_t *all = json_parse(text.data, text.length, JSON_SYNTAX, &err);
	testing_no_error(&err);
	assert_true(json_array_size(json_object_get(all, "vectors")) >= 31);
	json_array_foreach(json_object_get(all, "vectors"), i, vector)
	{
		_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
		struct slack_evidence e = {
			.timestamp = json_get_string(vector, "timestamp"),
			.signature = json_get_string(vector, "signature"),
		};
		struct error why = ERROR_INIT;
		bool want = strcmp(json_get_string(vector, "expect"), "accept") == 0;

		read_body(vector, &body);
		e.body = body.data;
		e.length = body.length;
		if (check(&e, json_get_string(vector, "secret"),
			  json_get_int64(vector, "now", 0), &why) != want)
			fail_msg("%s: %s", json_get_string(vector, "name"), why.message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_every_byte_counts),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_long_body),
		cmocka_unit_test(test_vectors),
	};

	return cmocka_run_group_tests_name("slack-signature", tests, NULL, NULL);
}
