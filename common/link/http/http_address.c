#include "link/http/http_address.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"

static const struct {
	uint32_t address;
	unsigned bits;
} special4[] = {
	{ 0x00000000, 8 },  /* "this network" */
	{ 0x0a000000, 8 },  /* private */
	{ 0x64400000, 10 }, /* shared, of carriers */
	{ 0x7f000000, 8 },  /* loopback */
	{ 0xa9fe0000, 16 }, /* link-local, and where clouds keep their secrets */
	{ 0xac100000, 12 }, /* private */
	{ 0xc0000000, 24 }, /* of protocols */
	{ 0xc0000200, 24 }, /* documentation */
	{ 0xc0586300, 24 }, /* 6to4 relays */
	{ 0xc0a80000, 16 }, /* private */
	{ 0xc6120000, 15 }, /* benchmarks */
	{ 0xc6336400, 24 }, /* documentation */
	{ 0xcb007100, 24 }, /* documentation */
	{ 0xe0000000, 3 },  /* multicast, reserved, broadcast */
};

static bool is_public4(uint32_t address)
{
	for (size_t i = 0; i < ARRAY_SIZE(special4); i++)
		if ((address ^ special4[i].address) >> (32 - special4[i].bits) == 0)
			return false;
	return true;
}

/* Only 2000::/3 is given out; within it, what leads elsewhere is left out. */
static bool is_public6(const uint8_t a[static 16])
{
	if (a[0] >> 5 != 1)
		return false;
	if (a[0] == 0x20 && a[1] == 0x01 && a[2] < 0x02)
		return false; /* 2001::/23: Teredo, ORCHID, benchmarks */
	if (a[0] == 0x20 && a[1] == 0x01 && a[2] == 0x0d && a[3] == 0xb8)
		return false; /* documentation */
	if (a[0] == 0x20 && a[1] == 0x02)
		return false;                                  /* 6to4 */
	return !(a[0] == 0x3f && a[1] == 0xff && a[2] < 0x10); /* documentation */
}

bool http_address_is_public(const char *text)
{
	struct in6_addr six;
	struct in_addr four;

	if (!text)
		return false;
	if (inet_pton(AF_INET, text, &four) == 1)
		return is_public4(ntohl(four.s_addr));
	return inet_pton(AF_INET6, text, &six) == 1 && is_public6(six.s6_addr);
}
