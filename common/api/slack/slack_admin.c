/* What an owner's token can do: sessions, and SCIM v2. */
#include <string.h>

#include "api/slack/slack_private.h"

#define PATCH_SCHEMA "urn:ietf:params:scim:api:messages:2.0:PatchOp"

enum { EMAIL_MAX = 320 };

static const struct http_client_header headers[] = {
	{ "Accept", "application/scim+json, application/json" }, { 0 }
};

/* v2: {"schemas":[...Error],"detail":"...","status":"404"};
 * v1: {"Errors":{"description":"...","code":404}}. */
static void judge_scim(const struct http_client_reply *reply, const json_t *body,
		       struct rest_fault *f)
{
	const char *detail = json_get_string(body, "detail");

	(void)reply;
	if (f->verdict == REST_GOOD)
		return;
	if (!detail)
		detail = json_get_string(json_object_get(body, "Errors"), "description");
	rest_fault_name(f->name, json_get_string(body, "scimType"));
	rest_fault_text(f, detail);
}

const struct rest_vendor slack_scim_vendor = {
	.name = "Slack (SCIM)",
	.headers = headers,
	.judge = judge_scim,
};

bool slack_reset_sessions(struct slack *s, const char *user_id, bool mobile_only,
			  bool web_only, const struct rest_patience *patience,
			  struct error *err)
{
	_cleanup_slack_answer_ struct slack_answer a = SLACK_ANSWER_INIT;
	json_auto_t *arguments = json_pack("{s:s, s:b, s:b}", "user_id", user_id,
					   "mobile_only", mobile_only, "web_only",
					   web_only);

	if (!slack_is_user_id(user_id))
		return error_set(err, ERR_INVALID_ARGUMENT, "that is no user's id");
	if (!arguments)
		return error_oom(err);
	return slack_admin_call(s, "admin.users.session.reset", arguments, patience, &a,
				err);
}

/* The primary address, else the first. */
static const char *email_of(const json_t *user)
{
	const json_t *emails = json_object_get(user, "emails");
	const char *first = json_get_string(json_array_get(emails, 0), "value");

	for (size_t i = 0; i < json_array_size(emails); i++) {
		const json_t *e = json_array_get(emails, i);
		const char *value = json_get_string(e, "value");
		if (value && json_is_true(json_object_get(e, "primary")))
			return value;
	}
	return first ? first : "";
}

static bool read_user(const json_t *object, struct slack_scim_user *ret,
		      struct error *err)
{
	const char *id = json_get_string(object, "id");
	const char *name = json_get_string(object, "userName");
	const json_t *active = json_object_get(object, "active");

	if (!id || !slack_is_user_id(id) || !json_is_boolean(active)) {
		slack_fail_shape("user of SCIM", err);
		return false;
	}
	*ret = (struct slack_scim_user){
		.id = id,
		.user_name = name ? name : "",
		.email = email_of(object),
		.active = json_is_true(active),
	};
	return true;
}

bool slack_scim_get(struct slack *s, const char *user_id,
		    const struct rest_patience *patience, json_t **ret_json,
		    struct slack_scim_user *ret, struct error *err)
{
	_cleanup_rest_reply_ struct rest_reply reply = REST_REPLY_INIT;
	struct slack_scim_user user = { 0 };
	char path[64];

	if (!slack_is_user_id(user_id))
		return error_set(err, ERR_INVALID_ARGUMENT, "that is no user's id");
	if (!s->scim)
		return slack_fail_admin(err);
	(void)snprintf(path, sizeof path, "/Users/%s", user_id);
	const struct rest_request request = { .what = "read the member",
					      .method = "GET",
					      .path = path,
					      .bucket = "scim-read" };
	if (!rest_call(s->scim, &request, patience, &reply, err) ||
	    !read_user(reply.body, &user, err))
		return false;
	if (strcmp(user.id, user_id) != 0)
		return error_set(err, ERR_NOT_FOUND,
				 "Slack answered about another user than was asked for");
	*ret = user;
	*ret_json = TAKE(reply.body);
	return true;
}

static bool find_path(const char *email, struct strbuf *path, struct error *err)
{
	_cleanup_strbuf_ struct strbuf filter = STRBUF_INIT;

	if (*email == '\0' || strlen(email) > EMAIL_MAX || strpbrk(email, "\"\\"))
		return error_set(err, ERR_INVALID_ARGUMENT, "that is no e-mail address");
	strbuf_add_format(&filter, "email eq \"%s\"", email);
	strbuf_add_string(path, "/Users?count=10&filter=");
	rest_encode(path, filter.data);
	return (strbuf_ok(&filter) && strbuf_ok(path)) || error_oom(err);
}

bool slack_scim_find(struct slack *s, const char *email,
		     const struct rest_patience *patience, json_t **ret_json,
		     struct slack_scim_user *ret, struct error *err)
{
	_cleanup_rest_reply_ struct rest_reply reply = REST_REPLY_INIT;
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
	struct slack_scim_user user = { 0 };
	size_t found = 0;

	if (!find_path(email, &path, err))
		return false;
	if (!s->scim)
		return slack_fail_admin(err);
	const struct rest_request request = { .what = "find the member",
					      .method = "GET",
					      .path = path.data,
					      .bucket = "scim-read" };
	if (!rest_call(s->scim, &request, patience, &reply, err))
		return false;
	const json_t *list = json_object_get(reply.body, "Resources");
	/* Of none, the list may be left out (RFC 7644, 3.4.2). */
	if (!json_is_integer(json_object_get(reply.body, "totalResults")) ||
	    (list && !json_is_array(list)))
		return slack_fail_shape("list of SCIM", err);
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct slack_scim_user one = { 0 };
		if (!read_user(json_array_get(list, i), &one, err))
			return false;
		if (strcasecmp(one.email, email) != 0)
			continue;
		user = one;
		found++;
	}
	if (found == 0)
		return error_set(err, ERR_NOT_FOUND, "Slack knows no such member");
	if (found > 1)
		return error_set(err, ERR_AMBIGUOUS,
				 "several members of Slack have this address");
	*ret = user;
	*ret_json = TAKE(reply.body);
	return true;
}

bool slack_scim_set_active(struct slack *s, const char *user_id, bool active,
			   const struct rest_patience *patience, struct error *err)
{
	_cleanup_rest_reply_ struct rest_reply reply = REST_REPLY_INIT;
	json_auto_t *patch = json_pack("{s:[s], s:[{s:s, s:s, s:b}]}", "schemas",
				       PATCH_SCHEMA, "Operations", "op", "replace",
				       "path", "active", "value", active);
	char path[64];

	if (!slack_is_user_id(user_id))
		return error_set(err, ERR_INVALID_ARGUMENT, "that is no user's id");
	if (!s->scim)
		return slack_fail_admin(err);
	if (!patch)
		return error_oom(err);
	(void)snprintf(path, sizeof path, "/Users/%s", user_id);
	const struct rest_request request = {
		.what = active ? "reactivate the member" : "deactivate the member",
		.method = "PATCH",
		.path = path,
		.json = patch,
		.content_type = "application/scim+json",
		.bucket = "scim-write",
		.may_repeat = true,
	};
	return rest_call(s->scim, &request, patience, &reply, err);
}
