/* Amazon Bedrock's Converse and ConverseStream. */
#include <string.h>

#include "assistant/worker/chat.h"

/* ---- Requests ---- */

static json_t *cache_point(void)
{
	return json_pack("{s:{s:s}}", "cachePoint", "type", "default");
}

static json_t *write_part(const json_t *part)
{
	json_t *kept = json_object_get(part, "kept");
	const char *call = json_get_string(part, "call");
	const char *result = json_get_string(part, "result");

	if (kept)
		return json_deep_copy(kept);
	if (call)
		return json_pack("{s:{s:s, s:O, s:O}}", "toolUse", "toolUseId", call,
				 "name", json_object_get(part, "name"), "input",
				 json_object_get(part, "args"));
	if (result)
		return json_pack(
			"{s:{s:s, s:[{s:O}], s:s}}", "toolResult", "toolUseId", result,
			"content", "text", json_object_get(part, "text"), "status",
			json_is_true(json_object_get(part, "error")) ? "error"
								     : "success");
	return json_pack("{s:O}", "text", json_object_get(part, "text"));
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
			    (c->cache && json_object_get(part, "mark") &&
			     !append(content, cache_point())))
				return NULL;
		}
		if (c->cache && i + 1 == json_array_size(c->messages) &&
		    !append(content, cache_point()))
			return NULL;
	}
	return TAKE(list);
}

static json_t *write_system(const struct chat *c)
{
	json_auto_t *list = json_pack("[{s:s}]", "text", c->stable);

	if (!list || (c->cache && !append(list, cache_point())))
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
			    json_pack("{s:{s:O, s:O, s:{s:O}}}", "toolSpec", "name",
				      json_object_get(tool, "name"), "description",
				      json_object_get(tool, "description"), "inputSchema",
				      "json", json_object_get(tool, "schema"))))
			return NULL;
	}
	return list ? json_pack("{s:o}", "tools", TAKE(list)) : NULL;
}

/* Ids hold ':' and, as ARNs, '/': all but the unreserved is encoded. */
static void write_path(const struct chat *c, struct strbuf *sb)
{
	strbuf_add_string(sb, "/model/");
	for (const char *p = c->model; *p; p++) {
		unsigned char b = (unsigned char)*p;

		if ((b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') ||
		    (b >= '0' && b <= '9') || strchr("-_.~", b))
			strbuf_add_char(sb, *p);
		else
			strbuf_add_format(sb, "%%%02X", b);
	}
	strbuf_add_string(sb, c->stream ? "/converse-stream" : "/converse");
}

static bool write_request(const struct chat *c, struct strbuf *ret_path,
			  struct strbuf *ret_body, struct error *err)
{
	json_auto_t *body = json_object();

	if (!body || !put(body, "system", write_system(c)) ||
	    !put(body, "messages", write_messages(c)) ||
	    !put(body, "inferenceConfig",
		 json_pack("{s:I}", "maxTokens", (json_int_t)c->max_output)) ||
	    (json_array_size(c->tools) > 0 && !put(body, "toolConfig", write_tools(c))))
		return error_oom(err);
	write_path(c, ret_path);
	return json_write(ret_body, body, err);
}

/* ---- Replies ---- */

static void read_usage(const json_t *usage, struct answer *a)
{
	if (!json_is_object(usage))
		return;
	a->usage.input = answer_count(usage, "inputTokens");
	a->usage.output = answer_count(usage, "outputTokens");
	a->usage.cache_read = answer_count(usage, "cacheReadInputTokens");
	a->usage.cache_write = answer_count(usage, "cacheWriteInputTokens");
}

static void read_stop(const json_t *object, struct answer *a)
{
	static const struct {
		const char *name;
		enum answer_stop stop;
	} rows[] = {
		{ "tool_use", ANSWER_CALLS },
		{ "max_tokens", ANSWER_CUT },
		{ "guardrail_intervened", ANSWER_FILTERED },
		{ "content_filtered", ANSWER_FILTERED },
		{ "model_context_window_exceeded", ANSWER_OVERLONG },
	};
	const char *reason = json_get_string(object, "stopReason");

	if (!reason)
		return;
	a->stop = ANSWER_END;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].name, reason) == 0)
			a->stop = rows[i].stop;
}

static struct answer_block *block_at(struct answer *a, enum answer_kind kind,
				     int64_t index, struct error *err)
{
	struct answer_block *b = answer_find(a, kind, index);

	return b ? b : answer_open(a, kind, index, err);
}

static bool begin_call(const json_t *use, int64_t index, struct answer *a,
		       struct error *err)
{
	struct answer_block *b = answer_open(a, ANSWER_CALL, index, err);

	return b && answer_name(b, json_object_get(use, "toolUseId"),
				json_object_get(use, "name"), err);
}

/* Thinking comes as text and signature, or as bytes that nobody may read. */
static bool add_reasoning(const json_t *piece, int64_t index, struct answer *a,
			  struct error *err)
{
	const json_t *text = json_object_get(piece, "text");
	const json_t *signature = json_object_get(piece, "signature");
	json_t *hidden = json_object_get(piece, "redactedContent");
	struct answer_block *b = block_at(a, ANSWER_KEPT, index, err);

	if (!b)
		return false;
	if (hidden && !b->kept) {
		b->kept = json_pack("{s:{s:O}}", "reasoningContent", "redactedContent",
				    hidden);
		return b->kept || error_oom(err);
	}
	return (!text || answer_add(a, &b->text, text, err)) &&
	       (!signature || answer_add(a, &b->signature, signature, err));
}

static bool end_reasoning(struct answer *a, struct error *err)
{
	for (size_t i = 0; i < a->count; i++) {
		struct answer_block *b = &a->blocks[i];

		if (b->kind != ANSWER_KEPT || b->kept)
			continue;
		json_t *text = json_pack("{s:s%}", "text", b->text.data, b->text.length);
		if (!text ||
		    (b->signature.length > 0 &&
		     !put(text, "signature",
			  json_stringn(b->signature.data, b->signature.length)))) {
			json_decref(text);
			return error_oom(err);
		}
		b->kept =
			json_pack("{s:{s:o}}", "reasoningContent", "reasoningText", text);
		if (!b->kept)
			return error_oom(err);
	}
	return true;
}

static bool add_piece(const json_t *delta, int64_t index, struct answer *a,
		      struct error *err)
{
	const json_t *text = json_object_get(delta, "text");
	const json_t *use = json_object_get(delta, "toolUse");
	const json_t *reasoning = json_object_get(delta, "reasoningContent");
	struct answer_block *b;

	if (text) { /* a text block need not begin by an event of its own */
		b = block_at(a, ANSWER_TEXT, index, err);
		return b && answer_add(a, &b->text, text, err);
	}
	if (use) {
		b = answer_find(a, ANSWER_CALL, index);
		return b ? answer_add(a, &b->text, json_object_get(use, "input"), err)
			 : error_set(err, ERR_INVALID_ARGUMENT,
				     "a piece of a call that never began");
	}
	return !reasoning || add_reasoning(reasoning, index, a, err);
}

static enum assistant_code code_of(const char *exception)
{
	if (strcmp(exception, "throttlingException") == 0 ||
	    strcmp(exception, "serviceUnavailableException") == 0)
		return ASSISTANT_MODEL_BUSY;
	return strcmp(exception, "validationException") == 0 ? ASSISTANT_MODEL_REFUSED
							     : ASSISTANT_MODEL_DOWN;
}

static bool read_event(const char *type, const json_t *data, struct answer *a,
		       struct error *err)
{
	int64_t index = json_get_int64(data, "contentBlockIndex", 0);
	const json_t *use;

	if (a->is_whole && strcmp(type, "metadata") != 0)
		return true; /* of no answer any more */
	if (strcmp(type, "contentBlockStart") == 0) {
		use = json_object_get(json_object_get(data, "start"), "toolUse");
		return !use || begin_call(use, index, a, err);
	}
	if (strcmp(type, "contentBlockDelta") == 0)
		return add_piece(json_object_get(data, "delta"), index, a, err);
	if (strcmp(type, "messageStop") == 0) {
		read_stop(data, a);
		a->is_whole = a->stop != ANSWER_NOT_ENDED; /* metadata may follow */
		return end_reasoning(a, err);
	}
	if (strcmp(type, "metadata") == 0)
		read_usage(json_object_get(data, "usage"), a);
	else if (strstr(type, "xception"))
		a->failure = code_of(type);
	return true;
}

static bool read_block(const json_t *block, int64_t index, struct answer *a,
		       struct error *err)
{
	const json_t *text = json_object_get(block, "text");
	const json_t *use = json_object_get(block, "toolUse");
	struct answer_block *b;

	if (text)
		return add_piece(block, index, a, err);
	if (use)
		return begin_call(use, index, a, err) &&
		       json_write(&answer_find(a, ANSWER_CALL, index)->text,
				  json_object_get(use, "input"), err);
	if (!json_object_get(block, "reasoningContent"))
		return true;
	b = answer_open(a, ANSWER_KEPT, index, err);
	if (!b)
		return false;
	b->kept = json_deep_copy(block);
	return b->kept || error_oom(err);
}

static bool read_whole(const json_t *body, struct answer *a, struct error *err)
{
	const json_t *message =
		json_object_get(json_object_get(body, "output"), "message");
	const json_t *content = json_object_get(message, "content"), *block;
	size_t i;

	if (!json_is_array(content) || !json_get_string(body, "stopReason"))
		return error_set(err, ERR_INVALID_ARGUMENT, "a reply that is no message");
	json_array_foreach(content, i, block)
	{
		if (!read_block(block, (int64_t)i, a, err))
			return false;
	}
	read_usage(json_object_get(body, "usage"), a);
	read_stop(body, a);
	a->is_whole = true;
	return true;
}

static enum assistant_code read_refusal(int status, const json_t *body)
{
	static const char *const overlong[] = { "too long", "context", "too many tokens",
						NULL };
	const char *message = json_get_string(body, "message");

	if (status == 413 || (status == 400 && says(message, overlong)))
		return ASSISTANT_TOO_LONG;
	return ASSISTANT_OK;
}

const struct codec codec_bedrock = {
	.name = "bedrock",
	.write = write_request,
	.whole = read_whole,
	.event = read_event,
	.refusal = read_refusal,
};
