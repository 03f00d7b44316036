/*
 * endpoint -- where the servers of this folder listen.
 */
#ifndef CONSOLE_ENDPOINT_H
#define CONSOLE_ENDPOINT_H

#include "console/console.h"

/* {server: url} of the suite that runs here: from run/suite.json, else from the gate.
 * New reference. */
json_t *endpoint_list(const struct console *c, struct error *err) _must_use_;
/* The URL of one; new string. ERR_NOT_FOUND names those that there are. */
char *endpoint_find(const struct console *c, const char *server,
		    struct error *err) _must_use_;

#endif
