#include "gate/wide_open.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 128 };

/* Decimal digits and nothing else, at most six of them; -1 otherwise. */
static long read_number(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits > 0 && digits <= 6 && !text[digits] ? strtol(text, NULL, 10) : -1;
}

/* Numbers of IPv4 as lenient readers take them: "0", "0.0", "000.000.000.000". */
static bool is_ipv4(const char *text)
{
	return *text && !text[strspn(text, "0123456789.")];
}

static bool is_ipv6(const char *text)
{
	struct in6_addr address;

	return inet_pton(AF_INET6, text, &address) == 1;
}

/* The bits that a mask in dots fixes; -1 for what is none. */
static int mask_bits(const char *text)
{
	struct in_addr mask;
	int bits = 0;

	if (inet_pton(AF_INET, text, &mask) != 1)
		return -1;
	for (uint32_t m = ntohl(mask.s_addr); m & 0x80000000U; m <<= 1)
		bits++;
	return bits;
}

static bool is_wide_prefix(const char *address, const char *prefix)
{
	long bits = strchr(prefix, '.') ? mask_bits(prefix) : read_number(prefix);

	if (bits < 0)
		return false;
	return (is_ipv4(address) && bits < WIDE_OPEN_IPV4_BITS) ||
	       (is_ipv6(address) && bits < WIDE_OPEN_IPV6_BITS);
}

static bool is_wide_range(const char *from, const char *to)
{
	struct in_addr first, last;
	struct in6_addr first6, last6;
	long low = read_number(from), high = read_number(to);

	if (low >= 0 && high >= 0)
		return high - low >= WIDE_OPEN_PORTS;
	if (inet_pton(AF_INET, from, &first) == 1 && inet_pton(AF_INET, to, &last) == 1)
		return (uint64_t)ntohl(last.s_addr) >
		       (uint64_t)ntohl(first.s_addr) +
			       (UINT64_C(1) << (32 - WIDE_OPEN_IPV4_BITS));
	return inet_pton(AF_INET6, from, &first6) == 1 &&
	       inet_pton(AF_INET6, to, &last6) == 1 &&
	       (first6.s6_addr[0] != last6.s6_addr[0] ||
		first6.s6_addr[1] != last6.s6_addr[1]);
}

bool wide_open_is(const char *text)
{
	char copy[TEXT_MAX];
	size_t start = strspn(text, " \t\r\n"), length = strlen(text + start);
	char *divider;

	if (length >= sizeof copy)
		return false;
	memcpy(copy, text + start, length + 1);
	while (length > 0 && strchr(" \t\r\n", copy[length - 1]))
		copy[--length] = '\0';
	divider = strpbrk(copy, "/-");
	if (!divider)
		return strcmp(copy, "0.0.0.0") == 0 || strcmp(copy, "::") == 0;
	char kind = *divider;
	*divider = '\0';
	return kind == '/' ? is_wide_prefix(copy, divider + 1)
			   : is_wide_range(copy, divider + 1);
}
