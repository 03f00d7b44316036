/*
 * text -- Unicode made visible, look-alikes found, secrets struck out. On ICU.
 *
 * Whatever comes from a model, a message, a ticket or a log and is shown to a
 * person goes through text_visible: control, format, line and paragraph
 * separator, private use, unassigned, odd space (any space but U+0020) and
 * default-ignorable characters become escapes (\uXXXX, \UXXXXXXXX above U+FFFF,
 * and \n \r \t for those three); a backslash becomes \\, so the shown form
 * decodes to the value. Letters stay, and up to two marks on each: a third, one that
 * encloses its letter, or one without a letter would draw over what stands beside.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/error.h"
#include "base/strbuf.h"

/* Load ICU now, which else happens when it is first asked for something: for a program
 * that is about to lose sight of /usr. Without ICU a program that needs it ends. */
bool text_load(struct error *err);

bool text_is_utf8(const char *text, size_t length);

/* Append the visible form. Runs of more than 8 equal characters stay as they
 * are: the renderer counts them. 'text' must be UTF-8. */
void text_visible(struct strbuf *sb, const char *text, size_t length);
/* Every character outside printable ASCII escaped too: the second line of a look-alike. */
void text_escaped(struct strbuf *sb, const char *text, size_t length);
/* Undo text_visible or text_escaped exactly; ERR_INVALID_ARGUMENT for other escapes. */
bool text_unescape(struct strbuf *sb, const char *text, size_t length, struct error *err);

/* What is odd about a value; a bit mask. */
enum text_flag {
	TEXT_BIDI = 1,      /* direction controls */
	TEXT_INVISIBLE = 2, /* controls, format, default ignorable, what has no shape */
	TEXT_MIXED_SCRIPT = 4, /* one word, several scripts (uspoof) */
	TEXT_LOOK_ALIKE = 8,   /* whole word confusable with Latin letters */
	TEXT_COMPATIBILITY =
		16, /* changes under NFKC: full width, ligatures, styled letters */
	/* An accent apart from its letter, so that the text looks like another; more than two
	 * marks on one base, or one on none, through it or around it. */
	TEXT_COMBINING = 32,
	TEXT_LONG_RUN = 64,       /* more than 8 equal spaces or newlines in a row */
	TEXT_RIGHT_TO_LEFT = 128, /* letters that turn round what stands beside them */
};
unsigned text_flags(const char *text, size_t length);
/* "mixed-script", "invisible" ...; for one bit. */
const char *text_flag_name(enum text_flag flag);

/* Lower-cased, NFKC, accents and apostrophes dropped: for comparing names, never for identifiers. */
bool text_fold(struct strbuf *sb, const char *text, size_t length, struct error *err);

/* The same letters without regard to case, accents kept (NFC): for comparing identifiers. */
bool text_fold_case(struct strbuf *sb, const char *text, size_t length,
		    struct error *err);

/* Append the name of a host as DNS has it ("xn--..." for other letters). False: it is no
 * name that could be looked up; nothing is appended. */
bool text_host_ascii(struct strbuf *sb, const char *host, size_t length);

/* Which of the alphabets whose letters look alike 'text' has letters of; a bit mask. */
enum text_script { TEXT_LATIN = 1, TEXT_GREEK = 2, TEXT_CYRILLIC = 4 };
unsigned text_scripts(const char *text, size_t length);

/* Append what a reader may take 'text' for: the skeleton of UTS 39, to be compared with
 * that of another text and never shown. False: it has none that fits (512 bytes). */
bool text_skeleton(struct strbuf *sb, const char *text, size_t length);

/* Bytes of the first character with all that belongs on it (marks, vowels of Hangul);
 * 0 only at the end. Visible text is cut between these alone. */
size_t text_cluster(const char *text, size_t length);

/* Terminal columns of visible text (wide characters count two). */
size_t text_columns(const char *text, size_t length);

/* Append 'text' with things that look like credentials (bearer tokens, PEM keys,
 * AWS, Slack, GitHub tokens, password=...) replaced by "[redacted]". */
void text_redact(struct strbuf *sb, const char *text, size_t length);

#endif
