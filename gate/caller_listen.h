/*
 * caller_listen -- hears from servers when what the gate reads for conversations changes.
 * Private to caller.
 *
 * One stream a server: for the resources without variables that config/gate.yaml's 'context'
 * names of it, and for those of its templates that App Home showed lately; where Slack is no
 * surface there is nobody to tell, and none is opened. It is a hint alone: what stands there
 * is read as somebody, by a ticket. A server that does not offer it, or frees none of them, is
 * asked again after five seconds, and then ever more rarely up to once in ten minutes.
 *
 * All of it in the loop's thread; it ends with the process.
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

struct caller_listener;

/* Begins, if there is something to hear; never freed. */
struct caller_listener *caller_listen(const struct caller_listening *how,
				      struct error *err) _must_use_;
/* Of this one, too: of a template, as the keeper judged. Of too many the oldest goes. */
void caller_listen_to(struct caller_listener *l, const char *uri);

#endif
