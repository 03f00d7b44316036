/* Questions of an exchange: what came with the request, and what goes out instead of a
 * result. */
#include "mcp/serving.h"

#include "base/clock.h"

static bool bind(const struct exchange *x, struct ask_binding *b, struct error *err)
{
	return ask_bind(b, x->caller.principal, x->caller.client,
			mcp_method_name(x->method), x->message.params, err);
}

bool questions_read(struct exchange *x, struct error *err)
{
	const json_t *params = x->message.params;
	const json_t *responses = json_object_get(params, "inputResponses");
	const json_t *state = json_object_get(params, "requestState");
	struct ask_binding b;

	if (x->session) { /* asked within the request, and nothing travels sealed */
		x->asking.capabilities = session_client(x->session).capabilities;
		x->asking.responses = x->responses;
		x->asking.is_allowed = true;
		return true;
	}
	x->asking.capabilities = json_object_get(json_object_get(params, "_meta"),
						 META_CLIENT_CAPABILITIES);
	x->asking.is_allowed = true;
	if (responses && !json_is_object(responses))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "params.inputResponses must be an object");
	x->asking.responses = responses;
	if (!state)
		return true;
	if (!json_is_string(state))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "params.requestState must be a string");
	return bind(x, &b, err) &&
	       ask_open(&x->asking, json_get_string(params, "requestState") ?: "", &b,
			x->service->state_key, clock_wall_ms(), err);
}

bool questions_seal(const struct exchange *x, char **ret, struct error *err)
{
	struct ask_binding b;

	return bind(x, &b, err) &&
	       ask_seal(&x->asking, &b, x->service->state_key, clock_wall_ms(), ret, err);
}

bool questions_put(struct exchange *x, struct mcp_result *r, struct error *err)
{
	struct asking *a = &x->asking;

	if (!ask_is_open(a))
		return false;
	if (a->is_broken)
		return error_set(err, ERR_INTERNAL,
				 "its questions could not be written, or are too many");
	if (a->is_asked_in_vain)
		return error_set(err, ERR_INTERNAL,
				 "it asks where nobody can answer: what runs with an "
				 "approval may not");
	if (json_object_size(a->missing) > 0) {
		r->missing = json_incref(a->missing);
		return true;
	}
	if (x->is_task || x->session) { /* keeps the answers itself */
		r->input_requests = json_incref(a->requests);
		return true;
	}
	if (!questions_seal(x, &r->request_state, err))
		return false;
	r->input_requests = json_incref(a->requests);
	return true;
}
