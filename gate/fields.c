#include "gate/fields.h"

#define AT(member) offsetof(struct fields, member)
#define NEED(name, type, member)                                                         \
	{                                                                                \
		name, JSON_FIELD_##type, AT(member), JSON_FIELD_REQUIRED                 \
	}
#define MAY(name, type, member)                                                          \
	{                                                                                \
		name, JSON_FIELD_##type, AT(member), 0                                   \
	}
/* Every frame says what it is; a surface's request has an id as well. */
#define FRAME NEED("m", STRING, m)
#define ASK   FRAME, NEED("id", ANY, id)
/* A request of Slack's. */
#define RAW                                                                              \
	NEED("raw", STRING, raw), MAY("timestamp", STRING, timestamp),                   \
		MAY("signature", STRING, signature)
#define END                                                                              \
	{                                                                                \
		0                                                                        \
	}
#define ROW(...)                                                                         \
	(const struct json_field[])                                                      \
	{                                                                                \
		__VA_ARGS__, END                                                         \
	}

static const struct json_field *const rows[MSG_COUNT] = {
	[MSG_HELLO] = ROW(ASK, NEED("v", INT64, v), MAY("surface", STRING, surface)),
	[MSG_PROPOSE] = ROW(
		ASK, MAY("tool", STRING, tool), MAY("arguments", OBJECT, arguments),
		MAY("calls", ARRAY, calls), MAY("words_from", ARRAY, words_from),
		MAY("conversation", STRING, conversation), MAY("sources", ARRAY, sources),
		MAY("model", STRING, model), MAY("choices", OBJECT, choices)),
	[MSG_SHOW] = ROW(ASK, NEED("approval", STRING, approval)),
	[MSG_LIST] = ROW(ASK, MAY("state", STRING, state), MAY("limit", INT64, limit)),
	[MSG_DECIDE] = ROW(ASK, NEED("approval", STRING, approval),
			   NEED("decision", STRING, decision),
			   NEED("shown", STRING, shown), MAY("pin", STRING, pin),
			   MAY("reason", STRING, reason)),
	[MSG_CANCEL] = ROW(ASK, NEED("approval", STRING, approval),
			   MAY("reason", STRING, reason)),
	[MSG_REVOKE] = ROW(ASK, NEED("approval", STRING, approval),
			   MAY("reason", STRING, reason)),
	[MSG_WATCH] = ROW(ASK, NEED("approval", STRING, approval)),
	[MSG_NOTICES] = ROW(ASK),
	[MSG_READ] = ROW(ASK, NEED("notice", STRING, notice)),
	[MSG_TOOLS] = ROW(ASK, MAY("server", STRING, server), MAY("as", STRING, as)),
	[MSG_EXPLAIN] = ROW(ASK, NEED("tool", STRING, tool), NEED("as", STRING, as),
			    MAY("arguments", OBJECT, arguments)),
	[MSG_PINS] = ROW(ASK, NEED("server", STRING, server)),
	[MSG_PROPOSE_GATE] = ROW(ASK, NEED("action", STRING, action),
				 NEED("arguments", OBJECT, arguments)),
	[MSG_SET_PIN] = ROW(ASK, MAY("pin", STRING, pin), MAY("old", STRING, old)),
	[MSG_EMERGENCY] = ROW(ASK, NEED("approval", STRING, approval),
			      NEED("shown", STRING, shown), NEED("word", STRING, word),
			      MAY("pin", STRING, pin)),
	[MSG_EMERGENCIES] = ROW(ASK),
	[MSG_REVIEW] = ROW(ASK, NEED("approval", STRING, approval),
			   MAY("reason", STRING, reason)),
	[MSG_STATUS] = ROW(ASK),
	[MSG_CONTEXT] = ROW(ASK, NEED("uri", STRING, uri), MAY("turn", STRING, turn)),
	[MSG_FETCH] = ROW(FRAME, NEED("approval", STRING, approval),
			  NEED("server", STRING, server), NEED("uri", STRING, uri),
			  NEED("ticket", STRING, ticket), MAY("listen", BOOL, listen)),
	[MSG_FETCHED] = ROW(FRAME, NEED("approval", STRING, approval),
			    MAY("result", OBJECT, result), MAY("error", OBJECT, error)),

	[MSG_SLACK_WHO] =
		ROW(ASK, NEED("user", STRING, user), MAY("reason", STRING, reason)),
	[MSG_SLACK_TURN] = ROW(ASK, RAW, MAY("begun", STRING, begun)),
	[MSG_SLACK_PROPOSE] =
		ROW(ASK, NEED("turn", STRING, turn), MAY("tool", STRING, tool),
		    MAY("arguments", OBJECT, arguments), MAY("calls", ARRAY, calls),
		    MAY("choices", OBJECT, choices), MAY("people", INT64, people),
		    MAY("outsiders", ANY, outsiders),
		    MAY("words_from", ARRAY, words_from), MAY("model", STRING, model),
		    MAY("sources", ARRAY, sources), MAY("approval", STRING, approval)),
	[MSG_SLACK_OPEN] = ROW(ASK),
	[MSG_SLACK_POSTED] = ROW(
		ASK, NEED("approval", STRING, approval), NEED("shown", STRING, shown),
		NEED("channel", STRING, channel), NEED("message_ts", STRING, message_ts),
		NEED("drawn_at", INT64, drawn_at), MAY("user", STRING, user)),
	[MSG_SLACK_CLICK] = ROW(ASK, RAW),

	[MSG_PLAN] = ROW(FRAME, NEED("approval", STRING, approval),
			 NEED("server", STRING, server), NEED("tool", STRING, tool),
			 NEED("arguments", STRING, arguments_text),
			 NEED("ticket", STRING, ticket),
			 MAY("request_state", STRING, request_state),
			 MAY("assumes", ARRAY, assumes)),
	[MSG_EXECUTE] = ROW(
		FRAME, NEED("approval", STRING, approval), NEED("server", STRING, server),
		NEED("tool", STRING, tool), NEED("arguments", STRING, arguments_text),
		MAY("request_state", STRING, request_state), NEED("grant", STRING, grant),
		MAY("look", BOOL, look), MAY("revoke", BOOL, revoke)),
	[MSG_DEFINITIONS] = ROW(FRAME, NEED("server", STRING, server)),
	[MSG_MEMBERS] = ROW(FRAME, MAY("approval", STRING, approval),
			    MAY("request", INT64, request), NEED("users", ARRAY, users)),
	[MSG_PROBE] = ROW(FRAME, NEED("url", STRING, url)),
	[MSG_ANSWER] = ROW(FRAME, NEED("request", INT64, request),
			   NEED("status", INT64, status), NEED("body", OBJECT, body)),

	[MSG_PLANNED] = ROW(
		FRAME, NEED("approval", STRING, approval), MAY("plan", OBJECT, plan),
		MAY("request_state", STRING, request_state), MAY("error", OBJECT, error)),
	[MSG_EXECUTED] = ROW(FRAME, NEED("approval", STRING, approval),
			     MAY("result", OBJECT, result), MAY("error", OBJECT, error),
			     MAY("sent", BOOL, sent), MAY("revoke", BOOL, revoke)),
	[MSG_PROGRESS] = ROW(FRAME, NEED("approval", STRING, approval),
			     NEED("body", OBJECT, body)),
	[MSG_DEFINED] = ROW(FRAME, NEED("server", STRING, server), NEED("up", BOOL, up),
			    MAY("tools", ARRAY, tools), MAY("error", OBJECT, error)),
	[MSG_CHANGED] =
		ROW(FRAME, NEED("server", STRING, server), NEED("uri", STRING, uri)),
	[MSG_MEMBERED] = ROW(FRAME, MAY("approval", STRING, approval),
			     MAY("request", INT64, request), MAY("users", ARRAY, users),
			     MAY("error", OBJECT, error)),
	[MSG_PROBED] = ROW(FRAME, NEED("up", BOOL, up)),
	[MSG_REGISTER] = ROW(FRAME, NEED("request", INT64, request),
			     NEED("server", STRING, server), NEED("body", OBJECT, body)),
	[MSG_OUTCOME] = ROW(
		FRAME, NEED("request", INT64, request), NEED("server", STRING, server),
		NEED("approval", STRING, approval), NEED("body", OBJECT, body)),
	[MSG_WITHDRAW] = ROW(
		FRAME, NEED("request", INT64, request), NEED("server", STRING, server),
		NEED("approval", STRING, approval), NEED("body", OBJECT, body)),
	[MSG_NEWS] = ROW(FRAME, NEED("request", INT64, request),
			 NEED("server", STRING, server),
			 NEED("approval", STRING, approval), NEED("body", OBJECT, body)),
	[MSG_STORE] = ROW(FRAME, NEED("request", INT64, request),
			  NEED("server", STRING, server), NEED("body", OBJECT, body)),
	[MSG_PAGE] =
		ROW(FRAME, NEED("request", INT64, request), NEED("page", STRING, page)),
	[MSG_LISTENING] = ROW(FRAME, NEED("url", STRING, url)),
};

bool fields_decode(enum message m, const json_t *message, struct fields *ret,
		   struct error *err)
{
	struct fields f = { 0 };
	char what[48];

	(void)snprintf(what, sizeof what, "gate message '%s'", message_name(m));
	if (m >= MSG_COUNT || !rows[m])
		return error_set(err, ERR_INVALID_ARGUMENT, "%s is not for this side",
				 what);
	if (!json_decode(message, rows[m], &f, what, err))
		return false;
	*ret = f;
	return true;
}

json_t *fields_error(const struct error *err, const json_t *details)
{
	json_auto_t *e = json_pack("{s:s, s:s}", "code", error_name(err->code), "message",
				   err->message);

	if (!e)
		return NULL;
	if (err->hint[0] && json_object_set_new(e, "hint", json_string(err->hint)) != 0)
		return NULL;
	if (details && json_object_set(e, "details", (json_t *)(uintptr_t)details) != 0)
		return NULL;
	return TAKE(e);
}
