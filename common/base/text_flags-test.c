/* text_flags: what is odd about a value, and what is not. */
#include "base/text.h"

#include "base/testing.h"

static void check(const char *text, unsigned want)
{
	unsigned flags = text_flags(text, strlen(text));

	if (flags != want)
		fail_msg("'%s': flags %u, not %u", text, flags, want);
}

/* Words as people write them, in any one script. */
static void test_normal(void **state)
{
	static const char *const texts[] = {
		"",
		"maria.k",
		"block 10.0.0.1/32 for 8h\nthen look\tagain\r\n",
		"Jürgen Müller",
		"Nguyễn Thị Ánh",
		"Łukasz Żółć",
		"İstanbul'da kapı açık",
		"Æble på ø",
		"œuvre",
		"Straße",
		"Привет, как дела?",
		"Семён",
		"Ελληνικά",
		"हिन्दी में",
		"ภาษาไทย",
		"李小龍",
		"東京タワーへ行く",
		"日本語 and English",
		"Tシャツ",
		"USB接続",
		"K팝 한국어",
		"ok \xf0\x9f\x98\x80!",
		"naïve — “quoted” ’tis",
		"5 € – 7 €",
		"Հայաստան",
		"ქართული",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		check(texts[i], 0);
}

static void test_bidi(void **state)
{
	(void)state;
	check("\xe2\x80\xaekooc.airam", TEXT_BIDI);
	check("a\xe2\x80\x8e"
	      "b",
	      TEXT_BIDI);
	check("\xe2\x81\xa6x\xe2\x81\xa9", TEXT_BIDI);
	check("\xd8\x9c", TEXT_BIDI);
}

/* Harmless, but they turn round what stands beside them. */
static void test_right_to_left(void **state)
{
	(void)state;
	check("مرحبا بالعالم", TEXT_RIGHT_TO_LEFT);
	check("שלום", TEXT_RIGHT_TO_LEFT);
	check("\xd9\xa1\xd9\xa2", TEXT_RIGHT_TO_LEFT); /* Arabic digits */
}

static void test_invisible(void **state)
{
	(void)state;
	check("maria\xc2\xad.k", TEXT_INVISIBLE);
	check("a\xe2\x80\x8b"
	      "b",
	      TEXT_INVISIBLE);
	check("a\x1b[2J", TEXT_INVISIBLE);
	check("a\x7f", TEXT_INVISIBLE);
	check("a\xc2\x9b", TEXT_INVISIBLE);
	check("\xe3\x85\xa4", TEXT_INVISIBLE);
	check("\xf3\xa0\x81\x81", TEXT_INVISIBLE);
	check("a\xe2\xa0\x80", TEXT_INVISIBLE);  /* a Braille pattern of no dots */
	check("a\xe1\x9a\x80z", TEXT_INVISIBLE); /* a space of Ogham */
	check("a\xe2\x80\xa8z", TEXT_INVISIBLE);
	check("a\xee\x80\x80", TEXT_INVISIBLE); /* for private use: anything or nothing */
	check("a\xcd\xb8", TEXT_INVISIBLE);     /* nothing yet */
	assert_int_equal(text_flags("a\0b", 3), TEXT_INVISIBLE);
}

static void test_mixed_script(void **state)
{
	(void)state;
	check("firewаll", TEXT_MIXED_SCRIPT | TEXT_LOOK_ALIKE); /* Cyrillic a */
	check("see аdmin now", TEXT_MIXED_SCRIPT | TEXT_LOOK_ALIKE);
	check("pοrt", TEXT_MIXED_SCRIPT | TEXT_LOOK_ALIKE);   /* Greek omicron */
	check("adminօ", TEXT_MIXED_SCRIPT | TEXT_LOOK_ALIKE); /* Armenian oh */
	check("adminж", TEXT_MIXED_SCRIPT);
	check("10.0.0.1\xe0\xa7\xaa",
	      TEXT_MIXED_SCRIPT | TEXT_LOOK_ALIKE); /* a Bengali four that looks like 8 */
	assert_true(text_flags("Ωmega", 6) & TEXT_MIXED_SCRIPT);
}

static void test_look_alike(void **state)
{
	(void)state;
	check("сосо.ru", TEXT_LOOK_ALIKE); /* all Cyrillic */
	check("аре", TEXT_LOOK_ALIKE);
	check("root-о", TEXT_LOOK_ALIKE);
	check("\xc9\xa1oogle", TEXT_LOOK_ALIKE); /* Latin script g */
	check("\xc9\x91"
	      "dmin",
	      TEXT_LOOK_ALIKE);              /* Latin alpha */
	check("https:∕∕x", TEXT_LOOK_ALIKE); /* division slash */
	check("плохо", 0);
}

static void test_compatibility(void **state)
{
	(void)state;
	check("ａｄｍｉｎ", TEXT_COMPATIBILITY);
	check("ﬁle", TEXT_COMPATIBILITY | TEXT_LOOK_ALIKE);
	check("x²", TEXT_COMPATIBILITY);
	check("a\xc2\xa0"
	      "b",
	      TEXT_COMPATIBILITY);
	assert_true(text_flags("\xf0\x9d\x90\x9a"
			       "dmin",
			       8) &
		    TEXT_COMPATIBILITY);
	assert_true(text_flags("\xe2\x84\xaa"
			       "ate",
			       6) &
		    TEXT_COMPATIBILITY); /* Kelvin */
}

/* As one character an accent is a letter's; apart from it the text looks like another. */
static void test_combining(void **state)
{
	(void)state;
	check("é", 0);
	check("Ju\xcc\x88rgen", TEXT_COMBINING);
	check("maria\xcc\x81.k", TEXT_COMBINING);
	check("k\xcc\x87", TEXT_COMBINING); /* that no letter has in itself */
	check("ế", 0);
	check("ế\xcc\xa3", TEXT_COMBINING);
	/* Vowels and points of one script, as they are always written; three are too many. */
	check("हिन्दी", 0);
	check("ไม่ใช่", 0);
	check("กี่", 0);
	check("กี่่", TEXT_COMBINING);
}

static void test_odd_marks(void **state)
{
	(void)state;
	check("\xcc\x81igor", TEXT_COMBINING);   /* at the beginning */
	check("a \xcc\x81gor", TEXT_COMBINING);  /* after a space */
	check("a\n\xcc\x81gor", TEXT_COMBINING); /* and a line's end */
	check("i\xcc\xb8gor", TEXT_COMBINING);   /* a stroke through it */
	assert_true(text_flags("i\xe2\x83\x9dgor", 7) &
		    TEXT_COMBINING); /* a circle around it */
	check("ก ี", TEXT_COMBINING);
}

static void test_long_run(void **state)
{
	(void)state;
	check("a        b", 0); /* eight */
	check("a         b", TEXT_LONG_RUN);
	check("\n\n\n\n\n\n\n\n", 0);
	check("\n\n\n\n\n\n\n\n\n", TEXT_LONG_RUN);
	check("é         b", TEXT_LONG_RUN);
	check("aaaaaaaaaaaaaaaaaaaa", 0);
	assert_true(text_flags("\xe3\x80\x80\xe3\x80\x80\xe3\x80\x80\xe3\x80\x80\xe3\x80"
			       "\x80\xe3\x80\x80"
			       "\xe3\x80\x80\xe3\x80\x80\xe3\x80\x80",
			       27) &
		    TEXT_LONG_RUN);
}

/* Megabytes of hostile text are judged in their time; a word without end in pieces. */
static void test_long_text(void **state)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	(void)state;
	while (sb.length < 200000)
		strbuf_add_string(&sb, "привет");
	assert_int_equal(text_flags(sb.data, sb.length), 0);
	strbuf_add_string(&sb, "adminпривет");
	assert_int_equal(text_flags(sb.data, sb.length), TEXT_MIXED_SCRIPT);
	assert_int_equal(text_flags("a\xff\xfe", 3), 0);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(text_flag_name(TEXT_BIDI), "bidi");
	assert_string_equal(text_flag_name(TEXT_INVISIBLE), "invisible");
	assert_string_equal(text_flag_name(TEXT_MIXED_SCRIPT), "mixed-script");
	assert_string_equal(text_flag_name(TEXT_LOOK_ALIKE), "look-alike");
	assert_string_equal(text_flag_name(TEXT_COMPATIBILITY), "compatibility");
	assert_string_equal(text_flag_name(TEXT_COMBINING), "combining");
	assert_string_equal(text_flag_name(TEXT_LONG_RUN), "long-run");
}

static void test_skeleton(void **state)
{
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT, b = STRBUF_INIT, c = STRBUF_INIT;
	char text[514];

	(void)state;
	assert_true(text_skeleton(&a, "paypal", 6));
	assert_true(text_skeleton(&b, "p\xD0\xB0yp\xD0\xB0l", 8));
	assert_string_equal(a.data, b.data);
	memset(text, 'a', sizeof text);
	assert_true(text_skeleton(&c, text, 512));
	assert_false(text_skeleton(&c, text, 513));
	assert_false(text_skeleton(&c, "\xFF", 1));
	assert_int_equal(c.length, 512);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_normal),        cmocka_unit_test(test_bidi),
		cmocka_unit_test(test_right_to_left), cmocka_unit_test(test_invisible),
		cmocka_unit_test(test_mixed_script),  cmocka_unit_test(test_look_alike),
		cmocka_unit_test(test_compatibility), cmocka_unit_test(test_combining),
		cmocka_unit_test(test_odd_marks),     cmocka_unit_test(test_long_run),
		cmocka_unit_test(test_long_text),     cmocka_unit_test(test_names),
		cmocka_unit_test(test_skeleton),
	};

	return cmocka_run_group_tests_name("text-flags", tests, NULL, NULL);
}
