/*
 * wide_open -- whether a text, or a list, stands for nearly every address, or every port.
 *
 * For a warning alone: whatever a server would read as such a range is refused there or
 * not at all. Knows IPv4 and IPv6 with a prefix or as a range, however they are written,
 * IPv4 inside of IPv6 (mapped, and as NAT64 has it), and ranges of ports, also where a list
 * names them in parts; words like "any" are too common to warn of.
 */
#ifndef GATE_WIDE_OPEN_H
#define GATE_WIDE_OPEN_H

#include "base/json.h"

/* Prefixes shorter than these hold more than a 256th (IPv4) or a 65,536th (IPv6). */
enum { WIDE_OPEN_IPV4_BITS = 8, WIDE_OPEN_IPV6_BITS = 16, WIDE_OPEN_PORTS = 60000 };

bool wide_open_is(const char *text);
/* What the members of this array ("22", 443, "1-20000") name together, as ports. */
bool wide_open_are_ports(const json_t *list);

#endif
