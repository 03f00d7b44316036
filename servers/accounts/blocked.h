/*
 * blocked -- the accounts of one system that are blocked now: as the system lists them,
 * or, where it cannot, those that our own record holds something of, read one by one.
 */
#ifndef ACCOUNTS_BLOCKED_H
#define ACCOUNTS_BLOCKED_H

#include "link/documents/documents.h"
#include "servers/accounts/backend.h"

bool blocked_list(struct documents *records, const struct account_system *system,
		  int64_t now_ms, struct account_list *ret, struct error *err);

#endif
