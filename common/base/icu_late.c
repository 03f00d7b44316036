/*
 * icu_late -- ICU, where text is looked at closely (base/library.h, text_load in base/text.h).
 *
 * Its 36 MB of tables and 2.6 MB of start-up are for what people read and for odd regular
 * expressions; a server that is asked nothing of the kind does without. There is no
 * error to give where the properties of a character are asked for: a program whose ICU is
 * gone ends there, as one whose library is missing ends at its start.
 */
#include <unicode/uchar.h>
#include <unicode/uidna.h>
#include <unicode/unorm2.h>
#include <unicode/uregex.h>
#include <unicode/uscript.h>
#include <unicode/uset.h>
#include <unicode/uspoof.h>
#include <unicode/ustring.h>

#include "base/library.h"
#include "base/text.h"

/* Type, name, parameters, arguments. The headers put the version behind each name. */
#define COMMON(X)                                                                        \
	X(UCharDirection, u_charDirection, (UChar32 c), (c))                             \
	X(int8_t, u_charType, (UChar32 c), (c))                                          \
	X(int32_t, u_countChar32, (const UChar *s, int32_t length), (s, length))         \
	X(const char *, u_errorName, (UErrorCode code), (code))                          \
	X(int32_t, u_getIntPropertyValue, (UChar32 c, UProperty p), (c, p))              \
	X(UBool, u_hasBinaryProperty, (UChar32 c, UProperty p), (c, p))                  \
	X(UBool, u_isUWhiteSpace, (UChar32 c), (c))                                      \
	X(int32_t, u_strCompare,                                                         \
	  (const UChar *a, int32_t a_length, const UChar *b, int32_t b_length,           \
	   UBool by_code_point),                                                         \
	  (a, a_length, b, b_length, by_code_point))                                     \
	X(int32_t, u_strFoldCase,                                                        \
	  (UChar * to, int32_t capacity, const UChar *from, int32_t length,              \
	   uint32_t options, UErrorCode *status),                                        \
	  (to, capacity, from, length, options, status))                                 \
	X(UChar *, u_strFromUTF8,                                                        \
	  (UChar * to, int32_t capacity, int32_t * ret_length, const char *from,         \
	   int32_t length, UErrorCode *status),                                          \
	  (to, capacity, ret_length, from, length, status))                              \
	X(char *, u_strToUTF8,                                                           \
	  (char *to, int32_t capacity, int32_t *ret_length, const UChar *from,           \
	   int32_t length, UErrorCode *status),                                          \
	  (to, capacity, ret_length, from, length, status))                              \
	X(void, uidna_close, (UIDNA * idna), (idna))                                     \
	X(int32_t, uidna_nameToASCII_UTF8,                                               \
	  (const UIDNA *idna, const char *name, int32_t length, char *to,                \
	   int32_t capacity, UIDNAInfo *info, UErrorCode *status),                       \
	  (idna, name, length, to, capacity, info, status))                              \
	X(UIDNA *, uidna_openUTS46, (uint32_t options, UErrorCode * status),             \
	  (options, status))                                                             \
	X(int32_t, unorm2_getDecomposition,                                              \
	  (const UNormalizer2 *n, UChar32 c, UChar *to, int32_t capacity,                \
	   UErrorCode *status),                                                          \
	  (n, c, to, capacity, status))                                                  \
	X(const UNormalizer2 *, unorm2_getNFCInstance, (UErrorCode * status), (status))  \
	X(const UNormalizer2 *, unorm2_getNFDInstance, (UErrorCode * status), (status))  \
	X(const UNormalizer2 *, unorm2_getNFKCInstance, (UErrorCode * status), (status)) \
	X(const UNormalizer2 *, unorm2_getNFKCCasefoldInstance, (UErrorCode * status),   \
	  (status))                                                                      \
	X(int32_t, unorm2_normalize,                                                     \
	  (const UNormalizer2 *n, const UChar *from, int32_t length, UChar *to,          \
	   int32_t capacity, UErrorCode *status),                                        \
	  (n, from, length, to, capacity, status))                                       \
	X(UScriptCode, uscript_getScript, (UChar32 c, UErrorCode * status), (c, status)) \
	X(UBool, uset_contains, (const USet *set, UChar32 c), (set, c))

#define I18N(X)                                                                          \
	X(URegularExpression *, uregex_clone,                                            \
	  (const URegularExpression *re, UErrorCode *status), (re, status))              \
	X(void, uregex_close, (URegularExpression * re), (re))                           \
	X(UBool, uregex_find,                                                            \
	  (URegularExpression * re, int32_t from, UErrorCode * status),                  \
	  (re, from, status))                                                            \
	X(URegularExpression *, uregex_open,                                             \
	  (const UChar *pattern, int32_t length, uint32_t flags, UParseError *where,     \
	   UErrorCode *status),                                                          \
	  (pattern, length, flags, where, status))                                       \
	X(void, uregex_setStackLimit,                                                    \
	  (URegularExpression * re, int32_t limit, UErrorCode * status),                 \
	  (re, limit, status))                                                           \
	X(void, uregex_setText,                                                          \
	  (URegularExpression * re, const UChar *text, int32_t length,                   \
	   UErrorCode *status),                                                          \
	  (re, text, length, status))                                                    \
	X(void, uregex_setTimeLimit,                                                     \
	  (URegularExpression * re, int32_t limit, UErrorCode * status),                 \
	  (re, limit, status))                                                           \
	X(int32_t, uspoof_check2UTF8,                                                    \
	  (const USpoofChecker *s, const char *text, int32_t length,                     \
	   USpoofCheckResult *result, UErrorCode *status),                               \
	  (s, text, length, result, status))                                             \
	X(const USet *, uspoof_getRecommendedSet, (UErrorCode * status), (status))       \
	X(int32_t, uspoof_getSkeletonUTF8,                                               \
	  (const USpoofChecker *s, uint32_t type, const char *text, int32_t length,      \
	   char *to, int32_t capacity, UErrorCode *status),                              \
	  (s, type, text, length, to, capacity, status))                                 \
	X(USpoofChecker *, uspoof_open, (UErrorCode * status), (status))                 \
	X(void, uspoof_setChecks,                                                        \
	  (USpoofChecker * s, int32_t checks, UErrorCode * status), (s, checks, status)) \
	X(void, uspoof_setRestrictionLevel,                                              \
	  (USpoofChecker * s, URestrictionLevel level), (s, level))

#define STRING(text)  #text
#define EXPAND(macro) STRING(macro)

/* ---- Where they are ---- */

#define MEMBER(type, name, parameters, arguments)     __typeof__(name) *name;
#define COMMON_ROW(type, name, parameters, arguments) { STRING(name), &common.name },
#define I18N_ROW(type, name, parameters, arguments)   { STRING(name), &i18n.name },

static struct {
	COMMON(MEMBER)
} common;
static struct {
	I18N(MEMBER)
} i18n;
static const struct library_function common_functions[] = { COMMON(COMMON_ROW) };
static const struct library_function i18n_functions[] = { I18N(I18N_ROW) };
static struct library common_library =
	LIBRARY("libicuuc.so." EXPAND(U_ICU_VERSION_MAJOR_NUM), common_functions);
static struct library i18n_library =
	LIBRARY("libicui18n.so." EXPAND(U_ICU_VERSION_MAJOR_NUM), i18n_functions);

bool text_load(struct error *err)
{
	return library_need(&common_library, err) && library_need(&i18n_library, err);
}

static void load_or_end(struct library *l)
{
	struct error err = ERROR_INIT;

	if (library_need(l, &err))
		return;
	(void)fprintf(stderr, "%s\n", err.message);
	abort();
}

static inline void need(struct library *l)
{
	if (!library_is_loaded(l))
		load_or_end(l);
}

/* ---- The functions ---- */

#define COMMON_FUNCTION(type, name, parameters, arguments)                               \
	type name parameters                                                             \
	{                                                                                \
		need(&common_library);                                                   \
		return common.name arguments;                                            \
	}
#define I18N_FUNCTION(type, name, parameters, arguments)                                 \
	type name parameters                                                             \
	{                                                                                \
		need(&i18n_library);                                                     \
		return i18n.name arguments;                                              \
	}

/* clang-format off */
COMMON(COMMON_FUNCTION)
I18N(I18N_FUNCTION)
/* clang-format on */
