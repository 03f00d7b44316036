/*
 * frame -- what a WebSocket message of Socket Mode says, and the word that acknowledges it.
 *
 * A message is one JSON object in text frames: "hello" when a connection stands,
 * "disconnect" when it is about to end, or an envelope around what HTTP would have carried.
 * Nobody signed it: TLS and the ticket are all that says it is Slack's. Read strictly; what
 * is unknown but has an envelope's id is acknowledged, so that it is not sent again. Pure.
 * Source: Slack, "Socket Mode", and what Slack's own clients do.
 */
#ifndef SLACK_SOCKET_FRAME_H
#define SLACK_SOCKET_FRAME_H

#include "slack/verify/payload.h"

enum {
	SOCKET_FRAME_MAX = 1024 * 1024, /* bytes of one message, put together */
	SOCKET_ACK_MAX = 256 * 1024,    /* a modal has at most 250 KB */
};

enum socket_frame_kind {
	SOCKET_FRAME_UNKNOWN, /* nothing to act on; 'envelope' is "" or to be acknowledged */
	SOCKET_FRAME_HELLO,
	SOCKET_FRAME_DISCONNECT,
	SOCKET_FRAME_ENVELOPE,
};

/* Why a connection is about to end. What is not known counts as a refresh. */
enum socket_reason {
	SOCKET_REFRESH,  /* refresh_requested, and whatever else */
	SOCKET_WARNING,  /* in about ten seconds */
	SOCKET_DISABLED, /* link_disabled: Socket Mode is off, or the token gone */
	SOCKET_TOO_MANY, /* too_many_websockets: more than ten of the app's */
};

struct socket_frame {
	enum socket_frame_kind kind;
	enum socket_reason reason;     /* of a disconnect */
	char app[SLACK_ID_BYTES];      /* of a hello; "": it does not say */
	char envelope[SLACK_ID_BYTES]; /* its id; "" for none */
	enum slack_delivery delivery;  /* of an envelope */
	bool takes_payload;            /* the acknowledgement may have one */
	int64_t attempt;               /* 0: the first time, as far as Slack says */
	json_t *payload;               /* of an envelope; owned */
};
void socket_frame_done(struct socket_frame *f);
#define _cleanup_socket_frame_ _cleanup_(socket_frame_done)

/* 'ret' is begun here and always ended by socket_frame_done. ERR_INVALID_ARGUMENT: Slack
 * sends nothing like this; it is not acknowledged. */
bool socket_frame_read(const void *text, size_t length, struct socket_frame *ret,
		       struct error *err);

/* Append the acknowledgement. A payload (NULL: none) goes along only where one is taken.
 * ERR_INVALID_ARGUMENT for one that is too long. */
bool socket_frame_answer(const struct socket_frame *f, const json_t *payload,
			 struct strbuf *sb, struct error *err);

/* "warning" and so on, for the log. */
const char *socket_reason_name(enum socket_reason reason);

#endif
