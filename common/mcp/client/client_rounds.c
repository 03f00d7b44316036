#include "mcp/client/client_private.h"

enum { ROUNDS_MAX = 16, INPUTS_MAX = 32, STATE_MAX = 1024 * 1024 };

/* ---- One question ---- */

json_t *client_answer(struct mcp_client *c, const char *method, const json_t *params,
		      struct error *err)
{
	const struct mcp_client_hooks *h = &c->hooks;
	json_t *answer = NULL;

	if (strcmp(method, "elicitation/create") == 0 &&
	    (h->elicit_form || h->elicit_url))
		answer = client_elicit(h, params, err);
	else if (strcmp(method, "sampling/createMessage") == 0 && h->sample)
		answer = h->sample(h->context, params, err);
	else if (strcmp(method, "roots/list") == 0 && h->roots)
		answer = h->roots(h->context, params, err);
	else
		error_set(err, ERR_NOT_FOUND,
			  "the server asks for what it was not offered");
	if (!answer)
		error_set(err, ERR_INTERNAL, "there is no answer for the server");
	return answer;
}

void client_serve(struct mcp_client *c, const struct jsonrpc_message *m,
		  struct strbuf *ret)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;
	json_auto_t *result = strcmp(m->method, "ping") == 0
				      ? json_object()
				      : client_answer(c, m->method, m->params, &err);

	if (result && json_write(&text, result, &err) && strbuf_ok(&text)) {
		jsonrpc_write_result(ret, m->id, text.data, text.length);
		return;
	}
	jsonrpc_write_error(ret, m->id,
			    err.code == ERR_NOT_FOUND          ? JSONRPC_METHOD_NOT_FOUND
			    : err.code == ERR_INVALID_ARGUMENT ? JSONRPC_INVALID_PARAMS
							       : JSONRPC_INTERNAL_ERROR,
			    err.message, NULL);
}

void client_notified(struct mcp_client *c, const struct jsonrpc_message *m)
{
	client_cache_drop(c, m->method);
	if (c->hooks.notification)
		c->hooks.notification(c->hooks.context, m->method, m->params);
}

/* ---- Rounds ---- */

static bool has_hooks(const struct mcp_client *c)
{
	return c->hooks.elicit_form || c->hooks.elicit_url || c->hooks.sample ||
	       c->hooks.roots;
}

static bool is_input_required(const json_t *result)
{
	const char *type = json_get_string(result, "resultType");

	return type && strcmp(type, "input_required") == 0;
}

/* All of them, before anything is sent (C-13). */
static json_t *answer_all(struct mcp_client *c, json_t *questions, struct error *err)
{
	json_auto_t *answers = json_object();
	const char *key;
	const json_t *question;

	if (json_object_size(questions) > INPUTS_MAX) {
		error_set(err, ERR_INVALID_ARGUMENT, "the server asks too much at once");
		return NULL;
	}
	json_object_foreach(questions, key, question)
	{
		const char *method = json_get_string(question, "method");

		if (!method) {
			error_set(err, ERR_INVALID_ARGUMENT,
				  "the server asks what is no question");
			return NULL;
		}
		json_t *answer = client_answer(c, method,
					       json_object_get(question, "params"), err);
		if (!answer)
			return NULL;
		if (json_object_set_new(answers, key, answer) != 0) {
			error_oom(err);
			return NULL;
		}
	}
	return TAKE(answers);
}

/* What the next sending has besides the params of the first. */
static bool add_round(struct mcp_client *c, struct client_request *r,
		      const json_t *result, struct error *err)
{
	json_t *questions = json_object_get(result, "inputRequests");
	const json_t *state = json_object_get(result, "requestState");

	if ((questions && !json_is_object(questions)) ||
	    (state && !json_is_string(state)) || (!questions && !state) ||
	    json_string_length(state) > STATE_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the server wants input and does not say which");
	if (questions) {
		json_auto_t *answers = answer_all(c, questions, err);

		if (!answers)
			return false;
		strbuf_add_string(&r->params, ",\"inputResponses\":");
		if (!json_write(&r->params, answers, err))
			return false;
	}
	if (state) { /* byte for byte, and only if there was one (C-12) */
		strbuf_add_string(&r->params, ",\"requestState\":");
		strbuf_add_json_string(&r->params, json_string_value(state),
				       json_string_length(state));
	}
	return true;
}

json_t *client_rounds(struct mcp_client *c, struct client_request *r, struct error *err)
{
	size_t length = r->params.length;

	for (int round = 0; round < ROUNDS_MAX; round++) {
		json_auto_t *result = client_send(c, r, err);

		if (!is_input_required(result) || !has_hooks(c))
			return TAKE(result);
		strbuf_truncate(&r->params, length);
		if (!add_round(c, r, result, err))
			return NULL;
	}
	error_set(err, ERR_INVALID_ARGUMENT, "the server's questions have no end");
	return NULL;
}
