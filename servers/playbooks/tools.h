/*
 * tools -- the functions that the tables in main.c name.
 */
#ifndef PLAYBOOKS_TOOLS_H
#define PLAYBOOKS_TOOLS_H

#include "mcp/server.h"

bool search_playbooks(struct mcp_call *call, struct mcp_result *r, struct error *err);
bool get_playbook(struct mcp_call *call, struct mcp_result *r, struct error *err);
bool list_playbooks(struct mcp_call *call, struct mcp_result *r, struct error *err);
bool plan_reindex(struct mcp_call *call, struct plan *plan, struct error *err);
bool reindex_playbooks(struct mcp_call *call, struct mcp_result *r, struct error *err);
bool plan_progress(struct mcp_call *call, struct plan *plan, struct error *err);
bool record_progress(struct mcp_call *call, struct mcp_result *r, struct error *err);

bool read_search(struct mcp_call *call, struct mcp_contents *c, struct error *err);
bool read_playbook(struct mcp_call *call, struct mcp_contents *c, struct error *err);
bool list_playbook_resources(struct mcp_call *call, json_t *list, struct error *err);
bool complete_playbook(struct mcp_call *call, const char *argument, const char *value,
		       struct mcp_values *values, struct error *err);
bool read_run(struct mcp_call *call, struct mcp_contents *c, struct error *err);

bool run_playbook(struct mcp_call *call, struct mcp_messages *m, struct error *err);
bool triage_alert(struct mcp_call *call, struct mcp_messages *m, struct error *err);

#endif
