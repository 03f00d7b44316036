#include "mcp/bridge/bridge_answer.h"

void bridge_asked_done(struct bridge_asked *a)
{
	json_decref(a->open);
	a->open = NULL;
}

bool bridge_asked_add(struct bridge_asked *a, const json_t *id)
{
	json_t *copy = json_is_string(id) ? json_stringn(json_string_value(id),
							 json_string_length(id))
					  : json_integer(json_integer_value(id));

	if (!a->open)
		a->open = json_array();
	if (a->open)
		return json_array_append_new(a->open, copy) == 0;
	json_decref(copy);
	return false;
}

/* Whether 'id' waited; it does no more. */
static bool close_one(struct bridge_asked *a, const json_t *id)
{
	for (size_t i = 0; i < json_array_size(a->open); i++)
		if (json_equal(json_array_get(a->open, i), id))
			return json_array_remove(a->open, i) == 0;
	return false;
}

void bridge_answer_error(struct strbuf *lines, const json_t *id, int code,
			 const char *message)
{
	jsonrpc_write_error(lines, id, code, message, NULL);
	strbuf_add_char(lines, '\n');
}

/* Between the tokens of a JSON text a line end is a space like any other. */
static void add_line(struct strbuf *lines, const char *text, size_t length)
{
	size_t begin = lines->length;

	strbuf_add(lines, text, length);
	for (size_t i = begin; i < lines->length; i++)
		if (lines->data[i] == '\n' || lines->data[i] == '\r')
			lines->data[i] = ' ';
	strbuf_add_char(lines, '\n');
}

/* An error whose sender did not get as far as an id: it is about all that wait. */
static void spread_error(struct bridge_asked *a, const json_t *error,
			 struct strbuf *lines)
{
	const char *message = json_get_string(error, "message");
	int64_t code = json_get_int64(error, "code", JSONRPC_INTERNAL_ERROR);

	if (code < INT32_MIN || code > INT32_MAX)
		code = JSONRPC_INTERNAL_ERROR;
	for (size_t i = 0; i < json_array_size(a->open); i++) {
		jsonrpc_write_error(lines, json_array_get(a->open, i), (int)code,
				    message ? message : "the server gave no reason",
				    json_object_get(error, "data"));
		strbuf_add_char(lines, '\n');
	}
	(void)json_array_clear(a->open);
}

/* On stdio the end of listening is also told as a cancellation (PROTOCOL 10.1). */
static void say_listening_ends(const json_t *id, struct strbuf *lines)
{
	strbuf_add_string(lines, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
				 "cancelled\",\"params\":{\"requestId\":");
	jsonrpc_write_id(lines, id);
	strbuf_add_string(lines, "}}\n");
}

static void note_version(struct bridge_asked *a, const struct jsonrpc_message *m)
{
	const char *version = json_get_string(m->result, "protocolVersion");

	if (version && strlen(version) < sizeof a->version)
		(void)snprintf(a->version, sizeof a->version, "%s", version);
}

/* Whether the client may see this message. */
static bool is_fit(struct bridge_asked *a, const struct jsonrpc_message *m)
{
	switch (m->kind) {
	case JSONRPC_REQUEST:
		return a->is_legacy; /* a modern server has no business asking */
	case JSONRPC_NOTIFICATION:
		return true;
	case JSONRPC_RESULT:
	case JSONRPC_ERROR:
		break;
	}
	if (!m->id || !close_one(a, m->id))
		return false;
	if (a->is_initialize && m->kind == JSONRPC_RESULT)
		note_version(a, m);
	return true;
}

static void take_one(struct bridge_asked *a, const json_t *body, const char *text,
		     size_t length, struct strbuf *lines)
{
	struct error why = ERROR_INIT;
	struct jsonrpc_message m;
	const json_t *id;

	if (!jsonrpc_read(body, &m, &id, &why))
		return;
	if (m.kind == JSONRPC_ERROR && !m.id) {
		spread_error(a, m.error, lines);
		return;
	}
	if (!is_fit(a, &m))
		return;
	if (a->is_listen && m.kind == JSONRPC_RESULT)
		say_listening_ends(m.id, lines);
	add_line(lines, text, length);
}

/* Of an array the client sees what is fit, as an array. */
static void take_array(struct bridge_asked *a, json_t *body, struct strbuf *lines)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error why = ERROR_INIT;
	json_t *one;
	size_t i;

	json_array_foreach(body, i, one)
	{
		struct jsonrpc_message m;
		const json_t *id;
		bool good = jsonrpc_read(one, &m, &id, &why);

		/* An error without id is about a message that had none. */
		if (!good || !((m.kind == JSONRPC_ERROR && !m.id) || is_fit(a, &m)))
			continue;
		strbuf_add_char(&text, text.length ? ',' : '[');
		if (!json_write(&text, one, &why))
			text.failed = true;
	}
	if (text.length == 0)
		return;
	strbuf_add_string(&text, "]\n");
	strbuf_add(lines, text.data, text.length);
	lines->failed |= text.failed;
}

void bridge_answer_take(struct bridge_asked *a, const char *text, size_t length,
			struct strbuf *lines)
{
	struct error why = ERROR_INIT;
	json_auto_t *body = json_parse(text, length, JSON_SYNTAX, &why);

	if (body && json_is_array(body) && a->is_legacy)
		take_array(a, body, lines);
	else if (body)
		take_one(a, body, text, length, lines);
}

void bridge_answer_fail(struct bridge_asked *a, int code, const char *message,
			struct strbuf *lines)
{
	for (size_t i = 0; i < json_array_size(a->open); i++)
		bridge_answer_error(lines, json_array_get(a->open, i), code, message);
	(void)json_array_clear(a->open);
}

int64_t bridge_answer_code(const char *text, size_t length)
{
	struct error why = ERROR_INIT;
	json_auto_t *body = json_parse(text, length, JSON_SYNTAX, &why);

	return json_get_int64(json_object_get(body, "error"), "code", 0);
}
