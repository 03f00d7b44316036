#include "mcp/outlet.h"

#include "wire/sse.h"

enum { ID_BYTES = 48 };

struct outlet_event {
	STAILQ_ENTRY(outlet_event) next;
	int64_t number;
	enum outlet_kind kind;
	size_t bytes;
	struct shared_bytes *text; /* as it goes out, id line included */
};

void outlet_init(struct outlet *c, int64_t number)
{
	*c = (struct outlet){ .number = number };
	STAILQ_INIT(&c->events);
}

static void forget(struct outlet *c, struct outlet_event *e)
{
	STAILQ_REMOVE(&c->events, e, outlet_event, next);
	c->count--;
	c->bytes -= e->bytes;
	shared_bytes_unref(e->text);
	free(e);
}

void outlet_hang_up(struct outlet *c)
{
	if (!c->stream)
		return;
	http_stream_end(c->stream);
	http_stream_unref(TAKE(c->stream));
}

void outlet_done(struct outlet *c)
{
	struct outlet_event *e;

	outlet_hang_up(c);
	while ((e = STAILQ_FIRST(&c->events)))
		forget(c, e);
}

/* ---- Ids ---- */

static void write_id(char id[static ID_BYTES], int64_t outlet, int64_t number)
{
	(void)snprintf(id, ID_BYTES, "%lld:%lld", (long long)outlet, (long long)number);
}

bool outlet_read_id(const char *text, int64_t *ret_outlet, int64_t *ret_number)
{
	char expected[ID_BYTES];
	char *last = NULL;
	const char *colon = strchr(text, ':');

	if (!colon)
		return false;
	int64_t outlet = strtoll(text, &last, 10), number = strtoll(colon + 1, NULL, 10);
	/* Written again, so that only our own way to write it counts. */
	write_id(expected, outlet, number);
	if (outlet <= 0 || number < 0 || strcmp(text, expected) != 0)
		return false;
	*ret_outlet = outlet;
	*ret_number = number;
	return true;
}

static const struct outlet_event *newest(const struct outlet *c)
{
	const struct outlet_event *e, *last = NULL;

	STAILQ_FOREACH(e, &c->events, next)
	{
		last = e;
	}
	return last;
}

bool outlet_has_newest(const struct outlet *c)
{
	const struct outlet_event *e = newest(c);

	return c->sent == c->last || (e && e->number == c->last);
}

bool outlet_can_resume(const struct outlet *c, int64_t number)
{
	const struct outlet_event *first = STAILQ_FIRST(&c->events), *last = newest(c);

	if (c->is_bare || number > c->last)
		return false;
	if (number == c->last)
		return true;
	if (c->number == OUTLET_STANDING)
		return first && number + 1 >= first->number;
	/* A request's response is yet to come, or is here; what it said beside may be lost. */
	return !c->is_over || (last && last->number == c->last);
}

/* ---- Sending ---- */

static struct shared_bytes *format(const struct outlet *c, int64_t number,
				   const char *data, size_t length, int64_t retry_ms)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	char id[ID_BYTES];

	write_id(id, c->number, number);
	sse_write(&sb, length > 0 ? "message" : NULL, c->is_bare ? NULL : id, retry_ms,
		  data, length);
	return shared_bytes_take(&sb);
}

/* Whether there is a connection, and it took the text. */
static bool send_text(struct outlet *c, struct shared_bytes *text)
{
	if (c->stream && http_stream_send(c->stream, text))
		return true;
	outlet_hang_up(c);
	return false;
}

static void send_events(struct outlet *c)
{
	struct outlet_event *e;

	STAILQ_FOREACH(e, &c->events, next)
	{
		if (e->number <= c->sent)
			continue;
		if (!send_text(c, e->text))
			return;
		c->sent = e->number;
	}
}

static bool say_bare(struct outlet *c, const char *message, size_t length)
{
	_cleanup_(shared_bytes_unrefp) struct shared_bytes *text =
		format(c, 0, message, length, -1);

	return text && send_text(c, text);
}

bool outlet_say(struct outlet *c, enum outlet_kind kind, const char *message,
		size_t length)
{
	if (c->is_bare)
		return say_bare(c, message, length);
	struct outlet_event *e = calloc(1, sizeof *e);
	if (!e)
		return false;
	e->number = c->last + 1;
	e->kind = kind;
	e->bytes = length;
	e->text = format(c, e->number, message, length, -1);
	if (!e->text) {
		free(e);
		return false;
	}
	c->last = e->number;
	STAILQ_INSERT_TAIL(&c->events, e, next);
	c->count++;
	c->bytes += length;
	send_events(c);
	return true;
}

void outlet_trim(struct outlet *c, size_t count_max, size_t bytes_max)
{
	while (c->count > count_max || c->bytes > bytes_max) {
		struct outlet_event *e;

		STAILQ_FOREACH(e, &c->events, next)
		{
			if (e->kind == OUTLET_LIGHT)
				break;
		}
		if (!e && !(e = STAILQ_FIRST(&c->events)))
			return;
		forget(c, e);
	}
}

bool outlet_has_unsent(const struct outlet *c, const char *message, size_t length)
{
	const struct outlet_event *e;

	STAILQ_FOREACH(e, &c->events, next)
	{
		size_t bytes;
		const char *text = shared_bytes_text(e->text, &bytes);

		if (e->number > c->sent && e->bytes == length &&
		    memmem(text, bytes, message, length))
			return true;
	}
	return false;
}

void outlet_finish(struct outlet *c)
{
	c->is_over = true;
	outlet_hang_up(c);
}

static void prime(struct outlet *c)
{
	_cleanup_(shared_bytes_unrefp) struct shared_bytes *text =
		format(c, c->sent, "", 0, OUTLET_RETRY_MS);

	if (text)
		(void)send_text(c, text);
}

void outlet_attach(struct outlet *c, struct http_stream *stream, int64_t number)
{
	outlet_hang_up(c);
	c->stream = stream;
	/* Judged before; what was forgotten since then is gone. */
	if (number >= 0 && outlet_can_resume(c, number))
		c->sent = number;
	if (c->is_primed && !c->is_bare)
		prime(c);
	send_events(c);
	if (c->is_over)
		outlet_hang_up(c);
}
