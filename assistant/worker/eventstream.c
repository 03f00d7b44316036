#include "assistant/worker/eventstream.h"

#include <string.h>

enum { PRELUDE_BYTES = 12, SUM_BYTES = 4, LEAST_BYTES = PRELUDE_BYTES + SUM_BYTES };

void eventstream_init(struct eventstream *s)
{
	*s = (struct eventstream){ .done = 0 };
	strbuf_init(&s->bytes);
}

void eventstream_done(struct eventstream *s)
{
	strbuf_done(&s->bytes);
}

/* Twelve lines instead of a library in a process that is to hold as little as can be. */
uint32_t eventstream_crc(const void *bytes, size_t length)
{
	const unsigned char *p = bytes;
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < length; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (UINT32_C(0xEDB88320) & (0 - (crc & 1)));
	}
	return ~crc;
}

static uint32_t get_u32(const char *at)
{
	const unsigned char *p = (const unsigned char *)at;

	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

bool eventstream_feed(struct eventstream *s, const char *bytes, size_t length)
{
	if (s->done > 0) {
		size_t left = s->bytes.length - s->done;

		memmove(s->bytes.data, s->bytes.data + s->done, left);
		strbuf_truncate(&s->bytes, left);
		s->done = 0;
	}
	strbuf_add(&s->bytes, bytes, length);
	return strbuf_ok(&s->bytes);
}

bool eventstream_is_within(const struct eventstream *s)
{
	return s->bytes.length > s->done;
}

/* ---- headers ---- */

/* Bytes of a value of this type, its own length included; SIZE_MAX: it is none. */
static size_t value_bytes(unsigned type, const char *at, size_t left)
{
	static const unsigned char fixed[] = { 0, 0, 1, 2, 4, 8, 0, 0, 8, 16 };

	if (type >= ARRAY_SIZE(fixed))
		return SIZE_MAX;
	if (type != 6 && type != 7)
		return fixed[type];
	if (left < 2)
		return SIZE_MAX;
	return 2 + ((size_t)(unsigned char)at[0] << 8 | (unsigned char)at[1]);
}

static bool take_header(const char *name, size_t name_bytes, const char *value,
			size_t value_length, struct eventstream_event *ev)
{
	static const struct {
		const char *name;
		bool failure;
	} rows[] = { { ":event-type", false },
		     { ":exception-type", true },
		     { ":error-code", true } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strlen(rows[i].name) != name_bytes ||
		    memcmp(rows[i].name, name, name_bytes) != 0)
			continue;
		if (value_length > EVENTSTREAM_NAME_MAX ||
		    memchr(value, '\0', value_length))
			return false;
		memcpy(ev->type, value, value_length);
		ev->type[value_length] = '\0';
		ev->is_failure = rows[i].failure;
	}
	return true;
}

static bool read_headers(const char *at, size_t left, struct eventstream_event *ev)
{
	while (left > 0) {
		size_t name = (unsigned char)at[0];

		if (name == 0 || left < 1 + name + 1)
			return false;
		unsigned type = (unsigned char)at[1 + name];
		const char *value = at + 2 + name;
		left -= 2 + name;
		size_t bytes = value_bytes(type, value, left);
		if (bytes > left)
			return false;
		if (type == 7 && !take_header(at + 1, name, value + 2, bytes - 2, ev))
			return false;
		at = value + bytes;
		left -= bytes;
	}
	return true;
}

/* ---- frames ---- */

static enum eventstream_got bad(struct eventstream *s, struct error *err, const char *why)
{
	s->is_bad = true;
	error_set(err, ERR_INVALID_ARGUMENT, "an event stream with %s", why);
	return EVENTSTREAM_BAD;
}

enum eventstream_got eventstream_next(struct eventstream *s,
				      struct eventstream_event *ret, struct error *err)
{
	const char *at = s->bytes.data + s->done;
	size_t left = s->bytes.length - s->done;
	struct eventstream_event ev = { .type = "" };

	if (s->is_bad)
		return bad(s, err, "a fault before");
	if (left < PRELUDE_BYTES)
		return EVENTSTREAM_MORE;
	size_t total = get_u32(at), headers = get_u32(at + 4);
	if (get_u32(at + 8) != eventstream_crc(at, 8))
		return bad(s, err, "a wrong sum at a frame's beginning");
	if (total > EVENTSTREAM_FRAME_MAX || total < LEAST_BYTES ||
	    headers > total - LEAST_BYTES)
		return bad(s, err, "a length that no frame has");
	if (left < total)
		return EVENTSTREAM_MORE;
	if (get_u32(at + total - SUM_BYTES) != eventstream_crc(at, total - SUM_BYTES))
		return bad(s, err, "a wrong sum");
	if (!read_headers(at + PRELUDE_BYTES, headers, &ev))
		return bad(s, err, "headers that are none");
	ev.payload = at + PRELUDE_BYTES + headers;
	ev.length = total - LEAST_BYTES - headers;
	s->done += total;
	*ret = ev;
	return EVENTSTREAM_EVENT;
}
