#include "wire/schema_pattern.h"

#include "base/utf8.h"

enum { GROUPS_MAX = 99, OPEN_MAX = 64, REPEAT_MAX = 100000 };

#define DIGIT "0-9"
#define WORD  "A-Za-z0-9_"
#define SPACE                                                                            \
	"\\x{9}-\\x{D}\\x{20}\\x{A0}\\x{1680}\\x{2000}-\\x{200A}\\x{2028}\\x{2029}"      \
	"\\x{202F}\\x{205F}\\x{3000}\\x{FEFF}"
#define BOUNDARY    "(?<=[" WORD "])(?![" WORD "])|(?<![" WORD "])(?=[" WORD "])"
#define NO_BOUNDARY "(?<=[" WORD "])(?=[" WORD "])|(?<![" WORD "])(?![" WORD "])"

struct name {
	const char *text;
	size_t length;
};

struct reader {
	const char *at, *end;
	struct strbuf *out;
	struct error *err;
	struct name names[GROUPS_MAX + 1]; /* by number; NULL text where unnamed */
	unsigned groups;
	bool look[OPEN_MAX]; /* of each open parenthesis: is it a look-around? */
	unsigned open;
	bool repeatable; /* whether a quantifier may follow here */
};

static bool refuse(struct reader *r, const char *why)
{
	return error_set(r->err, ERR_INVALID_ARGUMENT, "%s", why);
}

static bool at_end(const struct reader *r)
{
	return r->at >= r->end;
}

static bool next_is(const struct reader *r, const char *text)
{
	size_t n = strlen(text);

	return (size_t)(r->end - r->at) >= n && !memcmp(r->at, text, n);
}

static bool take(struct reader *r, const char *text)
{
	if (!next_is(r, text))
		return false;
	r->at += strlen(text);
	return true;
}

static bool is_name_char(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
	       (unsigned char)c >= 0x80 || (!first && c >= '0' && c <= '9');
}

/* "name>", the bracket taken with it. */
static bool take_name(struct reader *r, struct name *ret)
{
	const char *start = r->at;

	while (!at_end(r) && is_name_char(*r->at, r->at == start))
		r->at++;
	*ret = (struct name){ start, (size_t)(r->at - start) };
	return (ret->length && take(r, ">")) || refuse(r, "a group's name is broken");
}

static unsigned find_name(const struct reader *r, struct name name)
{
	for (unsigned i = 1; i <= r->groups; i++)
		if (r->names[i].text && r->names[i].length == name.length &&
		    !memcmp(r->names[i].text, name.text, name.length))
			return i;
	return 0;
}

/* Number and name the groups before anything refers to them. */
static bool find_groups(struct reader *r)
{
	const char *start = r->at;
	bool in_class = false;

	for (; !at_end(r); r->at++) {
		char c = *r->at;

		if (c == '\\') {
			r->at += r->end - r->at > 1;
		} else if (c == '[' || c == ']') {
			in_class = c == '[' || (in_class && c != ']');
		} else if (c == '(' && !in_class) {
			struct name name = { NULL, 0 };

			r->at++;
			if (take(r, "?<") && !next_is(r, "=") && !next_is(r, "!")) {
				if (!take_name(r, &name))
					return false;
				if (find_name(r, name))
					return refuse(r, "two groups have the same name");
			} else if (r->at[-1] == '<' || next_is(r, "?")) {
				r->at--;
				continue;
			}
			if (r->groups == GROUPS_MAX)
				return refuse(r, "too many groups");
			r->names[++r->groups] = name;
			r->at--;
		}
	}
	r->at = start;
	return true;
}

static bool take_hex(struct reader *r, unsigned digits_min, unsigned digits_max,
		     uint32_t *ret)
{
	uint32_t value = 0;
	unsigned n = 0;

	for (; n < digits_max && !at_end(r); n++, r->at++) {
		char c = *r->at;
		char lower = (char)(c | 0x20);

		if (c >= '0' && c <= '9')
			value = value * 16 + (uint32_t)(c - '0');
		else if (lower >= 'a' && lower <= 'f')
			value = value * 16 + (uint32_t)(lower - 'a' + 10);
		else
			break;
		if (value > 0x10FFFF)
			return refuse(r, "a code point is beyond U+10FFFF");
	}
	*ret = value;
	return n >= digits_min || refuse(r, "an escape lacks hexadecimal digits");
}

/* After "\u". */
static bool take_unicode(struct reader *r, uint32_t *ret)
{
	uint32_t low = 0;

	if (take(r, "{"))
		return take_hex(r, 1, 16, ret) &&
		       (take(r, "}") || refuse(r, "\\u{ lacks its }"));
	if (!take_hex(r, 4, 4, ret))
		return false;
	if (*ret < 0xD800 || *ret > 0xDBFF || !next_is(r, "\\u"))
		return true;

	const char *before = r->at;

	r->at += 2;
	if (next_is(r, "{")) {
		r->at = before;
		return true;
	}
	if (!take_hex(r, 4, 4, &low))
		return false;
	if (low >= 0xDC00 && low <= 0xDFFF)
		*ret = 0x10000 + ((*ret - 0xD800) << 10) + (low - 0xDC00);
	else
		r->at = before;
	return true;
}

/* An escape that stands for one character; the backslash is taken. */
static bool take_char_escape(struct reader *r, uint32_t *ret)
{
	static const char controls[] = "t\tn\nv\vf\fr\r";
	char c = *r->at++;

	for (size_t i = 0; i + 1 < sizeof controls; i += 2)
		if (c == controls[i]) {
			*ret = (uint32_t)controls[i + 1];
			return true;
		}
	if (c == 'x')
		return take_hex(r, 2, 2, ret);
	if (c == 'u')
		return take_unicode(r, ret);
	if (c == 'c') {
		char letter = at_end(r) ? '\0' : (char)(*r->at++ | 0x20);

		*ret = (uint32_t)letter & 0x1F;
		return (letter >= 'a' && letter <= 'z') ||
		       refuse(r, "\\c wants a letter");
	}
	*ret = (unsigned char)c;
	if (c == '0') {
		*ret = 0;
		return at_end(r) || *r->at < '0' || *r->at > '9' ||
		       refuse(r, "octal escapes are not known");
	}
	/* ECMA allows its syntax characters; other punctuation can mean nothing else. */
	if (c > ' ' && c < 0x7F && !is_name_char(c, false))
		return true;
	if (c == '$' || c == '_')
		return true;
	return refuse(r, "an escape is not known");
}

static bool take_property(struct reader *r, char letter)
{
	const char *start = r->at + 1;

	if (!take(r, "{"))
		return refuse(r, "\\p wants a property in braces");
	while (!at_end(r) && *r->at != '}') {
		if (!is_name_char(*r->at, false) && *r->at != '=')
			return refuse(r, "a property's name is broken");
		r->at++;
	}
	if (r->at == start || !take(r, "}"))
		return refuse(r, "a property's name is broken");
	strbuf_add_char(r->out, '\\');
	strbuf_add_char(r->out, letter);
	strbuf_add_char(r->out, '{');
	strbuf_add(r->out, start, (size_t)(r->at - start));
	return true;
}

/* \d \D \s \S \w \W \p \P as a set of its own; 'ret_taken' says whether it was one. */
static bool take_set_escape(struct reader *r, bool *ret_taken)
{
	char c = at_end(r) ? '\0' : *r->at;
	const char *set = NULL;

	*ret_taken = c && strchr("dDsSwWpP", c);
	if (!*ret_taken)
		return true;
	r->at++;
	if ((c | 0x20) == 'p')
		return take_property(r, c);
	set = (c | 0x20) == 'd' ? DIGIT : (c | 0x20) == 's' ? SPACE : WORD;
	strbuf_add_string(r->out, c & 0x20 ? "[" : "[^");
	strbuf_add_string(r->out, set);
	strbuf_add_char(r->out, ']');
	return true;
}

static void add_code_point(struct reader *r, uint32_t c)
{
	strbuf_add_format(r->out, "\\x{%X}", (unsigned)c);
}

/* One member of a class: a character to 'ret', or a set that is written at once. */
static bool take_class_atom(struct reader *r, uint32_t *ret, bool *ret_is_set)
{
	*ret_is_set = false;
	if (!take(r, "\\")) {
		size_t n = utf8_next(r->at, (size_t)(r->end - r->at), ret);

		r->at += n;
		return n || refuse(r, "it is not UTF-8");
	}
	if (at_end(r))
		return refuse(r, "it ends in a backslash");
	if (take(r, "b")) {
		*ret = '\b';
		return true;
	}
	return take_set_escape(r, ret_is_set) &&
	       (*ret_is_set || take_char_escape(r, ret));
}

/* After "[". */
static bool take_class(struct reader *r)
{
	bool negated = take(r, "^");

	if (take(r, "]")) {
		strbuf_add_string(r->out, negated ? "[\\x{0}-\\x{10FFFF}]" : "(?!)");
		return true;
	}
	strbuf_add_string(r->out, negated ? "[^" : "[");
	while (!take(r, "]")) {
		uint32_t first = 0, last = 0;
		bool is_set, last_is_set;

		if (at_end(r))
			return refuse(r, "a [ lacks its ]");
		if (!take_class_atom(r, &first, &is_set))
			return false;
		if (!is_set)
			add_code_point(r, first);
		if (!next_is(r, "-") || next_is(r, "-]"))
			continue;
		r->at++;
		if (at_end(r))
			return refuse(r, "a [ lacks its ]");
		if (is_set)
			return refuse(r, "a set cannot begin a range");
		strbuf_add_char(r->out, '-');
		if (!take_class_atom(r, &last, &last_is_set))
			return false;
		if (last_is_set)
			return refuse(r, "a set cannot end a range");
		if (last < first)
			return refuse(r, "a range is out of order");
		add_code_point(r, last);
	}
	strbuf_add_char(r->out, ']');
	return true;
}

static bool add_back_reference(struct reader *r, unsigned group)
{
	if (group == 0 || group > r->groups)
		return refuse(r, "it refers to a group that is not there");
	strbuf_add_format(r->out, "(?:\\%u)", group);
	return true;
}

/* After a backslash outside of a class. */
static bool take_escape(struct reader *r)
{
	bool is_set;
	uint32_t c = 0;

	if (at_end(r))
		return refuse(r, "it ends in a backslash");
	r->repeatable = true;
	if (next_is(r, "b") || next_is(r, "B")) {
		strbuf_add_string(r->out, *r->at == 'b' ? "(?:" BOUNDARY ")"
							: "(?:" NO_BOUNDARY ")");
		r->at++;
		r->repeatable = false;
		return true;
	}
	if (take(r, "k")) {
		struct name name;

		if (!take(r, "<"))
			return refuse(r, "\\k wants a name");
		return take_name(r, &name) && add_back_reference(r, find_name(r, name));
	}
	if (*r->at >= '1' && *r->at <= '9') {
		unsigned group = 0;

		while (!at_end(r) && *r->at >= '0' && *r->at <= '9' &&
		       group <= GROUPS_MAX)
			group = group * 10 + (unsigned)(*r->at++ - '0');
		return add_back_reference(r, group);
	}
	if (!take_set_escape(r, &is_set) || is_set)
		return is_set && !error_is_set(r->err);
	if (!take_char_escape(r, &c))
		return false;
	add_code_point(r, c);
	return true;
}

/* After "(". */
static bool take_open(struct reader *r)
{
	static const char *const looks[] = { "?=", "?!", "?<=", "?<!" };
	struct name name;
	bool look = false;

	if (r->open == OPEN_MAX)
		return refuse(r, "its groups nest too deep");
	strbuf_add_char(r->out, '(');
	for (size_t i = 0; i < ARRAY_SIZE(looks) && !look; i++)
		if (take(r, looks[i])) {
			strbuf_add_string(r->out, looks[i]);
			look = true;
		}
	if (!look && take(r, "?:")) {
		strbuf_add_string(r->out, "?:");
	} else if (!look && take(r, "?<")) {
		/* By number from here on: ICU allows fewer names. */
		if (!take_name(r, &name))
			return false;
	} else if (!look && next_is(r, "?")) {
		return refuse(r, "a group of this kind is not known");
	}
	r->look[r->open++] = look;
	r->repeatable = false;
	return true;
}

static bool take_number(struct reader *r, unsigned *ret)
{
	const char *start = r->at;

	for (*ret = 0; !at_end(r) && *r->at >= '0' && *r->at <= '9'; r->at++)
		if (*ret <= REPEAT_MAX)
			*ret = *ret * 10 + (unsigned)(*r->at - '0');
	return r->at != start;
}

/* After "{": the rest of {n}, {n,} or {n,m}. */
static bool take_interval(struct reader *r)
{
	const char *start = r->at - 1;
	unsigned least, most;

	if (!take_number(r, &least))
		return refuse(r, "a { begins no quantifier");
	most = least;
	if (take(r, ",") && !take_number(r, &most))
		most = least;
	if (!take(r, "}"))
		return refuse(r, "a { begins no quantifier");
	if (most < least)
		return refuse(r, "a quantifier is out of order");
	if (most > REPEAT_MAX)
		return refuse(r, "a quantifier is too large");
	strbuf_add(r->out, start, (size_t)(r->at - start));
	return true;
}

static bool take_quantifier(struct reader *r, char c)
{
	if (!r->repeatable)
		return refuse(r, "a quantifier has nothing to repeat");
	r->repeatable = false;
	if (c != '{')
		strbuf_add_char(r->out, c);
	else if (!take_interval(r))
		return false;
	if (take(r, "?"))
		strbuf_add_char(r->out, '?');
	return true;
}

static bool take_close(struct reader *r)
{
	if (r->open == 0)
		return refuse(r, "a ) has no (");
	strbuf_add_char(r->out, ')');
	r->repeatable = !r->look[--r->open];
	return true;
}

static bool take_term(struct reader *r)
{
	char c = *r->at++;

	switch (c) {
	case '\\':
		return take_escape(r);
	case '(':
		return take_open(r);
	case ')':
		return take_close(r);
	case '*':
	case '+':
	case '?':
	case '{':
		return take_quantifier(r, c);
	case ']':
	case '}':
		return refuse(r, "a closing bracket has no opening one");
	case '[':
		r->repeatable = true;
		return take_class(r);
	case '^':
	case '|':
		strbuf_add_char(r->out, c);
		r->repeatable = false;
		return true;
	case '$':
		/* ICU's '$' would match before a line feed at the end. */
		strbuf_add_string(r->out, "\\z");
		r->repeatable = false;
		return true;
	case '.':
		strbuf_add_string(r->out, "[^\\n\\r\\x{2028}\\x{2029}]");
		break;
	default:
		strbuf_add_char(r->out, c);
		break;
	}
	/* A quantifier takes the whole character, whose bytes are all copied first. */
	r->repeatable = true;
	return true;
}

bool pattern_translate(struct strbuf *sb, const char *pattern, size_t length,
		       struct error *err)
{
	struct reader r = {
		.at = pattern, .end = pattern + length, .out = sb, .err = err
	};

	if (!find_groups(&r))
		return false;
	if (length == 0)
		strbuf_add_string(sb, "(?:)"); /* ICU takes no empty pattern */
	while (!at_end(&r))
		if (!take_term(&r))
			return false;
	if (r.open)
		return refuse(&r, "a ( lacks its )");
	return strbuf_ok(sb) || error_oom(err);
}
