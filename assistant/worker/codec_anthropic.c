/* Anthropic's Messages API. Written for version 2026-10-21 (no sampling parameters), and the
 * same in 2023-06-01. */
#include <string.h>

#include "assistant/worker/chat.h"

/* ---- Requests ---- */

/* Up to here it stays the same: the provider may keep it. */
static bool mark(const struct chat *c, json_t *block)
{
	return !c->cache ||
	       put(block, "cache_control", json_pack("{s:s}", "type", "ephemeral"));
}

static json_t *write_part(const json_t *part)
{
	json_t *kept = json_object_get(part, "kept");
	const char *call = json_get_string(part, "call");
	const char *result = json_get_string(part, "result");

	if (kept)
		return json_deep_copy(kept);
	if (call)
		return json_pack("{s:s, s:s, s:O, s:O}", "type", "tool_use", "id", call,
				 "name", json_object_get(part, "name"), "input",
				 json_object_get(part, "args"));
	if (!result)
		return json_pack("{s:s, s:O}", "type", "text", "text",
				 json_object_get(part, "text"));
	json_t *block = json_pack("{s:s, s:s, s:O}", "type", "tool_result", "tool_use_id",
				  result, "content", json_object_get(part, "text"));
	if (block && json_is_true(json_object_get(part, "error")) &&
	    !put(block, "is_error", json_true())) {
		json_decref(block);
		return NULL;
	}
	return block;
}

static json_t *write_messages(const struct chat *c)
{
	json_auto_t *list = json_array();
	const json_t *message, *part;
	size_t i, k;

	json_array_foreach(c->messages, i, message)
	{
		json_t *content = json_array();
		json_t *one = json_pack("{s:O, s:o}", "role",
					json_object_get(message, "role"), "content",
					content);
		if (!list || !append(list, one))
			return NULL;
		json_array_foreach(json_object_get(message, "parts"), k, part)
		{
			if (!append(content, write_part(part)) ||
			    (json_object_get(part, "mark") &&
			     !mark(c, json_array_get(content, k))))
				return NULL;
		}
		if (i + 1 == json_array_size(c->messages) &&
		    !mark(c, json_array_get(content, json_array_size(content) - 1)))
			return NULL;
	}
	return TAKE(list);
}

static json_t *write_system(const struct chat *c)
{
	json_auto_t *list = json_pack("[{s:s, s:s}]", "type", "text", "text", c->stable);

	if (!list || !mark(c, json_array_get(list, 0)))
		return NULL;
	return TAKE(list);
}

static json_t *write_tools(const struct chat *c)
{
	json_auto_t *list = json_array();
	const json_t *tool;
	size_t i;

	json_array_foreach(c->tools, i, tool)
	{
		if (!list ||
		    !append(list,
			    json_pack("{s:O, s:O, s:O}", "name",
				      json_object_get(tool, "name"), "description",
				      json_object_get(tool, "description"),
				      "input_schema", json_object_get(tool, "schema"))))
			return NULL;
	}
	return TAKE(list);
}

static bool write_request(const struct chat *c, struct strbuf *ret_path,
			  struct strbuf *ret_body, struct error *err)
{
	json_auto_t *body = json_pack("{s:s, s:I}", "model", c->model, "max_tokens",
				      (json_int_t)c->max_output);

	if (!body || (c->stream && !put(body, "stream", json_true())) ||
	    !put(body, "system", write_system(c)) ||
	    (json_array_size(c->tools) > 0 && !put(body, "tools", write_tools(c))) ||
	    !put(body, "messages", write_messages(c)))
		return error_oom(err);
	strbuf_add_string(ret_path, "/v1/messages");
	return json_write(ret_body, body, err);
}

/* ---- Replies ---- */

static enum answer_stop stop_of(const char *reason)
{
	static const struct {
		const char *name;
		enum answer_stop stop;
	} rows[] = {
		{ "tool_use", ANSWER_CALLS },
		{ "max_tokens", ANSWER_CUT },
		{ "refusal", ANSWER_FILTERED },
		{ "model_context_window_exceeded", ANSWER_OVERLONG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].name, reason) == 0)
			return rows[i].stop;
	return ANSWER_END;
}

/* Cumulative: a later one replaces what it names. */
static void read_usage(const json_t *usage, struct answer *a)
{
	static const struct {
		const char *name;
		size_t offset;
	} rows[] = {
		{ "input_tokens", offsetof(struct assistant_usage, input) },
		{ "output_tokens", offsetof(struct assistant_usage, output) },
		{ "cache_read_input_tokens",
		  offsetof(struct assistant_usage, cache_read) },
		{ "cache_creation_input_tokens",
		  offsetof(struct assistant_usage, cache_write) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (json_is_integer(json_object_get(usage, rows[i].name)))
			*(int64_t *)((char *)&a->usage + rows[i].offset) =
				answer_count(usage, rows[i].name);
}

static void read_stop(const json_t *object, struct answer *a)
{
	const char *reason = json_get_string(object, "stop_reason");

	if (reason)
		a->stop = stop_of(reason);
}

/* A block as it begins: whole in a reply, with pieces to come in a stream. */
static bool begin_block(const json_t *block, int64_t index, bool whole, struct answer *a,
			struct error *err)
{
	const char *type = json_get_string(block, "type");
	struct answer_block *b;

	if (!type)
		return error_set(err, ERR_INVALID_ARGUMENT, "a block without a type");
	if (strcmp(type, "text") == 0) {
		b = answer_open(a, ANSWER_TEXT, index, err);
		return b && answer_add(a, &b->text, json_object_get(block, "text"), err);
	}
	if (strcmp(type, "tool_use") == 0) {
		b = answer_open(a, ANSWER_CALL, index, err);
		if (!b || !answer_name(b, json_object_get(block, "id"),
				       json_object_get(block, "name"), err))
			return false;
		return !whole ||
		       json_write(&b->text, json_object_get(block, "input"), err);
	}
	if (strcmp(type, "thinking") != 0 && strcmp(type, "redacted_thinking") != 0)
		return true; /* of no use to us, and nothing of ours asked for it */
	b = answer_open(a, ANSWER_KEPT, index, err);
	if (!b)
		return false;
	b->kept = json_deep_copy(block);
	return b->kept || error_oom(err);
}

static bool add_piece(const json_t *delta, int64_t index, struct answer *a,
		      struct error *err)
{
	static const struct {
		const char *type, *member;
		enum answer_kind kind;
		bool signature;
	} rows[] = {
		{ "text_delta", "text", ANSWER_TEXT, false },
		{ "input_json_delta", "partial_json", ANSWER_CALL, false },
		{ "thinking_delta", "thinking", ANSWER_KEPT, false },
		{ "signature_delta", "signature", ANSWER_KEPT, true },
	};
	const char *type = json_get_string(delta, "type");

	for (size_t i = 0; type && i < ARRAY_SIZE(rows); i++) {
		if (strcmp(type, rows[i].type) != 0)
			continue;
		struct answer_block *b = answer_find(a, rows[i].kind, index);
		if (!b)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "a piece of a block that never began");
		return answer_add(a, rows[i].signature ? &b->signature : &b->text,
				  json_object_get(delta, rows[i].member), err);
	}
	return true;
}

/* Thinking goes back as it came, whole. */
static bool end_block(int64_t index, struct answer *a, struct error *err)
{
	struct answer_block *b = answer_find(a, ANSWER_KEPT, index);

	if (b && b->text.length > 0 &&
	    !put(b->kept, "thinking", json_stringn(b->text.data, b->text.length)))
		return error_oom(err);
	if (b && b->signature.length > 0 &&
	    !put(b->kept, "signature",
		 json_stringn(b->signature.data, b->signature.length)))
		return error_oom(err);
	return true;
}

static enum assistant_code code_of(const char *type)
{
	if (!type)
		return ASSISTANT_MODEL_BROKEN;
	if (strcmp(type, "overloaded_error") == 0 ||
	    strcmp(type, "rate_limit_error") == 0)
		return ASSISTANT_MODEL_BUSY;
	return strcmp(type, "api_error") == 0 || strcmp(type, "timeout_error") == 0
		       ? ASSISTANT_MODEL_DOWN
		       : ASSISTANT_MODEL_BROKEN;
}

static bool read_event(const char *frame_type, const json_t *data, struct answer *a,
		       struct error *err)
{
	const char *type = json_get_string(data, "type");
	int64_t index = json_get_int64(data, "index", 0);

	(void)frame_type; /* the same as the data's */
	if (!type)
		return true;
	if (strcmp(type, "message_start") == 0)
		read_usage(json_object_get(json_object_get(data, "message"), "usage"), a);
	else if (strcmp(type, "content_block_start") == 0)
		return begin_block(json_object_get(data, "content_block"), index, false,
				   a, err);
	else if (strcmp(type, "content_block_delta") == 0)
		return add_piece(json_object_get(data, "delta"), index, a, err);
	else if (strcmp(type, "content_block_stop") == 0)
		return end_block(index, a, err);
	else if (strcmp(type, "message_delta") == 0) {
		read_stop(json_object_get(data, "delta"), a);
		read_usage(json_object_get(data, "usage"), a);
	} else if (strcmp(type, "message_stop") == 0)
		a->is_whole = a->stop != ANSWER_NOT_ENDED;
	else if (strcmp(type, "error") == 0)
		a->failure =
			code_of(json_get_string(json_object_get(data, "error"), "type"));
	return true;
}

static bool read_whole(const json_t *body, struct answer *a, struct error *err)
{
	const json_t *content = json_object_get(body, "content"), *block;
	size_t i;

	if (!json_is_array(content) || !json_get_string(body, "stop_reason"))
		return error_set(err, ERR_INVALID_ARGUMENT, "a reply that is no message");
	json_array_foreach(content, i, block)
	{
		if (!begin_block(block, (int64_t)i, true, a, err))
			return false;
	}
	read_usage(json_object_get(body, "usage"), a);
	read_stop(body, a);
	a->is_whole = true;
	return true;
}

static enum assistant_code read_refusal(int status, const json_t *body)
{
	static const char *const overlong[] = { "prompt is too long", "context window",
						"context limit", NULL };
	static const char *const unpaid[] = { "credit balance", NULL };
	const json_t *error = json_object_get(body, "error");
	const char *type = json_get_string(error, "type");
	const char *message = json_get_string(error, "message");

	if (status == 413 || (status == 400 && says(message, overlong)))
		return ASSISTANT_TOO_LONG;
	if (status == 402 || (type && strcmp(type, "billing_error") == 0) ||
	    (status == 400 && says(message, unpaid)))
		return ASSISTANT_MODEL_UNPAID;
	return ASSISTANT_OK;
}

const struct codec codec_anthropic = {
	.name = "anthropic",
	.write = write_request,
	.whole = read_whole,
	.event = read_event,
	.refusal = read_refusal,
};
