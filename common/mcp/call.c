#include "mcp/call.h"

#include <math.h>

#include "mcp/serving.h"

void mcp_call_done(struct mcp_call *call)
{
	json_decref(call->error_details);
	call->error_details = NULL;
}

const json_t *mcp_call_arguments(const struct mcp_call *call)
{
	return call->arguments;
}

const struct plan *mcp_call_plan(const struct mcp_call *call)
{
	return call->plan;
}

const char *mcp_call_uri(const struct mcp_call *call)
{
	return call->uri;
}

void *mcp_call_context(const struct mcp_call *call)
{
	return call->context;
}

const char *mcp_call_requester(const struct mcp_call *call)
{
	return call->requester;
}

static bool is_text(const json_t *object, const char *name, const char *wanted)
{
	const char *text = json_get_string(object, name);

	return text && strcmp(text, wanted) == 0;
}

const char *mcp_call_assume(const struct mcp_call *call, struct plan *plan,
			    const char *system, const char *target)
{
	const char *to = NULL;
	int64_t from_call = 0, from_effect = 0;
	size_t i, j;
	json_t *earlier, *effect;

	json_array_foreach(call->assumes, i, earlier)
	{
		json_array_foreach(json_object_get(earlier, "effects"), j, effect)
		{
			if (!is_text(effect, "system", system) ||
			    !is_text(effect, "target", target))
				continue;
			to = json_get_string(effect, "to");
			from_call = json_get_int64(earlier, "call", 0);
			from_effect = (int64_t)j;
		}
	}
	if (to)
		plan_assumes(plan, from_call, from_effect);
	return to;
}

const char *mcp_call_approval(const struct mcp_call *call)
{
	return call->approval;
}

const char *mcp_call_approvers(const struct mcp_call *call)
{
	return call->approvers;
}

int64_t mcp_call_now_ms(const struct mcp_call *call)
{
	return call->now_ms;
}

int64_t mcp_call_deadline_ms(const struct mcp_call *call)
{
	return call->deadline_ms;
}

bool mcp_call_cancelled(const struct mcp_call *call)
{
	/* 'cancelled' is NULL after a burn, and then a disconnect does not count either. */
	return call->cancelled && (atomic_load(call->cancelled) ||
				   (call->exchange && exchange_is_gone(call->exchange)));
}

const char *mcp_call_string(const struct mcp_call *call, const char *name,
			    const char *fallback)
{
	const char *text = json_get_string(call->arguments, name);

	return text ? text : fallback;
}

int64_t mcp_call_int64(const struct mcp_call *call, const char *name, int64_t fallback)
{
	const json_t *value = json_object_get(call->arguments, name);

	if (json_is_integer(value))
		return json_integer_value(value);
	/* JSON Schema's integers include 1.0 and 1e2. */
	if (json_is_real(value) &&
	    fabs(json_real_value(value)) <= (double)JSON_INTEGER_MAX &&
	    trunc(json_real_value(value)) == json_real_value(value))
		return (int64_t)json_real_value(value);
	return fallback;
}

bool mcp_call_bool(const struct mcp_call *call, const char *name, bool fallback)
{
	const json_t *value = json_object_get(call->arguments, name);

	return json_is_boolean(value) ? json_is_true(value) : fallback;
}

void mcp_call_error_details(struct mcp_call *call, json_t *details)
{
	json_decref(call->error_details);
	call->error_details = details;
}
