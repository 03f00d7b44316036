/*
 * caller_listen -- hears from servers when what the gate reads for conversations changes.
 * Private to caller.
 *
 * One stream a server, for the resources without variables that config/gate.yaml's 'context'
 * names of it; where Slack is no surface there is nobody to tell, and none is opened. It is a
 * hint alone: what stands there is read as somebody, by a ticket. A server that does not
 * offer it, or does not free the resource, is not asked again until the next start.
 */
#ifndef GATE_CALLER_LISTEN_H
#define GATE_CALLER_LISTEN_H

#include "gate/settings.h"
#include "mcp/client/client.h"
#include "proc/loop.h"

/* Of one server: {server, uri} as a message to the keeper, in the loop's thread; borrowed. */
typedef void caller_heard(void *context, const json_t *message);

/* All borrowed, as long as the process lasts. */
struct caller_listening {
	struct loop *loop;
	const struct settings *settings;
	const struct settings_server *server;
	const struct secret *token;
	struct http_client *http;
	caller_heard *heard;
	void *context;
};

/* Begins, and ends with the process. True also where there is nothing to hear. */
bool caller_listen(const struct caller_listening *how, struct error *err);

#endif
