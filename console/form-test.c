#include "console/form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const char tool_text[] =
	"{\"name\":\"block_account\",\"inputSchema\":{\"type\":\"object\",\"properties\":"
	"{"
	"\"note\":{\"type\":\"string\"},"
	"\"person\":{\"type\":\"string\",\"minLength\":3,\"x-wingman-kind\":\"person\"},"
	"\"systems\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/"
	"system\"},\"minItems\":1},"
	"\"revoke\":{\"type\":\"boolean\",\"default\":true},"
	"\"limit\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":200},"
	"\"level\":{\"oneOf\":[{\"const\":1,\"title\":\"low\"},{\"const\":2,\"title\":"
	"\"high\"}]},"
	"\"at\":{\"type\":\"string\",\"format\":\"date-time\"},"
	"\"either\":{\"type\":[\"string\",\"integer\"]},"
	"\"system\":{\"$ref\":\"#/$defs/system\"}},"
	"\"required\":[\"person\"],\"dependentRequired\":{\"limit\":[\"note\"]},"
	"\"additionalProperties\":false,"
	"\"$defs\":{\"system\":{\"type\":\"string\",\"enum\":[\"ldap\",\"okta\"]}}}}";

struct fixture {
	json_t *tool, *schema;
};

static struct fixture fixture_new(void)
{
	struct error err = ERROR_INIT;
	json_t *tool = json_parse(tool_text, strlen(tool_text), JSON_SYNTAX, &err);

	assert_non_null(tool);
	return (struct fixture){ tool, json_object_get(tool, "inputSchema") };
}

static void check(const char *property, const char *line, const char *wanted)
{
	struct fixture f = fixture_new();
	struct error err = ERROR_INIT;
	const json_t *p =
		json_object_get(json_object_get(f.schema, "properties"), property);
	json_auto_t *value = form_value(f.schema, p, line, &err);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	if (!wanted) {
		if (value)
			fail_msg("'%s' was taken for %s", line, property);
		assert_int_equal(err.code, ERR_INVALID_ARGUMENT);
		assert_true(err.message[0]);
	} else {
		if (!value)
			fail_msg("'%s' was refused for %s: %s", line, property,
				 err.message);
		assert_true(json_write(&text, value, &err));
		assert_string_equal(text.data, wanted);
	}
	json_decref(f.tool);
}

static void test_values(void **state)
{
	(void)state;
	check("person", "john", "\"john\"");
	check("person", "123", "\"123\"");
	check("person", "{\"a\":1}", "\"{\\\"a\\\":1}\"");
	check("person", "jo", NULL);
	check("person", "\xff\xfe\xfd", NULL);
	check("revoke", "y", "true");
	check("revoke", "No", "false");
	check("revoke", "1", NULL);
	check("revoke", "", NULL);
	check("limit", "1", "1");
	check("limit", "200", "200");
	check("limit", "0", NULL);
	check("limit", "201", NULL);
	check("limit", "1.5", NULL);
	check("limit", "ten", NULL);
	check("limit", "9007199254740993", NULL);
	check("at", "2026-11-22T10:00:00Z", "\"2026-11-22T10:00:00Z\"");
	check("at", "yesterday", NULL);
	check("either", "7", "7");
	check("either", "seven", "\"seven\"");
}

static void test_choices(void **state)
{
	(void)state;
	check("system", "okta", "\"okta\"");
	check("system", "1", "\"ldap\"");
	check("system", "2", "\"okta\"");
	check("system", "3", NULL);
	check("system", "0", NULL);
	check("system", "-1", NULL);
	check("system", "99999999999999999999", NULL);
	check("system", "slack", NULL);
	check("level", "2", "2");
	check("level", "3", NULL);
}

static void test_lists(void **state)
{
	(void)state;
	check("systems", "ldap", "[\"ldap\"]");
	check("systems", " ldap ,2", "[\"ldap\",\"okta\"]");
	check("systems", "[\"okta\"]", "[\"okta\"]");
	check("systems", "[]", NULL);
	check("systems", "ldap,", NULL);
	check("systems", "ldap,slack", NULL);
	check("systems", "[\"okta\"", NULL);
}

/* --- a whole form --------------------------------------------------------------- */

struct script {
	const char *const *lines;
	size_t at, count;
	char asked[64][32]; /* the questions, in their order */
};

static char *answer(void *context, const char *question)
{
	struct script *s = context;

	assert_true(s->at < 64);
	(void)snprintf(s->asked[s->at], sizeof s->asked[0], "%s", question);
	if (s->at == s->count)
		return NULL;
	return strdup(s->lines[s->at++]);
}

/* The form prints its help on stdout, which TAP lives on. */
static json_t *fill_over(struct script *s, const json_t *given, struct error *err)
{
	struct fixture f = fixture_new();
	struct console c = { 0 };
	int kept = dup(STDOUT_FILENO);
	json_t *arguments;

	(void)fflush(stdout);
	assert_non_null(freopen("/dev/null", "w", stdout));
	arguments = form_ask(&c, f.tool, given, answer, s, err);
	(void)fflush(stdout);
	assert_true(dup2(kept, STDOUT_FILENO) >= 0);
	(void)close(kept);
	json_decref(f.tool);
	return arguments;
}

static json_t *fill(struct script *s, struct error *err)
{
	return fill_over(s, NULL, err);
}

#define SCRIPT(...)                                                                      \
	{                                                                                \
		.lines = (const char *const[]){ __VA_ARGS__ },                           \
		.count = ARRAY_SIZE(((const char *const[]){ __VA_ARGS__ })),             \
	}

static void expect(json_t *arguments, const char *wanted)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;

	assert_non_null(arguments);
	assert_true(json_write(&text, arguments, &err));
	assert_string_equal(text.data, wanted);
	json_decref(arguments);
}

static void test_form(void **state)
{
	/* person first, though it stands second; then the optional ones */
	struct script s = SCRIPT("", "jo", "john", "", "ldap", "n", "", "", "", "", "");
	struct error err = ERROR_INIT;

	(void)state;
	expect(fill(&s, &err),
	       "{\"person\":\"john\",\"systems\":[\"ldap\"],\"revoke\":false}");
	assert_string_equal(s.asked[0], "person> ");
	assert_string_equal(s.asked[2], "person> ");
	assert_string_equal(s.asked[3], "note> ");
}

static void test_form_given_up(void **state)
{
	struct script s = SCRIPT("john", "");
	struct error err = ERROR_INIT;

	(void)state;
	assert_null(fill(&s, &err));
	assert_false(error_is_set(&err));
}

/* 'limit' wants 'note', which was left out: that one field is asked for again. */
static void test_form_fields_that_do_not_fit_together(void **state)
{
	struct script s = SCRIPT("john", "", "", "", "5", "", "", "", "", "because");
	struct error err = ERROR_INIT;

	(void)state;
	expect(fill(&s, &err), "{\"person\":\"john\",\"limit\":5,\"note\":\"because\"}");
	assert_string_equal(s.asked[9], "note> ");
}

/* Taken, left out, refused because it does not fit, typed over, and what the schema has not. */
static void test_form_over_what_stands_there(void **state)
{
	struct script s = SCRIPT("", "-", "okta", "", "", "", "", "", "");
	struct error err = ERROR_INIT;
	json_auto_t *given = json_pack("{s:s, s:s, s:[s], s:i, s:s, s:b}", "person",
				       "john", "note", "by the page", "systems", "ldap",
				       "limit", 1000, "nonsense", "x", "revoke", 0);

	(void)state;
	expect(fill_over(&s, given, &err),
	       "{\"person\":\"john\",\"systems\":[\"okta\"],\"revoke\":false}");
	assert_int_equal(json_object_size(given), 6);
}

static void test_form_a_needed_field_is_not_left_out(void **state)
{
	struct script s = SCRIPT("-", "--x", "", "", "", "", "", "", "", "");
	struct error err = ERROR_INIT;
	json_auto_t *given = json_pack("{s:s}", "person", "john");

	(void)state;
	/* "-" is a value like another there, and too short a one. */
	expect(fill_over(&s, given, &err), "{\"person\":\"--x\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_choices),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_form_given_up),
		cmocka_unit_test(test_form_fields_that_do_not_fit_together),
		cmocka_unit_test(test_form_over_what_stands_there),
		cmocka_unit_test(test_form_a_needed_field_is_not_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
