/*
 * http_address -- which addresses are of the public internet.
 *
 * For calls to where a stranger wants us to go. Public is what IANA's registries of
 * special purpose addresses (IPv4, IPv6) leave; IPv4 addresses within IPv6 ones (mapped,
 * NAT64, 6to4, Teredo) are not.
 */
#ifndef LINK_HTTP_ADDRESS_H
#define LINK_HTTP_ADDRESS_H

#include <stdbool.h>

/* 'text' is a numeric address; false for what is none. NULL is none. */
bool http_address_is_public(const char *text);

#endif
