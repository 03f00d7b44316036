/* What is sent, when it is tried again, and how it is signed. */
#include "assistant/egress/check.h"
#include "assistant/egress/retry.h"
#include "assistant/egress/sigv4.h"
#include "base/testing.h"

static bool may(enum assistant_provider p, const char *path, const char *body)
{
	struct assistant_settings s = { .provider = p,
					.model = "m:1/x",
					.max_output = 10 };
	struct error err = ERROR_INIT;
	bool good = check_request(&s, path, body, &err);

	assert_int_equal(good, !error_is_set(&err));
	return good;
}

#define PATH   "/model/m%3A1%2Fx/converse"
#define SYSTEM "\"system\":[{\"text\":\"s\"}],"
#define CONFIG "\"inferenceConfig\":{\"maxTokens\":10},"
#define BEDROCK(block)                                                                   \
	"{" SYSTEM CONFIG "\"messages\":[{\"role\":\"user\",\"content\":[" block "]}]}"
#define OPENAI(more) "{\"model\":\"m:1/x\",\"max_completion_tokens\":10" more "}"

static void only_conversations_are_sent(void **state)
{
	static const struct {
		enum assistant_provider p;
		const char *path, *body;
		bool good;
	} rows[] = {
		{ ASSISTANT_BEDROCK, PATH, BEDROCK("{\"text\":\"x\"}"), true },
		{ ASSISTANT_BEDROCK, PATH "-stream", BEDROCK("{\"text\":\"x\"}"), true },
		{ ASSISTANT_BEDROCK, PATH, BEDROCK("{\"cachePoint\":{}}"), true },
		{ ASSISTANT_BEDROCK, PATH "-streams", BEDROCK("{\"text\":\"x\"}"),
		  false },
		{ ASSISTANT_BEDROCK, "/model/m:1/x/converse", BEDROCK("{\"text\":\"x\"}"),
		  false },
		{ ASSISTANT_BEDROCK, "/model/m%3A1%2Fxy/converse",
		  BEDROCK("{\"text\":\"x\"}"), false },
		{ ASSISTANT_BEDROCK, "/model/m%3A1%2F", BEDROCK("{\"text\":\"x\"}"),
		  false },
		{ ASSISTANT_BEDROCK, PATH,
		  BEDROCK("{\"image\":{\"source\":{\"s3Location\":{}}}}"), false },
		{ ASSISTANT_BEDROCK, PATH, BEDROCK("{\"text\":\"x\",\"image\":{}}"),
		  false },
		{ ASSISTANT_BEDROCK, PATH,
		  BEDROCK("{\"toolResult\":{\"toolUseId\":\"a\",\"content\":[{"
			  "\"document\":"
			  "{}}]}}"),
		  false },
		{ ASSISTANT_BEDROCK, PATH,
		  "{" SYSTEM "\"inferenceConfig\":{\"maxTokens\":11},\"messages\":[]}",
		  false },
		{ ASSISTANT_BEDROCK, PATH,
		  "{" SYSTEM CONFIG "\"messages\":[],\"guardrailConfig\":{}}", false },
		{ ASSISTANT_OPENAI, "/chat/completions",
		  OPENAI(",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]"), true },
		{ ASSISTANT_OPENAI, "/chat/completions",
		  OPENAI(",\"messages\":[{\"role\":\"assistant\",\"content\":null,"
			 "\"tool_calls\":[{\"id\":\"a\",\"type\":\"function\","
			 "\"function\":"
			 "{\"name\":\"n\",\"arguments\":\"{}\"}}]}]"),
		  true },
		{ ASSISTANT_OPENAI, "/chat/completions",
		  OPENAI(",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
			 "\"image_url\"}]}]"),
		  false },
		{ ASSISTANT_OPENAI, "/chat/completions",
		  OPENAI(",\"messages\":[],\"tools\":[{\"type\":\"web_search\"}]"),
		  false },
		{ ASSISTANT_OPENAI, "/chat/completions",
		  OPENAI(",\"messages\":[],\"max_tokens\":10"), false },
		{ ASSISTANT_OPENAI, "/chat/completions",
		  OPENAI(",\"messages\":[],\"n\":9"), false },
		{ ASSISTANT_OPENAI, "/responses", OPENAI(",\"messages\":[]"), false },
		{ ASSISTANT_OPENAI, "", OPENAI(",\"messages\":[]"), false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (may(rows[i].p, rows[i].path, rows[i].body) != rows[i].good)
			fail_msg("%s %s", rows[i].path, rows[i].body);
}

static void tries_wait_as_they_are_told(void **state)
{
	static const struct {
		struct retry r;
		int64_t wait_ms;
	} rows[] = {
		{ { .tries = 4,
		    .tried = 1,
		    .status = 429,
		    .retry_after_ms = 3000,
		    .left_ms = 10000 },
		  3000 },
		{ { .tries = 4,
		    .tried = 4,
		    .status = 429,
		    .retry_after_ms = 0,
		    .left_ms = 10000 },
		  -1 },
		{ { .tries = 4,
		    .tried = 1,
		    .status = 429,
		    .retry_after_ms = 10000,
		    .left_ms = 10000 },
		  -1 },
		{ { .tries = 4,
		    .tried = 1,
		    .status = 529,
		    .retry_after_ms = 60000,
		    .left_ms = 600000 },
		  60000 },
		{ { .tries = 4,
		    .tried = 1,
		    .status = 529,
		    .retry_after_ms = 60001,
		    .left_ms = 600000 },
		  -1 },
		{ { .tries = 9,
		    .tried = 1,
		    .status = 0,
		    .retry_after_ms = -1,
		    .left_ms = 99999 },
		  500 },
		{ { .tries = 9,
		    .tried = 3,
		    .status = 500,
		    .retry_after_ms = -1,
		    .left_ms = 99999 },
		  2000 },
		{ { .tries = 9,
		    .tried = 8,
		    .status = 500,
		    .retry_after_ms = -1,
		    .left_ms = 99999 },
		  8000 },
		{ { .tries = 9,
		    .tried = 8,
		    .status = 500,
		    .retry_after_ms = -1,
		    .left_ms = 99999,
		    .random = 999 },
		  6002 },
		{ { .tries = 9,
		    .tried = 1,
		    .status = 429,
		    .retry_after_ms = 0,
		    .left_ms = 99999,
		    .quota_is_out = true },
		  -1 },
		{ { .tries = 9,
		    .tried = 1,
		    .status = 400,
		    .retry_after_ms = 0,
		    .left_ms = 99999 },
		  -1 },
		{ { .tries = 9,
		    .tried = 1,
		    .status = 499,
		    .retry_after_ms = 0,
		    .left_ms = 99999 },
		  -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (retry_wait_ms(&rows[i].r) != rows[i].wait_ms)
			fail_msg("row %zu: %lld", i,
				 (long long)retry_wait_ms(&rows[i].r));
}

/* 'get-vanilla' of AWS's published test suite of the signature. */
static void a_known_signature(void **state)
{
	static const struct sigv4_header headers[] = {
		{ "x-amz-date", "20150830T123600Z" },
		{ "host", "example.amazonaws.com" },
	};
	const struct sigv4_request r = { "GET", "/", headers, 2, "", 0 };
	const struct sigv4_key k = { "AKIDEXAMPLE",
				     "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
				     "us-east-1", "service" };
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	struct error err = ERROR_INIT;
	char date[SIGV4_DATE_BYTES];

	(void)state;
	assert_true(sigv4_date(INT64_C(1440938160000), date, &err));
	assert_string_equal(date, "20150830T123600Z");
	assert_true(sigv4_sign(&r, &k, date, &sb, &err));
	assert_string_equal(
		sb.data,
		"AWS4-HMAC-SHA256 "
		"Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
		"SignedHeaders=host;x-amz-date, "
		"Signature="
		"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
	assert_false(sigv4_sign(&r, &k, "2015", &sb, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_conversations_are_sent),
		cmocka_unit_test(tries_wait_as_they_are_told),
		cmocka_unit_test(a_known_signature),
	};

	return cmocka_run_group_tests_name("egress", tests, NULL, NULL);
}
