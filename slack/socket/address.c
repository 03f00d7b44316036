#include "slack/socket/address.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define DIGITS  "0123456789"

enum { TLS_PORT = 443, PORT_DIGITS_MAX = 5, PORT_MAX = 65535 };

static bool refuse(struct error *err, const char *why)
{
	return error_set(err, ERR_INVALID_ARGUMENT,
			 "the address that Slack gave for Socket Mode %s", why);
}

static bool ends_with(const char *host, const char *domain)
{
	const size_t length = strlen(host), tail = strlen(domain);

	return length > tail && host[length - tail - 1] == '.' &&
	       strcmp(host + length - tail, domain) == 0;
}

static bool is_slack(const char *host)
{
	static const char *const domains[] = { "slack.com", "slack-gov.com" };

	for (size_t i = 0; i < ARRAY_SIZE(domains); i++)
		if (strcmp(host, domains[i]) == 0 || ends_with(host, domains[i]))
			return true;
	return false;
}

static bool is_loopback(const char *host)
{
	return strcmp(host, "127.0.0.1") == 0 || strcmp(host, "localhost") == 0;
}

/* ":443" before the path, or nothing: 'fallback'. 0: it is none. */
static int read_port(const char **at, int fallback)
{
	const char *digits = *at + 1;
	size_t count;
	int port = 0;

	if (**at != ':')
		return fallback;
	count = strspn(digits, DIGITS);
	if (count == 0 || count > PORT_DIGITS_MAX)
		return 0;
	for (size_t i = 0; i < count; i++)
		port = port * 10 + (digits[i] - '0');
	*at = digits + count;
	return port <= PORT_MAX ? port : 0;
}

static bool is_path(const char *path)
{
	if (*path != '/')
		return false;
	for (; *path; path++)
		if (*path <= ' ' || *path > '~' || *path == '#')
			return false;
	return true;
}

bool socket_address_read(const char *url, bool loopback, struct socket_address *ret,
			 struct error *err)
{
	struct socket_address a = { 0 };
	const char *at;
	size_t length;

	if (strnlen(url, SOCKET_URL_MAX + 1) > SOCKET_URL_MAX)
		return refuse(err, "is too long");
	a.is_tls = strncmp(url, "wss://", 6) == 0;
	if (!a.is_tls && strncmp(url, "ws://", 5) != 0)
		return refuse(err, "is none of a WebSocket");
	at = url + (a.is_tls ? 6 : 5);
	length = strspn(at, LETTERS DIGITS "-.");
	if (length == 0 || length >= sizeof a.host)
		return refuse(err, "names no host");
	memcpy(a.host, at, length);
	at += length;
	a.port = read_port(&at, a.is_tls ? TLS_PORT : 0);
	a.path = at;
	if (a.port == 0 || !is_path(a.path))
		return refuse(err, "makes no sense");
	if (!(is_slack(a.host) && a.is_tls && a.port == TLS_PORT) &&
	    !(loopback && is_loopback(a.host)))
		return refuse(err, "is not Slack's");
	*ret = a;
	return true;
}
