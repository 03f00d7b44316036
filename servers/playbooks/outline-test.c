/* Pages into sections, and their front matter. */
#include "base/testing.h"

#include "servers/playbooks/front.h"
#include "servers/playbooks/outline.h"

static void read_outline(const char *source, struct outline *o)
{
	struct error err = ERROR_INIT;
	struct front front;

	front_read(source, strlen(source), &front);
	if (!outline_read(source, strlen(source), front.end, o, &err))
		fail_msg("%s", err.message);
	front_done(&front);
}

static void check(const struct outline *o, size_t i, const char *source, int level,
		  const char *heading, const char *bytes, int parent)
{
	const struct section *s = &o->sections[i];

	assert_int_equal(s->level, level);
	assert_string_equal(s->heading, heading);
	assert_int_equal(s->parent, parent);
	assert_int_equal(s->end - s->start, strlen(bytes));
	assert_memory_equal(source + s->start, bytes, strlen(bytes));
}

static void test_sections(void **state)
{
	static const char source[] = "---\ntitle: x\n---\nbefore\n\n# A *b*\none\n\nSet\n"
				     "===\n\n   ## C ##\r\ntwo\n\n**Bold one**\n\nthree\n"
				     "> # quoted\n\n- # in a list\n";
	struct outline o;

	(void)state;
	read_outline(source, &o);
	assert_int_equal(o.count, 5);
	check(&o, 0, source, 0, "", "before\n\n", -1);
	check(&o, 1, source, 1, "A b", "# A *b*\none\n\n", -1);
	check(&o, 2, source, 1, "Set", "Set\n===\n\n", -1);
	check(&o, 3, source, 2, "C", "   ## C ##\r\ntwo\n\n", 2);
	assert_int_equal(o.sections[4].level, OUTLINE_LEVELS);
	assert_int_equal(o.sections[4].parent, 3);
	assert_int_equal(o.sections[4].end, strlen(source));
	assert_int_equal(outline_whole_end(&o, 2), strlen(source));
	assert_int_equal(outline_whole_end(&o, 1), o.sections[2].start);
	assert_non_null(strstr(o.text.data, "quoted"));
	outline_done(&o);
}

static void test_text(void **state)
{
	static const char source[] =
		"a <b>b</b> <script>gone</script> &amp; &#228; [label](http://gone)\n\n"
		"<div>\ngone too\n</div>\n\n    code()\n\n| Title | The name "
		"|\n|---|---|\n| x | y |\n";
	struct outline o;

	(void)state;
	read_outline(source, &o);
	assert_null(strstr(o.text.data, "gone"));
	assert_non_null(strstr(o.text.data, "& ä label"));
	assert_non_null(strstr(o.text.data, "code()"));
	assert_string_equal(o.table_title, "The name");
	outline_done(&o);
}

static void repeat(struct strbuf *sb, const char *text, size_t count)
{
	for (size_t i = 0; i < count; i++)
		strbuf_add_string(sb, text);
}

static bool nests(size_t depth)
{
	_cleanup_strbuf_ struct strbuf source = STRBUF_INIT;
	struct error err = ERROR_INIT;
	struct outline o;

	repeat(&source, "> ", depth);
	strbuf_add_string(&source, "x\n");
	if (!outline_read(source.data, source.length, 0, &o, &err))
		return false;
	outline_done(&o);
	return true;
}

static void test_limits(void **state)
{
	_cleanup_strbuf_ struct strbuf source = STRBUF_INIT;
	struct outline o;

	(void)state;
	/* The document and the paragraph are blocks, too. */
	assert_true(nests(OUTLINE_DEPTH_MAX - 2));
	assert_false(nests(OUTLINE_DEPTH_MAX - 1));
	repeat(&source, "# h\n", OUTLINE_SECTIONS_MAX + 5);
	read_outline(source.data, &o);
	assert_int_equal(o.count, OUTLINE_SECTIONS_MAX);
	assert_int_equal(o.sections[o.count - 1].end, source.length);
	outline_done(&o);
	strbuf_clear(&source);
	strbuf_add_string(&source, "# ");
	repeat(&source, "ä", OUTLINE_HEADING_MAX);
	read_outline(source.data, &o);
	assert_int_equal(strlen(o.sections[1].heading), OUTLINE_HEADING_MAX);
	outline_done(&o);
}

static void test_front(void **state)
{
	static const struct {
		const char *source;
		size_t end;
		const char *title;
		bool has_fault;
	} rows[] = {
		{ "---\ntitle: x\n---\nbody", 17, "x", false },
		{ "\xef\xbb\xbf---\ntitle: x\n...\r\nbody", 21, "x", false },
		{ "---\n---\nbody", 8, NULL, false },
		{ "---\ntitle: [\n---\nbody", 17, NULL, true },
		{ "---\na: &b 1\nc: *b\n---\n", 22, NULL, true },
		{ "---\ntitle: x\ntitle: y\n---\n", 26, NULL, true },
		{ "---\n- a\n---\n", 12, NULL, false },
		{ "---\nno end", 0, NULL, false },
		{ "text\n---\n", 0, NULL, false },
		{ "--- \ntitle: ''\n---\n", 19, NULL, false },
		{ "", 0, NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct front f;

		front_read(rows[i].source, strlen(rows[i].source), &f);
		if (f.end != rows[i].end || (f.fault[0] != 0) != rows[i].has_fault)
			fail_msg("%s: %zu '%s'", rows[i].source, f.end, f.fault);
		if (rows[i].title)
			assert_string_equal(front_title(&f), rows[i].title);
		else
			assert_null(front_title(&f));
		front_done(&f);
	}
}

static void test_front_limit(void **state)
{
	_cleanup_strbuf_ struct strbuf source = STRBUF_INIT;
	struct front f;

	(void)state;
	strbuf_add_string(&source, "---\n# ");
	repeat(&source, "x", FRONT_BYTES_MAX - 3);
	strbuf_add_string(&source, "\n---\nbody");
	front_read(source.data, source.length, &f);
	assert_int_equal(f.end, source.length - strlen("body"));
	front_done(&f);
	strbuf_clear(&source);
	strbuf_add_string(&source, "---\n# ");
	repeat(&source, "x", FRONT_BYTES_MAX);
	strbuf_add_string(&source, "\n---\nbody");
	front_read(source.data, source.length, &f);
	assert_int_equal(f.end, 0);
	front_done(&f);
}

static void test_tags(void **state)
{
	static const char source[] =
		"---\ntags: [Mail, ' x ', mail, 7]\nlabels: a, b ,,a\n---\n";
	struct front f;

	(void)state;
	front_read(source, strlen(source), &f);
	json_auto_t *tags = front_tags(&f);
	_cleanup_free_ char *text = json_dumps(tags, JSON_COMPACT);
	assert_string_equal(text, "[\"mail\",\"x\",\"a\",\"b\"]");
	front_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sections),    cmocka_unit_test(test_text),
		cmocka_unit_test(test_limits),      cmocka_unit_test(test_front),
		cmocka_unit_test(test_front_limit), cmocka_unit_test(test_tags),
	};

	return cmocka_run_group_tests_name("playbooks outline", tests, NULL, NULL);
}
