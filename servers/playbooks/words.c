#include "servers/playbooks/words.h"

#include <libstemmer.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"

enum { STEM_LENGTH_MIN = 3 };

struct stemmer {
	struct sb_stemmer *snowball;
};

/* Sorted: looked up by bisection. */
static const char *const stop_words[] = {
	"a",        "about",     "after",     "again",    "all",        "also",
	"always",   "am",        "an",        "and",      "any",        "anyone",
	"anything", "are",       "as",        "at",       "be",         "because",
	"been",     "before",    "being",     "best",     "but",        "by",
	"can",      "cannot",    "could",     "did",      "do",         "does",
	"doing",    "dont",      "during",    "each",     "else",       "etc",
	"ever",     "every",     "everybody", "everyone", "everything", "for",
	"from",     "get",       "gets",      "getting",  "give",       "go",
	"goes",     "going",     "got",       "had",      "happen",     "happened",
	"happens",  "has",       "have",      "having",   "he",         "her",
	"here",     "him",       "his",       "how",      "i",          "if",
	"im",       "in",        "into",      "is",       "it",         "its",
	"just",     "know",      "let",       "like",     "made",       "make",
	"makes",    "may",       "me",        "might",    "mine",       "must",
	"my",       "need",      "needed",    "needs",    "no",         "not",
	"now",      "of",        "on",        "once",     "one",        "ones",
	"only",     "or",        "our",       "ours",     "out",        "own",
	"please",   "put",       "s",         "same",     "seem",       "seems",
	"she",      "should",    "so",        "some",     "somebody",   "somehow",
	"someone",  "something", "still",     "such",     "take",       "takes",
	"tell",     "than",      "that",      "the",      "their",      "them",
	"then",     "there",     "these",     "they",     "thing",      "things",
	"this",     "those",     "though",    "through",  "to",         "too",
	"until",    "up",        "upon",      "us",       "very",       "want",
	"wants",    "was",       "way",       "we",       "were",       "what",
	"whatever", "when",      "where",     "whether",  "which",      "while",
	"who",      "whom",      "whose",     "why",      "will",       "with",
	"without",  "would",     "yet",       "you",      "your",       "yours",
};

static int compare_text(const void *key, const void *row)
{
	return strcmp(key, *(const char *const *)row);
}

bool word_is_stop(const char *text)
{
	return bsearch(text, stop_words, ARRAY_SIZE(stop_words), sizeof *stop_words,
		       compare_text) != NULL;
}

void word_each_stop(void (*fn)(void *context, const char *word), void *context)
{
	for (size_t i = 0; i < ARRAY_SIZE(stop_words); i++)
		fn(context, stop_words[i]);
}

/* ---- Characters ---- */

enum kind { SEPARATOR, LETTER, ALONE, APOSTROPHE };

static bool is_between(uint32_t c, uint32_t low, uint32_t high)
{
	return c >= low && c <= high;
}

/* Signs and spaces of other blocks; what remains above ASCII are letters and marks. */
static enum kind kind_wide(uint32_t c)
{
	if (c == 0x2019 || c == 0x2bc)
		return APOSTROPHE;
	if (is_between(c, 0x80, 0xa9) || is_between(c, 0xab, 0xb4) ||
	    is_between(c, 0xb6, 0xb9) || is_between(c, 0xbb, 0xbf) || c == 0xd7 ||
	    c == 0xf7 || is_between(c, 0x2000, 0x2bff) || is_between(c, 0x3000, 0x303f) ||
	    is_between(c, 0xe000, 0xf8ff) || is_between(c, 0xfe00, 0xfe6f) ||
	    is_between(c, 0xff00, 0xff0f) || c == 0xfeff || c >= 0x1f000)
		return SEPARATOR;
	if (is_between(c, 0x3040, 0x30ff) || is_between(c, 0x3400, 0x9fff) ||
	    is_between(c, 0xac00, 0xd7af) || is_between(c, 0xe00, 0xe7f))
		return ALONE;
	return LETTER;
}

static enum kind kind_of(const char *at, size_t left, size_t *ret_bytes)
{
	const unsigned char c = (unsigned char)*at;
	uint32_t wide = 0;

	*ret_bytes = 1;
	if (c < 0x80)
		return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
				       (c >= '0' && c <= '9')
			       ? LETTER
		       : c == '\'' ? APOSTROPHE
				   : SEPARATOR;
	const size_t bytes = utf8_next(at, left, &wide);
	if (bytes == 0)
		return SEPARATOR;
	*ret_bytes = bytes;
	return kind_wide(wide);
}

/* ---- Words ---- */

/* Accents off, where there could be any. */
static void fold(char text[static WORD_BYTES_MAX + 1], size_t length)
{
	_cleanup_strbuf_ struct strbuf folded = STRBUF_INIT;
	struct error ignored = ERROR_INIT;

	if (!text_fold(&folded, text, length, &ignored) || !strbuf_ok(&folded) ||
	    folded.length == 0 || folded.length > WORD_BYTES_MAX)
		return;
	memcpy(text, folded.data, folded.length + 1);
}

static bool ends_word(const struct word_reader *r, size_t at)
{
	size_t bytes;

	return at >= r->length || kind_of(r->text + at, r->length - at, &bytes) != LETTER;
}

/* From an apostrophe inside a word: where to go on; 'at' itself when the word ends here. */
static size_t skip_apostrophe(const struct word_reader *r, size_t at, size_t bytes)
{
	const size_t next = at + bytes;

	if (ends_word(r, next))
		return at;
	if ((r->text[next] | 0x20) == 's' && ends_word(r, next + 1))
		return at;
	return next;
}

static size_t read_letters(struct word_reader *r, struct word *w, bool *ret_wide)
{
	size_t used = 0, bytes;

	*ret_wide = false;
	while (r->at < r->length) {
		const char *at = r->text + r->at;
		const enum kind k = kind_of(at, r->length - r->at, &bytes);

		if (k == APOSTROPHE) {
			const size_t next = skip_apostrophe(r, r->at, bytes);

			if (next == r->at)
				break;
			r->at = next;
			continue;
		}
		if (k != LETTER)
			break;
		if (used + bytes <= WORD_BYTES_MAX) {
			for (size_t i = 0; i < bytes; i++)
				w->text[used++] =
					(char)(bytes == 1 && at[i] >= 'A' && at[i] <= 'Z'
						       ? at[i] | 0x20
						       : at[i]);
			*ret_wide |= bytes > 1;
		}
		r->at += bytes;
	}
	w->end = r->at;
	return used;
}

/* The possessive is no word. */
static void skip_possessive(struct word_reader *r)
{
	size_t bytes;

	if (r->at < r->length &&
	    kind_of(r->text + r->at, r->length - r->at, &bytes) == APOSTROPHE) {
		r->at += bytes;
		if (r->at < r->length && (r->text[r->at] | 0x20) == 's' &&
		    ends_word(r, r->at + 1))
			r->at++;
	}
}

static bool is_tied(const struct word_reader *r)
{
	return r->at + 1 < r->length && strchr("-_.", r->text[r->at]) &&
	       !ends_word(r, r->at + 1);
}

bool word_next(struct word_reader *r, struct word *ret)
{
	bool is_wide;

	while (r->at < r->length) {
		size_t bytes;
		const enum kind k = kind_of(r->text + r->at, r->length - r->at, &bytes);

		if (k == SEPARATOR || k == APOSTROPHE) {
			r->at += bytes;
			continue;
		}
		ret->start = r->at;
		ret->tied = false;
		if (k == ALONE) {
			memcpy(ret->text, r->text + r->at, bytes);
			ret->text[bytes] = '\0';
			r->at += bytes;
			ret->end = r->at;
			return true;
		}
		const size_t used = read_letters(r, ret, &is_wide);
		ret->text[used] = '\0';
		if (is_wide)
			fold(ret->text, used);
		skip_possessive(r);
		ret->tied = is_tied(r);
		return true;
	}
	return false;
}

/* ---- Stems ---- */

struct stemmer *stemmer_new(void)
{
	_cleanup_(stemmer_freep) struct stemmer *s = calloc(1, sizeof *s);

	if (s)
		s->snowball = sb_stemmer_new("english", "UTF_8");
	return s && s->snowball ? TAKE(s) : NULL;
}

void stemmer_free(struct stemmer *s)
{
	if (!s)
		return;
	if (s->snowball)
		sb_stemmer_delete(s->snowball);
	free(s);
}

static bool is_plain(const char *word)
{
	for (; *word; word++)
		if (*word < 'a' || *word > 'z')
			return false;
	return true;
}

void stemmer_stem(struct stemmer *s, const char *word,
		  char ret[static WORD_BYTES_MAX + 1])
{
	const size_t length = strlen(word);
	const sb_symbol *stem;
	size_t used;

	memcpy(ret, word, length + 1);
	if (length < STEM_LENGTH_MIN || !is_plain(word))
		return;
	stem = sb_stemmer_stem(s->snowball, (const sb_symbol *)word, (int)length);
	used = stem ? (size_t)sb_stemmer_length(s->snowball) : 0;
	if (used == 0 || used > WORD_BYTES_MAX)
		return;
	memcpy(ret, stem, used);
	ret[used] = '\0';
}
