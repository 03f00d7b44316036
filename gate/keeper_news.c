/*
 * News: what a server says later of a call that it executed: a step that was tried again,
 * an end that comes by itself. It changes no approval; those who asked and decided read it.
 */
#include "gate/keeper_direct_private.h"

#include "base/clock.h"
#include "gate/notice.h"

enum { NEWS_TEXT_MAX = 1000, NEWS_KEY_MAX = 64 };

struct news {
	int64_t v;
	const char *key, *text;
};

/* The server's own name for it: part of a document's id. */
static bool is_key(const char *key)
{
	size_t length = strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return length > 0 && length <= NEWS_KEY_MAX && key[length] == '\0';
}

static bool read_news(const struct fields *f, struct news *n, struct error *err)
{
	static const struct json_field fields[] = {
		{ "v", JSON_FIELD_INT64, offsetof(struct news, v), JSON_FIELD_REQUIRED },
		{ "key", JSON_FIELD_STRING, offsetof(struct news, key),
		  JSON_FIELD_REQUIRED },
		{ "text", JSON_FIELD_STRING, offsetof(struct news, text),
		  JSON_FIELD_REQUIRED },
		{ 0 }
	};

	if (!json_decode(f->body, fields, n, "news", err))
		return false;
	if (n->v != 1 || !is_key(n->key) || strlen(n->text) == 0 ||
	    strlen(n->text) > NEWS_TEXT_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "news: 'v' is 1, 'key' 1 to %d of [a-z0-9_-], 'text' 1 "
				 "to %d bytes",
				 NEWS_KEY_MAX, NEWS_TEXT_MAX);
	return true;
}

/* Only of what this server executed can it know more than we do. */
static json_t *load_executed(struct keeper *k, const struct fields *f, struct error *err)
{
	static const unsigned told = 1U << RECORD_EXECUTING | 1U << RECORD_SUCCEEDED |
				     1U << RECORD_FAILED | 1U << RECORD_UNKNOWN;
	json_auto_t *body = keeper_load(k, f->approval, err);
	const char *server = json_get_string(body, "server");

	if (!body)
		return NULL;
	if (!server || strcmp(server, f->server) != 0) {
		error_set(err, ERR_NOT_FOUND, "there is no such approval of this server");
		return NULL;
	}
	if (!(told & 1U << record_state_of(body))) {
		error_set(err, ERR_CONFLICT, "approval %s is %s", f->approval,
			  json_get_string(body, "state"));
		return NULL;
	}
	return TAKE(body);
}

/* Of one of several the decision knows who decided. */
static json_t *load_decision(struct keeper *k, const json_t *body, struct error *err)
{
	const char *head = json_get_string(json_object_get(body, "bundle"), "id");

	return head ? keeper_load(k, head, err) : json_incref((json_t *)(uintptr_t)body);
}

static json_t *make_notice(struct keeper *k, const json_t *body, const struct news *n,
			   struct error *err)
{
	json_auto_t *decision = load_decision(k, body, err);
	json_auto_t *notice = NULL;

	if (!decision)
		return NULL;
	notice = notice_news(body, decision,
			     keeper_slack_concerns(k, decision) ? NOTICE_SLACK : NULL,
			     k->now_ms, n->key, n->text);
	if (!notice)
		error_oom(err);
	return TAKE(notice);
}

static bool take_news(struct keeper *k, const struct fields *f, struct error *err)
{
	struct news n = { 0 };
	json_auto_t *body = read_news(f, &n, err) ? load_executed(k, f, err) : NULL;
	json_auto_t *notice = NULL;
	int64_t wait_ms;

	if (!body || !keeper_is_sound(k, err) ||
	    !limiter_take(k->news, f->server, clock_mono_ms(), &wait_ms, err))
		return false;
	notice = make_notice(k, body, &n, err);
	if (!notice)
		return false;
	if (json_is_null(notice))
		return true;
	return audit_append(k->audit, "approval.news",
			    json_pack("{s:s, s:s, s:s, s:s}", "approval", f->approval,
				      "server", f->server, "key", n.key, "text", n.text),
			    NULL, err) &&
	       keeper_notice_keep(k, notice, err);
}

bool keeper_on_news(struct keeper *k, const struct fields *f, struct error *err)
{
	struct error why = ERROR_INIT;

	(void)err;
	if (take_news(k, f, &why))
		return keeper_answer(k, f->request, 200,
				     json_pack("{s:s}", "approval", f->approval));
	return keeper_direct_error(k, f->request, &why);
}
