/* wingman-accounts: block and unblock people's accounts. */
#include "base/cleanup.h"
#include "mcp/server.h"
#include "servers/accounts/accounts.h"
#include "servers/accounts/tools.h"

static const struct mcp_tool tools[] = {
	{ .name = "get_account", .run = get_account },
	{ .name = "list_blocked_accounts", .run = list_blocked_accounts },
	{ .name = "list_drift", .run = list_drift },
	{ .name = "block_account",
	  .plan = plan_block_account,
	  .run = block_account,
	  .check = check_accounts },
	{ .name = "unblock_account",
	  .plan = plan_unblock_account,
	  .run = unblock_account,
	  .check = check_accounts },
	{ .name = "revoke_sessions",
	  .plan = plan_revoke_sessions,
	  .run = revoke_sessions,
	  .check = check_accounts },
};

static const struct mcp_resource resources[] = {
	{ .uri = "account://{person}", .read = read_account },
};

int main(int argc, char **argv)
{
	static const struct mcp_server server = {
		.name = "accounts",
		.tools = tools,
		.tool_count = ARRAY_SIZE(tools),
		.resources = resources,
		.resource_count = ARRAY_SIZE(resources),
		.changes = MCP_CONTENTS_MAY_CHANGE,
		.open = accounts_open,
		.close = accounts_close,
		.unix_sockets = accounts_unix_sockets,
		.ready = accounts_ready,
		.tick = accounts_tick,
		.needs_network = true,
	};

	return mcp_server_main(&server, argc, argv);
}
