#include "mcp/context_result.h"

#include "base/digest.h"

static void append(json_t *list, json_t *value, bool *broken)
{
	if (json_array_append_new(list, value) != 0)
		*broken = true;
}

/* ---- Contents ---- */

void mcp_contents_add(struct mcp_contents *c, json_t *content)
{
	append(c->list, content, &c->broken);
}

void mcp_contents_text(struct mcp_contents *c, const char *mime_type, const char *text,
		       size_t length)
{
	/* NULL for what is not UTF-8: then the read fails, and nothing odd is sent. */
	mcp_contents_add(c, json_pack("{s:s, s:s*, s:s%}", "uri", c->uri, "mimeType",
				      mime_type, "text", text, length));
}

void mcp_contents_blob(struct mcp_contents *c, const char *mime_type, const void *bytes,
		       size_t length)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	digest_base64(&text, bytes, length);
	c->broken |= !strbuf_ok(&text);
	mcp_contents_add(c, json_pack("{s:s, s:s*, s:s}", "uri", c->uri, "mimeType",
				      mime_type, "blob", text.data));
}

void mcp_contents_cache(struct mcp_contents *c, int64_t ttl_ms, bool is_public)
{
	c->ttl_ms = ttl_ms > 0 ? ttl_ms : 0;
	c->is_public = is_public;
}

/* ---- Messages ---- */

void mcp_messages_block(struct mcp_messages *m, const char *role, json_t *block)
{
	append(m->list, json_pack("{s:s, s:o}", "role", role, "content", block),
	       &m->broken);
}

void mcp_messages_text(struct mcp_messages *m, const char *role, const char *format, ...)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	va_list args;

	va_start(args, format);
	strbuf_add_vformat(&text, format, args);
	va_end(args);
	m->broken |= !strbuf_ok(&text);
	mcp_messages_block(m, role, mcp_block_text(text.data));
}

/* ---- Values ---- */

void mcp_values_add(struct mcp_values *v, const char *value)
{
	if (v->total++ < MCP_VALUES_MAX)
		append(v->list, json_string(value), &v->broken);
}
