#include "slack/outbox/outbox_item.h"

#include <inttypes.h>

#include "base/digest.h"

static const char collection[] = "outbox";

static const char *const states[] = { "waiting", "sending", "said", "failed", "unknown" };

void item_free(struct item *it)
{
	if (!it)
		return;
	free(it->method);
	free(it->why);
	json_decref(it->arguments);
	free(it);
}
DEFINE_CLEANUP(struct item, item_free);

static bool copy(char *to, size_t size, const char *text)
{
	return snprintf(to, size, "%s", text ? text : "") < (int)size;
}

struct item *item_new(const struct outbox_item *from, uint64_t number, struct error *err)
{
	_cleanup_(item_freep) struct item *it = calloc(1, sizeof *it);

	if (!it) {
		error_oom(err);
		return NULL;
	}
	if (!*from->key || !copy(it->key, sizeof it->key, from->key) ||
	    !copy(it->of, sizeof it->of, from->of) ||
	    !copy(it->lane, sizeof it->lane, from->lane)) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "an item's key or lane is empty or too long");
		return NULL;
	}
	it->number = number;
	it->replaceable = from->replaceable;
	it->must_arrive = from->must_arrive;
	it->until_ms = from->until_ms;
	it->tell = true;
	it->method = strdup(from->method);
	it->arguments = json_deep_copy(from->arguments);
	if (!it->method || !it->arguments) {
		error_oom(err);
		return NULL;
	}
	return TAKE(it);
}

static void document_id(const struct item *it, char ret[static 20])
{
	(void)snprintf(ret, 20, "%016" PRIx64, it->number);
}

bool item_write(const struct item *it, struct documents *records, struct error *err)
{
	char id[20];
	int64_t revision = 0;
	json_auto_t *body = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:I, s:I, s:s, s:s, s:s, s:O?}",
		"key", it->key, "of", it->of, "lane", it->lane, "method", it->method,
		"state", states[it->state], "replaceable", (int)it->replaceable,
		"must_arrive", (int)it->must_arrive, "until_ms", (json_int_t)it->until_ms,
		"begun_ms", (json_int_t)it->begun_ms, "place", it->place, "ts", it->ts,
		"why", it->why ? it->why : "", "arguments", it->arguments);

	if (!body)
		return error_oom(err);
	document_id(it, id);
	return documents_put(records, collection, id, body, DOCUMENT_ANY, &revision, err);
}

bool item_delete(const struct item *it, struct documents *records, struct error *err)
{
	char id[20];
	bool existed = false;

	document_id(it, id);
	return documents_delete(records, collection, id, &existed, err);
}

struct stored {
	const char *key, *of, *lane, *method, *state, *place, *ts, *why;
	bool replaceable, must_arrive;
	int64_t until_ms, begun_ms;
	json_t *arguments;
};

static bool decode(const json_t *body, struct stored *s, struct error *err)
{
#define TEXT(name)                                                                       \
	{                                                                                \
#name, JSON_FIELD_STRING, offsetof(struct stored, name),                 \
			JSON_FIELD_REQUIRED                                              \
	}
	static const struct json_field fields[] = {
		TEXT(key),
		TEXT(of),
		TEXT(lane),
		TEXT(method),
		TEXT(state),
		TEXT(place),
		TEXT(ts),
		TEXT(why),
		{ "replaceable", JSON_FIELD_BOOL, offsetof(struct stored, replaceable),
		  JSON_FIELD_REQUIRED },
		{ "must_arrive", JSON_FIELD_BOOL, offsetof(struct stored, must_arrive),
		  JSON_FIELD_REQUIRED },
		{ "until_ms", JSON_FIELD_INT64, offsetof(struct stored, until_ms),
		  JSON_FIELD_REQUIRED },
		{ "begun_ms", JSON_FIELD_INT64, offsetof(struct stored, begun_ms),
		  JSON_FIELD_REQUIRED },
		{ "arguments", JSON_FIELD_ANY, offsetof(struct stored, arguments),
		  JSON_FIELD_REQUIRED },
		{ 0 },
	};
#undef TEXT

	return json_decode(body, fields, s, "an item of the outbox", err);
}

static bool state_of(const char *name, enum outbox_state *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		if (strcmp(states[i], name) != 0)
			continue;
		*ret = (enum outbox_state)i;
		return true;
	}
	return false;
}

struct item *item_read(const struct document *doc, struct error *err)
{
	struct stored s = { 0 };
	struct outbox_item from;
	enum outbox_state state;
	_cleanup_(item_freep) struct item *it = NULL;
	char *end;

	if (!decode(doc->body, &s, err))
		return NULL;
	from = (struct outbox_item){ .key = s.key,
				     .lane = s.lane,
				     .method = s.method,
				     .arguments = s.arguments,
				     .of = s.of,
				     .replaceable = s.replaceable,
				     .must_arrive = s.must_arrive,
				     .until_ms = s.until_ms };
	it = item_new(&from, strtoull(doc->id, &end, 16), err);
	if (!it)
		return NULL;
	if (*end || !state_of(s.state, &state) ||
	    !copy(it->place, sizeof it->place, s.place) ||
	    !copy(it->ts, sizeof it->ts, s.ts) || !(it->why = strdup(s.why))) {
		error_set(err, ERR_INTERNAL, "item '%s' of the outbox is broken",
			  doc->id);
		return NULL;
	}
	it->state = state;
	it->begun_ms = s.begun_ms;
	it->tell = false;
	if (json_is_null(it->arguments)) {
		json_decref(it->arguments);
		it->arguments = NULL;
	}
	if (!item_has_ended(it) && !it->arguments) {
		error_set(err, ERR_INTERNAL, "item '%s' of the outbox says nothing",
			  doc->id);
		return NULL;
	}
	return TAKE(it);
}

void item_mark(const struct item *it, char ret[static ITEM_MARK_BYTES])
{
	digest_sha256_hex(it->key, strlen(it->key), ret);
}
