/*
 * tools -- the functions that main.c's tables name.
 */
#ifndef PEOPLE_TOOLS_H
#define PEOPLE_TOOLS_H

#include "mcp/resource.h"

bool find_person(struct mcp_call *call, struct mcp_result *result, struct error *err);
bool get_person(struct mcp_call *call, struct mcp_result *result, struct error *err);

bool plan_link_identity(struct mcp_call *call, struct plan *plan, struct error *err);
bool link_identity(struct mcp_call *call, struct mcp_result *result, struct error *err);
bool plan_unlink_identity(struct mcp_call *call, struct plan *plan, struct error *err);
bool unlink_identity(struct mcp_call *call, struct mcp_result *result, struct error *err);
/* Whose an account is now. */
bool check_identity(struct mcp_call *call, struct strbuf *observed, struct error *err);

bool read_search(struct mcp_call *call, struct mcp_contents *contents, struct error *err);
bool read_person(struct mcp_call *call, struct mcp_contents *contents, struct error *err);

#endif
