/*
 * bytes -- numbers in few bytes: seven bits each, the last without the high bit.
 */
#ifndef PLAYBOOKS_BYTES_H
#define PLAYBOOKS_BYTES_H

#include "base/strbuf.h"

static inline size_t bytes_put(uint8_t to[static 5], uint32_t value)
{
	size_t n = 0;

	for (; value >= 0x80; value >>= 7)
		to[n++] = (uint8_t)(value | 0x80);
	to[n++] = (uint8_t)value;
	return n;
}

/* False at the end, or where they are broken. */
static inline bool bytes_get(const uint8_t **at, const uint8_t *end, uint32_t *ret)
{
	uint32_t value = 0;

	for (unsigned shift = 0; *at < end && shift < 35; shift += 7) {
		const uint8_t byte = *(*at)++;

		value |= (uint32_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*ret = value;
			return true;
		}
	}
	return false;
}

#endif
