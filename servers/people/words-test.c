/* Names as words, and what is within one edit of a word. */
#include "base/testing.h"

#include "servers/people/words.h"

static void check(const char *name, const char *want)
{
	_cleanup_(words_done) struct words w = WORDS_INIT;
	_cleanup_strbuf_ struct strbuf got = STRBUF_INIT;
	struct error err = ERROR_INIT;

	assert_true(words_read(&w, name, &err));
	for (size_t i = 0; i < w.count; i++) {
		if (i > 0)
			strbuf_add_char(&got, ' ');
		for (size_t v = 0; v < w.items[i].whole.count; v++)
			strbuf_add_format(&got, "%s%s", v ? "/" : "",
					  w.items[i].whole.text[v]);
		if (w.items[i].part_count > 1)
			strbuf_add_format(&got, "(%zu)", w.items[i].part_count);
	}
	assert_string_equal(got.data, want);
}

static void names_are_words(void **state)
{
	(void)state;
	check("", "");
	check("  John   DOE ", "john doe");
	check("D'Arcy D’Arcy", "darcy darcy");
	check("Stone, Peter", "stone peter");
	check("Liam (contractor)", "liam contractor");
	check("J. R. R.", "j r r");
	check("Al-Hadi", "alhadi(2)");
	check("-Al--Hadi-", "alhadi(2)");
	check("a-b-c-d-e-f", "abcdef(4)");
	check("Al\xe2\x80\x90Hadi", "alhadi(2)");
	check("Schröder", "schroder/schroeder");
	check("Schro\xcc\x88"
	      "der",
	      "schroder/schroeder");
	check("Müller-Lüdenscheidt",
	      "mullerludenscheidt/muellerludenscheidt/mullerluedenscheidt/"
	      "muellerluedenscheidt(2)");
	check("ÄÖÜ", "aou/aeou/aoeu/aeoeu/aoue/aeoue/aoeue/aeoeue");
	check("Søren Kjær Ångström", "soren kjaer angstrom/angstroem");
	check("John\xc2\xa0"
	      "Doe",
	      "john doe");
	check("赵欣", "赵欣");
	check("' '' -", "");
	/* What only looks like letters stays what it is. */
	check("ｊｏｈｎ", "ｊｏｈｎ");
}

static void there_are_limits(void **state)
{
	_cleanup_(words_done) struct words w = WORDS_INIT, v = WORDS_INIT;
	char text[WORD_BYTES_MAX + 2];
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(words_read(&w, "a b c d e f g h i j k l", &err));
	assert_int_equal(w.count, WORDS_MAX);
	assert_false(w.has_more);
	assert_true(words_read(&v, "a b c d e f g h i j k l m", &err));
	assert_true(v.has_more);
	memset(text, 'x', sizeof text);
	text[WORD_BYTES_MAX] = '\0';
	_cleanup_(words_done) struct words most = WORDS_INIT, more = WORDS_INIT;
	assert_true(words_read(&most, text, &err));
	assert_int_equal(most.count, 1);
	text[WORD_BYTES_MAX] = 'x';
	text[WORD_BYTES_MAX + 1] = '\0';
	assert_true(words_read(&more, text, &err));
	assert_int_equal(more.count, 0);
}

/* Too long as a whole, though its parts are not: no word, and nothing is left of it. */
static void a_long_word_of_short_parts(void **state)
{
	_cleanup_(words_done) struct words w = WORDS_INIT;
	char text[WORD_BYTES_MAX + 12];
	struct error err = ERROR_INIT;

	(void)state;
	memset(text, 'x', sizeof text);
	for (size_t i = 50; i < sizeof text; i += 50)
		text[i] = '-';
	text[sizeof text - 1] = '\0';
	assert_true(words_read(&w, text, &err));
	assert_int_equal(w.count, 0);
}

static void one_edit_and_no_more(void **state)
{
	static const struct {
		const char *a, *b;
		bool near;
	} rows[] = {
		{ "stone", "stone", true },
		{ "stone", "ston", true },
		{ "stone", "stones", true },
		{ "stone", "sstone", true },
		{ "stone", "stome", true },
		{ "stone", "tsone", true },
		{ "stone", "stoen", true },
		{ "stone", "sotne", true },
		{ "stone", "sto", false },
		{ "stone", "stenos", false },
		{ "stone", "stnoee", false },
		{ "stone", "enots", false },
		{ "ab", "ba", true },
		{ "ab", "cd", false },
		{ "", "a", true },
		{ "", "", true },
		{ "", "ab", false },
		{ "müller", "muller", true },
		{ "смирнов", "смирнав", true },
		{ "смирнов", "смринов", true },
		{ "смирнов", "смринав", false },
		{ "赵欣", "欣赵", true },
		{ "é", "è", true },
		{ "aa", "aaa", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (word_is_near(rows[i].a, rows[i].b) != rows[i].near ||
		    word_is_near(rows[i].b, rows[i].a) != rows[i].near)
			fail_msg("'%s' and '%s'", rows[i].a, rows[i].b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_words),
		cmocka_unit_test(there_are_limits),
		cmocka_unit_test(a_long_word_of_short_parts),
		cmocka_unit_test(one_edit_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
