/* search_playbooks, and the resource that says the same. */
#include "servers/playbooks/search.h"
#include "servers/playbooks/tools.h"

bool search_playbooks(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const struct search s = {
		.query = mcp_call_string(call, "query", ""),
		.requester = mcp_call_requester(call),
		.source = mcp_call_string(call, "source", NULL),
		.tags = json_object_get(mcp_call_arguments(call), "tags"),
		.limit = (size_t)mcp_call_int64(call, "limit", SEARCH_LIMIT_DEFAULT),
	};
	json_t *answer = search_run(mcp_call_context(call), &s, &text, err);

	if (!answer)
		return false;
	mcp_result_text(r, "%s", text.data);
	mcp_result_structured(r, answer);
	return true;
}

bool read_search(struct mcp_call *call, struct mcp_contents *c, struct error *err)
{
	_cleanup_strbuf_ struct strbuf ignored = STRBUF_INIT;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const struct search s = {
		.query = mcp_call_string(call, "q", ""),
		.requester = mcp_call_requester(call),
		.limit = SEARCH_LIMIT_DEFAULT,
	};
	json_auto_t *answer = search_run(mcp_call_context(call), &s, &ignored, err);

	if (!answer || !json_write(&text, answer, err))
		return false;
	mcp_contents_text(c, "application/json", text.data, text.length);
	return true;
}
