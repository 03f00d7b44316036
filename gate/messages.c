#include "gate/messages.h"

#include <string.h>

#include "base/cleanup.h"

static const char *const names[] = {
	[MSG_HELLO] = "hello",
	[MSG_PROPOSE] = "propose",
	[MSG_SHOW] = "show",
	[MSG_LIST] = "list",
	[MSG_DECIDE] = "decide",
	[MSG_CANCEL] = "cancel",
	[MSG_REVOKE] = "revoke",
	[MSG_WATCH] = "watch",
	[MSG_NOTICES] = "notices",
	[MSG_READ] = "read",
	[MSG_TOOLS] = "tools",
	[MSG_EXPLAIN] = "explain",
	[MSG_PINS] = "pins",
	[MSG_PROPOSE_GATE] = "propose_gate",
	[MSG_SET_PIN] = "set_pin",
	[MSG_EMERGENCY] = "emergency",
	[MSG_EMERGENCIES] = "emergencies",
	[MSG_REVIEW] = "review",
	[MSG_STATUS] = "status",
	[MSG_CONTEXT] = "context",
	[MSG_FETCH] = "fetch",
	[MSG_FETCHED] = "fetched",
	[MSG_CHANGED] = "changed",
	[MSG_SLACK_WHO] = "slack_who",
	[MSG_SLACK_TURN] = "slack_turn",
	[MSG_SLACK_PROPOSE] = "slack_propose",
	[MSG_SLACK_OPEN] = "slack_open",
	[MSG_SLACK_POSTED] = "slack_posted",
	[MSG_SLACK_CLICK] = "slack_click",
	[MSG_REPLY] = "reply",
	[MSG_EVENT] = "event",
	[MSG_NOTICE] = "notice",
	[MSG_PLAN] = "plan",
	[MSG_EXECUTE] = "execute",
	[MSG_DEFINITIONS] = "definitions",
	[MSG_PROBE] = "probe",
	[MSG_MEMBERS] = "members",
	[MSG_ANSWER] = "answer",
	[MSG_PLANNED] = "planned",
	[MSG_EXECUTED] = "executed",
	[MSG_DEFINED] = "defined",
	[MSG_PROBED] = "probed",
	[MSG_MEMBERED] = "membered",
	[MSG_REGISTER] = "register",
	[MSG_OUTCOME] = "outcome",
	[MSG_WITHDRAW] = "withdraw",
	[MSG_NEWS] = "news",
	[MSG_PROGRESS] = "progress",
	[MSG_STORE] = "store",
	[MSG_PAGE] = "page",
	[MSG_LISTENING] = "listening",
};
_Static_assert(ARRAY_SIZE(names) == MSG_COUNT, "every message has a name");

const char *message_name(enum message m)
{
	return m < MSG_COUNT ? names[m] : "?";
}

enum message message_find(const char *name)
{
	for (size_t i = 0; i < MSG_COUNT; i++)
		if (strcmp(names[i], name) == 0)
			return (enum message)i;
	return MSG_COUNT;
}
