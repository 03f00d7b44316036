#include "mcp/result.h"

#include <ctype.h>

#include "base/text.h"

enum { RETRY_AFTER_S = 2 }; /* where nobody knows better */

void mcp_result_done(struct mcp_result *r)
{
	strbuf_done(&r->text);
	json_decref(r->structured);
	json_decref(r->blocks);
	json_decref(r->meta);
	free(r->request_state);
	json_decref(r->input_requests);
	json_decref(r->missing);
	json_decref(r->protocol_data);
	json_decref(r->task);
	*r = (struct mcp_result)MCP_RESULT_INIT;
}

static void forget(struct mcp_result *r)
{
	strbuf_clear(&r->text);
	json_decref(r->structured);
	json_decref(r->blocks);
	r->structured = r->blocks = NULL;
	r->broken = false;
}

/* What a backend says may be anything; JSON wants UTF-8. */
static void finish_text(struct mcp_result *r)
{
	if (strbuf_ok(&r->text) && text_is_utf8(r->text.data, r->text.length))
		return;
	strbuf_clear(&r->text);
	strbuf_add_string(&r->text, "The text of this result is not UTF-8.");
}

void mcp_result_text(struct mcp_result *r, const char *format, ...)
{
	va_list args;

	strbuf_clear(&r->text);
	va_start(args, format);
	strbuf_add_vformat(&r->text, format, args);
	va_end(args);
	finish_text(r);
}

void mcp_result_structured(struct mcp_result *r, json_t *value)
{
	json_decref(r->structured);
	r->structured = value;
	r->broken |= !value;
}

void mcp_result_failed(struct mcp_result *r)
{
	r->failed = true;
}

void mcp_result_protocol_error(struct mcp_result *r, int code, const char *message)
{
	mcp_result_text(r, "%s", message);
	r->protocol_code = code;
}

void mcp_result_verified(struct mcp_result *r, bool verified)
{
	r->verified = verified ? MCP_VERIFIED_YES : MCP_VERIFIED_NO;
}

void mcp_result_block(struct mcp_result *r, json_t *block)
{
	if (!r->blocks)
		r->blocks = json_array();
	/* Both append and decref take NULL. */
	if (!r->blocks || json_array_append_new(r->blocks, block) != 0)
		r->broken = true;
}

void mcp_result_link(struct mcp_result *r, const char *uri, const char *name)
{
	mcp_result_block(r, json_pack("{s:s, s:s, s:s}", "type", "resource_link", "uri",
				      uri, "name", name));
}

void mcp_result_meta(struct mcp_result *r, const char *name, json_t *value)
{
	if (!r->meta)
		r->meta = json_object();
	if (!r->meta || json_object_set_new(r->meta, name, value) != 0)
		r->broken = true;
}

/* A sentence of ours, as people write it: a capital first, a full stop last. */
static void add_sentence(struct strbuf *sb, const char *text)
{
	size_t length = strlen(text);

	if (length == 0)
		return;
	if (sb->length > 0)
		strbuf_add_char(sb, ' ');
	strbuf_add_char(sb, (char)toupper((unsigned char)text[0]));
	strbuf_add(sb, text + 1, length - 1);
	if (!strchr(".!?", text[length - 1]))
		strbuf_add_char(sb, '.');
}

json_t *mcp_error_object(const struct error *err, json_t *details)
{
	json_auto_t *given = details;
	json_auto_t *error = json_pack("{s:s, s:s, s:b}", "code", error_name(err->code),
				       "message", err->message, "retryable",
				       error_retryable(err->code));

	if (!error)
		return NULL;
	if (err->hint[0] &&
	    json_object_set_new(error, "hint", json_string(err->hint)) != 0)
		return NULL;
	/* The catalogue promises this one always. */
	if (err->code == ERR_RATE_LIMITED && !given)
		given = json_pack("{s:i}", "retry_after_s", RETRY_AFTER_S);
	if (json_is_object(given) && json_object_set(error, "details", given) != 0)
		return NULL;
	return TAKE(error);
}

void mcp_result_error(struct mcp_result *r, const struct error *err, json_t *details)
{
	struct error said = *err;

	if (!error_is_set(&said))
		error_set(&said, ERR_INTERNAL, "it failed without saying why");
	forget(r);
	r->failed = true;
	r->code = said.code;
	add_sentence(&r->text, said.message);
	add_sentence(&r->text, said.hint);
	r->structured = json_pack("{s:o}", "error", mcp_error_object(&said, details));
	r->broken |= !r->structured;
}

bool mcp_result_has_text(const struct mcp_result *r)
{
	return r->text.length > 0 || json_array_size(r->blocks) == 0;
}

json_t *mcp_result_content(const struct mcp_result *r)
{
	json_auto_t *content = json_array();

	if (!content ||
	    (mcp_result_has_text(r) &&
	     json_array_append_new(content,
				   json_pack("{s:s, s:s%}", "type", "text", "text",
					     r->text.data, r->text.length)) != 0) ||
	    (r->blocks && json_array_extend(content, r->blocks) != 0))
		return NULL;
	return TAKE(content);
}

json_t *mcp_result_record(const struct mcp_result *r)
{
	json_auto_t *record = json_pack("{s:o, s:b}", "content", mcp_result_content(r),
					"isError", r->failed);

	if (!record)
		return NULL;
	if (r->structured &&
	    json_object_set(record, "structuredContent", r->structured) != 0)
		return NULL;
	if (r->verified != MCP_VERIFIED_UNSAID &&
	    json_object_set_new(record, "verified",
				json_boolean(r->verified == MCP_VERIFIED_YES)) != 0)
		return NULL;
	return TAKE(record);
}

static bool restore_content(struct mcp_result *r, const json_t *content)
{
	json_t *block;
	size_t i;

	json_array_foreach(content, i, block)
	{
		const json_t *text = json_object_get(block, "text");
		const char *type = json_get_string(block, "type") ?: "";

		if (i == 0 && strcmp(type, "text") == 0 && json_is_string(text))
			strbuf_add(&r->text, json_string_value(text),
				   json_string_length(text));
		else
			mcp_result_block(r, json_incref(block));
	}
	return json_array_size(content) > 0 && !r->broken && strbuf_ok(&r->text);
}

bool mcp_result_restore(struct mcp_result *r, const json_t *record)
{
	const json_t *verified = json_object_get(record, "verified");
	json_t *structured = json_object_get(record, "structuredContent");

	forget(r);
	if (!json_is_boolean(json_object_get(record, "isError")) ||
	    !restore_content(r, json_object_get(record, "content")))
		return false;
	r->structured = json_incref(structured);
	r->failed = json_is_true(json_object_get(record, "isError"));
	r->code = error_from_name(
		json_get_string(json_object_get(structured, "error"), "code") ?: "");
	if (json_is_boolean(verified))
		mcp_result_verified(r, json_is_true(verified));
	return true;
}
