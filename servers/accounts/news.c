#include "servers/accounts/news.h"

#include "base/log.h"
#include "base/utf8.h"

#define COLLECTION "news"

/* Looked at in one go; those that wait included. */
enum { SEEN_MAX = 10000 };

int news_cut(const char *text, size_t max)
{
	return (int)utf8_cut(text, strlen(text), max);
}

struct item {
	const char *approval, *key, *text;
	int64_t at_ms, retry_ms, attempts;
};

static bool put(struct documents *d, const struct item *it, struct error *err)
{
	char id[DOCUMENT_ID_MAX + 1];
	int64_t revision;
	json_auto_t *body = json_pack(
		"{s:s, s:s, s:s, s:I, s:I, s:I}", "approval", it->approval, "key",
		it->key, "text", it->text, "at_ms", (json_int_t)it->at_ms, "retry_ms",
		(json_int_t)it->retry_ms, "attempts", (json_int_t)it->attempts);
	int n = snprintf(id, sizeof id, "%s.%s", it->approval, it->key);

	if (!body)
		return error_oom(err);
	if (n <= 0 || n > DOCUMENT_ID_MAX)
		return error_set(err, ERR_INTERNAL, "news have too long a name");
	return documents_put(d, COLLECTION, id, body, DOCUMENT_ANY, &revision, err);
}

bool news_put(struct documents *d, const char *approval, const char *key,
	      const char *text, int64_t now_ms, struct error *err)
{
	const struct item it = {
		.approval = approval, .key = key, .text = text, .at_ms = now_ms
	};

	return put(d, &it, err);
}

static bool read_item(const json_t *body, struct item *ret, struct error *err)
{
	static const struct json_field fields[] = {
		{ "approval", JSON_FIELD_STRING, offsetof(struct item, approval),
		  JSON_FIELD_REQUIRED },
		{ "key", JSON_FIELD_STRING, offsetof(struct item, key),
		  JSON_FIELD_REQUIRED },
		{ "text", JSON_FIELD_STRING, offsetof(struct item, text),
		  JSON_FIELD_REQUIRED },
		{ "at_ms", JSON_FIELD_INT64, offsetof(struct item, at_ms),
		  JSON_FIELD_REQUIRED },
		{ "retry_ms", JSON_FIELD_INT64, offsetof(struct item, retry_ms), 0 },
		{ "attempts", JSON_FIELD_INT64, offsetof(struct item, attempts), 0 },
		{ NULL, JSON_FIELD_END, 0, 0 },
	};

	return json_decode(body, fields, ret, "the record of some news", err);
}

static int64_t wait_ms(int64_t attempts)
{
	int64_t ms = NEWS_RETRY_MS;

	while (attempts-- > 1 && ms < NEWS_RETRY_MAX_MS)
		ms *= 2;
	return ms < NEWS_RETRY_MAX_MS ? ms : NEWS_RETRY_MAX_MS;
}

struct page {
	json_t *bodies; /* by document id */
	int64_t now_ms;
	bool oom;
};

static bool collect(void *context, const struct document *doc)
{
	struct page *p = context;

	if (json_get_int64(doc->body, "retry_ms", 0) > p->now_ms)
		return true;
	p->oom = json_object_set(p->bodies, doc->id, doc->body) != 0;
	return !p->oom && json_object_size(p->bodies) < NEWS_AT_ONCE;
}

static bool forget(struct documents *d, const char *id, struct error *err)
{
	bool existed;

	return documents_delete(d, COLLECTION, id, &existed, err);
}

/* '*ret_go_on': the gate can be reached. */
static bool send_one(struct documents *d, struct mcp_service *s, news_tell *tell,
		     const char *id, const json_t *body, int64_t now_ms, bool *ret_go_on,
		     struct error *err)
{
	struct item it = { 0 };
	struct error why = ERROR_INIT;
	enum mcp_told told;

	if (!read_item(body, &it, &why)) {
		log_failure("news.dropped", &why);
		return forget(d, id, err);
	}
	told = tell(s, it.approval, it.key, it.text, &why);
	if (told != MCP_TOLD)
		log_failure("news.not_told", &why);
	/* What the gate does not want it will not want tomorrow. */
	if (told != MCP_TOLD_LATER || now_ms - it.at_ms > NEWS_KEEP_MS)
		return forget(d, id, err);
	*ret_go_on = false;
	it.attempts++;
	it.retry_ms = now_ms + wait_ms(it.attempts);
	return put(d, &it, err);
}

bool news_send(struct documents *d, struct mcp_service *s, news_tell *tell,
	       const atomic_bool *stopping, int64_t now_ms, struct error *err)
{
	json_auto_t *bodies = json_object();
	struct page page = { .bodies = bodies, .now_ms = now_ms };
	bool go_on = true;
	const char *id;
	json_t *body;

	if (!bodies)
		return error_oom(err);
	if (!documents_query(d, COLLECTION, NULL, NULL, false, SEEN_MAX, collect, &page,
			     err))
		return false;
	if (page.oom)
		return error_oom(err);
	json_object_foreach(bodies, id, body)
	{
		if (!go_on || (stopping && atomic_load(stopping)))
			break;
		if (!send_one(d, s, tell, id, body, now_ms, &go_on, err))
			return false;
	}
	return true;
}
