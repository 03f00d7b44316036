/*
 * endpoint -- where the servers of this folder listen.
 */
#ifndef CONSOLE_ENDPOINT_H
#define CONSOLE_ENDPOINT_H

#include "console/console.h"
#include "link/http/http_client.h"

/* {server: url} of the suite that runs here: from run/suite.json, else from the gate.
 * New reference. */
json_t *endpoint_list(const struct console *c, struct error *err) _must_use_;
/* The URL of one; new string. ERR_NOT_FOUND names those that there are. */
char *endpoint_find(const struct console *c, const char *server,
		    struct error *err) _must_use_;

/* A client for them. Over TLS it trusts whom the gate trusts (the member 'tls' of
 * config/gate.yaml) and shows its certificate, as far as this user can read them: else the
 * system's authorities, and no certificate. */
struct http_client *endpoint_http(const struct console *c, const char *agent,
				  struct error *err) _must_use_;

#endif
