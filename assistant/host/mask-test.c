/* Nothing that looks like a credential is left in a text or a value. */
#include "assistant/host/context.h"

#include "base/testing.h"

#define R "[redacted]"

static void check_value(const char *text, const char *want)
{
	struct error err = ERROR_INIT;
	json_auto_t *value = json_parse(text, strlen(text), JSON_CONTRACT, &err);
	json_auto_t *expected = json_parse(want, strlen(want), JSON_CONTRACT, &err);
	json_auto_t *got = NULL;

	testing_no_error(&err);
	got = context_mask_json(value);
	if (!json_equal(got, expected)) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
		(void)json_write(&sb, got, &err);
		fail_msg("%s became %s", text, sb.data);
	}
}

static void test_values(void **state)
{
	(void)state;
	check_value("{\"a\":[\"Bearer abc123def456\",1,null,true]}",
		    "{\"a\":[\"Bearer " R "\",1,null,true]}");
	check_value("{\"password\":\"a b\",\"apiKey\":5,\"user\":\"u\"}",
		    "{\"password\":\"" R "\",\"apiKey\":\"" R "\",\"user\":\"u\"}");
	check_value("{\"tokens\":5,\"secret\":{\"value\":\"x\"},\"secrets\":[\"x\"]}",
		    "{\"tokens\":5,\"secret\":{\"value\":\"x\"},\"secrets\":[\"x\"]}");
	check_value("{\"client_secret\":[\"x\",7,true],\"token\":\"\"}",
		    "{\"client_secret\":[\"" R "\",\"" R "\",true],\"token\":\"\"}");
	/* JSON within a text */
	check_value("{\"body\":\"{\\\"password\\\":\\\"p\\\\\\\"q\\\"}\"}",
		    "{\"body\":\"{\\\"password\\\":\\\"" R "\\\"}\"}");
}

static json_t *nested(int depth)
{
	json_t *value = json_string("x");

	for (int i = 0; i < depth; i++)
		value = json_pack("[o]", value);
	return value;
}

static void test_depth(void **state)
{
	json_auto_t *most = nested(CONTEXT_DEPTH_MAX);
	json_auto_t *more = nested(CONTEXT_DEPTH_MAX + 1);
	json_auto_t *masked = context_mask_json(most);

	(void)state;
	assert_true(json_equal(most, masked));
	assert_null(context_mask_json(more));
}

static void test_texts(void **state)
{
	json_auto_t *empty = context_mask("", 0);
	json_auto_t *text = context_mask("password=x", 10);

	(void)state;
	assert_string_equal(json_string_value(empty), "");
	assert_string_equal(json_string_value(text), "password=" R);
}

/* A text that was cut within a credential. */
static void test_cut(void **state)
{
	static const char token[] = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
	char text[128];

	(void)state;
	for (size_t n = 1; n <= sizeof token - 1; n++) {
		(void)snprintf(text, sizeof text, "use it: %.*s", (int)n, token);
		json_auto_t *masked = context_mask_cut(text, strlen(text));
		assert_string_equal(json_string_value(masked), "use it: ");
	}
	json_auto_t *whole = context_mask_cut("all of it ", 10);
	assert_string_equal(json_string_value(whole), "all of it ");
	json_auto_t *letters = context_mask_cut("ab \xc3", 4);
	assert_string_equal(json_string_value(letters), "ab ");
}

static void test_cut_long_word(void **state)
{
	char *text = malloc(CONTEXT_WORD_MAX + 2);

	(void)state;
	assert_non_null(text);
	memset(text, 'x', CONTEXT_WORD_MAX + 1);
	json_auto_t *most = context_mask_cut(text, CONTEXT_WORD_MAX);
	json_auto_t *more = context_mask_cut(text, CONTEXT_WORD_MAX + 1);
	assert_int_equal(json_string_length(most), 0);
	assert_int_equal(json_string_length(more), 1);
	free(text);
}

/* What the digest of credentials lists, where it stands in logs, headers and files. */
static void test_kinds(void **state)
{
	static const char *const secrets[] = {
		"AKIAIOSFODNN7EXAMPLE",
		"aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		"{\"SecretAccessKey\":\"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\"}",
		"aws_session_token=FwoGZXIvYXdzEXAMPLE",
		"ghs_0123456789abcdefghijABCDEFGHIJ012345",
		"github_pat_11ABCDEFG0123456789_abcdefghijklmnop",
		"xoxb-123456789012-abcdefghijkl",
		"xoxe.xoxp-1-Mi0yLTEyMzQ1Njc4",
		"xapp-1-A0123-456-abcdef",
		"Authorization: SSWS 00QCjAl4MlV-WPXM_ABCDEFGHIJKLMNOPQRSTUVWX",
		"00QCjAl4MlV-WPXM_ABCDEFGHIJKLMNOPQRSTUVWXY",
		"sk-ant-api03-0123456789abcdefghijABCDEFGHIJ",
		"sk-proj-0123456789abcdefghijABCDEFGHIJ",
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
		"Authorization: Basic dXNlcjpodW50ZXIy",
		"postgres://app:hunter2@db.internal/app",
		"redis://:hunter2@cache:6379/0",
		"Server=db;User Id=sa;Password=hunter2;Encrypt=true",
		"DefaultEndpointsProtocol=https;AccountName=a;AccountKey=aHVudGVyMg==;x",
		"Endpoint=sb://x/;SharedAccessKeyName=r;SharedAccessKey=aHVudGVyMg==",
		"-----BEGIN RSA PRIVATE KEY-----\nhunter2\nhunter2\n-----END RSA "
		"PRIVATE KEY-----",
		"{\"key\":\"-----BEGIN PRIVATE KEY-----\\nhunter2\\n-----END PRIVATE "
		"KEY-----\\n\"}",
		"-----BEGIN PGP PRIVATE KEY BLOCK-----\nhunter2\n-----END PGP PRIVATE "
		"KEY BLOCK-----",
		"password:\n  hunter2",
		"{\\\"password\\\":\\\"hunter2\\\"}",
		"password%3Dhunter2&x=1",
		"https://b.s3.amazonaws.com/k?X-Amz-Signature=hunter2",
	};
	static const char *const left[] = { "wJalr",         "hunter2", "EXAMPLE",
					    "ghs_",          "11ABC",   "abcdefghijkl",
					    "Mi0yLTE",       "A0123-",  "QCjAl4",
					    "0123456789abc", "dXNlcj",  "c2lnbm",
					    "aHVudGVyMg" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++) {
		json_auto_t *masked = context_mask(secrets[i], strlen(secrets[i]));

		for (size_t n = 0; n < ARRAY_SIZE(left); n++)
			if (strstr(json_string_value(masked), left[n]))
				fail_msg("'%s' became '%s'", secrets[i],
					 json_string_value(masked));
	}
}

/* Wherever a text is cut, no half of a secret is left that somebody could use. */
static void test_every_cut(void **state)
{
	static const struct {
		const char *text, *piece;
	} rows[] = {
		{ "log says ghp_0123456789abcdefghijABCDEFGHIJ012345 and more",
		  "ghp_0123" },
		{ "the id is AKIAIOSFODNN7EXAMPLE, see there", "AKIAIOSF" },
		{ "x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefgh y", "eyJhbGci" },
		{ "run with password=hunter2hunter2 then", "hunter2" },
		{ "get postgres://u:hunter2hunter2@host/db first", "hunter2" },
		{ "{\"password\":\"hunter2 hunter2\",\"n\":1} end", "hunter2" },
		{ "-----BEGIN PRIVATE KEY-----\nMIIEpAIBAAKC MIIE\n-----END PRIVATE "
		  "KEY----- z",
		  "MIIEpAIB" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t length = 0; length <= strlen(rows[i].text); length++) {
			json_auto_t *masked = context_mask_cut(rows[i].text, length);

			assert_non_null(masked);
			if (strstr(json_string_value(masked), rows[i].piece))
				fail_msg("cut at %zu: %s", length,
					 json_string_value(masked));
		}
}

/* A value's own escapes hide nothing: it is read first. */
static void test_escapes(void **state)
{
	static const char text[] =
		"{\"pass\\u0077ord\":\"hunter2\",\"n\":[\"ghp_0123456789abc\\u0064"
		"efghijABCDEFGHIJ012345\",\"d41d8cd98f00b204e9800998ecf8427e\"],"
		"\"inner\":\"{\\\"token\\\":\\\"hunter2\\\"}\"}";
	struct error err = ERROR_INIT;
	json_auto_t *value = json_parse(text, strlen(text), JSON_CONTRACT, &err);
	json_auto_t *masked = context_mask_json(value);
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

	(void)state;
	testing_no_error(&err);
	assert_true(json_write(&out, masked, &err));
	assert_null(strstr(out.data, "hunter2"));
	assert_null(strstr(out.data, "ghp_"));
	assert_non_null(strstr(out.data, "d41d8cd98f00b204e9800998ecf8427e"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),        cmocka_unit_test(test_depth),
		cmocka_unit_test(test_texts),         cmocka_unit_test(test_cut),
		cmocka_unit_test(test_cut_long_word), cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_every_cut),     cmocka_unit_test(test_escapes),
	};

	return cmocka_run_group_tests_name("assistant-mask", tests, NULL, NULL);
}
