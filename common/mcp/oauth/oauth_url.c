#include "mcp/oauth/oauth_url.h"

#include <arpa/inet.h>

static bool refuse(struct error *err, const char *reason)
{
	return error_set(err, ERR_INVALID_ARGUMENT, "%s", reason);
}

static bool has_url_characters(const char *text)
{
	const size_t length =
		strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			     "0123456789-._~:/?[]@!$&'()*+,;=%");

	return text[length] == '\0';
}

/* ":1" to ":65535" or nothing. */
static bool is_port(const char *text, size_t length)
{
	unsigned port = 0;

	if (length == 0)
		return true;
	if (length == 1 || length > 6 || *text != ':' || text[1] == '0')
		return false;
	for (size_t i = 1; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		port = port * 10 + (unsigned)(text[i] - '0');
	}
	return port <= 65535;
}

static bool is_loopback(const char *host, size_t length)
{
	struct in_addr address;
	char text[16];

	if (length == strlen("localhost") && memcmp(host, "localhost", length) == 0)
		return true;
	if (length == strlen("[::1]") && memcmp(host, "[::1]", length) == 0)
		return true;
	if (length >= sizeof text)
		return false;
	memcpy(text, host, length);
	text[length] = '\0';
	return inet_pton(AF_INET, text, &address) == 1 &&
	       ntohl(address.s_addr) >> 24 == 127;
}

/* How much of the authority is the host; brackets only around an IPv6 address. */
static size_t host_of(const char *authority, size_t length)
{
	const char *end = *authority == '[' ? memchr(authority, ']', length) : NULL;
	const char *colon = memchr(authority, ':', length);

	if (*authority == '[')
		return end ? (size_t)(end - authority) + 1 : 0;
	return colon ? (size_t)(colon - authority) : length;
}

bool oauth_url_read(const char *url, struct oauth_url *ret, struct error *err)
{
	const bool is_https = strncmp(url, "https://", strlen("https://")) == 0;

	if (strnlen(url, OAUTH_URL_MAX + 1) > OAUTH_URL_MAX)
		return refuse(err, "the URL is too long");
	if (!is_https && strncmp(url, "http://", strlen("http://")) != 0)
		return refuse(err, "it is no https:// URL");
	if (!has_url_characters(url))
		return refuse(err, "the URL has a fragment or a character that none has");
	const char *authority = strstr(url, "://") + strlen("://");
	const size_t length = strcspn(authority, "/?");
	const size_t host = host_of(authority, length);
	if (host == 0 || memchr(authority, '@', length) ||
	    memchr(authority, '%', length) || !is_port(authority + host, length - host) ||
	    (*authority != '[' && strcspn(authority, "[]") < host))
		return refuse(err, "the URL has no proper host and port");
	if (!is_https && !is_loopback(authority, host))
		return refuse(err, "http:// is for loopback addresses alone");
	*ret = (struct oauth_url){
		.is_https = is_https,
		.origin_bytes = (size_t)(authority - url) + length,
		.path = authority + length,
		.has_query = strchr(authority + length, '?') != NULL,
	};
	return true;
}

static size_t path_bytes(const struct oauth_url *url)
{
	const size_t length = strlen(url->path);

	return length > 0 && url->path[length - 1] == '/' ? length - 1 : length;
}

void oauth_url_well_known(struct strbuf *sb, const char *url, const char *word)
{
	struct error ignored = ERROR_INIT;
	struct oauth_url parts = { .path = "" };

	(void)oauth_url_read(url, &parts, &ignored);
	strbuf_add(sb, url, parts.origin_bytes);
	strbuf_add_format(sb, "/.well-known/%s", word);
	strbuf_add(sb, parts.path, path_bytes(&parts));
}

void oauth_url_well_known_behind(struct strbuf *sb, const char *url, const char *word)
{
	struct error ignored = ERROR_INIT;
	struct oauth_url parts = { .path = "" };

	(void)oauth_url_read(url, &parts, &ignored);
	strbuf_add(sb, url, parts.origin_bytes + path_bytes(&parts));
	strbuf_add_format(sb, "/.well-known/%s", word);
}
