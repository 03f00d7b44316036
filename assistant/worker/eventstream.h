/*
 * eventstream -- frames of application/vnd.amazon.eventstream, read.
 *
 * total length u32 BE, length of headers u32, CRC32 of these eight bytes; headers (name
 * length u8, name, type u8, value); payload; CRC32 of all before. Takes a stream in
 * whatever pieces it arrives, and refuses for good what breaks the rules: a wrong sum, a
 * length beyond EVENTSTREAM_FRAME_MAX, headers that do not end where they say. Source:
 * AWS's page on event stream encoding.
 */
#ifndef WORKER_EVENTSTREAM_H
#define WORKER_EVENTSTREAM_H

#include "base/error.h"
#include "base/strbuf.h"

enum { EVENTSTREAM_FRAME_MAX = 1024 * 1024, EVENTSTREAM_NAME_MAX = 128 };

struct eventstream_event {
	char type[EVENTSTREAM_NAME_MAX +
		  1]; /* :event-type, or :exception-type, or :error-code */
	bool is_failure;
	const char *payload; /* borrowed until the next call */
	size_t length;
};

struct eventstream {
	struct strbuf bytes;
	size_t done; /* of them, with frames that were given out */
	bool is_bad;
};

enum eventstream_got { EVENTSTREAM_MORE, EVENTSTREAM_EVENT, EVENTSTREAM_BAD };

void eventstream_init(struct eventstream *s);
void eventstream_done(struct eventstream *s);
/* Copies. False without memory or when more waits than a frame may have. */
bool eventstream_feed(struct eventstream *s, const char *bytes, size_t length);
enum eventstream_got eventstream_next(struct eventstream *s,
				      struct eventstream_event *ret, struct error *err);
/* Whether a frame has begun that did not end. */
bool eventstream_is_within(const struct eventstream *s);

/* CRC-32 of IEEE 802.3. */
uint32_t eventstream_crc(const void *bytes, size_t length);

#endif
