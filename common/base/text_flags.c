#include "base/text.h"

#include <pthread.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/uspoof.h>
#include <unicode/ustring.h>

#include "base/utf8.h"

enum { RUN_MAX = 8, MARKS_MAX = 2, BRAILLE_BLANK = 0x2800, OGHAM_SPACE = 0x1680 };
enum { OVERLAY = 1 }; /* the combining class of strokes */

/* Opening costs milliseconds, using is thread-safe; written once, under 'once'. */
static struct {
	const USpoofChecker *checker;
	const USet *recommended;
	const UNormalizer2 *nfc, *nfd, *nfkc;
	bool usable;
} unicode;
static pthread_once_t unicode_once = PTHREAD_ONCE_INIT;

static void open_unicode(void)
{
	UErrorCode status = U_ZERO_ERROR;
	USpoofChecker *checker = uspoof_open(&status);

	unicode.recommended = uspoof_getRecommendedSet(&status);
	unicode.nfc = unorm2_getNFCInstance(&status);
	unicode.nfd = unorm2_getNFDInstance(&status);
	unicode.nfkc = unorm2_getNFKCInstance(&status);
	if (U_SUCCESS(status)) {
		/* One script a word, or Latin with the scripts of China, Japan or Korea. */
		uspoof_setRestrictionLevel(checker, USPOOF_HIGHLY_RESTRICTIVE);
		uspoof_setChecks(checker, USPOOF_RESTRICTION_LEVEL | USPOOF_MIXED_NUMBERS,
				 &status);
	}
	unicode.checker = checker;
	unicode.usable = U_SUCCESS(status);
}

static bool is_ascii_alphanumeric(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* The skeleton of UTS 39 in 'skeleton', cut to what fits; its full length. */
static int32_t skeleton_of(const char *text, size_t length, char *skeleton, int32_t size)
{
	UErrorCode status = U_ZERO_ERROR;
	int32_t n = uspoof_getSkeletonUTF8(unicode.checker, 0, text, (int32_t)length,
					   skeleton, size, &status);

	return U_FAILURE(status) ? 0 : n;
}

bool text_skeleton(struct strbuf *sb, const char *text, size_t length)
{
	enum { SKELETON_MAX = 512 };
	char skeleton[SKELETON_MAX];
	int32_t n;

	pthread_once(&unicode_once, open_unicode);
	if (!unicode.usable || length > SKELETON_MAX || !text_is_utf8(text, length))
		return false;
	n = skeleton_of(text, length, skeleton, sizeof skeleton);
	if (n <= 0 || (size_t)n > sizeof skeleton)
		return false;
	strbuf_add(sb, skeleton, (size_t)n);
	return true;
}

enum { WORD_MAX = 256 }; /* bytes of a word that are judged at once */

/* Whether readers would take the word for ASCII letters or digits. */
static bool is_look_alike(const char *word, size_t length, bool is_latin,
			  bool is_uncommon)
{
	char skeleton[WORD_MAX * 4];
	int32_t n;

	/* Latin as people write it (dotless i, ligatures) passes for itself. */
	if (is_latin && !is_uncommon)
		return false;
	n = skeleton_of(word, length, skeleton, sizeof skeleton);
	if (n <= 0)
		return false;
	for (int32_t i = 0; i < n; i++)
		if (!is_ascii_alphanumeric((unsigned char)skeleton[i]))
			return false;
	return true;
}

static bool is_mixed(const char *word, size_t length)
{
	UErrorCode status = U_ZERO_ERROR;
	int32_t found =
		uspoof_check2UTF8(unicode.checker, word, (int32_t)length, NULL, &status);

	return U_SUCCESS(status) && found != 0;
}

struct word {
	size_t start;
	size_t length;
	bool is_latin; /* no letter of another script */
	bool is_ascii;
	bool is_uncommon; /* has a character outside the recommended identifiers */
};

static unsigned judge_word(const char *text, const struct word *w)
{
	unsigned flags = 0;

	if (w->length == 0 || w->is_ascii)
		return 0;
	if (is_mixed(text + w->start, w->length))
		flags |= TEXT_MIXED_SCRIPT;
	if (is_look_alike(text + w->start, w->length, w->is_latin, w->is_uncommon))
		flags |= TEXT_LOOK_ALIKE;
	return flags;
}

static bool is_word_character(UChar32 c)
{
	return U_GET_GC_MASK(c) & (U_GC_L_MASK | U_GC_M_MASK | U_GC_N_MASK);
}

/* A character that passes for one of those that divide hosts, paths and addresses. */
static bool passes_for_divider(const char *text, size_t size)
{
	char skeleton[16];

	return skeleton_of(text, size, skeleton, sizeof skeleton) == 1 &&
	       strchr("/:.@\\?#%&=", skeleton[0]);
}

static void extend_word(struct word *w, size_t at, size_t size, UChar32 c)
{
	UErrorCode status = U_ZERO_ERROR;

	if (w->length == 0)
		*w = (struct word){ .start = at, .is_latin = true, .is_ascii = true };
	w->length += size;
	if (c < 0x80)
		return;
	UScriptCode script = uscript_getScript(c, &status);
	w->is_ascii = false;
	w->is_latin &= script == USCRIPT_LATIN || script == USCRIPT_INHERITED;
	w->is_uncommon |= !uset_contains(unicode.recommended, c);
}

/* Words longer than WORD_MAX are judged in pieces, so that the cost stays linear. */
static unsigned word_flags(const char *text, size_t length)
{
	struct word word = { 0 };
	unsigned flags = 0;
	uint32_t c = 0;

	for (size_t at = 0, size; at < length; at += size) {
		size = utf8_next(text + at, length - at, &c);
		bool in_word = size && is_word_character((UChar32)c);
		if (!in_word || word.length > WORD_MAX - 4) {
			flags |= judge_word(text, &word);
			word.length = 0;
		}
		if (in_word)
			extend_word(&word, at, size, (UChar32)c);
		else if (size > 1 && passes_for_divider(text + at, size))
			flags |= TEXT_LOOK_ALIKE;
		size += !size;
	}
	return flags | judge_word(text, &word);
}

/* Whether NFKC replaces the character; taking it apart or together is no oddity,
 * but another single character in its place is (the Kelvin sign). */
static bool is_compatibility(UChar32 c)
{
	UErrorCode status = U_ZERO_ERROR;
	UChar in[2], by_nfc[32], by_nfkc[32];
	int32_t count = 0;

	U16_APPEND_UNSAFE(in, count, c);
	int32_t nfkc = unorm2_normalize(unicode.nfkc, in, count, by_nfkc, 32, &status);
	int32_t nfc = unorm2_normalize(unicode.nfc, in, count, by_nfc, 32, &status);
	if (U_FAILURE(status))
		return false;
	if (u_strCompare(by_nfkc, nfkc, by_nfc, nfc, true) != 0)
		return true;
	return u_countChar32(by_nfc, nfc) == 1 &&
	       u_strCompare(in, count, by_nfc, nfc, true) != 0;
}

static bool is_mark(UChar32 c)
{
	return U_GET_GC_MASK(c) & (U_GC_MN_MASK | U_GC_ME_MASK);
}

/* The accents of all alphabets. Marks of one script, vowels say, are how it is written. */
static bool is_accent(UChar32 c)
{
	return (c >= 0x300 && c <= 0x36F) || (c >= 0x1AB0 && c <= 0x1AFF) ||
	       (c >= 0x1DC0 && c <= 0x1DFF) || (c >= 0x20D0 && c <= 0x20FF) ||
	       (c >= 0xFE20 && c <= 0xFE2F);
}

/* Apart from its letter an accent makes a text that looks like another; a mark on nothing,
 * through a letter or around one hides what it stands on, or what that is. */
static bool is_odd_mark(UChar32 c, uint32_t before)
{
	return is_accent(c) || before <= ' ' || u_isUWhiteSpace((UChar32)before) ||
	       (U_GET_GC_MASK(c) & U_GC_ME_MASK) ||
	       u_getIntPropertyValue(c, UCHAR_CANONICAL_COMBINING_CLASS) == OVERLAY;
}

/* Marks that the character has in itself: two in a Vietnamese vowel. */
static int own_marks(UChar32 c)
{
	UErrorCode status = U_ZERO_ERROR;
	UChar apart[32];
	int32_t count = unorm2_getDecomposition(unicode.nfd, c, apart, 32, &status);
	int marks = 0;

	for (size_t at = 0; U_SUCCESS(status) && count > 0 && at < (size_t)count;)
		marks += is_mark((UChar32)utf16_next(apart, (size_t)count, &at));
	return marks;
}

static unsigned character_flags(UChar32 c)
{
	static const uint32_t unseen = U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CN_MASK |
				       U_GC_CO_MASK | U_GC_CS_MASK | U_GC_ZL_MASK |
				       U_GC_ZP_MASK;

	if (u_hasBinaryProperty(c, UCHAR_BIDI_CONTROL))
		return TEXT_BIDI;
	if (c == '\n' || c == '\r' || c == '\t')
		return 0;
	if ((U_GET_GC_MASK(c) & unseen) || c == BRAILLE_BLANK || c == OGHAM_SPACE ||
	    u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT))
		return TEXT_INVISIBLE;
	UCharDirection direction = u_charDirection(c);
	unsigned turned = direction == U_RIGHT_TO_LEFT ||
					  direction == U_RIGHT_TO_LEFT_ARABIC ||
					  direction == U_ARABIC_NUMBER
				  ? TEXT_RIGHT_TO_LEFT
				  : 0;
	return turned | (is_compatibility(c) ? TEXT_COMPATIBILITY : 0);
}

/* Runs of spaces; ASCII alone, all that most values need. */
static unsigned run_flags(const char *text, size_t length, bool *ret_ascii)
{
	unsigned flags = 0, other = 0;
	size_t run = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];
		other |= c & 0x80u;
		run = i > 0 && text[i] == text[i - 1] ? run + 1 : 1;
		if (run > RUN_MAX && (c == ' ' || (c >= '\t' && c <= '\r')))
			flags |= TEXT_LONG_RUN;
		if ((c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7F)
			flags |= TEXT_INVISIBLE;
	}
	*ret_ascii = !other;
	return flags;
}

unsigned text_flags(const char *text, size_t length)
{
	bool ascii;
	unsigned flags = run_flags(text, length, &ascii);
	size_t run = 0;
	int marks = 0;
	uint32_t before = 0, c = 0;

	if (ascii)
		return flags;
	pthread_once(&unicode_once, open_unicode);
	if (!unicode.usable) /* without its tables nothing can be called harmless */
		return flags | TEXT_MIXED_SCRIPT | TEXT_LOOK_ALIKE;
	for (size_t at = 0, size; at < length; at += size) {
		size = utf8_next(text + at, length - at, &c);
		if (!size) {
			size = 1;
			c = 0xFFFD;
		}
		run = at > 0 && c == before ? run + 1 : 1;
		if (c >= 0x80 && is_mark((UChar32)c) && is_odd_mark((UChar32)c, before))
			flags |= TEXT_COMBINING;
		before = c;
		if (c < 0x80) {
			marks = 0;
			continue;
		}
		if (run > RUN_MAX && u_isUWhiteSpace((UChar32)c))
			flags |= TEXT_LONG_RUN;
		marks = is_mark((UChar32)c) ? marks + 1 : own_marks((UChar32)c);
		if (marks > MARKS_MAX)
			flags |= TEXT_COMBINING;
		flags |= character_flags((UChar32)c);
	}
	return flags | word_flags(text, length);
}

const char *text_flag_name(enum text_flag flag)
{
	switch (flag) {
	case TEXT_BIDI:
		return "bidi";
	case TEXT_INVISIBLE:
		return "invisible";
	case TEXT_MIXED_SCRIPT:
		return "mixed-script";
	case TEXT_LOOK_ALIKE:
		return "look-alike";
	case TEXT_COMPATIBILITY:
		return "compatibility";
	case TEXT_COMBINING:
		return "combining";
	case TEXT_LONG_RUN:
		return "long-run";
	case TEXT_RIGHT_TO_LEFT:
		return "right-to-left";
	}
	return "unknown";
}
