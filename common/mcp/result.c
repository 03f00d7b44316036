#include "mcp/result.h"

#include <ctype.h>

#include "base/text.h"

enum { RETRY_AFTER_S = 2 }; /* where nobody knows better */

void mcp_result_done(struct mcp_result *r)
{
	strbuf_done(&r->text);
	json_decref(r->structured);
	json_decref(r->links);
	json_decref(r->meta);
	free(r->request_state);
	*r = (struct mcp_result)MCP_RESULT_INIT;
}

static void forget(struct mcp_result *r)
{
	strbuf_clear(&r->text);
	json_decref(r->structured);
	json_decref(r->links);
	r->structured = r->links = NULL;
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

void mcp_result_verified(struct mcp_result *r, bool verified)
{
	r->verified = verified ? MCP_VERIFIED_YES : MCP_VERIFIED_NO;
}

void mcp_result_link(struct mcp_result *r, const char *uri, const char *name)
{
	json_t *link = json_pack("{s:s, s:s, s:s}", "type", "resource_link", "uri", uri,
				 "name", name);

	if (!r->links)
		r->links = json_array();
	/* Both append and decref take NULL. */
	if (!r->links || json_array_append_new(r->links, link) != 0)
		r->broken = true;
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

static json_t *error_object(const struct error *err, json_t *details)
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
	return json_pack("{s:O}", "error", error);
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
	r->structured = error_object(&said, details);
	r->broken |= !r->structured;
}

json_t *mcp_result_content(const struct mcp_result *r)
{
	json_auto_t *content = json_pack("[{s:s, s:s%}]", "type", "text", "text",
					 r->text.data, r->text.length);

	if (!content || (r->links && json_array_extend(content, r->links) != 0))
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

bool mcp_result_restore(struct mcp_result *r, const json_t *record)
{
	const json_t *content = json_object_get(record, "content");
	const json_t *text = json_object_get(json_array_get(content, 0), "text");
	const json_t *verified = json_object_get(record, "verified");
	json_t *structured = json_object_get(record, "structuredContent");

	if (!json_is_string(text) || !json_is_boolean(json_object_get(record, "isError")))
		return false;
	forget(r);
	strbuf_add(&r->text, json_string_value(text), json_string_length(text));
	r->structured = json_incref(structured);
	r->failed = json_is_true(json_object_get(record, "isError"));
	r->code = error_from_name(
		json_get_string(json_object_get(structured, "error"), "code") ?: "");
	if (json_is_boolean(verified))
		mcp_result_verified(r, json_is_true(verified));
	for (size_t i = 1; i < json_array_size(content); i++) {
		if (!r->links && !(r->links = json_array()))
			return false;
		if (json_array_append(r->links, json_array_get(content, i)) != 0)
			return false;
	}
	return true;
}
