#include "console/render.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/text.h"

static const char good[] =
	"{\"v\":1,\"approval\":\"ap1\",\"server\":\"accounts\",\"address\":\"http://"
	"127.0.0.1:1/mcp\","
	"\"tool\":\"block_account\",\"title\":\"Block an "
	"account\",\"risk\":\"destructive\","
	"\"requester\":\"alice@company.com\",\"surface\":\"console\",\"asked_at\":1000,"
	"\"expires_at\":600000,\"good_for_s\":300,"
	"\"approvers\":{\"needed\":1,\"who\":[\"alice@company.com\",\"bob@company.com\"],"
	"\"four_eyes\":false},\"outcome_to\":\"this terminal\","
	"\"arguments\":[{\"name\":\"person\",\"value\":\"john\",\"text\":"
	"\"\\\"john\\\"\","
	"\"note\":\"John Doe, uid=john\"},"
	"{\"name\":\"revoke_sessions\",\"value\":true,\"text\":\"true\",\"default\":true}"
	"],"
	"\"effects\":[{\"system\":\"ldap\",\"target\":\"uid=john\",\"from\":\"active\","
	"\"to\":\"blocked\",\"reversible\":true}],\"warnings\":[\"accounts says: look "
	"twice\"],"
	"\"free_text\":[{\"by\":\"requester\",\"name\":\"reason\",\"text\":"
	"\"\\\"left\\\"\"}],"
	"\"pin\":\"aaaaaaaaaaaaaaaaaaaa\",\"args\":\"bbbbbbbbbbbbbbbbbbbb\","
	"\"plan_digest\":\"cccccccccccccccccccc\",\"data\":{\"dn\":\"uid=john,ou="
	"people\"}}";

static json_t *parse(const char *text)
{
	struct error err = ERROR_INIT;
	json_t *value = json_parse(text, strlen(text), JSON_CONTRACT, &err);

	assert_non_null(value);
	return value;
}

static const struct render_style plain = { .columns = 80, .now_ms = 1000 };

static char *draw(const json_t *prompt, const struct render_style *style)
{
	_cleanup_strbuf_ struct strbuf page = STRBUF_INIT;
	struct error err = ERROR_INIT;

	assert_true(render_prompt(&page, prompt, style, &err));
	return strbuf_take(&page);
}

static enum error_code refusal(const json_t *prompt, size_t columns)
{
	_cleanup_strbuf_ struct strbuf page = STRBUF_INIT;
	struct render_style style = { .columns = columns, .now_ms = 1000 };
	struct error err = ERROR_INIT;

	assert_false(render_prompt(&page, prompt, &style, &err));
	return err.code;
}

/* The page without line ends, indentation and the bars of continued lines. */
static char *joined(const char *page)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	for (const char *p = page; *p; p++) {
		if (*p != '\n') {
			strbuf_add_char(&text, *p);
			continue;
		}
		p += strspn(p + 1, " ");
		if (p[1] == '|' && p[2] == ' ')
			p += 2;
	}
	return strbuf_take(&text);
}

static void test_everything_is_shown(void **state)
{
	static const char *const wanted[] = {
		"accounts.block_account",
		"destructive",
		"Block an account",
		"http://127.0.0.1:1/mcp",
		"alice@company.com, console",
		"person",
		"\"john\"",
		"John Doe, uid=john",
		"revoke_sessions",
		"default: left out; not part of the call",
		"ldap",
		"uid=john",
		"active",
		"blocked",
		"can be undone",
		"accounts says: look twice",
		"1 of: ",
		"bob@company.com",
		"300 seconds",
		"this terminal",
		"ap1",
		"Written by the requester",
		"\"left\"",
		"aaaaaaaaaaaa",
		"bbbbbbbbbbbb",
		"cccccccccccc",
		"uid=john,ou=people",
		"1970-01-01T00:10:00Z",
	};
	json_auto_t *prompt = parse(good);
	_cleanup_free_ char *page = draw(prompt, &plain);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		if (!strstr(page, wanted[i]))
			fail_msg("'%s' is not in:\n%s", wanted[i], page);
	assert_null(strchr(page, '\033'));
	/* Free text stands below the effects and the terms. */
	assert_true(strstr(page, "Written by the requester") >
		    strstr(page, "What will change"));
	assert_true(strstr(page, "Written by the requester") >
		    strstr(page, "this terminal"));
}

static void test_long_values_wrap_whole(void **state)
{
	json_auto_t *prompt = parse(good);
	json_t *argument = json_array_get(json_object_get(prompt, "arguments"), 0);
	char text[3001];

	(void)state;
	for (size_t i = 0; i < sizeof text - 1; i++)
		text[i] = (char)('a' + i % 26);
	text[sizeof text - 1] = '\0';
	(void)json_object_set_new(argument, "text", json_string(text));
	for (size_t columns = RENDER_COLUMNS_MIN; columns < 200; columns += 7) {
		struct render_style style = { .columns = columns, .now_ms = 1000 };
		_cleanup_free_ char *page = draw(prompt, &style);
		_cleanup_free_ char *whole = joined(page);

		assert_non_null(strstr(whole, text));
		for (const char *line = page; *line; line += strcspn(line, "\n") + 1) {
			size_t length = strcspn(line, "\n");

			assert_true(text_columns(line, length) <= columns);
			if (!line[length])
				break;
		}
	}
}

/* A value that is cut so that the next line looks like a field of the page. */
static void test_values_cannot_pass_for_the_page(void **state)
{
	json_auto_t *prompt = parse(good);
	json_t *text = json_array_get(json_object_get(prompt, "free_text"), 0);
	_cleanup_strbuf_ struct strbuf hostile = STRBUF_INIT;

	(void)state;
	for (int i = 0; i < 62; i++)
		strbuf_add_char(&hostile, 'x');
	strbuf_add_string(&hostile, "Terms");
	for (int i = 0; i < 57; i++)
		strbuf_add_char(&hostile, ' ');
	strbuf_add_string(&hostile, "  who may approve everybody");
	(void)json_object_set_new(text, "text", json_string(hostile.data));
	_cleanup_free_ char *page = draw(prompt, &plain);

	assert_null(strstr(page, "\nTerms\n  who may approve everybody"));
	assert_null(strstr(page, "\n  who may approve everybody"));
	assert_non_null(strstr(page, "\n                | Terms"));
}

/* One that looks like a value, or like an argument beside itself. */
static void test_names_cannot_pass_for_values(void **state)
{
	json_auto_t *prompt = parse(good);
	json_t *argument = json_array_get(json_object_get(prompt, "arguments"), 0);

	(void)state;
	(void)json_object_set_new(argument, "name",
				  json_string("person          \"root\""));
	_cleanup_free_ char *page = draw(prompt, &plain);

	assert_null(strstr(page, "\n  person"));
	assert_non_null(strstr(page, "\n  \"person        \\u0020\\u0020\"root\"\"\n"
				     "                | \"john\"\n"));
}

/* Colours are all that they add. */
static void test_colours(void **state)
{
	static const struct render_style colour = { .columns = 80,
						    .colour = true,
						    .now_ms = 1000 };
	json_auto_t *prompt = parse(good);
	_cleanup_free_ char *bare = draw(prompt, &plain);
	_cleanup_free_ char *painted = draw(prompt, &colour);
	char *to = painted;

	(void)state;
	assert_non_null(strstr(painted, "\033[1;31m"));
	for (const char *s = painted; *s; s++) {
		if (*s == '\033')
			s += strcspn(s, "m");
		else
			*to++ = *s;
	}
	*to = '\0';
	assert_string_equal(painted, bare);
}

static void test_pages(void **state)
{
	static const char text[] = "one\ntwo\n\nfour\nfive";

	(void)state;
	assert_int_equal(render_page(text, 0), 0);
	assert_int_equal(render_page(text, 1), 4);
	assert_int_equal(render_page(text, 3), 9);
	assert_int_equal(render_page(text, 5), sizeof text - 1);
	assert_int_equal(render_page(text, 500), sizeof text - 1);
	assert_int_equal(render_page("", 5), 0);
}

/* Nothing is cut inside an escape, or between a letter and its mark. */
static void test_pieces_stay_whole(void **state)
{
	json_auto_t *prompt = parse(good);
	json_t *argument = json_array_get(json_object_get(prompt, "arguments"), 0);

	(void)state;
	for (size_t before = 50; before < 70; before++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

		for (size_t i = 0; i < before; i++)
			strbuf_add_char(&text, 'x');
		strbuf_add_string(&text, "\\u202Ee\xcc\x81\\U000E0041\\\\");
		(void)json_object_set_new(argument, "text", json_string(text.data));
		_cleanup_free_ char *page = draw(prompt, &plain);

		assert_non_null(strstr(page, "\\u202E"));
		assert_non_null(strstr(page, "e\xcc\x81"));
		assert_non_null(strstr(page, "\\U000E0041"));
		assert_non_null(strstr(page, "\\\\"));
	}
}

static void set_at(json_t *prompt, const char *list, size_t index, const char *member,
		   const char *text)
{
	json_t *target = list ? json_array_get(json_object_get(prompt, list), index)
			      : prompt;

	assert_int_equal(json_object_set_new(target, member, json_string(text)), 0);
}

static void test_no_control_character_is_drawn(void **state)
{
	static const struct {
		const char *list, *member;
	} places[] = {
		{ NULL, "server" },         { NULL, "tool" },
		{ NULL, "title" },          { NULL, "address" },
		{ NULL, "requester" },      { NULL, "surface" },
		{ NULL, "risk" },           { NULL, "outcome_to" },
		{ NULL, "approval" },       { NULL, "pin" },
		{ NULL, "args" },           { "arguments", "name" },
		{ "arguments", "text" },    { "arguments", "note" },
		{ "arguments", "escaped" }, { "effects", "system" },
		{ "effects", "target" },    { "effects", "from" },
		{ "effects", "to" },        { "free_text", "name" },
		{ "free_text", "text" },    { "free_text", "escaped" },
	};
	static const char hostile[] = "\033[2J\r\n\t\b\x7f\xc2\x9b"
				      "31m\xe2\x80\xae\xe2\x80\xa8 evil";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		json_auto_t *prompt = parse(good);

		set_at(prompt, places[i].list, 0, places[i].member, hostile);
		_cleanup_free_ char *page = draw(prompt, &plain);

		for (const char *p = page; *p; p++)
			if (((unsigned char)*p < 0x20 && *p != '\n') || *p == 0x7f)
				fail_msg("%s: byte %02x", places[i].member, (unsigned)*p);
		assert_null(strstr(page, "\xc2\x9b"));
		assert_null(strstr(page, "\xe2\x80\xae"));
		assert_null(strstr(page, "\xe2\x80\xa8"));
		assert_non_null(strstr(page, "\\u001B"));
	}
}

static void test_flags_of_a_value(void **state)
{
	json_auto_t *prompt = parse(good);
	json_t *argument = json_array_get(json_object_get(prompt, "arguments"), 0);

	(void)state;
	(void)json_object_set_new(argument, "flags", json_pack("[s]", "mixed-script"));
	(void)json_object_set_new(argument, "escaped", json_string("\"j\\u043Ehn\""));
	_cleanup_free_ char *page = draw(prompt, &plain);

	assert_non_null(strstr(page, "odd: mixed-script"));
	assert_non_null(strstr(page, "\"j\\u043Ehn\""));
}

static void test_what_is_missing_is_refused(void **state)
{
	static const char *const members[] = {
		"v",          "approval",   "server",    "address",    "tool",
		"title",      "risk",       "requester", "surface",    "asked_at",
		"expires_at", "good_for_s", "approvers", "outcome_to", "arguments",
		"effects",    "warnings",   "free_text", "pin",        "args",
	};
	static const struct {
		const char *list, *member;
	} inner[] = {
		{ "arguments", "name" }, { "arguments", "text" }, { "effects", "system" },
		{ "effects", "target" }, { "effects", "from" },   { "effects", "to" },
		{ "free_text", "by" },   { "free_text", "text" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		json_auto_t *prompt = parse(good);

		(void)json_object_del(prompt, members[i]);
		if (refusal(prompt, 80) != ERR_INTERNAL)
			fail_msg("%s", members[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(inner); i++) {
		json_auto_t *prompt = parse(good);
		json_t *list = json_object_get(prompt, inner[i].list);

		(void)json_object_del(json_array_get(list, 0), inner[i].member);
		if (refusal(prompt, 80) != ERR_INTERNAL)
			fail_msg("%s.%s", inner[i].list, inner[i].member);
	}
}

static void test_what_is_unknown_is_refused(void **state)
{
	json_auto_t *prompt = parse(good);
	json_auto_t *newer = parse(good);

	(void)state;
	(void)json_object_set_new(prompt, "emergency", json_true());
	assert_int_equal(refusal(prompt, 80), ERR_INTERNAL);
	(void)json_object_set_new(newer, "v", json_integer(2));
	assert_int_equal(refusal(newer, 80), ERR_INTERNAL);
	assert_int_equal(refusal(NULL, 80), ERR_INTERNAL);
}

static void test_too_narrow(void **state)
{
	json_auto_t *prompt = parse(good);
	struct render_style style = { .columns = RENDER_COLUMNS_MIN, .now_ms = 1000 };
	_cleanup_free_ char *page = draw(prompt, &style);

	(void)state;
	assert_non_null(page);
	assert_int_equal(refusal(prompt, RENDER_COLUMNS_MIN - 1), ERR_INVALID_ARGUMENT);
	assert_int_equal(refusal(prompt, 0), ERR_INVALID_ARGUMENT);
}

static void test_visible_text_stays(void **state)
{
	static const char *const same[] = { "plain",   "\\\\",        "\\n",
					    "\\u202E", "caf\xc3\xa9", "" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

		render_text(&text, same[i]);
		assert_string_equal(text.data, same[i]);
	}
}

static void test_a_read_has_no_effects(void **state)
{
	json_auto_t *prompt = parse(good);

	(void)state;
	(void)json_object_set_new(prompt, "risk", json_string("read"));
	_cleanup_free_ char *claims = draw(prompt, &plain);
	/* One that claims some is not hidden. */
	assert_non_null(strstr(claims, "What will change"));
	(void)json_array_clear(json_object_get(prompt, "effects"));
	_cleanup_free_ char *page = draw(prompt, &plain);
	assert_null(strstr(page, "What will change"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_is_shown),
		cmocka_unit_test(test_long_values_wrap_whole),
		cmocka_unit_test(test_values_cannot_pass_for_the_page),
		cmocka_unit_test(test_names_cannot_pass_for_values),
		cmocka_unit_test(test_colours),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_pieces_stay_whole),
		cmocka_unit_test(test_no_control_character_is_drawn),
		cmocka_unit_test(test_flags_of_a_value),
		cmocka_unit_test(test_what_is_missing_is_refused),
		cmocka_unit_test(test_what_is_unknown_is_refused),
		cmocka_unit_test(test_too_narrow),
		cmocka_unit_test(test_visible_text_stays),
		cmocka_unit_test(test_a_read_has_no_effects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
