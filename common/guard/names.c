#include "guard/names.h"

#include <stddef.h>

#include "base/cleanup.h"

enum { SERVER_MAX = 32, TOOL_MAX = 64, PRINCIPAL_MAX = 128, RULE_MAX = 128, ID_MAX = 80 };

static const char *const risk_names[] = {
	[RISK_READ] = "read",
	[RISK_WRITE] = "write",
	[RISK_DESTRUCTIVE] = "destructive",
};

bool risk_parse(const char *text, enum risk *ret)
{
	for (size_t i = 0; text && i < ARRAY_SIZE(risk_names); i++)
		if (strcmp(text, risk_names[i]) == 0) {
			*ret = (enum risk)i;
			return true;
		}
	return false;
}

const char *risk_name(enum risk r)
{
	return risk_names[r];
}

/* ASCII by hand: what <ctype.h> says depends on the locale. */
static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool in_server(char c)
{
	return is_lower(c) || is_digit(c);
}

static bool in_tool(char c)
{
	return is_lower(c) || is_digit(c) || c == '_';
}

static bool in_principal(char c)
{
	return c > ' ' && c < 0x7F && c != '"' && c != '\'' && c != '\\';
}

static bool in_rule(char c)
{
	return c == ' ' || in_principal(c);
}

static bool in_id(char c)
{
	return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z') || c == '.' ||
	       c == '_' || c == ':' || c == '-';
}

static bool consists_of(const char *text, size_t max, bool (*in)(char))
{
	size_t n = 0;

	if (!text)
		return false;
	for (; text[n]; n++)
		if (n == max || !in(text[n]))
			return false;
	return n > 0;
}

bool name_is_server(const char *text)
{
	return consists_of(text, SERVER_MAX, in_server) && is_lower(text[0]);
}

bool name_is_tool(const char *text)
{
	return consists_of(text, TOOL_MAX, in_tool);
}

bool name_is_principal(const char *text)
{
	return consists_of(text, PRINCIPAL_MAX, in_principal);
}

bool name_is_instance(const char *text)
{
	return name_is_principal(text);
}

bool name_is_rule(const char *text)
{
	return consists_of(text, RULE_MAX, in_rule) && text[0] != ' ' &&
	       text[strlen(text) - 1] != ' ';
}

bool name_is_id(const char *text)
{
	return consists_of(text, ID_MAX, in_id);
}
