#include "api/slack/slack_methods.h"

#include <string.h>

static const struct slack_method methods[] = {
	{ .name = "auth.test", .reads = true },
	{ .name = "users.list", .reads = true },
	{ .name = "users.info", .reads = true },
	{ .name = "users.lookupByEmail", .reads = true },
	{ .name = "usergroups.list", .reads = true },
	{ .name = "usergroups.users.list", .reads = true },
	{ .name = "conversations.info", .reads = true },
	{ .name = "conversations.members", .reads = true },
	{ .name = "conversations.history", .reads = true },
	{ .name = "conversations.replies", .reads = true },
	{ .name = "chat.getPermalink", .reads = true },
	{ .name = "admin.users.session.list", .reads = true },
	/* It asks for an address alone; one more does no harm. */
	{ .name = "files.getUploadURLExternal", .reads = true },
	{ .name = "conversations.open", .may_repeat = true },
	{ .name = "views.publish", .may_repeat = true },
	{ .name = "views.update", .may_repeat = true },
	{ .name = "admin.users.session.reset", .may_repeat = true },
	{ .name = "chat.postMessage", .is_per_channel = true },
	{ .name = "chat.postEphemeral", .is_per_channel = true },
	/* The same text again is the same message. */
	{ .name = "chat.update", .may_repeat = true, .is_per_channel = true },
	/* What is closed already is said to be. */
	{ .name = "chat.stopStream", .may_repeat = true },
	{ .name = "assistant.threads.setStatus", .may_repeat = true },
	{ .name = "assistant.threads.setSuggestedPrompts", .may_repeat = true },
	{ .name = "agents.sessions.setStatus", .may_repeat = true },
};

const struct slack_method *slack_method_find(const char *name)
{
	static const struct slack_method unknown = { .name = "" };

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (strcmp(methods[i].name, name) == 0)
			return &methods[i];
	return &unknown;
}

#define TOKEN_HINT "look at the token that Wingman was given for Slack"

static const struct slack_error errors[] = {
	{ "ratelimited", REST_LATER, ERR_RATE_LIMITED, NULL },
	{ "rate_limited", REST_LATER, ERR_RATE_LIMITED, NULL },
	{ "internal_error", REST_BROKEN, ERR_BACKEND_UNAVAILABLE, NULL },
	{ "fatal_error", REST_BROKEN, ERR_BACKEND_UNAVAILABLE, NULL },
	{ "service_unavailable", REST_BROKEN, ERR_BACKEND_UNAVAILABLE, NULL },
	{ "request_timeout", REST_BROKEN, ERR_BACKEND_UNAVAILABLE, NULL },
	{ "invalid_auth", REST_FAILED, ERR_PERMISSION_DENIED, TOKEN_HINT },
	{ "not_authed", REST_FAILED, ERR_PERMISSION_DENIED, TOKEN_HINT },
	{ "token_revoked", REST_FAILED, ERR_PERMISSION_DENIED, TOKEN_HINT },
	{ "token_expired", REST_FAILED, ERR_PERMISSION_DENIED, TOKEN_HINT },
	{ "account_inactive", REST_FAILED, ERR_PERMISSION_DENIED, TOKEN_HINT },
	{ "not_allowed_token_type", REST_FAILED, ERR_PERMISSION_DENIED,
	  "this wants another kind of token" },
	{ "missing_scope", REST_FAILED, ERR_PERMISSION_DENIED, NULL },
	{ "no_permission", REST_FAILED, ERR_PERMISSION_DENIED, NULL },
	{ "access_denied", REST_FAILED, ERR_PERMISSION_DENIED, NULL },
	{ "not_an_admin", REST_FAILED, ERR_PERMISSION_DENIED, NULL },
	{ "ekm_access_denied", REST_FAILED, ERR_PERMISSION_DENIED, NULL },
	{ "feature_not_enabled", REST_FAILED, ERR_PERMISSION_DENIED,
	  "the workspace's plan does not have this" },
	{ "plan_upgrade_required", REST_FAILED, ERR_PERMISSION_DENIED,
	  "the workspace's plan does not have this" },
	{ "user_not_found", REST_FAILED, ERR_NOT_FOUND, NULL },
	{ "users_not_found", REST_FAILED, ERR_NOT_FOUND, NULL },
	{ "user_not_visible", REST_FAILED, ERR_NOT_FOUND, NULL },
	{ "channel_not_found", REST_FAILED, ERR_NOT_FOUND, NULL },
	{ "message_not_found", REST_FAILED, ERR_NOT_FOUND, NULL },
	{ "no_such_subteam", REST_FAILED, ERR_NOT_FOUND, NULL },
	{ "subteam_not_found", REST_FAILED, ERR_NOT_FOUND, NULL },
	{ "view_not_found", REST_FAILED, ERR_NOT_FOUND, NULL },
	{ "not_found", REST_FAILED, ERR_NOT_FOUND, NULL },
	{ "hash_conflict", REST_FAILED, ERR_CONFLICT, NULL },
	{ "invalid_arguments", REST_FAILED, ERR_INVALID_ARGUMENT, NULL },
	{ "missing_argument", REST_FAILED, ERR_INVALID_ARGUMENT, NULL },
	{ "invalid_blocks", REST_FAILED, ERR_INVALID_ARGUMENT, NULL },
	{ "invalid_blocks_format", REST_FAILED, ERR_INVALID_ARGUMENT, NULL },
	{ "msg_blocks_too_long", REST_FAILED, ERR_INVALID_ARGUMENT, NULL },
	{ "msg_too_long", REST_FAILED, ERR_INVALID_ARGUMENT, NULL },
	{ "view_too_large", REST_FAILED, ERR_INVALID_ARGUMENT, NULL },
	{ "no_text", REST_FAILED, ERR_INVALID_ARGUMENT, NULL },
	{ "unknown_method", REST_FAILED, ERR_INVALID_ARGUMENT, NULL },
};

const struct slack_error *slack_error_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (strcmp(errors[i].name, name) == 0)
			return &errors[i];
	return NULL;
}
