/* Formats of addresses: hosts, mailboxes, IP. */
#include "wire/schema_format.h"

#include <arpa/inet.h>
#include <strings.h>

#include <unicode/uidna.h>

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_label(const char *text, size_t length)
{
	if (length == 0 || length > 63 || text[0] == '-' || text[length - 1] == '-')
		return false;
	for (size_t i = 0; i < length; i++)
		if (!is_alphanumeric(text[i]) && text[i] != '-')
			return false;
	return true;
}

/* RFC 1123, section 2.1. */
bool format_is_hostname(const char *text, size_t length)
{
	if (length == 0 || length > 253)
		return false;
	while (true) {
		const char *dot = memchr(text, '.', length);
		size_t n = dot ? (size_t)(dot - text) : length;

		if (!is_label(text, n))
			return false;
		if (!dot)
			return true;
		text += n + 1;
		length -= n + 1;
	}
}

/* RFC 5890: what becomes a host name by UTS 46 without a complaint. */
bool format_is_idn_hostname(const char *text, size_t length)
{
	enum {
		OPTIONS = UIDNA_USE_STD3_RULES | UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ |
			  UIDNA_CHECK_CONTEXTO | UIDNA_NONTRANSITIONAL_TO_ASCII
	};
	UErrorCode status = U_ZERO_ERROR;
	UIDNAInfo info = UIDNA_INFO_INITIALIZER;
	char ascii[256];

	if (length == 0 || length > 1024)
		return false;

	UIDNA *idna = uidna_openUTS46(OPTIONS, &status);

	if (U_FAILURE(status))
		return false;

	int32_t n = uidna_nameToASCII_UTF8(idna, text, (int32_t)length, ascii,
					   sizeof ascii, &info, &status);

	uidna_close(idna);
	return U_SUCCESS(status) && info.errors == 0 &&
	       format_is_hostname(ascii, (size_t)n);
}

bool format_is_ipv4(const char *text, size_t length)
{
	char copy[INET_ADDRSTRLEN];
	struct in_addr address;

	if (length >= sizeof copy || memchr(text, '\0', length))
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	return inet_pton(AF_INET, copy, &address) == 1;
}

bool format_is_ipv6(const char *text, size_t length)
{
	char copy[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (length >= sizeof copy || memchr(text, '\0', length))
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	return inet_pton(AF_INET6, copy, &address) == 1;
}

static bool is_atom_char(char c, bool international)
{
	if ((unsigned char)c >= 0x80)
		return international;
	return is_alphanumeric(c) || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool is_dot_atom(const char *text, size_t length, bool international)
{
	bool dot = true; /* neither at the beginning, nor two, nor at the end */

	for (size_t i = 0; i < length; i++) {
		if (text[i] == '.' ? dot : !is_atom_char(text[i], international))
			return false;
		dot = text[i] == '.';
	}
	return !dot;
}

static bool is_quoted(const char *text, size_t length, bool international)
{
	if (length < 2 || text[0] != '"' || text[length - 1] != '"')
		return false;
	for (size_t i = 1; i < length - 1; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\\' && ++i < length - 1)
			c = (unsigned char)text[i];
		else if (c == '"' || c == '\\')
			return false;
		if (c < ' ' || c == 0x7F || (c >= 0x80 && !international))
			return false;
	}
	return true;
}

/* "[192.0.2.1]" or "[IPv6:2001:db8::1]" */
static bool is_address_literal(const char *text, size_t length)
{
	if (length < 2 || text[0] != '[' || text[length - 1] != ']')
		return false;
	text++;
	length -= 2;
	if (length > 5 && !strncasecmp(text, "IPv6:", 5))
		return format_is_ipv6(text + 5, length - 5);
	return format_is_ipv4(text, length);
}

/* RFC 5321, section 4.1.2, "Mailbox"; RFC 6531 where international. */
static bool is_mailbox(const char *text, size_t length, bool international)
{
	const char *at = memrchr(text, '@', length);

	if (!at)
		return false;

	size_t local = (size_t)(at - text), domain = length - local - 1;

	if (local > 64 || (!is_dot_atom(text, local, international) &&
			   !is_quoted(text, local, international)))
		return false;
	return is_address_literal(at + 1, domain) ||
	       (international ? format_is_idn_hostname(at + 1, domain)
			      : format_is_hostname(at + 1, domain));
}

bool format_is_email(const char *text, size_t length)
{
	return is_mailbox(text, length, false);
}

bool format_is_idn_email(const char *text, size_t length)
{
	return is_mailbox(text, length, true);
}
