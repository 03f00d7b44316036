#include "mcp/sse_read.h"

#include "wire/sse.h"

static json_t *parse_response(const struct sse_event *e)
{
	struct error why = ERROR_INIT;
	json_auto_t *value = json_parse(e->data, e->length, JSON_SYNTAX, &why);

	if (json_object_get(value, "result") || json_object_get(value, "error"))
		return TAKE(value);
	return NULL;
}

json_t *sse_read_response(const char *text, size_t length, struct error *err)
{
	_cleanup_sse_reader_ struct sse_reader r;
	struct sse_event e;
	json_t *found = NULL;

	sse_reader_init(&r, length);
	sse_reader_feed(&r, text, length);
	while (!found && sse_reader_next(&r, &e, err) == SSE_EVENT)
		if (e.length > 0)
			found = parse_response(&e);
	if (!found)
		error_set(err, ERR_INVALID_ARGUMENT,
			  "the stream ended before the response");
	return found;
}
