#include "conformance/rows.h"

#include <time.h>

#include "base/clock.h"

/* False: somebody cancelled. */
static bool sleep_for(const struct mcp_call *call, int64_t ms)
{
	const struct timespec time = { .tv_nsec = 20 * 1000 * 1000 };

	for (int64_t end_ms = clock_mono_ms() + ms; clock_mono_ms() < end_ms;) {
		if (mcp_call_cancelled(call))
			return false;
		(void)nanosleep(&time, NULL);
	}
	return true;
}

static json_t *one_field(const char *message, const char *field, const char *type)
{
	return mcp_ask_form(message, json_pack("{s:s, s:{s:{s:s}}, s:[s]}", "type",
					       "object", "properties", field, "type",
					       type, "required", field));
}

static const char *text_in(const json_t *answer, const char *field)
{
	return json_get_string(json_object_get(answer, "content"), field) ?: "";
}

bool greet(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	(void)err;
	mcp_result_text(r, "Hello, %s!", mcp_call_string(call, "name", ""));
	return true;
}

bool compute_slowly(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	int64_t seconds = mcp_call_int64(call, "seconds", 0);

	if (seconds > 0 && !mcp_call_as_task(call, false))
		return true;
	if (!sleep_for(call, seconds * 1000))
		return error_set(err, ERR_TIMEOUT, "cancelled");
	mcp_result_text(r, "%s: done.", mcp_call_string(call, "label", "slow_compute"));
	return true;
}

bool fail_as_task(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	(void)r;
	if (!mcp_call_as_task(call, true))
		return true;
	(void)sleep_for(call, 1000);
	return error_set(err, ERR_INTERNAL, "This job always fails.");
}

bool break_as_task(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	(void)err;
	if (mcp_call_as_task(call, true))
		mcp_result_protocol_error(r, -32603, "This job always breaks.");
	return true;
}

bool confirm_as_task(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	const json_t *answer;

	(void)err;
	if (!mcp_call_as_task(call, true))
		return true;
	answer = mcp_call_ask(call, "confirm",
			      one_field("Delete it?", "confirm", "boolean"));
	if (answer)
		mcp_result_text(r, "%s: %s.", mcp_call_string(call, "filename", ""),
				json_is_true(json_object_get(
					json_object_get(answer, "content"), "confirm"))
					? "deleted"
					: "kept");
	return true;
}

bool ask_twice_as_task(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	const json_t *first, *second;

	(void)err;
	if (!mcp_call_as_task(call, true))
		return true;
	/* The suite answers both alike, one after the other. */
	first = mcp_call_ask(call, "first", one_field("Who are you?", "name", "string"));
	second = mcp_call_ask(call, "second",
			      one_field("And who else?", "name", "string"));
	if (first && second)
		mcp_result_text(r, "%s and %s.", text_in(first, "name"),
				text_in(second, "name"));
	return true;
}

bool ask_then_task(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	const json_t *answer = mcp_call_ask(
		call, "user_name", one_field("What is your name?", "name", "string"));

	(void)err;
	if (answer && mcp_call_as_task(call, true))
		mcp_result_text(r, "Hello, %s!", text_in(answer, "name"));
	return true;
}
