/* Which words name somebody, who that is, and who may be mentioned. */
#include "assistant/host/people.h"

#include "base/testing.h"

static void check_queries(const char *text, const char *want)
{
	json_auto_t *list = people_queries(text);
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	size_t i;
	json_t *one;

	json_array_foreach(list, i, one)
	{
		strbuf_add_format(&sb, "%s%s", i ? " " : "", json_string_value(one));
	}
	assert_string_equal(sb.data ? sb.data : "", want);
}

static void test_words(void **state)
{
	(void)state;
	check_queries("block @john.doe", "@john.doe");
	check_queries("block @john.doe.", "@john.doe");
	check_queries("(see <@U0JOHN>, please)", "<@U0JOHN>");
	check_queries("<@U0JOHN|john> and <@W12>'s", "<@U0JOHN> <@W12>");
	check_queries("mail John <john@x.org>, jane_1+a@mail.example.org;",
		      "john@x.org jane_1+a@mail.example.org");
	check_queries("@john.doe @jane @john.doe", "@john.doe @jane");
	check_queries("nobody here", "");
	check_queries("a@b @ @x <@U> x@y", "");
	check_queries("<@u0john>", "@u0john");
	check_queries("", "");
}

/* What is asked is written down in several places: nothing that might be a secret. */
static void test_no_secrets(void **state)
{
	(void)state;
	check_queries("https://user:pa55@host.example.org/x@y.org", "");
	check_queries("password=P@ss.word1 and @jane", "@jane");
	check_queries("the password is P@ssw0rd", "");
}

static void test_queries_max(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	(void)state;
	for (int i = 0; i < PEOPLE_QUERIES_MAX; i++)
		strbuf_add_format(&text, "@user%d ", i);
	json_auto_t *all = people_queries(text.data);
	assert_int_equal(json_array_size(all), PEOPLE_QUERIES_MAX);
	strbuf_add_string(&text, "@onemore");
	json_auto_t *same = people_queries(text.data);
	assert_true(json_equal(all, same));
}

static void test_query_length(void **state)
{
	char word[PEOPLE_QUERY_MAX + 2];

	(void)state;
	memset(word, 'a', sizeof word);
	word[0] = '@';
	word[PEOPLE_QUERY_MAX + 1] = '\0';
	check_queries(word, "");
	word[PEOPLE_QUERY_MAX] = '\0';
	check_queries(word, word);
}

/* --- who that is --- */

static json_t *person(const char *id, const char *user)
{
	return json_pack("{s:s, s:s, s:[s], s:{s:{s:s, s:s}}, s:[s]}", "id", id,
			 "display_name", "John Doe", "emails", "john@example.test",
			 "systems", "slack", "user_id", user, "handle", "john.doe",
			 "evidence", "how it is known");
}

static json_t *answer(const char *match, const char *via, size_t count)
{
	json_auto_t *people = json_array();

	for (size_t i = 0; i < count; i++)
		assert_int_equal(json_array_append_new(people, person("p1", "U0JOHN")),
				 0);
	return json_pack("{s:s, s:s, s:O, s:i}", "match", match, "via", via, "people",
			 people, "total", (int)count);
}

static void test_certain(void **state)
{
	static const struct {
		const char *match, *via;
		size_t count;
		bool is_certain;
	} rows[] = {
		{ "unique", "identifier", 1, true },
		{ "unique", "name", 1, false },
		{ "unique", "fuzzy", 1, false },
		{ "ambiguous", "identifier", 2, false },
		{ "ambiguous", "identifier", 1, false },
		{ "unique", "identifier", 2, false },
		{ "none", "identifier", 0, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_auto_t *found = answer(rows[i].match, rows[i].via, rows[i].count);
		json_auto_t *told = people_told(found);

		assert_int_equal(people_certain(found) != NULL, rows[i].is_certain);
		assert_string_equal(json_get_string(told, "match"), rows[i].match);
		assert_int_equal(json_object_get(told, "person") != NULL,
				 rows[i].is_certain);
		/* of the candidates nothing */
		assert_null(json_object_get(told, "people"));
		assert_null(json_object_get(told, "total"));
	}
	assert_null(people_certain(NULL));
}

static void test_told(void **state)
{
	json_auto_t *found = answer("unique", "identifier", 1);
	json_auto_t *told = people_told(found);
	const json_t *one = json_object_get(told, "person");

	(void)state;
	assert_string_equal(json_get_string(one, "display_name"), "John Doe");
	assert_non_null(json_object_get(one, "systems"));
	assert_null(json_object_get(one, "evidence"));
}

static void test_known(void **state)
{
	json_auto_t *known = json_array();
	json_auto_t *john = person("p1", "U0JOHN");
	json_auto_t *odd = person("p2", "<!channel>");

	(void)state;
	assert_true(people_remember(known, john, false));
	assert_true(people_remember(known, odd, true));
	json_auto_t *map = people_in_slack(known);
	assert_int_equal(json_object_size(map), 1);
	assert_string_equal(json_get_string(json_object_get(map, "U0JOHN"), "name"),
			    "John Doe");
	assert_true(
		json_is_false(json_object_get(json_object_get(map, "U0JOHN"), "notify")));
	assert_true(people_remember(known, john, true));
	assert_true(people_remember(known, john, false));
	json_auto_t *again = people_in_slack(known);
	assert_true(json_is_true(
		json_object_get(json_object_get(again, "U0JOHN"), "notify")));
	assert_int_equal(json_array_size(known), 2);
	assert_non_null(people_of_slack(known, "U0JOHN>", 6));
	assert_null(people_of_slack(known, "U0JOHN", 5));
	assert_null(people_of_slack(known, "U0JANE", 6));
}

static void test_known_max(void **state)
{
	json_auto_t *known = json_array();

	(void)state;
	for (int i = 0; i <= PEOPLE_KNOWN_MAX; i++) {
		char id[16], user[16];
		(void)snprintf(id, sizeof id, "p%d", i);
		(void)snprintf(user, sizeof user, "U%d", i);
		json_auto_t *one = person(id, user);
		assert_true(people_remember(known, one, false));
		if (i == PEOPLE_KNOWN_MAX - 1)
			assert_non_null(people_of_slack(known, "U0", 2));
	}
	assert_int_equal(json_array_size(known), PEOPLE_KNOWN_MAX);
	assert_null(people_of_slack(known, "U0", 2));
}

static void test_long_name(void **state)
{
	json_auto_t *known = json_array();
	json_auto_t *one = person("p1", "U0JOHN");
	char name[PEOPLE_NAME_MAX + 3];

	(void)state;
	memset(name, 'a', sizeof name - 1);
	memcpy(name + PEOPLE_NAME_MAX - 1, "\xc3\xa4", 3); /* does not fit whole */
	assert_int_equal(json_object_set_new(one, "display_name", json_string(name)), 0);
	assert_true(people_remember(known, one, false));
	assert_int_equal(strlen(json_get_string(json_array_get(known, 0), "name")),
			 PEOPLE_NAME_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),       cmocka_unit_test(test_no_secrets),
		cmocka_unit_test(test_queries_max), cmocka_unit_test(test_query_length),
		cmocka_unit_test(test_certain),     cmocka_unit_test(test_told),
		cmocka_unit_test(test_known),       cmocka_unit_test(test_known_max),
		cmocka_unit_test(test_long_name),
	};

	return cmocka_run_group_tests_name("assistant-people", tests, NULL, NULL);
}
