/*
 * address -- where a ticket leads: the URL that apps.connections.open answers with.
 *
 * It is a stranger's word: dialled is Slack over TLS alone (slack.com and slack-gov.com and
 * what is below them, on port 443), and, where Slack's API itself is configured to be on
 * this machine, this machine. It holds the ticket, so it is quoted nowhere. Pure.
 */
#ifndef SLACK_SOCKET_ADDRESS_H
#define SLACK_SOCKET_ADDRESS_H

#include "base/error.h"

enum { SOCKET_URL_MAX = 2048, SOCKET_HOST_BYTES = 254 };

struct socket_address {
	bool is_tls;
	char host[SOCKET_HOST_BYTES];
	int port;
	const char *path; /* with its query; borrowed from the URL */
};

/* ERR_INVALID_ARGUMENT says why not, and nothing of the URL. */
bool socket_address_read(const char *url, bool loopback, struct socket_address *ret,
			 struct error *err);

#endif
