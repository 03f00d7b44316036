/*
 * github_member -- a membership of a GitHub organisation, taken away and given back.
 *
 *   change    of a block {"expect": "active"|"pending", "set": "none"}; of an undo
 *             {"expect": "none"|..., "set": "member", "role", "teams": [[slug, id, role]]}
 *   snapshot  {"state", "role", "teams": [[slug, id, role]]}, teams in order of their slugs
 *
 * A team that was deleted, or replaced by another of its name, is left out and said.
 */
#ifndef ACCOUNTS_GITHUB_MEMBER_H
#define ACCOUNTS_GITHUB_MEMBER_H

#include "api/github/github.h"
#include "servers/accounts/backend.h"

/* How account.lock reads for who is no member. */
#define GITHUB_MEMBER_NONE "none"

bool github_member_plan_block(struct github *g, const char *login, struct facet_step *ret,
			      struct error *err);
/* 'snapshot' NULL: somebody else took the member out. */
bool github_member_plan_undo(struct github *g, const char *login, const json_t *snapshot,
			     struct facet_step *ret, struct error *err);
bool github_member_apply(struct github *g, const char *login, const json_t *change,
			 const struct rest_patience *p, struct error *err);
bool github_member_read_back(struct github *g, const char *login, const json_t *change,
			     enum facet_seen *ret, struct error *err);

#endif
