/*
 * execution -- a grant that is being judged, and what is said when nothing runs.
 * Private to execute*.c.
 */
#ifndef MCP_EXECUTION_H
#define MCP_EXECUTION_H

#include "mcp/serving.h"

#include "guard/burn.h"

struct execution {
	struct exchange *x;
	const struct presented *given;
	struct grant grant;
	struct plan *plan; /* NULL for a read */
	int64_t planned_at_ms;
	int64_t now_ms, epoch_ms;    /* of the store */
	char store[DIGEST_ID_BYTES]; /* of this process */
	char approvers[GRANT_APPROVERS_MAX * 131];
	enum error_code code; /* of the outcome */
	const char *state;    /* of the outcome */
	char result[DIGEST_HEX_BYTES];
};

const char *execution_tool(const struct execution *e);

/* Each ends as 'refused', on record in the audit log. */
void execution_refuse(struct execution *e, struct mcp_result *r, const struct error *err,
		      json_t *details);
/* This grant was used. Whoever presents it again for the same call learns what became of it. */
void execution_refuse_used(struct execution *e, struct mcp_result *r,
			   const json_t *record);
/* It is burnt, and may have been before: nobody can tell what became of it then. */
void execution_refuse_forgotten(struct execution *e, struct mcp_result *r);
/* Not burnt, and why not; said with it is what may still become of it. */
void execution_refuse_unburnt(struct execution *e, struct mcp_result *r,
			      const struct error *err);
/* It was asked what became of this grant, and nothing has. */
void execution_tell_unburnt(struct execution *e, struct mcp_result *r);
/* Spend the grant without running anything: what people saw is not what is there now. */
void execution_burn_unused(struct execution *e, struct mcp_result *r,
			   const struct error *err, json_t *details);
/* The same because people took their yes back. */
void execution_revoke(struct execution *e, struct mcp_result *r);
/* Whether the store may have forgotten, since it was looked, that this grant was used. */
bool execution_has_forgotten(const struct execution *e);

#endif
