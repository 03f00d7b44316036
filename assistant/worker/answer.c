#include "assistant/worker/answer.h"

#include <string.h>

#include "assistant/worker/clean.h"

void answer_init(struct answer *a)
{
	*a = (struct answer){ .stop = ANSWER_NOT_ENDED };
}

void answer_done(struct answer *a)
{
	for (size_t i = 0; i < a->count; i++) {
		strbuf_done(&a->blocks[i].text);
		strbuf_done(&a->blocks[i].signature);
		json_decref(a->blocks[i].kept);
	}
	answer_init(a);
}

struct answer_block *answer_open(struct answer *a, enum answer_kind kind, int64_t index,
				 struct error *err)
{
	if (a->count >= ANSWER_BLOCKS_MAX) {
		error_set(err, ERR_RATE_LIMITED, "an answer of more than %d blocks",
			  ANSWER_BLOCKS_MAX);
		return NULL;
	}
	struct answer_block *b = &a->blocks[a->count++];
	*b = (struct answer_block){ .kind = kind, .index = index };
	strbuf_init(&b->text);
	strbuf_init(&b->signature);
	return b;
}

struct answer_block *answer_find(struct answer *a, enum answer_kind kind, int64_t index)
{
	for (size_t i = a->count; i-- > 0;)
		if (a->blocks[i].kind == kind && a->blocks[i].index == index)
			return &a->blocks[i];
	return NULL;
}

bool answer_add(struct answer *a, struct strbuf *to, const json_t *text,
		struct error *err)
{
	const char *bytes = json_string_value(text);
	size_t length = json_string_length(text);

	if (!bytes)
		return error_set(err, ERR_INVALID_ARGUMENT, "a piece of text is none");
	if (length > ANSWER_BYTES_MAX - a->bytes)
		return error_set(err, ERR_RATE_LIMITED, "an answer of more than %d bytes",
				 ANSWER_BYTES_MAX);
	a->bytes += length;
	strbuf_add(to, bytes, length);
	return strbuf_ok(to) || error_oom(err);
}

/* Made fit for messages; another name than any tool has, if it was not. */
static bool take(char *to, size_t max, const json_t *value, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	if (json_string_length(value) == 0)
		return true;
	clean_text(&text, json_string_value(value), json_string_length(value));
	if (!strbuf_ok(&text))
		return error_oom(err);
	if (text.length > max)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a call's name or id is too long");
	memcpy(to, text.data, text.length + 1);
	return true;
}

bool answer_name(struct answer_block *b, const json_t *id, const json_t *name,
		 struct error *err)
{
	return take(b->id, ANSWER_ID_MAX, id, err) &&
	       take(b->name, ASSISTANT_NAME_MAX, name, err);
}

int64_t answer_count(const json_t *object, const char *name)
{
	int64_t n = json_get_int64(object, name, 0);

	return n < 0 || n > ASSISTANT_TOKENS_MAX ? 0 : n;
}
