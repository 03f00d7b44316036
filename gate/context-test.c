/* Which addresses the gate reads, and what of an answer it hands on. */
#include "gate/context.h"

#include "base/testing.h"

static json_t *parse(const char *text)
{
	struct error err = ERROR_INIT;
	json_t *value = json_parse(text, strlen(text), JSON_CONTRACT, &err);

	testing_no_error(&err);
	return value;
}

static void test_addresses(void **state)
{
	json_auto_t *config = parse(
		"{\"templates\":[{\"server\":\"people\",\"uri\":\"person://search{?q}\"},"
		"{\"server\":\"playbooks\",\"uri\":\"playbook://{+id}\"},"
		"{\"server\":\"logs\",\"uri\":\"logs://sources\"}]}");
	static const struct {
		const char *uri, *server;
	} rows[] = {
		{ "person://search?q=john", "people" },
		{ "playbook://a/b.md", "playbooks" },
		{ "logs://sources", "logs" },
		{ "logs://sources2", NULL },
		{ "person://search", NULL },
		{ "person://p-1", NULL },
		{ "playbook://a/../b", NULL },
		{ "file:///etc/passwd", NULL },
		{ "", NULL },
	};
	struct context_settings s;
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(context_settings_decode(&s, config, &err));
	assert_int_equal(s.per_turn, CONTEXT_PER_TURN);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_auto_t *values = NULL;
		const struct context_template *t = context_find(&s, rows[i].uri, &values);

		if (!t != !rows[i].server ||
		    (t && strcmp(t->server, rows[i].server) != 0))
			fail_msg("'%s' is of '%s'", rows[i].uri, t ? t->server : "none");
	}
	assert_true(context_settings_decode(&s, NULL, &err));
	assert_int_equal(s.count, 0);
}

static void test_bad_templates(void **state)
{
	json_auto_t *config =
		parse("{\"templates\":[{\"server\":\"x\",\"uri\":\"x://{a}{b}\"}]}");
	struct context_settings s;
	struct error err = ERROR_INIT;

	(void)state;
	assert_false(context_settings_decode(&s, config, &err));
	testing_error(&err, ERR_INVALID_ARGUMENT, NULL);
}

static void test_texts(void **state)
{
	json_auto_t *result = parse("{\"contents\":[{\"text\":\"a\"},{\"blob\":\"AA\"},"
				    "{\"text\":\"b\"}]}");
	json_auto_t *none = parse("{\"contents\":\"x\"}");
	json_auto_t *text = NULL, *nothing = NULL, *much = NULL, *long_text = NULL;
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	bool is_cut = true;

	(void)state;
	text = context_text(result, &is_cut);
	assert_string_equal(json_string_value(text), "a\nb");
	assert_false(is_cut);
	nothing = context_text(none, &is_cut);
	assert_string_equal(json_string_value(nothing), "");
	for (int i = 0; i < CONTEXT_TEXT_MAX - 1; i++)
		strbuf_add_char(&sb, 'x');
	strbuf_add_string(&sb, "\xc3\xa9");
	long_text = json_pack("{s:[{s:s}]}", "contents", "text", sb.data);
	much = context_text(long_text, &is_cut);
	assert_true(is_cut);
	/* Not within a character. */
	assert_int_equal(json_string_length(much), CONTEXT_TEXT_MAX - 1);
}

static void test_resolved(void **state)
{
	static const char one[] =
		"{\"match\":\"%s\",\"via\":\"%s\",\"people\":[{\"id\":\"p-1\",\"emails\":"
		"[\"j@x\"],\"groups\":[\"admins\"],\"systems\":{\"github\":{\"login\":"
		"\"jd\"}}}]}";
	static const struct {
		const char *match, *via;
		bool counts;
	} rows[] = { { "unique", "identifier", true },
		     { "unique", "name", true },
		     { "unique", "fuzzy", false },
		     { "ambiguous", "identifier", false },
		     { "none", "identifier", false } };
	char text[400];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_auto_t *found = NULL, *names = NULL;

		(void)snprintf(text, sizeof text, one, rows[i].match, rows[i].via);
		found = parse(text);
		names = context_resolved(found);
		assert_int_equal(names != NULL, rows[i].counts);
		if (names)
			assert_string_equal(json_string_value(names),
					    "p-1\x1fj@x\x1fjd\x1f");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_bad_templates),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_resolved),
	};

	return cmocka_run_group_tests_name("context", tests, NULL, NULL);
}
