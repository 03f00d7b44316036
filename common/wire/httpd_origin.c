/* Against DNS rebinding and pages of other sites (PROTOCOL 8). */
#include "wire/httpd_private.h"

#include <strings.h>

enum { VALUE_SHOWN_MAX = 200 };

static const char *const loopback_names[] = { "localhost", "127.0.0.1", "[::1]", NULL };

/* Length of the name in "name", "name:port" or "[v6]:port"; 0 if the port is no port. */
static size_t name_length(const char *host)
{
	const char *end = *host == '[' ? strchr(host, ']') : host + strcspn(host, ":");

	if (!end)
		return 0;
	if (*end == ']')
		end++;
	if (*end != '\0') {
		size_t digits = *end == ':' ? strspn(end + 1, "0123456789") : 0;
		if (digits == 0 || digits > 5 || end[1 + digits] != '\0')
			return 0;
	}
	return (size_t)(end - host);
}

/* An entry is a name, and then any port goes, or name and port. */
static bool host_is_listed(const char *host, const char *const *list)
{
	size_t length = name_length(host);

	for (; length > 0 && list && *list; list++) {
		if (strcasecmp(host, *list) == 0 ||
		    (strlen(*list) == length && strncasecmp(host, *list, length) == 0))
			return true;
	}
	return false;
}

static bool refuse(struct strbuf *why, const char *what, const char *value,
		   const char *option)
{
	const size_t length = strnlen(value, VALUE_SHOWN_MAX);

	strbuf_add_format(why, "%s '", what);
	for (size_t i = 0; i < length; i++)
		strbuf_add_char(why,
				value[i] >= 0x20 && value[i] < 0x7f ? value[i] : '?');
	strbuf_add_format(why, "' is not allowed; the option '%s' lists what is\n",
			  option);
	return false;
}

bool httpd_check_host(const char *host, bool loopback, const char *const *allowed,
		      struct strbuf *why)
{
	if (!loopback && !allowed) /* reachable by names that we cannot know */
		return true;
	if (host && ((loopback && host_is_listed(host, loopback_names)) ||
		     host_is_listed(host, allowed)))
		return true;
	return refuse(why, "Host", host ? host : "", "allowed_hosts");
}

static bool is_loopback_origin(const char *origin)
{
	const char *host = strncmp(origin, "http://", 7) == 0    ? origin + 7
			   : strncmp(origin, "https://", 8) == 0 ? origin + 8
								 : NULL;

	return host && host_is_listed(host, loopback_names);
}

bool httpd_check_origin(const char *origin, const char *const *allowed,
			struct strbuf *why)
{
	if (!origin || is_loopback_origin(origin))
		return true;
	for (; allowed && *allowed; allowed++)
		if (strcmp(origin, *allowed) == 0)
			return true;
	return refuse(why, "Origin", origin, "allowed_origins");
}
