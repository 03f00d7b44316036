/*
 * tools -- the functions that main.c's table names.
 */
#ifndef ACCOUNTS_TOOLS_H
#define ACCOUNTS_TOOLS_H

#include "mcp/resource.h"

bool get_account(struct mcp_call *call, struct mcp_result *result, struct error *err);
bool list_blocked_accounts(struct mcp_call *call, struct mcp_result *result,
			   struct error *err);

bool list_drift(struct mcp_call *call, struct mcp_result *result, struct error *err);
/* account://{person}: what get_account returns. */
bool read_account(struct mcp_call *call, struct mcp_contents *contents,
		  struct error *err);

bool plan_block_account(struct mcp_call *call, struct plan *plan, struct error *err);
bool block_account(struct mcp_call *call, struct mcp_result *result, struct error *err);
bool plan_unblock_account(struct mcp_call *call, struct plan *plan, struct error *err);
bool unblock_account(struct mcp_call *call, struct mcp_result *result, struct error *err);
bool plan_revoke_sessions(struct mcp_call *call, struct plan *plan, struct error *err);
bool revoke_sessions(struct mcp_call *call, struct mcp_result *result, struct error *err);
/* What the accounts of a plan look like now. */
bool check_accounts(struct mcp_call *call, struct strbuf *observed, struct error *err);

#endif
