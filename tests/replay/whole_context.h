/*
 * whole_context -- what a record's servers let be read: setup.resources, [{server, uri, text}],
 * as configuration of gate and servers and as the file that replay-server reads. Pure. For tests.
 *
 * An 'uri' with {name} or {?name} in it is a template. NULL for 'resources' is none.
 */
#ifndef TESTS_REPLAY_WHOLE_CONTEXT_H
#define TESTS_REPLAY_WHOLE_CONTEXT_H

#include "base/json.h"
#include "base/strbuf.h"

/* Of config/gate.yaml. */
void whole_context_gate(struct strbuf *sb, const json_t *resources);
/* Of a server's own: what it frees. */
void whole_context_server(struct strbuf *sb, const json_t *resources, const char *server);
/* {server: [{uri, text}]}; new, NULL without memory. */
json_t *whole_context_files(const json_t *resources) _must_use_;

#endif
