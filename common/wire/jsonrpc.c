#include "wire/jsonrpc.h"

static bool is_id(const json_t *value)
{
	return json_is_string(value) || json_is_integer(value);
}

static bool invalid(struct error *err, const char *why)
{
	return error_set(err, ERR_INVALID_ARGUMENT, "%s", why);
}

static bool read_call(const json_t *body, const json_t *method, struct jsonrpc_message *m,
		      struct error *err)
{
	m->kind = m->id ? JSONRPC_REQUEST : JSONRPC_NOTIFICATION;
	m->method = json_string_value(method);
	m->params = json_object_get(body, "params");
	if (!m->method)
		return invalid(err, "'method' must be a string");
	if (strlen(m->method) != json_string_length(method))
		return invalid(err, "'method' must not contain NUL");
	if (m->params && !json_is_object(m->params))
		return invalid(err, "'params' must be an object");
	return true;
}

static bool read_error(struct jsonrpc_message *m, struct error *err)
{
	m->kind = JSONRPC_ERROR;
	if (!json_is_integer(json_object_get(m->error, "code")) ||
	    !json_is_string(json_object_get(m->error, "message")))
		return invalid(
			err,
			"'error' must have an integer 'code' and a string 'message'");
	return true;
}

static bool read_answer(const json_t *body, struct jsonrpc_message *m, struct error *err)
{
	m->result = json_object_get(body, "result");
	m->error = json_object_get(body, "error");
	if (!m->result && !m->error)
		return invalid(err, "one of 'method', 'result' and 'error' is needed");
	if (m->result && m->error)
		return invalid(err, "'result' and 'error' exclude each other");
	if (m->error)
		return read_error(m, err);
	m->kind = JSONRPC_RESULT;
	if (!m->id)
		return invalid(err, "a result needs the 'id' of its request");
	if (!json_is_object(m->result))
		return invalid(err, "'result' must be an object");
	return true;
}

bool jsonrpc_read(const json_t *body, struct jsonrpc_message *ret, const json_t **ret_id,
		  struct error *err)
{
	const json_t *id = json_object_get(body, "id");
	const json_t *method = json_object_get(body, "method");
	const json_t *version = json_object_get(body, "jsonrpc");
	struct jsonrpc_message m = { .id = is_id(id) ? id : NULL };

	*ret_id = m.id;
	if (json_is_array(body))
		return invalid(err, "batches are not supported");
	if (!json_is_object(body))
		return invalid(err, "a message must be an object");
	if (json_string_length(version) != 3 ||
	    strcmp(json_string_value(version), "2.0") != 0)
		return invalid(err, "'jsonrpc' must be \"2.0\"");
	/* older peers send an error about an unreadable request with "id":null */
	if (id && !m.id &&
	    !(json_is_null(id) && !method && json_object_get(body, "error")))
		return invalid(err, "'id' must be a string or an integer");
	if (method && (json_object_get(body, "result") || json_object_get(body, "error")))
		return invalid(err, "a message is either a call or an answer");
	if (!(method ? read_call(body, method, &m, err) : read_answer(body, &m, err)))
		return false;
	*ret = m;
	return true;
}

void jsonrpc_write_id(struct strbuf *sb, const json_t *id)
{
	if (json_is_integer(id))
		strbuf_add_int64(sb, json_integer_value(id));
	else if (json_is_string(id))
		strbuf_add_json_string(sb, json_string_value(id), json_string_length(id));
	else
		strbuf_add(sb, "null", 4);
}

#define ADD(sb, literal) strbuf_add((sb), (literal), sizeof(literal) - 1)

void jsonrpc_write_result(struct strbuf *sb, const json_t *id, const char *result,
			  size_t length)
{
	(void)strbuf_reserve(sb, length + 96); /* one allocation instead of several */
	ADD(sb, "{\"jsonrpc\":\"2.0\",\"id\":");
	jsonrpc_write_id(sb, id);
	ADD(sb, ",\"result\":");
	strbuf_add(sb, result, length);
	ADD(sb, "}");
}

void jsonrpc_write_error(struct strbuf *sb, const json_t *id, int code,
			 const char *message, const json_t *data)
{
	struct error unfit = ERROR_INIT;

	ADD(sb, "{\"jsonrpc\":\"2.0\"");
	if (id) {
		ADD(sb, ",\"id\":");
		jsonrpc_write_id(sb, id);
	}
	ADD(sb, ",\"error\":{\"code\":");
	strbuf_add_int64(sb, code);
	ADD(sb, ",\"message\":");
	strbuf_add_json_string(sb, message, strlen(message));
	if (data) {
		ADD(sb, ",\"data\":");
		if (!json_write(sb, data, &unfit))
			sb->failed =
				true; /* half a message must not be taken for a whole one */
	}
	ADD(sb, "}}");
}
