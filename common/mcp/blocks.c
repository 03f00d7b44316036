/* Content blocks, for results of tools and for messages of prompts. */
#include "mcp/tool.h"

#include "base/digest.h"

json_t *mcp_block_text(const char *text)
{
	return json_pack("{s:s, s:s}", "type", "text", "text", text);
}

json_t *mcp_block_data(const char *type, const char *mime_type, const void *bytes,
		       size_t length)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	digest_base64(&text, bytes, length);
	if (!strbuf_ok(&text))
		return NULL;
	return json_pack("{s:s, s:s, s:s}", "type", type, "data", text.data, "mimeType",
			 mime_type);
}

json_t *mcp_block_resource(const char *uri, const char *mime_type, const char *text)
{
	return json_pack("{s:s, s:{s:s, s:s*, s:s}}", "type", "resource", "resource",
			 "uri", uri, "mimeType", mime_type, "text", text);
}
