/* What is shown is what runs: texts decode to the very value, and nothing in them draws. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "base/cleanup.h"

#include <cmocka.h>

#include "base/text.h"
#include "base/utf8.h"
#include "gate/prompt.h"
#include "gate/prompt_value.h"
#include "gate/wide_open.h"

static const char listed[] =
	"{\"name\":\"block_account\",\"title\":\"Block\",\"description\":\"d\","
	"\"inputSchema\":"
	"{\"type\":\"object\",\"properties\":{"
	"\"person\":{\"type\":\"string\",\"x-wingman-kind\":\"person\"},"
	"\"systems\":{\"type\":\"array\"},"
	"\"revoke_sessions\":{\"type\":\"boolean\",\"default\":true},"
	"\"note\":{\"type\":\"string\",\"x-wingman-kind\":\"markdown\"},"
	"\"secret\":{\"type\":\"string\",\"x-wingman-sensitive\":true},"
	"\"filter\":{\"$ref\":\"#/$defs/filter\"},"
	"\"diary\":{\"type\":\"string\",\"x-wingman-kind\":\"text\","
	"\"x-wingman-sensitive\":true},"
	"\"rules\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":"
	"{\"port\":{\"type\":\"integer\",\"default\":443}}}},"
	"\"box\":{\"type\":\"object\",\"properties\":{\"inner\":"
	"{\"x-wingman-sensitive\":true}}},"
	"\"title\":{\"type\":\"string\"},"
	"\"issue\":{\"type\":\"integer\"},\"days\":{\"type\":\"integer\"},"
	"\"reason\":{\"type\":\"string\"}},\"required\":[\"issue\"],"
	"\"$defs\":{\"filter\":{\"type\":\"object\",\"properties\":"
	"{\"who\":{\"type\":\"string\"},\"limit\":{\"type\":\"integer\",\"default\":20}}}"
	"}},"
	"\"_meta\":{\"org.wingman/risk\":\"destructive\"}}";

static const char *const approvers[] = { "alice@x", "bob@x", NULL };

struct fixture {
	struct tool_definition *tool;
	struct prompt_input in;
};

static int setup(void **state)
{
	struct error err = ERROR_INIT;
	struct fixture *f = calloc(1, sizeof *f);
	json_auto_t *json = json_parse(listed, sizeof listed - 1, JSON_CONTRACT, &err);

	f->tool = tool_definition_read("accounts", json, &err);
	if (!f->tool)
		return -1;
	f->in = (struct prompt_input){ .approval = "01",
				       .address = "http://127.0.0.1/mcp",
				       .requester = "alice@x",
				       .surface = "console, uid 1000",
				       .outcome_to = "this terminal",
				       .tool = f->tool,
				       .args_digest = "",
				       .asked_at_ms = 1,
				       .expires_at_ms = 600001,
				       .good_for_ms = 300000,
				       .approvers_needed = 1,
				       .approvers = approvers };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	tool_definition_free(f->tool);
	free(f);
	return 0;
}

static json_t *build(struct fixture *f, const json_t *arguments, const json_t *plan)
{
	struct error err = ERROR_INIT;
	char shown[DIGEST_HEX_BYTES], again[DIGEST_HEX_BYTES], args[DIGEST_HEX_BYTES];
	json_t *prompt;

	assert_true(canonical_digest(arguments, args, &err));
	f->in.arguments = arguments;
	f->in.plan = plan;
	f->in.args_digest = args;
	prompt = prompt_build(&f->in, shown, &err);
	f->in.args_digest = "";
	if (!prompt)
		fail_msg("%s", err.message);
	assert_true(canonical_digest(prompt, again, &err));
	assert_string_equal(shown, again);
	return prompt;
}

static json_t *entry(const json_t *prompt, const char *list, const char *name)
{
	size_t i;
	json_t *e;

	json_array_foreach(json_object_get(prompt, list), i, e)
	{
		if (strcmp(json_get_string(e, "name"), name) == 0)
			return e;
	}
	return NULL;
}

static void test_parts(void **state)
{
	struct fixture *f = *state;
	json_auto_t *arguments = json_pack("{s:s, s:[s], s:s, s:s, s:s}", "person",
					   "john.doe", "systems", "ldap", "reason",
					   "INC-17", "note", "*hi*", "secret", "s3");
	json_auto_t *plan =
		json_pack("{s:s, s:[{s:s, s:s, s:s, s:s, s:b}], s:[s], s:{s:s}, s:{s:s}}",
			  "summary", "blocks", "effects", "system", "ldap", "target",
			  "uid=john.doe", "from", "active", "to", "blocked", "reversible",
			  1, "warnings", "on call", "notes", "person",
			  "resolves to John Doe", "data", "dn", "uid=john.doe");
	json_auto_t *prompt = build(f, arguments, plan);
	json_t *person = entry(prompt, "arguments", "person");

	assert_string_equal(json_get_string(person, "text"), "\"john.doe\"");
	assert_string_equal(json_get_string(person, "note"), "resolves to John Doe");
	assert_string_equal(json_get_string(person, "kind"), "person");
	assert_null(json_object_get(person, "flags"));
	assert_string_equal(
		json_get_string(entry(prompt, "arguments", "systems"), "text"),
		"[\"ldap\"]");
	assert_true(json_is_true(json_object_get(
		entry(prompt, "arguments", "revoke_sessions"), "default")));
	assert_true(json_is_true(
		json_object_get(entry(prompt, "arguments", "secret"), "sensitive")));
	assert_null(entry(prompt, "arguments", "reason"));
	assert_string_equal(json_get_string(entry(prompt, "free_text", "reason"), "by"),
			    "requester");
	assert_string_equal(json_get_string(entry(prompt, "free_text", "note"), "text"),
			    "\"*hi*\"");
	assert_string_equal(json_get_string(entry(prompt, "free_text", "summary"), "by"),
			    "server");
	assert_int_equal(json_array_size(json_object_get(prompt, "effects")), 1);
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(prompt, "warnings"), 0)),
		"accounts says: on call");
	assert_string_equal(json_get_string(json_object_get(prompt, "data"), "dn"),
			    "uid=john.doe");
	assert_null(json_object_get(prompt, "last_run"));
}

static void test_look_alikes(void **state)
{
	struct fixture *f = *state;
	/* a Cyrillic a; a direction override; every address there is */
	json_auto_t *arguments = json_pack("{s:s, s:[s]}", "person",
					   "m\xd0\xb0ria\xe2\x80\xae", "systems",
					   "0.0.0.0/0");
	json_auto_t *prompt = build(f, arguments, NULL);
	json_t *person = entry(prompt, "arguments", "person");
	json_t *systems = entry(prompt, "arguments", "systems");

	assert_string_equal(json_get_string(person, "text"), "\"m\xd0\xb0ria\\u202E\"");
	assert_string_equal(json_get_string(person, "escaped"), "\"m\\u0430ria\\u202E\"");
	assert_true(json_array_size(json_object_get(person, "flags")) >= 2);
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(systems, "flags"), 0)),
		"wide-open");
	assert_int_equal(json_array_size(json_object_get(prompt, "warnings")), 2);
}

static void test_sensitive(void **state)
{
	struct fixture *f = *state;
	json_auto_t *arguments = json_pack("{s:s, s:{s:s}, s:{s:i}, s:s}", "secret", "s3",
					   "filter", "who", "x", "box", "inner", 1,
					   "diary", "dear diary");
	json_auto_t *prompt = build(f, arguments, NULL);

	assert_true(json_is_true(
		json_object_get(entry(prompt, "arguments", "secret"), "sensitive")));
	/* Said of something inside it. */
	assert_true(json_is_true(
		json_object_get(entry(prompt, "arguments", "box"), "sensitive")));
	assert_null(json_object_get(entry(prompt, "arguments", "filter"), "sensitive"));
	assert_true(json_is_true(
		json_object_get(entry(prompt, "free_text", "diary"), "sensitive")));
}

/* In what was given, also deep inside; not in what was left out as a whole. */
static void test_defaults_inside(void **state)
{
	struct fixture *f = *state;
	json_auto_t *arguments = json_pack("{s:{s:s}, s:[{}, {s:i}]}", "filter", "who",
					   "x", "rules", "port", 1);
	json_auto_t *none = json_object();
	json_auto_t *prompt = build(f, arguments, NULL);
	json_auto_t *bare = build(f, none, NULL);

	assert_string_equal(
		json_get_string(entry(prompt, "arguments", "filter.limit"), "text"),
		"20");
	assert_string_equal(
		json_get_string(entry(prompt, "arguments", "rules[0].port"), "text"),
		"443");
	assert_null(entry(prompt, "arguments", "rules[1].port"));
	assert_null(entry(bare, "arguments", "filter.limit"));
	assert_non_null(entry(bare, "arguments", "revoke_sessions"));
}

static void test_author(void **state)
{
	struct fixture *f = *state;
	json_auto_t *arguments = json_pack("{s:s, s:s}", "reason", "why", "title", "t");

	f->in.author = "assistant";
	json_auto_t *prompt = build(f, arguments, NULL);
	struct error err = ERROR_INIT;
	json_auto_t *back = prompt_arguments(prompt, &err);

	assert_string_equal(json_get_string(entry(prompt, "free_text", "reason"), "by"),
			    "assistant");
	assert_string_equal(json_get_string(entry(prompt, "free_text", "title"), "by"),
			    "assistant");
	assert_true(json_equal(back, arguments));
	f->in.author = NULL;
}

static void test_padding(void **state)
{
	struct fixture *f = *state;
	json_auto_t *arguments =
		json_pack("{s:s}", "person", "a                    b"); /* 20 spaces */
	json_auto_t *prompt = build(f, arguments, NULL);
	struct error err = ERROR_INIT;
	json_auto_t *back = prompt_arguments(prompt, &err);
	const char *text = json_get_string(entry(prompt, "arguments", "person"), "text");

	assert_true(json_equal(back, arguments));
	assert_null(strstr(text, "         "));
	assert_non_null(strstr(text, "\\u0020b"));
}

static void test_length(void **state)
{
	struct fixture *f = *state;
	char text[202];
	json_auto_t *arguments = json_object();

	memset(text, 'x', sizeof text);
	assert_int_equal(
		json_object_set_new(arguments, "person", json_stringn(text, 200)), 0);
	json_auto_t *just = build(f, arguments, NULL);
	assert_null(json_object_get(entry(just, "arguments", "person"), "length"));
	assert_int_equal(
		json_object_set_new(arguments, "person", json_stringn(text, 201)), 0);
	json_auto_t *more = build(f, arguments, NULL);
	assert_int_equal(json_get_int64(entry(more, "arguments", "person"), "length", 0),
			 201);
}

static void test_wide_open(void **state)
{
	static const char *const wide[] = {
		"0.0.0.0/0",
		"::/0",
		"0.0.0.0/1",
		"128.0.0.0/1",
		"0/0",
		" 0.0.0.0/0 ",
		"000.000.000.000/00",
		"0:0:0:0:0:0:0:0/0",
		"0.0.0.0/0.0.0.0",
		"1.2.3.4/7",
		"2000::/3",
		"0.0.0.0-255.255.255.255",
		"0.0.0.0",
		"::",
		"0-65535",
		"1-65535",
		"::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		"::ffff:0:0/96",
		"::ffff:0.0.0.0/96",
		"::ffff:1.2.3.4/103",
		"::/80",
		"64:ff9b::/96",
		"64:ff9b::8.8.8.8/97",
		"::ffff:0.0.0.0-::ffff:255.255.255.255",
		"::fffe:0:0-::ffff:1.0.0.1",
	};
	static const char *const narrow[] = { "10.0.0.0/8",
					      "10.0.0.0",
					      "2001:db8::/32",
					      "",
					      "/",
					      "-",
					      "a/0",
					      "1/9999999",
					      "80-443",
					      "10.0.0.0/255.0.0.0",
					      "10.0.0.1-10.0.0.9",
					      "::ffff:10.0.0.0/104",
					      "::ffff:10.0.0.1",
					      "::fffe:0:0/96",
					      "::1/128",
					      "64:ff9b::10.0.0.0/104",
					      "64:ff9c::/96",
					      "::ffff:0.0.0.0-::ffff:1.0.0.0",
					      "::ffff:9.0.0.0-::ffff:1.0.0.0",
					      "2026-05-04" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wide); i++)
		if (!wide_open_is(wide[i]))
			fail_msg("'%s' is not found", wide[i]);
	for (size_t i = 0; i < ARRAY_SIZE(narrow); i++)
		if (wide_open_is(narrow[i]))
			fail_msg("'%s' is warned of", narrow[i]);
}

static void test_odd_spaces(void **state)
{
	static const char *const odd[] = { "a\xc2\xa0"
					   "b",
					   "\xe2\x80\x80",
					   "\xe2\x80\x8a.",
					   "1\xe2\x80\xaf"
					   "000",
					   "x\xe2\x81\x9f",
					   "\xe3\x80\x80" };
	static const char *const plain[] = {
		"a b", " ", "", "\xe2\x80\x90", "\xe3\x80\x81", "\xc2\xa1"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(odd) + ARRAY_SIZE(plain); i++) {
		const bool is_odd = i < ARRAY_SIZE(odd);
		const char *text = is_odd ? odd[i] : plain[i - ARRAY_SIZE(odd)];
		json_auto_t *value = json_string(text);
		json_auto_t *flags = prompt_value_flags(value);
		_cleanup_free_ char *said = json_dumps(flags, 0);

		if (is_odd != (strstr(said, "invisible") != NULL))
			fail_msg("'%s': %s", text, said);
	}
}

/* In however many parts; each counts once. */
static void test_wide_open_ports(void **state)
{
	static const struct {
		const char *list;
		bool is_wide;
	} rows[] = {
		{ "[\"1-20000\",\"20001-40000\",\"40001-65535\"]", true },
		{ "[\"1-30000\",\"30002-60001\"]", true }, /* 60,000 of them */
		{ "[\"1-30000\",\"30002-60000\"]", false },
		{ "[\"1-30000\",\"30002-60000\",30001]", true },
		{ "[\"1-30000\",\"30002-60000\",\"30001\"]", true },
		{ "[\"1-30000\",\"30002-60000\",60000,\"5-9\"]", false },
		{ "[\"1-50000\",\"1-50000\"]", false },
		{ "[\"1-50000\",\"60000-50000\",\"50001-70000\"]", false },
		{ "[\"1-50000\",-1,1e9,\"-\",\"a-b\",\"1-2-3\",null,[\"50001-65535\"]]",
		  false },
		{ "[]", false },
	};
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_auto_t *list =
			json_parse(rows[i].list, strlen(rows[i].list), JSON_SYNTAX, &err);

		assert_non_null(list);
		if (wide_open_are_ports(list) != rows[i].is_wide)
			fail_msg("%s", rows[i].list);
	}
	json_auto_t *all = json_pack("{s:[s, s]}", "ports", "0-32767", "32768-65535");
	json_auto_t *flags = prompt_value_flags(all);
	assert_string_equal(json_string_value(json_array_get(flags, 0)), "wide-open");
}

static void test_any_change_shows(void **state)
{
	struct fixture *f = *state;
	json_auto_t *arguments = json_pack("{s:s}", "person", "john");
	json_auto_t *one = build(f, arguments, NULL);
	struct error err = ERROR_INIT;
	char a[DIGEST_HEX_BYTES], b[DIGEST_HEX_BYTES];

	assert_true(canonical_digest(one, a, &err));
	f->in.expires_at_ms++;
	json_auto_t *two = build(f, arguments, NULL);
	assert_true(canonical_digest(two, b, &err));
	assert_string_not_equal(a, b);
	f->in.expires_at_ms--;
	f->in.four_eyes = true;
	json_auto_t *three = build(f, arguments, NULL);
	assert_true(canonical_digest(three, b, &err));
	assert_string_not_equal(a, b);
}

/* --- values at random --- */

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static uint32_t random_character(uint64_t *seed)
{
	static const uint32_t hostile[] = {
		'"',     '\\',    'n',     'u',      '\n',    '\r',   '\t',
		0x1,     0x1B,    0x7F,    0x85,     0xA0,    0xAD,   0x61C,
		0x200B,  0x200D,  0x200E,  0x2028,   0x2029,  0x202E, 0x2066,
		0x3000,  0xFEFF,  0xFFF9,  0xE000,   0xFDFA,  0xFFFD, 0x430,
		0x1D400, 0xE0041, 0xE0100, 0x10FFFD, 0x1F600, 0x301,  '`',
		'<',     '>',     '@',     '*',      '_',     ' ',    '0',
	};
	uint64_t r = next_random(seed);
	uint32_t c;

	if (r % 3 == 0)
		return hostile[(r >> 8) % ARRAY_SIZE(hostile)];
	if (r % 3 == 1)
		return 0x20 + (uint32_t)((r >> 8) % 0x5F);
	c = 1 + (uint32_t)((r >> 8) % 0x10FFFD);
	/* Surrogates and noncharacters are no contract JSON: they never come here. */
	if ((c >= 0xD800 && c <= 0xDFFF) || (c >= 0xFDD0 && c <= 0xFDEF) ||
	    (c & 0xFFFE) == 0xFFFE)
		return 0x2027;
	return c;
}

static json_t *random_string(uint64_t *seed)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	size_t count = next_random(seed) % 12;
	char bytes[4];

	while (count-- > 0)
		strbuf_add(&sb, bytes, utf8_put(random_character(seed), bytes));
	return json_stringn(sb.data, sb.length);
}

static json_t *random_value(uint64_t *seed, int depth)
{
	uint64_t r = next_random(seed);
	json_t *value;

	switch (r % (depth > 3 ? 5 : 8)) {
	case 0:
		return json_integer((json_int_t)(r % 2 ? r >> 11 : (r >> 56)));
	case 1:
		return json_real((double)(r >> 20) / 1024.0 - 1e9);
	case 2:
		return r & 256 ? json_true() : json_null();
	case 5:
		value = json_array();
		for (size_t n = (r >> 8) % 4; n > 0; n--)
			(void)json_array_append_new(value, random_value(seed, depth + 1));
		return value;
	case 6:
		value = json_object();
		for (size_t n = (r >> 8) % 4; n > 0; n--) {
			json_auto_t *name = random_string(seed);

			(void)json_object_set_new(value, json_string_value(name),
						  random_value(seed, depth + 1));
		}
		return value;
	default:
		return random_string(seed);
	}
}

/* No text of a prompt may hold a character that moves, hides or breaks: making it visible
 * once more changes nothing but the backslashes, which it would double. */
static void assert_no_drawing(const json_t *value, bool is_raw)
{
	size_t i;
	const char *name;
	json_t *member;

	if (json_is_string(value) && !is_raw) {
		const char *text = json_string_value(value);
		_cleanup_strbuf_ struct strbuf again = STRBUF_INIT, same = STRBUF_INIT;

		text_visible(&again, text, json_string_length(value));
		for (const char *s = text; *s; s++)
			strbuf_add_string(&same,
					  *s == '\\' ? "\\\\" : (char[]){ *s, '\0' });
		assert_string_equal(again.data, same.data);
		assert_null(strstr(text, "         ")); /* nine spaces */
	}
	json_array_foreach(value, i, member)
	{
		assert_no_drawing(member, is_raw);
	}
	if (json_is_object(value)) {
		json_auto_t *shared = json_copy((json_t *)(uintptr_t)value);

		json_object_foreach(shared, name, member)
		{
			assert_no_drawing(member, is_raw || strcmp(name, "value") == 0 ||
							  strcmp(name, "data") == 0);
		}
	}
}

static void test_random_values(void **state)
{
	uint64_t seed = 88172645463325252U;
	_cleanup_strbuf_ struct strbuf last_text = STRBUF_INIT;
	json_t *last = NULL;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		struct error err = ERROR_INIT;
		json_t *value = random_value(&seed, 0);
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, a = STRBUF_INIT,
					       b = STRBUF_INIT;

		assert_true(prompt_value_text(&text, value, &err));
		json_auto_t *back = prompt_value_read(text.data, &err);
		if (!back)
			fail_msg("%s: %s", text.data, err.message);
		assert_true(canonical_write(&a, value, &err));
		assert_true(canonical_write(&b, back, &err));
		assert_string_equal(a.data, b.data);
		json_auto_t *as_text = json_stringn(text.data, text.length);
		assert_no_drawing(as_text, false);
		/* Two values with one text are one value. */
		if (last && strcmp(last_text.data, text.data) == 0) {
			_cleanup_strbuf_ struct strbuf c = STRBUF_INIT;

			assert_true(canonical_write(&c, last, &err));
			assert_string_equal(a.data, c.data);
		}
		strbuf_clear(&last_text);
		strbuf_add(&last_text, text.data, text.length);
		json_decref(last);
		last = value;
	}
	json_decref(last);
}

static void test_random_prompts(void **state)
{
	static const char *const members[] = { "person", "systems", "note",
					       "reason", "secret",  "revoke_sessions" };
	struct fixture *f = *state;
	uint64_t seed = 1442695040888963407U;

	for (int i = 0; i < 2000; i++) {
		struct error err = ERROR_INIT;
		json_auto_t *arguments = json_object();
		json_auto_t *plan = json_pack(
			"{s:o, s:[{s:o, s:o, s:o, s:o}], s:[o], s:{s:o}}", "summary",
			random_string(&seed), "effects", "system", random_string(&seed),
			"target", random_string(&seed), "from", random_string(&seed),
			"to", random_string(&seed), "warnings", random_string(&seed),
			"notes", "person", random_string(&seed));
		char want[DIGEST_HEX_BYTES], got[DIGEST_HEX_BYTES];

		for (size_t m = 0; m < ARRAY_SIZE(members); m++)
			if (next_random(&seed) % 2)
				(void)json_object_set_new(arguments, members[m],
							  random_value(&seed, 0));
		json_auto_t *prompt = build(f, arguments, plan);
		json_auto_t *back = prompt_arguments(prompt, &err);
		assert_non_null(back);
		assert_true(canonical_digest(arguments, want, &err));
		assert_true(canonical_digest(back, got, &err));
		assert_string_equal(want, got);
		assert_string_equal(json_get_string(prompt, "args"), want);
		assert_no_drawing(prompt, false);
	}
}

static void test_quotes(void **state)
{
	static const char *const texts[] = { "",     "\"", "\"\"",   "\\\"",
					     "true", "5",  "[\"a\"]" };
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		json_auto_t *value = json_string(texts[i]);
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

		assert_true(prompt_value_text(&text, value, &err));
		assert_int_equal(text.data[0], '"');
		json_auto_t *back = prompt_value_read(text.data, &err);
		assert_true(json_equal(value, back));
	}
	static const char *const broken[] = { "",        "\"", "\"a", "nul",
					      "\"\\q\"", "[1", "\\" };
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		struct error why = ERROR_INIT;
		json_auto_t *none = prompt_value_read(broken[i], &why);

		assert_null(none);
		assert_int_equal(why.code, ERR_INVALID_ARGUMENT);
	}
}

/* --- where values come from --- */

static json_t *build_with(struct fixture *f, const char *arguments,
			  const char *provenance)
{
	struct error err = ERROR_INIT;
	json_auto_t *given =
		json_parse(arguments, strlen(arguments), JSON_CONTRACT, &err);
	json_auto_t *judged =
		json_parse(provenance, strlen(provenance), JSON_CONTRACT, &err);
	json_t *prompt;

	assert_non_null(given);
	assert_non_null(judged);
	f->in.author = "assistant";
	f->in.provenance = judged;
	prompt = build(f, given, NULL);
	f->in.provenance = NULL;
	f->in.author = NULL;
	return prompt;
}

static void test_from(void **state)
{
	json_auto_t *prompt = build_with(
		*state, "{\"person\":\"eve\",\"reason\":\"she\",\"systems\":[\"okta\"]}",
		"{\"arguments\":{\"person\":{\"from\":[\"ticket\\u202e 1\"],"
		"\"untrusted\":true},\"reason\":{\"from\":[\"log x\"],"
		"\"untrusted\":true}}}");
	const json_t *person = json_array_get(json_object_get(prompt, "arguments"), 0);
	const json_t *systems = json_array_get(json_object_get(prompt, "arguments"), 1);
	const json_t *reason = json_array_get(json_object_get(prompt, "free_text"), 0);
	const json_t *warnings = json_object_get(prompt, "warnings");

	assert_string_equal(
		json_string_value(json_array_get(json_object_get(person, "from"), 0)),
		"ticket\\u202E 1");
	assert_null(json_object_get(systems, "from"));
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(reason, "from"), 0)),
		"log x");
	/* One for the target; sentences are no target. */
	assert_int_equal(json_array_size(warnings), 1);
	assert_non_null(strstr(json_string_value(json_array_get(warnings, 0)),
			       "'person' was not named by who asks"));
}

/* A number that the call cannot be without is one, how much of something is none. */
static void test_from_number(void **state)
{
	json_auto_t *prompt = build_with(
		*state, "{\"issue\":42,\"days\":7}",
		"{\"arguments\":{\"issue\":{\"from\":[\"ticket x\"],\"untrusted\":true},"
		"\"days\":{\"from\":[\"ticket x\"],\"untrusted\":true}}}");
	const json_t *warnings = json_object_get(prompt, "warnings");

	assert_int_equal(json_array_size(warnings), 1);
	assert_non_null(strstr(json_string_value(json_array_get(warnings, 0)),
			       "'issue' was not named by who asks"));
}

/* What was looked up for the requester, truth values and defaults are no reason to warn. */
static void test_from_without_warning(void **state)
{
	json_auto_t *prompt =
		build_with(*state, "{\"person\":\"eve\",\"revoke_sessions\":false}",
			   "{\"arguments\":{\"person\":{\"from\":[\"people\"]},"
			   "\"revoke_sessions\":{\"from\":[\"the assistant\"],"
			   "\"untrusted\":true}}}");

	assert_int_equal(json_array_size(json_object_get(prompt, "warnings")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_from, setup, teardown),
		cmocka_unit_test_setup_teardown(test_from_number, setup, teardown),
		cmocka_unit_test_setup_teardown(test_from_without_warning, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_parts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_look_alikes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sensitive, setup, teardown),
		cmocka_unit_test_setup_teardown(test_defaults_inside, setup, teardown),
		cmocka_unit_test_setup_teardown(test_author, setup, teardown),
		cmocka_unit_test_setup_teardown(test_padding, setup, teardown),
		cmocka_unit_test_setup_teardown(test_length, setup, teardown),
		cmocka_unit_test(test_wide_open),
		cmocka_unit_test(test_wide_open_ports),
		cmocka_unit_test(test_odd_spaces),
		cmocka_unit_test_setup_teardown(test_any_change_shows, setup, teardown),
		cmocka_unit_test(test_random_values),
		cmocka_unit_test_setup_teardown(test_random_prompts, setup, teardown),
		cmocka_unit_test(test_quotes),
	};

	return cmocka_run_group_tests_name("prompt", tests, NULL, NULL);
}
