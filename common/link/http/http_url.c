#include "link/http/http_url.h"

#include <arpa/inet.h>
#include <string.h>

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

bool http_url_read(const char *url, size_t max, struct http_url *ret, struct error *err)
{
	const bool is_https = strncmp(url, "https://", strlen("https://")) == 0;

	if (strnlen(url, max + 1) > max)
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
	const bool loopback = is_loopback(authority, host);
	if (!is_https && !loopback)
		return refuse(err, "http:// is for loopback addresses alone");
	*ret = (struct http_url){
		.is_https = is_https,
		.is_loopback = loopback,
		.origin_bytes = (size_t)(authority - url) + length,
		.path = authority + length,
		.has_query = strchr(authority + length, '?') != NULL,
	};
	return true;
}

bool http_url_same_origin(const char *a, const struct http_url *a_parts, const char *b,
			  const struct http_url *b_parts)
{
	return a_parts->origin_bytes == b_parts->origin_bytes &&
	       memcmp(a, b, a_parts->origin_bytes) == 0;
}
