/* Where links may lead, and what must be seen of where they lead. */
#include <strings.h>

#include "base/text.h"
#include "slack/markdown/private.h"
#include "slack/text/text.h"

enum { HOST_MAX = 253 };

static const char scheme[] = "https://";

static bool is_host_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '.';
}

/* "docs.x" is that host; "*.x" any below it. */
static bool matches(const char *host, size_t length, const char *allowed)
{
	const size_t size = strlen(allowed);

	if (strncmp(allowed, "*.", 2) == 0)
		return size > 2 && length > size - 1 &&
		       strncasecmp(host + length - (size - 1), allowed + 1, size - 1) ==
			       0;
	return size > 0 && length == size && strncasecmp(host, allowed, size) == 0;
}

bool slack_markdown_is_allowed(const char *url, const json_t *hosts)
{
	const char *host = url + sizeof scheme - 1;
	size_t length = 0, i;
	json_t *allowed;

	if (strncmp(url, scheme, sizeof scheme - 1) != 0 || strlen(url) > RICH_URL_MAX)
		return false;
	for (const char *s = url; *s; s++)
		if (*s < 0x21 || *s > 0x7E || strchr("\\\"<>`|^{}", *s))
			return false;
	while (is_host_char(host[length]))
		length++;
	if (length == 0 || length > HOST_MAX || !strchr("/?#", host[length]) ||
	    host[0] == '.' || host[0] == '-')
		return false;
	json_array_foreach(hosts, i, allowed)
	{
		if (json_is_string(allowed) &&
		    matches(host, length, json_string_value(allowed)))
			return true;
	}
	return false;
}

void markdown_address(struct strbuf *sb, const char *url)
{
	const char *colon = strstr(url, "://");
	const char *host = colon ? colon + 3 : url;
	const size_t length = strcspn(host, "/?#\\:");
	const size_t from = sb->length;

	strbuf_add_string(sb, url);
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)host[i] < 0x80)
			continue;
		strbuf_add_string(sb, ", to DNS ");
		if (!text_host_ascii(sb, host, length)) {
			strbuf_truncate(sb, from);
			strbuf_add_string(sb, url);
			strbuf_add_string(sb, ", no name of a host");
		}
		return;
	}
}

/* Whether a host could be read out of it: "x.y", however the dot is written. */
static bool has_address(const char *folded)
{
	if (strstr(folded, "//") || strchr(folded, '@') || strstr(folded, "。"))
		return true;
	for (const char *dot = strchr(folded, '.'); dot; dot = strchr(dot + 1, '.'))
		if (dot > folded && dot[-1] != ' ' && dot[1] && dot[1] != ' ' &&
		    dot[1] != '.')
			return true;
	return false;
}

bool markdown_needs_address(struct markdown *m, const char *label)
{
	_cleanup_strbuf_ struct strbuf folded = STRBUF_INIT;
	struct error err = ERROR_INIT;

	if (!text_fold(&folded, label, strlen(label), &err)) {
		m->failed = true;
		return true;
	}
	return has_address(folded.data) || markdown_is_like_ours(m, label);
}
