/* What strangers may try: depth, size, circles, patterns; and many threads at once. */
#include "wire/schema.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/testing.h"

static json_t *parse(const char *text)
{
	struct error err = ERROR_INIT;
	json_t *value = json_parse(text, strlen(text), JSON_SYNTAX, &err);

	testing_no_error(&err);
	return value;
}

static struct schema *compile(const char *text)
{
	struct error err = ERROR_INIT;
	json_auto_t *document = parse(text);
	struct schema *schema = schema_compile(NULL, document, NULL, 0, &err);

	testing_no_error(&err);
	return schema;
}

static void assert_too_complex(const struct schema *schema, const json_t *value)
{
	struct schema_fault fault;

	assert_false(schema_validate(schema, value, NULL));
	assert_false(schema_validate(schema, value, &fault));
	assert_string_equal(fault.message, "is too complex to be checked");
	assert_string_equal(fault.keyword, "");
}

/* {"not": {"not": ... true}}: 'levels' JSON levels, the boolean included. */
static json_t *nested_schema(unsigned levels)
{
	json_t *document = json_true();

	while (--levels)
		document = json_pack("{s:o}", "not", document);
	return document;
}

static void test_nesting(void **state)
{
	json_auto_t *good = nested_schema(SCHEMA_NESTING_MAX);
	json_auto_t *bad = nested_schema(SCHEMA_NESTING_MAX + 1);
	struct error err = ERROR_INIT;
	_cleanup_(schema_freep) struct schema *schema =
		schema_compile(NULL, good, NULL, 0, &err);

	(void)state;
	assert_non_null(schema);
	/* 63 times not. */
	assert_false(schema_validate(schema, good, NULL));
	assert_null(schema_compile(NULL, bad, NULL, 0, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "nested too deep");
}

static void test_node_count(void **state)
{
	json_auto_t *document = json_object();
	json_t *all = json_array();
	struct error err = ERROR_INIT;
	struct schema *schema;

	(void)state;
	json_object_set_new(document, "allOf", all);
	while (json_array_size(all) < SCHEMA_NODES_MAX - 1)
		json_array_append_new(all, json_true());
	schema = schema_compile(NULL, document, NULL, 0, &err);
	testing_no_error(&err);
	schema_free(schema);
	json_array_append_new(all, json_true());
	assert_null(schema_compile(NULL, document, NULL, 0, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "too many subschemas");
}

/* Two to the power of the depth: every level asks both of the next. */
static void test_step_budget(void **state)
{
	_cleanup_(schema_freep) struct schema *schema =
		compile("{\"$defs\": {\"a\": {\"items\": {\"anyOf\": [{\"allOf\": "
			"[{\"$ref\": \"#/$defs/a\"}, false]},"
			"{\"$ref\": \"#/$defs/a\"}]}, \"maxItems\": 1}}, \"$ref\": "
			"\"#/$defs/a\"}");
	json_t *deep = json_object(), *shallow = json_object();

	(void)state;
	for (int i = 0; i < 40; i++)
		deep = json_pack("[o]", deep);
	for (int i = 0; i < 10; i++)
		shallow = json_pack("[o]", shallow);
	assert_true(schema_validate(schema, shallow, NULL));
	assert_too_complex(schema, deep);
	json_decref(deep);
	json_decref(shallow);
}

/* A 'not' does not turn "too complex" into "conforms". */
static void test_not_of_too_complex(void **state)
{
	_cleanup_(schema_freep) struct schema *pattern =
		compile("{\"not\": {\"pattern\": \"(a|a)*b\"}}");
	_cleanup_(schema_freep) struct schema *branch =
		compile("{\"anyOf\": [{\"pattern\": \"(a|a)*b\"}, true]}");
	_cleanup_(schema_freep) struct schema *choice =
		compile("{\"if\": {\"pattern\": \"(a|a)*b\"}, \"else\": true}");
	_cleanup_(schema_freep) struct schema *names =
		compile("{\"patternProperties\": {\"(a|a)*b\": false}}");
	json_auto_t *text =
		parse("\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"");
	json_auto_t *object = json_object();

	(void)state;
	json_object_set(object, json_string_value(text), text);
	assert_too_complex(pattern, text);
	assert_too_complex(branch, text);
	assert_too_complex(choice, text);
	assert_too_complex(names, object);
}

/* Each search stays below its own limit; all together do not take all day. */
static void test_pattern_time(void **state)
{
	_cleanup_(schema_freep) struct schema *schema =
		compile("{\"items\": {\"not\": {\"pattern\": \"(a|a)*b\"}}}");
	json_auto_t *items = json_array();
	int64_t start = clock_mono_ms();

	(void)state;
	for (int i = 0; i < 20000; i++)
		json_array_append_new(items, json_string("aaaaaaaaaaaaaaaa"));
	assert_too_complex(schema, items);
	assert_in_range(clock_mono_ms() - start, 1, 20 * SCHEMA_PATTERN_MS);
}

/* Built in memory, so no parser has bounded it. */
static void test_deep_instance(void **state)
{
	_cleanup_(schema_freep) struct schema *schema =
		compile("{\"$defs\": {\"a\": {\"items\": {\"$ref\": \"#/$defs/a\"}}}, "
			"\"$ref\": \"#/$defs/a\"}");
	_cleanup_(schema_freep) struct schema *equal = compile("{\"uniqueItems\": true}");
	json_t *deep = json_array();
	json_auto_t *pair = NULL;

	(void)state;
	for (int i = 0; i < SCHEMA_DEPTH_MAX; i++)
		deep = json_pack("[o]", deep);
	assert_too_complex(schema, deep);
	pair = json_pack("[O, o]", deep, deep);
	assert_too_complex(equal, pair);
}

/* No circle of plain references, but one that the dynamic scope closes. */
static void test_dynamic_circle(void **state)
{
	_cleanup_(schema_freep) struct schema *schema = compile(
		"{\"$id\": \"urn:a\", \"$dynamicAnchor\": \"x\", \"$ref\": \"urn:b\","
		"\"$defs\": {\"b\": {\"$id\": \"urn:b\", \"$dynamicRef\": \"#x\","
		"\"$defs\": {\"x\": {\"$dynamicAnchor\": \"x\"}}}}}");
	json_auto_t *value = json_true();

	(void)state;
	assert_too_complex(schema, value);
}

static void test_long_reference_chain(void **state)
{
	json_auto_t *document = json_object();
	json_t *defs = json_object();
	struct error err = ERROR_INIT;
	char name[16], ref[32];

	(void)state;
	json_object_set_new(document, "$defs", defs);
	json_object_set_new(document, "$ref", json_string("#/$defs/0"));
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(name, sizeof name, "%d", i);
		(void)snprintf(ref, sizeof ref, "#/$defs/%d", i + 1);
		json_object_set_new(defs, name, json_pack("{s:s}", "$ref", ref));
	}
	json_object_set_new(defs, "5000", json_true());
	assert_null(schema_compile(NULL, document, NULL, 0, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "too many others");
}

/* Names that would collide under a hash without a secret, and simply many of them. */
static void test_many_members(void **state)
{
	_cleanup_(schema_freep) struct schema *schema =
		compile("{\"additionalProperties\": {\"type\": \"integer\"}, "
			"\"unevaluatedProperties\": false,"
			"\"maxProperties\": 100000}");
	json_auto_t *object = json_object();
	char name[16];

	(void)state;
	for (int i = 0; i < 100000; i++) {
		(void)snprintf(name, sizeof name, "%d", i);
		json_object_set_new(object, name, json_integer(i));
	}
	assert_true(schema_validate(schema, object, NULL));
	json_object_set_new(object, "one", json_integer(1));
	assert_false(schema_validate(schema, object, NULL));
}

/* ---- Threads ---- */

struct job {
	const struct schema *schema;
	const json_t *good, *bad;
	unsigned wrong;
};

static void *work(void *argument)
{
	struct job *job = argument;
	struct schema_fault fault;

	for (int i = 0; i < 2000; i++) {
		job->wrong += !schema_validate(job->schema, job->good, &fault);
		job->wrong += schema_validate(job->schema, job->bad, &fault);
		job->wrong += strcmp(fault.instance, "/name") != 0;
	}
	return NULL;
}

static void test_threads(void **state)
{
	enum { THREADS = 8 };
	_cleanup_(schema_freep) struct schema *schema =
		compile("{\"properties\": {\"name\": {\"pattern\": \"^[a-z]+$\"}}, "
			"\"required\": [\"name\"],"
			"\"patternProperties\": {\"^x-\": {\"type\": \"string\"}}, "
			"\"unevaluatedProperties\": false}");
	json_auto_t *good = parse("{\"name\": \"abc\", \"x-y\": \"z\"}");
	json_auto_t *bad = parse("{\"name\": \"ABC\", \"x-y\": \"z\"}");
	struct job jobs[THREADS];
	pthread_t threads[THREADS];

	(void)state;
	for (size_t i = 0; i < THREADS; i++) {
		jobs[i] = (struct job){ schema, good, bad, 0 };
		assert_int_equal(pthread_create(&threads[i], NULL, work, &jobs[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(jobs[i].wrong, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_node_count),
		cmocka_unit_test(test_step_budget),
		cmocka_unit_test(test_not_of_too_complex),
		cmocka_unit_test(test_pattern_time),
		cmocka_unit_test(test_deep_instance),
		cmocka_unit_test(test_dynamic_circle),
		cmocka_unit_test(test_long_reference_chain),
		cmocka_unit_test(test_many_members),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests_name("schema_limits", tests, NULL, NULL);
}
