#include "wire/schema.h"

#include "base/json.h"
#include "base/testing.h"

static json_t *parse(const char *text)
{
	struct error err = ERROR_INIT;
	json_t *value = json_parse(text, strlen(text), JSON_SYNTAX, &err);

	if (!value)
		fail_msg("%s: %s", text, err.message);
	return value;
}

static struct schema *compile(const char *text, unsigned flags)
{
	struct error err = ERROR_INIT;
	json_auto_t *document = parse(text);
	struct schema *schema = schema_compile(NULL, document, NULL, flags, &err);

	if (!schema)
		fail_msg("%s: %s", text, err.message);
	return schema;
}

/* ---- Schemas that are refused ---- */

static void test_refused(void **state)
{
	static const struct {
		const char *schema;
		const char *why;
	} cases[] = {
		{ "{\"type\": \"strin\"}", "#/type" },
		{ "{\"type\": [\"string\", \"string\"]}", "#/type" },
		{ "{\"type\": []}", "#/type" },
		{ "{\"minLength\": -1}", "#/minLength: must be at least 0" },
		{ "{\"minLength\": 1.5}", "#/minLength: must be a whole number" },
		{ "{\"maxItems\": \"3\"}", "#/maxItems: must be a whole number" },
		{ "{\"multipleOf\": 0}", "#/multipleOf: must be more than 0" },
		{ "{\"required\": [\"a\", \"a\"]}",
		  "#/required: must not contain an item twice" },
		{ "{\"required\": \"a\"}", "#/required: must be a list" },
		{ "{\"enum\": 3}", "#/enum: must be a list" },
		{ "{\"properties\": {\"a\": 3}}", "#/properties/a: must be" },
		{ "{\"properties\": {\"a\": {\"items\": [{}]}}}",
		  "#/properties/a/items: must be" },
		{ "{\"allOf\": []}", "#/allOf: must not be empty" },
		{ "{\"pattern\": \"[\"}", "#: 'pattern' is no regular expression" },
		{ "{\"patternProperties\": {\"(\": true}}",
		  "#: 'patternProperties' is no regular" },
		{ "{\"dependencies\": {\"a\": 3}}", "#/dependencies/a: must fit" },
		{ "{\"dependencies\": {\"a\": [3]}}", "#/dependencies/a" },
		{ "{\"dependencies\": 3}", "#/dependencies: must be" },
		{ "{\"$ref\": \"#/$defs/a\"}", "'#/$defs/a', where there is no schema" },
		{ "{\"$ref\": \"#a\"}", "'#a', where there is no schema" },
		{ "{\"$ref\": \"http://example.com/a\"}",
		  "'http://example.com/a', which is not known" },
		{ "{\"$defs\": {\"a\": {\"$ref\": \"b.json\"}}}", "#/$defs/a: '$ref'" },
		{ "{\"$dynamicRef\": \"#a\"}", "'#a', where there is no schema" },
		{ "{\"$ref\": \"#/%zz\"}", "is no URI reference" },
		{ "{\"$ref\": \"#\"}", "leads back to itself" },
		{ "{\"$ref\": 3}", "#/$ref: must be a text" },
		{ "{\"$dynamicAnchor\": \"a\", \"$dynamicRef\": \"#a\"}",
		  "leads back to itself" },
		{ "{\"$ref\": \"#/$defs/a\", \"$defs\": {\"a\": {\"anyOf\": [true,"
		  "{\"not\": {\"$ref\": \"#/$defs/b\"}}]}, \"b\": {\"if\": {\"$ref\": "
		  "\"#/$defs/a\"}}}}",
		  "leads back to itself" },
		{ "{\"$schema\": \"http://json-schema.org/draft-07/schema#\"}",
		  "unknown schema dialect" },
		{ "{\"$schema\": \"https://json-schema.org/draft/2019-09/schema\"}",
		  "unknown schema dialect" },
		{ "{\"$schema\": 3}", "#/$schema: must be a string" },
		{ "{\"$defs\": {\"a\": {\"$id\": \"x\", \"$schema\": \"urn:x\"}}}",
		  "unknown schema dialect" },
		{ "{\"$defs\": {\"a\": {\"$schema\": \"urn:x\"}}}", "without an $id" },
		{ "{\"$id\": \"a#b\"}", "#/$id: must match the pattern" },
		{ "{\"$anchor\": \"a b\"}", "#/$anchor: must match the pattern" },
		{ "{\"$defs\": {\"a\": {\"$anchor\": \"x\"}, \"b\": {\"$anchor\": "
		  "\"x\"}}}",
		  "anchor" },
		{ "{\"$defs\": {\"a\": {\"$id\": \"x\"}, \"b\": {\"$id\": \"x\"}}}",
		  "the $id 'x'" },
		{ "{\"$defs\": {\"a\": {\"$id\": "
		  "\"https://json-schema.org/draft/2020-12/schema\"}},"
		  "\"properties\": {\"b\": {\"minLength\": {}}}}",
		  "#/properties/b/minLength" },
		{ "[]", "must be an object or a boolean" },
		{ "null", "must be an object or a boolean" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_INIT;
		json_auto_t *document = parse(cases[i].schema);
		struct schema *schema = schema_compile(NULL, document, NULL, 0, &err);

		if (schema)
			fail_msg("accepted: %s", cases[i].schema);
		assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
		if (!strstr(err.message, cases[i].why))
			fail_msg("%s\n got: %s\nwant: %s", cases[i].schema, err.message,
				 cases[i].why);
	}
}

/* A bad subschema behind a keyword of a vocabulary that is not in use is no schema. */
static void test_strangers_are_annotations(void **state)
{
	_cleanup_(schema_freep) struct schema *schema =
		compile("{\"x-form\": {\"type\": 3, \"$id\": 5}, \"const\": {\"$id\": "
			"\"x\", \"$ref\": \"y\"},"
			"\"examples\": [{\"pattern\": \"[\"}]}",
			0);
	json_auto_t *good = parse("{\"$ref\": \"y\", \"$id\": \"x\"}");

	(void)state;
	assert_true(schema_validate(schema, good, NULL));
}

/* ---- Faults ---- */

static void check_fault(const char *schema_text, const char *instance_text,
			const char *instance, const char *rule, const char *message)
{
	_cleanup_(schema_freep) struct schema *schema =
		compile(schema_text, SCHEMA_ASSERT_FORMAT);
	json_auto_t *value = parse(instance_text);
	struct schema_fault fault;

	if (schema_validate(schema, value, &fault))
		fail_msg("%s conforms to %s", instance_text, schema_text);
	assert_string_equal(fault.message, message);
	assert_string_equal(fault.instance, instance);
	assert_string_equal(fault.schema, rule);
}

static void test_sentences(void **state)
{
	static const char *const cases[][5] = {
		{ "{\"type\": \"string\"}", "3", "", "#/type", "must be a text" },
		{ "{\"type\": [\"null\", \"integer\", \"array\"]}", "1.5", "", "#/type",
		  "must be a whole number, a list or null" },
		{ "{\"type\": [\"number\", \"integer\"]}", "\"\"", "", "#/type",
		  "must be a number" },
		{ "{\"properties\": {\"a/b\": {\"minLength\": 3}}}", "{\"a/b\": \"xy\"}",
		  "/a~1b", "#/properties/a~1b/minLength",
		  "must be at least 3 characters" },
		{ "{\"minLength\": 1}", "\"\"", "", "#/minLength", "must not be empty" },
		{ "{\"maxLength\": 1}", "\"\xc3\xa4\xc3\xa4\"", "", "#/maxLength",
		  "must be at most 1 character" },
		{ "{\"items\": {\"maximum\": 2.5}}", "[1, 2, 3]", "/2", "#/items/maximum",
		  "must be at most 2.5" },
		{ "{\"exclusiveMinimum\": 0}", "0.0", "", "#/exclusiveMinimum",
		  "must be more than 0" },
		{ "{\"multipleOf\": 0.01}", "0.015", "", "#/multipleOf",
		  "must be a multiple of 0.01" },
		{ "{\"enum\": [\"a\", 1, null]}", "\"b\"", "", "#/enum",
		  "must be \"a\", 1 or null" },
		{ "{\"const\": {\"a\": [1]}}", "{}", "", "#/const",
		  "must be {\"a\":[1]}" },
		{ "{\"required\": [\"a\", \"b\"]}", "{\"a\": 1}", "", "#/required",
		  "must have 'b'" },
		{ "{\"properties\": {\"a\": true}, \"additionalProperties\": false}",
		  "{\"a\": 1, \"b\": 1}", "/b", "#/additionalProperties",
		  "is not a known member" },
		{ "{\"properties\": {\"a\": true}, \"unevaluatedProperties\": false}",
		  "{\"a\": 1, \"b\": 1}", "/b", "#/unevaluatedProperties",
		  "is not a known member" },
		{ "{\"prefixItems\": [true], \"items\": false}", "[1, 2]", "/1",
		  "#/items", "is one item too many" },
		{ "false", "1", "", "#", "is not allowed here" },
		{ "{\"uniqueItems\": true}", "[0, false, 0.0]", "", "#/uniqueItems",
		  "must not contain an item twice (items 1 and 3 are equal)" },
		{ "{\"dependentRequired\": {\"a\": [\"b\"]}}", "{\"a\": 1}", "",
		  "#/dependentRequired",
		  "must have 'b' because of another member it has" },
		{ "{\"dependencies\": {\"a\": [\"b\"]}}", "{\"a\": 1}", "",
		  "#/dependencies", "must have 'b' because of another member it has" },
		{ "{\"dependencies\": {\"a\": {\"maxProperties\": 1}}}",
		  "{\"a\": 1, \"b\": 1}", "", "#/dependencies/a/maxProperties",
		  "must have at most 1 member" },
		{ "{\"dependencies\": {\"a\": false, \"b\": []}}", "{\"a\": 1, \"b\": 1}",
		  "", "#/dependencies/a", "is not allowed here" },
		{ "{\"propertyNames\": {\"maxLength\": 1}}", "{\"a\\nb\": 1}", "",
		  "#/propertyNames", "must not have a member of the name 'a\\nb'" },
		{ "{\"format\": \"date\"}", "\"2026-02-29\"", "", "#/format",
		  "must be a date such as 2026-11-22" },
		{ "{\"pattern\": \"^a$\"}", "\"a\\n\"", "", "#/pattern",
		  "must match the pattern ^a$" },
		{ "{\"contains\": {\"const\": 1}}", "[2]", "", "#/contains",
		  "must contain at least 1 item of the kind asked for" },
		{ "{\"not\": {\"type\": \"null\"}}", "null", "", "#/not",
		  "is of a kind that is not allowed" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_fault(cases[i][0], cases[i][1], cases[i][2], cases[i][3],
			    cases[i][4]);
}

/* The fault of the alternative that was meant, where that can be told. */
static void test_alternatives(void **state)
{
	static const char *const nullable = "{\"properties\": {\"a\": {\"anyOf\": "
					    "[{\"type\": \"string\", \"minLength\": 3},"
					    "{\"type\": \"null\"}]}}}";
	static const char *const kinds =
		"{\"oneOf\": [{\"properties\": {\"kind\": {\"const\": 1}, \"n\": "
		"{\"minimum\": 5}}},"
		"{\"properties\": {\"kind\": {\"const\": 2}, \"n\": {\"maximum\": 5}}}]}";
	static const char *const result =
		"{\"anyOf\": [{\"required\": [\"ok\"], \"properties\": {\"ok\": "
		"{\"type\": \"boolean\"}}},"
		"{\"required\": [\"error\"]}]}";

	(void)state;
	check_fault(nullable, "{\"a\": \"x\"}", "/a", "#/properties/a/anyOf/0/minLength",
		    "must be at least 3 characters");
	check_fault(nullable, "{\"a\": 1}", "/a", "#/properties/a/anyOf",
		    "must fit one of 2 alternatives");
	check_fault(kinds, "{\"kind\": 1, \"n\": 3}", "/n",
		    "#/oneOf/0/properties/n/minimum", "must be at least 5");
	check_fault(kinds, "{\"kind\": 3}", "", "#/oneOf",
		    "must fit one of 2 alternatives");
	check_fault(result, "{\"ok\": 1}", "/ok", "#/anyOf/0/properties/ok/type",
		    "must be true or false");
	check_fault(result, "{}", "", "#/anyOf", "must fit one of 2 alternatives");
	check_fault("{\"oneOf\": [{\"minimum\": 1}, {\"minimum\": 2}]}", "3", "",
		    "#/oneOf", "must fit exactly one of 2 alternatives, not several");
}

static void test_all_faults(void **state)
{
	_cleanup_(schema_freep) struct schema *schema =
		compile("{\"type\": \"object\", \"required\": [\"d\"], "
			"\"unevaluatedProperties\": false,"
			"\"allOf\": [{\"properties\": {\"a\": {\"type\": \"string\"}}}],"
			"\"properties\": {\"b\": {\"minimum\": 3, \"multipleOf\": 2}}}",
			0);
	json_auto_t *value = parse("{\"a\": 1, \"b\": 1, \"c\": 1}");
	struct schema_fault faults[8];

	(void)state;
	assert_int_equal(schema_validate_all(schema, value, faults, 8), 4);
	assert_string_equal(faults[0].schema, "#/properties/b/minimum");
	assert_string_equal(faults[1].schema, "#/properties/b/multipleOf");
	assert_string_equal(faults[2].keyword, "required");
	assert_string_equal(faults[2].member, "d");
	assert_string_equal(faults[3].instance, "/a");
	/* No more than there is room for, and the same ones. */
	memset(faults, 'x', sizeof faults);
	assert_int_equal(schema_validate_all(schema, value, faults, 2), 2);
	assert_string_equal(faults[1].schema, "#/properties/b/multipleOf");
	assert_int_equal(faults[2].instance[0], 'x');
}

static void test_long_names_are_cut(void **state)
{
	_cleanup_(schema_freep) struct schema *schema =
		compile("{\"additionalProperties\": {\"type\": \"null\"}}", 0);
	_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;
	json_auto_t *value = json_object();
	struct schema_fault fault;

	(void)state;
	for (int i = 0; i < 400; i++)
		strbuf_add_string(&name, "\xe2\x82\xac");
	json_object_set_new(value, name.data, json_true());
	assert_false(schema_validate(schema, value, &fault));
	assert_in_range(strlen(fault.instance), 250, 255);
	/* Cut between characters: what is before the dots is still UTF-8. */
	assert_string_equal(fault.instance + strlen(fault.instance) - 6,
			    "\xe2\x82\xac...");
}

static void test_remote_rules_have_their_uri(void **state)
{
	_cleanup_(schema_set_freep) struct schema_set *set = schema_set_new();
	json_auto_t *remote = parse("{\"$defs\": {\"a\": {\"minimum\": 3}}}");
	json_auto_t *document = parse("{\"$ref\": \"b.json#/$defs/a\"}");
	json_auto_t *value = json_integer(1);
	struct schema_fault fault;
	struct error err = ERROR_INIT;
	struct schema *schema;

	(void)state;
	assert_true(schema_set_add(set, "http://example.com/x/b.json", remote, &err));
	assert_false(schema_set_add(set, "http://example.com/x/b.json", remote, &err));
	assert_int_equal(err.code, ERR_CONFLICT);
	error_clear(&err);
	assert_false(schema_set_add(set, "http://example.com/x/c.json#", remote, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, "no URI of a schema document");
	schema = schema_compile(set, document, "http://example.com/x/a.json", 0, &err);
	assert_non_null(schema);
	assert_false(schema_validate(schema, value, &fault));
	assert_string_equal(fault.schema, "http://example.com/x/b.json#/$defs/a/minimum");
	schema_free(schema);
}

/* A remote that is broken is refused when something leads to it, and not before. */
static void test_broken_remote(void **state)
{
	_cleanup_(schema_set_freep) struct schema_set *set = schema_set_new();
	json_auto_t *bad = parse("{\"minimum\": \"1\"}"),
		    *loop = parse("{\"$schema\": \"urn:loop\"}");
	json_auto_t *to_bad = parse("{\"items\": {\"$ref\": \"urn:bad\"}}");
	json_auto_t *to_loop = parse("{\"$schema\": \"urn:loop\"}");
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(schema_set_add(set, "urn:bad", bad, &err));
	assert_true(schema_set_add(set, "urn:loop", loop, &err));
	assert_null(schema_compile(set, to_bad, NULL, 0, &err));
	assert_string_equal(err.message, "schema urn:bad#/minimum: must be a number");
	error_clear(&err);
	assert_null(schema_compile(set, to_loop, NULL, 0, &err));
	assert_string_equal(err.message, "schema dialect 'urn:loop' describes itself");
}

static void test_format_flag(void **state)
{
	_cleanup_(schema_freep) struct schema *note =
		compile("{\"format\": \"ipv4\"}", 0);
	_cleanup_(schema_freep) struct schema *rule =
		compile("{\"format\": \"ipv4\"}", SCHEMA_ASSERT_FORMAT);
	_cleanup_(schema_freep) struct schema *unknown =
		compile("{\"format\": \"zip-code\"}", SCHEMA_ASSERT_FORMAT);
	json_auto_t *bad = parse("\"1.2.3\""), *number = parse("3");

	(void)state;
	assert_true(schema_validate(note, bad, NULL));
	assert_false(schema_validate(rule, bad, NULL));
	assert_true(schema_validate(rule, number, NULL));
	assert_true(schema_validate(unknown, bad, NULL));
}

/* The document may end before the schema does, and the schema does not see its changes. */
static void test_document_is_copied(void **state)
{
	json_t *document =
		parse("{\"properties\": {\"a\": false, \"b\": {\"const\": [1]}}}");
	_cleanup_(schema_freep) struct schema *schema = NULL;
	json_auto_t *a = parse("{\"a\": 1}"), *b = parse("{\"b\": [1]}");
	struct error err = ERROR_INIT;

	(void)state;
	schema = schema_compile(NULL, document, NULL, 0, &err);
	assert_true(json_is_false(
		json_object_get(json_object_get(document, "properties"), "a")));
	json_object_clear(document);
	json_decref(document);
	assert_false(schema_validate(schema, a, NULL));
	assert_true(schema_validate(schema, b, NULL));
}

/* A schema, an instance that conforms, and one that does not. */
static void test_names_with_nul(void **state)
{
	static const char *const rows[][3] = {
		{ "{\"properties\": {\"a\\u0000b\": false}}", "{\"a\": 1}",
		  "{\"a\\u0000b\": 1}" },
		{ "{\"properties\": {\"\\u0000\": true}, \"additionalProperties\": "
		  "false}",
		  "{\"\\u0000\": 1}", "{\"\": 1}" },
		{ "{\"const\": {\"a\\u0000b\": [1, 2.5, \"c\\u0000\", true, null]}}",
		  "{\"a\\u0000b\": [1, 2.5, \"c\\u0000\", true, null]}", "{\"a\": 1}" },
		{ "{\"dependencies\": {\"a\\u0000\": [\"b\\u0000\"]}}", "{\"a\": 1}",
		  "{\"a\\u0000\": 1, \"b\": 1}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(schema_freep) struct schema *schema = compile(rows[i][0], 0);
		json_auto_t *good = parse(rows[i][1]), *bad = parse(rows[i][2]);

		if (!schema_validate(schema, good, NULL) ||
		    schema_validate(schema, bad, NULL))
			fail_msg("%s", rows[i][0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_strangers_are_annotations),
		cmocka_unit_test(test_sentences),
		cmocka_unit_test(test_alternatives),
		cmocka_unit_test(test_all_faults),
		cmocka_unit_test(test_long_names_are_cut),
		cmocka_unit_test(test_remote_rules_have_their_uri),
		cmocka_unit_test(test_broken_remote),
		cmocka_unit_test(test_format_flag),
		cmocka_unit_test(test_document_is_copied),
		cmocka_unit_test(test_names_with_nul),
	};

	return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
