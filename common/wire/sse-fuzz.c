/* A stream reads the same in one piece and in single bytes, within its limits; an event
 * that was read can be written, and reads as it was. */
#include "tests/fuzz/fuzz.h"

#include "wire/sse.h"

enum { DATA_MAX = 200 };

static void check_again(const struct sse_event *e)
{
	_cleanup_strbuf_ struct strbuf s = STRBUF_INIT;
	_cleanup_sse_reader_ struct sse_reader r;
	struct error err = ERROR_INIT;
	struct sse_event again;

	sse_write(&s, e->type, e->id, 7, e->data, e->length);
	/* a NUL cannot be in an id, but can in a type, which then ends there */
	if (!strbuf_ok(&s))
		abort();
	sse_reader_init(&r, DATA_MAX);
	sse_reader_feed(&r, s.data, s.length);
	if (sse_reader_next(&r, &again, &err) != SSE_EVENT ||
	    strcmp(again.type, *e->type ? e->type : "message") != 0 ||
	    strcmp(again.id, e->id) != 0 || again.length != e->length ||
	    memcmp(again.data, e->data, e->length) != 0 || r.retry_ms != 7 ||
	    sse_reader_next(&r, &again, &err) != SSE_MORE)
		abort();
}

/* All events and how it ended, as bytes to compare. */
static void read_all(const char *bytes, size_t length, size_t piece, struct strbuf *ret)
{
	_cleanup_sse_reader_ struct sse_reader r;
	struct error err = ERROR_INIT;
	enum sse_got got = SSE_MORE;
	struct sse_event e;

	sse_reader_init(&r, DATA_MAX);
	for (size_t at = 0; at < length && got != SSE_BAD; at += piece) {
		sse_reader_feed(&r, bytes + at,
				piece < length - at ? piece : length - at);
		while ((got = sse_reader_next(&r, &e, &err)) == SSE_EVENT) {
			if (e.length > DATA_MAX || strlen(e.id) > SSE_ID_MAX)
				abort();
			strbuf_add_format(ret, "%s %s %zu ", e.type, e.id, e.length);
			strbuf_add(ret, e.data, e.length);
			check_again(&e);
		}
	}
	if ((got == SSE_BAD) != error_is_set(&err))
		abort();
	strbuf_add_format(ret, "%d", got == SSE_BAD);
	if (got != SSE_BAD)
		strbuf_add_int64(ret, r.retry_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_strbuf_ struct strbuf whole = STRBUF_INIT, cut = STRBUF_INIT;

	read_all((const char *)data, size, size + 1, &whole);
	read_all((const char *)data, size, 1, &cut);
	if (whole.length != cut.length || memcmp(whole.data, cut.data, cut.length) != 0)
		abort();
	return 0;
}
