#include "assistant/messages.h"

#include <string.h>

#include "base/cleanup.h"

static const char *const names[] = {
	[ASSISTANT_BEGIN] = "begin",     [ASSISTANT_TURN] = "turn",
	[ASSISTANT_RESULT] = "result",   [ASSISTANT_CONTENT] = "content",
	[ASSISTANT_STOP] = "stop",       [ASSISTANT_SAY] = "say",
	[ASSISTANT_PROPOSE] = "propose", [ASSISTANT_READ] = "read",
	[ASSISTANT_DONE] = "done",       [ASSISTANT_FAILED] = "failed",
	[ASSISTANT_REQUEST] = "request", [ASSISTANT_DROP] = "drop",
	[ASSISTANT_WAITING] = "waiting", [ASSISTANT_STATUS] = "status",
	[ASSISTANT_CHUNK] = "chunk",     [ASSISTANT_ENDED] = "ended",
	[ASSISTANT_READY] = "ready",
};
_Static_assert(ARRAY_SIZE(names) == ASSISTANT_MESSAGE_COUNT, "every message has a name");

static const char *const codes[] = {
	[ASSISTANT_OK] = "ok",
	[ASSISTANT_STOPPED] = "stopped",
	[ASSISTANT_MODEL_DOWN] = "model_down",
	[ASSISTANT_MODEL_BUSY] = "model_busy",
	[ASSISTANT_MODEL_REFUSED] = "model_refused",
	[ASSISTANT_MODEL_UNPAID] = "model_unpaid",
	[ASSISTANT_MODEL_BROKEN] = "model_broken",
	[ASSISTANT_TOO_LONG] = "too_long",
	[ASSISTANT_LIMIT_TIME] = "limit_time",
	[ASSISTANT_LIMIT_REQUESTS] = "limit_requests",
	[ASSISTANT_LIMIT_TEXT] = "limit_text",
	[ASSISTANT_LIMIT_TOKENS] = "limit_tokens",
	[ASSISTANT_NOT_ALLOWED] = "not_allowed",
	[ASSISTANT_BUDGET_SPENT] = "budget_spent",
	[ASSISTANT_BUDGET_UNKNOWN] = "budget_unknown",
	[ASSISTANT_FAULT] = "fault",
};
_Static_assert(ARRAY_SIZE(codes) == ASSISTANT_CODE_COUNT, "every code has a name");

const char *assistant_message_name(enum assistant_message m)
{
	return m < ASSISTANT_MESSAGE_COUNT ? names[m] : "?";
}

enum assistant_message assistant_message_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name) == 0)
			return (enum assistant_message)i;
	return ASSISTANT_MESSAGE_COUNT;
}

const char *assistant_code_name(enum assistant_code code)
{
	return code < ASSISTANT_CODE_COUNT ? codes[code] : "?";
}

enum assistant_code assistant_code_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (strcmp(codes[i], name) == 0)
			return (enum assistant_code)i;
	return ASSISTANT_CODE_COUNT;
}
