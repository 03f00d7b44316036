/* config/assistant.yaml: what is taken, what is refused, what holds without a word. */
#include "assistant/settings.h"

#include "assistant/words.h"
#include "base/testing.h"

static bool decode(const char *text, struct assistant_settings *ret,
		   const char *complaint)
{
	struct error err = ERROR_INIT;
	json_auto_t *root = json_loads(text, 0, NULL);

	assert_non_null(root);
	bool good = assistant_settings_decode(root, ret, &err);
	assert_int_equal(good, !error_is_set(&err));
	if (complaint)
		testing_error(&err, ERR_INVALID_ARGUMENT, complaint);
	return good;
}

static void defaults_are_of_the_provider(void **state)
{
	struct assistant_settings s;

	(void)state;
	assert_true(decode("{\"provider\":\"anthropic\",\"model\":\"m\",\"key\":\"k\"}",
			   &s, NULL));
	assert_string_equal(s.url, "https://api.anthropic.com");
	assert_true(s.stream && s.cache && !s.old_max_tokens);
	assert_int_equal(s.turn.requests, 16);
	assert_true(decode("{\"provider\":\"openai\",\"model\":\"m\"}", &s, NULL));
	assert_string_equal(s.url, "https://api.openai.com/v1");
	assert_true(decode("{\"provider\":\"bedrock\",\"model\":\"m\",\"key\":\"env:B\","
			   "\"region\":\"eu-central-1\"}",
			   &s, NULL));
	assert_string_equal(s.url, "https://bedrock-runtime.eu-central-1.amazonaws.com");
	assert_string_equal(s.key.from, "env:B");
}

static void faults_are_named(void **state)
{
	static const struct {
		const char *text, *complaint;
	} rows[] = {
		{ "{\"provider\":\"x\",\"model\":\"m\"}", "provider" },
		{ "{\"provider\":\"openai\"}", "model" },
		{ "{\"provider\":\"openai\",\"model\":\"\"}", "model" },
		{ "{\"provider\":\"openai\",\"model\":\"a\\nb\"}", "control" },
		{ "{\"provider\":\"anthropic\",\"model\":\"m\"}", "key" },
		{ "{\"provider\":\"bedrock\",\"model\":\"m\",\"key\":\"k\"}", "region" },
		{ "{\"provider\":\"bedrock\",\"model\":\"m\",\"key\":\"k\","
		  "\"region\":\"a.evil.example/\"}",
		  "no region" },
		{ "{\"provider\":\"bedrock\",\"model\":\"m\",\"key\":\"k\","
		  "\"url\":\"https://b\",\"access_key_id\":\"a\"}",
		  "region" },
		{ "{\"provider\":\"bedrock\",\"model\":\"m\",\"key\":\"k\","
		  "\"url\":\"https://b\",\"session_token\":\"a\"}",
		  "access_key_id" },
		{ "{\"provider\":\"openai\",\"model\":\"m\",\"access_key_id\":\"a\"}",
		  "bedrock's" },
		{ "{\"provider\":\"openai\",\"model\":\"m\",\"key\":\"env:\"}", "env:" },
		{ "{\"provider\":\"openai\",\"model\":\"m\",\"key\":\"credential:../x\"}",
		  "credential:" },
		{ "{\"provider\":\"openai\",\"model\":\"m\",\"url\":\"ftp://x\"}",
		  "url" },
		{ "{\"provider\":\"openai\",\"model\":\"m\",\"url\":\"http://x/\"}",
		  "url" },
		{ "{\"provider\":\"openai\",\"model\":\"m\",\"url\":\"http://u@x\"}",
		  "url" },
		{ "{\"provider\":\"openai\",\"model\":\"m\",\"url\":\"http://x?y\"}",
		  "url" },
		{ "{\"provider\":\"openai\",\"model\":\"m\",\"turn\":{\"seconds\":0}}",
		  "seconds" },
		{ "{\"provider\":\"openai\",\"model\":\"m\",\"turn\":{\"seconds\":3601}}",
		  "seconds" },
		{ "{\"provider\":\"openai\",\"model\":\"m\",\"turn\":{\"hours\":1}}",
		  "hours" },
		{ "{\"provider\":\"openai\",\"model\":\"m\",\"egress\":{\"tries\":11}}",
		  "tries" },
		{ "{\"provider\":\"openai\",\"model\":\"m\",\"budget\":{\"tokens_per_"
		  "day\":-1}}",
		  "tokens_per_day" },
		{ "{\"provider\":\"openai\",\"model\":\"m\",\"log_level\":\"loud\"}",
		  "log_level" },
	};
	struct assistant_settings s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (decode(rows[i].text, &s, rows[i].complaint))
			fail_msg("taken: %s", rows[i].text);
}

static void limits_are_written_as_they_are_read(void **state)
{
	struct assistant_limits l = { 1, 2, 0, 0, 5, 6 }, again;
	struct error err = ERROR_INIT;
	json_auto_t *object = assistant_limits_json(&l);

	(void)state;
	assert_true(assistant_limits_decode(object, &again, &err));
	assert_memory_equal(&l, &again, sizeof l);
	assert_int_equal(json_object_del(object, "reads"), 0);
	assert_false(assistant_limits_decode(object, &again, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "reads");
}

static void every_code_has_words(void **state)
{
	(void)state;
	for (enum assistant_code c = 0; c <= ASSISTANT_CODE_COUNT; c++) {
		assert_true(strlen(assistant_words(c)) > 4);
		assert_true(strlen(assistant_words(c)) <= 240);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_of_the_provider),
		cmocka_unit_test(faults_are_named),
		cmocka_unit_test(limits_are_written_as_they_are_read),
		cmocka_unit_test(every_code_has_words),
	};

	return cmocka_run_group_tests_name("assistant-settings", tests, NULL, NULL);
}
