/*
 * vendor -- what the backends of vendors' APIs share: patience, accounts, what a refusal
 * for its rate means for a step.
 */
#ifndef ACCOUNTS_VENDOR_H
#define ACCOUNTS_VENDOR_H

#include "api/rest/rest.h"
#include "servers/accounts/backend.h"

enum {
	VENDOR_READ_MS = 15 * 1000, /* the longest that a reading waits */
	VENDOR_APPLY_MS = 30 * 1000,
	VENDOR_NAME_MAX = 256, /* bytes */
};

/* 'a' has copies of all; 'a' is zeroed before. False without memory. */
struct vendor_names {
	const char *id, *identifier, *uid, *name, *mail;
};
bool vendor_account(struct account *a, const struct vendor_names *names,
		    const char *detail, struct error *err);

/* A step that failed: with ERR_RATE_LIMITED 'ret' says when to come again. ERR_NOT_FOUND
 * and all else stay as they are. Returns false. */
bool vendor_fail(struct rest *r, struct facet_applied *ret, const struct error *err);

/* A sub-object of a backend's configuration; ERR_INVALID_ARGUMENT if it is none. */
const json_t *vendor_config(const json_t *config, const char *system, const char *name,
			    struct error *err);
/* A list of texts, or nothing. */
bool vendor_are_texts(const json_t *list);
bool vendor_is_listed(const json_t *list, const char *text);

#endif
