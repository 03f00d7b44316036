/* Methods of the Web API, and how they fail. */
#include <string.h>

#include "api/slack/slack_methods.h"
#include "api/slack/slack_private.h"

enum { METHOD_MAX = 64, CURSOR_MAX = 1024, PAGE = 200 };

static const struct http_client_header headers[] = { { "Accept", "application/json" },
						     { 0 } };

/* {"ok":false,"error":"missing_scope","needed":"a:b","provided":"c:d"} and
 * {"response_metadata":{"messages":["[ERROR] ..."]}} */
static void describe(const json_t *body, struct rest_fault *f)
{
	const char *needed = json_get_string(body, "needed");
	const char *provided = json_get_string(body, "provided");
	const json_t *messages =
		json_object_get(json_object_get(body, "response_metadata"), "messages");
	const char *message = json_string_value(json_array_get(messages, 0));
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	if (needed)
		strbuf_add_format(&text, "needed: %s; the token has: %s", needed,
				  provided ? provided : "?");
	else if (message)
		strbuf_add_string(&text, message);
	rest_fault_text(f, text.data);
}

static void judge_web(const struct http_client_reply *reply, const json_t *body,
		      struct rest_fault *f)
{
	const char *name = json_get_string(body, "error");
	const struct slack_error *known = name ? slack_error_find(name) : NULL;
	const json_t *ok = json_object_get(body, "ok");

	(void)reply;
	rest_fault_name(f->name, name);
	/* A body that cannot be read was judged already; 429 comes with one or without. */
	if (f->verdict == REST_LATER || f->verdict == REST_BROKEN)
		return;
	if (f->verdict == REST_GOOD && json_is_true(ok))
		return;
	/* Neither yes nor no: it may have been done. */
	if (f->verdict == REST_GOOD && !json_is_false(ok)) {
		f->verdict = REST_BROKEN;
		f->code = ERR_BACKEND_UNAVAILABLE;
		rest_fault_text(f, "the answer is none of Slack's");
		return;
	}
	/* Something else answers at this address. */
	if (!name && f->verdict == REST_FAILED)
		return;
	f->verdict = known ? known->verdict : REST_FAILED;
	f->code = known ? known->code : ERR_PRECONDITION_FAILED;
	f->hint = known ? known->hint : NULL;
	describe(body, f);
}

const struct rest_vendor slack_web_vendor = {
	.name = "Slack",
	.headers = headers,
	.judge = judge_web,
};

void slack_answer_done(struct slack_answer *a)
{
	json_decref(a->body);
	*a = (struct slack_answer)SLACK_ANSWER_INIT;
}

/* ---- Arguments ---- */

static bool add_argument(struct strbuf *form, const char *name, const json_t *value,
			 struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	if (json_is_null(value))
		return true;
	if (json_is_string(value)) {
		if (strlen(json_string_value(value)) != json_string_length(value))
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "argument '%s' for Slack has a NUL in it", name);
		strbuf_add_string(&text, json_string_value(value));
	} else if (!json_write(&text, value, err)) {
		return false;
	}
	rest_form_add(form, name, text.data);
	return (strbuf_ok(&text) && strbuf_ok(form)) || error_oom(err);
}

static bool make_form(const json_t *arguments, struct strbuf *form, struct error *err)
{
	const char *name;
	json_t *value;

	/* jansson's iterators do not change what they walk through. */
	json_object_foreach(
		(json_t *)(uintptr_t)arguments, name,
		value) if (!add_argument(form, name, value, err)) return false;
	return true;
}

/* ---- Calling ---- */

static bool is_method(const char *name)
{
	const char *end = name + strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					      "abcdefghijklmnopqrstuvwxyz.");

	return !*end && end != name && end - name <= METHOD_MAX;
}

static bool call(struct rest *rest, const char *method, const json_t *arguments,
		 const struct rest_patience *patience, struct slack_answer *ret,
		 struct error *err)
{
	const struct slack_method *known = slack_method_find(method);
	const char *channel =
		known->is_per_channel ? json_get_string(arguments, "channel") : NULL;
	_cleanup_(strbuf_wipe) struct strbuf form = STRBUF_INIT;
	_cleanup_rest_reply_ struct rest_reply reply = REST_REPLY_INIT;
	char path[METHOD_MAX + 2], what[METHOD_MAX + 16], bucket[METHOD_MAX + 48];

	slack_answer_done(ret);
	if (!is_method(method))
		return error_set(err, ERR_INVALID_ARGUMENT, "that is no method of Slack");
	if (!make_form(arguments, &form, err))
		return false;
	(void)snprintf(path, sizeof path, "/%s", method);
	(void)snprintf(what, sizeof what, "call %s", method);
	/* The channel first: long names of buckets share by their beginning. */
	(void)snprintf(bucket, sizeof bucket, "%.24s:%s", channel ? channel : "", method);
	const struct rest_request request = {
		.what = what,
		.method = "POST",
		.path = path,
		.form = form.data,
		.content_type = "application/x-www-form-urlencoded; charset=utf-8",
		.bucket = bucket,
		.reads = known->reads,
		.may_repeat = known->may_repeat,
	};
	const bool good = rest_call(rest, &request, patience, &reply, err);
	const char *scopes = http_client_reply_header(&reply.http, "x-oauth-scopes", 0);
	(void)snprintf(ret->error, sizeof ret->error, "%s", reply.fault.name);
	if (scopes && strlen(scopes) < sizeof ret->scopes)
		(void)snprintf(ret->scopes, sizeof ret->scopes, "%s", scopes);
	ret->body = TAKE(reply.body);
	if (good && !json_is_object(ret->body))
		return slack_fail_shape("answer", err);
	return good;
}

bool slack_call(struct slack *s, const char *method, const json_t *arguments,
		const struct rest_patience *patience, struct slack_answer *ret,
		struct error *err)
{
	return call(s->rest, method, arguments, patience, ret, err);
}

bool slack_admin_call(struct slack *s, const char *method, const json_t *arguments,
		      const struct rest_patience *patience, struct slack_answer *ret,
		      struct error *err)
{
	return s->admin_rest ? call(s->admin_rest, method, arguments, patience, ret, err)
			     : slack_fail_admin(err);
}

/* ---- Pages ---- */

/* The cursor of the next page into 'arguments'; '*ret_more' false without one. */
static bool next_page(const json_t *body, json_t *arguments, bool *ret_more,
		      struct error *err)
{
	const json_t *metadata = json_object_get(body, "response_metadata");
	const char *cursor = json_get_string(metadata, "next_cursor");
	const char *before = json_get_string(arguments, "cursor");

	*ret_more = cursor && *cursor;
	if (!*ret_more)
		return true;
	if (strlen(cursor) > CURSOR_MAX || (before && strcmp(cursor, before) == 0))
		return slack_fail_shape("list that ends", err);
	return json_object_set_new(arguments, "cursor", json_string(cursor)) == 0 ||
	       error_oom(err);
}

bool slack_each(struct slack *s, const char *method, const json_t *arguments,
		const char *list, const struct rest_patience *patience,
		bool (*fn)(void *context, const json_t *item, struct error *err),
		void *context, struct error *err)
{
	json_auto_t *own = arguments ? json_copy((json_t *)(uintptr_t)arguments)
				     : json_object();
	bool more = true;

	if (!own || (!json_object_get(own, "limit") &&
		     json_object_set_new(own, "limit", json_integer(PAGE)) != 0))
		return error_oom(err);
	for (int pages = 0; more && pages < REST_PAGES_MAX; pages++) {
		_cleanup_slack_answer_ struct slack_answer a = SLACK_ANSWER_INIT;

		if (!slack_call(s, method, own, patience, &a, err))
			return false;
		const json_t *items = json_object_get(a.body, list);
		if (!json_is_array(items))
			return slack_fail_shape("list", err);
		for (size_t i = 0; i < json_array_size(items); i++)
			if (!fn(context, json_array_get(items, i), err))
				return false;
		if (!next_page(a.body, own, &more, err))
			return false;
	}
	return !more || slack_fail_shape("list that ends", err);
}

/* "https://" and a host of plain characters, and nothing else. */
static void take_url(struct slack_identity *who, const char *url)
{
	static const char begin[] = "https://";
	static const char host[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";
	size_t length;

	if (!url || strncmp(url, begin, sizeof begin - 1) != 0)
		return;
	length = sizeof begin - 1 + strspn(url + sizeof begin - 1, host);
	if (length > sizeof begin - 1 && strcmp(url + length, "/") == 0 &&
	    length + 1 < sizeof who->url)
		memcpy(who->url, url, length + 2);
}

bool slack_test(struct slack *s, const struct rest_patience *patience,
		struct slack_identity *ret, struct error *err)
{
	_cleanup_slack_answer_ struct slack_answer a = SLACK_ANSWER_INIT;
	struct slack_identity who = { 0 };
	const struct {
		const char *name;
		char *to;
	} members[] = {
		{ "team_id", who.team_id },
		{ "user_id", who.user_id },
		{ "bot_id", who.bot_id },
		{ "enterprise_id", who.enterprise_id },
	};

	if (!slack_call(s, "auth.test", NULL, patience, &a, err))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const char *value = json_get_string(a.body, members[i].name);
		if (value && strlen(value) < sizeof who.team_id)
			memcpy(members[i].to, value, strlen(value) + 1);
	}
	if (*who.team_id == '\0' || *who.user_id == '\0')
		return slack_fail_shape("answer to auth.test", err);
	if (s->team && strcmp(s->team, who.team_id) != 0)
		return error_set(err, ERR_PERMISSION_DENIED,
				 "the token for Slack is not of the team '%s'", s->team);
	memcpy(who.scopes, a.scopes, sizeof who.scopes);
	take_url(&who, json_get_string(a.body, "url"));
	*ret = who;
	return true;
}
