/*
 * remembered -- accounts that their system no longer finds by the person's names, because
 * a block of ours took them out: of an organisation's members, a removed one is none.
 *
 * Our record says which account, by id, was blocked under that name; its system is then
 * asked for exactly it, and it counts only while it is of no use to the person. Nothing is
 * ever blocked by memory.
 */
#ifndef ACCOUNTS_REMEMBERED_H
#define ACCOUNTS_REMEMBERED_H

#include "servers/accounts/backend.h"

enum { REMEMBERED_RECORDS_MAX = 50000 /* looked at */ };

/* Append to 'ret' what the records of 'system' know under this key. */
bool remembered_find(const struct account_system *system, enum account_key key,
		     const char *text, int64_t now_ms, struct account_list *ret,
		     struct error *err);

#endif
