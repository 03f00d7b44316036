/*
 * socket -- Slack's Socket Mode: what HTTP would bring, over WebSockets that we open.
 *
 * Several connections at a time (Slack gives each envelope to one of them), each renewed
 * before it ends, tried again with patience when it fails, and watched for silence: see
 * links.h. Each envelope goes to the function behind every way in (ingress.h) in a thread
 * of a small pool, and is acknowledged on the connection that brought it as soon as that
 * has returned true; if it returned false, or there is no room, Slack sends an event again.
 *
 * TLS is verified, and dialled is Slack alone: address.h. No proxy of the environment, no
 * redirect, no compression. A message that is binary, or longer than SOCKET_FRAME_MAX, is
 * read past. Tickets are never logged. There is no signature: whoever can speak as Slack
 * on such a connection is believed, and so is this process by the gate.
 *
 * libwebsockets runs in one thread; tickets are asked for and names resolved in another,
 * so that nobody waits for a name. It logs, as a process's loop does ("slack.socket...").
 */
#ifndef SLACK_SOCKET_SOCKET_H
#define SLACK_SOCKET_SOCKET_H

#include "base/statedir.h"
#include "slack/ingress/ingress.h"
#include "slack/socket/links.h"

struct slack_socket;

struct slack_socket_options {
	const struct statedir *dir; /* borrowed for as long as the socket lives */
	/* $defs/slack_api, with the app-level token (xapp-...) as its token_file. Copied. */
	const json_t *api;
	const char *app;      /* "A...": a connection of another app is none; NULL: any */
	unsigned connections; /* at most LINKS_SLOTS_MAX; 0: LINKS_SLOTS */
	const struct links_times *times; /* NULL: links_times */
	ingress_take *take;
	void *context;
};

/* Load what it stands on and read the token's file and the certificates: before a sandbox
 * is entered. Starts no thread and connects to nobody. */
struct slack_socket *slack_socket_new(const struct slack_socket_options *options,
				      struct error *err) _must_use_;
bool slack_socket_start(struct slack_socket *s, struct error *err);
/*
 * Take nothing more, acknowledge what was taken, close, and wait for all of that: a few
 * seconds at most. Again does nothing.
 */
void slack_socket_stop(struct slack_socket *s);
/* Stops it first. */
void slack_socket_free(struct slack_socket *s);
DEFINE_CLEANUP(struct slack_socket, slack_socket_free);

struct slack_socket_state {
	unsigned up, wanted; /* connections */
	uint64_t taken;      /* envelopes that were acknowledged */
	uint64_t left;       /* and that were not */
};
/* From any thread. */
struct slack_socket_state slack_socket_state(const struct slack_socket *s);

#endif
