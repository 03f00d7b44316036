/* wingman-playbooks: find, read and work through playbooks. */
#include "servers/playbooks/playbooks.h"
#include "servers/playbooks/tools.h"

static const struct mcp_tool tools[] = {
	{ .name = "search_playbooks", .run = search_playbooks },
	{ .name = "get_playbook", .run = get_playbook },
	{ .name = "list_playbooks", .run = list_playbooks },
	{ .name = "reindex_playbooks", .plan = plan_reindex, .run = reindex_playbooks },
	{ .name = "record_progress", .plan = plan_progress, .run = record_progress },
};

static const struct mcp_resource resources[] = {
	{ .uri = "playbook://search{?q}", .read = read_search },
	{ .uri = "playbook://{+id}",
	  .read = read_playbook,
	  .list = list_playbook_resources,
	  .complete = complete_playbook },
	{ .uri = "playbook-run://{id}", .read = read_run },
};

static const struct mcp_prompt prompts[] = {
	{ .name = "run_playbook", .get = run_playbook, .complete = complete_playbook },
	{ .name = "triage_alert", .get = triage_alert },
};

int main(int argc, char **argv)
{
	static const struct mcp_server server = {
		.name = "playbooks",
		.tools = tools,
		.tool_count = ARRAY_SIZE(tools),
		.resources = resources,
		.resource_count = ARRAY_SIZE(resources),
		.prompts = prompts,
		.prompt_count = ARRAY_SIZE(prompts),
		.open = playbooks_open,
		.close = playbooks_close,
		.ready = playbooks_ready,
		.tick = playbooks_tick,
		.tick_ms = 1000,
		.reads = playbooks_reads,
		.changes = MCP_RESOURCES_MAY_CHANGE,
		.needs_network = true,
	};

	return mcp_server_main(&server, argc, argv);
}
