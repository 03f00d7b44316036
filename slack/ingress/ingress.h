/*
 * ingress -- what a way in (HTTP, Socket Mode) hands over, and what it gets back.
 *
 * A way in reads bytes, judges what it can by itself (HTTP: signature and window; Socket
 * Mode: nothing, TLS and the ticket are all there is) and gives each delivery to one function.
 * That returns at once, whatever work the delivery causes: the work goes on after, in
 * other threads. It is the same function behind every way in, and it may be called from
 * several threads at once. Who did it, whether it is a repetition, and whether it is for
 * our app at all is judged behind it, never before.
 */
#ifndef SLACK_INGRESS_H
#define SLACK_INGRESS_H

#include "slack/verify/payload.h"

/* All borrowed until the function returns; json_t is not shared between threads, so what
 * works on copies what it needs. */
struct ingress_delivery {
	enum slack_delivery kind; /* SLACK_EVENT, SLACK_INTERACTION, SLACK_COMMAND */
	const void
		*raw; /* HTTP: the body; Socket Mode: the frame, as the gate wants it */
	size_t length;
	const char *timestamp, *signature; /* both as received; NULL over Socket Mode */
	const json_t *payload; /* of slack_payload_read or slack_envelope_read */
};

/*
 * True: it is taken (or nothing to us, or was taken before): acknowledge it, with '*ret_ack'
 * (a new reference, an object: a modal's "response_action", a menu's "options", a command's
 * message, a challenge) or, if that is NULL, with nothing. False: it could not be taken now;
 * do not acknowledge (HTTP: 503), so that Slack sends it again. 'err' is for the log.
 * '*ret_ack' is set to NULL before it is called.
 */
typedef bool ingress_take(void *context, const struct ingress_delivery *d,
			  json_t **ret_ack, struct error *err);

#endif
