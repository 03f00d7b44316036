#include "base/text.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>

#include "base/utf8.h"

enum { REPLACEMENT = 0xFFFD, BRAILLE_BLANK = 0x2800, MARKS_MAX = 2 };

bool text_is_utf8(const char *text, size_t length)
{
	uint32_t c;

	for (size_t at = 0, size; at < length; at += size) {
		size = utf8_next(text + at, length - at, &c);
		if (!size)
			return false;
	}
	return true;
}

/* Characters that cannot be seen, or not be told from a space. */
static bool is_unseen(UChar32 c)
{
	static const uint32_t unseen = U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CN_MASK |
				       U_GC_CO_MASK | U_GC_CS_MASK | U_GC_Z_MASK;

	if (c < 0x7F)
		return c < 0x20;
	return (U_GET_GC_MASK(c) & unseen) || c == BRAILLE_BLANK ||
	       u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT);
}

static void add_escape(struct strbuf *sb, uint32_t c)
{
	switch (c) {
	case '\\':
		strbuf_add(sb, "\\\\", 2);
		break;
	case '\n':
		strbuf_add(sb, "\\n", 2);
		break;
	case '\r':
		strbuf_add(sb, "\\r", 2);
		break;
	case '\t':
		strbuf_add(sb, "\\t", 2);
		break;
	default:
		strbuf_add_format(sb, c > 0xFFFF ? "\\U%08X" : "\\u%04X", c);
	}
}

/* How many marks may stand on what was written last; an escape carries none, so that
 * no mark is drawn on a character of ours. */
static bool is_stacked(UChar32 c, unsigned *marks_left)
{
	uint32_t mask = c < 0x300 ? 0 : U_GET_GC_MASK(c);

	if (!(mask & U_GC_M_MASK)) {
		*marks_left = MARKS_MAX;
		return false;
	}
	/* What encloses is drawn around its neighbours as well. */
	if ((mask & U_GC_ME_MASK) || *marks_left == 0)
		return true;
	(*marks_left)--;
	return false;
}

static void add_escaped(struct strbuf *sb, const char *text, size_t length,
			bool ascii_only)
{
	size_t start = 0, size;
	unsigned marks_left = 0;
	uint32_t c = 0;

	for (size_t at = 0; at < length; at += size) {
		size = utf8_next(text + at, length - at, &c);
		if (!size) {
			/* The caller's fault; still nothing may be drawn with it. */
			size = 1;
			c = REPLACEMENT;
		} else if (c == '\\' || is_unseen((UChar32)c) ||
			   (ascii_only && c > 0x7E)) {
			/* escaped below */
		} else if (!is_stacked((UChar32)c, &marks_left)) {
			continue;
		}
		marks_left = 0;
		strbuf_add(sb, text + start, at - start);
		add_escape(sb, c);
		start = at + size;
	}
	strbuf_add(sb, text + start, length - start);
}

void text_visible(struct strbuf *sb, const char *text, size_t length)
{
	add_escaped(sb, text, length, false);
}

void text_escaped(struct strbuf *sb, const char *text, size_t length)
{
	add_escaped(sb, text, length, true);
}

/* 'count' hex digits, or -1. */
static int64_t read_hex(const char *p, size_t count)
{
	int64_t value = 0;

	for (size_t i = 0; i < count; i++) {
		char c = p[i];
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;
		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

/* The character of "\uXXXX" or "\UXXXXXXXX" at 'p'; -1 for what we never write. */
static int64_t read_code(const char *p, size_t left, size_t *ret_size)
{
	size_t digits = p[1] == 'u' ? 4 : 8;
	int64_t least = p[1] == 'u' ? 0 : 0x10000;

	if (left < 2 + digits)
		return -1;
	int64_t c = read_hex(p + 2, digits);
	if (c < least || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		return -1;
	*ret_size = 2 + digits;
	return c;
}

static int64_t read_escape(const char *p, size_t left, size_t *ret_size)
{
	*ret_size = 2;
	if (left < 2)
		return -1;
	switch (p[1]) {
	case '\\':
		return '\\';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case 'u':
	case 'U':
		return read_code(p, left, ret_size);
	default:
		return -1;
	}
}

bool text_unescape(struct strbuf *sb, const char *text, size_t length, struct error *err)
{
	const size_t before = sb->length;
	size_t start = 0, size;
	char bytes[4];

	for (size_t at = 0; at < length; at += size) {
		size = 1;
		if (text[at] != '\\')
			continue;
		int64_t c = read_escape(text + at, length - at, &size);
		if (c < 0) {
			strbuf_truncate(sb, before);
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "an escape at byte %zu that is none of ours",
					 at + 1);
		}
		strbuf_add(sb, text + start, at - start);
		strbuf_add(sb, bytes, utf8_put((uint32_t)c, bytes));
		start = at + size;
	}
	strbuf_add(sb, text + start, length - start);
	return strbuf_ok(sb) ? true : error_oom(err);
}

static size_t columns_of(UChar32 c)
{
	if (c >= 0x20 && c < 0x7F)
		return 1;
	if ((U_GET_GC_MASK(c) &
	     (U_GC_MN_MASK | U_GC_ME_MASK | U_GC_CF_MASK | U_GC_CC_MASK)) ||
	    u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT))
		return 0;
	int32_t jamo = u_getIntPropertyValue(c, UCHAR_HANGUL_SYLLABLE_TYPE);
	if (jamo == U_HST_VOWEL_JAMO || jamo == U_HST_TRAILING_JAMO)
		return 0;
	int32_t width = u_getIntPropertyValue(c, UCHAR_EAST_ASIAN_WIDTH);
	return width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
}

size_t text_cluster(const char *text, size_t length)
{
	uint32_t c;
	size_t at = utf8_next(text, length, &c), size;

	if (at == 0)
		return length > 0;
	while (at < length && (size = utf8_next(text + at, length - at, &c)) > 0) {
		int32_t kind =
			c < 0x300 ? 0
				  : u_getIntPropertyValue((UChar32)c,
							  UCHAR_GRAPHEME_CLUSTER_BREAK);

		if (kind != U_GCB_EXTEND && kind != U_GCB_SPACING_MARK &&
		    kind != U_GCB_V && kind != U_GCB_T)
			break;
		at += size;
	}
	return at;
}

size_t text_columns(const char *text, size_t length)
{
	size_t columns = 0;
	uint32_t c;

	for (size_t at = 0, size; at < length; at += size) {
		size = utf8_next(text + at, length - at, &c);
		columns += size ? columns_of((UChar32)c) : 1;
		size += !size;
	}
	return columns;
}

/* Letters with strokes and the like, which no normal form takes apart. */
static const char *plain_letter(UChar32 c)
{
	static const struct {
		UChar32 c;
		const char *plain;
	} letters[] = {
		{ 0x00E6, "ae" }, { 0x00F0, "d" }, { 0x00F8, "o" }, { 0x00FE, "th" },
		{ 0x0111, "d" },  { 0x0127, "h" }, { 0x0131, "i" }, { 0x0142, "l" },
		{ 0x0153, "oe" }, { 0x0167, "t" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
		if (letters[i].c == c)
			return letters[i].plain;
	return NULL;
}

/* Accents of alphabets. Marks that make another letter (Kana's voice marks, the
 * vowels of Indic scripts) have a script of their own or stand here. */
static bool is_dropped(UChar32 c)
{
	enum { VOICED = 0x3099, SEMI_VOICED = 0x309A };
	static const UChar32 apostrophes[] = { '\'',   '`',    0xB4,   0x2BC,
					       0x2018, 0x2019, 0x201B, 0x2032 };
	UErrorCode status = U_ZERO_ERROR;

	for (size_t i = 0; i < ARRAY_SIZE(apostrophes); i++)
		if (c == apostrophes[i])
			return true;
	return c >= 0x300 && u_charType(c) == U_NON_SPACING_MARK && c != VOICED &&
	       c != SEMI_VOICED && uscript_getScript(c, &status) == USCRIPT_INHERITED;
}

static void add_folded(struct strbuf *sb, const UChar *units, size_t count)
{
	char bytes[4];

	for (size_t at = 0; at < count;) {
		UChar32 c = (UChar32)utf16_next(units, count, &at);
		const char *plain = plain_letter(c);
		if (plain)
			strbuf_add_string(sb, plain);
		else if (!is_dropped(c))
			strbuf_add(sb, bytes, utf8_put((uint32_t)c, bytes));
	}
}

/* One normalisation into a new buffer; NULL on failure. */
static UChar *normalise(const UNormalizer2 *form, const UChar *in, int32_t count,
			int32_t *ret_count)
{
	UErrorCode status = U_ZERO_ERROR;
	int32_t need = unorm2_normalize(form, in, count, NULL, 0, &status);

	if (status != U_BUFFER_OVERFLOW_ERROR && U_FAILURE(status))
		return NULL;
	UChar *out = malloc(((size_t)need + 1) * sizeof *out);
	if (!out)
		return NULL;
	status = U_ZERO_ERROR;
	*ret_count = unorm2_normalize(form, in, count, out, need + 1, &status);
	if (U_SUCCESS(status))
		return out;
	free(out);
	return NULL;
}

static UChar *utf16_of(const char *text, size_t length, int32_t *ret_count)
{
	UErrorCode status = U_ZERO_ERROR;
	UChar *units = malloc((length + 1) * sizeof *units);

	if (units)
		u_strFromUTF8(units, (int32_t)length + 1, ret_count, text,
			      (int32_t)length, &status);
	if (units && U_SUCCESS(status))
		return units;
	free(units);
	return NULL;
}

bool text_fold(struct strbuf *sb, const char *text, size_t length, struct error *err)
{
	UErrorCode status = U_ZERO_ERROR;
	int32_t count = 0, folded_count = 0, apart_count = 0;

	if (length > STRBUF_MAX || !text_is_utf8(text, length))
		return error_set(err, ERR_INVALID_ARGUMENT, "text is not UTF-8");
	const UNormalizer2 *casefold = unorm2_getNFKCCasefoldInstance(&status);
	const UNormalizer2 *nfd = unorm2_getNFDInstance(&status);
	if (U_FAILURE(status))
		return error_set(err, ERR_INTERNAL, "ICU has no normal forms: %s",
				 u_errorName(status));
	_cleanup_free_ UChar *units = utf16_of(text, length, &count);
	_cleanup_free_ UChar *folded =
		units ? normalise(casefold, units, count, &folded_count) : NULL;
	_cleanup_free_ UChar *apart =
		folded ? normalise(nfd, folded, folded_count, &apart_count) : NULL;
	if (!apart)
		return error_oom(err);

	/* What is left is put together again, so that equal names have equal bytes. */
	_cleanup_strbuf_ struct strbuf bare = STRBUF_INIT;
	add_folded(&bare, apart, (size_t)apart_count);
	int32_t bare_count = 0, whole_count = 0, bytes = 0;
	_cleanup_free_ UChar *bare_units = utf16_of(bare.data, bare.length, &bare_count);
	_cleanup_free_ UChar *whole =
		bare_units ? normalise(unorm2_getNFCInstance(&status), bare_units,
				       bare_count, &whole_count)
			   : NULL;
	char *to = whole && strbuf_ok(&bare)
			   ? strbuf_reserve(sb, (size_t)whole_count * 3 + 1)
			   : NULL;
	if (!to)
		return error_oom(err);
	u_strToUTF8(to, whole_count * 3 + 1, &bytes, whole, whole_count, &status);
	if (U_FAILURE(status))
		return error_set(err, ERR_INTERNAL, "cannot fold text: %s",
				 u_errorName(status));
	strbuf_commit(sb, (size_t)bytes);
	return true;
}

bool text_fold_case(struct strbuf *sb, const char *text, size_t length, struct error *err)
{
	UErrorCode status = U_ZERO_ERROR;
	int32_t count = 0, folded_count, whole_count = 0, bytes = 0;

	if (length > STRBUF_MAX || !text_is_utf8(text, length))
		return error_set(err, ERR_INVALID_ARGUMENT, "text is not UTF-8");
	_cleanup_free_ UChar *units = utf16_of(text, length, &count);
	/* Folding makes at most three units of one. */
	const int32_t room = count * 3 + 1;
	_cleanup_free_ UChar *folded = malloc((size_t)room * sizeof *folded);
	if (!units || !folded)
		return error_oom(err);
	folded_count =
		u_strFoldCase(folded, room, units, count, U_FOLD_CASE_DEFAULT, &status);
	const UNormalizer2 *nfc = unorm2_getNFCInstance(&status);
	if (U_FAILURE(status))
		return error_set(err, ERR_INTERNAL, "cannot fold text: %s",
				 u_errorName(status));
	_cleanup_free_ UChar *whole = normalise(nfc, folded, folded_count, &whole_count);
	char *to = whole ? strbuf_reserve(sb, (size_t)whole_count * 3 + 1) : NULL;
	if (!to)
		return error_oom(err);
	u_strToUTF8(to, whole_count * 3 + 1, &bytes, whole, whole_count, &status);
	if (U_FAILURE(status))
		return error_set(err, ERR_INTERNAL, "cannot fold text: %s",
				 u_errorName(status));
	strbuf_commit(sb, (size_t)bytes);
	return true;
}

unsigned text_scripts(const char *text, size_t length)
{
	unsigned scripts = 0;
	uint32_t c = 0;

	for (size_t at = 0, size; at < length; at += size) {
		UErrorCode status = U_ZERO_ERROR;

		size = utf8_next(text + at, length - at, &c);
		if (!size) {
			size = 1;
			continue;
		}
		switch ((int)uscript_getScript((UChar32)c, &status)) {
		case USCRIPT_LATIN:
			scripts |= TEXT_LATIN;
			break;
		case USCRIPT_GREEK:
			scripts |= TEXT_GREEK;
			break;
		case USCRIPT_CYRILLIC:
			scripts |= TEXT_CYRILLIC;
			break;
		default:
			break;
		}
	}
	return scripts;
}
