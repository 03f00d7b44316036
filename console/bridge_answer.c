#include "console/bridge_answer.h"

#include "wire/sse.h"

void bridge_error(struct strbuf *lines, const json_t *id, int code, const char *message)
{
	jsonrpc_write_error(lines, id, code, message, NULL);
	strbuf_add_char(lines, '\n');
}

/* Between the tokens of a JSON text a line end is a space like any other. */
static void add_line(struct strbuf *lines, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		strbuf_add_char(lines,
				text[i] == '\n' || text[i] == '\r' ? ' ' : text[i]);
	strbuf_add_char(lines, '\n');
}

/* An error whose sender did not get as far as the id, given the id that it is about. */
static void add_error(struct strbuf *lines, const json_t *id, const json_t *error)
{
	const char *message = json_get_string(error, "message");
	int64_t code = json_get_int64(error, "code", JSONRPC_INTERNAL_ERROR);

	jsonrpc_write_error(lines, id,
			    code < INT32_MIN || code > INT32_MAX ? JSONRPC_INTERNAL_ERROR
								 : (int)code,
			    message ? message : "the server gave no reason",
			    json_object_get(error, "data"));
	strbuf_add_char(lines, '\n');
}

enum taken { TAKEN_ANSWER, TAKEN_NOTIFICATION, TAKEN_NOT };

/* One message of the server; anything but an answer to 'id' or a notification is dropped. */
static enum taken take(struct strbuf *lines, const json_t *id, const char *text,
		       size_t length)
{
	struct error why = ERROR_INIT;
	struct jsonrpc_message m;
	const json_t *its_id;
	json_auto_t *body = json_parse(text, length, JSON_SYNTAX, &why);

	if (!body || !jsonrpc_read(body, &m, &its_id, &why))
		return TAKEN_NOT;
	switch (m.kind) {
	case JSONRPC_REQUEST:
		return TAKEN_NOT;
	case JSONRPC_NOTIFICATION:
		add_line(lines, text, length);
		return TAKEN_NOTIFICATION;
	case JSONRPC_RESULT:
	case JSONRPC_ERROR:
		break;
	}
	if (m.kind == JSONRPC_ERROR && !m.id) {
		add_error(lines, id, m.error);
		return TAKEN_ANSWER;
	}
	if (!m.id || !json_equal(m.id, id))
		return TAKEN_NOT;
	add_line(lines, text, length);
	return TAKEN_ANSWER;
}

static bool take_events(struct strbuf *lines, const json_t *id, const struct strbuf *body)
{
	_cleanup_sse_reader_ struct sse_reader r;
	struct error why = ERROR_INIT;
	struct sse_event e;

	sse_reader_init(&r, body->length);
	sse_reader_feed(&r, body->data, body->length);
	while (sse_reader_next(&r, &e, &why) == SSE_EVENT)
		if (e.length > 0 && take(lines, id, e.data, e.length) == TAKEN_ANSWER)
			return true;
	return false;
}

static void explain(struct strbuf *lines, const json_t *id, int status)
{
	char message[160];

	if (status == 401)
		(void)snprintf(message, sizeof message,
			       "the server does not accept the token; make one with "
			       "'wingman token new'");
	else if (status == 403)
		(void)snprintf(message, sizeof message, "the token does not allow this");
	else if (status >= 200 && status < 300)
		(void)snprintf(message, sizeof message,
			       "the server ended its answer before the result came");
	else
		(void)snprintf(message, sizeof message,
			       "the server answered with HTTP status %d", status);
	bridge_error(lines, id, JSONRPC_INTERNAL_ERROR, message);
}

void bridge_answer(struct strbuf *lines, const json_t *id,
		   const struct http_client_reply *reply)
{
	bool is_stream = strcmp(reply->content_type, "text/event-stream") == 0;

	if (is_stream ? take_events(lines, id, &reply->body)
		      : take(lines, id, reply->body.data, reply->body.length) ==
				TAKEN_ANSWER)
		return;
	explain(lines, id, reply->status);
}
