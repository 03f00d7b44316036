#include "conformance/rows.h"

bool change_tools(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	(void)err;
	mcp_service_changed(mcp_call_service(call), MCP_CHANGED_TOOLS, NULL);
	mcp_result_text(r, "Who listens is told that tools changed.");
	return true;
}

bool change_prompts(struct mcp_call *call, struct mcp_result *r, struct error *err)
{
	(void)err;
	mcp_service_changed(mcp_call_service(call), MCP_CHANGED_PROMPTS, NULL);
	mcp_result_text(r, "Who listens is told that prompts changed.");
	return true;
}
