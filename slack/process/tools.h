/*
 * tools -- what there is to run, as the gate has it pinned. Asked each time: a tool is what
 * it is now.
 */
#ifndef SLACK_PROCESS_TOOLS_H
#define SLACK_PROCESS_TOOLS_H

#include "slack/process/front.h"

/* [{name, url, up, tools: [{name, title?, risk, ...}]}] as slack/home wants servers; of one,
 * or with NULL of all. New. */
json_t *tools_servers(struct front *f, const char *server, struct error *err) _must_use_;
/* "server.tool" as {name: "server.tool", title?, description?, inputSchema, risk, address,
 * digest}. New. ERR_NOT_FOUND. */
json_t *tools_find(struct front *f, const char *name, struct error *err) _must_use_;

/* All of them, and what the policy says of this person ({"server.tool": {call, approve,
 * free}}). Both new. */
json_t *tools_servers_as(struct front *f, const char *principal, json_t **ret_rights,
			 struct error *err) _must_use_;

/* Where 'err' says that something is not found: what may have been meant by 'typed' (a tool,
 * or a server) becomes its hint. Always false. */
bool tools_suggest(struct front *f, const char *typed, bool is_server, struct error *err);

#endif
