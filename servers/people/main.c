/* wingman-people: who is who, across systems. */
#include "base/cleanup.h"
#include "mcp/server.h"
#include "servers/people/people.h"
#include "servers/people/tools.h"

static const struct mcp_tool tools[] = {
	{ .name = "find_person", .run = find_person },
	{ .name = "get_person", .run = get_person },
	{ .name = "link_identity",
	  .plan = plan_link_identity,
	  .run = link_identity,
	  .check = check_identity },
	{ .name = "unlink_identity",
	  .plan = plan_unlink_identity,
	  .run = unlink_identity,
	  .check = check_identity },
};

static const struct mcp_resource resources[] = {
	{ .uri = "person://search{?q}", .read = read_search },
	{ .uri = "person://{id}", .read = read_person },
};

int main(int argc, char **argv)
{
	static const struct mcp_server server = {
		.name = "people",
		.tools = tools,
		.tool_count = ARRAY_SIZE(tools),
		.resources = resources,
		.resource_count = ARRAY_SIZE(resources),
		.open = people_open,
		.close = people_close,
		.unix_sockets = people_unix_sockets,
		.ready = people_ready,
		.tick = people_tick,
		.tick_ms = 1000,
		.needs_network = true,
	};

	return mcp_server_main(&server, argc, argv);
}
