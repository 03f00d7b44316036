#include "base/text.h"

#include <strings.h>

#include "base/digest.h"

/*
 * Every rule looks at the start of a word only and moves on behind what it has
 * read, so that the whole stays linear. What is uncertain is struck out: a log
 * that lost a harmless word still serves.
 */
struct scan {
	const char *text;
	size_t length;
	size_t at;
	bool looks_inside; /* of base64 */
};

static const char redacted[] = "[redacted]";

static bool is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word_char(char c)
{
	return is_alphanumeric(c) || c == '_' || c == '-';
}

/* Letters of tokens in all their base64 clothes. */
static bool is_token_char(char c)
{
	return is_word_char(c) || c == '.' || c == '+' || c == '/' || c == '=' ||
	       c == '~';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t span(const struct scan *s, size_t from, bool (*is_one)(char))
{
	size_t at = from;

	while (at < s->length && is_one(s->text[at]))
		at++;
	return at - from;
}

static bool starts(const struct scan *s, size_t at, const char *with)
{
	size_t length = strlen(with);

	return length <= s->length - at && memcmp(s->text + at, with, length) == 0;
}

static bool starts_anycase(const struct scan *s, size_t at, const char *with)
{
	size_t length = strlen(with);

	return length <= s->length - at && strncasecmp(s->text + at, with, length) == 0;
}

/* Tokens that say by their first letters what they are; 'least' more must follow. */
static size_t known_token(const struct scan *s, size_t at)
{
	static const struct {
		const char *prefix;
		size_t least;
	} tokens[] = {
		{ "AKIA", 16 },     { "ASIA", 16 },        { "ghp_", 20 },
		{ "gho_", 20 },     { "ghu_", 20 },        { "ghs_", 20 },
		{ "ghr_", 20 },     { "github_pat_", 20 }, { "glpat-", 16 },
		{ "xoxa-", 8 },     { "xoxb-", 8 },        { "xoxc-", 8 },
		{ "xoxd-", 8 },     { "xoxe-", 8 },        { "xoxe.", 8 },
		{ "xoxo-", 8 },     { "xoxp-", 8 },        { "xoxr-", 8 },
		{ "xoxs-", 8 },     { "xapp-", 8 },        { "sk-", 20 },
		{ "AIza", 30 },     { "npm_", 30 },        { "dckr_pat_", 20 },
		{ "hvs.", 20 },     { "hvb.", 20 },        { "AGE-SECRET-KEY-1", 40 },
		{ "SG.", 40 },      { "hf_", 30 },         { "pypi-AgE", 40 },
		{ "gsk_", 30 },     { "ya29.", 20 },       { "sk_live_", 16 },
		{ "sk_test_", 16 }, { "rk_live_", 16 },    { "whsec_", 20 },
		{ "shpat_", 24 },   { "shpss_", 24 },      { "dop_v1_", 40 },
		{ "glptt-", 20 },   { "gldt-", 16 },       { "glrt-", 16 },
		{ "sntrys_", 30 },  { "lin_api_", 30 },    { "tskey-", 16 },
		{ "NRAK-", 20 },    { "ATATT3", 40 },      { "wm_", 40 },
		{ "PMAK-", 40 },    { "ntn_", 30 },        { "1//0", 30 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(tokens); i++) {
		if (!starts(s, at, tokens[i].prefix))
			continue;
		size_t prefix = strlen(tokens[i].prefix);
		size_t rest = span(s, at + prefix, is_token_char);
		if (rest >= tokens[i].least)
			return prefix + rest;
	}
	return 0;
}

static bool is_mixed(const struct scan *s, size_t length)
{
	bool has_lower = false, has_upper = false;

	for (size_t i = 0; i < length; i++) {
		char c = s->text[s->at + i];

		has_lower = has_lower || (c >= 'a' && c <= 'z');
		has_upper = has_upper || (c >= 'A' && c <= 'Z');
	}
	return has_lower && has_upper;
}

/* Okta's have no prefix but two zeroes: 42 letters of both cases, digits, '-' and '_'. */
static size_t okta_token(const struct scan *s)
{
	enum { OKTA_BYTES = 42 };

	if (!starts(s, s->at, "00") || span(s, s->at, is_word_char) != OKTA_BYTES)
		return 0;
	return is_mixed(s, OKTA_BYTES) ? OKTA_BYTES : 0;
}

static bool is_key_char(char c)
{
	return is_alphanumeric(c) || c == '+' || c == '/';
}

/* At most 'max', so that nothing is read again and again. */
static size_t key_span(const struct scan *s, size_t from, size_t max)
{
	size_t at = from;

	while (at < s->length && at - from < max && is_key_char(s->text[at]))
		at++;
	return at - from;
}

static bool begins_key(const struct scan *s)
{
	return s->at == 0 || !is_key_char(s->text[s->at - 1]);
}

static int class_of(char c)
{
	if (c >= 'a' && c <= 'z')
		return 0;
	if (c >= 'A' && c <= 'Z')
		return 1;
	return c >= '0' && c <= '9' ? 2 : 3;
}

/* AWS's secret keys say nothing of themselves: 40 letters as if thrown with dice. Digests of
 * that length have one case, and paths have words. */
static size_t aws_secret(const struct scan *s)
{
	enum { AWS_BYTES = 40, CHANGES_LEAST = 10, WORD_MAX = 7 };
	size_t changes = 0, run = 0, longest = 0;

	if (!begins_key(s) || key_span(s, s->at, AWS_BYTES + 1) != AWS_BYTES ||
	    (s->at + AWS_BYTES < s->length && is_token_char(s->text[s->at + AWS_BYTES])))
		return 0;
	for (size_t i = 0; i < AWS_BYTES; i++) {
		int class = class_of(s->text[s->at + i]);

		changes += i > 0 && class != class_of(s->text[s->at + i - 1]);
		run = class == 0 ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	return changes >= CHANGES_LEAST && longest <= WORD_MAX && is_mixed(s, AWS_BYTES)
		       ? AWS_BYTES
		       : 0;
}

/* Parts of base64url: header, claims, signature; five of them when encrypted. */
static size_t json_web_token(const struct scan *s)
{
	size_t at = s->at;
	int parts = 0;

	if (!starts(s, at, "eyJ"))
		return 0;
	for (;;) {
		at += span(s, at, is_word_char);
		parts++;
		if (parts == 5 || at >= s->length || s->text[at] != '.')
			break;
		at++;
	}
	return parts >= 3 ? at - s->at : 0;
}

/* From "-----BEGIN ... PRIVATE KEY-----" to its end, or to the text's if that is cut off. */
static size_t private_key(const struct scan *s)
{
	enum { LABEL_MAX = 80 };
	const char *begin = s->text + s->at;
	size_t left = s->length - s->at;

	if (!starts(s, s->at, "-----BEGIN "))
		return 0;
	if (!memmem(begin, left < LABEL_MAX ? left : LABEL_MAX, "PRIVATE KEY", 11))
		return 0;
	const char *end = memmem(begin, left, "-----END ", 9);
	const char *close =
		end ? memmem(end + 9, left - (size_t)(end + 9 - begin), "-----", 5)
		    : NULL;
	return close ? (size_t)(close + 5 - begin) : left;
}

/* PuTTY's keys have no fence: all of it, to the line of its MAC. */
static size_t putty_key(const struct scan *s)
{
	static const char mac[] = "Private-MAC:";
	const char *begin = s->text + s->at, *end;
	size_t left = s->length - s->at;

	if (!starts(s, s->at, "PuTTY-User-Key-File-"))
		return 0;
	end = memmem(begin, left, mac, sizeof mac - 1);
	return end ? (size_t)(end - begin) + sizeof mac - 1 : left;
}

static size_t slack_hook(const struct scan *s)
{
	static const char host[] = "hooks.slack.com/";

	if (!starts_anycase(s, s->at, host))
		return 0;
	return sizeof host - 1 + span(s, s->at + sizeof host - 1, is_token_char);
}

/* "Bearer TOKEN": the length of the word and its spaces, or 0. */
static size_t scheme_word(const struct scan *s, size_t at)
{
	static const char *const words[] = { "bearer", "basic", "ssws" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t length = strlen(words[i]);
		if (!starts_anycase(s, at, words[i]))
			continue;
		size_t spaces = span(s, at + length, is_space);
		if (spaces > 0)
			return length + spaces;
	}
	return 0;
}

/* Whether a name like DB_PASSWORD or X-Api-Key ends in a word for a secret. */
static bool is_secret_name(const char *name, size_t length)
{
	static const char *const words[] = {
		"password",      "passwd",      "passphrase",    "passwort",
		"pwd",           "secret",      "token",         "api_key",
		"apikey",        "api-key",     "accesskey",     "access_key",
		"access-key",    "private_key", "private-key",   "privatekey",
		"client_key",    "secret_key",  "secretkey",     "secret-key",
		"authorization", "credential",  "credentials",   "cookie",
		"accountkey",    "account_key", "amz-signature",
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t word = strlen(words[i]);
		if (length >= word &&
		    strncasecmp(name + length - word, words[i], word) == 0)
			return true;
	}
	return false;
}

/* Short ones count where it is plain that something is set: "DB_PASS=x", "&sig=x". */
static bool is_short_name(const struct scan *s, size_t length)
{
	const char *name = s->text + s->at;
	char before = s->at > 0 ? s->text[s->at - 1] : '\0';

	if (s->at + length >= s->length)
		return false;
	if (length == 3 && strncasecmp(name, "sig", 3) == 0)
		return before == '?' || before == '&';
	if (length < 4 || strncasecmp(name + length - 4, "pass", 4) != 0 ||
	    (length > 4 && name[length - 5] != '_' && name[length - 5] != '-'))
		return false;
	return name[length] == '=' || name[length] == '"' || name[length] == '\'' ||
	       name[length] == '\\';
}

static bool is_bare_value(char c)
{
	return !is_space(c) && !strchr("&;,\"'<)}]{[", c);
}

static bool is_backslash(char c)
{
	return c == '\\';
}

/* Up to the closing quote, or to the end of a text that was cut. In JSON within JSON the
 * quote that ends it has as many backslashes as the one that began it, and others more. */
static size_t quoted_value(const struct scan *s, size_t from, char quote, size_t slashes)
{
	size_t at = from;

	while (at < s->length && s->text[at] != quote) {
		size_t run = span(s, at, is_backslash);

		if (run == 0)
			at++;
		else if (slashes > 0 && run <= slashes && at + run < s->length &&
			 s->text[at + run] == quote)
			break;
		else
			at += slashes > 0 ? run + 1 : 2;
	}
	return (at < s->length ? at : s->length) - from;
}

static bool is_in_line(char c)
{
	return c != '\n' && c != '\r';
}

/* Headers whose whole line is the secret: cookies, and schemes of several fields. */
static size_t header_value(const struct scan *s, size_t name_length, size_t from)
{
	static const char *const names[] = { "authorization", "cookie" };
	char quote = s->at > 0 ? s->text[s->at - 1] : '\0';

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t length = strlen(names[i]);
		if (name_length < length ||
		    !starts_anycase(s, s->at + name_length - length, names[i]))
			continue;
		if (quote == '"' || quote == '\'')
			return quoted_value(s, from, quote, 0);
		return span(s, from, is_in_line);
	}
	return 0;
}

/* 'at' stands behind a name: skip a quote, spaces and ':' or '='; 0 if there is none. */
static size_t assignment(const struct scan *s, size_t from)
{
	size_t at = from;

	at += span(s, at, is_backslash);
	if (at < s->length && (s->text[at] == '"' || s->text[at] == '\''))
		at++;
	at += span(s, at, is_space);
	if (starts_anycase(s, at, "%3d") || starts_anycase(s, at, "%3a"))
		return at + 3 - from;
	if (at >= s->length || (s->text[at] != ':' && s->text[at] != '='))
		return 0;
	at++;
	if (at < s->length && s->text[at] == '>')
		at++;
	at += span(s, at, is_space);
	return at - from;
}

/* "--password hunter2": the spaces before the value, or 0. */
static size_t option_gap(const struct scan *s, size_t name_length)
{
	size_t from = s->at + name_length, spaces = span(s, from, is_blank);

	return starts(s, s->at, "--") && spaces > 0 && from + spaces < s->length &&
			       s->text[from + spaces] != '-'
		       ? spaces
		       : 0;
}

/* "curl -u user:password", "sshpass -p password". */
static bool redact_option(struct scan *s, size_t length, struct strbuf *sb)
{
	size_t from = s->at + length, at, value;
	bool is_user = length == 2 && starts(s, s->at, "-u");
	bool is_pass = length == 2 && starts(s, s->at, "-p") && s->at >= 8 &&
		       memcmp(s->text + s->at - 8, "sshpass ", 8) == 0;

	if (!is_user && !is_pass)
		return false;
	at = from + span(s, from, is_blank);
	if (at == from)
		return false;
	if (is_user) {
		at += span(s, at, is_token_char);
		if (at >= s->length || s->text[at++] != ':')
			return false;
	}
	value = span(s, at, is_bare_value);
	if (value == 0 || (is_user && span(s, at, is_digit) == value))
		return false;
	strbuf_add(sb, s->text + s->at, at - s->at);
	strbuf_add(sb, redacted, sizeof redacted - 1);
	s->at = at + value;
	return true;
}

/* Copy "name=" and strike out its value; false when this is no secret's name. */
static bool redact_assignment(struct scan *s, size_t name_length, struct strbuf *sb)
{
	if (!is_secret_name(s->text + s->at, name_length) &&
	    !is_short_name(s, name_length))
		return false;
	size_t gap = assignment(s, s->at + name_length);
	if (gap == 0)
		gap = option_gap(s, name_length);
	if (gap == 0)
		return false;
	size_t value = s->at + name_length + gap, length;
	size_t slashes = span(s, value, is_backslash);
	value += slashes;
	if (value < s->length && (s->text[value] == '"' || s->text[value] == '\'')) {
		char quote = s->text[value++];
		length = quoted_value(s, value, quote, slashes);
	} else if ((length = header_value(s, name_length, value)) == 0) {
		size_t scheme = scheme_word(s, value);
		length = scheme + span(s, value + scheme, is_bare_value);
	}
	strbuf_add(sb, s->text + s->at, value - s->at);
	if (length > 0)
		strbuf_add(sb, redacted, sizeof redacted - 1);
	s->at = value + length;
	return true;
}

/* "//user:password@host": keep the user, strike out the password. */
static bool redact_userinfo(struct scan *s, struct strbuf *sb)
{
	enum { USERINFO_MAX = 512 };
	size_t colon = 0, sign = 0;

	if (!starts(s, s->at, "//"))
		return false;
	for (size_t at = s->at + 2; at < s->length && at - s->at < USERINFO_MAX; at++) {
		char c = s->text[at];
		if (c == '/' || c == '"' || c == '\'' || is_space(c))
			break;
		if (c == '@')
			sign = at;
		if (c == ':' && colon == 0)
			colon = at;
	}
	if (colon == 0 || sign <= colon + 1)
		return false;
	strbuf_add(sb, s->text + s->at, colon + 1 - s->at);
	strbuf_add(sb, redacted, sizeof redacted - 1);
	s->at = sign;
	return true;
}

/* "Bearer certificate" is prose; a token has digits, or capitals in its middle, or is long. */
static bool looks_random(const char *token, size_t length)
{
	if (length < 8)
		return false;
	/* "bearer expires_in=3600" goes on with something else */
	if (memchr(token, '=', length) && token[length - 1] != '=')
		return false;
	for (size_t i = 1; i < length; i++)
		if (!(token[i] >= 'a' && token[i] <= 'z') && token[i] != '-' &&
		    token[i] != '.')
			return true;
	return length >= 20;
}

static bool redact_scheme(struct scan *s, struct strbuf *sb)
{
	size_t scheme = scheme_word(s, s->at);
	size_t token = scheme ? span(s, s->at + scheme, is_token_char) : 0;

	if (!looks_random(s->text + s->at + scheme, token))
		return false;
	strbuf_add(sb, s->text + s->at, scheme);
	strbuf_add(sb, redacted, sizeof redacted - 1);
	s->at += scheme + token;
	return true;
}

static bool is_printed(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] < 0x20 && !is_space(text[i]))
			return false;
	return text_is_utf8(text, length);
}

static void redact(struct strbuf *sb, const char *text, size_t length, bool looks_inside);

/* Of a word of base64, with its padding. */
static size_t base64_span(const struct scan *s, size_t from)
{
	size_t length = span(s, from, is_key_char);

	for (int i = 0; i < 2; i++)
		length += from + length < s->length && s->text[from + length] == '=';
	return length;
}

static bool hides_secret(const char *text, size_t length)
{
	_cleanup_strbuf_ struct strbuf inside = STRBUF_INIT, masked = STRBUF_INIT;
	struct error ignored = ERROR_INIT;

	if (!digest_base64_decode(text, length - length % 4, &inside, &ignored) ||
	    !is_printed(inside.data, inside.length))
		return false;
	redact(&masked, inside.data, inside.length, false);
	return strbuf_ok(&masked) &&
	       (masked.length != inside.length ||
		memcmp(masked.data, inside.data, inside.length) != 0);
}

/* What base64 hides: a word of it, and the lines that go on with it. */
static size_t hidden(const struct scan *s)
{
	enum { HIDDEN_LEAST = 16, HIDDEN_MOST = 256 * 1024 };
	size_t length = s->looks_inside && begins_key(s) ? base64_span(s, s->at) : 0;
	size_t at = s->at + length;

	if (length < HIDDEN_LEAST || length > HIDDEN_MOST ||
	    !hides_secret(s->text + s->at, length))
		return 0;
	for (;;) {
		size_t gap = span(s, at, is_space);
		size_t next = gap ? base64_span(s, at + gap) : 0;

		if (next < HIDDEN_LEAST)
			return at - s->at;
		at += gap + next;
	}
}

/* Copy a word that is nothing itself, but for a token or key that is glued to it. */
static void copy_word(struct scan *s, size_t length, struct strbuf *sb)
{
	size_t end = s->at + length;

	do {
		strbuf_add_char(sb, s->text[s->at++]);
		if (s->at >= end)
			break;
		size_t token = s->text[s->at] == '-' ? private_key(s) : 0;
		if (!token && !is_alphanumeric(s->text[s->at - 1]))
			token = known_token(s, s->at);
		if (token) {
			strbuf_add(sb, redacted, sizeof redacted - 1);
			s->at += token;
		}
	} while (s->at < end);
}

/* At the start of a word: strike out, or copy the word. */
static void take_word(struct scan *s, struct strbuf *sb)
{
	size_t length = known_token(s, s->at);

	if (!length)
		length = json_web_token(s);
	if (!length)
		length = slack_hook(s);
	if (!length)
		length = okta_token(s);
	if (!length)
		length = aws_secret(s);
	if (!length)
		length = putty_key(s);
	if (!length)
		length = hidden(s);
	if (length) {
		strbuf_add(sb, redacted, sizeof redacted - 1);
		s->at += length;
		return;
	}
	if (redact_scheme(s, sb))
		return;
	length = span(s, s->at, is_word_char);
	if (!redact_assignment(s, length, sb) && !redact_option(s, length, sb))
		copy_word(s, length, sb);
}

static void redact(struct strbuf *sb, const char *text, size_t length, bool looks_inside)
{
	struct scan s = { text, length, 0, looks_inside };

	while (s.at < s.length) {
		size_t key = s.text[s.at] == '-' ? private_key(&s) : 0;
		if (key) {
			strbuf_add(sb, redacted, sizeof redacted - 1);
			s.at += key;
		} else if (is_word_char(s.text[s.at])) {
			take_word(&s, sb);
		} else if (!redact_userinfo(&s, sb)) {
			strbuf_add_char(sb, s.text[s.at++]);
		}
	}
}

void text_redact(struct strbuf *sb, const char *text, size_t length)
{
	redact(sb, text, length, true);
}
