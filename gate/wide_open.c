#include "gate/wide_open.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 128, PORTS = 65536, EMBEDDED_BITS = 96 };

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

/* --- IPv4 inside of IPv6 --- */

/* ::ffff:0:0/96 (RFC 4291) and 64:ff9b::/96 (RFC 6052): the rest is an address of IPv4. */
static const struct in6_addr embedded[] = {
	{ .s6_addr = { [10] = 0xFF, [11] = 0xFF } },
	{ .s6_addr = { [1] = 0x64, [2] = 0xFF, [3] = 0x9B } },
};

static bool is_same_prefix(const struct in6_addr *a, const struct in6_addr *b, long bits)
{
	const size_t bytes = (size_t)bits / 8;
	const unsigned rest = (unsigned)bits % 8;

	return memcmp(a, b, bytes) == 0 &&
	       (rest == 0 ||
		(unsigned)(a->s6_addr[bytes] ^ b->s6_addr[bytes]) >> (8 - rest) == 0);
}

static bool is_wide_ipv6(const char *text, long bits)
{
	struct in6_addr address;

	if (inet_pton(AF_INET6, text, &address) != 1)
		return false;
	if (bits < WIDE_OPEN_IPV6_BITS)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(embedded); i++)
		if (bits < EMBEDDED_BITS + WIDE_OPEN_IPV4_BITS &&
		    is_same_prefix(&address, &embedded[i],
				   bits < EMBEDDED_BITS ? bits : EMBEDDED_BITS))
			return true;
	return false;
}

static uint32_t last_32(const struct in6_addr *a)
{
	uint32_t word;

	memcpy(&word, &a->s6_addr[12], sizeof word);
	return ntohl(word);
}

static bool is_wide_range_ipv6(const struct in6_addr *first, const struct in6_addr *last)
{
	if (memcmp(first, last, sizeof *first) > 0)
		return false;
	if (first->s6_addr[0] != last->s6_addr[0] ||
	    first->s6_addr[1] != last->s6_addr[1])
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(embedded); i++) {
		struct in6_addr low = embedded[i], high = embedded[i];

		memset(&high.s6_addr[12], 0xFF, 4);
		if (memcmp(first, &low, sizeof low) > 0)
			low = *first;
		if (memcmp(last, &high, sizeof high) < 0)
			high = *last;
		if (memcmp(&low, &high, sizeof low) <= 0 &&
		    last_32(&high) - last_32(&low) >
			    UINT32_C(1) << (32 - WIDE_OPEN_IPV4_BITS))
			return true;
	}
	return false;
}

/* --- one text --- */

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
	       is_wide_ipv6(address, bits);
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
	       is_wide_range_ipv6(&first6, &last6);
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

/* --- ports in parts --- */

/* "22" or "1-20000", with nothing beside it. */
static bool read_ports(const char *text, long *ret_low, long *ret_high)
{
	const char *dash = strchr(text, '-');
	char low[8];

	if (!dash || (size_t)(dash - text) >= sizeof low) {
		*ret_low = *ret_high = dash ? -1 : read_number(text);
	} else {
		memcpy(low, text, (size_t)(dash - text));
		low[dash - text] = '\0';
		*ret_low = read_number(low);
		*ret_high = read_number(dash + 1);
	}
	return *ret_low >= 0 && *ret_low <= *ret_high && *ret_high < PORTS;
}

static void note_ports(uint8_t named[static PORTS / 8], long low, long high)
{
	for (; low <= high && low % 8 != 0; low++)
		named[low / 8] |= (uint8_t)(1U << low % 8);
	for (; high >= low && high % 8 != 7; high--)
		named[high / 8] |= (uint8_t)(1U << high % 8);
	if (low <= high)
		memset(&named[low / 8], 0xFF, (size_t)(high - low + 1) / 8);
}

bool wide_open_are_ports(const json_t *list)
{
	uint8_t named[PORTS / 8] = { 0 };
	size_t i, count = 0;
	json_t *one;

	json_array_foreach(list, i, one)
	{
		long low = json_is_integer(one) && json_integer_value(one) >= 0 &&
					   json_integer_value(one) < PORTS
				   ? (long)json_integer_value(one)
				   : -1;
		long high = low;

		if (json_is_string(one) &&
		    !read_ports(json_string_value(one), &low, &high))
			continue;
		if (low >= 0)
			note_ports(named, low, high);
	}
	for (i = 0; i < sizeof named; i++)
		count += (size_t)__builtin_popcount(named[i]);
	return count >= WIDE_OPEN_PORTS;
}
