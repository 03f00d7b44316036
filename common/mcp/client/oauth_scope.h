/*
 * oauth_scope -- sets of scopes as OAuth writes them (RFC 6749 3.3), and which to ask
 * for (PROTOCOL 6.2, 7 and 12).
 *
 * A set is text: scopes of printable ASCII but quotes and backslashes, each once,
 * separated by a space, in the order in which they came; "" is the empty set.
 */
#ifndef MCP_OAUTH_SCOPE_H
#define MCP_OAUTH_SCOPE_H

#include <jansson.h>

#include "base/cleanup.h"

enum { OAUTH_SCOPE_MAX = 2048 }; /* bytes of a set */

/* Add the scopes of 'more', separated by spaces; NULL: none. False, with the set as it
 * was, when 'more' has a character that no scope has or the set would be too long. */
bool oauth_scope_add(char set[static OAUTH_SCOPE_MAX + 1], const char *more);
/* Likewise an array of texts; NULL: none. What is no array of texts is refused. */
bool oauth_scope_add_list(char set[static OAUTH_SCOPE_MAX + 1], const json_t *list);
bool oauth_scope_has(const char *set, const char *scope);
bool oauth_scope_has_all(const char *set, const char *wanted);

struct oauth_scope_rules {
	const char *challenge; /* what the server said that it wants; "": nothing */
	const char *resource;  /* scopes_supported of its metadata; "": none */
	const char *requested; /* asked for before, at this authorization server */
	bool is_offline; /* a refresh token is wanted, and the server of tokens lists
				* offline_access */
};
/* The challenge's, else all that the resource knows, and those that were asked for
 * before. offline_access is asked for only 'is_offline', whoever names it, and never
 * alone, because no scope at all means the usual ones. False: too long. */
bool oauth_scope_choose(const struct oauth_scope_rules *rules,
			char ret[static OAUTH_SCOPE_MAX + 1]);

#endif
