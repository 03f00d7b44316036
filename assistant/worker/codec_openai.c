/* OpenAI's chat completions, and the many servers that speak them more or less. */
#include <string.h>

#include "assistant/worker/chat.h"

/* ---- Requests ---- */

/* What one user message holds: results first, each a message of its own. */
static bool write_user(const json_t *parts, json_t *list)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const json_t *part;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)parts, i, part)
	{
		const json_t *said = json_object_get(part, "text");
		const char *result = json_get_string(part, "result");

		if (result) {
			if (!append(list,
				    json_pack("{s:s, s:s, s:O}", "role", "tool",
					      "tool_call_id", result, "content", said)))
				return false;
			continue;
		}
		if (text.length > 0)
			strbuf_add_string(&text, "\n\n");
		strbuf_add(&text, json_string_value(said), json_string_length(said));
	}
	return strbuf_ok(&text) &&
	       (text.length == 0 ||
		append(list, json_pack("{s:s, s:s%}", "role", "user", "content",
				       text.data, text.length)));
}

static json_t *write_call(const json_t *part)
{
	_cleanup_strbuf_ struct strbuf args = STRBUF_INIT;
	struct error err = ERROR_INIT;

	if (!json_write(&args, json_object_get(part, "args"), &err))
		return NULL;
	return json_pack("{s:O, s:s, s:{s:O, s:s%}}", "id", json_object_get(part, "call"),
			 "type", "function", "function", "name",
			 json_object_get(part, "name"), "arguments", args.data,
			 args.length);
}

static bool write_assistant(const json_t *parts, json_t *list)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_auto_t *calls = json_array();
	const json_t *part;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)parts, i, part)
	{
		const json_t *said = json_object_get(part, "text");

		if (json_object_get(part, "call") && !append(calls, write_call(part)))
			return false;
		if (said)
			strbuf_add(&text, json_string_value(said),
				   json_string_length(said));
	}
	json_auto_t *one = json_pack(
		"{s:s, s:o}", "role", "assistant", "content",
		text.length > 0 ? json_stringn(text.data, text.length) : json_null());
	if (!one || !strbuf_ok(&text) ||
	    (json_array_size(calls) > 0 && !put(one, "tool_calls", TAKE(calls))))
		return false;
	return append(list, TAKE(one));
}

static json_t *write_messages(const struct chat *c)
{
	const json_t *message;
	size_t i;
	json_auto_t *list =
		json_pack("[{s:s, s:s}]", "role", "system", "content", c->stable);

	if (!list)
		return NULL;
	json_array_foreach(c->messages, i, message)
	{
		const json_t *parts = json_object_get(message, "parts");
		bool user = strcmp(json_get_string(message, "role"), "user") == 0;

		if (!(user ? write_user : write_assistant)(parts, list))
			return NULL;
	}
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
			    json_pack("{s:s, s:{s:O, s:O, s:O}}", "type", "function",
				      "function", "name", json_object_get(tool, "name"),
				      "description", json_object_get(tool, "description"),
				      "parameters", json_object_get(tool, "schema"))))
			return NULL;
	}
	return TAKE(list);
}

static bool write_request(const struct chat *c, struct strbuf *ret_path,
			  struct strbuf *ret_body, struct error *err)
{
	json_auto_t *body =
		json_pack("{s:s, s:I}", "model", c->model,
			  c->old_max_tokens ? "max_tokens" : "max_completion_tokens",
			  (json_int_t)c->max_output);

	if (!body ||
	    (c->stream &&
	     (!put(body, "stream", json_true()) ||
	      !put(body, "stream_options", json_pack("{s:b}", "include_usage", 1)))) ||
	    (json_array_size(c->tools) > 0 && !put(body, "tools", write_tools(c))) ||
	    !put(body, "messages", write_messages(c)))
		return error_oom(err);
	strbuf_add_string(ret_path, "/chat/completions");
	return json_write(ret_body, body, err);
}

/* ---- Replies ---- */

static void read_usage(const json_t *usage, struct answer *a)
{
	if (!json_is_object(usage))
		return;
	int64_t cached = answer_count(json_object_get(usage, "prompt_tokens_details"),
				      "cached_tokens");
	int64_t prompt = answer_count(usage, "prompt_tokens");

	a->usage.cache_read = cached < prompt ? cached : prompt;
	a->usage.input = prompt - a->usage.cache_read;
	a->usage.output = answer_count(usage, "completion_tokens");
}

static void read_stop(const json_t *choice, struct answer *a)
{
	const char *reason = json_get_string(choice, "finish_reason");

	if (!reason)
		return;
	a->stop = strcmp(reason, "length") == 0           ? ANSWER_CUT
		  : strcmp(reason, "content_filter") == 0 ? ANSWER_FILTERED
		  : strcmp(reason, "tool_calls") == 0     ? ANSWER_CALLS
							  : ANSWER_END;
}

/* "content" and "refusal", the same in a message and in a piece of one. */
static bool read_text(const json_t *message, struct answer *a, struct error *err)
{
	static const char *const names[] = { "content", "refusal" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const json_t *text = json_object_get(message, names[i]);
		struct answer_block *b = answer_find(a, ANSWER_TEXT, 0);

		if (!text || json_is_null(text) || json_string_length(text) == 0)
			continue;
		if (!b)
			b = answer_open(a, ANSWER_TEXT, 0, err);
		if (!b || !answer_add(a, &b->text, text, err))
			return false;
	}
	return true;
}

/* Joined by index; a server that leaves it out sends each call whole. Another id at the
 * same index is another call: some number all of them 0. */
static bool read_call(const json_t *call, size_t position, struct answer *a,
		      struct error *err)
{
	const json_t *function = json_object_get(call, "function");
	const json_t *args = json_object_get(function, "arguments");
	const char *id = json_get_string(call, "id");
	int64_t index = json_get_int64(call, "index", (int64_t)position);
	struct answer_block *b = answer_find(a, ANSWER_CALL, index);

	if (b && id && *id && *b->id && strcmp(id, b->id) != 0)
		b = NULL;
	if (!b)
		b = answer_open(a, ANSWER_CALL, index, err);
	if (!b || !answer_name(b, json_object_get(call, "id"),
			       json_object_get(function, "name"), err))
		return false;
	if (json_is_object(args)) /* not as the text that it should be */
		return json_write(&b->text, args, err);
	return !args || json_is_null(args) || answer_add(a, &b->text, args, err);
}

static bool read_message(const json_t *message, struct answer *a, struct error *err)
{
	const json_t *call;
	size_t i;

	if (!read_text(message, a, err))
		return false;
	json_array_foreach(json_object_get(message, "tool_calls"), i, call)
	{
		if (!read_call(call, i, a, err))
			return false;
	}
	return true;
}

static bool read_event(const char *type, const json_t *data, struct answer *a,
		       struct error *err)
{
	const json_t *choice = json_array_get(json_object_get(data, "choices"), 0);

	(void)type;
	if (!data) { /* [DONE] */
		a->is_whole = true;
		if (a->stop == ANSWER_NOT_ENDED)
			a->stop = ANSWER_END;
		return true;
	}
	if (json_is_object(json_object_get(data, "error"))) {
		a->failure = ASSISTANT_MODEL_DOWN;
		return true;
	}
	read_usage(json_object_get(data, "usage"), a);
	if (!choice)
		return true;
	read_stop(choice, a);
	return read_message(json_object_get(choice, "delta"), a, err);
}

static bool read_whole(const json_t *body, struct answer *a, struct error *err)
{
	const json_t *choice = json_array_get(json_object_get(body, "choices"), 0);
	const json_t *message = json_object_get(choice, "message");

	if (!json_is_object(message))
		return error_set(err, ERR_INVALID_ARGUMENT, "a reply without a message");
	read_usage(json_object_get(body, "usage"), a);
	a->stop = ANSWER_END;
	read_stop(choice, a);
	a->is_whole = true;
	return read_message(message, a, err);
}

static enum assistant_code read_refusal(int status, const json_t *body)
{
	static const char *const overlong[] = { "maximum context length",
						"context length", "context size",
						"too many tokens", NULL };
	const json_t *error = json_object_get(body, "error");
	const char *code = json_get_string(error, "code");
	const char *type = json_get_string(error, "type");

	if (status == 413 || (code && strcmp(code, "context_length_exceeded") == 0) ||
	    (status == 400 && says(json_get_string(error, "message"), overlong)))
		return ASSISTANT_TOO_LONG;
	if (status == 402 || (code && strcmp(code, "insufficient_quota") == 0) ||
	    (type && strcmp(type, "insufficient_quota") == 0))
		return ASSISTANT_MODEL_UNPAID;
	return ASSISTANT_OK;
}

const struct codec codec_openai = {
	.name = "openai",
	.write = write_request,
	.whole = read_whole,
	.event = read_event,
	.refusal = read_refusal,
};
