#include "servers/people/identifier.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

bool identifier_fold(struct strbuf *sb, const char *text, struct error *err)
{
	for (const char *at = text; *at; at++)
		if ((unsigned char)*at & 0x80)
			return text_fold_case(sb, text, strlen(text), err);
	for (; *text; text++)
		strbuf_add_char(sb, (char)tolower((unsigned char)*text));
	return strbuf_ok(sb) || error_oom(err);
}

/* ---- Forms -------------------------------------------------------------------------- */

/* Bytes of "uid=", or of another attribute's name; 0 when none stands there. */
static size_t attribute_length(const char *text)
{
	size_t length = 0, end;

	if (!isalnum((unsigned char)text[0]))
		return 0;
	while (isalnum((unsigned char)text[length]) || text[length] == '-' ||
	       text[length] == '.')
		length++;
	end = length + strspn(text + length, " ");
	return text[end] == '=' ? end + 1 : 0;
}

bool identifier_is_dn(const char *text)
{
	return attribute_length(text) > 0;
}

/* U0A01X7, as Slack writes them; words have no digits, and logins with some are written
 * small. */
bool identifier_is_slack_id(const char *text)
{
	size_t length = strlen(text), digits = 0;

	if (length < 7 || length > 24 || !strchr("UW", *text))
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!isupper((unsigned char)text[i]) && !isdigit((unsigned char)text[i]))
			return false;
		digits += isdigit((unsigned char)text[i]) != 0;
	}
	return digits > 0;
}

bool identifier_is_okta_id(const char *text)
{
	size_t length = strlen(text);

	if (length < 6 || length > 32 || strncasecmp(text, "00u", 3) != 0)
		return false;
	for (size_t i = 3; i < length; i++)
		if (!isalnum((unsigned char)text[i]))
			return false;
	return true;
}

/* ---- DNs ---------------------------------------------------------------------------- */

static int hex_value(char c)
{
	return isdigit((unsigned char)c)    ? c - '0'
	       : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
					    : -1;
}

/* One character of a value, unescaped; moves '*at'. False: a bad escape. */
static bool read_character(const char **at, struct strbuf *value)
{
	const char *p = *at;

	if (*p != '\\') {
		strbuf_add_char(value, *p);
		*at = p + 1;
		return true;
	}
	if (p[1] && isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2])) {
		int c = hex_value(p[1]) * 16 + hex_value(p[2]);

		if (c == 0)
			return false;
		strbuf_add_char(value, (char)c);
		*at = p + 3;
		return true;
	}
	if (!p[1])
		return false;
	strbuf_add_char(value, p[1]);
	*at = p + 2;
	return true;
}

/* A value up to ',', '+' or the end, without the spaces around it. */
static bool read_value(const char **at, struct strbuf *value)
{
	size_t kept = 0;

	*at += strspn(*at, " ");
	while (**at && !strchr(",+;", **at)) {
		bool is_space = **at == ' ';

		if (!read_character(at, value))
			return false;
		if (!is_space)
			kept = value->length;
	}
	strbuf_truncate(value, kept);
	return kept > 0;
}

/* What divides DNs gets a backslash, so that the form is one. */
static bool add_value(struct strbuf *sb, const struct strbuf *value, struct error *err)
{
	_cleanup_strbuf_ struct strbuf folded = STRBUF_INIT;

	if (!strbuf_ok(value))
		return error_oom(err);
	if (!identifier_fold(&folded, value->data, err))
		return false;
	for (size_t i = 0; i < folded.length; i++) {
		if (strchr(",+=\\", folded.data[i]))
			strbuf_add_char(sb, '\\');
		strbuf_add_char(sb, folded.data[i]);
	}
	return strbuf_ok(sb) || error_oom(err);
}

bool identifier_fold_dn(struct strbuf *sb, const char *text, struct error *err)
{
	const size_t before = sb->length;
	const char *at = text;

	for (;;) {
		_cleanup_strbuf_ struct strbuf value = STRBUF_INIT;
		size_t length;

		at += strspn(at, " ");
		length = attribute_length(at);
		if (!length)
			break;
		for (size_t i = 0; i + 1 < length; i++)
			if (at[i] != ' ')
				strbuf_add_char(sb, (char)tolower((unsigned char)at[i]));
		strbuf_add_char(sb, '=');
		at += length;
		if (!read_value(&at, &value))
			break;
		if (!add_value(sb, &value, err))
			return false;
		if (!*at)
			return strbuf_ok(sb) || error_oom(err);
		strbuf_add_char(sb, *at == '+' ? '+' : ',');
		at++;
	}
	strbuf_truncate(sb, before);
	return error_set(err, ERR_INVALID_ARGUMENT, "'%.200s' is no DN", text);
}
