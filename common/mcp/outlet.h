/*
 * outlet -- one stream of a session: what is said on it, and can be read again.
 *
 * Its messages are numbered from 1, and each goes out as an event with the id
 * "<outlet>:<number>". The last ones are kept, so that a client whose connection broke
 * reads on behind the last that it saw. An outlet outlives connections: without one its
 * messages wait. A bare one (HTTP+SSE) has no ids, keeps nothing, and ends with its
 * connection.
 *
 * Not thread-safe: everything here happens under the lock of the table of sessions.
 * Source: PROTOCOL 3.5.
 */
#ifndef MCP_OUTLET_H
#define MCP_OUTLET_H

#include <sys/queue.h>

#include "wire/http_stream.h"

enum {
	OUTLET_STANDING =
		1, /* the number of what GET opens; requests count on from there */
	OUTLET_RETRY_MS = 1500, /* what clients are asked to wait before they come back */
};

struct outlet_event;

struct outlet {
	TAILQ_ENTRY(outlet) entry; /* its owner's */
	int64_t number;
	bool is_bare, is_primed; /* a new connection begins with an event without data */
	bool is_over;            /* the last word was said */
	struct http_stream *stream; /* NULL: nobody reads */
	STAILQ_HEAD(outlet_events, outlet_event) events;
	size_t count, bytes; /* of these */
	int64_t last;        /* number of the newest event */
	int64_t sent;        /* of the newest that went to some connection */
};

enum outlet_kind {
	OUTLET_WEIGHTY, /* a request, or a response: without it the client waits in vain */
	OUTLET_LIGHT,   /* can be left out when too much waits */
};

void outlet_init(struct outlet *c, int64_t number);
/* Ends the connection, too. */
void outlet_done(struct outlet *c);

/* Say it to who reads, and keep it. False without memory. */
bool outlet_say(struct outlet *c, enum outlet_kind kind, const char *message,
		size_t length);
/* Forget until no more than so much is kept, light ones first. */
void outlet_trim(struct outlet *c, size_t count_max, size_t bytes_max);
/* Whether such a message still waits to be sent. */
bool outlet_has_unsent(const struct outlet *c, const char *message, size_t length);
/* Whether the newest one was sent to somebody, or is kept. */
bool outlet_has_newest(const struct outlet *c);
/* Nothing more will be said: the connection ends behind what was. */
void outlet_finish(struct outlet *c);

/* "<outlet>:<number>" as written here; false for any other text. */
bool outlet_read_id(const char *text, int64_t *ret_outlet, int64_t *ret_number);
/* Whether reading can go on behind this number: on the standing one nothing that came
 * later was forgotten, on another not its response. */
bool outlet_can_resume(const struct outlet *c, int64_t number);
/* Takes over 'stream' in place of an earlier one, and sends what waits; behind 'number'
 * if that is not negative, and can be. */
void outlet_attach(struct outlet *c, struct http_stream *stream, int64_t number);
/* End the connection alone. */
void outlet_hang_up(struct outlet *c);

#endif
